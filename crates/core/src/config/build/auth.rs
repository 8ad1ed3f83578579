//! Who may call.

use std::{collections::BTreeMap, sync::Arc};

use super::Site;
use crate::config::{
    problem::Rule,
    raw::{AuthMode, List, RawConfig, RawKey},
    tree::Path,
    valid::{Auth, CallerKey},
};

impl Site<'_> {
    pub(super) fn auth(&self, raw: &RawConfig) -> Option<Auth> {
        let at = Path::Root.key("auth");
        let auth = raw.auth.as_ref()?;
        let keys = self.keys(auth.keys.as_ref(), raw, &at.key("keys"));
        match auth.mode? {
            AuthMode::Open => {
                self.note_open(auth.keys.as_ref(), &at);
                Some(Auth::Open)
            }
            AuthMode::Keys => {
                if auth.keys.as_ref().is_some_and(|keys| keys.0.is_empty()) {
                    let message = "callers need a key, and no key is configured";
                    let help = "add `[[auth.keys]]` with `id` and `sha256`, or for local use write \
                                `mode = \"open\"`";
                    self.report(&at, Rule::NoKeys, message, help);
                }
                Some(Auth::Keys(keys?))
            }
        }
    }

    fn note_open(&self, keys: Option<&List<RawKey>>, at: &Path<'_>) {
        let message = "anyone who can reach the gateway may call it, at your cost";
        let help = "for anything but local use, write `mode = \"keys\"` and add `[[auth.keys]]`";
        self.report(&at.key("mode"), Rule::OpenAccess, message, help);
        if keys.is_some_and(|keys| !keys.0.is_empty()) {
            let message = "keys are not asked for under `mode = \"open\"`";
            self.report(&at.key("keys"), Rule::NoEffect, message, "write `mode = \"keys\"`");
        }
    }

    fn keys(
        &self,
        keys: Option<&List<RawKey>>,
        raw: &RawConfig,
        at: &Path<'_>,
    ) -> Option<Vec<Arc<CallerKey>>> {
        let keys = keys?;
        let mut ids = BTreeMap::new();
        let mut digests = BTreeMap::new();
        let mut built = Vec::new();
        for (index, key) in keys.iter() {
            let at = at.index(index);
            let Some(key) = self.key(key, raw, &at) else {
                continue;
            };
            if let Some(first) = ids.insert(key.id.clone(), index) {
                let message = format!("`{}` is the id of `auth.keys[{first}]` already", key.id);
                self.report(
                    &at.key("id"),
                    Rule::DuplicateCaller,
                    message,
                    "give each key its own id",
                );
            }
            if let Some(first) = digests.insert(key.digest, index) {
                let message = format!("`auth.keys[{first}]` is the same key");
                self.report(
                    &at.key("sha256"),
                    Rule::DuplicateCaller,
                    message,
                    "give each caller a key of their own",
                );
            }
            built.push(Arc::new(key));
        }
        (built.len() == keys.0.len()).then_some(built)
    }
}
