//! `POST /v1/classify` and `POST /v1/moderations`: what is asked, and what is answered.
//!
//! Of OpenAI's categories of moderation none is judged here, so none is claimed: an answer has those
//! categories that are judged, and no other.

use serde_json::{Map, Value as Json, json};

use super::{
    Shapes, Source, find,
    judge::{Judgement, NoJudgement},
};
use crate::{
    config::valid::{OperatingPoint, Threshold},
    oip::post::Scored,
    openai::json::{Envelope, Kind, Value},
    refusal::{Code, Refusal},
};

/// How many texts one call may bring.
const MAX_TEXTS: usize = 256;
/// The classifier that is asked where the caller names none.
const USUAL_MODEL: &str = "prompt-injection";
/// What a moderation is made by, whatever model the caller names.
const MODERATOR: &str = "tollhouse-moderation";

/// A way to have texts judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judging {
    /// As Hugging Face's text classification.
    Classify,
    /// As OpenAI's moderations.
    Moderations,
}

/// Texts to be judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) model: String,
    pub(crate) texts: Vec<String>,
    pub(crate) source: Source,
}

impl Judging {
    /// The way at a path, with or without one slash at its end.
    pub fn at(path: &str) -> Option<Self> {
        match path.strip_suffix('/').unwrap_or(path) {
            "/v1/classify" => Some(Self::Classify),
            "/v1/moderations" => Some(Self::Moderations),
            _ => None,
        }
    }

    /// Reads what is asked.
    ///
    /// # Errors
    /// `missing_required_parameter`, `invalid_type` or `invalid_value`, with the field.
    pub(crate) fn read(self, body: &Envelope) -> Result<Question, Refusal> {
        let field = match self {
            Self::Classify => "inputs",
            Self::Moderations => "input",
        };
        let missing =
            || Refusal::new(Code::MissingField, format!("`{field}` is required")).at(field);
        let texts = texts(body.present(field).ok_or_else(missing)?, field)?;
        if texts.is_empty() || texts.len() > MAX_TEXTS {
            let message = format!("`{field}` has {} texts; it takes 1 to {MAX_TEXTS}", texts.len());
            return Err(Refusal::new(Code::InvalidValue, message).at(field));
        }
        let model = match (self, body.present("model")) {
            (Self::Moderations, _) | (Self::Classify, None) => USUAL_MODEL.to_owned(),
            (Self::Classify, Some(model)) => string(model, "model")?,
        };
        let source = body.present("source").map(source).transpose()?;
        Ok(Question { model, texts, source: source.unwrap_or(Source::User) })
    }

    /// The answer to `question`, whose texts were judged in this order.
    ///
    /// # Errors
    /// `guard_unavailable` where a text could not be judged: half an answer would look whole.
    pub(crate) fn answer(
        self,
        id: &str,
        question: &Question,
        judged: &[Result<Judgement, NoJudgement>],
    ) -> Result<String, Refusal> {
        let results: Result<Vec<Json>, NoJudgement> = question
            .texts
            .iter()
            .zip(judged)
            .map(|(text, judged)| Ok(self.result(text, judged.as_ref().map_err(|why| *why)?)))
            .collect();
        let results = results.map_err(|NoJudgement| {
            Refusal::new(Code::GuardUnavailable, "the classifier cannot judge at the moment")
        })?;
        Ok(match self {
            Self::Classify => Json::from(results).to_string(),
            Self::Moderations => {
                json!({ "id": format!("modr-{id}"), "model": MODERATOR, "results": results })
                    .to_string()
            }
        })
    }

    fn result(self, text: &str, judged: &Judgement) -> Json {
        match self {
            Self::Classify => labels(judged),
            Self::Moderations => moderation(text, judged),
        }
    }
}

/// Both labels, the likelier first.
fn labels(judged: &Judgement) -> Json {
    let guilty = json!({ "label": &*judged.label, "score": judged.score });
    let innocent = json!({ "label": &*judged.otherwise, "score": 1.0 - judged.score });
    if judged.score >= 0.5 { json!([guilty, innocent]) } else { json!([innocent, guilty]) }
}

/// The categories that are judged: injection from the score on at which one harmless text in a
/// hundred is found guilty, and secrets, which are there or not.
fn moderation(text: &str, judged: &Judgement) -> Json {
    let injection = judged.score >= judged.threshold(Threshold::At(OperatingPoint::OneInAHundred));
    let secrets = !find(text, Shapes::SECRETS).is_empty();
    let both = |injection: Json, secrets: Json| {
        Map::from_iter([
            ("prompt_injection".to_owned(), injection),
            ("secrets".to_owned(), secrets),
        ])
    };
    json!({
        "flagged": injection || secrets,
        "categories": both(injection.into(), secrets.into()),
        "category_scores": both(judged.score.into(), f64::from(u8::from(secrets)).into()),
        "category_applied_input_types": both(json!(["text"]), json!(["text"])),
    })
}

/// A text, several, or parts of which each is a text.
fn texts(value: Value<'_>, field: &str) -> Result<Vec<String>, Refusal> {
    let wrong = |value: Value<'_>, at: String| {
        let message = format!("`{at}` takes text, not {}", value.kind().with_article());
        Refusal::new(Code::InvalidType, message).at(at)
    };
    match value.kind() {
        Kind::String => Ok(vec![string(value, field)?]),
        Kind::Array => (0..)
            .zip(value.items())
            .map(|(index, item)| {
                let at = format!("{field}[{index}]");
                let text = if item.kind() == Kind::Object { item.get("text") } else { Some(item) };
                let text = text.ok_or_else(|| {
                    Refusal::new(
                        Code::InvalidValue,
                        format!("`{at}` holds no text; only text is judged"),
                    )
                    .at(at.clone())
                })?;
                text.as_str().map(std::borrow::Cow::into_owned).ok_or_else(|| wrong(text, at))
            })
            .collect(),
        Kind::Null | Kind::Bool | Kind::Number | Kind::Object => {
            Err(wrong(value, field.to_owned()))
        }
    }
}

/// The answer to `/v1/classify` of classes that are scored already.
pub(crate) fn scored(texts: &[Vec<Scored>]) -> String {
    let class = |scored: &Scored| json!({ "label": scored.label, "score": scored.score });
    let text = |classes: &Vec<Scored>| Json::from(classes.iter().map(class).collect::<Vec<_>>());
    Json::from(texts.iter().map(text).collect::<Vec<_>>()).to_string()
}

fn string(value: Value<'_>, field: &str) -> Result<String, Refusal> {
    let wrong = || {
        let message = format!("`{field}` takes text, not {}", value.kind().with_article());
        Refusal::new(Code::InvalidType, message).at(field)
    };
    value.as_str().map(std::borrow::Cow::into_owned).ok_or_else(wrong)
}

fn source(value: Value<'_>) -> Result<Source, Refusal> {
    let known = [Source::User, Source::Document, Source::Tool, Source::System];
    let found = known.into_iter().find(|source| value.is_str(source.name()));
    found.ok_or_else(|| {
        let message = "`source` takes \"user\", \"document\", \"tool\" or \"system\"";
        Refusal::new(Code::InvalidValue, message).at("source")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(score: f64) -> Judgement {
        Judgement {
            score,
            label: "injection".into(),
            otherwise: "benign".into(),
            points: [0.9, 0.7, 0.4],
            digest: "d".into(),
            calibration: "c".into(),
        }
    }

    fn read(judging: Judging, body: &str) -> Result<Question, Refusal> {
        judging.read(&Envelope::parse(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn texts_are_labelled_in_order_and_the_likelier_label_comes_first() {
        let question = read(Judging::Classify, r#"{"inputs":["a","b"],"source":"tool"}"#).unwrap();
        assert_eq!((question.model.as_str(), question.source), ("prompt-injection", Source::Tool));
        let answer =
            Judging::Classify.answer("1", &question, &[Ok(judged(0.75)), Ok(judged(0.25))]);
        let expected = json!([
            [{ "label": "injection", "score": 0.75 }, { "label": "benign", "score": 0.25 }],
            [{ "label": "benign", "score": 0.75 }, { "label": "injection", "score": 0.25 }],
        ]);
        assert_eq!(serde_json::from_str::<Json>(&answer.unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_moderation_claims_only_what_is_judged() {
        let body = r#"{"model":"omni-moderation-latest","input":[{"type":"text","text":"password=hunter2hunter2"}]}"#;
        let question = read(Judging::Moderations, body).unwrap();
        let answer = Judging::Moderations.answer("1", &question, &[Ok(judged(0.5))]).unwrap();
        let answer: Json = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["model"], "tollhouse-moderation");
        let result = &answer["results"][0];
        assert_eq!(result["flagged"], true);
        assert_eq!(result["categories"], json!({ "prompt_injection": false, "secrets": true }));
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_field() {
        for (judging, body, code, param) in [
            (Judging::Classify, "{}", Code::MissingField, "inputs"),
            (Judging::Classify, r#"{"inputs":[]}"#, Code::InvalidValue, "inputs"),
            (Judging::Classify, r#"{"inputs":["a",1]}"#, Code::InvalidType, "inputs[1]"),
            (Judging::Classify, r#"{"inputs":"a","source":"mail"}"#, Code::InvalidValue, "source"),
            (Judging::Moderations, r#"{"input":{}}"#, Code::InvalidType, "input"),
            (
                Judging::Moderations,
                r#"{"input":[{"type":"image_url"}]}"#,
                Code::InvalidValue,
                "input[0]",
            ),
        ] {
            let refusal = read(judging, body).unwrap_err();
            assert_eq!((refusal.code, refusal.param.as_deref()), (code, Some(param)), "{body}");
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let question = read(Judging::Classify, r#"{"inputs":["a","b"]}"#).unwrap();
        let answer = Judging::Classify.answer("1", &question, &[Ok(judged(0.1)), Err(NoJudgement)]);
        assert_eq!(answer.unwrap_err().code, Code::GuardUnavailable);
    }
}
