//! The call graph: who calls which function of the workspace, and how surely.

use super::{At, Def, FnRef, Found, Ty, Workspace};
use crate::facts::{Kind, Name};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// How surely a call calls a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    /// It calls this one.
    Certain,
    /// It calls a trait's method, and this is one of those that implement it.
    Implements,
    /// It calls some method of this name, on a type that is not known.
    Named,
}

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
    callees: HashMap<FnRef, Vec<(FnRef, Tie)>>,
}

impl Graph {
    /// The call graph of a workspace; test code does not count as a caller.
    pub(crate) fn of(workspace: &Workspace<'_>) -> Self {
        let mut graph = Self::default();
        // A callee comes before its call, which calls the same.
        let mut callees: HashMap<At, Vec<(FnRef, Tie)>> = HashMap::default();
        for at in workspace.nodes() {
            let targets = match workspace.kind(at) {
                Kind::Call { callee, .. } => callees.remove(&at.with(*callee)).unwrap_or_default(),
                _ => workspace.targets(at),
            };
            if matches!(workspace.kind(at), Kind::Path(_)) && !targets.is_empty() {
                callees.insert(at, targets.clone());
            }
            if targets.is_empty() || workspace.is_test(at) {
                continue;
            }
            let from = workspace.function_at(at);
            for (target, tie) in targets {
                let edge = Edge { site: at, from, exact: tie == Tie::Certain };
                graph.callers.entry(target).or_default().push(edge);
                if let Some(from) = from {
                    graph.callees.entry(from).or_default().push((target, tie));
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
        spread(of, steps, |at| self.called(at, |_| true))
    }

    /// Everything `of` reaches within `steps` calls through known functions and known traits, itself included.
    pub(crate) fn likely_reach(&self, of: FnRef, steps: usize) -> HashSet<FnRef> {
        spread(of, steps, |at| self.called(at, |tie| tie != Tie::Named))
    }

    /// Everything `of` certainly reaches within `steps` calls, itself included.
    pub(crate) fn sure_reach(&self, of: FnRef, steps: usize) -> HashSet<FnRef> {
        spread(of, steps, |at| self.called(at, |tie| tie == Tie::Certain))
    }

    fn called(&self, by: FnRef, counts: impl Fn(Tie) -> bool) -> Vec<FnRef> {
        let all = self.callees.get(&by).into_iter().flatten();
        all.filter(|(_, tie)| counts(*tie)).map(|(of, _)| *of).collect()
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
    let mut seen = HashSet::from_iter([of]);
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
            [(only, Tie::Certain)] => Some(*only),
            _ => None,
        }
    }

    /// The functions a node calls or mentions, and whether that is certain.
    pub(crate) fn targets(&self, at: At) -> Vec<(FnRef, Tie)> {
        match self.kind(at) {
            Kind::Path(path) if !self.may_call(path) => Vec::new(),
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
                        self.methods_of(def, name).iter().map(|of| (*of, Tie::Implements)).collect()
                    }
                    Ty::Local(def) => {
                        let own = self.methods_of(def, name);
                        let tie = if own.len() == 1 { Tie::Certain } else { Tie::Implements };
                        own.iter().map(|of| (*of, tie)).collect()
                    }
                    Ty::External(_) => Vec::new(),
                    Ty::Unknown => named.iter().take(16).map(|of| (*of, Tie::Named)).collect(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Whether a path ends in a name that some function has: most paths are local names.
    fn may_call(&self, path: &[Name]) -> bool {
        path.last().is_some_and(|last| self.callable.contains(last))
    }

    /// A trait's method stands for those of its implementations.
    fn with_impls(&self, of: FnRef) -> Vec<(FnRef, Tie)> {
        let Some(fact) = self.function(of) else { return Vec::new() };
        match self.ty_owner(of) {
            Ty::Local(def @ Def::Trait(..)) if fact.body.is_none() => {
                let all = self.methods_of(def, &fact.name).iter();
                all.map(|of| (*of, Tie::Implements)).collect()
            }
            _ => vec![(of, Tie::Certain)],
        }
    }
}
