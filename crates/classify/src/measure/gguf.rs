//! The header of a GGUF file, versions 2 and 3: what llama.cpp and its kin load.
//!
//! The layout is that of ggml's docs/gguf.md: magic, version, counts, key-value pairs, tensors.

mod kinds;
mod values;

use std::io::Read;

use super::{
    MeasureError, Measured,
    header::{self, Experts, Listed},
};
use kinds::bytes_of;
use values::{Reader, Value};

const MAGIC: [u8; 4] = *b"GGUF";
/// More tensors than any model has.
const MOST_TENSORS: u64 = 1 << 20;
/// More pairs than any header has.
const MOST_PAIRS: u64 = 1 << 16;
/// The longest name of a tensor; ggml's `GGML_MAX_NAME` is 64, and some write longer ones.
const LONGEST_NAME: u64 = 256;
/// ggml's `GGML_MAX_DIMS`.
const MOST_DIMS: u32 = 4;
/// Where a header says nothing, tensors lie at multiples of this.
const ALIGNMENT: u64 = 32;
/// Architectures that read text and write none.
const READERS: [&str; 6] =
    ["bert", "nomic-bert", "jina-bert-v2", "modern-bert", "t5encoder", "clip"];

/// What is wanted of the key-value pairs.
#[derive(Debug, Default)]
struct Pairs {
    architecture: Option<String>,
    name: Option<String>,
    alignment: Option<u64>,
    experts: Option<u64>,
    used: Option<u64>,
}

/// Measures a GGUF file of `length` bytes by its header; nothing after that is read.
///
/// # Errors
/// [`MeasureError::Truncated`], [`MeasureError::Length`], [`MeasureError::Malformed`] and
/// [`MeasureError::Unsupported`].
pub fn gguf(file: impl Read, length: u64) -> Result<Measured, MeasureError> {
    let mut reader = Reader::new(file, length);
    if reader.array::<4>("the magic number")? != MAGIC {
        return Err(MeasureError::Malformed("the file does not begin with GGUF".into()));
    }
    let version = reader.u32("the version")?;
    if !matches!(version, 2 | 3) {
        return Err(MeasureError::Unsupported(format!("GGUF version {version}, wanted is 2 or 3")));
    }
    let tensors = reader.count("the number of tensors", MOST_TENSORS)?;
    let count = reader.count("the number of key-value pairs", MOST_PAIRS)?;
    let mut pairs = Pairs::default();
    for _ in 0..count {
        pair(&mut reader, &mut pairs)?;
    }
    let mut listed = Vec::new();
    let mut end = 0;
    for _ in 0..tensors {
        let (tensor, until) = tensor(&mut reader)?;
        end = end.max(until);
        listed.push(tensor);
    }
    let alignment = pairs.alignment.filter(|by| by.is_power_of_two()).unwrap_or(ALIGNMENT);
    let start = reader.read_so_far().next_multiple_of(alignment);
    let wanted = if listed.is_empty() { 0 } else { start.saturating_add(end) };
    if wanted > length {
        return Err(MeasureError::Truncated { what: "the data".into(), wanted, found: length });
    }
    let writes =
        pairs.architecture.as_deref().is_none_or(|architecture| !READERS.contains(&architecture));
    let experts = pairs.used.zip(pairs.experts);
    let experts = experts.map(|(used, count)| Experts { used, count });
    let measured = header::measured(&listed, experts, length, writes)?;
    Ok(Measured { name: pairs.name, ..measured })
}

fn pair<R: Read>(reader: &mut Reader<R>, pairs: &mut Pairs) -> Result<(), MeasureError> {
    let key = reader.text("a key")?;
    let value = reader.value(&key)?;
    match (key.as_str(), value) {
        ("general.architecture", Value::Text(text)) => pairs.architecture = Some(text),
        ("general.name", Value::Text(text)) => pairs.name = Some(text),
        ("general.alignment", Value::Whole(by)) => pairs.alignment = Some(by),
        (key, Value::Whole(count)) if key.ends_with(".expert_count") => pairs.experts = Some(count),
        (key, Value::Whole(used)) if key.ends_with(".expert_used_count") => pairs.used = Some(used),
        (_, Value::Text(_) | Value::Whole(_) | Value::Other) => {}
    }
    Ok(())
}

/// A tensor, and where its data ends, counted from where data begins.
fn tensor<R: Read>(reader: &mut Reader<R>) -> Result<(Listed, u64), MeasureError> {
    let name = reader.short_text("the name of a tensor", LONGEST_NAME)?;
    let dims = reader.u32("the rank of a tensor")?;
    if dims > MOST_DIMS {
        let (found, limit) = (u64::from(dims), u64::from(MOST_DIMS));
        return Err(MeasureError::Length { what: format!("the rank of `{name}`"), found, limit });
    }
    let mut shape = Vec::new();
    for _ in 0..dims {
        shape.push(reader.u64("a shape")?);
    }
    let kind = reader.u32("the type of a tensor")?;
    let offset = reader.u64("the place of a tensor")?;
    // Innermost first in the file.
    shape.reverse();
    let tensor = Listed { name, shape };
    let size = bytes_of(kind, tensor.volume()?).ok_or_else(|| {
        MeasureError::Unsupported(format!(
            "`{}` has the type {kind}, which is unknown",
            tensor.name
        ))
    })?;
    Ok((tensor, offset.saturating_add(size)))
}
