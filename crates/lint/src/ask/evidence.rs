//! Evidence that something around a call supplies what the call itself lacks: by role, by scope, or by a telling name.

use super::Asked;
use crate::facts::{Kind, NodeId};
use crate::knowledge::{Role, Roles};
use crate::model::{At, FnRef};
use aho_corasick::AhoCorasick;
use rustc_hash::FxHashSet as HashSet;

/// What counts as evidence.
pub(super) struct Evidence {
    pub(super) roles: Roles,
    /// Finds a telling word anywhere in a name, in either case; absent where there are none.
    words: Option<AhoCorasick>,
}

impl Evidence {
    /// Nodes that play one of the roles, or are named with one of the words.
    pub(super) fn of<'w>(roles: Roles, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
        Self { roles, words }
    }

    pub(super) fn named(&self, name: &str) -> bool {
        self.words.as_ref().is_some_and(|words| words.is_match(name))
    }
}

impl Asked<'_, '_> {
    /// Whether a node, by its role or by the names in it, is evidence.
    pub(super) fn shows(&self, at: At, evidence: &Evidence) -> bool {
        if self.w.roles(at).any(evidence.roles) {
            return true;
        }
        match self.w.kind(at) {
            Kind::Path(path) => path.iter().any(|segment| evidence.named(segment)),
            Kind::Method { name, .. } | Kind::Field { name, .. } => evidence.named(name),
            Kind::Macro { path, .. } => path.iter().any(|segment| evidence.named(segment)),
            Kind::Struct { path, fields, .. } => {
                path.iter().any(|segment| evidence.named(segment))
                    || fields.iter().any(|(name, _)| evidence.named(name))
            }
            Kind::Let { pat, .. } | Kind::LetCond { pat, .. } | Kind::Loop { pat, .. } => {
                pat.names.iter().any(|name| evidence.named(name))
            }
            _ => false,
        }
    }

    /// Whether something around a site, inside its function, covers it.
    pub(super) fn covered(&self, site: At, evidence: &Evidence) -> bool {
        if self.w.ancestors(site).any(|up| self.w.roles(up).any(evidence.roles)) {
            return true;
        }
        let Some(function) = self.w.function_at(site) else { return false };
        self.named_function(function, evidence) || self.body_shows(function, evidence)
    }

    /// Whether a function's body shows evidence, or a function it calls does by its name.
    pub(super) fn body_shows(&self, function: FnRef, evidence: &Evidence) -> bool {
        self.w
            .body(function)
            .is_some_and(|body| self.w.under(body).any(|at| self.shows(at, evidence)))
    }

    /// Whether a function, its type or its attributes are named for the evidence.
    pub(super) fn named_function(&self, function: FnRef, evidence: &Evidence) -> bool {
        let Some(fact) = self.w.function(function) else { return false };
        evidence.named(&self.w.title(function))
            || fact.attrs.iter().any(|attr| evidence.named(&attr.path))
    }

    /// A path from an entry point to a call that meets no evidence on its way; the entry point first.
    pub(super) fn bare_path(&self, site: At, evidence: &Evidence) -> Option<Vec<FnRef>> {
        let function = self.w.function_at(site)?;
        if self.covered(site, evidence) {
            return None;
        }
        let mut seen = HashSet::from_iter([function]);
        self.climb(function, evidence, &mut seen, 12)
    }

    fn climb(
        &self,
        at: FnRef,
        evidence: &Evidence,
        seen: &mut HashSet<FnRef>,
        steps: u32,
    ) -> Option<Vec<FnRef>> {
        let steps = steps.checked_sub(1)?;
        let edges = self.graph.callers(at);
        let reached: Vec<_> =
            edges.iter().filter(|edge| edge.from.is_some_and(|from| from != at)).collect();
        if reached.is_empty() {
            return Some(vec![at]);
        }
        // An edge that is only possible and covered may be the one that is taken.
        if reached.iter().any(|edge| !edge.exact && self.covered(edge.site, evidence)) {
            return None;
        }
        let certain: Vec<_> = reached.into_iter().filter(|edge| edge.exact).collect();
        if certain.is_empty() {
            return Some(vec![at]);
        }
        for edge in certain {
            let Some(from) = edge.from.filter(|from| seen.insert(*from)) else { continue };
            let resent = evidence.roles.has(Role::Retry) && self.resends_after_wait(edge.site);
            if resent || self.covered(edge.site, evidence) {
                continue;
            }
            if let Some(mut path) = self.climb(from, evidence, seen, steps) {
                path.push(at);
                return Some(path);
            }
        }
        None
    }

    /// Whether a call's future runs inside something of `scope`, here or up to eight calls away, four of them likely only.
    pub(super) fn in_scope(&self, site: At, scope: Roles) -> bool {
        self.scoped(site, scope, 8, &mut HashSet::default())
    }

    fn scoped(&self, site: At, scope: Roles, hops: u32, seen: &mut HashSet<FnRef>) -> bool {
        if self.w.ancestors(site).any(|up| self.w.roles(up).any(scope))
            || self.bound_into(site, scope)
        {
            return true;
        }
        let (Some(hops), Some(function)) = (hops.checked_sub(1), self.w.function_at(site)) else {
            return false;
        };
        seen.insert(function)
            && self
                .graph
                .callers(function)
                .iter()
                .filter(|edge| edge.exact || hops >= 4)
                .any(|edge| self.scoped(edge.site, scope, hops, seen))
    }

    /// `let future = call(); timeout(limit, future).await`, or a `select!` with a sleep in it.
    fn bound_into(&self, site: At, scope: Roles) -> bool {
        let w = self.w;
        let bound = w.ancestors(site).find_map(|up| match w.kind(up) {
            Kind::Let { pat, .. } => pat.binding().cloned(),
            _ => None,
        });
        let selected = w.ancestors(site).any(|up| match w.kind(up) {
            Kind::Macro { path, .. } if path.last().is_some_and(|last| last.contains("select")) => {
                w.under(up).any(|inner| w.roles(inner).has(Role::Sleep))
            }
            _ => false,
        });
        let Some(body) = w.function_at(site).and_then(|of| w.body(of)) else { return selected };
        selected
            || bound.is_some_and(|name| {
                let scoped = w.under(body).filter(|at| w.roles(*at).any(scope));
                scoped.into_iter().any(|at| w.under(at).any(|inner| w.is_name(inner, &name)))
            })
    }

    /// The nearest loop around a node within its function or closure.
    pub(super) fn loop_around(&self, site: At) -> Option<At> {
        let mut found = None;
        for up in self.w.ancestors(site) {
            match self.w.kind(up) {
                Kind::Loop { body, .. }
                    if self
                        .w
                        .file(up.file)
                        .node(*body)
                        .span
                        .holds(self.w.file(site.file).node(site.node).span) =>
                {
                    found = Some(up);
                    break;
                }
                Kind::Closure { .. } => break,
                _ => {}
            }
        }
        found
    }

    /// The statement, or the outermost expression, a node belongs to.
    pub(super) fn statement(&self, site: At) -> At {
        let mut here = site;
        for up in self.w.ancestors(site) {
            if matches!(self.w.kind(up), Kind::Block { .. } | Kind::Closure { .. }) {
                break;
            }
            here = up;
        }
        here
    }

    /// Climbs from a call through what is chained to it, yielding each link: `.await`, `?`, `.unwrap()`.
    pub(super) fn links_after(&self, site: At) -> Vec<At> {
        let mut found = Vec::new();
        let mut child: NodeId = site.node;
        for up in self.w.ancestors(site) {
            let goes_on = match self.w.kind(up) {
                Kind::Method { receiver, .. } => *receiver == child,
                Kind::Field { .. }
                | Kind::Await(_)
                | Kind::Try(_)
                | Kind::Wrap(_)
                | Kind::Index { .. } => true,
                _ => false,
            };
            if !goes_on {
                break;
            }
            found.push(up);
            child = up.node;
        }
        found
    }
}
