//! The closed set of questions that rules may ask of the model.
//!
//! A rule file names a question and its parameters; the answer is a list of hits. A question that cannot be answered with
//! some certainty answers nothing.

mod async_code;
mod cache;
mod client;
mod evidence;
mod flows;
mod gemini;
mod inference;
mod literals;
mod paths;
mod placed;
mod results;
mod retry;
mod secrets;
mod settings;
mod tests_of;
mod unwrapped;
mod whole;

use crate::facts::{Kind, Name};
use crate::knowledge::{Role, Roles};
use crate::model::{At, FileId, FnRef, Graph, ModelCall, PackageId, Workspace};
use crate::text::Span;
use rustc_hash::FxHashSet as HashSet;
use serde::Deserialize;
use std::cell::OnceCell;

pub(crate) use literals::Slot;
pub(crate) use placed::WORKER;
pub(crate) use secrets::{KEYED_URLS, SECRET_FILES, SECRET_NAMES, is_key, key_prefixes};

/// Where a hit lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// At a node.
    Node(At),
    /// At a range of a file.
    Range(FileId, Span),
    /// At a package's name in its manifest.
    Package(PackageId),
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) place: Place,
    /// Values for the rule's message.
    pub(crate) details: Vec<(&'static str, String)>,
    /// One step lighter than the rule's severity: evidence is there, but not linked.
    pub(crate) lighter: bool,
    /// A safe change: a span of the hit's file and what replaces it.
    pub(crate) fix: Option<(FileId, Span, String)>,
}

impl Hit {
    pub(crate) fn at(at: At) -> Self {
        Self { place: Place::Node(at), details: Vec::new(), lighter: false, fix: None }
    }

    pub(crate) fn in_file(file: FileId, span: Span) -> Self {
        Self {
            place: Place::Range(file, span),
            ..Self::at(At { file, node: crate::facts::NodeId::at(0) })
        }
    }

    /// At a link of a method chain: from the method's name on.
    pub(crate) fn link(workspace: &Workspace<'_>, at: At) -> Self {
        let span = workspace.file(at.file).node(at.node).span;
        match workspace.kind(at) {
            Kind::Method { at: name, .. } => {
                Self::in_file(at.file, Span { start: *name, end: span.end })
            }
            _ => Self::at(at),
        }
    }

    pub(crate) fn package(package: PackageId) -> Self {
        Self { place: Place::Package(package), ..Self::in_file(0, Span::default()) }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    pub(crate) fn lighter(mut self, lighter: bool) -> Self {
        self.lighter = lighter;
        self
    }
}

/// A question with its parameters, as a rule file writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "question", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Question {
    /// A client that a model call goes through is made without a role, and nothing around the call supplies it.
    ClientLacks { role: Role, scope: Role, partial: Option<Role> },
    /// A client is made with only a weaker form of a role.
    ClientOnly { role: Role, instead: Role },
    /// Some path from an entry point to a model call meets no evidence of a role, by knowledge or by name.
    PathLacks {
        roles: Vec<Role>,
        names: Vec<Name>,
        embeddings: bool,
        #[serde(default)]
        programs: paths::Programs,
        #[serde(default)]
        unlinked: paths::Unlinked,
    },
    /// A literal flows into a slot of a model request.
    LiteralIn { slot: Slot, test: literals::Test },
    /// A request for text is built without a slot.
    RequestLacks { slot: Slot },
    /// A literal looks like a provider's key.
    SecretLiteral {},
    /// Something secret goes where it does not belong.
    SecretIn { place: secrets::Place },
    /// Something that blocks stands in asynchronous code.
    BlockingInAsync { what: async_code::What },
    /// Many calls are started at once without a bound.
    FanOut {},
    /// The result of a call is mishandled.
    Result { flaw: results::Flaw },
    /// A retry is of the wrong shape.
    Retry { flaw: retry::Flaw },
    /// A structure of model settings lacks something.
    Settings { lacks: settings::Lack },
    /// A cache of replies is flawed.
    Cache { flaw: cache::Flaw },
    /// A model is loaded, placed or fed the wrong way.
    Inference { flaw: inference::Flaw },
    /// A value flows where it must not without a check.
    Flow { flow: flows::Flow },
    /// A package that has something lacks something else.
    Whole { when: whole::When, lacks: whole::Lack },
    /// A test is of the wrong shape.
    Test { flaw: tests_of::Flaw },
    /// The linter's own upkeep: answered outside the model.
    Upkeep {},
}

/// What questions are asked of.
pub(crate) struct Asked<'w, 'k> {
    pub(crate) w: &'w Workspace<'k>,
    pub(crate) graph: &'w Graph,
    pub(crate) calls: &'w [ModelCall<'k>],
    pub(crate) handlers: &'w HashSet<FnRef>,
    /// Live calls by place, and the functions that certainly lead to one within three calls.
    pub(crate) live_at: HashSet<At>,
    pub(crate) leading: HashSet<FnRef>,
    /// Today, as `YYYY-MM-DD`.
    pub(crate) today: &'w str,
    /// Where model requests are written out, once somebody asked.
    bodies: OnceCell<Vec<At>>,
}

impl<'w, 'k> Asked<'w, 'k> {
    /// Everything questions need, once per run.
    pub(crate) fn new(
        w: &'w Workspace<'k>,
        graph: &'w Graph,
        calls: &'w [ModelCall<'k>],
        handlers: &'w HashSet<FnRef>,
        today: &'w str,
    ) -> Self {
        let live = || calls.iter().filter(|call| !call.test);
        let live_at = live().map(|call| call.at).collect();
        let leading = live().flat_map(|call| graph.surely_reached_by(call.function, 3)).collect();
        Self { w, graph, calls, handlers, live_at, leading, today, bodies: OnceCell::new() }
    }

    /// Answers a question.
    pub(crate) fn answer(&self, question: &Question) -> Vec<Hit> {
        match question {
            Question::ClientLacks { role, scope, partial } => {
                self.client_lacks(*role, *scope, *partial)
            }
            Question::ClientOnly { role, instead } => self.client_only(*role, *instead),
            Question::PathLacks { roles, names, embeddings, programs, unlinked } => {
                let words = names.iter().map(Name::as_str);
                let evidence = evidence::Evidence::of(roles.iter().copied().collect(), words);
                self.path_lacks(&evidence, *embeddings, *programs, *unlinked)
            }
            Question::LiteralIn { slot, test } => self.literal_in(*slot, test),
            Question::RequestLacks { slot } => self.request_lacks(*slot),
            Question::SecretLiteral {} => self.secret_literals(),
            Question::SecretIn { place } => self.secret_in(*place),
            Question::BlockingInAsync { what } => self.blocking(*what),
            Question::FanOut {} => self.fan_out(),
            Question::Result { flaw } => self.results(*flaw),
            Question::Retry { flaw } => self.retries(*flaw),
            Question::Settings { lacks } => self.settings(*lacks),
            Question::Cache { flaw } => self.caches(*flaw),
            Question::Inference { flaw } => self.inference(*flaw),
            Question::Flow { flow } => self.flows(*flow),
            Question::Whole { when, lacks } => self.whole(*when, *lacks),
            Question::Test { flaw } => self.tests(*flaw),
            Question::Upkeep {} => Vec::new(),
        }
    }

    /// Model calls outside test code.
    pub(crate) fn live(&self) -> impl Iterator<Item = &'w ModelCall<'k>> {
        self.calls.iter().filter(|call| !call.test)
    }

    /// Nodes outside test code that play one of the roles.
    pub(crate) fn playing(&self, roles: Roles) -> impl Iterator<Item = At> {
        let w = self.w;
        let found = w.roles_sites().filter(move |(at, has)| has.any(roles) && !w.is_test(*at));
        found.map(|(at, _)| at)
    }

    /// The innermost function, named for readers.
    pub(crate) fn title_at(&self, at: At) -> String {
        self.w.function_at(at).map_or_else(|| "a constant".to_owned(), |of| self.w.title(of))
    }
}
