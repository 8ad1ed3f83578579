//! Replies as OpenAI writes them. What is `None` is written as `null` unless it says otherwise.

use serde::Serialize;

/// A field that can be left out, or be `null`, which clients tell apart.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(untagged)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Null,
    Is(T),
}

impl<T> Field<T> {
    const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorReply<'a> {
    pub(super) error: Error<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Error<'a> {
    pub(super) message: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) param: Option<&'a str>,
    pub(super) code: Option<&'a str>,
}

/// `system_fingerprint` of every completion.
pub(super) const FINGERPRINT: &str = "fp_tollhouse_mock";

/// The frame of a completion, whole or a chunk of a stream.
#[derive(Debug, Serialize)]
pub(super) struct Reply<'a, C> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: u64,
    pub(super) model: &'a str,
    pub(super) choices: Vec<C>,
    /// `null` in the chunks of a stream that will tell its usage.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub(super) usage: Field<Usage>,
    pub(super) system_fingerprint: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

impl Usage {
    /// Nothing is cached and nothing is reasoned.
    pub(super) const fn new(prompt: u64, completion: u64) -> Self {
        Self {
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt.saturating_add(completion),
            prompt_tokens_details: PromptDetails { cached_tokens: 0 },
            completion_tokens_details: CompletionDetails { reasoning_tokens: 0 },
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ChatChoice {
    pub(super) index: u64,
    pub(super) message: Message,
    pub(super) logprobs: Option<ChatLogprobs>,
    pub(super) finish_reason: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Message {
    pub(super) role: &'static str,
    pub(super) content: Option<String>,
    pub(super) refusal: Option<&'static str>,
    pub(super) annotations: [&'static str; 0],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Function>,
}

#[derive(Debug, Serialize)]
pub(super) struct ChatChunkChoice {
    pub(super) index: u64,
    pub(super) delta: Delta,
    pub(super) logprobs: Option<ChatLogprobs>,
    pub(super) finish_reason: Option<&'static str>,
}

/// What a chunk adds to a message; empty when it finishes it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub(super) content: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub(super) refusal: Field<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_calls: Option<[ToolCall; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Function>,
}

/// A tool call, or what a chunk adds to one.
#[derive(Debug, Default, Serialize)]
pub(super) struct ToolCall {
    /// In chunks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Function>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Custom>,
}

#[derive(Debug, Serialize)]
pub(super) struct Function {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) arguments: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Custom {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) input: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ChatLogprobs {
    pub(super) content: Vec<TokenLogprob>,
    pub(super) refusal: Option<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct TokenLogprob {
    #[serde(flatten)]
    pub(super) token: Likely,
    pub(super) top_logprobs: Vec<Likely>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Likely {
    pub(super) token: String,
    /// A natural logarithm, at most 0.
    pub(super) logprob: f64,
    /// Of the token, in UTF-8.
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, Serialize)]
pub(super) struct CompletionChoice {
    pub(super) text: String,
    pub(super) index: u64,
    pub(super) logprobs: Option<CompletionLogprobs>,
    pub(super) finish_reason: Option<&'static str>,
}

/// Lists of the same length, an item for each token.
#[derive(Debug, Default, Serialize)]
pub(super) struct CompletionLogprobs {
    /// Where each token begins in the choice's text, in characters.
    pub(super) text_offset: Vec<usize>,
    pub(super) token_logprobs: Vec<Option<f64>>,
    pub(super) tokens: Vec<String>,
    pub(super) top_logprobs: Vec<Option<serde_json::Map<String, serde_json::Value>>>,
}

impl CompletionLogprobs {
    /// Adds what follows.
    pub(super) fn append(&mut self, mut other: Self) {
        self.text_offset.append(&mut other.text_offset);
        self.token_logprobs.append(&mut other.token_logprobs);
        self.tokens.append(&mut other.tokens);
        self.top_logprobs.append(&mut other.top_logprobs);
    }
}

#[derive(Debug, Serialize)]
pub(super) struct EmbeddingReply<'a> {
    pub(super) object: &'static str,
    pub(super) data: Vec<Embedding>,
    pub(super) model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<EmbeddingUsage>,
}

#[derive(Debug, Serialize)]
pub(super) struct Embedding {
    pub(super) object: &'static str,
    pub(super) index: usize,
    #[serde(rename = "embedding")]
    pub(super) vector: Vector,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Vector {
    Floats(Vec<f32>),
    /// Little-endian `f32`, in base64.
    Base64(String),
}

#[derive(Debug, Serialize)]
pub(super) struct EmbeddingUsage {
    pub(super) prompt_tokens: u64,
    pub(super) total_tokens: u64,
}
