//! Streamed answers: bytes in, bytes out, and never a cut answer that looks whole.
//!
//! [`sse`] finds events in bytes however they are split; [`Relay`] takes a provider's stream and
//! gives the caller's; [`Recording`] keeps a whole stream for the cache. Nothing here waits: timeouts
//! are the pipeline's.

mod chunk;
mod recording;
mod relay;
pub mod sse;

pub use recording::Recording;
pub use relay::{Fault, Relay, Summary};

#[cfg(test)]
mod tests;
