//! `[models.…]`

use super::{
    List, RawBounds, RawBudget, RawCache, RawParams, RawRateLimits, RawRetry, RawTimeout, Real,
    Whole,
};
use crate::config::valid::{Activation, DeprecationPolicy, Prefill, Recovery, Strategy};

raw! {
    /// A model as callers name it.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["targets"])))]
    RawModel {
        /// How a target is chosen.
        strategy: Strategy,
        /// Where it can be run, at least one.
        targets: List<RawTarget>,
        /// The model that is asked when every target has failed.
        fallback: String,
        /// The classifier at the edge that answers `/v1/classify` where no target does.
        edge: String,
        /// Names of guards.
        guards: List<String>,
        /// Filled in where the caller is silent; inherits `defaults.params`.
        params: RawParams,
        /// What callers may ask for; inherits `defaults.bounds`.
        bounds: RawBounds,
        /// How failures are retried; inherits `defaults.retry`.
        retry: RawRetry,
        /// How long things may take; inherits `defaults.timeout`.
        timeout: RawTimeout,
        /// What is cached; inherits `defaults.cache`.
        cache: RawCache,
        /// What all callers together may use of it; inherits `defaults.limits`.
        limits: RawRateLimits,
        /// What all callers together may spend on it; without it, spending is not limited.
        budget: RawBudget,
        /// What happens past the retirement date; inherits `defaults.deprecated`.
        deprecated: DeprecationPolicy,
        /// What happens when a stream breaks after a part of its answer was sent; inherits `defaults.recovery`.
        recovery: Recovery,
    }
}

raw! {
    /// One place where a model runs. What `rules/prices.toml` knows of the model is filled in.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["provider", "model"])))]
    RawTarget {
        /// The name of a provider.
        provider: String,
        /// The model as the provider names it.
        model: String,
        /// Its share under the strategy `weighted`.
        #[cfg_attr(feature = "schema", schemars(extend("minimum" = 1)))]
        weight: Whole<0, 1_000_000>,
        /// What it costs, in place of the price table.
        price: RawPrice,
        /// The context window in tokens, prompt and completion together.
        context: Whole<1, 1_000_000_000>,
        /// The most tokens it can answer with.
        max_output: Whole<1, 1_000_000_000>,
        /// Whether it takes `max_completion_tokens` and refuses `max_tokens`.
        max_completion_tokens: bool,
        /// Whether it takes `temperature` and `top_p`, which reasoning models refuse.
        sampling: bool,
        /// Whether it takes `stream_options`.
        stream_usage: bool,
        /// How it goes on with an answer that another target has begun.
        prefill: Prefill,
        /// The day it is retired, as `2026-10-23`.
        retires: String,
        /// The model to use instead once it is retired.
        successor: String,
        /// What goes in and comes out, for providers of kind `oip`.
        tensors: RawTensors,
    }
}

raw! {
    /// What goes into a model, and what comes out.
    RawTensors {
        /// The input that takes texts; by default the only one of datatype BYTES.
        input: String,
        /// The output that is read; by default the only one.
        output: String,
        /// The classifier at the edge whose tokenizer makes ids of texts, for models that take `input_ids`.
        tokenizer: String,
        /// The names of classes, in the order of the output's last dimension; without them it is no classifier.
        labels: List<String>,
        /// Which of them means that nothing was found; by default the first.
        harmless: String,
        /// What makes scores of the output.
        activation: Activation,
    }
}

raw! {
    /// A price in US dollars per million tokens.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["input", "output"])))]
    RawPrice {
        /// Prompt tokens.
        input: Real<0, 1_000_000>,
        /// Prompt tokens that the provider had cached; without it, as `input`.
        cached_input: Real<0, 1_000_000>,
        /// Prompt tokens that the provider wrote to its cache; without it, as `input`.
        cache_write: Real<0, 1_000_000>,
        /// Completion tokens, reasoning included.
        output: Real<0, 1_000_000>,
    }
}
