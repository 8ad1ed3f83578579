//! Tests of the wrong shape.

use super::{Asked, Hit};
use crate::knowledge::Role;
use crate::model::{At, FnRef, Workspace};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is wrong with a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flaw {
    /// It calls a live model on every run.
    LiveCall,
    /// It records a run without parameters, metrics, tags or artifacts.
    PartialRun,
}

impl Asked<'_, '_> {
    pub(super) fn tests(&self, flaw: Flaw) -> Vec<Hit> {
        match flaw {
            Flaw::LiveCall => self.live_tests(),
            Flaw::PartialRun => self.partial_runs(),
        }
    }

    /// Test functions that call a model themselves, are not ignored, and have nothing that stands in for it.
    fn live_tests(&self) -> Vec<Hit> {
        let mut found: BTreeMap<FnRef, Hit> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.test) {
            let Some(fact) = self.w.function(call.function) else { continue };
            let is_test =
                fact.attrs.iter().any(|attr| attr.path.rsplit("::").next() == Some("test"));
            let text = self
                .w
                .body(call.function)
                .map_or("", |body| self.w.source(body))
                .to_ascii_lowercase();
            let stands_in = [
                "mock",
                "fake",
                "stub",
                "127.0.0.1",
                "localhost",
                "server",
                "base_url",
                "with_url",
                "is_err",
                "env::var",
                "skip",
            ]
            .iter()
            .any(|word| text.contains(word));
            if is_test
                && !fact.has_attr("ignore")
                && !fact.attrs.iter().any(|a| a.path == "cfg" || a.path == "cfg_attr")
                && !stands_in
                && (!call.http || self.names_provider(call.at))
            {
                found
                    .entry(call.function)
                    .or_insert_with(|| Hit::at(call.at).with("test", fact.name.as_str()));
            }
        }
        found.into_values().collect()
    }

    /// Whether a request's address begins with a provider's: one that a test was given may be its own server's.
    fn names_provider(&self, call: At) -> bool {
        let hosts: Vec<&str> = self.w.knowledge.endpoints.hosts().collect();
        let begun = self.w.request_links(call, self.graph).into_iter();
        let begun = begun.filter(|link| self.w.roles(*link).has(Role::HttpRequest));
        let addresses = begun.filter_map(|link| {
            self.w.argument(link, self.w.known(link).map_or(0, |fact| fact.arg))
        });
        let values = addresses.flat_map(|at| self.w.expanded(self.w.values(at), self.graph, 3));
        values.map(|value| Workspace::rendered(&value)).any(|address| {
            hosts.iter().any(|host| address.contains(host)) || address.contains("://api.")
        })
    }

    /// A run that is started in a package that never records some of what a run is for.
    fn partial_runs(&self) -> Vec<Hit> {
        let Some(start) = self.playing(Role::TrackerStart.into()).next() else { return Vec::new() };
        let parts = [
            (Role::TrackerParams, "parameters"),
            (Role::TrackerMetrics, "metrics"),
            (Role::TrackerTags, "tags"),
            (Role::TrackerArtifacts, "artifacts"),
        ];
        let missing: Vec<&str> = parts
            .iter()
            .filter(|(role, _)| self.playing((*role).into()).next().is_none())
            .map(|(_, name)| *name)
            .collect();
        if missing.is_empty() || missing.len() == parts.len() {
            return Vec::new();
        }
        vec![Hit::at(start).with("missing", missing.join(", "))]
    }
}
