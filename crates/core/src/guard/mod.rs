//! Layer 0 of the guards: what can be decided about text without a model.
//!
//! [`normal`] shows a text as a reader sees it, whatever it is disguised as, and what is encoded in
//! it, so that models judge those views too. [`find`] and [`mask`](fn@mask) know structured secrets and
//! personal data by their shape and checksum; [`Masker`] hides them in text that is still being
//! written. All of it takes time that grows with the length of the text alone.
//!
//! The scanners are written out, without an engine for regular expressions. In the Worker as it is linked, before
//! `wasm-opt`, they and the views take 109 KiB of code (43 KiB gzipped, by the names of functions), and NFKC's tables from
//! `unicode-normalization` 109 KiB (55 KiB gzipped).

pub mod answers;
mod fold;
pub mod judge;
mod mask;
pub mod normal;
mod scan;
mod shape;
pub(crate) mod texts;
mod unseen;
pub(crate) mod veil;
pub(crate) mod watch;

pub use mask::{Masker, mask};
pub(crate) use scan::issuer;
pub use scan::{Found, find};
pub use shape::{Shape, Shapes};
pub use texts::Source;
