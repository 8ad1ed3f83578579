//! Experiments: which variant of a model answers a call, and which answer a caller speaks of.
//!
//! A variant is dealt by a hash of the caller's key or of a header, so the same caller gets the same
//! variant in every isolate and after every restart, and nothing is kept ([`deal`]). What a variant
//! writes around the caller's texts is [`template`]'s. An answer's id is made so that it can be
//! verified whose it is and which variant gave it ([`seal`]), and what callers say of their answers
//! is read in [`feedback`].

pub mod feedback;
pub mod seal;
pub mod template;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::valid::{Experiment, Sticky, Variant};

/// Marks the form of what is hashed; a change to it deals anew.
const FORM: &[u8] = b"tollhouse experiment 1";

/// The variant for a caller with this key; `None` is what the shares leave over. `header` gives a
/// request's header by its name in lower case.
pub fn deal<'h>(
    experiment: &Experiment,
    key: &str,
    header: impl Fn(&str) -> Option<&'h str>,
) -> Option<Arc<Variant>> {
    let value = match &experiment.by {
        Sticky::Key => None,
        Sticky::Header(name) => header(name).map(str::trim).filter(|value| !value.is_empty()),
    };
    let place = match value {
        Some(value) => place(experiment, b'h', value),
        None => place(experiment, b'k', key),
    };
    let mut end = 0_u32;
    let mut variants = experiment.variants.iter();
    let dealt = variants.find(|variant| {
        end = end.saturating_add(variant.share);
        place < end
    });
    dealt.cloned()
}

/// A number from 0 to 999,999, each as likely as any other.
fn place(experiment: &Experiment, kind: u8, text: &str) -> u32 {
    let mut hash = Sha256::new();
    hash.update(FORM);
    hash.update(u64::try_from(experiment.name.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(experiment.name.as_bytes());
    hash.update([kind]);
    hash.update(text.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let head = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let place = (u128::from(head) * 1_000_000) >> 64;
    u32::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests;
