//! What can be wrong with a model, and with a run of one.

/// Why a model is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The manifest is no TOML, or has a key or a type the format does not know.
    #[error("manifest.toml: {0}")]
    Syntax(String),
    /// A value of the manifest makes no sense.
    #[error("manifest.toml: `{key}` {problem}")]
    Manifest {
        /// Where, as `core.window`.
        key: String,
        /// What was found and what is wanted.
        problem: String,
    },
    /// A file that the manifest names is not there.
    #[error("`{0}` is named in the manifest and missing")]
    Missing(String),
    /// A file is not the one that the manifest was written for.
    #[error("`{file}` has the digest {found}, the manifest says {stated}")]
    Digest {
        /// Which file.
        file: String,
        /// SHA-256 in the manifest.
        stated: String,
        /// SHA-256 of what is there.
        found: String,
    },
    /// A weights file is too short or too long.
    #[error("`{file}` has {found} bytes, its tables need {wanted}")]
    Size {
        /// Which file.
        file: String,
        /// Bytes that the manifest's tables take.
        wanted: usize,
        /// Bytes there are.
        found: usize,
    },
    /// The graph uses operators outside the documented list.
    #[error("`{file}` uses operators that are not supported: {}", operators.join(", "))]
    Operators {
        /// Which file.
        file: String,
        /// Their names, sorted.
        operators: Vec<String>,
    },
    /// The graph would take more memory than a model may.
    #[error("`{file}` takes {found} bytes unpacked, the limit is {limit}")]
    Memory {
        /// Which file.
        file: String,
        /// Weights and activations, in bytes.
        found: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// The graph cannot be read or prepared.
    #[error("`{file}`: {problem}")]
    Graph {
        /// Which file.
        file: String,
        /// What the library says.
        problem: String,
    },
    /// The tokenizer cannot be read.
    #[error("`{file}`: {problem}")]
    Tokenizer {
        /// Which file.
        file: String,
        /// What the library says.
        problem: String,
    },
}

impl LoadError {
    pub(crate) fn manifest(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Manifest { key: key.into(), problem: problem.into() }
    }
}

/// Why a text could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The graph failed on this input.
    #[error("the model's graph failed: {0}")]
    Graph(String),
    /// The tokenizer failed on this input.
    #[error("the model's tokenizer failed: {0}")]
    Tokenizer(String),
    /// The model answered something that is no number.
    #[error("the model's score is not a number")]
    NotANumber,
}
