//! What callers say of the answers they got.
//!
//! `{"id": "req_…", "score": 0.8, "rating": "up", "label": "correct", "comment": "…"}`: the id is the
//! answer's `x-request-id`, and at least one of score (0 to 1), rating (`up`, `down`) and label (one
//! of those that the configuration takes) is there. Who speaks of an answer again takes back what
//! they said before. A comment is read, and thrown away unless the configuration keeps comments.

use serde::{Deserialize, Serialize};

use super::seal::{self, Origin};
use crate::{
    config::valid::{CallerKey, Config},
    openai::json::{Envelope, Value},
    record::RequestId,
    refusal::{Code, Refusal},
};

/// The longest comment, in characters.
pub const LONGEST_COMMENT: usize = 4000;

const FIELDS: [&str; 5] = ["id", "score", "rating", "label", "comment"];

/// What a caller says of an answer, and of which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// The answer's id.
    pub id: String,
    /// The id of the caller's key; empty where anyone may call.
    pub key: String,
    /// The model that was asked for.
    pub model: String,
    /// The variant that answered, and its version; empty outside of experiments.
    pub variant: String,
    /// See `variant`.
    pub version: String,
    /// In millionths.
    pub score: Option<u32>,
    /// Whether the answer was liked.
    pub rating: Option<Rating>,
    /// One of the configured labels.
    pub label: Option<String>,
    /// Where comments are kept.
    pub comment: Option<String>,
    /// The trace of the answer: 32 hexadecimal digits.
    pub trace: String,
}

/// Whether an answer was liked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rating {
    /// It was.
    Up,
    /// It was not.
    Down,
}

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Say {
    /// A number from 0 to 1.
    Score,
    /// Up or down.
    Rating,
    /// One of the configured labels.
    Label,
}

/// How many answers something was said of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// The model that was asked for.
    pub model: String,
    /// The variant that answered; empty outside of experiments.
    pub variant: String,
    /// Its version.
    pub version: String,
    /// What kind of thing was said.
    pub kind: Say,
    /// What was said; of scores, their tenth: `0.8`.
    pub value: String,
    /// Of how many answers.
    pub count: u64,
    /// What their scores add up to, in millionths.
    pub sum: u64,
}

impl Rating {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl Say {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Rating => "rating",
            Self::Label => "label",
        }
    }

    /// What is called so.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Score, Self::Rating, Self::Label].into_iter().find(|say| say.name() == name)
    }
}

impl Feedback {
    /// What this says, each as the opinion of one answer.
    pub fn opinions(&self) -> Vec<Opinion> {
        let opinion = |kind, value: String, sum| Opinion {
            model: self.model.clone(),
            variant: self.variant.clone(),
            version: self.version.clone(),
            kind,
            value,
            count: 1,
            sum,
        };
        let score = self.score.map(|score| {
            let tenths = (score + 50_000) / 100_000;
            let value = format!("{}.{}", tenths / 10, tenths % 10);
            opinion(Say::Score, value, score.into())
        });
        let rating = self.rating.map(|rating| opinion(Say::Rating, rating.name().to_owned(), 0));
        let label = self.label.clone().map(|label| opinion(Say::Label, label, 0));
        score.into_iter().chain(rating).chain(label).collect()
    }
}

/// Reads the body of a caller with this key. `trace` is the trace that the caller names.
///
/// # Errors
/// `unsupported_parameter`, `missing_required_parameter`, `invalid_type` and `invalid_value` for the
/// first field that is not as it should be; `answer_not_found` where no answer of that id was given
/// to this key.
pub fn read(
    body: &Envelope,
    key: Option<&CallerKey>,
    trace: Option<u128>,
    config: &Config,
) -> Result<Feedback, Refusal> {
    let root = body.root();
    for member in root.members() {
        if !FIELDS.iter().any(|field| member.key.is_str(field)) {
            let message = format!("feedback has the fields {}", FIELDS.join(", "));
            return Err(Refusal::new(Code::UnsupportedParameter, message));
        }
    }
    let id = required_id(body)?;
    let score = body.present("score").map(score).transpose()?;
    let rating = body.present("rating").map(rating).transpose()?;
    let label = body.present("label").map(|label| known_label(label, config)).transpose()?;
    let comment = body.present("comment").map(comment).transpose()?;
    if score.is_none() && rating.is_none() && label.is_none() {
        let message = "one of `score`, `rating` and `label` is required";
        return Err(Refusal::new(Code::MissingField, message).at("score"));
    }
    let Some(Origin { model, variant }) = seal::open(id, key, config) else {
        let message = "no answer of this id was given to this key by a model that is here still";
        return Err(Refusal::new(Code::AnswerNotFound, message).at("id"));
    };
    let (variant, version) = variant.unwrap_or_default();
    Ok(Feedback {
        id: id.to_string(),
        key: key.map_or_else(String::new, |key| key.id.clone()),
        model,
        variant,
        version,
        score,
        rating,
        label,
        comment: comment.filter(|_| config.feedback.comments),
        trace: format!("{:032x}", trace.unwrap_or_else(|| id.bits())),
    })
}

fn required_id(body: &Envelope) -> Result<RequestId, Refusal> {
    let message = "`id` is the answer's `x-request-id`: `req_` and 32 hexadecimal digits";
    let Some(id) = body.present("id") else {
        return Err(Refusal::new(Code::MissingField, message).at("id"));
    };
    let Some(text) = id.as_str() else {
        return Err(Refusal::new(Code::InvalidType, message).at("id"));
    };
    RequestId::parse(&text).ok_or_else(|| Refusal::new(Code::InvalidValue, message).at("id"))
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 to 1 is checked before"
)]
fn score(value: Value<'_>) -> Result<u32, Refusal> {
    let Some(score) = value.as_f64() else {
        return Err(Refusal::new(Code::InvalidType, "`score` is a number").at("score"));
    };
    if !(0.0..=1.0).contains(&score) {
        let message = format!("`score` is {score}, it takes 0 to 1");
        return Err(Refusal::new(Code::InvalidValue, message).at("score"));
    }
    Ok((score * 1e6).round() as u32)
}

fn rating(value: Value<'_>) -> Result<Rating, Refusal> {
    let known = [Rating::Up, Rating::Down];
    known.into_iter().find(|rating| value.is_str(rating.name())).ok_or_else(|| {
        Refusal::new(Code::InvalidValue, "`rating` is \"up\" or \"down\"").at("rating")
    })
}

fn known_label(value: Value<'_>, config: &Config) -> Result<String, Refusal> {
    let labels = &config.feedback.labels;
    labels.iter().find(|label| value.is_str(label)).cloned().ok_or_else(|| {
        let message = format!("`label` is one of {}", labels.join(", "));
        Refusal::new(Code::InvalidValue, message).at("label")
    })
}

fn comment(value: Value<'_>) -> Result<String, Refusal> {
    let Some(text) = value.as_str() else {
        return Err(Refusal::new(Code::InvalidType, "`comment` is a text").at("comment"));
    };
    let length = text.chars().count();
    if length > LONGEST_COMMENT {
        let message =
            format!("`comment` is {length} characters long, the limit is {LONGEST_COMMENT}");
        return Err(Refusal::new(Code::InvalidValue, message).at("comment"));
    }
    Ok(text.into_owned())
}
