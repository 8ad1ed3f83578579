//! What a list of tensors tells of a model without a graph.

use super::{Basis, MeasureError, Measured, USUAL_WINDOW, wide};

/// One tensor of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    /// From the outermost to the innermost.
    pub(super) shape: Vec<u64>,
}

/// How many of a mixture's experts a token passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Experts {
    pub(super) used: u64,
    pub(super) count: u64,
}

/// What matrices that are looked up, not multiplied, are called.
const EMBEDDINGS: [&str; 6] =
    ["embed", "token_embd", "position_embd", "token_types", "wte.weight", "wpe.weight"];
/// What the last matrix of a model that writes text is called.
const HEADS: [&str; 3] = ["lm_head", "output.weight", "embed_out"];
/// What the table of tokens of such a model is called.
const TOKENS: [&str; 3] = ["embed_tokens", "token_embd.weight", "wte.weight"];

impl Listed {
    /// Numbers in the tensor.
    pub(super) fn volume(&self) -> Result<u64, MeasureError> {
        let volume = self.shape.iter().try_fold(1_u64, |volume, dim| volume.checked_mul(*dim));
        volume.ok_or_else(|| {
            MeasureError::Malformed(format!("the shape of `{}` is out of range", self.name))
        })
    }

    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.name.contains(name))
    }
}

/// What the tensors take; `bytes` is the whole file, `writes` whether the model writes text.
pub(super) fn measured(
    tensors: &[Listed],
    experts: Option<Experts>,
    bytes: u64,
    writes: bool,
) -> Result<Measured, MeasureError> {
    let (mut parameters, mut macs) = (0_u64, 0_u64);
    let has_head = tensors.iter().any(|tensor| tensor.is(&HEADS));
    for tensor in tensors {
        let volume = tensor.volume()?;
        parameters = parameters.saturating_add(volume);
        // A model that writes text and has no last matrix multiplies by its table of tokens instead.
        let is_head = writes && !has_head && tensor.is(&TOKENS);
        if tensor.shape.len() >= 2 && (is_head || !tensor.is(&EMBEDDINGS)) {
            macs = macs.saturating_add(passed(tensor, volume, experts));
        }
    }
    Ok(Measured {
        parameters,
        bytes,
        macs_per_token: macs,
        window: wide(USUAL_WINDOW),
        // The file, and the same weights as a runtime holds them.
        peak_memory: bytes.saturating_mul(2),
        basis: Basis::Weights,
        ..Measured::default()
    })
}

/// Numbers of a matrix that one token meets.
fn passed(tensor: &Listed, volume: u64, experts: Option<Experts>) -> u64 {
    match experts {
        Some(Experts { used, count }) if tensor.name.contains("_exps") && count > 0 => {
            (volume / count).saturating_mul(used.min(count))
        }
        Some(_) | None => volume,
    }
}
