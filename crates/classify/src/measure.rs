//! What a model takes, whatever its format: parameters, bytes, multiply-adds, operators, memory.
//!
//! Graphs (ONNX, NNEF, a classifier's folder) are built with tract for one window and counted node by
//! node; of safetensors and GGUF the header alone is read. Sizes are bytes, work is multiply-adds and
//! look-ups a token, a window is counted in tokens. Nothing here opens a file, and no length that a file
//! states is believed before it is held against the bytes there are.

mod error;
mod gguf;
mod header;
mod manifest;
mod nnef;
mod onnx;
mod proto;
mod safetensors;
mod weigh;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use error::MeasureError;
pub use gguf::gguf;
pub use manifest::manifest;
pub use nnef::nnef;
pub use onnx::onnx;
pub use safetensors::safetensors;
pub use work::Workload;

/// How many tokens a window has where the model does not say.
pub const USUAL_WINDOW: usize = 128;

/// What a model takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measured {
    /// What the model is called by itself, where it says.
    pub name: Option<String>,
    /// Weights, counted one by one.
    pub parameters: u64,
    /// Bytes on disk, weights in other files included.
    pub bytes: u64,
    /// Multiply-adds a token.
    pub macs_per_token: u64,
    /// Look-ups of hashed n-grams a token.
    pub lookups_per_token: u64,
    /// Tokens of one window.
    pub window: u64,
    /// Bytes at the worst moment: the file, the weights unpacked, and what is between the layers.
    pub peak_memory: u64,
    /// Operators that the runtime has not, sorted.
    pub unsupported: Vec<String>,
    /// Why [`crate::Classifier::load`] refuses the model, where it was asked.
    pub refused: Option<String>,
    /// Where the work was counted.
    pub basis: Basis,
}

/// Where the work of a model was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// Node by node, in the graph.
    Graph,
    /// By its weights: one multiply-add for each number of a matrix, embeddings left out.
    #[default]
    Weights,
}

impl Basis {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Weights => "weights",
        }
    }
}

/// What `work` gives, unless a library gives up on it.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, MeasureError> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| MeasureError::Malformed("the reader gave up on this model".into()))
}

/// A length as the wide type that reports use.
pub(crate) fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
