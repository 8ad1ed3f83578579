//! Facts of all files joined: packages, modules, names, types, calls.
//!
//! Everything here over-approximates towards silence: what cannot be known is [`Ty::Unknown`], an empty list, or a
//! marked edge, and no question fires on it.

mod build;
mod calls;
mod entry;
mod graph;
mod made;
mod modules;
mod origins;
mod requests;
mod resolve;
mod scope;
mod types;
mod values;

pub(crate) use build::{Inputs, settled};
pub(crate) use calls::{ModelCall, Purpose};
pub(crate) use graph::Graph;
pub(crate) use modules::{Def, Module, ModuleId};
pub(crate) use requests::{BODY_NAMES, SENDERS};
pub(crate) use resolve::Found;
pub(crate) use scope::Binding;
pub(crate) use types::Ty;
pub(crate) use values::{Piece, Value};

use crate::facts::{FileFacts, FnFact, FnId, Kind, ModId, Name, NodeId};
use crate::knowledge::{Fact, Knowledge};
use crate::manifest::Manifest;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::cell::{OnceCell, RefCell};

/// A file of the workspace.
pub(crate) type FileId = usize;
/// A package of the workspace.
pub(crate) type PackageId = usize;

/// A node anywhere in the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) file: FileId,
    pub(crate) node: NodeId,
}

impl At {
    /// Another node of the same file.
    pub(crate) fn with(self, node: NodeId) -> Self {
        Self { node, ..self }
    }
}

/// A function anywhere in the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FnRef {
    pub(crate) file: FileId,
    pub(crate) id: FnId,
}

/// The joined model.
pub(crate) struct Workspace<'k> {
    pub(crate) knowledge: &'k Knowledge,
    pub(crate) files: Vec<FileFacts>,
    pub(crate) texts: Vec<String>,
    /// Models that lie beside the code, measured.
    pub(crate) models: Vec<crate::engine::ModelFile>,
    /// The texts with every comment blanked, where one was asked for: what a comment says is no evidence.
    codes: Vec<OnceCell<String>>,
    pub(crate) packages: Vec<Manifest>,
    pub(crate) modules: Vec<Module>,
    package_of: Vec<Option<PackageId>>,
    module_of: HashMap<(FileId, ModId), ModuleId>,
    test_files: Vec<bool>,
    library_of: HashMap<String, ModuleId>,
    /// Every name by which a function of the workspace may be called.
    callable: HashSet<Name>,
    methods: HashMap<(Def, Name), Vec<FnRef>>,
    methods_by_name: HashMap<Name, Vec<FnRef>>,
    sites: HashMap<At, &'k Fact>,
    ordered: Vec<At>,
    literals: HashMap<Def, Vec<At>>,
    asking: RefCell<HashMap<(ModuleId, Name, bool), Option<Found>>>,
    settled: RefCell<HashMap<(ModuleId, Name, bool), Option<Found>>>,
    types: RefCell<HashMap<At, Ty>>,
    valued: RefCell<HashMap<At, Vec<Value>>>,
    depth: std::cell::Cell<u32>,
}

impl<'k> Workspace<'k> {
    pub(crate) fn file(&self, file: FileId) -> &FileFacts {
        const NONE: &FileFacts = &FileFacts::NONE;
        self.files.get(file).unwrap_or(NONE)
    }

    pub(crate) fn text(&self, file: FileId) -> &str {
        self.texts.get(file).map_or("", String::as_str)
    }

    pub(crate) fn kind(&self, at: At) -> &Kind {
        self.file(at.file).kind(at.node)
    }

    pub(crate) fn parent(&self, at: At) -> Option<At> {
        self.file(at.file).node(at.node).parent.map(|node| at.with(node))
    }

    pub(crate) fn ancestors(&self, at: At) -> impl Iterator<Item = At> + '_ {
        std::iter::successors(self.parent(at), |up| self.parent(*up))
    }

    pub(crate) fn peel(&self, at: At) -> At {
        at.with(self.file(at.file).peel(at.node))
    }

    /// The node and all below it.
    pub(crate) fn under(&self, at: At) -> impl Iterator<Item = At> + '_ {
        self.file(at.file).under(at.node).into_iter().map(move |node| at.with(node))
    }

    /// The source of a node, comments blanked.
    pub(crate) fn source(&self, at: At) -> &str {
        self.file(at.file).node(at.node).span.of(self.code(at.file))
    }

    /// A file's text, comments blanked.
    pub(crate) fn code(&self, file: FileId) -> &str {
        let text = self.text(file);
        let blanked = || build::without_comments(self.file(file), text);
        let code = self.codes.get(file).map(|code| code.get_or_init(blanked));
        code.filter(|code| !code.is_empty()).map_or(text, String::as_str)
    }

    pub(crate) fn function(&self, of: FnRef) -> Option<&FnFact> {
        self.file(of.file).function(of.id)
    }

    /// The function a node stands in.
    pub(crate) fn function_at(&self, at: At) -> Option<FnRef> {
        self.file(at.file).node(at.node).in_fn.map(|id| FnRef { file: at.file, id })
    }

    /// A function's body.
    pub(crate) fn body(&self, of: FnRef) -> Option<At> {
        self.function(of)?.body.map(|node| At { file: of.file, node })
    }

    pub(crate) fn package(&self, file: FileId) -> Option<PackageId> {
        self.package_of.get(file).copied().flatten()
    }

    pub(crate) fn manifest(&self, file: FileId) -> Option<&Manifest> {
        self.package(file).and_then(|package| self.packages.get(package))
    }

    /// Whether a file as a whole is there for tests, benchmarks or examples.
    pub(crate) fn is_test_file(&self, file: FileId) -> bool {
        self.test_files.get(file).copied().unwrap_or(false)
    }

    /// Whether a function is there for tests.
    pub(crate) fn is_test_fn(&self, of: FnRef) -> bool {
        self.is_test_file(of.file) || self.function(of).is_some_and(|f| f.test)
    }

    /// Whether a node is there for tests.
    pub(crate) fn is_test(&self, at: At) -> bool {
        self.is_test_file(at.file)
            || match self.function_at(at) {
                Some(of) => self.is_test_fn(of),
                None => self.in_test_item(at),
            }
    }

    fn in_test_item(&self, at: At) -> bool {
        let file = self.file(at.file);
        let span = file.node(at.node).span;
        file.test_items.iter().any(|of| of.holds(span))
    }

    /// Every node of every file.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = At> + '_ {
        let each = |(file, facts): (FileId, &FileFacts)| {
            (0..facts.nodes.len()).map(move |n| At { file, node: NodeId::at(n) })
        };
        self.files.iter().enumerate().flat_map(each)
    }

    /// Every function.
    pub(crate) fn functions(&self) -> impl Iterator<Item = FnRef> + '_ {
        (0..self.files.len()).flat_map(|file| self.functions_in(file))
    }

    /// Every function of a file.
    pub(crate) fn functions_in(&self, file: FileId) -> impl Iterator<Item = FnRef> + use<> {
        let count = self.files.get(file).map_or(0, |facts| facts.fns.len());
        (0..count).map(move |n| FnRef { file, id: FnId::at(n) })
    }

    /// The fact about an external path, at the version and with the features that the file's package uses.
    pub(crate) fn fact(&self, file: FileId, path: &[Name]) -> Option<&'k Fact> {
        let known = self.knowledge.lib(path.first()?)?;
        let manifest = self.manifest(file);
        let dependency =
            manifest.and_then(|m| m.dependencies.iter().find(|d| d.package == known.package));
        self.knowledge.fact(path, dependency)
    }
}
