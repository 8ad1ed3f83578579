//! The sieve before parsing: which packages may touch models, and so have to be parsed.
//!
//! A package touches models when it depends on a library that calls or runs them, or when a source file of it holds the
//! address of a hosted model, a request body or a key. What depends on such a package is parsed too, because it may hold
//! the entry points; and what these use of the workspace, because it may hold limiters, caches and settings.
//! Evidence never decides: a package without a model has nothing to protect. Files of no package are always parsed.

use super::Linter;
use crate::knowledge::{CrateKind, Knowledge};
use crate::manifest::{Lock, Manifest};
use crate::model::settled;
use std::collections::{BTreeSet, HashMap};

/// What a request or a key looks like in a source file, wherever it is sent.
const BODIES: &[&str] = &[
    "\"sk-",
    "\"gsk_",
    "\"AIza",
    "\"hf_",
    "\"xai-",
    "\"AKIA",
    "\"model\"",
    "\\\"model\\\"",
    "\"messages\"",
    "\\\"messages\\\"",
];

/// Every string that marks a source file; each is longer than three bytes.
pub(super) fn needles(knowledge: &Knowledge) -> Vec<String> {
    let bodies = BODIES.iter().copied();
    knowledge
        .endpoints
        .needles()
        .chain(bodies)
        .filter(|of| of.len() > 3)
        .map(str::to_owned)
        .collect()
}

impl Linter {
    /// Whether a source file holds anything that a package which touches models would hold.
    pub fn touches(&self, text: &str) -> bool {
        self.needles.is_match(text)
    }

    /// The folders of the packages to parse, given every manifest as path and text, and the folders of packages with a
    /// source file that [`Linter::touches`]. The empty folder stands for files that belong to no package.
    pub fn worth_parsing(
        &self,
        manifests: &[(String, String)],
        touched: BTreeSet<String>,
    ) -> BTreeSet<String> {
        let read = manifests.iter().map(|(path, text)| Manifest::read(path, text)).collect();
        let packages = settled(read, &[(String::new(), Lock::default())]);
        let mut worth = touched;
        worth.insert(String::new());
        let depends =
            |of: &&Manifest| of.dependencies.iter().any(|one| self.is_model(&one.package));
        worth.extend(packages.iter().filter(depends).map(|of| of.folder().to_owned()));
        let local = Local::of(&packages);
        worth.extend(local.users(&worth));
        worth.extend(local.uses(&worth));
        worth
    }

    fn is_model(&self, package: &str) -> bool {
        self.knowledge.package(package).is_some_and(|known| match known.kind {
            CrateKind::ModelClient | CrateKind::Inference => true,
            CrateKind::Http | CrateKind::Server | CrateKind::Support => false,
        })
    }
}

/// Who uses whom among the packages of one workspace, by folder.
struct Local<'m>(Vec<(&'m str, Vec<&'m str>)>);

impl<'m> Local<'m> {
    fn of(packages: &'m [Manifest]) -> Self {
        let folders: HashMap<&str, &str> =
            packages.iter().map(|of| (of.folder(), of.folder())).collect();
        let uses = |of: &'m Manifest| {
            let paths = of.dependencies.iter().filter_map(|one| one.folder.as_deref());
            (of.folder(), paths.filter_map(|path| folders.get(path).copied()).collect())
        };
        Self(packages.iter().map(uses).collect())
    }

    /// Everyone who uses one of `these`, at any remove.
    fn users(&self, these: &BTreeSet<String>) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = these.clone();
        loop {
            let before = found.len();
            for (folder, uses) in &self.0 {
                if uses.iter().any(|used| found.contains(*used)) {
                    found.insert((*folder).to_owned());
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Everything that `these` use themselves.
    fn uses(&self, these: &BTreeSet<String>) -> BTreeSet<String> {
        let of_these = self.0.iter().filter(|(folder, _)| these.contains(*folder));
        of_these.flat_map(|(_, uses)| uses.iter().map(|used| (*used).to_owned())).collect()
    }
}
