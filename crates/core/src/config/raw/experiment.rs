//! `[experiments.…]`, `[feedback]`, `[mlflow]`

use super::{List, Named, RawParams, RawTarget, Real, Secret, Whole};
use crate::config::valid::Threshold;

raw! {
    /// A comparison: the calls of one model are dealt out to variants of it.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["model", "variants"])))]
    RawExperiment {
        /// The model of `[models]` whose calls are dealt out; an experiment a model.
        model: String,
        /// The request header by whose value a variant is dealt, such as `x-user-id`; without it, and for calls without the header, by the caller's key.
        header: String,
        /// The variants, by a name of your choice.
        variants: Named<RawVariant>,
    }
}

raw! {
    /// One way to answer the calls of a model. Where it says nothing, it is as the model.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["share"])))]
    RawVariant {
        /// Its share of the calls. What the shares of all variants leave over is no part of the experiment.
        share: Real<0, 1>,
        /// The model of `[models]` whose targets and strategy stand in for the model's own.
        model: String,
        /// Where it is run, in place of the model's targets.
        targets: List<RawTarget>,
        /// What is filled in where the caller is silent, key by key above the model's `params`.
        params: RawParams,
        /// A message of the role `system` before all others; before a completion's prompt, a paragraph.
        system: String,
        /// A text around the last message of the role `user`, which stands where `{prompt}` is written.
        template: String,
        /// From which score on guards of the model find a text guilty, by the guard's name; as `guards.NAME.threshold`.
        thresholds: Named<Threshold>,
    }
}

raw! {
    /// What callers may say of the answers they got.
    RawFeedback {
        /// The labels that are taken.
        labels: List<String>,
        /// Whether comments are kept, for as long as usage is, and sent to MLflow with what they comment on.
        comments: bool,
    }
}

raw! {
    /// An MLflow tracking server: each variant of an experiment is a run there.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["url"])))]
    RawMlflow {
        /// Its address, such as `https://mlflow.example.com`.
        url: String,
        /// What its experiments are called: this for traces, this and a slash before the names of `[experiments]`.
        experiment: String,
        /// The Worker secret that holds a bearer token.
        token: Secret,
        /// The name for basic authentication.
        username: String,
        /// The Worker secret that holds the password for basic authentication.
        password: Secret,
        /// How often the numbers of each run are written, in seconds.
        every_seconds: Whole<1, 86_400>,
        /// The share of requests whose trace is sent; 0 sends none, not even those that callers record.
        trace_share: Real<0, 1>,
    }
}
