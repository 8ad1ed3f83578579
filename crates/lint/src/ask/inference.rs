//! Models that the code runs itself: loaded once, placed by choice, errors handled, the library's tokenizer.

use super::{Asked, Hit};
use crate::facts::Kind;
use crate::knowledge::{CrateKind, Role, Roles};
use crate::model::{At, FileId, FnRef, Piece};
use rustc_hash::FxHashSet as HashSet;
use serde::Deserialize;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flaw {
    /// Loaded by a request handler.
    PerRequest,
    /// Loaded in a loop.
    InLoop,
    /// On a GPU that may not be there.
    GpuOnly,
    /// Without any choice of device.
    NoDevice,
    /// Its errors are unwrapped.
    Unwrapped,
    /// Its text is split by hand.
    HandTokenized,
    /// In a Worker or a handler, and too heavy for it.
    TooHeavy,
}

const ONCE: &[&str] = &[
    "OnceLock",
    "OnceCell",
    "LazyLock",
    "Lazy",
    "lazy_static",
    "get_or_init",
    "get_or_try_init",
    "get_or_insert",
    "or_insert",
    "call_once",
    "cache",
    "thread_local",
];

impl Asked<'_, '_> {
    pub(super) fn inference(&self, flaw: Flaw) -> Vec<Hit> {
        match flaw {
            Flaw::PerRequest => self.loaded_per_request(),
            Flaw::InLoop => self.loaded_in_loops(),
            Flaw::GpuOnly => self.gpu_only(),
            Flaw::NoDevice => self.no_device(),
            Flaw::Unwrapped => self.inference_unwrapped(),
            Flaw::HandTokenized => self.hand_tokenized(),
            Flaw::TooHeavy => self.too_heavy(),
        }
    }

    fn once(&self, of: FnRef) -> bool {
        let text = self.w.body(of).map_or("", |body| self.w.source(body));
        ONCE.iter().any(|word| text.contains(word)) || self.keeps(of)
    }

    /// Whether a function puts what it made where the next call finds it: `*slot = Some(made)`.
    fn keeps(&self, of: FnRef) -> bool {
        let Some(body) = self.w.body(of) else { return false };
        self.w.under(body).any(|at| match self.w.kind(at) {
            Kind::Assign { target, value, .. } => {
                let lasting = match self.w.kind(self.w.peel(at.with(*target))) {
                    Kind::Field { .. } => true,
                    _ => matches!(self.w.kind(at.with(*target)), Kind::Wrap(_)),
                };
                let filled = matches!(self.w.kind(at.with(*value)), Kind::Call { callee, .. }
                    if matches!(self.w.kind(at.with(*callee)), Kind::Path(path) if path.last().is_some_and(|last| last == "Some")));
                lasting && filled
            }
            _ => false,
        })
    }

    fn loaded_per_request(&self) -> Vec<Hit> {
        let near = self.per_request();
        let loads = self
            .playing(Role::ModelLoad.into())
            .filter(|at| self.w.function_at(*at).is_some_and(|of| near.contains(&of)));
        loads.map(|at| Hit::at(at).with("function", self.title_at(at))).collect()
    }

    /// Functions that run anew for each request: handlers, and what they call.
    pub(super) fn per_request(&self) -> HashSet<FnRef> {
        let mut near: HashSet<FnRef> = HashSet::default();
        let mut edge: Vec<FnRef> =
            self.handlers.iter().copied().filter(|of| !self.once(*of)).collect();
        for _ in 0..4 {
            let next = edge
                .iter()
                .flat_map(|of| self.graph.likely_reach(*of, 1))
                .filter(|of| !self.once(*of) && !near.contains(of))
                .collect();
            near.extend(edge);
            edge = next;
        }
        near
    }

    fn loaded_in_loops(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.playing(Role::ModelLoad.into()) {
            let Some(around) = self.loop_around(at) else { continue };
            // Loading one model per file listed is not loading one model again.
            let varies = match self.w.kind(around) {
                Kind::Loop { pat, .. } => pat.names.iter().any(|name| {
                    self.w.under(self.statement(at)).any(|inner| self.w.is_name(inner, name))
                }),
                _ => false,
            };
            if !varies {
                hits.push(Hit::at(at).with("function", self.title_at(at)));
            }
        }
        hits
    }

    fn gpu_only(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.playing(Role::DeviceGpu.into()) {
            let package = self.w.package(at.file);
            let chosen: Roles = [Role::DeviceAuto, Role::DeviceCpu].into_iter().collect();
            let elsewhere = self.playing(chosen).any(|other| self.w.package(other.file) == package);
            let forced =
                self.links_after(at).first().is_some_and(|link| match self.w.kind(*link) {
                    Kind::Try(_) => true,
                    Kind::Method { name, .. } => matches!(name.as_str(), "unwrap" | "expect"),
                    _ => false,
                });
            if forced && !elsewhere {
                hits.push(Hit::at(at));
            }
        }
        hits
    }

    fn no_device(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.playing(Role::ModelLoad.into()) {
            let ort = self.w.known(at).is_some_and(|fact| {
                fact.path.first().is_some_and(|first| first == "SessionBuilder")
            });
            let text = self
                .w
                .function_at(at)
                .and_then(|of| self.w.body(of))
                .map_or("", |body| self.w.source(body));
            let package = self.w.package(at.file);
            let chosen = self
                .playing(Role::DeviceAuto.into())
                .any(|other| self.w.package(other.file) == package);
            if ort
                && !chosen
                && !text.contains("execution_provider")
                && !text.contains("ExecutionProvider")
            {
                let file = self.model_file(at).map(|file| format!(", `{file}`,"));
                hits.push(Hit::at(at).with("model", file.unwrap_or_default()));
            }
        }
        hits
    }

    /// The file a load reads, where the code names it.
    pub(super) fn model_file(&self, load: At) -> Option<String> {
        let path = self.w.argument(load, 0)?;
        let values = self.w.expanded(self.w.values(path), self.graph, 2);
        let texts = values.into_iter().filter_map(|value| match value.as_slice() {
            [Piece::Text(text, _)] => Some(text.clone()),
            _ => None,
        });
        let kinds = [".onnx", ".nnef.tar", ".safetensors", ".gguf", ".pt", ".pth", ".mpk", ".bin"];
        texts.into_iter().find(|text| kinds.iter().any(|kind| text.ends_with(kind)))
    }

    fn inference_unwrapped(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.playing(Role::Inference.into()) {
            if let Some(link) = self.links_after(at).first().copied()
                && let Kind::Method { name, .. } = self.w.kind(link)
                && matches!(name.as_str(), "unwrap" | "expect")
            {
                hits.push(
                    Hit::link(self.w, link)
                        .with("method", name.as_str())
                        .with("function", self.title_at(link)),
                );
            }
        }
        hits
    }

    /// A function called `tokenize` that splits at white space, in a package that runs models and has no tokenizer.
    fn hand_tokenized(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        let files = (0..self.w.files.len()).filter(|file| self.runs_without_tokenizer(*file));
        for of in files.flat_map(|file| self.w.functions_in(file)) {
            let (Some(fact), Some(body)) = (self.w.function(of), self.w.body(of)) else { continue };
            if !fact.name.contains("tokenize") && !fact.name.contains("tokens_of") {
                continue;
            }
            let splits = self.w.under(body).any(|at| matches!(self.w.kind(at), Kind::Method { name, .. } if matches!(name.as_str(), "split_whitespace" | "split_ascii_whitespace")));
            let numbers = fact
                .output
                .any(&mut |ty| matches!(ty.name(), Some("i64" | "u32" | "i32" | "usize" | "u64")));
            if splits && numbers && !self.w.is_test_fn(of) {
                hits.push(Hit::in_file(of.file, fact.span).with("function", self.w.title(of)));
            }
        }
        hits
    }

    /// Whether a file's package depends on something that runs models, and on no tokenizer.
    fn runs_without_tokenizer(&self, file: FileId) -> bool {
        self.w.manifest(file).is_some_and(|manifest| {
            let known = || {
                manifest.dependencies.iter().filter_map(|d| self.w.knowledge.package(&d.package))
            };
            known().any(|k| k.kind == CrateKind::Inference)
                && !known().any(|k| k.present.has(Role::Tokenizer))
        })
    }

    /// Whether a node is part of running a model.
    pub(super) fn runs_models(&self) -> bool {
        let roles: Roles = [Role::ModelLoad, Role::Inference].into_iter().collect();
        self.playing(roles).next().is_some()
    }

    /// The first node at which a model is loaded or run.
    pub(super) fn first_load(&self) -> Option<At> {
        self.playing(Role::ModelLoad.into()).next()
    }
}
