//! The parameters of `POST /v1/chat/completions`.
//!
//! Source: OpenAI's API reference. `null` is taken for absent exactly where that reference calls a
//! parameter nullable.

use super::messages::{MESSAGES, TEXT_OR_TEXT_PARTS};
use super::rule::{
    ANY_OBJECT, Bound, FILLED, Field, Others, Rule, TEXT, Tagged, nullable, optional, required,
    some_of,
};
use super::sampling;

pub(super) const CHAT: &[Field] = &[
    required("model", FILLED),
    required("messages", MESSAGES),
    sampling::TEMPERATURE,
    sampling::TOP_P,
    sampling::MAX_TOKENS,
    nullable("max_completion_tokens", Rule::Bounded(Bound::MaxTokens)),
    sampling::STREAM,
    sampling::STREAM_OPTIONS,
    sampling::N,
    sampling::STOP,
    sampling::SEED,
    sampling::FREQUENCY_PENALTY,
    sampling::PRESENCE_PENALTY,
    sampling::LOGIT_BIAS,
    sampling::USER,
    nullable("logprobs", Rule::Bool),
    nullable("top_logprobs", Rule::Integer { from: 0, to: 20 }),
    optional("tools", Rule::List { from: 0, to: 128, items: &[Rule::Tagged(&TOOL)] }),
    optional("tool_choice", Rule::Either(&[TOOL_MODE, Rule::Tagged(&TOOL_CHOICE)])),
    optional("parallel_tool_calls", Rule::Bool),
    optional("functions", Rule::List { from: 1, to: 128, items: &[Rule::Object(FUNCTION)] }),
    optional(
        "function_call",
        Rule::Either(&[Rule::OneOf(&["none", "auto"]), Rule::Object(&[required("name", FILLED)])]),
    ),
    optional("response_format", Rule::Tagged(&RESPONSE_FORMAT)),
    nullable("store", Rule::Bool),
    nullable(
        "metadata",
        Rule::Map { most: 16, longest_key: 64, value: &Rule::Text { from: 0, to: 512 } },
    ),
    nullable("service_tier", Rule::OneOf(SERVICE_TIERS)),
    nullable("reasoning_effort", Rule::OneOf(EFFORTS)),
    nullable("verbosity", Rule::OneOf(&["low", "medium", "high"])),
    nullable("modalities", some_of(&[Rule::OneOf(&["text", "audio"])])),
    nullable("audio", Rule::Object(AUDIO)),
    nullable("prediction", Rule::Tagged(&PREDICTION)),
    optional("web_search_options", Rule::Object(WEB_SEARCH)),
    optional("safety_identifier", TEXT),
    optional("prompt_cache_key", TEXT),
    nullable("prompt_cache_retention", Rule::OneOf(&["in_memory", "in-memory", "24h"])),
];

/// OpenAI's, and those of Groq (`on_demand`, `performance`).
const SERVICE_TIERS: &[&str] =
    &["auto", "default", "flex", "scale", "priority", "on_demand", "performance"];

/// OpenAI's, and those of Groq (`default`) and others (`max`).
const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max", "default"];

/// OpenAI's, and Mistral's `any`.
const TOOL_MODE: Rule = Rule::OneOf(&["none", "auto", "required", "any"]);

/// The name of a function, tool or schema.
const NAME: Rule = Rule::Text { from: 1, to: 64 };

const FUNCTION: &[Field] = &[
    required("name", NAME),
    optional("description", TEXT),
    optional("parameters", ANY_OBJECT),
    nullable("strict", Rule::Bool),
];

const CUSTOM_TOOL: &[Field] =
    &[required("name", NAME), optional("description", TEXT), optional("format", ANY_OBJECT)];

const TOOL: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("function", &[required("function", Rule::Object(FUNCTION))]),
        ("custom", &[required("custom", Rule::Object(CUSTOM_TOOL))]),
    ],
    others: Others::PassedOn,
};

const TOOL_CHOICE: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("function", &[required("function", Rule::Object(&[required("name", FILLED)]))]),
        ("custom", &[required("custom", Rule::Object(&[required("name", FILLED)]))]),
        (
            "allowed_tools",
            &[required(
                "allowed_tools",
                Rule::Object(&[
                    required("mode", Rule::OneOf(&["auto", "required"])),
                    required("tools", some_of(&[ANY_OBJECT])),
                ]),
            )],
        ),
    ],
    others: Others::PassedOn,
};

const RESPONSE_FORMAT: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", &[]),
        ("json_object", &[]),
        ("json_schema", &[required("json_schema", Rule::Object(JSON_SCHEMA))]),
        ("grammar", &[required("grammar", TEXT)]),
        ("python", &[]),
        // vLLM's.
        ("structural_tag", &[]),
    ],
    others: Others::Refused,
};

const JSON_SCHEMA: &[Field] = &[
    required("name", NAME),
    optional("description", TEXT),
    optional("schema", ANY_OBJECT),
    nullable("strict", Rule::Bool),
];

const AUDIO: &[Field] = &[
    required("voice", Rule::Either(&[FILLED, Rule::Object(&[required("id", FILLED)])])),
    required("format", Rule::OneOf(&["wav", "aac", "mp3", "flac", "opus", "pcm16"])),
];

const PREDICTION: Tagged = Tagged {
    tag: "type",
    variants: &[("content", &[required("content", TEXT_OR_TEXT_PARTS)])],
    others: Others::Refused,
};

const WEB_SEARCH: &[Field] = &[
    optional("search_context_size", Rule::OneOf(&["low", "medium", "high"])),
    nullable("user_location", ANY_OBJECT),
];
