//! How a client was made: every construction it may come from, with the roles of what is called on it on the way.

use super::{At, Binding, Def, FnRef, Found, Graph, Ty, Workspace};
use crate::facts::{Kind, Name, NodeId};
use crate::knowledge::{CrateKind, Role, Roles};
use rustc_hash::FxHashSet as HashSet;

/// One construction of a client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// The call that makes it.
    pub(crate) made: At,
    /// What it does by default, and what is set on it.
    pub(crate) roles: Roles,
    /// Whether something on the way could not be followed.
    pub(crate) vague: bool,
}

/// All constructions that were found, and whether others may exist.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    pub(crate) known: Vec<Origin>,
    pub(crate) vague: bool,
}

pub(super) struct Walk<'w, 'k> {
    pub(super) workspace: &'w Workspace<'k>,
    pub(super) graph: &'w Graph,
    pub(super) found: Origins,
    pub(super) seen: HashSet<At>,
    /// Functions that are being looked into, and from where: their parameters are what that call passes.
    pub(super) from: Vec<(FnRef, At)>,
}

impl Workspace<'_> {
    /// Every construction of the client that a call goes through.
    pub(crate) fn origins(&self, at: At, graph: &Graph) -> Origins {
        let mut walk = Walk {
            workspace: self,
            graph,
            found: Origins::default(),
            seen: HashSet::default(),
            from: Vec::new(),
        };
        walk.visit(at, Roles::default(), 16);
        walk.found
    }
}

fn makes(roles: Roles) -> bool {
    roles.has(Role::Client) || roles.has(Role::ClientBuilder)
}

impl Walk<'_, '_> {
    fn vague(&mut self) {
        self.found.vague = true;
    }

    pub(super) fn visit(&mut self, at: At, roles: Roles, hops: u32) {
        let w = self.workspace;
        let at = w.peel(at);
        let Some(hops) = hops.checked_sub(1) else { return self.vague() };
        if !self.seen.insert(at) {
            return;
        }
        let own = w.roles(at);
        if makes(own) {
            return self.made(at, roles, hops);
        }
        match w.kind(at) {
            Kind::Method { receiver, name, args, .. }
                if matches!(name.as_str(), "unwrap_or" | "unwrap_or_else" | "or" | "or_else") =>
            {
                let known = self.found.known.len();
                self.visit(at.with(*receiver), roles, hops);
                // A client in place of one that could not be built is not the one that is used.
                if self.found.known.len() == known {
                    args.iter().for_each(|fallback| self.visit(at.with(*fallback), roles, hops));
                }
            }
            Kind::Method { receiver, args, .. } => {
                let roles = roles.with(own).with(w.known(at).map(|f| f.gives).unwrap_or_default());
                let roles = roles.with(self.layered(at));
                if own.has(Role::WrapsClient) {
                    args.iter().for_each(|arg| self.visit(at.with(*arg), roles, hops));
                    return;
                }
                match w.callee(at) {
                    Some(target) => self.returned(at, target, roles, hops),
                    None => self.visit(at.with(*receiver), roles, hops),
                }
            }
            Kind::Call { callee, args } => self.call(at, at.with(*callee), args, roles, hops),
            Kind::Path(path) => self.path(at, path, roles, hops),
            Kind::Field { base, name } => self.field(at.with(*base), name, roles, hops),
            Kind::If { then, otherwise, .. } => {
                [Some(*then), *otherwise]
                    .into_iter()
                    .flatten()
                    .for_each(|branch| self.visit(at.with(branch), roles, hops));
            }
            Kind::Match { arms, .. } => {
                arms.iter().for_each(|arm| self.visit(at.with(arm.body), roles, hops));
            }
            Kind::Block { stmts, tail: true } => match stmts.last() {
                Some(last) => self.visit(at.with(*last), roles, hops),
                None => self.vague(),
            },
            Kind::Closure { body, .. } | Kind::Async(body) => {
                self.visit(at.with(*body), roles, hops);
            }
            Kind::Return(_) | Kind::Break(_) | Kind::Continue => {}
            _ => self.vague(),
        }
    }

    fn call(&mut self, at: At, callee: At, args: &[NodeId], roles: Roles, hops: u32) {
        let w = self.workspace;
        let Kind::Path(path) = w.kind(callee) else { return self.vague() };
        if path.last().is_some_and(|last| last == "Err") {
            return;
        }
        if let Some(target) = w.callee(at) {
            return self.returned(at, target, roles, hops);
        }
        let last = path.last().map_or("", Name::as_str);
        let wraps = w.roles(at).has(Role::WrapsClient)
            || matches!(last, "Ok" | "Some" | "new" | "from" | "clone" | "with_value" | "pin");
        match (wraps, args.first()) {
            (true, Some(first)) => self.visit(at.with(*first), roles.with(w.roles(at)), hops),
            _ => self.vague(),
        }
    }

    fn path(&mut self, at: At, path: &[Name], roles: Roles, hops: u32) {
        let w = self.workspace;
        if let [name] = path
            && let Some(binding) = w.binding(at, name)
        {
            let later = self.set_on(at, name);
            let roles = roles.with(later);
            match binding {
                Binding::Value { value } | Binding::Typed { value: Some(value), .. } => {
                    self.visit(value, roles, hops);
                }
                Binding::Part { value, head, .. } if matches!(head.as_str(), "Some" | "Ok") => {
                    self.visit(value, roles, hops);
                }
                Binding::Part { of, .. } => match w.taken_from(at, &of) {
                    Some((def, field)) => self.field_of(def, &field, roles, hops),
                    None => self.vague(),
                },
                Binding::Param { function, at } => self.param(function, at, roles, hops),
                Binding::Typed { value: None, .. } | Binding::ClosureParam | Binding::Element => {
                    self.vague();
                }
            }
            return;
        }
        match w.resolve_at(at, path) {
            Some(Found::Local(Def::Const(file, index))) => {
                match w.file(file).consts.get(index).and_then(|of| of.value) {
                    Some(node) => self.visit(At { file, node }, roles, hops),
                    None => self.vague(),
                }
            }
            _ => self.vague(),
        }
    }

    /// Roles of everything called on a name in its function: a builder that is changed step by step.
    pub(super) fn set_on(&self, at: At, name: &str) -> Roles {
        let w = self.workspace;
        let Some(body) = w.function_at(at).and_then(|of| w.body(of)) else {
            return Roles::default();
        };
        let mut roles = Roles::default();
        for node in w.under(body) {
            if !w.is_name(node, name) || matches!(w.kind(node), Kind::Wrap(_)) {
                continue;
            }
            roles = roles.with(self.called_on(node));
        }
        roles
    }

    pub(super) fn called_on(&self, node: At) -> Roles {
        let w = self.workspace;
        let mut roles = Roles::default();
        let mut child = node;
        for up in w.ancestors(node) {
            match w.kind(up) {
                Kind::Method { receiver, .. } if *receiver == child.node => {
                    let own = w.roles(up);
                    if own.has(Role::HttpRequest) || own.has(Role::HttpSend) {
                        break;
                    }
                    roles = roles.with(own).with(self.layered(up));
                }
                Kind::Await(_) | Kind::Try(_) | Kind::Wrap(_) => {}
                Kind::Call { args, .. } | Kind::Method { args, .. }
                    if args.contains(&child.node) =>
                {
                    roles = roles.with(w.roles(up));
                    if let Some(target) = w.callee(up).and_then(|target| w.body(target)) {
                        roles = w
                            .under(target)
                            .fold(roles, |all, inner| all.with(settings(w.roles(inner))));
                    }
                    break;
                }
                _ => break,
            }
            child = up;
        }
        roles
    }

    fn param(&mut self, function: FnRef, at: usize, roles: Roles, hops: u32) {
        let looked_into = self.from.iter().rev().find(|(of, _)| *of == function);
        if let Some((_, site)) = looked_into {
            return match self.workspace.passed_at(*site, function, at) {
                Some(arg) => self.visit(arg, roles, hops),
                None => self.vague(),
            };
        }
        let callers = self.graph.callers(function);
        if callers.iter().all(|edge| self.workspace.passed_at(edge.site, function, at).is_none()) {
            return self.handed(function, at, roles, hops);
        }
        if callers.iter().any(|edge| !edge.exact) {
            self.vague();
        }
        for edge in callers.iter().take(24) {
            match self.workspace.passed_at(edge.site, function, at) {
                Some(arg) => self.visit(arg, roles, hops),
                None => self.vague(),
            }
        }
    }

    /// A parameter that a framework fills: with one of the clients of its type that the package makes.
    fn handed(&mut self, function: FnRef, at: usize, roles: Roles, hops: u32) {
        let w = self.workspace;
        self.vague();
        let ty = w.ty_param(function, at);
        // Clients of any HTTP server share a type; those of models do not.
        let of_models = match &ty {
            Ty::External(path) => path.first().and_then(|lib| w.knowledge.lib(lib)),
            Ty::Local(_) | Ty::Unknown => None,
        };
        if of_models.is_none_or(|known| known.kind != CrateKind::ModelClient) {
            return;
        }
        let package = w.package(function.file);
        let made: Vec<At> = w
            .roles_sites()
            .filter(|(at, has)| makes(*has) && w.package(at.file) == package && !w.is_test(*at))
            .filter(|(at, _)| w.ty(*at) == ty)
            .map(|(at, _)| at)
            .collect();
        for at in made {
            self.made(at, roles, hops);
        }
    }

    fn field(&mut self, base: At, name: &Name, roles: Roles, hops: u32) {
        match self.workspace.ty(base) {
            Ty::Local(def @ Def::Struct(..)) => self.field_of(def, name, roles, hops),
            Ty::Local(_) | Ty::External(_) | Ty::Unknown => self.vague(),
        }
    }

    /// What a struct's field is made with, wherever the struct is written out.
    fn field_of(&mut self, def: Def, name: &Name, roles: Roles, hops: u32) {
        let w = self.workspace;
        let made = w.initialisers(def, name);
        if made.is_empty() {
            return self.vague();
        }
        for at in made.into_iter().filter(|at| !w.is_test(*at)) {
            self.visit(at, roles, hops);
        }
    }

    /// The values a function returns to a call.
    fn returned(&mut self, site: At, target: FnRef, roles: Roles, hops: u32) {
        let w = self.workspace;
        let Some(body) = w.body(target) else { return self.vague() };
        self.from.push((target, site));
        let returns: Vec<At> = w
            .under(body)
            .filter_map(|at| match w.kind(at) {
                Kind::Return(Some(value)) => Some(at.with(*value)),
                _ => None,
            })
            .collect();
        for value in returns {
            self.visit(value, roles, hops);
        }
        if let Kind::Block { stmts, tail: true } = w.kind(body)
            && let Some(last) = stmts.last()
        {
            self.visit(body.with(*last), roles, hops);
        }
        self.from.pop();
    }
}

/// The roles that say how a client behaves.
pub(super) fn settings(roles: Roles) -> Roles {
    let kept = [
        Role::Timeout,
        Role::ConnectTimeout,
        Role::Retry,
        Role::Backoff,
        Role::RateLimit,
        Role::ConcurrencyLimit,
        Role::Bounded,
    ];
    kept.into_iter().filter(|role| roles.has(*role)).collect()
}
