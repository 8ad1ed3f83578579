//! Names to definitions: through modules, imports, aliases, globs, re-exports and other packages of the workspace.

use super::{At, Def, FileId, ModuleId, Workspace};
use crate::facts::{ModId, Name, TypeRef};
use crate::manifest::{Dependency, Manifest};

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Something defined in the workspace.
    Local(Def),
    /// A path into someone else's crate, beginning with the library's own name.
    External(Vec<Name>),
    /// A member of a type of the workspace that is no function here: a variant, a derived constructor.
    Member(Def, Name),
}

const DEPTH: u32 = 24;

impl Workspace<'_> {
    /// Resolves a path written at a node.
    pub(crate) fn resolve_at(&self, at: At, path: &[Name]) -> Option<Found> {
        let function = self.function_at(at).and_then(|of| self.function(of));
        let (local, block) = match function {
            Some(of) => (of.module, of.block),
            None => self.const_scope(at),
        };
        self.resolve(at.file, local, block, path)
    }

    fn const_scope(&self, at: At) -> (ModId, Option<usize>) {
        let span = self.file(at.file).node(at.node).span;
        let holder = self.file(at.file).consts.iter().find(|of| of.item.holds(span));
        holder.map_or((ModId::default(), None), |of| (of.module, of.block))
    }

    /// Resolves a path written in a module, `Self` standing for the type of `block`.
    pub(crate) fn resolve(
        &self,
        file: FileId,
        local: ModId,
        block: Option<usize>,
        path: &[Name],
    ) -> Option<Found> {
        let module = self.module_at(file, local)?;
        if path.first().is_some_and(|first| first == "Self") {
            let of = &self.file(file).impls.get(block?)?.of;
            let TypeRef::Path(segments, _) = of else { return None };
            let whole: Vec<Name> = segments.iter().chain(path.get(1..)?).cloned().collect();
            return self.resolve_from(module, &whole, DEPTH);
        }
        self.resolve_from(module, path, DEPTH)
    }

    fn resolve_from(&self, module: ModuleId, path: &[Name], depth: u32) -> Option<Found> {
        let depth = depth.checked_sub(1)?;
        let (first, rest) = path.split_first()?;
        let here = self.modules.get(module)?;
        match first.as_str() {
            "crate" => {
                return self.walk(Found::Local(Def::Module(self.crate_root(module))), rest, depth);
            }
            "self" => return self.walk(Found::Local(Def::Module(module)), rest, depth),
            "super" => return self.walk(Found::Local(Def::Module(here.parent?)), rest, depth),
            _ => {}
        }
        if let Some(found) = self.lookup(module, first, !rest.is_empty(), depth) {
            return self.walk(found, rest, depth);
        }
        self.walk(self.package_named(module, first)?, rest, depth)
    }

    fn crate_root(&self, module: ModuleId) -> ModuleId {
        let Some(here) = self.modules.get(module) else { return module };
        let lost = self.modules.get(here.root).is_some_and(|root| root.kind.is_none());
        let library = here
            .package
            .and_then(|p| self.packages.get(p))
            .and_then(|p| self.library_of.get(&p.lib));
        library.copied().filter(|_| lost).unwrap_or(here.root)
    }

    /// A crate by the name code gives it.
    fn package_named(&self, module: ModuleId, name: &Name) -> Option<Found> {
        let manifest = self.modules.get(module)?.package.and_then(|p| self.packages.get(p));
        let named = |m| self.depended(m, name);
        if let Some(dependency) = manifest.and_then(named) {
            let library = dependency.package.replace('-', "_");
            if let Some(root) = self.library_of.get(&library) {
                return Some(Found::Local(Def::Module(*root)));
            }
            if self.knowledge.package(&dependency.package).is_some() {
                return Some(Found::External(vec![self.known_name(&dependency.package)]));
            }
            return Some(Found::External(vec![name.clone()]));
        }
        if let (Some(m), Some(root)) = (manifest, self.library_of.get(name.as_str()))
            && m.lib == name.as_str()
        {
            return Some(Found::Local(Def::Module(*root)));
        }
        let std = matches!(name.as_str(), "std" | "core" | "alloc");
        let unmanaged = manifest.is_none();
        (std || unmanaged || name.chars().next().is_some_and(char::is_uppercase))
            .then(|| Found::External(vec![name.clone()]))
    }

    /// The dependency code calls `name`: by its key, or by the library it is known to hold (`rig-core` holds `rig`).
    fn depended<'m>(&self, manifest: &'m Manifest, name: &Name) -> Option<&'m Dependency> {
        manifest.dependency(name).or_else(|| {
            self.knowledge.lib(name)?;
            let holds = |of: &&Dependency| {
                of.alias == of.package.replace('-', "_")
                    && self.knowledge.package(&of.package).is_some_and(|k| k.lib == name.as_str())
            };
            manifest.dependencies.iter().find(holds)
        })
    }

    /// The library name knowledge files a package under.
    fn known_name(&self, package: &str) -> Name {
        let ident = package.replace('-', "_");
        let known = self.knowledge.package(package).map(|known| known.lib.as_str());
        Name::new(known.unwrap_or(&ident))
    }

    /// A name in a module, each asked for once: globs that import each other would ask for ever.
    ///
    /// Within one question a name that is asked for while it is being found is not there; only what the outermost
    /// question found is kept.
    fn lookup(&self, module: ModuleId, name: &Name, more: bool, depth: u32) -> Option<Found> {
        let key = (module, name.clone(), more);
        if let Some(known) = self.settled.borrow().get(&key) {
            return known.clone();
        }
        if let Some(known) = self.asking.borrow().get(&key) {
            return known.clone();
        }
        let outermost = self.asking.borrow().is_empty();
        self.asking.borrow_mut().insert(key.clone(), None);
        let found = self.search(module, name, more, depth);
        self.asking.borrow_mut().insert(key.clone(), found.clone());
        if outermost {
            self.asking.borrow_mut().clear();
            self.settled.borrow_mut().insert(key, found.clone());
        }
        found
    }

    /// A module's own items first, then imports, then globs. A name alone is a child module last of all:
    /// `mod ask; use ask::ask;` has both.
    fn search(&self, module: ModuleId, name: &Name, more: bool, depth: u32) -> Option<Found> {
        let depth = depth.checked_sub(1)?;
        let here = self.modules.get(module)?;
        let own = here.names.get(name).map_or(&[][..], Vec::as_slice);
        let fits = |def: &&Def| match def {
            Def::Fn(..) | Def::Const(..) => !more,
            Def::Module(_) => more,
            Def::Struct(..) | Def::Enum(..) | Def::Alias(..) | Def::Trait(..) => true,
        };
        if let Some(def) = own.iter().find(fits) {
            return Some(Found::Local(*def));
        }
        for import in here.imports.get(name).into_iter().flatten() {
            let Some(import) = self.file(here.file).uses.get(*import) else { continue };
            if let Some(found) = self.import(module, &import.path, name, depth) {
                return Some(found);
            }
        }
        let child = own.iter().find(|def| !more && matches!(def, Def::Module(_)));
        child.map(|def| Found::Local(*def)).or_else(|| self.globbed(module, name, more, depth))
    }

    fn import(&self, module: ModuleId, path: &[Name], name: &Name, depth: u32) -> Option<Found> {
        // `use foo::bar as foo` must not look for `foo` in its own import.
        if path.first() == Some(name) {
            let here = self.modules.get(module)?;
            let child = here
                .names
                .get(name)
                .and_then(|defs| defs.iter().find(|def| matches!(def, Def::Module(_))));
            let start =
                child.map(|def| Found::Local(*def)).or_else(|| self.package_named(module, name))?;
            return self.walk(start, path.get(1..)?, depth.checked_sub(1)?);
        }
        self.resolve_from(module, path, depth)
    }

    fn globbed(&self, module: ModuleId, name: &Name, more: bool, depth: u32) -> Option<Found> {
        let here = self.modules.get(module)?;
        for at in &here.globs {
            let Some(import) = self.file(here.file).uses.get(*at) else { continue };
            match self.resolve_from(module, &import.path, depth) {
                Some(Found::Local(Def::Module(other))) if other != module => {
                    if let Some(found) = self.lookup(other, name, more, depth) {
                        return Some(found);
                    }
                }
                Some(Found::External(mut path)) if self.knowledge.exports(&path, name) => {
                    path.push(name.clone());
                    return Some(Found::External(path));
                }
                _ => {}
            }
        }
        here.included.iter().find_map(|other| self.lookup(*other, name, more, depth))
    }

    /// Follows the rest of a path from something found.
    fn walk(&self, found: Found, rest: &[Name], depth: u32) -> Option<Found> {
        let Some((next, rest)) = rest.split_first() else { return Some(found) };
        let depth = depth.checked_sub(1)?;
        match found {
            Found::External(mut path) => {
                path.push(next.clone());
                path.extend(rest.iter().cloned());
                Some(Found::External(path))
            }
            Found::Local(Def::Module(module)) if next == "super" => {
                self.walk(Found::Local(Def::Module(self.modules.get(module)?.parent?)), rest, depth)
            }
            Found::Local(Def::Module(module)) => {
                let next = self.lookup(module, next, !rest.is_empty(), depth)?;
                self.walk(next, rest, depth)
            }
            Found::Local(Def::Alias(file, at)) => {
                let alias = self.file(file).aliases.get(at)?;
                let TypeRef::Path(path, _) = &alias.ty else { return None };
                let module = self.module_at(file, alias.module)?;
                let whole: Vec<Name> = path.iter().chain([next]).chain(rest).cloned().collect();
                self.resolve_from(module, &whole, depth)
            }
            Found::Local(def) => {
                if let Some(method) =
                    self.methods.get(&(def, next.clone())).and_then(|all| all.first())
                {
                    return Some(Found::Local(Def::Fn(method.file, method.id)));
                }
                Some(Found::Member(def, next.clone()))
            }
            Found::Member(..) => None,
        }
    }

    /// The functions called `name` on a type of the workspace.
    pub(crate) fn methods_of(&self, def: Def, name: &str) -> &[super::FnRef] {
        self.methods.get(&(def, Name::new(name))).map_or(&[], Vec::as_slice)
    }

    /// Every method of the workspace called `name`.
    pub(crate) fn methods_named(&self, name: &str) -> &[super::FnRef] {
        self.methods_by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Files every `impl`'s methods under the type it is for, and trait methods under the trait.
    pub(super) fn index_methods(&mut self) {
        let mut found = Vec::new();
        for of in self.functions() {
            let Some(fact) = self.function(of) else { continue };
            let Some(block) = fact.block.and_then(|at| self.file(of.file).impls.get(at)) else {
                continue;
            };
            let named = |ty: &TypeRef| match ty {
                TypeRef::Path(path, _) => self.resolve(of.file, block.module, None, path),
                TypeRef::Tuple(_) | TypeRef::Bounds(_) | TypeRef::Unknown => None,
            };
            let owner = self.through_alias(named(&block.of));
            let of_trait = block.of_trait.as_ref().and_then(named);
            found.push((of, fact.name.clone(), owner, of_trait));
        }
        for (of, name, owner, of_trait) in found {
            for def in [owner, of_trait].into_iter().flatten() {
                if let Found::Local(def) = def {
                    self.methods.entry((def, name.clone())).or_default().push(of);
                }
            }
            self.methods_by_name.entry(name).or_default().push(of);
        }
    }

    fn through_alias(&self, found: Option<Found>) -> Option<Found> {
        let Some(Found::Local(Def::Alias(file, at))) = found else { return found };
        let alias = self.file(file).aliases.get(at)?;
        match &alias.ty {
            TypeRef::Path(path, _) => self.resolve(file, alias.module, None, path),
            TypeRef::Tuple(_) | TypeRef::Bounds(_) | TypeRef::Unknown => None,
        }
    }
}
