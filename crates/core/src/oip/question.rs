//! Texts or token ids as a model's inputs.

use serde_json::{Value, json};

use super::{Metadata, Mismatch, metadata::Tensor};
use crate::config::valid::Tensors;

/// What is to be judged or embedded, one entry each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inputs {
    /// As text, which the model itself takes apart.
    Texts(Vec<String>),
    /// As ids of tokens.
    Tokens {
        /// The ids of each.
        ids: Vec<Vec<u64>>,
        /// What shorter ones are filled up with.
        padding: u64,
    },
}

impl Inputs {
    /// How many there are.
    pub const fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens { ids, padding: _ } => ids.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The body that asks a model for its output on `inputs`.
///
/// Texts go into one input of datatype BYTES, shaped `[n]` or `[n, 1]` as the model has it. Token ids
/// go into `input_ids`, filled up to the longest, or to the length that the model has, with
/// `attention_mask` and `token_type_ids` where the model takes those. Nothing is cut off.
///
/// # Errors
/// [`Mismatch::Asked`]: the model has no such input or output, takes other shapes or datatypes, or has
/// several rows for one input.
pub fn question(
    metadata: &Metadata,
    tensors: &Tensors,
    inputs: &Inputs,
) -> Result<Vec<u8>, Mismatch> {
    let sent = match inputs {
        Inputs::Texts(texts) => vec![of_texts(metadata, tensors, texts)?],
        Inputs::Tokens { ids, padding } => of_tokens(metadata, ids, *padding)?,
    };
    let given = |input: &&Tensor| !sent.iter().any(|sent| sent["name"] == input.name.as_str());
    if let Some(input) = metadata.inputs.iter().find(given) {
        let message = format!(
            "the model takes a further input, `{}`, for which there is nothing",
            input.name
        );
        return Err(Mismatch::Asked(message));
    }
    let output = by_input(metadata.output(tensors.output.as_deref())?)?;
    let question = json!({ "inputs": sent, "outputs": [{ "name": output.name }] });
    Ok(question.to_string().into_bytes())
}

/// An output with one row for each input. Scores or vectors of single tokens are not made into one of a
/// text: which tokens are padding or the tokenizer's own marks is not known here, and the scores of those
/// mean nothing.
fn by_input(output: &Tensor) -> Result<&Tensor, Mismatch> {
    if output.shape.len() <= 2 {
        return Ok(output);
    }
    let message = format!(
        "the output `{}` has the shape {:?}, and one row for each input is needed; the outputs of single \
         tokens have to be pooled in the model",
        output.name, output.shape
    );
    Err(Mismatch::Asked(message))
}

fn of_texts(metadata: &Metadata, tensors: &Tensors, texts: &[String]) -> Result<Value, Mismatch> {
    let input = metadata.text_input(tensors.input.as_deref())?.ok_or_else(|| {
        Mismatch::Asked("the model takes no text: it has no input of datatype BYTES".to_owned())
    })?;
    if input.datatype != "BYTES" {
        let message = format!("the input `{}` takes {}, not texts", input.name, input.datatype);
        return Err(Mismatch::Asked(message));
    }
    let count = length(texts.len());
    let shape = if input.shape.len() == 1 { vec![count] } else { vec![count, 1] };
    tensor(input, &shape, &json!(texts))
}

fn of_tokens(
    metadata: &Metadata,
    tokens: &[Vec<u64>],
    padding: u64,
) -> Result<Vec<Value>, Mismatch> {
    let ids = metadata.input("input_ids").ok_or_else(|| {
        Mismatch::Asked("the model takes no token ids: it has no input `input_ids`".to_owned())
    })?;
    let longest = tokens.iter().map(Vec::len).max().unwrap_or_default();
    let fixed = ids.shape.get(1).and_then(|length| usize::try_from(*length).ok());
    let longest = fixed.map_or(longest, |fixed| fixed.max(longest));
    let shape = [length(tokens.len()), length(longest)];
    let filled = |value: fn(u64) -> u64, padding: u64| -> Vec<u64> {
        let row = |row: &Vec<u64>| {
            let rest = longest.saturating_sub(row.len());
            row.iter()
                .map(|id| value(*id))
                .chain(std::iter::repeat_n(padding, rest))
                .collect::<Vec<_>>()
        };
        tokens.iter().flat_map(row).collect()
    };
    let mut sent = vec![tensor(integers(ids)?, &shape, &json!(filled(|id| id, padding)))?];
    if let Some(mask) = metadata.input("attention_mask") {
        sent.push(tensor(integers(mask)?, &shape, &json!(filled(|_| 1, 0)))?);
    }
    if let Some(types) = metadata.input("token_type_ids") {
        sent.push(tensor(integers(types)?, &shape, &json!(filled(|_| 0, 0)))?);
    }
    Ok(sent)
}

fn integers(input: &Tensor) -> Result<&Tensor, Mismatch> {
    if matches!(input.datatype.as_str(), "INT64" | "INT32" | "UINT64" | "UINT32") {
        return Ok(input);
    }
    let message = format!("the input `{}` takes {}, not token ids", input.name, input.datatype);
    Err(Mismatch::Asked(message))
}

fn tensor(input: &Tensor, shape: &[u64], data: &Value) -> Result<Value, Mismatch> {
    if !input.fits(shape) {
        let message = format!(
            "the input `{}` takes the shape {:?}, what is to be sent has {shape:?}",
            input.name, input.shape
        );
        return Err(Mismatch::Asked(message));
    }
    let Tensor { name, datatype, shape: _ } = input;
    Ok(json!({ "name": name, "datatype": datatype, "shape": shape, "data": data }))
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
