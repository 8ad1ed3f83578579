//! What is made of a model's output: embeddings as OpenAI writes them, or the scores of classes.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Mismatch, Rows};
use crate::{
    config::valid::{Activation, Tensors},
    units::Tokens,
};

/// A class and how sure the model is of it, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The class.
    pub label: String,
    /// 0 to 1.
    pub score: f64,
}

/// The classes of each row, the surest first. One number where there are two labels is the second one's.
///
/// # Errors
/// [`Mismatch::Asked`]: there are not as many labels as numbers in a row, or none is configured.
/// [`Mismatch::Answered`]: what should be a score is none.
pub fn classes(tensors: &Tensors, rows: &Rows) -> Result<Vec<Vec<Scored>>, Mismatch> {
    rows.0.iter().map(|row| classes_of(tensors, row)).collect()
}

fn classes_of(tensors: &Tensors, row: &[f64]) -> Result<Vec<Scored>, Mismatch> {
    let mut scores = activated(tensors.activation, row);
    if let ([_, _], [second]) = (tensors.labels.as_slice(), scores.as_slice()) {
        scores = vec![1.0 - second, *second];
    }
    if tensors.labels.len() != scores.len() {
        let message = format!(
            "the model tells {} classes apart, and `tensors.labels` names {}",
            row.len(),
            tensors.labels.len()
        );
        return Err(Mismatch::Asked(message));
    }
    if let Some(score) = scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
        let message = format!("{score} is no score between 0 and 1; is it a logit?");
        return Err(Mismatch::Answered(message));
    }
    let labels = tensors.labels.iter().cloned();
    let mut classes: Vec<_> =
        labels.zip(scores).map(|(label, score)| Scored { label, score }).collect();
    classes.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(classes)
}

fn activated(activation: Activation, row: &[f64]) -> Vec<f64> {
    match (activation, row) {
        (Activation::None, _) => row.to_vec(),
        // The other class of a single logit is at zero, and then the two are the same.
        (Activation::Sigmoid, _) | (Activation::Softmax, [_]) => {
            row.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
        }
        (Activation::Softmax, _) => {
            // Less the largest, so that nothing overflows.
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers: Vec<f64> = row.iter().map(|logit| (logit - largest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.into_iter().map(|power| power / sum).collect()
        }
    }
}

/// How a vector is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As numbers.
    Floats,
    /// As the bytes of 32-bit floats, little end first, in base64.
    Base64,
}

/// `/v1/embeddings`' answer: a vector for each row.
pub fn embeddings(rows: &Rows, model: &str, encoding: Encoding, prompt: Tokens) -> Vec<u8> {
    let vector = |row: &[f64]| match encoding {
        Encoding::Floats => json!(row),
        Encoding::Base64 => {
            let bytes: Vec<u8> =
                row.iter().flat_map(|number| narrowed(*number).to_le_bytes()).collect();
            Value::from(BASE64_STANDARD.encode(bytes))
        }
    };
    let data: Vec<Value> = rows
        .0
        .iter()
        .enumerate()
        .map(|(index, row)| json!({ "object": "embedding", "index": index, "embedding": vector(row) }))
        .collect();
    let usage = json!({ "prompt_tokens": prompt.0, "total_tokens": prompt.0 });
    json!({ "object": "list", "data": data, "model": model, "usage": usage })
        .to_string()
        .into_bytes()
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "f32 is what embeddings are sent as"
)]
const fn narrowed(number: f64) -> f32 {
    number as f32
}
