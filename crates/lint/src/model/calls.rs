//! Which node plays which role, and which of them are calls to models.

use super::{At, Def, FileId, FnRef, Found, Graph, Piece, Ty, Value, Workspace};
use crate::facts::{Kind, Name, NodeId};
use crate::knowledge::{Fact, Role, Roles};
use rustc_hash::FxHashMap as HashMap;

/// What a model call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Text out.
    Chat,
    /// Vectors out.
    Embedding,
}

/// A call to a hosted model.
#[derive(Clone, Debug)]
pub(crate) struct ModelCall<'k> {
    /// The call that sends the request.
    pub(crate) at: At,
    /// The function it stands in.
    pub(crate) function: FnRef,
    /// What is known of it.
    pub(crate) fact: &'k Fact,
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Whether it is a plain HTTP request rather than a call of a model library.
    pub(crate) http: bool,
    /// Whether it stands in test code.
    pub(crate) test: bool,
}

impl<'k> Workspace<'k> {
    /// What is known of a node: a call, a method call, a macro call, a struct literal of a known crate.
    pub(crate) fn known(&self, at: At) -> Option<&'k Fact> {
        self.sites.get(&at).copied()
    }

    /// The roles a node plays.
    pub(crate) fn roles(&self, at: At) -> Roles {
        self.known(at).map(|fact| fact.roles).unwrap_or_default()
    }

    /// Every node that plays any role, with its roles.
    pub(crate) fn roles_sites(&self) -> impl Iterator<Item = (At, Roles)> + '_ {
        self.ordered.iter().map(|at| (*at, self.roles(*at)))
    }

    /// Finds every node that plays a role.
    pub(super) fn index_roles(&mut self) {
        let mut found: HashMap<At, &'k Fact> = HashMap::default();
        for at in self.nodes() {
            if let Some(fact) = self.look_up(at) {
                found.insert(at, fact);
            }
        }
        self.ordered = found.keys().copied().collect();
        self.ordered.sort();
        self.sites = found;
    }

    fn look_up(&self, at: At) -> Option<&'k Fact> {
        match self.kind(at) {
            Kind::Method { receiver, name, .. } => {
                if !self.knowledge.knows(name) {
                    return None;
                }
                match self.ty(at.with(*receiver)) {
                    Ty::External(path) => {
                        let full: Vec<Name> = path.iter().chain([name]).cloned().collect();
                        self.fact(at.file, &full).or_else(|| self.anywhere(at.file, name))
                    }
                    Ty::Unknown => self.anywhere(at.file, name),
                    Ty::Local(def) if self.methods_of(def, name).is_empty() => {
                        self.anywhere(at.file, name)
                    }
                    Ty::Local(_) => None,
                }
            }
            Kind::Call { callee, .. } => match self.kind(at.with(*callee)) {
                Kind::Path(path) => self.path_fact(at, path),
                _ => None,
            },
            Kind::Struct { path, .. } => self.path_fact(at, path),
            Kind::Macro { path, .. } => {
                self.path_fact(at, path).or_else(|| self.macro_fact(at.file, path))
            }
            Kind::Path(path) if path.len() > 1 && !self.is_callee(at) => self.path_fact(at, path),
            _ => None,
        }
    }

    fn is_callee(&self, at: At) -> bool {
        self.parent(at).is_some_and(
            |up| matches!(self.kind(up), Kind::Call { callee, .. } if *callee == at.node),
        )
    }

    fn path_fact(&self, at: At, path: &[Name]) -> Option<&'k Fact> {
        if !path.last().is_some_and(|last| self.knowledge.knows(last)) {
            return None;
        }
        match self.resolve_at(at, path) {
            Some(Found::External(path)) => self.fact(at.file, &path),
            _ => None,
        }
    }

    /// A macro that an older `#[macro_use]` or a glob brings in: by its name alone.
    fn macro_fact(&self, file: FileId, path: &[Name]) -> Option<&'k Fact> {
        let [name] = path else { return None };
        let libs = ["tracing", "log", "std", "metrics", "prometheus"];
        let mut depended = libs.iter().filter(|lib| **lib == "std" || self.depends_on(file, lib));
        depended.find_map(|lib| self.fact(file, &[Name::new(lib), name.clone()]))
    }

    /// Whether the file's package depends on a package.
    pub(crate) fn depends_on(&self, file: FileId, package: &str) -> bool {
        self.manifest(file).is_some_and(|m| m.dependencies.iter().any(|d| d.package == package))
    }

    /// A method so distinctly named that its crate being a dependency suffices, or one of a trait the file imports.
    fn anywhere(&self, file: FileId, name: &str) -> Option<&'k Fact> {
        self.told(file, name).map(|(_, fact)| fact)
    }

    /// The type that such a method returns.
    pub(super) fn ty_told(&self, file: FileId, name: &str) -> Ty {
        let returned = self.told(file, name).and_then(|(lib, fact)| {
            Some(std::iter::once(Name::new(lib)).chain(fact.returns.clone()?).collect())
        });
        returned.map_or(Ty::Unknown, Ty::External)
    }

    fn told(&self, file: FileId, name: &str) -> Option<(&'k str, &'k Fact)> {
        let candidates = self.knowledge.anywhere(name);
        let fits = |(package, lib, fact): &&(String, String, Fact)| match &fact.of_trait {
            Some(of) => self.imports(file, package, lib, Some(of)),
            None => self.depends_on(file, package) || self.imports(file, package, lib, None),
        };
        candidates.iter().find(fits).map(|(_, lib, fact)| (lib.as_str(), fact))
    }

    /// Whether a file imports something of a crate, or one of its names.
    fn imports(&self, file: FileId, package: &str, lib: &str, name: Option<&Name>) -> bool {
        let aliases = || {
            let all = self.manifest(file).into_iter().flat_map(|m| &m.dependencies);
            all.filter(|of| of.package == package).map(|of| of.alias.as_str())
        };
        self.file(file).uses.iter().any(|of| {
            let first = of.path.first().map_or("", Name::as_str);
            let ours = first == lib || aliases().any(|alias| alias == first);
            ours && name.is_none_or(|name| of.glob || of.path.last() == Some(name))
        })
    }

    /// The links of a method chain, outermost first, through lets that only name a part of it.
    pub(crate) fn chain(&self, at: At) -> Vec<At> {
        let mut found = Vec::new();
        let mut next = Some(self.peel(at));
        while let (Some(here), true) = (next, found.len() < 64) {
            next = match self.kind(here) {
                Kind::Method { receiver, .. } => {
                    found.push(here);
                    Some(self.peel(here.with(*receiver)))
                }
                Kind::Path(path) => match (&**path, found.contains(&here)) {
                    ([name], false) => match self.binding(here, name) {
                        Some(
                            super::Binding::Value { value }
                            | super::Binding::Typed { value: Some(value), .. },
                        ) => {
                            found.extend(self.chained_later(here, name));
                            Some(self.peel(value))
                        }
                        _ => None,
                    },
                    _ => None,
                },
                Kind::Call { args, .. } => {
                    found.push(here);
                    let sends = self.roles(here).has(Role::HttpSend);
                    let request = args.first().filter(|_| sends);
                    request.map(|request| self.peel(here.with(*request)))
                }
                Kind::Struct { .. } => {
                    found.push(here);
                    None
                }
                _ => None,
            };
        }
        found
    }

    /// `request = request.header(…)`: links added to a name after its `let`.
    fn chained_later(&self, at: At, name: &str) -> Vec<At> {
        let Some(body) = self.function_at(at).and_then(|of| self.body(of)) else {
            return Vec::new();
        };
        let assigned = self.under(body).filter_map(|node| match self.kind(node) {
            Kind::Assign { target, value, .. } if self.is_name(node.with(*target), name) => {
                Some(node.with(*value))
            }
            Kind::Let { pat, init: Some(init), .. } if pat.binding().is_some_and(|n| n == name) => {
                Some(node.with(*init))
            }
            _ => None,
        });
        let links = assigned.flat_map(|value| {
            let mut links = Vec::new();
            let mut next = self.peel(value);
            while let Kind::Method { receiver, .. } = self.kind(next) {
                links.push(next);
                next = self.peel(next.with(*receiver));
            }
            links
        });
        links.collect()
    }

    /// An argument of a call or a method call.
    pub(crate) fn argument(&self, at: At, position: usize) -> Option<At> {
        match self.kind(at) {
            Kind::Call { args, .. } | Kind::Method { args, .. } | Kind::Macro { args, .. } => {
                args.get(position).map(|arg| at.with(*arg))
            }
            _ => None,
        }
    }

    /// Every call to a hosted model.
    pub(crate) fn model_calls(&self, graph: &Graph) -> Vec<ModelCall<'k>> {
        let mut found = Vec::new();
        for at in &self.ordered {
            let (Some(fact), Some(function)) = (self.known(*at), self.function_at(*at)) else {
                continue;
            };
            let direct: Roles =
                [Role::ModelCall, Role::EmbeddingCall, Role::StreamCall].into_iter().collect();
            let (http, purpose) = if fact.roles.any(direct) {
                let embeds = fact.roles.has(Role::EmbeddingCall)
                    || self.chain(*at).iter().any(|link| self.source(*link).contains("embedding"));
                (false, if embeds { Purpose::Embedding } else { Purpose::Chat })
            } else if fact.roles.has(Role::HttpSend) {
                let Some(purpose) = self.http_purpose(*at, graph) else { continue };
                (true, purpose)
            } else {
                continue;
            };
            found.push(ModelCall {
                at: *at,
                function,
                fact,
                purpose,
                http,
                test: self.is_test(*at),
            });
        }
        found
    }

    /// Values with parameters replaced by what callers pass, and fields by what they are made with.
    pub(crate) fn expanded(&self, values: Vec<Value>, graph: &Graph, hops: usize) -> Vec<Value> {
        let mut found = Vec::new();
        for value in values {
            let mut whole: Vec<Value> = vec![Vec::new()];
            for piece in value {
                let options = match &piece {
                    Piece::Param(function, at) if hops > 0 => {
                        self.passed(*function, *at, graph, hops)
                    }
                    Piece::Field(def, name) if hops > 0 => self.made_with(*def, name, graph, hops),
                    other => vec![vec![other.clone()]],
                };
                whole = whole
                    .iter()
                    .flat_map(|head| {
                        options.iter().map(move |tail| [head.as_slice(), tail].concat())
                    })
                    .take(24)
                    .collect();
            }
            found.extend(whole);
        }
        found
    }

    fn passed(&self, function: FnRef, at: usize, graph: &Graph, hops: usize) -> Vec<Value> {
        let mut found = vec![vec![Piece::Param(function, at)]];
        for edge in graph.callers(function).iter().take(12) {
            if let Some(arg) = self.passed_at(edge.site, function, at) {
                found.extend(self.expanded(self.values(arg), graph, hops - 1));
            }
        }
        found
    }

    /// The argument that a call passes for a parameter.
    pub(crate) fn passed_at(&self, site: At, function: FnRef, at: usize) -> Option<At> {
        let takes_self = self.function(function).is_some_and(|fact| fact.has_self);
        let shift = usize::from(takes_self && matches!(self.kind(site), Kind::Call { .. }));
        self.argument(site, at + shift)
    }

    fn made_with(&self, def: Def, name: &Name, graph: &Graph, hops: usize) -> Vec<Value> {
        let mut found = vec![vec![Piece::Field(def, name.clone())]];
        for at in self.initialisers(def, name).into_iter().take(8) {
            found.extend(self.expanded(self.values(at), graph, hops - 1));
        }
        found
    }

    /// What a field is made with, wherever its struct is written out.
    pub(crate) fn initialisers(&self, def: Def, name: &str) -> Vec<At> {
        let literals = self.literals.get(&def).map_or(&[][..], Vec::as_slice);
        let value = |at: &At| match self.kind(*at) {
            Kind::Struct { fields, .. } => {
                let field: Option<&(Name, NodeId)> = fields.iter().find(|(field, _)| field == name);
                field.map(|(_, value)| at.with(*value))
            }
            Kind::Call { args, .. } => {
                name.parse::<usize>().ok().and_then(|n| args.get(n)).map(|arg| at.with(*arg))
            }
            _ => None,
        };
        literals.iter().filter_map(value).collect()
    }

    /// Finds every place a struct of the workspace is written out.
    pub(super) fn index_literals(&mut self) {
        let mut found: HashMap<Def, Vec<At>> = HashMap::default();
        for at in self.nodes() {
            let path = match self.kind(at) {
                Kind::Struct { path, .. } => path,
                Kind::Call { callee, .. } => match self.kind(at.with(*callee)) {
                    Kind::Path(path) => path,
                    _ => continue,
                },
                _ => continue,
            };
            if !path.last().is_some_and(|last| last.chars().next().is_some_and(char::is_uppercase))
            {
                continue;
            }
            if let Ty::Local(def @ Def::Struct(..)) = self.struct_named(at, path) {
                found.entry(def).or_default().push(at);
            }
        }
        self.literals = found;
    }

    fn struct_named(&self, at: At, path: &[Name]) -> Ty {
        match self.resolve_at(at, path) {
            Some(Found::Local(Def::Alias(file, index))) => match self.file(file).aliases.get(index)
            {
                Some(alias) => self.ty_ref(file, alias.module, None, &alias.ty),
                None => Ty::Unknown,
            },
            Some(Found::Local(def)) => Ty::Local(def),
            _ => Ty::Unknown,
        }
    }
}
