//! The header of a safetensors file: names, types and shapes, in JSON.

use std::io::{ErrorKind, Read};

use safetensors::tensor::Metadata;

use super::{
    MeasureError, Measured,
    header::{self, Listed},
    wide,
};

/// The longest header that the format allows.
const LONGEST: u64 = 100_000_000;
/// Bytes of the header's length.
const PREFIX: u64 = 8;

/// Measures a safetensors file of `length` bytes by its header; nothing after that is read.
///
/// # Errors
/// [`MeasureError::Truncated`], [`MeasureError::Length`] and [`MeasureError::Malformed`].
pub fn safetensors(mut file: impl Read, length: u64) -> Result<Measured, MeasureError> {
    let mut prefix = [0; 8];
    read(&mut file, &mut prefix, "the length of the header", length)?;
    let stated = u64::from_le_bytes(prefix);
    if stated > LONGEST {
        let what = "the length of the header".into();
        return Err(MeasureError::Length { what, found: stated, limit: LONGEST });
    }
    if PREFIX + stated > length {
        let what = "the header".into();
        return Err(MeasureError::Truncated { what, wanted: PREFIX + stated, found: length });
    }
    let mut header = Vec::new();
    file.take(stated).read_to_end(&mut header).map_err(broken)?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| MeasureError::Malformed(format!("the header is not valid: {error}")))?;
    let wanted = (PREFIX + stated).saturating_add(wide(metadata.data_len()));
    if wanted > length {
        return Err(MeasureError::Truncated { what: "the data".into(), wanted, found: length });
    }
    if wanted < length {
        let message = format!("{} bytes follow the last tensor", length - wanted);
        return Err(MeasureError::Malformed(message));
    }
    let tensors: Vec<Listed> = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| Listed { name, shape: info.shape.iter().copied().map(wide).collect() })
        .collect();
    let writes = tensors.iter().any(|tensor| tensor.name.contains("embed_tokens"));
    header::measured(&tensors, None, length, writes)
}

/// Fills `bytes`, or says what was cut off.
pub(super) fn read(
    file: &mut impl Read,
    bytes: &mut [u8],
    what: &str,
    length: u64,
) -> Result<(), MeasureError> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => MeasureError::Truncated {
            what: what.to_owned(),
            wanted: wide(bytes.len()),
            found: length,
        },
        _ => broken(error),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn broken(error: std::io::Error) -> MeasureError {
    MeasureError::Malformed(format!("the file cannot be read: {error}"))
}
