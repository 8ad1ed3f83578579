//! Embeddings: for each text a unit vector that depends on the model and the text alone.
//!
//! Similar texts need not be similar. A vector has 256 dimensions unless the request asks for
//! another number; fewer dimensions are the beginning of more, brought to length 1.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    digest::{Dice, Digest},
    prompt::{self, Prompt},
    reply::{Answer, Complaint, Setting},
    request::Request,
    wire,
};

const DIMENSIONS: u64 = 256;
const MOST_DIMENSIONS: u64 = 4096;
/// The most numbers of one reply: 4 MiB, and some 12 MiB as JSON.
const MOST_NUMBERS: u64 = 1 << 20;

pub(super) fn answer(request: &Request, setting: &Setting) -> Result<Answer, Complaint> {
    let inputs = Prompt::read(request.get("input"));
    let dimensions = dimensions(request, u64::try_from(inputs.len()).unwrap_or(u64::MAX))?;
    let is_base64 = request.get("encoding_format").is_some_and(|format| format == "base64");
    let embedding = |(index, input): (usize, &Prompt)| {
        let vector = vector(request.model(), input, dimensions);
        let vector = if is_base64 {
            let bytes: Vec<u8> = vector.into_iter().flat_map(f32::to_le_bytes).collect();
            wire::Vector::Base64(BASE64_STANDARD.encode(bytes))
        } else {
            wire::Vector::Floats(vector)
        };
        wire::Embedding { object: "embedding", index, vector }
    };
    let tokens = prompt::of_batch(&inputs);
    let usage = wire::EmbeddingUsage { prompt_tokens: tokens, total_tokens: tokens };
    Ok(Answer::whole(&wire::EmbeddingReply {
        object: "list",
        data: inputs.iter().enumerate().map(embedding).collect(),
        model: request.model(),
        usage: setting.usage.then_some(usage),
    }))
}

fn dimensions(request: &Request, inputs: u64) -> Result<usize, Complaint> {
    let dimensions = request.count("dimensions").unwrap_or(DIMENSIONS);
    let complaint = |message| Err(Complaint::new(message).at("dimensions"));
    if dimensions > MOST_DIMENSIONS {
        return complaint(format!("`dimensions` is {dimensions}, the limit is {MOST_DIMENSIONS}"));
    }
    let numbers = dimensions.saturating_mul(inputs);
    if numbers > MOST_NUMBERS {
        return complaint(format!(
            "{inputs} inputs of {dimensions} dimensions are {numbers} numbers, the limit is {MOST_NUMBERS}"
        ));
    }
    Ok(usize::try_from(dimensions).unwrap_or(usize::MAX))
}

/// A vector of length 1.
fn vector(model: &str, input: &Prompt, dimensions: usize) -> Vec<f32> {
    let mut dice = Digest::of(model.as_bytes()).with(input.text().as_bytes()).dice();
    let raw: Vec<f64> = (0..dimensions).map(|_| component(&mut dice)).collect();
    let length = raw.iter().map(|number| number * number).sum::<f64>().sqrt();
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "it is within -1 to 1; f32 is what embeddings are sent as"
    )]
    raw.into_iter().map(|number| (number / length) as f32).collect()
}

/// A number between -1 and 1 and never 0, so that no vector has length 0.
fn component(dice: &mut Dice) -> f64 {
    let [a, b, c, d, ..] = dice.next().to_le_bytes();
    (f64::from(i32::from_le_bytes([a, b, c, d])) + 0.5) / f64::from(1_u32 << 31)
}
