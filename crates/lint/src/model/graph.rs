//! The call graph: who calls which function of the workspace, and how surely.

use super::{At, Def, FnRef, Found, Ty, Workspace};
use crate::facts::Kind;
use std::collections::{HashMap, HashSet};

/// One call, or one mention, of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// The call.
    pub(crate) site: At,
    /// The function it stands in, where it stands in one.
    pub(crate) from: Option<FnRef>,
    /// Whether the target is certain: not by a trait, nor by a method's bare name.
    pub(crate) exact: bool,
}

/// Callers of each function.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    callers: HashMap<FnRef, Vec<Edge>>,
    callees: HashMap<FnRef, Vec<FnRef>>,
}

impl Graph {
    /// The call graph of a workspace; test code does not count as a caller.
    pub(crate) fn of(workspace: &Workspace<'_>) -> Self {
        let mut graph = Self::default();
        for at in workspace.nodes() {
            let targets = workspace.targets(at);
            if targets.is_empty() || workspace.is_test(at) {
                continue;
            }
            let from = workspace.function_at(at);
            for (target, exact) in targets {
                graph.callers.entry(target).or_default().push(Edge { site: at, from, exact });
                if let Some(from) = from {
                    graph.callees.entry(from).or_default().push(target);
                }
            }
        }
        graph
    }

    /// Who calls `of`.
    pub(crate) fn callers(&self, of: FnRef) -> &[Edge] {
        self.callers.get(&of).map_or(&[], Vec::as_slice)
    }

    /// Everything `of` may reach within `steps` calls, itself included.
    pub(crate) fn reach(&self, of: FnRef, steps: usize) -> HashSet<FnRef> {
        spread(of, steps, |at| self.callees.get(&at).cloned().unwrap_or_default())
    }

    /// Everything that certainly reaches `of` within `steps` calls, itself included.
    pub(crate) fn surely_reached_by(&self, of: FnRef, steps: usize) -> HashSet<FnRef> {
        let exact = |at| self.callers(at).iter().filter(|edge| edge.exact);
        spread(of, steps, |at| exact(at).filter_map(|edge| edge.from).collect())
    }

    /// Everything that may reach `of` within `steps` calls, itself included.
    pub(crate) fn reached_by(&self, of: FnRef, steps: usize) -> HashSet<FnRef> {
        spread(of, steps, |at| self.callers(at).iter().filter_map(|edge| edge.from).collect())
    }
}

fn spread(of: FnRef, steps: usize, next: impl Fn(FnRef) -> Vec<FnRef>) -> HashSet<FnRef> {
    let mut seen = HashSet::from([of]);
    let mut edge = vec![of];
    for _ in 0..steps {
        let fresh: Vec<FnRef> =
            edge.iter().flat_map(|at| next(*at)).filter(|at| seen.insert(*at)).collect();
        if fresh.is_empty() {
            break;
        }
        edge = fresh;
    }
    seen
}

impl Workspace<'_> {
    /// The function of the workspace that a call certainly calls.
    pub(crate) fn callee(&self, at: At) -> Option<FnRef> {
        match self.targets(at).as_slice() {
            [(only, true)] => Some(*only),
            _ => None,
        }
    }

    /// The functions a node calls or mentions, and whether that is certain.
    pub(crate) fn targets(&self, at: At) -> Vec<(FnRef, bool)> {
        match self.kind(at) {
            Kind::Path(path) => match self.resolve_at(at, path) {
                Some(Found::Local(Def::Fn(file, id))) => self.with_impls(FnRef { file, id }),
                _ => Vec::new(),
            },
            Kind::Call { callee, .. } => match self.kind(at.with(*callee)) {
                Kind::Path(_) => self.targets(at.with(*callee)),
                _ => Vec::new(),
            },
            Kind::Method { receiver, name, .. } => {
                let named = self.methods_named(name);
                if named.is_empty() {
                    return Vec::new();
                }
                match self.ty(at.with(*receiver)) {
                    Ty::Local(def @ Def::Trait(..)) => {
                        self.methods_of(def, name).iter().map(|of| (*of, false)).collect()
                    }
                    Ty::Local(def) => {
                        let own = self.methods_of(def, name);
                        let exact = own.len() == 1;
                        own.iter().map(|of| (*of, exact)).collect()
                    }
                    Ty::External(_) => Vec::new(),
                    Ty::Unknown => named.iter().take(16).map(|of| (*of, false)).collect(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// A trait's method stands for those of its implementations.
    fn with_impls(&self, of: FnRef) -> Vec<(FnRef, bool)> {
        let Some(fact) = self.function(of) else { return Vec::new() };
        match self.ty_owner(of) {
            Ty::Local(def @ Def::Trait(..)) if fact.body.is_none() => {
                self.methods_of(def, &fact.name).iter().map(|of| (*of, false)).collect()
            }
            _ => vec![(of, true)],
        }
    }
}
