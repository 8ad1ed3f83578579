//! Budgets: what a call may cost at most is set aside before a provider is asked.
//!
//! The decisions are [`Purse`]'s; here its questions are carried to the objects, one at a time for
//! each budget.

use std::{rc::Rc, sync::Arc};

use futures_channel::oneshot;

use super::{
    Gate, Stop, admit, enter, guards,
    host::Host,
    lookup::{self, Flight, Found},
    stages::Guarded,
    wait::{Woken, wait},
};
#[cfg(doc)]
use crate::budget::Purse;
use crate::{
    budget::{Charge, Hold, Refused, Scope, Step, Unpriced, worst_cost},
    cache::entry::Entry,
    config::valid::{Config, Model, UnknownPrice},
    http::CallHeaders,
    rate,
    record::{LimitDecision, LimitScope, LimitVerdict, LimitedResource, Record},
    refusal::{Code, Refusal},
    route,
    units::MicroUsd,
};

/// A call that needs a provider, or does not.
pub(super) enum Way<'g> {
    /// A kept reply answers it, and it costs nothing.
    Kept(Guarded, Rc<Entry>),
    /// A provider is asked, and what that can cost is set aside.
    Paid(Guarded, Flight<'g>, Hold),
}

/// Looks for a kept reply, and where there is none sets aside what the call can cost. A call that a
/// budget has no room for goes the same way again for the cheaper model, where one is configured.
pub(super) async fn afford<'g, H: Host>(
    host: &H,
    gate: &'g Gate,
    config: &Config,
    mut guarded: Guarded,
    headers: &CallHeaders<'_>,
    record: &mut Record,
) -> Result<Way<'g>, Stop> {
    let mut left: Vec<Arc<Model>> = Vec::new();
    loop {
        let flight = match lookup::look(host, gate, config, &guarded, headers, record).await? {
            Found::Kept(entry) => return Ok(Way::Kept(guarded, entry)),
            Found::Nothing(flight) => flight,
        };
        let (refused, cheaper) = match hold(host, gate, config, &guarded, record).await? {
            Spending::Held(hold) => return Ok(Way::Paid(guarded, flight, hold)),
            Spending::Cheaper(refused, model) => (refused, model),
        };
        // Whoever waits for this call's answer waits for the dearer model's.
        drop(flight);
        left.push(guarded.0.model.clone());
        if left.iter().any(|model| model.name == cheaper.name) {
            return Err(Stop::Refused(refused.into()));
        }
        guarded = instead(host, gate, config, guarded, (refused, cheaper), record).await?;
    }
}

/// What the budgets say of a call.
enum Spending {
    /// It is paid for, whatever it costs up to its worst case.
    Held(Hold),
    /// There is no room for it, and this model answers in its place.
    Cheaper(Refused, Arc<Model>),
}

/// The same request to a cheaper model, which is held to that model's own limits, bounds and guards.
async fn instead<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    guarded: Guarded,
    (refused, model): (Refused, Arc<Model>),
    record: &mut Record,
) -> Result<Guarded, Stop> {
    // What the cheaper model cannot do is not the caller's mistake: the budget is why it is refused.
    let Ok(validated) = enter::instead(guarded, &model) else {
        return Err(Stop::Refused(refused.into()));
    };
    let mut beside = enter::subject_of_model(&validated.caller, &model);
    admit::count(host, gate, &mut beside, record).await?;
    record.model = Some(model);
    guards::input(host, gate, config, validated, record).await
}

/// Sets aside what the call can cost at most, in every budget that covers it.
async fn hold<H: Host>(
    host: &H,
    gate: &Gate,
    config: &Config,
    guarded: &Guarded,
    record: &mut Record,
) -> Result<Spending, Stop> {
    let (caller, model) = (&guarded.0.caller, &guarded.0.model);
    let charge = Charge::new(config, caller, model);
    if charge.is_free_of_budgets() {
        return Ok(Spending::Held(Hold::default()));
    }
    let mut charge = charge.of(worst(config, guarded)?);
    loop {
        let step = gate.purse.borrow_mut().hold(&mut charge, host.now());
        match step {
            Step::Ready(hold) => {
                let verdict = if hold.is_unchecked() {
                    LimitVerdict::Unchecked
                } else {
                    LimitVerdict::Admitted
                };
                note(LimitScope::Key, verdict, record);
                return Ok(Spending::Held(hold));
            }
            Step::Ask { group, message } => ask(host, gate, &group, &message).await,
            Step::Wait { group, at_most } => {
                let (wake, woken) = oneshot::channel();
                gate.asking.borrow_mut().entry(group).or_default().push(wake);
                match wait(host, woken, at_most).await? {
                    Woken::By(()) | Woken::Alone | Woken::Late => {}
                }
            }
            Step::Refused(refused) => {
                note(scope(refused.scope), LimitVerdict::Refused, record);
                return in_place(config, refused).map_err(Stop::Refused);
            }
            Step::Unreachable => {
                let message = "the budget cannot be checked at the moment";
                return Err(Refusal::new(Code::LimiterUnavailable, message).into());
            }
        }
    }
}

/// Books what the call cost, and gives back what was set aside beyond it.
///
/// Consumes the hold: a call is booked exactly once.
pub(super) fn book(gate: &Gate, hold: Hold, cost: Option<MicroUsd>) {
    gate.purse.borrow_mut().settle(hold, cost.unwrap_or_default());
}

async fn ask<H: Host>(host: &H, gate: &Gate, group: &str, message: &[u8]) {
    let reply = host.limiter(group, message).await;
    let reply = reply.as_deref().map_err(|_| rate::Unavailable);
    gate.purse.borrow_mut().answered(group, reply, host.now());
    // Those who waited for this answer look again; one of them may have to ask.
    drop(gate.asking.borrow_mut().remove(group));
}

/// The cost of the dearest target that may come to answer.
fn worst(config: &Config, guarded: &Guarded) -> Result<MicroUsd, Refusal> {
    let (model, request) = (&guarded.0.model, &guarded.0.request);
    let targets = route::reachable(config, model);
    match worst_cost(targets, request.prompt_estimate(), request.max_output()) {
        Ok(cost) => Ok(cost),
        Err((Unpriced { target }, others)) => match config.budgets.unknown_price {
            UnknownPrice::Zero => Ok(others),
            UnknownPrice::Refuse => {
                let message = format!(
                    "the call is held to a budget, and what `{target}` costs is not configured"
                );
                Err(Refusal::new(Code::PriceUnknown, message).final_answer())
            }
        },
    }
}

/// The cheaper model, where one is configured, or the refusal.
fn in_place(config: &Config, refused: Refused) -> Result<Spending, Refusal> {
    match refused.cheaper.as_ref().and_then(|name| config.models.get(name)) {
        Some(model) => Ok(Spending::Cheaper(refused, model.clone())),
        None => Err(refused.into()),
    }
}

fn note(scope: LimitScope, verdict: LimitVerdict, record: &mut Record) {
    record.limits.push(LimitDecision { scope, resource: LimitedResource::Budget, verdict });
}

const fn scope(scope: Scope) -> LimitScope {
    match scope {
        Scope::Key => LimitScope::Key,
        Scope::Team => LimitScope::Team,
        Scope::Model => LimitScope::Model,
    }
}
