//! Results of model calls that are unwrapped, dropped, or taken for a success unread.

use super::{Asked, Hit};
use crate::facts::{Arm, Kind, Name};
use crate::knowledge::Role;
use crate::model::{At, FnRef, ModelCall};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What is wrong with how a result is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flaw {
    /// `.unwrap()`, `.expect()` on the call or on reading its reply.
    Unwrapped,
    /// `let _ =`, `if let Ok` without an else.
    Discarded,
    /// A default in place of the error, and no word of it.
    Unlogged,
    /// The HTTP status is never looked at.
    Unchecked,
    /// The reply is indexed, or its first choice taken for granted.
    Indexed,
}

impl<'k> Asked<'_, 'k> {
    pub(super) fn results(&self, flaw: Flaw) -> Vec<Hit> {
        match flaw {
            Flaw::Unwrapped => self.unwrapped(),
            Flaw::Discarded => {
                self.unheard_outcomes().filter_map(|site| self.discarded(site)).collect()
            }
            Flaw::Unlogged => {
                self.unheard_outcomes().filter_map(|site| self.unlogged(site)).collect()
            }
            Flaw::Unchecked => self
                .live()
                .filter(|call| call.http)
                .filter_map(|call| self.unchecked(call))
                .collect(),
            Flaw::Indexed => self.indexed(),
        }
    }

    pub(super) fn method(&self, at: At) -> &str {
        match self.w.kind(at) {
            Kind::Method { name, .. } => name,
            _ => "",
        }
    }

    /// Where the outcome of a model call is had: the call, and calls of functions that hand its `Result` on.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = At> {
        let wrapped = self.live().filter(|call| self.hands_on(call.function));
        let wrapped = wrapped.flat_map(|call| self.graph.callers(call.function));
        let wrapped = wrapped.filter(|edge| edge.exact && self.is_call(edge.site));
        let direct = self.live().filter(|call| !opens_later(call)).map(|call| call.at);
        let sites: BTreeSet<At> = direct.chain(wrapped.map(|edge| edge.site)).collect();
        sites.into_iter()
    }

    /// The same, but for functions that write a log record of their own.
    fn unheard_outcomes(&self) -> impl Iterator<Item = At> {
        self.outcomes().filter(|site| {
            let body = self.w.callee(*site).and_then(|of| self.w.body(of));
            body.is_none_or(|body| !self.w.under(body).any(|at| self.w.roles(at).has(Role::Log)))
        })
    }

    fn hands_on(&self, function: FnRef) -> bool {
        self.w.function(function).is_some_and(|fact| fact.output.name() == Some("Result"))
    }

    fn discarded(&self, site: At) -> Option<Hit> {
        let links = self.links_after(site);
        let last = links.last().copied().unwrap_or(site);
        let tried = links.iter().any(|link| matches!(self.w.kind(*link), Kind::Try(_)));
        if tried {
            return None;
        }
        let up = self.w.parent(last)?;
        match self.w.kind(up) {
            Kind::Let { pat, .. } if pat.ignores && pat.names.is_empty() => Some(Hit::at(up)),
            Kind::LetCond { pat, .. } if pat.head_name() == "Ok" => {
                let condition = self.w.parent(up)?;
                match self.w.kind(condition) {
                    Kind::If { cond, then, otherwise: None }
                        if *cond == up.node
                            && self.ends(condition)
                            && !self.returns(condition.with(*then))
                            && !self.only_replaces(condition.with(*then)) =>
                    {
                        Some(Hit::at(up))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether a branch leaves its function: what follows is then the other branch.
    fn returns(&self, branch: At) -> bool {
        self.w.under(branch).any(|at| matches!(self.w.kind(at), Kind::Return(_)))
    }

    /// Whether a branch does nothing but put something else in a name's place, which holds what it held otherwise.
    fn only_replaces(&self, branch: At) -> bool {
        let Kind::Block { stmts, .. } = self.w.kind(branch) else { return false };
        let replaces = |stmt: At| matches!(self.w.kind(stmt), Kind::Assign { op, .. } if op == "=");
        !stmts.is_empty() && stmts.iter().all(|stmt| replaces(self.w.peel(branch.with(*stmt))))
    }

    /// Whether nothing follows an `if` in its block that could stand for the else branch.
    fn ends(&self, condition: At) -> bool {
        let Some(up) = self.w.parent(condition) else { return false };
        match self.w.kind(up) {
            Kind::Block { stmts, .. } => {
                stmts.last() == Some(&condition.node) && !self.in_loop_or_value(up)
            }
            _ => false,
        }
    }

    fn in_loop_or_value(&self, block: At) -> bool {
        self.loop_around(block).is_some()
    }

    fn unlogged(&self, site: At) -> Option<Hit> {
        let links = self.links_after(site);
        let drops = |name: &str| matches!(name, "unwrap_or_default" | "unwrap_or");
        let mut reading = true;
        for link in &links {
            match self.method(*link) {
                name if drops(name) && reading => {
                    return Some(Hit::link(self.w, *link).with("how", format!("`.{name}()`")));
                }
                "" | "json" | "text" | "error_for_status" => {}
                _ => reading = false,
            }
            if matches!(self.w.kind(*link), Kind::Try(_)) {
                return None;
            }
        }
        let last = links.last().copied().unwrap_or(site);
        let up = self.w.parent(last)?;
        let (matched, arms) = match self.w.kind(up) {
            Kind::Match { arms, .. } => (up, &**arms),
            Kind::Let { pat, .. } => self.arms_later(up, pat.binding()?)?,
            _ => return None,
        };
        let silent = arms.iter().find(|arm| {
            let unread = arm.pat.head_name() == "Err" && arm.pat.ignores;
            let body = matched.with(arm.body);
            unread && self.says_nothing(body) && !self.answers_no(body)
        })?;
        Some(Hit::at(matched.with(silent.body)).with("how", "an `Err(_)` arm"))
    }

    /// `let outcome = call; match outcome { … }`: the match and its arms.
    fn arms_later(&self, at: At, name: &str) -> Option<(At, &[Arm])> {
        let body = self.w.function_at(at).and_then(|of| self.w.body(of))?;
        self.w.under(body).find_map(|node| match self.w.kind(node) {
            Kind::Match { value, arms } if self.w.is_name(node.with(*value), name) => {
                Some((node, &**arms))
            }
            _ => None,
        })
    }

    /// Whether an arm's value is that something is not there, in a function that was asked whether it is.
    fn answers_no(&self, body: At) -> bool {
        let asked = self.w.function_at(body).and_then(|of| self.w.function(of)).is_some_and(|of| {
            let probes = ["health", "avail", "alive", "ping", "ready", "reach", "check", "valid"];
            probes.iter().any(|word| of.name.contains(word))
        });
        asked && matches!(self.w.source(body).trim(), "false" | "Ok(false)")
    }

    /// Whether an error's arm neither logs, nor fails, nor tries again.
    fn says_nothing(&self, body: At) -> bool {
        let text = self.w.source(body);
        let speaks = [
            "Err", "error", "return", "panic", "bail", "continue", "fail", "warn", "log", "print",
            "exit", "retry", "send",
        ];
        !self.w.under(body).any(|at| self.w.roles(at).has(Role::Log))
            && !speaks.iter().any(|word| text.contains(word))
    }

    fn unchecked(&self, call: &ModelCall<'k>) -> Option<Hit> {
        if self.w.known(call.at).is_some_and(|fact| {
            fact.path.first().is_some_and(|first| first == "Request" || first == "Agent")
        }) {
            // ureq answers 4xx and 5xx as errors by itself.
            return None;
        }
        let body = self.w.body(call.function)?;
        let text = self.w.source(body);
        let looks = [
            "status",
            "is_success",
            "\"error\"",
            ".error",
            "error_for_",
            "Error>>",
            "ErrorResponse",
            "ApiError",
            "success",
            "ensure",
            "check",
            "handle_",
        ];
        if looks.iter().any(|word| text.contains(word)) {
            return None;
        }
        let reads = |at: At| {
            matches!(
                self.method(at),
                "json" | "text" | "bytes" | "bytes_stream" | "chunk" | "into_body"
            )
        };
        let direct = self.links_after(call.at).into_iter().any(reads);
        let named = self.reply_name(call.at).is_some_and(|name| {
            let later = self.w.under(body).filter(|at| reads(*at));
            later.into_iter().any(|at| {
                self.w.chain(at).iter().any(|link| match self.w.kind(*link) {
                    Kind::Method { receiver, .. } => self.w.is_name(link.with(*receiver), &name),
                    _ => false,
                })
            })
        });
        (direct || named).then(|| Hit::at(call.at).with("function", self.title_at(call.at)))
    }

    /// The name a call's value is bound to.
    pub(super) fn reply_name(&self, at: At) -> Option<Name> {
        let last = self.links_after(at).last().copied().unwrap_or(at);
        let up = self.w.parent(last)?;
        match self.w.kind(up) {
            Kind::Let { pat, .. } => {
                let name = pat.binding()?;
                Some(self.matched_later(up, name).unwrap_or_else(|| name.clone()))
            }
            Kind::Match { arms, .. } => success(arms),
            _ => None,
        }
    }

    /// `let outcome = call; match outcome { Ok(reply) => … }`: the reply's name.
    fn matched_later(&self, at: At, name: &str) -> Option<Name> {
        let body = self.w.function_at(at).and_then(|of| self.w.body(of))?;
        self.w.under(body).find_map(|node| match self.w.kind(node) {
            Kind::Match { value, arms } if self.w.is_name(node.with(*value), name) => success(arms),
            Kind::LetCond { pat, value }
                if pat.head_name() == "Ok" && self.w.is_name(node.with(*value), name) =>
            {
                pat.names.first().cloned()
            }
            _ => None,
        })
    }

    /// `choices[0]`, `choices.first().unwrap()`: a reply may have no choices.
    fn indexed(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        let files: rustc_hash::FxHashSet<usize> = self.live().map(|call| call.at.file).collect();
        for at in self.w.nodes().filter(|at| files.contains(&at.file)) {
            let base = match self.w.kind(at) {
                Kind::Index { base, at: place }
                    if matches!(self.w.kind(at.with(*place)), Kind::Num(_)) =>
                {
                    at.with(*base)
                }
                Kind::Method { receiver, name, .. }
                    if matches!(name.as_str(), "unwrap" | "expect") =>
                {
                    match self.first_of(at.with(*receiver)) {
                        Some(base) => base,
                        None => continue,
                    }
                }
                _ => continue,
            };
            let Kind::Field { name, .. } = self.w.kind(self.w.peel(base)) else { continue };
            if !matches!(name.as_str(), "choices" | "candidates")
                || self.w.is_test(at)
                || self.guarded(at, name)
            {
                continue;
            }
            hits.push(Hit::at(at).with("field", name.as_str()));
        }
        hits
    }

    fn first_of(&self, at: At) -> Option<At> {
        let mut here = at;
        let mut takes = false;
        while let Kind::Method { receiver, name, .. } = self.w.kind(here) {
            match name.as_str() {
                "first" | "next" | "pop" | "last" | "get" => takes = true,
                "iter" | "into_iter" | "clone" | "as_ref" | "cloned" | "drain" => {}
                _ => return None,
            }
            here = here.with(*receiver);
        }
        takes.then_some(here)
    }

    fn guarded(&self, at: At, field: &str) -> bool {
        let body = self.w.function_at(at).and_then(|of| self.w.body(of));
        let text = body.map_or("", |body| self.w.source(body));
        ["is_empty()", "len()", "first()"].iter().any(|check| {
            let needle = format!("{field}.{check}");
            text.contains(&needle) && !self.w.source(at).contains(&needle)
        })
    }
}

/// The name that the arm of a success gives to its value.
fn success(arms: &[Arm]) -> Option<Name> {
    let arm = arms.iter().find(|arm| arm.pat.head_name() == "Ok")?;
    arm.pat.names.first().cloned()
}

/// Whether a call only sets a stream of events up: what it returns is no outcome yet.
fn opens_later(call: &ModelCall<'_>) -> bool {
    let returns = call.fact.returns.as_deref().and_then(<[Name]>::last);
    returns.is_some_and(|name| name == "EventSource")
}
