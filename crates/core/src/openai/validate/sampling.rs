//! Parameters that chat completions and completions share.

use super::rule::{Bound, Field, Rule, TEXT, nullable, optional};

pub(super) const TEMPERATURE: Field = nullable("temperature", Rule::Bounded(Bound::Temperature));
pub(super) const TOP_P: Field = nullable("top_p", Rule::Bounded(Bound::TopP));
pub(super) const MAX_TOKENS: Field = nullable("max_tokens", Rule::Bounded(Bound::MaxTokens));
pub(super) const FREQUENCY_PENALTY: Field =
    nullable("frequency_penalty", Rule::Number { from: -2.0, to: 2.0 });
pub(super) const PRESENCE_PENALTY: Field =
    nullable("presence_penalty", Rule::Number { from: -2.0, to: 2.0 });
/// Token to bias. The values are integers in the documentation, and numbers in clients.
pub(super) const LOGIT_BIAS: Field = nullable(
    "logit_bias",
    Rule::Map {
        most: usize::MAX,
        longest_key: usize::MAX,
        value: &Rule::Number { from: -100.0, to: 100.0 },
    },
);
pub(super) const N: Field = nullable("n", Rule::Integer { from: 1, to: 128 });
pub(super) const SEED: Field = nullable("seed", Rule::Integer { from: i64::MIN, to: i64::MAX });
/// At most four; an empty list stops at nothing.
pub(super) const STOP: Field =
    nullable("stop", Rule::Either(&[TEXT, Rule::List { from: 0, to: 4, items: &[TEXT] }]));
pub(super) const STREAM: Field = nullable("stream", Rule::Bool);
pub(super) const STREAM_OPTIONS: Field = nullable(
    "stream_options",
    Rule::Object(&[
        nullable("include_usage", Rule::Bool),
        nullable("include_obfuscation", Rule::Bool),
    ]),
);
pub(super) const USER: Field = optional("user", TEXT);
