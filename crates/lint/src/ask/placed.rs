//! Models that are too heavy for where they run: core's placement asked of the files beside the code.
//!
//! A model is at the edge when the code of a Worker's package names it, to embed it or to read it from the Worker's
//! assets, and in the way of requests when a handler loads it. Which file that is must be written in the code; what it
//! takes was measured before.

use super::{Asked, Hit};
use crate::facts::Kind;
use crate::knowledge::Role;
use crate::manifest::{folder, join};
use crate::model::{At, FileId};
use tollhouse_core::placement::{Calibration, Limits, Profile, Verdict, place};

/// The package that makes a Worker of a crate.
pub(crate) const WORKER: &str = "worker";

impl Asked<'_, '_> {
    pub(super) fn too_heavy(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.w.nodes().filter(|at| !self.w.is_test(*at) && self.is_worker(at.file)) {
            let Kind::Str(named) = self.w.kind(at) else { continue };
            hits.extend(against_the_edge(at, self.shipped(at.file, named), "a Worker"));
        }
        let near = self.per_request();
        for at in self.playing(Role::ModelLoad.into()).filter(|at| !self.is_worker(at.file)) {
            if self.w.function_at(at).is_some_and(|of| near.contains(&of))
                && let Some(named) = self.model_file(at)
            {
                let measured = self.read(at.file, &named);
                hits.extend(against_the_edge(at, measured, "a request handler"));
            }
        }
        hits
    }

    fn is_worker(&self, file: FileId) -> bool {
        self.w
            .manifest(file)
            .is_some_and(|of| of.dependencies.iter().any(|one| one.package == WORKER && !one.dev))
    }

    /// The model of a Worker's package that is called so: embedded by its path, or fetched from the assets by its name.
    fn shipped(&self, file: FileId, named: &str) -> Option<(&str, &Profile)> {
        let name = |path: &'_ str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let (wanted, package) = (name(named), self.w.manifest(file)?.folder());
        let mut models = self.w.models.iter();
        let found = models.find(|of| {
            let inside = of
                .path
                .strip_prefix(package)
                .is_some_and(|rest| package.is_empty() || rest.starts_with('/'));
            inside && name(&of.path) == wanted
        })?;
        Some((found.path.as_str(), &found.profile))
    }

    /// The model behind a path that a program opens: relative to the package or to the workspace, where it is started.
    fn read(&self, file: FileId, named: &str) -> Option<(&str, &Profile)> {
        let source = folder(&self.w.file(file).path);
        let package = self.w.manifest(file).map_or(source, |of| of.folder());
        let paths = [join(package, named), join("", named)];
        let found = self.w.models.iter().find(|of| paths.contains(&of.path))?;
        Some((found.path.as_str(), &found.profile))
    }
}

/// A finding, unless the model may run where it is named.
fn against_the_edge(
    at: At,
    measured: Option<(&str, &Profile)>,
    place_name: &'static str,
) -> Option<Hit> {
    let (path, profile) = measured?;
    let decision = place(profile, &Limits::WORKERS, &Calibration::WORKERD);
    match decision.verdict {
        Verdict::Edge => None,
        Verdict::Gpu => {
            let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
            let hit = Hit::at(at).with("model", path).with("place", place_name);
            Some(hit.with("reason", reasons.join(", and ")))
        }
    }
}
