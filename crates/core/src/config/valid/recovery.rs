//! How a stream that breaks midway is gone on with.

/// What happens when a stream breaks after a part of its answer was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Another target goes on: given the text already sent where it takes that, else asked afresh.
    Continue,
    /// Another target is asked afresh, and what follows the text already sent is passed on.
    Restart,
    /// The stream ends with an error.
    Off,
}

/// How a target goes on with an answer that another one has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefill {
    /// It starts a new message.
    None,
    /// It goes on with a last message of the assistant's.
    Assistant,
    /// It goes on where that message has `prefix: true`.
    Prefix,
    /// It goes on with `continue_final_message: true` and `add_generation_prompt: false`.
    ContinueFinalMessage,
}
