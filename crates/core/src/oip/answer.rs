//! A model's output as rows of numbers.

use serde_json::Value;

use super::{Metadata, Mismatch};
use crate::config::valid::Tensors;

/// One row for each input, all of the same width, every number finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows(pub Vec<Vec<f64>>);

/// Reads the reply to a question with `count` inputs.
///
/// # Errors
/// [`Mismatch::Answered`]: it is not the output that was asked for, not of the shape or datatype that
/// the metadata declares, or holds what is no number.
pub fn answer(
    metadata: &Metadata,
    tensors: &Tensors,
    body: &[u8],
    count: usize,
) -> Result<Rows, Mismatch> {
    let reply: Value = serde_json::from_slice(body)
        .map_err(|error| wrong(format!("the answer is not what the protocol promises: {error}")))?;
    let declared = metadata.output(tensors.output.as_deref())?;
    let name = &declared.name;
    let outputs =
        reply.get("outputs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let output = outputs.iter().find(|output| output["name"] == name.as_str());
    let output = output.ok_or_else(|| wrong(format!("the answer has no output `{name}`")))?;
    let datatype = output["datatype"].as_str().unwrap_or_default();
    let (shape, data) = shaped(output)
        .ok_or_else(|| wrong(format!("the output `{name}` has no shape or no data")))?;
    if !matches!(datatype, "FP16" | "FP32" | "FP64") || datatype != declared.datatype {
        let message = format!(
            "the output `{name}` is {datatype}; it is declared as {} and floats are needed",
            declared.datatype
        );
        return Err(wrong(message));
    }
    if !declared.fits(&shape) {
        let message = format!(
            "the output `{name}` has the shape {shape:?}, which is not the declared {:?}",
            declared.shape
        );
        return Err(wrong(message));
    }
    let width = width(&shape, count).ok_or_else(|| {
        wrong(format!(
            "the output `{name}` has the shape {shape:?}, not one row for each of {count} inputs"
        ))
    })?;
    let mut numbers = Vec::with_capacity(width.saturating_mul(count).min(1 << 20));
    flatten(data, &mut numbers, 0)
        .ok_or_else(|| wrong(format!("the output `{name}` holds what is no number")))?;
    if numbers.len() != width.saturating_mul(count) {
        let message =
            format!("the output `{name}` has {} numbers for the shape {shape:?}", numbers.len());
        return Err(wrong(message));
    }
    Ok(Rows(numbers.chunks(width).map(<[f64]>::to_vec).collect()))
}

fn shaped(output: &Value) -> Option<(Vec<u64>, &[Value])> {
    let shape = output["shape"].as_array()?.iter().map(Value::as_u64).collect::<Option<_>>()?;
    Some((shape, output["data"].as_array()?))
}

/// The length of a row; `None` where there is not one row for each input.
fn width(shape: &[u64], count: usize) -> Option<usize> {
    let (rows, width) = match shape {
        [rows] => (*rows, 1),
        [rows, width] => (*rows, *width),
        _ => return None,
    };
    let width = usize::try_from(width).ok().filter(|width| *width > 0)?;
    (usize::try_from(rows) == Ok(count)).then_some(width)
}

/// Data may be nested by its shape or written flat. `None` where something is no finite number.
fn flatten(data: &[Value], numbers: &mut Vec<f64>, depth: u8) -> Option<()> {
    for value in data {
        match value {
            Value::Array(inner) if depth < 4 => flatten(inner, numbers, depth + 1)?,
            other => numbers.push(other.as_f64().filter(|number| number.is_finite())?),
        }
    }
    Some(())
}

const fn wrong(message: String) -> Mismatch {
    Mismatch::Answered(message)
}
