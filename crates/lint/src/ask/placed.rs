//! Models that are too heavy for where they run: core's placement asked of the files beside the code.
//!
//! A model is at the edge when a Worker's package embeds or loads it, and in the way of requests when a handler
//! loads it. Which file that is must be written in the code; what it takes was measured before.

use super::{Asked, Hit};
use crate::facts::Kind;
use crate::knowledge::Role;
use crate::model::{At, FileId};
use tollhouse_core::placement::{Calibration, Limits, Profile, Verdict, place};

/// The package that makes a Worker of a crate.
const WORKER: &str = "worker";

impl Asked<'_, '_> {
    pub(super) fn too_heavy(&self) -> Vec<Hit> {
        let near = self.per_request();
        let loads = self.playing(Role::ModelLoad.into());
        let loads = loads.filter_map(|at| Some((at, self.model_file(at)?, false)));
        let embedded = self.w.nodes().filter(|at| !self.w.is_test(*at));
        let embedded = embedded.filter_map(|at| Some((at, self.embedded_file(at)?, true)));
        let mut hits = Vec::new();
        for (at, named, beside) in loads.chain(embedded) {
            let each_time = self.w.function_at(at).is_some_and(|of| near.contains(&of));
            let place = if self.is_worker(at.file) {
                "a Worker"
            } else if each_time {
                "a request handler"
            } else {
                continue;
            };
            let Some((path, reason)) = self.against_the_edge(at.file, &named, beside) else {
                continue;
            };
            hits.push(Hit::at(at).with("model", path).with("place", place).with("reason", reason));
        }
        hits
    }

    /// What `include_bytes!` embeds.
    fn embedded_file(&self, at: At) -> Option<String> {
        let Kind::Macro { path, args } = self.w.kind(at) else { return None };
        if path.last().is_none_or(|name| name != "include_bytes") {
            return None;
        }
        self.named_model(at.with(*args.first()?))
    }

    fn is_worker(&self, file: FileId) -> bool {
        self.w
            .manifest(file)
            .is_some_and(|of| of.dependencies.iter().any(|one| one.package == WORKER && !one.dev))
    }

    /// The measured file behind a name, and why it should not run at the edge; `None` where it may, or where no file
    /// of that name was measured.
    fn against_the_edge(&self, file: FileId, named: &str, beside: bool) -> Option<(&str, String)> {
        let (path, profile) = self.measured(file, named, beside)?;
        let decision = place(profile, &Limits::WORKERS, &Calibration::WORKERD);
        match decision.verdict {
            Verdict::Edge => None,
            Verdict::Gpu => {
                let reasons = decision.reasons.iter().map(ToString::to_string);
                Some((path, reasons.collect::<Vec<_>>().join(", and ")))
            }
        }
    }

    /// A name is relative to the source file (`include_bytes!`), or to where the program is started: the package or
    /// the workspace.
    fn measured(&self, file: FileId, named: &str, beside: bool) -> Option<(&str, &Profile)> {
        let source = crate::manifest::folder(&self.w.file(file).path);
        let package = self.w.manifest(file).map_or("", |of| of.folder());
        let bases: &[&str] = if beside { &[source] } else { &[package, ""] };
        let paths: Vec<String> =
            bases.iter().map(|base| crate::manifest::join(base, named)).collect();
        let found = self.w.models.iter().find(|of| paths.contains(&of.path))?;
        Some((found.path.as_str(), &found.profile))
    }
}
