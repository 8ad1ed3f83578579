//! Putting the model together.

use super::{FileId, Workspace};
use crate::engine::ModelFile;
use crate::facts::{FileFacts, Name};
use crate::knowledge::Knowledge;
use crate::manifest::{Lock, Manifest, folder};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// What a model is built from: every path relative to the folder linted.
#[derive(Default)]
pub(crate) struct Inputs {
    /// Facts and texts of Rust files.
    pub(crate) files: Vec<(FileFacts, String)>,
    /// `Cargo.toml` files.
    pub(crate) manifests: Vec<Manifest>,
    /// `Cargo.lock` files.
    pub(crate) locks: Vec<(String, Lock)>,
    /// Measured models.
    pub(crate) models: Vec<ModelFile>,
}

/// Whether a path lies where tests, benchmarks and examples live.
pub(crate) fn is_test_path(path: &str) -> bool {
    let mut folders = path.split('/').rev().skip(1);
    let file = path.rsplit('/').next().unwrap_or_default();
    let by_folder = folders.any(|name| {
        matches!(
            name,
            "tests"
                | "test"
                | "benches"
                | "examples"
                | "example"
                | "testing"
                | "testdata"
                | "fuzz"
                | "mocks"
                | "__tests__"
        )
    });
    by_folder
        || matches!(
            file,
            "tests.rs"
                | "test.rs"
                | "testing.rs"
                | "mock.rs"
                | "mocks.rs"
                | "test_utils.rs"
                | "build.rs"
        )
        || file.ends_with("_test.rs")
        || file.ends_with("_tests.rs")
}

impl<'k> Workspace<'k> {
    /// Joins facts into a model.
    pub(crate) fn build(inputs: Inputs, knowledge: &'k Knowledge) -> Self {
        let packages = settled(inputs.manifests, &inputs.locks);
        let (files, texts): (Vec<FileFacts>, Vec<String>) = inputs.files.into_iter().unzip();
        let by_folder: HashMap<String, usize> = packages
            .iter()
            .enumerate()
            .filter(|(_, package)| package.name.is_some())
            .map(|(id, package)| (package.folder().to_owned(), id))
            .collect();
        let package_of = files.iter().map(|file| nearest(&by_folder, &file.path)).collect();
        let test_files = files.iter().map(|file| is_test_path(&file.path)).collect();
        let codes = files.iter().map(|_| std::cell::OnceCell::new()).collect();
        let callable = callable(&files);
        let mut workspace = Self {
            knowledge,
            files,
            texts,
            models: inputs.models,
            codes,
            packages,
            package_of,
            test_files,
            modules: Vec::new(),
            module_of: HashMap::default(),
            library_of: HashMap::default(),
            callable,
            methods: HashMap::default(),
            methods_by_name: HashMap::default(),
            sites: HashMap::default(),
            ordered: Vec::new(),
            literals: HashMap::default(),
            asking: HashMap::default().into(),
            settled: HashMap::default().into(),
            types: HashMap::default().into(),
            valued: HashMap::default().into(),
            depth: 0.into(),
        };
        workspace.build_modules();
        workspace.mark_test_modules();
        workspace.index_methods();
        workspace.index_literals();
        workspace.index_roles();
        workspace
    }

    /// Functions in a module that another file declares under `#[cfg(test)]` are test functions.
    fn mark_test_modules(&mut self) {
        let marked: Vec<(FileId, crate::facts::ModId)> = self
            .modules
            .iter()
            .filter(|module| module.test)
            .map(|module| (module.file, module.local))
            .collect();
        for (file, local) in marked {
            for of in self.files.get_mut(file).into_iter().flat_map(|facts| facts.fns.iter_mut()) {
                of.test |= of.module == local;
            }
        }
    }
}

/// The names of all functions, and the names that imports give to others.
fn callable(files: &[FileFacts]) -> HashSet<Name> {
    let named = files.iter().flat_map(|file| &file.fns).map(|of| of.name.clone());
    let renamed =
        files.iter().flat_map(|file| &file.uses).filter(|of| of.path.last() != Some(&of.name));
    named.chain(renamed.map(|of| of.name.clone())).collect()
}

/// A text of the same length with its comments blanked; empty where it has none.
pub(super) fn without_comments(file: &FileFacts, text: &str) -> String {
    if file.scan.comments.is_empty() || file.nodes.is_empty() {
        return String::new();
    }
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    for comment in &file.scan.comments {
        let (start, end) =
            (crate::text::index(comment.span.start), crate::text::index(comment.span.end));
        code.push_str(text.get(at..start).unwrap_or_default());
        code.extend(std::iter::repeat_n(' ', end - start));
        at = end;
    }
    code.push_str(text.get(at..).unwrap_or_default());
    code
}

fn nearest(by_folder: &HashMap<String, usize>, path: &str) -> Option<usize> {
    let mut at = folder(path);
    loop {
        if let Some(package) = by_folder.get(at) {
            return Some(*package);
        }
        if at.is_empty() {
            return None;
        }
        at = folder(at);
    }
}

/// Manifests with their dependencies, as their workspaces and lock files say.
pub(crate) fn settled(mut manifests: Vec<Manifest>, locks: &[(String, Lock)]) -> Vec<Manifest> {
    let roots: Vec<Manifest> =
        manifests.iter().filter(|manifest| manifest.is_workspace()).cloned().collect();
    let none = Lock::default();
    for manifest in &mut manifests {
        let above = |place: &str| {
            place.is_empty()
                || manifest.folder() == place
                || manifest.folder().starts_with(&format!("{place}/"))
        };
        let root =
            roots.iter().filter(|root| above(root.folder())).max_by_key(|root| root.folder().len());
        let lock =
            locks.iter().filter(|(path, _)| above(folder(path))).max_by_key(|(path, _)| path.len());
        let lock = lock.map_or(&none, |(_, lock)| lock);
        manifest.settle(root, lock);
    }
    manifests
}
