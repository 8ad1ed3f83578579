//! Which node plays which role, and which of them are calls to models.

use super::{At, Def, FileId, FnRef, Found, Graph, Piece, Ty, Value, Workspace};
use crate::facts::{Kind, Name, NodeId};
use crate::knowledge::{Fact, Role, Roles};
use std::collections::HashMap;

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
        let mut found: HashMap<At, &'k Fact> = HashMap::new();
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

    /// A method so distinctly named that its crate being a dependency suffices.
    fn anywhere(&self, file: FileId, name: &str) -> Option<&'k Fact> {
        let candidates = self.knowledge.anywhere(name);
        let imported = |lib: &str| {
            self.file(file).uses.iter().any(|of| of.path.first().is_some_and(|first| first == lib))
        };
        candidates
            .iter()
            .find(|(package, lib, _)| self.depends_on(file, package) || imported(lib))
            .map(|(_, _, fact)| fact)
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
                Kind::Call { .. } | Kind::Struct { .. } => {
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

    /// Whether an HTTP request goes to a model, and what for.
    fn http_purpose(&self, at: At, graph: &Graph) -> Option<Purpose> {
        let links = self.chain(at);
        let body = links.iter().find_map(|link| {
            self.roles(*link).has(Role::HttpBody).then(|| self.argument(*link, 0)).flatten()
        });
        let by_body = body.is_some_and(|body| self.is_model_request(body));
        for link in links.iter().filter(|link| self.roles(**link).has(Role::HttpRequest)) {
            let gets = matches!(self.kind(*link), Kind::Method { name, .. } if name == "get");
            let fact = self.known(*link)?;
            let Some(url) = self.argument(*link, fact.arg) else { continue };
            let urls: Vec<String> =
                self.expanded(self.values(url), graph, 2).iter().map(Self::rendered).collect();
            if let Some(url) =
                urls.iter().find(|url| !gets && self.knowledge.endpoints.is_model(url))
            {
                let embeds = url.contains("embed");
                return Some(if embeds { Purpose::Embedding } else { Purpose::Chat });
            }
        }
        (by_body || self.sends_given_request(at, &links)).then_some(Purpose::Chat)
    }

    /// Whether a function named for a model's endpoint sends a request that it was handed.
    fn sends_given_request(&self, at: At, links: &[At]) -> bool {
        let named = self.function_at(at).and_then(|of| self.function(of)).is_some_and(|fact| {
            ["chat_completion", "generate_content", "create_completion"]
                .iter()
                .any(|name| fact.name.contains(name))
        });
        let root = links.last().and_then(|last| match self.kind(*last) {
            Kind::Method { receiver, .. } => Some(self.peel(last.with(*receiver))),
            _ => None,
        });
        let handed = root.and_then(|root| Some((root, self.name_of(root)?.clone())));
        named
            && handed.is_some_and(|(root, name)| {
                matches!(self.binding(root, &name), Some(super::Binding::Param { .. }))
            })
    }

    /// Whether a request body is one for a model: it names a model and carries a prompt.
    pub(crate) fn is_model_request(&self, at: At) -> bool {
        const PROMPTS: &[&str] = &["messages", "prompt", "contents", "input", "inputs"];
        let names = |fields: &[&str]| {
            fields.contains(&"model") && PROMPTS.iter().any(|p| fields.contains(p))
        };
        let at = self.peel(at);
        match self.kind(at) {
            Kind::Path(path) => match &**path {
                [name] => match self.binding(at, name) {
                    Some(
                        super::Binding::Value { value }
                        | super::Binding::Typed { value: Some(value), .. },
                    ) => self.is_model_request(value),
                    _ => self.is_model_struct(&self.ty(at)),
                },
                _ => false,
            },
            Kind::Macro { args, .. } => {
                args.first().is_some_and(|first| match self.kind(at.with(*first)) {
                    Kind::Object(fields) => {
                        names(&fields.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
                    }
                    _ => false,
                })
            }
            _ => self.is_model_struct(&self.ty(at)),
        }
    }

    /// Whether a type of the workspace is the body of a model request.
    pub(crate) fn is_model_struct(&self, ty: &Ty) -> bool {
        let Ty::Local(Def::Struct(file, at)) = ty else { return false };
        let Some(of) = self.file(*file).structs.get(*at) else { return false };
        let has = |name: &str| of.fields.iter().any(|field| field.name == name);
        let name = of.name.to_ascii_lowercase();
        let named = ["request", "body", "payload", "param", "completion", "query", "args"]
            .iter()
            .any(|word| name.contains(word));
        let prompts = has("messages") || has("prompt") || has("contents") || has("input");
        has("model") && prompts && named && of.derives.iter().any(|derive| derive == "Serialize")
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
        let mut found: HashMap<Def, Vec<At>> = HashMap::new();
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
