//! Who is calling, and which models may they name?
//!
//! Callers' keys are known by SHA-256 alone. The digest of the key presented is compared with every
//! configured one, each in constant time and without stopping at a match, so that the time taken
//! tells nothing. A key is never repeated, in no message and no log.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::config::Config;
use crate::config::valid::{Auth, CallerKey, Model, ModelAccess};
use crate::redact::mask;
use crate::refusal::{Code, Refusal};
use crate::units::UnixMs;

/// The id of callers where anyone may call.
pub const ANONYMOUS: &str = "anonymous";
/// The longest model name that a message repeats, in characters.
const LONGEST_NAME: usize = 80;

/// Someone who may call.
#[derive(Debug, Clone)]
pub struct Caller {
    key: Option<Arc<CallerKey>>,
}

impl Caller {
    /// The name in logs, metrics and the ledger; [`ANONYMOUS`] where anyone may call.
    pub fn id(&self) -> &str {
        self.key.as_deref().map_or(ANONYMOUS, |key| &key.id)
    }

    /// The key with its limits and budget; `None` where anyone may call.
    pub const fn key(&self) -> Option<&Arc<CallerKey>> {
        self.key.as_ref()
    }

    /// Whether the key's list holds the model, whether or not there is one of that name.
    ///
    /// # Errors
    /// `model_not_allowed`.
    pub fn may_use(&self, model: &str) -> Result<(), Refusal> {
        let allowed = match self.key.as_deref().map(|key| &key.models) {
            None | Some(ModelAccess::All) => true,
            Some(ModelAccess::Only(models)) => models.iter().any(|name| name == model),
        };
        if allowed {
            return Ok(());
        }
        let name = shown(model);
        Err(Refusal::new(Code::ModelNotAllowed, format!("this key may not use a model `{name}`"))
            .at("model"))
    }

    /// The model of that name, if the caller may use it.
    ///
    /// The list is asked first: to a key with a list, a model that it may not use and one that does
    /// not exist look the same.
    ///
    /// # Errors
    /// `model_not_allowed`, `model_not_found`.
    pub fn model<'c>(&self, config: &'c Config, name: &str) -> Result<&'c Arc<Model>, Refusal> {
        self.may_use(name)?;
        config.models.get(name).ok_or_else(|| {
            let name = shown(name);
            Refusal::new(Code::ModelNotFound, format!("there is no model `{name}` here"))
                .at("model")
        })
    }
}

/// A model's name as the caller wrote it, without what could not be one.
fn shown(name: &str) -> String {
    let name = mask(name);
    name.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect()
}

/// Finds out who is calling.
///
/// `authorization` is that header as sent; `api_key` is the header `api-key` or `x-api-key`, which
/// Azure's and Anthropic's clients send, and counts where `authorization` is absent.
///
/// # Errors
/// `missing_api_key` where no key is sent, `invalid_api_key` where it is sent in another scheme, is
/// unknown, or has expired.
pub fn authenticate(
    auth: &Auth,
    authorization: Option<&str>,
    api_key: Option<&str>,
    now: UnixMs,
) -> Result<Caller, Refusal> {
    let keys = match auth {
        Auth::Open => return Ok(Caller { key: None }),
        Auth::Keys(keys) => keys,
    };
    let presented = presented(authorization, api_key)?;
    let digest: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
    let Some(key) = matching(keys, &digest) else {
        return Err(Refusal::new(Code::InvalidApiKey, "the key is not one of this gateway's"));
    };
    if key.expires.is_some_and(|expires| expires < now) {
        let message = format!("the key `{}` has expired", key.id);
        return Err(Refusal::new(Code::InvalidApiKey, message));
    }
    Ok(Caller { key: Some(Arc::clone(key)) })
}

/// The key in the headers.
fn presented<'h>(
    authorization: Option<&'h str>,
    api_key: Option<&'h str>,
) -> Result<&'h str, Refusal> {
    let Some(authorization) = authorization.map(str::trim) else {
        return api_key.map(str::trim).filter(|key| !key.is_empty()).ok_or_else(missing);
    };
    let (scheme, key) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let key = key.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return if key.is_empty() { Err(missing()) } else { Ok(key) };
    }
    if authorization.is_empty() {
        return Err(missing());
    }
    // What stands first may be a key whose sender forgot the scheme, so it is not repeated.
    let message = "the `Authorization` header must be `Bearer` and a key of this gateway";
    Err(Refusal::new(Code::InvalidApiKey, message))
}

fn missing() -> Refusal {
    Refusal::new(Code::MissingApiKey, "no key was sent: add `Authorization: Bearer` and your key")
}

/// The key with this digest; looks at every key, whichever matches.
fn matching<'k>(keys: &'k [Arc<CallerKey>], digest: &[u8; 32]) -> Option<&'k Arc<CallerKey>> {
    // The place after the last key stands for none.
    let mut place = u64::MAX;
    for (index, key) in (0_u64..).zip(keys) {
        let same: Choice = key.digest.ct_eq(digest);
        place.conditional_assign(&index, same);
    }
    keys.get(usize::try_from(place).ok()?)
}

#[cfg(test)]
mod tests;
