//! The module tree, from each crate root down, over files.

use super::{FileId, PackageId, Workspace};
use crate::facts::{FnId, ModFact, ModId, Name};
use crate::manifest::{TargetKind, folder, join};
use rustc_hash::FxHashMap as HashMap;

/// A module of the workspace.
pub(crate) type ModuleId = usize;

/// Something a name can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Def {
    /// A function.
    Fn(FileId, FnId),
    /// A struct: an index into its file's structs.
    Struct(FileId, usize),
    /// An enum.
    Enum(FileId, usize),
    /// A constant or a static.
    Const(FileId, usize),
    /// A type alias.
    Alias(FileId, usize),
    /// A trait: an index into its file's impls.
    Trait(FileId, usize),
    /// A module.
    Module(ModuleId),
}

/// One module.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: FileId,
    pub(crate) local: ModId,
    pub(crate) parent: Option<ModuleId>,
    /// The root of its crate.
    pub(crate) root: ModuleId,
    /// The package it belongs to.
    pub(crate) package: Option<PackageId>,
    /// Its path below the crate root.
    pub(crate) path: Vec<Name>,
    /// Whether it is compiled for tests only.
    pub(crate) test: bool,
    /// What its crate is.
    pub(crate) kind: Option<TargetKind>,
    /// What it defines.
    pub(crate) names: HashMap<Name, Vec<Def>>,
    /// What it imports by name: indexes into its file's uses.
    pub(crate) imports: HashMap<Name, Vec<usize>>,
    /// What it imports by glob.
    pub(crate) globs: Vec<usize>,
    /// The same module in other files: those `include!` puts into it, or that it is put into.
    pub(crate) included: Vec<ModuleId>,
}

impl Workspace<'_> {
    /// Builds every module reachable from a crate root, then one for each file that is left.
    pub(super) fn build_modules(&mut self) {
        let by_path: HashMap<String, FileId> =
            self.files.iter().enumerate().map(|(id, file)| (file.path.clone(), id)).collect();
        for (path, kind, package) in self.roots() {
            let Some(file) = by_path.get(&path).copied() else { continue };
            if self.module_of.contains_key(&(file, ModId::default())) {
                continue;
            }
            let root = self.root_module(file, Some(kind), package);
            if kind == TargetKind::Lib
                && let Some(package) = package.and_then(|p| self.packages.get(p))
            {
                self.library_of.insert(package.lib.clone(), root);
            }
            self.descend(root, &by_path);
        }
        for file in 0..self.files.len() {
            if !self.module_of.contains_key(&(file, ModId::default())) {
                let root = self.root_module(file, None, self.package(file));
                self.descend(root, &by_path);
            }
        }
        self.define();
    }

    fn root_module(
        &mut self,
        file: FileId,
        kind: Option<TargetKind>,
        package: Option<PackageId>,
    ) -> ModuleId {
        let id = self.modules.len();
        let test = self.is_test_file(file) || kind == Some(TargetKind::TestLike);
        self.modules.push(Module { file, root: id, package, kind, test, ..Module::default() });
        self.module_of.insert((file, ModId::default()), id);
        id
    }

    /// Crate roots: those the manifest names, then those Cargo finds by itself.
    fn roots(&self) -> Vec<(String, TargetKind, Option<PackageId>)> {
        let mut found = Vec::new();
        let places = self.target_places();
        for (id, package) in self.packages.iter().enumerate() {
            if package.name.is_none() {
                continue;
            }
            found.extend(
                package.targets.iter().map(|target| (target.path.clone(), target.kind, Some(id))),
            );
            let at = |path: &str| join(package.folder(), path);
            found.push((at("src/lib.rs"), TargetKind::Lib, Some(id)));
            found.push((at("src/main.rs"), TargetKind::Bin, Some(id)));
            found.push((at("build.rs"), TargetKind::Build, Some(id)));
            for (place, kind) in [
                ("src/bin", TargetKind::Bin),
                ("tests", TargetKind::TestLike),
                ("benches", TargetKind::TestLike),
                ("examples", TargetKind::TestLike),
            ] {
                let direct = places.get(at(place).as_str()).into_iter().flatten();
                found.extend(direct.map(|path| ((*path).to_owned(), kind, Some(id))));
            }
        }
        found
    }

    /// The files that Cargo would take for targets if it looked in a folder: `<folder>/a.rs`, `<folder>/a/main.rs`.
    fn target_places(&self) -> HashMap<&str, Vec<&str>> {
        let mut places: HashMap<&str, Vec<&str>> = HashMap::default();
        for file in &self.files {
            let path = file.path.as_str();
            places.entry(folder(path)).or_default().push(path);
            if path.ends_with("/main.rs") && !folder(path).is_empty() {
                places.entry(folder(folder(path))).or_default().push(path);
            }
        }
        places
    }

    /// Adds the modules below `top`, file by file; a cycle of `#[path]` ends at the module already there.
    fn descend(&mut self, top: ModuleId, by_path: &HashMap<String, FileId>) {
        let mut open = vec![(top, self.child_folder(top))];
        while let Some((id, place)) = open.pop() {
            let Some(module) = self.modules.get(id) else { continue };
            let (file, local, root, kind, package) =
                (module.file, module.local, module.root, module.kind, module.package);
            let (path, test, parent) = (module.path.clone(), module.test, module.parent);
            let children: Vec<(ModId, ModFact)> = self
                .file(file)
                .mods
                .iter()
                .enumerate()
                .skip(1)
                .filter(|(_, of)| of.parent == local)
                .map(|(at, of)| (ModId(crate::text::offset(at)), of.clone()))
                .collect();
            for (child, of) in children {
                let mut path = path.clone();
                path.extend(Some(of.name.clone()).filter(|_| !of.included));
                let below = join(&place, &of.name);
                let target = if of.inline {
                    Some((file, child, below))
                } else {
                    let direct = of.path.map(|at| join(folder(&self.file(file).path), &at));
                    let beside = [format!("{below}.rs"), format!("{below}/mod.rs")];
                    let found = direct
                        .into_iter()
                        .chain(beside.into_iter().filter(|_| !of.included))
                        .find_map(|path| by_path.get(path.trim_start_matches('/')).copied());
                    found.map(|found| (found, ModId::default(), below))
                };
                let Some((file, local, below)) = target else { continue };
                if self.module_of.contains_key(&(file, local)) {
                    continue;
                }
                let below =
                    if of.included { folder(&self.file(file).path).to_owned() } else { below };
                let next = self.modules.len();
                let test = test || of.test;
                self.modules.push(Module {
                    file,
                    local,
                    parent: if of.included { parent } else { Some(id) },
                    root,
                    package,
                    path,
                    test,
                    kind,
                    included: if of.included { vec![id] } else { Vec::new() },
                    ..Module::default()
                });
                self.module_of.insert((file, local), next);
                if let Some(parent) = self.modules.get_mut(id) {
                    if of.included {
                        parent.included.push(next);
                    } else {
                        parent.names.entry(of.name).or_default().push(Def::Module(next));
                    }
                }
                if test
                    && local == ModId::default()
                    && let Some(flag) = self.test_files.get_mut(file)
                {
                    *flag = true;
                }
                open.push((next, below));
            }
        }
    }

    /// The folder in which a root's child modules are looked for.
    fn child_folder(&self, root: ModuleId) -> String {
        let path = self.modules.get(root).map_or("", |module| self.file(module.file).path.as_str());
        let stem = path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let known = self.modules.get(root).is_some_and(|module| module.kind.is_some());
        if known || matches!(stem, "lib" | "main" | "mod") {
            folder(path).to_owned()
        } else {
            join(folder(path), stem)
        }
    }

    /// Fills every module's names and imports.
    fn define(&mut self) {
        let mut defs: Vec<(FileId, ModId, Name, Def)> = Vec::new();
        for (file, facts) in self.files.iter().enumerate() {
            let free = facts.fns.iter().enumerate().filter(|(_, of)| of.block.is_none());
            defs.extend(
                free.map(|(at, of)| {
                    (file, of.module, of.name.clone(), Def::Fn(file, FnId::at(at)))
                }),
            );
            defs.extend(
                facts
                    .structs
                    .iter()
                    .enumerate()
                    .map(|(at, of)| (file, of.module, of.name.clone(), Def::Struct(file, at))),
            );
            defs.extend(
                facts
                    .enums
                    .iter()
                    .enumerate()
                    .map(|(at, of)| (file, of.module, of.name.clone(), Def::Enum(file, at))),
            );
            defs.extend(
                facts
                    .aliases
                    .iter()
                    .enumerate()
                    .map(|(at, of)| (file, of.module, of.name.clone(), Def::Alias(file, at))),
            );
            let consts = facts.consts.iter().enumerate().filter(|(_, of)| of.block.is_none());
            defs.extend(
                consts.map(|(at, of)| (file, of.module, of.name.clone(), Def::Const(file, at))),
            );
            let traits = facts.impls.iter().enumerate().filter(|(_, of)| of.is_trait);
            defs.extend(traits.filter_map(|(at, of)| {
                Some((file, of.module, Name::new(of.of.name()?), Def::Trait(file, at)))
            }));
        }
        for (file, local, name, def) in defs {
            if let Some(module) =
                self.module_of.get(&(file, local)).and_then(|id| self.modules.get_mut(*id))
            {
                module.names.entry(name).or_default().push(def);
            }
        }
        for (file, facts) in self.files.iter().enumerate() {
            for (at, import) in facts.uses.iter().enumerate() {
                let Some(module) = self
                    .module_of
                    .get(&(file, import.module))
                    .and_then(|id| self.modules.get_mut(*id))
                else {
                    continue;
                };
                if import.glob {
                    module.globs.push(at);
                } else {
                    module.imports.entry(import.name.clone()).or_default().push(at);
                }
            }
        }
    }

    /// Whether a file is no module of its package, whose roots are there to say so: what `include!` puts elsewhere, a
    /// template, a sample.
    pub(crate) fn is_loose(&self, file: FileId) -> bool {
        let module = self.module_at(file, ModId::default()).and_then(|id| self.modules.get(id));
        module.is_some_and(|of| {
            let rooted = |other: &Module| other.kind.is_some() && other.package == of.package;
            of.kind.is_none() && of.package.is_some() && self.modules.iter().any(rooted)
        })
    }

    /// The module that `local` of `file` is.
    pub(crate) fn module_at(&self, file: FileId, local: ModId) -> Option<ModuleId> {
        self.module_of.get(&(file, local)).copied()
    }
}
