//! What can be wrong with a file that is measured.

use crate::error::LoadError;

/// Why a model cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// The file ends before what it states.
    #[error("{what} takes {wanted} bytes, the file has {found}")]
    Truncated {
        /// What is cut off.
        what: String,
        /// Bytes that it takes.
        wanted: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// A length or a count that no file of this format has.
    #[error("{what} is {found}, the limit is {limit}")]
    Length {
        /// What is too long.
        what: String,
        /// What the file states.
        found: u64,
        /// The most that is read.
        limit: u64,
    },
    /// The file is none of this format.
    #[error("{0}")]
    Malformed(String),
    /// A part of the format that is not read.
    #[error("{0}")]
    Unsupported(String),
    /// The classifier's folder is not as its manifest says.
    #[error(transparent)]
    Manifest(#[from] LoadError),
}

impl MeasureError {
    /// Its name, which never changes meaning.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::Length { .. } => "absurd-length",
            Self::Malformed(_) => "malformed",
            Self::Unsupported(_) => "unsupported",
            Self::Manifest(_) => "manifest",
        }
    }
}
