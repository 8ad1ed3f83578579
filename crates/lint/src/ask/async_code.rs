//! Blocking in asynchronous code, and calls started all at once.

use super::client::count;
use super::evidence::Evidence;
use super::{Asked, Hit};
use crate::facts::Kind;
use crate::knowledge::{CrateKind, Role, Roles};
use crate::model::{At, FileId, FnRef};
use crate::text::Span;
use rustc_hash::FxHashSet as HashSet;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What must not block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// A model call through a blocking client.
    Client,
    /// Sleeping, waiting for a process, driving another runtime.
    Thread,
    /// Files, in a request handler.
    Files,
    /// Running a model.
    Inference,
}

/// Where a node runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    Async,
    Sync,
    /// On a thread where blocking is fine, or nobody can tell.
    Elsewhere,
}

impl Asked<'_, '_> {
    pub(super) fn blocking(&self, what: What) -> Vec<Hit> {
        match what {
            What::Client => self.blocking_clients(),
            What::Thread => self.blocking_sites(&self.touching(), Role::Blocking),
            What::Files => self.blocking_sites(&self.near_live_handlers(), Role::BlockingIo),
            What::Inference => self.blocking_sites(&self.near_handlers(), Role::Inference),
        }
    }

    /// Where a node runs: the nearest enclosing function, closure or async block decides.
    fn runs(&self, at: At) -> Runs {
        let mut child = at;
        for up in self.w.ancestors(at) {
            match self.w.kind(up) {
                Kind::Async(_) | Kind::Closure { is_async: true, .. } => return Runs::Async,
                // A closure's body runs wherever the one who takes it runs it.
                Kind::Closure { .. } => return Runs::Elsewhere,
                Kind::Call { args, .. }
                    if args.contains(&child.node) && self.w.roles(up).has(Role::BlockingScope) =>
                {
                    return Runs::Elsewhere;
                }
                _ => {}
            }
            child = up;
        }
        match self.w.function_at(at).and_then(|of| self.w.function(of)) {
            Some(of) if of.is_async => Runs::Async,
            Some(_) => Runs::Sync,
            None => Runs::Elsewhere,
        }
    }

    /// Whether a node runs on an asynchronous thread: itself, or some caller up the graph.
    fn runs_async(&self, at: At, seen: &mut HashSet<FnRef>) -> Option<At> {
        match self.runs(at) {
            Runs::Async => Some(at),
            Runs::Elsewhere => None,
            Runs::Sync => {
                let function = self.w.function_at(at)?;
                if !seen.insert(function) || seen.len() > 200 {
                    return None;
                }
                let exact = self
                    .graph
                    .callers(function)
                    .iter()
                    .filter(|edge| edge.exact && self.is_call(edge.site));
                exact.into_iter().find_map(|edge| self.runs_async(edge.site, seen))
            }
        }
    }

    pub(super) fn is_call(&self, at: At) -> bool {
        matches!(self.w.kind(at), Kind::Call { .. } | Kind::Method { .. })
    }

    fn blocking_clients(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for call in self.live().filter(|call| call.fact.roles.has(Role::Blocking)) {
            if let Some(from) = self.runs_async(call.at, &mut HashSet::default()) {
                hits.push(Hit::at(call.at).with("from", self.title_at(from)));
            }
        }
        hits
    }

    /// Functions of packages that call or run models.
    fn touching(&self) -> HashSet<FnRef> {
        let packages: HashSet<Option<usize>> =
            self.live().map(|call| self.w.package(call.at.file)).collect();
        self.w
            .functions()
            .filter(|of| packages.contains(&self.w.package(of.file)) || self.infers(of.file))
            .collect()
    }

    fn infers(&self, file: usize) -> bool {
        let Some(manifest) = self.w.manifest(file) else { return false };
        let kinds = manifest
            .dependencies
            .iter()
            .filter(|d| !d.dev)
            .filter_map(|d| self.w.knowledge.package(&d.package));
        kinds
            .into_iter()
            .any(|known| matches!(known.kind, CrateKind::Inference | CrateKind::ModelClient))
    }

    /// Functions that request handlers call, handlers included.
    fn near_handlers(&self) -> HashSet<FnRef> {
        self.handlers.iter().flat_map(|of| self.graph.sure_reach(*of, 3)).collect()
    }

    /// The same, in packages that call or run models.
    fn near_live_handlers(&self) -> HashSet<FnRef> {
        let touching = self.touching();
        self.near_handlers()
            .into_iter()
            .filter(|of| touching.contains(of) || !self.handlers_elsewhere(*of))
            .collect()
    }

    /// Whether a function belongs to a package: what stands alone is judged as it stands.
    fn handlers_elsewhere(&self, of: FnRef) -> bool {
        self.w.package(of.file).is_some()
    }

    /// The first site of each function, and how many more it has.
    fn blocking_sites(&self, within: &HashSet<FnRef>, role: Role) -> Vec<Hit> {
        let served = self.served();
        let mut per: BTreeMap<FnRef, Vec<At>> = BTreeMap::new();
        for at in self.playing(role.into()) {
            let Some(function) = self.w.function_at(at).filter(|of| within.contains(of)) else {
                continue;
            };
            let excused = self.live_at.contains(&at)
                || self.w.is_main(function)
                || self.w.roles(at).has(Role::Client)
                || self.runs(at) != Runs::Async;
            let alone = self.waits_for_process(at) && !served.contains(&function);
            if !excused && !alone && !self.fills_a_cell(at) {
                per.entry(function).or_default().push(at);
            }
        }
        per.into_values().filter_map(|sites| self.blocking_hit(&sites)).collect()
    }

    fn blocking_hit(&self, sites: &[At]) -> Option<Hit> {
        let (first, rest) = sites.split_first()?;
        let more = match rest.len() {
            0 => String::new(),
            rest => format!(", like {} there", count(rest, "other call")),
        };
        let mut hit = Hit::at(*first).with("call", self.callee_text(*first)).with("more", more);
        hit.fix = self.awaited_sleep(*first);
        Some(hit.with("function", self.title_at(*first)))
    }

    /// `std::thread::sleep(…)` as tokio's, in a package that has tokio's clock already.
    fn awaited_sleep(&self, at: At) -> Option<(FileId, Span, String)> {
        let args = match self.w.kind(at) {
            Kind::Call { args, .. } if self.w.roles(at).has(Role::SleepBlocking) => args,
            _ => return None,
        };
        let package = self.w.package(at.file);
        let mut ours = (0..self.w.files.len()).filter(|file| self.w.package(*file) == package);
        let has_clock = ours.any(|file| self.w.code(file).contains("tokio::time::"));
        let how_long = self.w.source(at.with(*args.first()?));
        let span = self.w.file(at.file).node(at.node).span;
        has_clock.then(|| (at.file, span, format!("tokio::time::sleep({how_long}).await")))
    }

    /// Functions that a request handler leads to.
    fn served(&self) -> HashSet<FnRef> {
        self.handlers.iter().flat_map(|of| self.graph.sure_reach(*of, 10)).collect()
    }

    /// Whether a node waits for a process: in a program that serves nobody, nothing else is going on meanwhile.
    fn waits_for_process(&self, at: At) -> bool {
        matches!(self.w.kind(at), Kind::Method { name, .. } if matches!(name.as_str(), "output" | "status" | "wait" | "wait_with_output"))
    }

    /// Whether a node is part of what a cell is filled with: that happens once.
    fn fills_a_cell(&self, at: At) -> bool {
        self.w.ancestors(at).any(|up| match self.w.kind(up) {
            Kind::Method { name, .. } => {
                matches!(name.as_str(), "get_or_init" | "get_or_try_init" | "call_once")
            }
            Kind::Call { callee, .. } => {
                matches!(self.w.kind(up.with(*callee)), Kind::Path(path) if path.iter().any(|s| s == "LazyLock" || s == "Lazy"))
            }
            _ => false,
        })
    }

    fn callee_text(&self, at: At) -> String {
        match self.w.kind(at) {
            Kind::Method { name, .. } => format!(".{name}()"),
            Kind::Call { callee, .. } => self.w.source(at.with(*callee)).to_owned(),
            _ => self.w.source(at).chars().take(40).collect(),
        }
    }

    /// `join_all` over model calls with nothing that bounds them.
    pub(super) fn fan_out(&self) -> Vec<Hit> {
        let names = ["semaphore", "permit", "limit", "throttl", "chunk", "batch", "buffer"];
        let evidence = Evidence::of(
            [Role::RateLimit, Role::ConcurrencyLimit].into_iter().collect::<Roles>(),
            names,
        );
        let mut hits = Vec::new();
        for at in self.playing(Role::FanOut.into()) {
            let Some(function) = self.w.function_at(at) else { continue };
            let Some(arg) = self.w.argument(at, 0) else { continue };
            let source = match self.w.name_of(arg).and_then(|name| self.w.binding(arg, name)) {
                Some(
                    crate::model::Binding::Value { value }
                    | crate::model::Binding::Typed { value: Some(value), .. },
                ) => value,
                _ => arg,
            };
            let iterates = self.w.under(source).any(
                |inner| matches!(self.w.kind(inner), Kind::Method { name, .. } if name == "map"),
            );
            let reaches = self.w.under(source).any(|inner| self.leads_to_call(inner));
            if iterates && reaches && !self.body_shows(function, &evidence) {
                hits.push(Hit::at(at));
            }
        }
        hits
    }

    /// Whether a node is a model call, or certainly calls a function that makes one.
    pub(super) fn leads_to_call(&self, at: At) -> bool {
        self.live_at.contains(&at)
            || self.w.callee(at).is_some_and(|target| self.leading.contains(&target))
    }
}
