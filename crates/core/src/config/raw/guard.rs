//! `[guards.…]`

use super::{GuardAction, GuardWord, List, Read, read::wrong_type};
use crate::config::{
    findings::Notes,
    tree::{Node, Path, Value},
    valid::{GuardStages, OnError, OperatingPoint, Threshold},
};

raw! {
    /// What is looked for in prompts and answers, and what follows.
    RawGuard {
        /// What it looks for; without it, the guard's own name.
        kind: GuardWord,
        /// What it reads; without it, `input` for classifiers and `both` for what is known by its shape.
        stage: GuardStages,
        /// What follows when it finds something; `flag` lets the text pass.
        action: GuardAction,
        /// For classifiers: from which score on, 0 to 1, or the share of harmless texts found guilty: `0.1%`, `1%`, `5%`. Without it, `1%` to flag and `0.1%` for anything else.
        threshold: Threshold,
        /// What follows when it cannot judge; without it, `open` to flag and `closed` for anything else.
        on_error: OnError,
        /// For `secrets` and `pii`: which of email, phone, card, iban, ssn, ip, credentials, jwt, private-key, api-key, secret; without it, those of its kind.
        types: List<String>,
        /// For `classifier`: the model's name.
        model: String,
        /// For `escalate`: the model of `[models]` that judges what is in doubt.
        escalate: String,
    }
}

impl Read for Threshold {
    fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
        let expected = "a score from 0 to 1, or \"0.1%\", \"1%\" or \"5%\"";
        match &node.value {
            Value::Text(text) => match text.as_str() {
                "0.1%" => Some(Self::At(OperatingPoint::OneInAThousand)),
                "1%" => Some(Self::At(OperatingPoint::OneInAHundred)),
                "5%" => Some(Self::At(OperatingPoint::OneInTwenty)),
                _ => wrong_type(expected, node, at, notes),
            },
            Value::Float(_) | Value::Int(_) => {
                super::Real::<0, 1>::read(node, at, notes).map(|score| Self::Score(score.0))
            }
            _ => wrong_type(expected, node, at, notes),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Threshold {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "const": "0.1%" },
            { "const": "1%" },
            { "const": "5%" },
        ]})
    }
}
