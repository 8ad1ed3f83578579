//! Ids of answers that say whose they are, to us alone.
//!
//! Half of an id is random; the other half is a digest of it, of the digest of the caller's key, of
//! the model and of the variant that was dealt. So feedback can be joined to its variant with no
//! table of answers, in every isolate, at once and after every restart; and an id that another key
//! was given says nothing to this one. A caller can at most make up ids of its own, as it can make up
//! calls.

use sha2::{Digest, Sha256};

use crate::{
    config::valid::{CallerKey, Config, Variant},
    record::RequestId,
};

/// Marks the form of what is hashed.
const FORM: &[u8] = b"tollhouse answer 1";

/// What an id says of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The configured model that was asked for.
    pub model: String,
    /// The variant that was dealt, and its version; `None` outside of experiments.
    pub variant: Option<(String, String)>,
}

/// The id of the answer to a call of `key` for `model`, made of the random `id`.
pub fn seal(
    id: RequestId,
    key: Option<&CallerKey>,
    model: &str,
    variant: Option<&Variant>,
) -> RequestId {
    let variant = variant.map(|variant| (variant.id.as_str(), variant.version.as_str()));
    let random = id.bits() >> 64;
    RequestId::new(random << 64 | u128::from(tag(random, key, model, variant)))
}

/// Where the answer of this id comes from, if it was given to this key under models and variants
/// that are configured still.
pub fn open(id: RequestId, key: Option<&CallerKey>, config: &Config) -> Option<Origin> {
    let random = id.bits() >> 64;
    let is_it = |model: &str, variant| {
        RequestId::new(random << 64 | u128::from(tag(random, key, model, variant))) == id
    };
    config.models.keys().find_map(|model| {
        let dealt = config.experiments.get(model).into_iter();
        let variants = dealt.flat_map(|experiment| &experiment.variants);
        let known = variants.map(|variant| (variant.id.as_str(), variant.version.as_str()));
        let mut all = std::iter::once(None).chain(known.map(Some));
        let variant = all.find(|variant| is_it(model, *variant))?;
        let owned = |(id, version): (&str, &str)| (id.to_owned(), version.to_owned());
        Some(Origin { model: model.clone(), variant: variant.map(owned) })
    })
}

fn tag(random: u128, key: Option<&CallerKey>, model: &str, variant: Option<(&str, &str)>) -> u64 {
    let mut hash = Sha256::new();
    hash.update(FORM);
    hash.update([u8::from(key.is_some())]);
    hash.update(key.map_or([0; 32], |key| key.digest));
    hash.update(random.to_be_bytes());
    let (variant, version) = variant.unwrap_or_default();
    for text in [model, variant, version] {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}
