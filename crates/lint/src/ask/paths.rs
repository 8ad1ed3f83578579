//! Paths from entry points to model calls that meet no evidence of a role.

use super::client::count;
use super::evidence::Evidence;
use super::{Asked, Hit};
use crate::knowledge::Role;
use crate::model::{FnRef, ModelCall, Purpose};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a clause about services is held against a program that serves nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Programs {
    /// Like any other.
    #[default]
    Count,
    /// One step lighter.
    WeighLess,
    /// Not at all, but for embeddings.
    Silent,
}

/// What evidence is worth that is there, but on no path to the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unlinked {
    /// The finding stands, one step lighter.
    #[default]
    Weighs,
    /// It may well serve this call: no finding. Nor is there one in a library that only speaks a protocol.
    Silences,
}

impl<'k> Asked<'_, 'k> {
    /// One hit per package: the first call that a bare path leads to, and how many more there are.
    pub(super) fn path_lacks(
        &self,
        evidence: &Evidence,
        embeddings: bool,
        programs: Programs,
        unlinked: Unlinked,
    ) -> Vec<Hit> {
        let mut bare: BTreeMap<Option<usize>, Vec<(&ModelCall<'k>, Vec<FnRef>)>> = BTreeMap::new();
        for call in self.live() {
            let embeds = call.purpose == Purpose::Embedding;
            let excused = !embeds && programs == Programs::Silent && self.serves_nobody(call);
            if (embeds && !embeddings) || excused {
                continue;
            }
            if let Some(path) = self.bare_call(call, evidence) {
                bare.entry(self.w.package(call.at.file)).or_default().push((call, path));
            }
        }
        bare.into_iter()
            .filter(|(package, calls)| {
                let theirs = calls.first().is_some_and(|(call, path)| self.is_binding(call, path));
                unlinked == Unlinked::Weighs || !(theirs || self.shown_anywhere(*package, evidence))
            })
            .filter_map(|(package, calls)| self.bare_hit(package, &calls, evidence, programs))
            .collect()
    }

    /// A path to a call without evidence: neither on the way nor in how its client is made.
    pub(super) fn bare_call(
        &self,
        call: &ModelCall<'k>,
        evidence: &Evidence,
    ) -> Option<Vec<FnRef>> {
        if evidence.roles.has(Role::Retry) && self.resends(call.at) {
            return None;
        }
        let path = self.bare_path(call.at, evidence)?;
        let origins = self.w.origins(call.at, self.graph);
        let made_so = origins.known.iter().any(|origin| origin.roles.any(evidence.roles));
        let chained =
            self.w.chain(call.at).iter().any(|link| self.w.roles(*link).any(evidence.roles));
        (!made_so && !chained && !call.fact.gives.any(evidence.roles)).then_some(path)
    }

    fn bare_hit(
        &self,
        package: Option<usize>,
        calls: &[(&ModelCall<'k>, Vec<FnRef>)],
        evidence: &Evidence,
        programs: Programs,
    ) -> Option<Hit> {
        let (first, path) = calls.iter().max_by_key(|(_, path)| path.len().min(6))?;
        let route = self.route(path);
        let more = match calls.len() - 1 {
            0 => String::new(),
            rest => format!(", like {} in this package", count(rest, "other call")),
        };
        let present = self.present(package, evidence);
        let sdk = self.is_binding(first, path);
        let alone = programs != Programs::Count && self.serves_nobody(first);
        let hit = Hit::at(first.at).with("path", route).with("more", more);
        let unlinked = if present { "; the package has one, but not on this path" } else { "" };
        Some(hit.with("unlinked", unlinked).lighter(present || sdk || alone))
    }

    /// Whether a call stands in a library that only speaks a provider's protocol: what happens around it is up to the
    /// programs it becomes part of.
    fn is_binding(&self, call: &ModelCall<'k>, path: &[FnRef]) -> bool {
        let library = self.w.package(call.at.file).is_some_and(|of| !self.w.has_program(of));
        let served = path.iter().any(|of| self.handlers.contains(of));
        call.http && library && !served
    }

    /// Whether a call stands in a program none of whose request handlers leads to it.
    fn serves_nobody(&self, call: &ModelCall<'k>) -> bool {
        let program = self.w.package(call.at.file).is_some_and(|of| self.w.has_program(of));
        program && self.graph.reached_by(call.function, 10).is_disjoint(self.handlers)
    }

    /// A path in short: its ends, and that there is more in between.
    fn route(&self, path: &[FnRef]) -> String {
        let titles: Vec<String> =
            path.iter().map(|of| format!("`{}`", self.w.title(*of))).collect();
        match titles.as_slice() {
            [first, second, .., last] if titles.len() > 4 => {
                format!("{first} → {second} → … → {last}")
            }
            all => all.join(" → "),
        }
    }

    /// Whether any code of the package outside tests shows evidence.
    fn shown_anywhere(&self, package: Option<usize>, evidence: &Evidence) -> bool {
        self.w.nodes().any(|at| {
            self.w.package(at.file) == package && self.shows(at, evidence) && !self.w.is_test(at)
        })
    }

    /// Whether evidence is there, in the package or its dependencies, though nothing links it to the call.
    fn present(&self, package: Option<usize>, evidence: &Evidence) -> bool {
        let of_package =
            |file: usize| self.w.package(file) == package && !self.w.is_test_file(file);
        let named = self.w.files.iter().enumerate().filter(|(file, _)| of_package(*file)).any(
            |(_, facts)| {
                facts.structs.iter().any(|of| evidence.named(&of.name))
                    || facts.fns.iter().any(|of| !of.test && evidence.named(&of.name))
            },
        );
        named || self.playing(evidence.roles).any(|at| self.w.package(at.file) == package)
    }
}
