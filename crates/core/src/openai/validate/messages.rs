//! The messages of a chat: roles, contents, parts.
//!
//! A role outside the table is refused. A part of a type outside the table is a provider's own
//! (`video_url`, `document_url`) and travels on.

use super::rule::{
    FILLED, Field, Others, Rule, TEXT, Tagged, nullable, optional, required, some_of,
};

pub(super) const MESSAGES: Rule = some_of(&[Rule::Tagged(&MESSAGE)]);

const MESSAGE: Tagged = Tagged {
    tag: "role",
    variants: &[
        ("user", USER),
        ("assistant", ASSISTANT),
        ("system", INSTRUCTION),
        ("developer", INSTRUCTION),
        ("tool", TOOL),
        ("function", FUNCTION),
    ],
    others: Others::Refused,
};

const INSTRUCTION: &[Field] = &[required("content", TEXT_OR_TEXT_PARTS), optional("name", TEXT)];

const USER: &[Field] = &[
    required("content", Rule::Either(&[TEXT, some_of(&[Rule::Tagged(&PART)])])),
    optional("name", TEXT),
];

/// `content` is required unless there are calls instead: see `cross`.
const ASSISTANT: &[Field] = &[
    nullable("content", Rule::Either(&[TEXT, some_of(&[Rule::Tagged(&ASSISTANT_PART)])])),
    nullable("refusal", TEXT),
    optional("name", TEXT),
    nullable("audio", Rule::Object(&[required("id", TEXT)])),
    // Servers answer `[]` and `null` where there are no calls, and clients send answers back.
    nullable(
        "tool_calls",
        Rule::List { from: 0, to: usize::MAX, items: &[Rule::Tagged(&TOOL_CALL)] },
    ),
    nullable(
        "function_call",
        Rule::Object(&[required("name", FILLED), required("arguments", TEXT)]),
    ),
];

const TOOL: &[Field] = &[required("content", TEXT_OR_TEXT_PARTS), required("tool_call_id", TEXT)];

const FUNCTION: &[Field] =
    &[required("content", Rule::Either(&[TEXT, Rule::Null])), required("name", FILLED)];

pub(super) const TEXT_OR_TEXT_PARTS: Rule =
    Rule::Either(&[TEXT, some_of(&[Rule::Tagged(&TEXT_PART)])]);

const TEXT_FIELDS: &[Field] = &[required("text", TEXT)];

const TEXT_PART: Tagged =
    Tagged { tag: "type", variants: &[("text", TEXT_FIELDS)], others: Others::PassedOn };

const ASSISTANT_PART: Tagged = Tagged {
    tag: "type",
    variants: &[("text", TEXT_FIELDS), ("refusal", &[required("refusal", TEXT)])],
    others: Others::PassedOn,
};

const PART: Tagged = Tagged {
    tag: "type",
    variants: &[
        ("text", TEXT_FIELDS),
        ("image_url", &[required("image_url", Rule::Object(IMAGE))]),
        ("input_audio", &[required("input_audio", Rule::Object(AUDIO))]),
        ("file", &[required("file", Rule::Object(FILE))]),
    ],
    others: Others::PassedOn,
};

const IMAGE: &[Field] = &[
    required("url", FILLED),
    optional("detail", Rule::OneOf(&["auto", "low", "high", "original"])),
];

const AUDIO: &[Field] = &[required("data", TEXT), required("format", Rule::OneOf(&["wav", "mp3"]))];

const FILE: &[Field] =
    &[optional("file_data", TEXT), optional("file_id", TEXT), optional("filename", TEXT)];

const TOOL_CALL: Tagged = Tagged {
    tag: "type",
    variants: &[
        (
            "function",
            &[
                required("id", TEXT),
                required(
                    "function",
                    Rule::Object(&[required("name", FILLED), required("arguments", TEXT)]),
                ),
            ],
        ),
        (
            "custom",
            &[
                required("id", TEXT),
                required(
                    "custom",
                    Rule::Object(&[required("name", FILLED), required("input", TEXT)]),
                ),
            ],
        ),
    ],
    others: Others::PassedOn,
};
