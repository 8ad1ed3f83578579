//! Words of which a key takes one.

use super::read::{Read, wrong_type};
use crate::config::{
    findings::{Found, Notes},
    nearest,
    problem::Rule,
    secrets,
    tree::{Node, Path, Value},
    valid::{
        Activation, CacheScope, DeprecationPolicy, GuardStages, OnError, Period, Placement,
        Prefill, ReceiverKind, Recovery, Strategy, UnknownPrice, Unreachable,
    },
};

/// `auth.mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthMode {
    Keys,
    Open,
}

/// `providers.….kind`, of those that this version speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    OpenAi,
    Oip,
    Mock,
}

/// `guards.….kind`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GuardWord {
    PromptInjection,
    Classifier,
    Secrets,
    Pii,
}

/// Who judges a classifier's texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClassifierPlacement {
    Edge,
    Gpu,
    Auto,
}

/// `guards.….action`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GuardAction {
    Flag,
    Mask,
    Block,
    Escalate,
}

/// Kinds of the contract that this version does not speak.
const LATER_KINDS: [&str; 4] = ["anthropic", "gemini", "azure", "edge"];

/// Gives each variant the word it is written as and what the schema says of it.
macro_rules! choice {
    ($type:ident { $($word:literal = $variant:ident: $meaning:literal,)* }) => {
        impl Read for $type {
            fn read(node: &Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<Self> {
                match word(node, at, notes)? {
                    $($word => Some(Self::$variant),)*
                    other => {
                        report_unknown(other, &[$($word),*], at, notes);
                        None
                    }
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "oneOf": [
                    $({ "const": $word, "description": $meaning },)*
                ]})
            }
        }
    };
}

choice!(AuthMode {
    "keys" = Keys: "Callers with a key of `auth.keys`.",
    "open" = Open: "Anyone: for local use only.",
});
choice!(Kind {
    "openai" = OpenAi: "Any server with OpenAI's API.",
    "oip" = Oip: "Any server with the Open Inference Protocol 2 over HTTP: Triton, KServe, MLServer.",
    "mock" = Mock: "The provider inside the Worker: deterministic answers, no network, no key.",
});
choice!(GuardWord {
    "prompt-injection" = PromptInjection: "Injection and jailbreak, by the classifier of that name.",
    "classifier" = Classifier: "What the classifier `model` finds.",
    "secrets" = Secrets: "Keys of known issuers, tokens, private keys, passwords in URLs and assignments.",
    "pii" = Pii: "E-mail addresses, telephone, card and account numbers, social security numbers, IP addresses.",
});
choice!(GuardAction {
    "flag" = Flag: "The text passes; header, metrics and log tell.",
    "mask" = Mask: "What was found is replaced by its name in brackets: `[EMAIL]`.",
    "block" = Block: "The call is refused with `guard_blocked`.",
    "escalate" = Escalate: "As `block`; what is in doubt is put to the model `escalate`.",
});
choice!(GuardStages {
    "input" = Input: "What the caller sends.",
    "output" = Output: "What the model answers.",
    "both" = Both: "Either.",
});
choice!(OnError {
    "open" = Open: "The text passes.",
    "closed" = Closed: "The call is refused with `guard_unavailable`.",
});
choice!(Activation {
    "softmax" = Softmax: "Shares of one: exactly one class holds.",
    "sigmoid" = Sigmoid: "Each class by itself.",
    "none" = None: "The output holds scores already.",
});
choice!(ClassifierPlacement {
    "edge" = Edge: "The classifier in the Worker judges every text.",
    "gpu" = Gpu: "The model on the GPU judges every text.",
    "auto" = Auto: "The edge judges what it can be sure of, the GPU the rest.",
});
choice!(Placement {
    "api" = Api: "Behind somebody's API, who bills each token.",
    "gpu" = Gpu: "On a GPU of your own.",
    "edge" = Edge: "In the Worker.",
});
choice!(Strategy {
    "ordered" = Ordered: "The first healthy target, in the order written.",
    "weighted" = Weighted: "By chance, by weight.",
    "fastest" = Fastest: "The target with the shortest recent time to first byte.",
});
choice!(CacheScope {
    "key" = Key: "Each caller's key has its own replies.",
    "shared" = Shared: "All keys share replies.",
});
choice!(DeprecationPolicy {
    "warn" = Warn: "It is called; the reply carries a `warning` header that names the successor.",
    "refuse" = Refuse: "It is refused with `model_deprecated`.",
    "allow" = Allow: "It is called, in silence.",
});
choice!(Recovery {
    "continue" = Continue: "Another target goes on: given the text already sent where it takes that, else asked afresh.",
    "restart" = Restart: "Another target is asked afresh; only what follows the text already sent is passed on.",
    "off" = Off: "The stream ends with an error.",
});
choice!(Prefill {
    "none" = None: "It starts a new message.",
    "assistant" = Assistant: "It goes on with a last message of the assistant's, as llama.cpp and OpenRouter do.",
    "prefix" = Prefix: "It goes on where that message has `prefix = true`, as Mistral and DeepSeek do.",
    "continue_final_message" = ContinueFinalMessage: "It goes on when told so by `continue_final_message`, as vLLM and SGLang do.",
});
choice!(Unreachable {
    "refuse" = Refuse: "The call is refused.",
    "admit" = Admit: "The call is let through, uncounted.",
});
choice!(ReceiverKind {
    "json" = Json: "One JSON object an event.",
    "slack" = Slack: "Slack's incoming webhooks, which others understand too.",
    "pagerduty" = PagerDuty: "PagerDuty's Events API v2.",
});
choice!(UnknownPrice {
    "refuse" = Refuse: "The call is refused with `price_unknown`.",
    "zero" = Zero: "The call counts as costing nothing.",
});
choice!(Period {
    "day" = Day: "From midnight UTC.",
    "week" = Week: "From Monday, UTC.",
    "month" = Month: "From the first of the month, UTC.",
});

fn word<'a>(node: &'a Node, at: &Path<'_>, notes: &Notes<'_>) -> Option<&'a str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => wrong_type("a string", node, at, notes),
    }
}

#[cold]
fn report_unknown(word: &str, words: &[&str], at: &Path<'_>, notes: &Notes<'_>) {
    if at.name() == "kind" && LATER_KINDS.contains(&word) {
        let message = format!("providers of kind \"{word}\" are not supported by this version");
        let found = Found::new(Rule::NotSupported, message);
        notes.at_value(at, found.help("use \"openai\", \"oip\" or \"mock\""));
        return;
    }
    let help = nearest::word(word, words).map_or_else(
        || format!("it takes {}", nearest::listing(words)),
        |known| format!("did you mean \"{known}\"?"),
    );
    let message = format!("`{}` cannot be {}", at.name(), secrets::quoted(word));
    notes.at_value(at, Found::new(Rule::UnknownValue, message).help(help));
}
