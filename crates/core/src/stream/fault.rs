//! How a provider's stream fails.

use super::sse::SseError;

/// Why a stream failed. Nothing of what made it fail has reached the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An event that is no chunk.
    #[error("the provider sent an event that is no chunk")]
    Malformed,
    /// An error object in place of a chunk, here as it was written.
    #[error("the provider sent an error in its stream")]
    Reported(String),
    /// The stream ended, or was ended by the provider, before its answer did.
    #[error("the provider's stream ended before its answer did")]
    Interrupted,
    /// An event longer than [`MAX_EVENT_BYTES`](super::sse::MAX_EVENT_BYTES).
    #[error("the provider sent an event that is too long")]
    TooLong,
    /// The answer that was to go on with another one does not agree with what was sent of that.
    #[error("the next provider's answer does not agree with the text already sent")]
    Diverged,
}

impl From<SseError> for Fault {
    fn from(error: SseError) -> Self {
        match error {
            SseError::TooLong => Self::TooLong,
            SseError::NotUtf8 => Self::Malformed,
        }
    }
}
