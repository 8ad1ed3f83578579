//! Small text classifiers at the edge: hashed n-grams always, an ONNX graph where those are unsure.
//!
//! [`Classifier::load`] takes a model's manifest and files (FORMAT.md says what is in them), checks
//! every digest and operator, and [`Classifier::classify`] judges texts of any length. The same code
//! runs native and in WebAssembly; there is no thread, no clock and no I/O here, and nothing is
//! normalised: callers hand in each view of a text that they want judged.

mod classifier;
mod core;
mod digest;
mod error;
mod fold;
#[cfg(test)]
mod golden;
mod hash;
mod linear;
mod manifest;
#[cfg(feature = "measure")]
pub mod measure;
mod numbers;
mod score;
#[cfg(feature = "shipped")]
mod shipped;
mod source;
mod tokens;
mod verdict;
mod windows;

pub use classifier::{Classifier, Input, Logits, Scores};
pub use core::operators;
pub use digest::Files;
pub use error::{LoadError, RunError};
pub use manifest::{Manifest, Trained};
#[cfg(feature = "shipped")]
pub use shipped::{shipped, shipped_names, shipped_parts};
pub use source::{Source, UnknownSource};
pub use verdict::{OperatingPoint, Verdict};
