//! Retries of the wrong shape: without backoff, without end, or of errors that no retry can mend.

use super::{Asked, Hit};
use crate::facts::{Kind, LoopKind};
use crate::knowledge::{Role, Roles};
use crate::model::{At, Binding};
use serde::Deserialize;
use std::collections::BTreeSet;

/// What is wrong with a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Flaw {
    /// The delay is always the same, or there is none.
    Constant,
    /// Nothing ends it.
    Unbounded,
    /// Errors that will not go away are retried too.
    EveryError,
}

const RETRIES: &[&str] = &["retr", "attempt", "tries"];
const GROWS: &[&str] = &[
    "pow",
    "*=",
    "<<",
    "backoff",
    "exponential",
    "* 2",
    "2.0",
    "mul_f",
    "* attempt",
    "attempt *",
    "saturating_mul",
    "retry_after",
    "retry-after",
    "delay_for",
    "jitter",
    "* (",
    "fibonacci",
];
/// What a loop speaks of that tries another way each time, which need not be waited for.
const ROTATES: &[&str] = &[
    "account",
    "rotat",
    "fallback",
    "failover",
    "next key",
    "next_key",
    "next provider",
    "next_provider",
    "next model",
    "next_model",
    "next endpoint",
    "next_endpoint",
];
const DISCERNS: &[&str] = &[
    "status",
    "429",
    "retryable",
    "transient",
    "permanent",
    "RateLimit",
    "rate_limit",
    "is_timeout",
    "is_connect",
    "TOO_MANY",
    "should_retry",
    "is_server_error",
    "kind()",
    "code",
    "Overloaded",
];

impl Asked<'_, '_> {
    pub(super) fn retries(&self, flaw: Flaw) -> Vec<Hit> {
        let mut hits = match flaw {
            Flaw::Constant => self.constant_strategies(),
            Flaw::Unbounded => self.endless_strategies(),
            Flaw::EveryError => self.undiscerning_strategies(),
        };
        let loops = self.retry_loops();
        hits.extend(loops.into_iter().filter_map(|(at, slept)| self.judge_loop(flaw, at, slept)));
        hits
    }

    /// Loops that send the same model call again after an error, and whether they wait in between.
    fn retry_loops(&self) -> BTreeSet<(At, Option<At>)> {
        let mut found = BTreeSet::new();
        for call in self.live() {
            let mut sites = vec![call.at];
            sites.extend(
                self.graph
                    .callers(call.function)
                    .iter()
                    .filter(|edge| edge.exact && self.is_call(edge.site))
                    .map(|edge| edge.site),
            );
            for site in sites {
                let Some(around) = self.loop_around(site) else { continue };
                if self.fails_out_of(site, around) {
                    continue;
                }
                let text = self.w.source(around).to_ascii_lowercase();
                let handles = text.contains("err(")
                    || text.contains("is_err")
                    || text.contains("is_ok")
                    || text.contains("ok(");
                let named = RETRIES.iter().any(|word| text.contains(word));
                let waits: Roles = [Role::Sleep, Role::SleepBlocking].into_iter().collect();
                let sleep = self.w.under(around).find(|at| self.w.roles(*at).any(waits));
                if handles && named {
                    found.insert((around, sleep));
                }
            }
        }
        found
    }

    /// Whether an error of a call leaves the loop around it: `call.await?`, with nothing in between that catches it, or
    /// a `match` whose arms for errors return.
    fn fails_out_of(&self, site: At, around: At) -> bool {
        if self.returns_error(site) {
            return true;
        }
        let tried =
            self.links_after(site).into_iter().find(|at| matches!(self.w.kind(*at), Kind::Try(_)));
        tried.is_some_and(|tried| {
            let mut between = self.w.ancestors(tried).take_while(|up| *up != around);
            !between.any(|up| matches!(self.w.kind(up), Kind::Async(_) | Kind::Closure { .. }))
        })
    }

    /// Whether a call's outcome is matched at once, and every arm for an error returns.
    fn returns_error(&self, site: At) -> bool {
        let last = self.links_after(site).last().copied().unwrap_or(site);
        let Some(Kind::Match { value, arms }) = self.w.parent(last).map(|up| self.w.kind(up))
        else {
            return false;
        };
        let returns = |at: At| matches!(self.w.kind(self.w.peel(at)), Kind::Return(_));
        let leaves = |body: At| match self.w.kind(body) {
            Kind::Block { stmts, .. } => stmts.last().is_some_and(|stmt| returns(body.with(*stmt))),
            _ => returns(body),
        };
        let mut errors = arms.iter().filter(|arm| arm.pat.head_name() == "Err").peekable();
        *value == last.node
            && errors.peek().is_some()
            && errors.all(|arm| leaves(last.with(arm.body)))
    }

    /// Whether a call is sent again where it stands: in a loop that a success leaves and a failure goes round again.
    pub(super) fn resends(&self, site: At) -> bool {
        let Some(around) = self.loop_around(site) else { return false };
        let text = self.w.source(around);
        let fails = text.contains("Err(") || text.contains("is_err") || text.contains("else");
        let counts = match self.w.kind(around) {
            Kind::Loop { kind: LoopKind::For, head: Some(head), .. } => {
                self.w.source(around.with(*head)).contains("..")
            }
            Kind::Loop { .. } => {
                self.w.under(around).any(|at| matches!(self.w.kind(at), Kind::Continue))
                    || self.waits(around)
            }
            _ => false,
        };
        let leaves = self
            .w
            .under(around)
            .any(|at| matches!(self.w.kind(at), Kind::Return(_) | Kind::Break(_)));
        counts && fails && leaves
    }

    /// Whether a function that a call leads to is called again after a wait: what goes round without one may be a
    /// conversation.
    pub(super) fn resends_after_wait(&self, site: At) -> bool {
        self.resends(site) && self.loop_around(site).is_some_and(|around| self.waits(around))
    }

    fn waits(&self, around: At) -> bool {
        let waits: Roles = [Role::Sleep, Role::SleepBlocking].into_iter().collect();
        self.w.under(around).any(|at| self.w.roles(at).any(waits))
    }

    fn judge_loop(&self, flaw: Flaw, at: At, slept: Option<At>) -> Option<Hit> {
        let function = self.w.function_at(at).and_then(|of| self.w.body(of))?;
        let text = self.w.source(at);
        let has = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
        match flaw {
            Flaw::Constant => {
                let whole = self.w.source(function);
                if has(GROWS, &whole.to_ascii_lowercase()) {
                    return None;
                }
                match slept {
                    Some(sleep) => {
                        let delay = self.w.argument(sleep, 0)?;
                        let fixed = self.w.under(delay).all(|part| match self.w.kind(part) {
                            Kind::Num(_) | Kind::Call { .. } => true,
                            Kind::Path(path) => {
                                path.len() > 1
                                    || path.iter().all(|name| {
                                        name.chars().all(|c| {
                                            c.is_uppercase() || c == '_' || c.is_ascii_digit()
                                        })
                                    })
                            }
                            _ => false,
                        });
                        fixed.then(|| Hit::at(sleep).with("how", "after the same delay each time"))
                    }
                    None if has(ROTATES, &text.to_ascii_lowercase()) => None,
                    None => Some(Hit::at(at).with("how", "at once, without any delay")),
                }
            }
            Flaw::Unbounded => {
                let forever = match self.w.kind(at) {
                    Kind::Loop { kind: LoopKind::Forever, .. } => true,
                    Kind::Loop { kind: LoopKind::While, head: Some(head), .. } => {
                        matches!(self.w.kind(at.with(*head)), Kind::Bool(true))
                    }
                    _ => false,
                };
                // The name of the loop's own retry message must not count as a bound.
                let counted = self.w.under(at).any(|part| match self.w.kind(part) {
                    Kind::Binary { op, .. } => {
                        matches!(op.as_str(), "<" | ">" | ">=" | "<=" | "==")
                    }
                    Kind::Return(Some(value)) => {
                        self.w.source(part.with(*value)).starts_with("Err")
                    }
                    Kind::Try(_) => true,
                    _ => false,
                });
                let quits = has(&["bail!", "max", "MAX", "deadline", "elapsed", "limit"], text);
                (forever && slept.is_some() && !counted && !quits).then(|| Hit::at(at))
            }
            Flaw::EveryError => {
                let ignores = self.w.under(at).any(|part| match self.w.kind(part) {
                    Kind::Match { arms, .. } => arms.iter().any(|arm| {
                        arm.pat.head_name() == "Err" && arm.pat.ignores && arm.guard.is_none()
                    }),
                    _ => false,
                });
                (ignores && slept.is_some() && !has(DISCERNS, text)).then(|| Hit::at(at))
            }
        }
    }

    /// Retry scopes that a model call stands in, or is called from.
    fn scopes(&self) -> Vec<At> {
        let mut found = BTreeSet::new();
        for at in self.playing(Role::RetryScope.into()) {
            if self.w.under(at).any(|inner| self.runs_call(inner)) {
                found.insert(at);
            }
        }
        found.into_iter().collect()
    }

    /// Whether a node leads to a model call, itself or as the name of an operation that does.
    fn runs_call(&self, at: At) -> bool {
        let operation = self.w.name_of(at).and_then(|name| match self.w.binding(at, name) {
            Some(Binding::Value { value }) => Some(value),
            _ => None,
        });
        self.leads_to_call(at)
            || operation.is_some_and(|value| {
                matches!(self.w.kind(value), Kind::Closure { .. })
                    && self.w.under(value).any(|inner| self.leads_to_call(inner))
            })
    }

    /// The links of a retry's strategy: its first argument, followed through lets.
    fn strategy(&self, scope: At) -> Vec<At> {
        (0..2).filter_map(|n| self.w.argument(scope, n)).flat_map(|arg| self.w.chain(arg)).collect()
    }

    fn constant_strategies(&self) -> Vec<Hit> {
        let links = self.scopes().into_iter().flat_map(|scope| self.strategy(scope));
        let constant = links.filter(|link| self.w.roles(*link).has(Role::ConstantBackoff));
        constant.map(|link| Hit::at(link).with("how", "after the same delay each time")).collect()
    }

    fn endless_strategies(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for scope in self.scopes() {
            let links = self.strategy(scope);
            let removed = links.iter().find(|link| self.w.roles(**link).has(Role::Unbounded));
            let bounded = links.iter().any(|link| {
                self.w.roles(*link).has(Role::Bounded) || matches!(self.w.kind(*link), Kind::Method { name, .. } if matches!(name.as_str(), "take" | "max_times" | "with_max_times" | "take_while"))
            });
            let known = links.iter().any(|link| {
                self.w
                    .roles(*link)
                    .any([Role::Backoff, Role::ConstantBackoff].into_iter().collect())
            });
            if let Some(link) = removed {
                hits.push(Hit::at(*link));
            } else if known && !bounded && !self.w.roles(scope).has(Role::Bounded) {
                hits.push(Hit::at(scope));
            }
        }
        hits
    }

    fn undiscerning_strategies(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for scope in self.scopes() {
            let after = self.links_after(scope);
            let filtered = self.w.roles(scope).has(Role::ErrorFilter)
                || after.iter().any(|link| self.w.roles(*link).has(Role::ErrorFilter));
            let text = self
                .w
                .function_at(scope)
                .and_then(|of| self.w.body(of))
                .map_or("", |body| self.w.source(body));
            if !filtered && !DISCERNS.iter().any(|word| text.contains(word)) {
                hits.push(Hit::at(scope));
            }
        }
        hits
    }
}
