//! The request as it takes effect: what the caller sent, with the model's defaults where it was
//! silent.
//!
//! Only [`validate`](super::validate::validate) makes one. Each field of the body belongs to one
//! `Part`; the body for a target and the cache key both go through all parts, so a part that is
//! added must be thought of in both.

mod body;
mod estimate;

use std::sync::Arc;

use estimate::Measure;

use super::endpoint::Endpoint;
use super::json::{Envelope, Value};
use super::validate::takes_sampling;
use crate::config::valid::Model;
use crate::units::Tokens;

/// A valid request under one model's defaults.
#[derive(Debug, Clone)]
pub struct Effective {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Arc<Envelope>,
    pub(crate) delivery: Delivery,
    /// `None` for embeddings, which generate nothing.
    pub(crate) generation: Option<Generation>,
}

/// How the caller wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// In one piece.
    Whole,
    /// As server-sent events.
    Stream {
        /// Whether the caller asked for the chunk with the usage; the gateway asks always.
        usage_asked: bool,
    },
}

/// The parameters that have defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Generation {
    /// `None` where no target of the model takes it.
    pub(crate) temperature: Option<f64>,
    /// `None` where no target of the model takes it.
    pub(crate) top_p: Option<f64>,
    /// For one choice.
    pub(crate) max_tokens: u64,
    /// How many answers, `n`.
    pub(crate) choices: u64,
}

/// What a field of the body is to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Model,
    Stream,
    StreamOptions,
    Temperature,
    TopP,
    /// `max_tokens` or `max_completion_tokens`.
    MaxTokens,
    Choices,
    /// Anything else, known to the API or not; it travels untouched.
    Rest,
}

impl Part {
    /// The part to which a key of the body belongs.
    pub(crate) fn of(endpoint: Endpoint, key: Value<'_>) -> Self {
        let named = |(name, _): &&(&str, Self)| key.is_str(name);
        Self::table(endpoint).iter().find(named).map_or(Self::Rest, |(_, part)| *part)
    }

    const fn table(endpoint: Endpoint) -> &'static [(&'static str, Self)] {
        match endpoint {
            Endpoint::ChatCompletions => &[
                ("model", Self::Model),
                ("stream", Self::Stream),
                ("stream_options", Self::StreamOptions),
                ("temperature", Self::Temperature),
                ("top_p", Self::TopP),
                ("max_tokens", Self::MaxTokens),
                ("max_completion_tokens", Self::MaxTokens),
                ("n", Self::Choices),
            ],
            Endpoint::Completions => &[
                ("model", Self::Model),
                ("stream", Self::Stream),
                ("stream_options", Self::StreamOptions),
                ("temperature", Self::Temperature),
                ("top_p", Self::TopP),
                ("max_tokens", Self::MaxTokens),
                ("n", Self::Choices),
            ],
            Endpoint::Embeddings => &[("model", Self::Model)],
        }
    }
}

impl Effective {
    /// Fills in the model's defaults. The request has been validated.
    pub(super) fn filled(endpoint: Endpoint, body: Arc<Envelope>, model: &Model) -> Self {
        let (delivery, generation) = match endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => {
                (Delivery::asked(&body), Some(Generation::filled(endpoint, &body, model)))
            }
            Endpoint::Embeddings => (Delivery::Whole, None),
        };
        Self { endpoint, body, delivery, generation }
    }

    /// Whether the caller wants server-sent events.
    pub const fn is_streamed(&self) -> bool {
        match self.delivery {
            Delivery::Stream { .. } => true,
            Delivery::Whole => false,
        }
    }

    /// Which call it is.
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What the caller sent, to validate it for another model or to look at its texts.
    pub const fn body(&self) -> &Arc<Envelope> {
        &self.body
    }

    /// How the caller wants its answer.
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The temperature at which the model answers. `None` for embeddings, which have none, and
    /// where every target refuses to be told: such models sample as they like.
    pub fn temperature(&self) -> Option<f64> {
        self.generation.and_then(|generation| generation.temperature)
    }

    /// Whether the model may call tools or functions.
    pub fn has_tools(&self) -> bool {
        let offers =
            |name| self.body.present(name).is_some_and(|list| list.items().next().is_some());
        match self.endpoint {
            Endpoint::ChatCompletions => offers("tools") || offers("functions"),
            Endpoint::Completions | Endpoint::Embeddings => false,
        }
    }

    /// How many choices an answer has at most: `n`, for each prompt of a batch. None for embeddings.
    pub fn choices(&self) -> u64 {
        let Some(Generation { choices, .. }) = self.generation else { return 0 };
        match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Embeddings => choices,
            Endpoint::Completions => choices.saturating_mul(estimate::prompts(&self.body)),
        }
    }

    /// The body as it was sent, for another model.
    pub(crate) fn into_body(self) -> Arc<Envelope> {
        self.body
    }

    /// The most tokens that all answers together may have.
    ///
    /// The limit of one answer times `n`, or `best_of` where it is more, times the number of
    /// prompts in a batch of completions. Zero for embeddings.
    pub fn max_output(&self) -> Tokens {
        let Some(Generation { max_tokens, choices, temperature: _, top_p: _ }) = self.generation
        else {
            return Tokens(0);
        };
        let answers = match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Embeddings => choices,
            Endpoint::Completions => {
                let best_of = self.body.present("best_of").and_then(Value::as_u64);
                choices.max(best_of.unwrap_or(1)).saturating_mul(estimate::prompts(&self.body))
            }
        };
        Tokens(max_tokens.saturating_mul(answers))
    }

    /// An estimate of the prompt's tokens, made to be rather too high than too low.
    ///
    /// A token for four bytes of ASCII or two other bytes of text, schemas and tools, rounded up;
    /// 4 for each message and 3 for the answer's start; 1,500 for an image (85 at `detail: low`);
    /// audio and files by their length. Prompts sent as tokens are counted exactly. It serves to
    /// reserve; what is charged is what the provider reports.
    pub fn prompt_estimate(&self) -> Tokens {
        Measure::Bytes.prompt(self.endpoint, &self.body)
    }

    /// The prompt's tokens as a tokenizer counts its text, for a provider that does not report
    /// them; what is no text as in [`prompt_estimate`](Self::prompt_estimate).
    pub fn prompt_tokens(&self) -> Tokens {
        Measure::Tokenizer.prompt(self.endpoint, &self.body)
    }
}

impl Delivery {
    fn asked(body: &Envelope) -> Self {
        let is_true = |value: Option<Value<'_>>| value.and_then(Value::as_bool).unwrap_or_default();
        if !is_true(body.present("stream")) {
            return Self::Whole;
        }
        let options = body.present("stream_options");
        Self::Stream {
            usage_asked: is_true(options.and_then(|options| options.get("include_usage"))),
        }
    }

    /// Whether the answer is a stream.
    pub const fn is_stream(self) -> bool {
        match self {
            Self::Whole => false,
            Self::Stream { usage_asked: _ } => true,
        }
    }
}

impl Generation {
    fn filled(endpoint: Endpoint, body: &Envelope, model: &Model) -> Self {
        let number = |name| body.present(name).and_then(Value::as_f64);
        let integer = |name| body.present(name).and_then(Value::as_u64);
        let limit = body
            .root()
            .members()
            .filter(|member| Part::of(endpoint, member.key) == Part::MaxTokens)
            .find_map(|member| member.value.as_u64());
        let sampling = takes_sampling(model);
        let params = &model.params;
        Self {
            temperature: sampling.then(|| number("temperature").unwrap_or(params.temperature)),
            top_p: sampling.then(|| number("top_p").unwrap_or(params.top_p)),
            max_tokens: limit.unwrap_or(params.max_tokens),
            choices: integer("n").unwrap_or(1),
        }
    }
}

#[cfg(test)]
mod tests;
