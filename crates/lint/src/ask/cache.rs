//! Caches of model replies: expiry, size, and what their key leaves out.

use super::{Asked, Hit};
use crate::facts::{Kind, Name};
use crate::knowledge::{Role, Roles};
use crate::model::{At, FnRef};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What is wrong with a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flaw {
    /// Entries never expire.
    NoExpiry,
    /// It grows without bound.
    NoBound,
    /// The key leaves out a parameter of the request.
    PartialKey,
}

impl Asked<'_, '_> {
    pub(super) fn caches(&self, flaw: Flaw) -> Vec<Hit> {
        match flaw {
            Flaw::NoExpiry => self.caches_without(
                Role::CacheTtl,
                &["ttl", "expire", "expiry", "time_to", "lifespan", "stale", "max_age"],
            ),
            Flaw::NoBound => self.caches_without(
                Role::CacheBound,
                &["capacity", "max_size", "max_entries", "evict"],
            ),
            Flaw::PartialKey => self.partial_keys(),
        }
    }

    /// Caches in files that also make model calls, or whose names say they hold replies.
    fn reply_caches(&self) -> Vec<At> {
        let files: rustc_hash::FxHashSet<usize> = self.live().map(|call| call.at.file).collect();
        self.playing(Role::Cache.into()).filter(|at| files.contains(&at.file)).collect()
    }

    fn caches_without(&self, role: Role, words: &[&str]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.reply_caches() {
            let text = self.w.code(at.file).to_ascii_lowercase();
            let roles = self
                .links_after(at)
                .iter()
                .fold(self.w.roles(at), |all, link| all.with(self.w.roles(*link)));
            // A `TimedCache` has no bound of its own but does expire; either is judged by its own rule.
            if !roles.has(role) && !words.iter().any(|word| text.contains(word)) {
                hits.push(Hit::at(at));
            }
        }
        hits
    }

    /// Functions that look a reply up under a key made of the prompt alone, though their request has other parameters.
    fn partial_keys(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for function in self.near_calls() {
            let Some(fact) = self.w.function(function) else { continue };
            let Some(body) = self.w.body(function) else { continue };
            let params: Vec<Name> =
                fact.params.iter().flat_map(|param| param.names.clone()).collect();
            let varying: Vec<&Name> = params.iter().filter(|name| is_parameter(name)).collect();
            for key in self.keys(function) {
                let Some(inputs) = self.inputs(key, &params, 4) else { continue };
                let prompts = inputs.iter().any(|name| !is_parameter(name));
                let missing: Vec<&str> = varying
                    .iter()
                    .filter(|name| !inputs.contains(name))
                    .map(|name| name.as_str())
                    .collect();
                let all_missing = self.fixed_or_set(body);
                if prompts && !missing.is_empty() {
                    hits.push(Hit::at(key).with("missing", missing.join("`, `")));
                } else if prompts
                    && varying.is_empty()
                    && all_missing
                    && !inputs.iter().any(|name| name.contains("self"))
                {
                    hits.push(Hit::at(key).with("missing", "model"));
                }
            }
        }
        hits
    }

    /// Functions that call a model, and those that certainly call one of them: a cache may stand in either.
    fn near_calls(&self) -> BTreeSet<FnRef> {
        self.live().flat_map(|call| self.graph.surely_reached_by(call.function, 1)).collect()
    }

    /// Whether the request in a body takes its model from a field: something that may change under the same prompt.
    fn fixed_or_set(&self, body: At) -> bool {
        self.w
            .under(body)
            .any(|at| matches!(self.w.kind(at), Kind::Field { name, .. } if name == "model"))
    }

    /// The keys under which a function reads or writes a cache.
    fn keys(&self, function: FnRef) -> Vec<At> {
        let Some(body) = self.w.body(function) else { return Vec::new() };
        let roles: Roles = [Role::CacheRead, Role::CacheWrite].into_iter().collect();
        let mut found = Vec::new();
        for at in self.w.under(body) {
            let named = match self.w.kind(at) {
                Kind::Method { receiver, name, .. } => {
                    matches!(
                        name.as_str(),
                        "get" | "insert" | "get_with" | "put" | "contains_key" | "entry"
                    ) && self.w.source(at.with(*receiver)).to_ascii_lowercase().contains("cache")
                }
                _ => false,
            };
            if named || self.w.roles(at).any(roles) {
                found.extend(self.w.argument(at, 0));
            }
        }
        found.sort_by_key(|at: &At| self.w.file(at.file).node(at.node).span.start);
        found.truncate(1);
        found
    }

    /// The parameters a key is made of; nothing when something else flows in that may stand for them.
    fn inputs(&self, key: At, params: &[Name], hops: u32) -> Option<Vec<Name>> {
        let hops = hops.checked_sub(1)?;
        let mut found = Vec::new();
        for at in self.w.under(key) {
            match self.w.kind(at) {
                Kind::Path(path) => {
                    let [name] = &**path else { continue };
                    if params.contains(name) {
                        found.push(name.clone());
                    } else if let Some(
                        crate::model::Binding::Value { value }
                        | crate::model::Binding::Typed { value: Some(value), .. },
                    ) = self.w.binding(at, name)
                    {
                        found.extend(self.inputs(value, params, hops)?);
                    } else if name == "self" {
                        found.push(name.clone());
                    }
                }
                Kind::Str(text) => {
                    let captured =
                        text.split('{').skip(1).filter_map(|part| part.split(['}', ':']).next());
                    found.extend(
                        captured
                            .filter(|name| params.iter().any(|param| param == name))
                            .map(Name::new),
                    );
                }
                _ => {}
            }
        }
        Some(found)
    }
}

/// Whether a parameter's name is one of a request's parameters rather than its text.
fn is_parameter(name: &str) -> bool {
    ["model", "temperature", "max_tokens", "top_p", "system"].iter().any(|word| name.contains(word))
}
