//! A caller's key: its digest, what it may use.

use std::collections::BTreeMap;

use super::Site;
use crate::{
    config::{
        date,
        findings::Found,
        problem::Rule,
        raw::{List, Named, RawConfig, RawKey, RawRateLimits},
        secrets,
        tree::Path,
        valid::{CallerKey, ModelAccess, RateLimits},
    },
    units::{Tokens, UnixMs},
};

/// SHA-256 of nothing: whoever sends an empty key would be let in.
const EMPTY_DIGEST: [u8; 4] = [0xe3, 0xb0, 0xc4, 0x42];

impl Site<'_> {
    pub(super) fn key(&self, key: &RawKey, raw: &RawConfig, at: &Path<'_>) -> Option<CallerKey> {
        let id = key.id.as_deref().filter(|id| self.check_name(id, "@", 64, &at.key("id")));
        let digest = key.sha256.as_deref().and_then(|hex| self.digest(hex, &at.key("sha256")));
        let models =
            key.models.as_ref().and_then(|models| self.access(models, raw, &at.key("models")));
        let limits = key.limits.as_ref().map(rate_limits);
        let model_limits = key
            .model_limits
            .as_ref()
            .map(|limits| self.model_limits(limits, models.as_ref(), raw, &at.key("model_limits")));
        let budget = self.budget(key.budget.as_ref(), None, raw, &at.key("budget"));
        if let Some(team) = &key.team {
            self.check_team(team, raw, &at.key("team"));
        }
        let expires = key.expires.as_deref().map(|day| self.expires(day, &at.key("expires")));
        self.notes.missing(&at.key("id"), "name the caller: `id = \"team-a\"`");
        self.notes.missing(
            &at.key("sha256"),
            "write the digest of the caller's key: `printf %s \"$KEY\" | sha256sum`",
        );
        Some(CallerKey {
            id: id?.to_owned(),
            digest: digest?,
            models: models?,
            limits: limits?,
            model_limits: model_limits?,
            budget: budget?,
            team: key.team.clone(),
            expires: optional(expires)?,
        })
    }

    fn digest(&self, hex: &str, at: &Path<'_>) -> Option<[u8; 32]> {
        let help = "write 64 hexadecimal digits: `printf %s \"$KEY\" | sha256sum`";
        let Some(digest) = decode(hex) else {
            let found = if secrets::looks_like_one(hex) {
                let message = format!("the key itself is written here: {}", secrets::quoted(hex));
                Found::new(Rule::LiteralSecret, message)
            } else {
                let message = format!(
                    "`{}` has {} characters and is no SHA-256 digest",
                    at.name(),
                    hex.chars().count()
                );
                Found::new(Rule::BadDigest, message)
            };
            self.notes.at_value(at, found.help(help));
            return None;
        };
        if digest.starts_with(&EMPTY_DIGEST) {
            let message = "this is the digest of an empty key";
            self.report(
                at,
                Rule::BadDigest,
                message,
                "the variable was not set when the digest was made",
            );
            return None;
        }
        if digest.iter().all(|byte| *byte == 0) {
            self.report(at, Rule::BadDigest, "this digest is a placeholder", help);
            return None;
        }
        Some(digest)
    }

    fn access(&self, models: &List<String>, raw: &RawConfig, at: &Path<'_>) -> Option<ModelAccess> {
        if models.0.is_empty() {
            let message = "a key without models can do nothing";
            self.report(
                at,
                Rule::Missing,
                message,
                "name models, or write `[\"*\"]` for all of them",
            );
            return None;
        }
        let is_all = models.iter().any(|(_, name)| name == "*");
        let mut names = Vec::new();
        for (index, name) in models.iter().filter(|(_, name)| *name != "*") {
            self.check_model_name(name, raw, &at.index(index));
            names.push(name.clone());
        }
        if is_all && !names.is_empty() {
            self.report(
                at,
                Rule::NoEffect,
                "`*` is every model, those named beside it included",
                "write `[\"*\"]`",
            );
        }
        Some(if is_all { ModelAccess::All } else { ModelAccess::Only(names) })
    }

    fn model_limits(
        &self,
        limits: &Named<RawRateLimits>,
        models: Option<&ModelAccess>,
        raw: &RawConfig,
        at: &Path<'_>,
    ) -> BTreeMap<String, RateLimits> {
        let mut built = BTreeMap::new();
        for (name, limits) in limits.iter() {
            built.insert(name.clone(), rate_limits(limits));
            let at = at.key(name);
            self.check_model_name(name, raw, &at);
            if let Some(ModelAccess::Only(names)) = models
                && !names.contains(name)
            {
                let message = format!("the key may not use `{name}`");
                self.report(&at, Rule::NoEffect, message, "add it to the key's `models`");
            }
        }
        built
    }

    fn expires(&self, day: &str, at: &Path<'_>) -> Option<UnixMs> {
        let midnight = self.day(day, at)?;
        if midnight <= self.today {
            let message = format!("the key has expired on {day} and is refused");
            self.report(at, Rule::ExpiredKey, message, "take the key out, or give it a later day");
        }
        Some(midnight)
    }

    /// Midnight at the start of a day.
    pub(super) fn day(&self, day: &str, at: &Path<'_>) -> Option<UnixMs> {
        let midnight = date::midnight(day);
        if midnight.is_none() {
            let message = format!("`{}` is {}, which is no day", at.name(), secrets::quoted(day));
            self.report(at, Rule::BadDate, message, "write it as `2027-01-31`");
        }
        midnight
    }
}

/// What a table of limits says; a limit that could not be read has been reported.
pub(super) fn rate_limits(raw: &RawRateLimits) -> RateLimits {
    RateLimits {
        requests_per_minute: raw.requests_per_minute.map(|limit| limit.0),
        tokens_per_minute: raw.tokens_per_minute.map(|limit| Tokens(limit.0)),
    }
}

/// Absent is fine; there and wrong is not.
#[expect(clippy::option_option, reason = "the outer one says whether the key is written")]
pub(super) const fn optional<T: Copy>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

fn decode(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}
