//! Streamed answers: bytes in, bytes out, and never a cut answer that looks whole.
//!
//! [`sse`] finds events in bytes however they are split; [`Relay`] takes a provider's stream and
//! gives the caller's, and can go on with another provider's where the first one broke; a
//! [`Recording`] keeps a whole stream for the cache. Nothing here waits: timeouts are the
//! pipeline's, and so is the answer to a [`Fault`].

mod chunk;
mod event;
mod fault;
mod object;
mod recording;
mod relay;
mod splice;
pub mod sse;
mod summary;
mod tally;
mod transcript;

pub use event::{KEEP_ALIVE, write_failure};
pub use fault::Fault;
pub use recording::{MAX_RECORDING_BYTES, Recording, replay};
pub use relay::{Passage, Relay};
pub use splice::Resume;
pub use summary::Summary;
pub use tally::Tally;
pub use transcript::{MAX_TRANSCRIPT_BYTES, Sent, Unrecoverable};

#[cfg(test)]
mod tests;
