//! The keys of operators: compared in constant time, and only for those who do not guess.

use std::cell::RefCell;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tollhouse_core::{
    admin::Guesses,
    pipeline::exchange::Arrived,
    refusal::{Code, Refusal},
};

use crate::clock;

thread_local! {
    static GUESSES: RefCell<Guesses> = RefCell::default();
}

/// Holds the bearer token of a request against `key`.
///
/// # Errors
/// [`Code::MissingApiKey`], [`Code::InvalidApiKey`], and [`Code::RateLimitExceeded`] for an address
/// that has sent too many wrong ones, whatever it sends now.
pub(crate) fn check(arrived: &Arrived, key: &str) -> Result<(), Refusal> {
    let sent = arrived.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(sent) = sent else {
        return Err(Refusal::new(Code::MissingApiKey, "send `authorization: Bearer …`"));
    };
    check_sent(arrived, sent, key)
}

/// Holds what a request has `sent` elsewhere against `key`.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_sent(arrived: &Arrived, sent: &str, key: &str) -> Result<(), Refusal> {
    let address = arrived.header("cf-connecting-ip").unwrap_or_default();
    let now = clock::now();
    if let Some(wait) = GUESSES.with_borrow(|guesses| guesses.wait(address, now)) {
        let message = "too many wrong keys came from this address";
        return Err(Refusal::new(Code::RateLimitExceeded, message).after(wait));
    }
    if is_same(sent.trim(), key) {
        return Ok(());
    }
    GUESSES.with_borrow_mut(|guesses| guesses.wrong(address, now));
    Err(Refusal::new(Code::InvalidApiKey, "the key does not open this page"))
}

/// Compared as digests and in constant time, so that the time taken tells nothing.
fn is_same(sent: &str, key: &str) -> bool {
    Sha256::digest(sent.as_bytes()).ct_eq(&Sha256::digest(key.as_bytes())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_only_as_itself() {
        assert!(is_same("admin-key", "admin-key"));
        assert!(!is_same("admin-ke", "admin-key") && !is_same("", "admin-key"));
    }
}
