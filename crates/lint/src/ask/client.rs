//! Clients that are made without something: "this builder chain never sets a timeout, here or where it is used".

use super::{Asked, Hit};
use crate::knowledge::{Role, Roles};
use crate::model::At;
use std::collections::{BTreeMap, BTreeSet};

impl Asked<'_, '_> {
    /// Clients of live calls that lack `role`, unless the request or something around the call supplies it.
    pub(super) fn client_lacks(&self, role: Role, scope: Role, partial: Option<Role>) -> Vec<Hit> {
        let mut bare: BTreeMap<At, usize> = BTreeMap::new();
        for call in self.live() {
            let on_request = self.request_has(call.at, role);
            let scopes: Roles = [role, scope].into_iter().collect();
            if on_request || self.in_scope(call.at, scopes) {
                continue;
            }
            let origins = self.w.origins(call.at, self.graph);
            for origin in origins.known {
                let has = origin.roles.has(role)
                    || partial.is_some_and(|partial| origin.roles.has(partial));
                if !has && !origin.vague && !self.w.is_test(origin.made) {
                    *bare.entry(origin.made).or_default() += 1;
                }
            }
        }
        let hit = |(at, calls): (At, usize)| {
            Hit::at(at).with("client", self.shape(at)).with("calls", count(calls, "model call"))
        };
        bare.into_iter().map(hit).collect()
    }

    /// Clients with only a weaker form of a role.
    pub(super) fn client_only(&self, role: Role, instead: Role) -> Vec<Hit> {
        let mut weak: BTreeSet<At> = BTreeSet::new();
        for call in self.live() {
            let scopes: Roles = [role, Role::TimeoutScope].into_iter().collect();
            if self.request_has(call.at, role) || self.in_scope(call.at, scopes) {
                continue;
            }
            for origin in self.w.origins(call.at, self.graph).known {
                if origin.roles.has(instead) && !origin.roles.has(role) && !origin.vague {
                    weak.insert(origin.made);
                }
            }
        }
        weak.into_iter().map(|at| Hit::at(at).with("client", self.shape(at))).collect()
    }

    /// Whether the request itself is given a role, wherever it is begun.
    fn request_has(&self, call: At, role: Role) -> bool {
        let links = self.w.request_links(call, self.graph);
        links.iter().any(|link| self.w.roles(*link).has(role))
    }

    /// A construction in short: its callee.
    fn shape(&self, at: At) -> String {
        let text = self.w.source(at);
        let end = text.find('(').unwrap_or(text.len());
        text.get(..end).unwrap_or(text).split_whitespace().collect()
    }
}

/// `1 model call`, `3 model calls`.
pub(super) fn count(number: usize, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}
