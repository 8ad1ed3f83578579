//! The sieve before parsing: which packages may touch models, and so have to be parsed.
//!
//! A package touches models when it depends on a library that calls or runs them, or is one; when a source file of it
//! holds the body of a request or a secret out of place; when one holds a part of a model's address, and the package can
//! send requests. What depends on such a package is parsed too, because it may hold the entry points; and what these use
//! of the workspace, because it may hold limiters, caches and settings. Files of no package are always parsed.

use super::Linter;
use super::traces::Traces;
use crate::ask::WORKER;
use crate::knowledge::{CrateKind, Known, Role, Roles};
use crate::manifest::{Lock, Manifest};
use crate::model::settled;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What nothing plays in a package that has nothing to do with models.
const OF_MODELS: [Role; 9] = [
    Role::ModelCall,
    Role::EmbeddingCall,
    Role::StreamCall,
    Role::RequestBuilder,
    Role::ModelLoad,
    Role::Inference,
    Role::Training,
    Role::TrackerStart,
    Role::SetKey,
];

impl Linter {
    /// What a source file shows of models.
    pub fn traces(&self, text: &str) -> Traces {
        self.tracker.traces(text, &self.knowledge)
    }

    /// The folders of the packages to parse, given every manifest as path and text, and the [`Traces`] in the source
    /// files of each folder with one. The empty folder stands for files that belong to no package.
    pub fn worth_parsing(
        &self,
        manifests: &[(String, String)],
        traces: &BTreeMap<String, Traces>,
    ) -> BTreeSet<String> {
        let read = manifests.iter().map(|(path, text)| Manifest::read(path, text)).collect();
        let packages = settled(read, &[(String::new(), Lock::default())]);
        let local = Local::of(&packages);
        let folders = |test: &dyn Fn(&Manifest) -> bool| -> BTreeSet<String> {
            packages.iter().filter(|of| test(of)).map(|of| of.folder().to_owned()).collect()
        };
        let sending = local.users(&folders(&|of| self.depends(of, sends)));
        let touched = traces.iter().filter(|(folder, traces)| {
            traces.own || (traces.address && sending.contains(folder.as_str()))
        });
        let mut worth = folders(&|of| {
            of.name.as_deref().is_none_or(|name| self.knowledge.package(name).is_some_and(models))
                || self.depends(of, models)
                || of.dependencies.iter().any(|one| one.package == WORKER)
        });
        worth.extend(touched.map(|(folder, _)| folder.clone()));
        worth.insert(String::new());
        worth.extend(local.users(&worth));
        worth.extend(local.uses(&worth));
        worth
    }

    /// Whether a package depends on a library that is known for something.
    fn depends(&self, package: &Manifest, known: fn(&Known) -> bool) -> bool {
        let mut depended = package.dependencies.iter().map(|one| one.package.as_str());
        depended.any(|name| self.knowledge.package(name).is_some_and(known))
    }
}

/// Whether a library calls models, runs them, or is of use to nothing else.
fn models(known: &Known) -> bool {
    match known.kind {
        CrateKind::ModelClient | CrateKind::Inference => true,
        CrateKind::Http => false,
        CrateKind::Server | CrateKind::Support => {
            known.roles().any(OF_MODELS.into_iter().collect::<Roles>())
        }
    }
}

/// Whether a library sends HTTP requests.
fn sends(known: &Known) -> bool {
    known.roles().has(Role::HttpSend)
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
