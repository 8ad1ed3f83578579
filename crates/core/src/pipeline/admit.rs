//! Limits: one request before the request is looked at, its tokens before a provider is asked.
//!
//! The decisions are [`Lessee`](rate::Lessee)'s; here its questions are carried to the limiter
//! objects, one at a time for each.

use futures_channel::oneshot;

use super::{
    Gate, Stop,
    host::Host,
    spend,
    stages::{Admitted, Authenticated, Guarded},
    wait::{Woken, wait},
};
use crate::{
    budget::Hold,
    rate::{self, Admission, Refused, Reservation, Step, Subject},
    record::{LimitDecision, LimitScope, LimitVerdict, LimitedResource, Record},
    refusal::{Code, Refusal},
};

/// Takes one request from every bucket that applies.
pub(super) async fn request<H: Host>(
    host: &H,
    gate: &Gate,
    mut authenticated: Authenticated,
    record: &mut Record,
) -> Result<Authenticated, Stop> {
    count(host, gate, &mut authenticated.subject, record).await?;
    Ok(authenticated)
}

/// Takes one request from every bucket that applies to `subject`.
pub(super) async fn count<H: Host>(
    host: &H,
    gate: &Gate,
    subject: &mut Subject,
    record: &mut Record,
) -> Result<(), Stop> {
    loop {
        let step = gate.lessee.borrow_mut().admit(subject, host.now());
        if let Some(admission) = resolve(host, gate, step, record).await? {
            note(admission, LimitedResource::Requests, record);
            return Ok(());
        }
    }
}

/// Sets aside the tokens that the request may use at most; where there is no room for them, the
/// money in `hold` is free again.
pub(super) async fn tokens<H: Host>(
    host: &H,
    gate: &Gate,
    mut guarded: Guarded,
    hold: Hold,
    record: &mut Record,
) -> Result<Admitted, Stop> {
    match reserve(host, gate, &mut guarded, record).await {
        Ok(reservation) => Ok(Admitted { guarded, reservation, hold }),
        Err(stop) => {
            spend::book(gate, hold, None);
            Err(stop)
        }
    }
}

async fn reserve<H: Host>(
    host: &H,
    gate: &Gate,
    guarded: &mut Guarded,
    record: &mut Record,
) -> Result<Reservation, Stop> {
    let request = &guarded.0.request;
    let estimate = request.prompt_estimate().saturating_add(request.max_output());
    loop {
        let now = host.now();
        let step = gate.lessee.borrow_mut().reserve(&mut guarded.0.subject, estimate, now);
        if let Some(reservation) = resolve(host, gate, step, record).await? {
            note(reservation.admission(), LimitedResource::Tokens, record);
            record.reserved = estimate;
            return Ok(reservation);
        }
    }
}

/// Does what a step asks for; `None` means: decide again.
async fn resolve<H: Host, T>(
    host: &H,
    gate: &Gate,
    step: Step<T>,
    record: &mut Record,
) -> Result<Option<T>, Stop> {
    match step {
        Step::Ready(value) => Ok(Some(value)),
        Step::Ask { group, message } => {
            let reply = host.limiter(&group, &message).await;
            let reply = reply.as_deref().map_err(|_| rate::Unavailable);
            gate.lessee.borrow_mut().answered(&group, reply, host.now());
            // Those who waited for this answer look again; one of them may have to ask.
            drop(gate.asking.borrow_mut().remove(&group));
            Ok(None)
        }
        Step::Wait { group, at_most } => {
            let (wake, woken) = oneshot::channel();
            gate.asking.borrow_mut().entry(group).or_default().push(wake);
            match wait(host, woken, at_most).await? {
                // The asker lets go of its end once it has its answer.
                Woken::By(()) | Woken::Alone | Woken::Late => Ok(None),
            }
        }
        Step::Refused(refused) => {
            record.limits.push(decision(&refused));
            Err(Stop::Refused(refused.into()))
        }
        Step::Unreachable => {
            let message = "the limits cannot be checked at the moment";
            Err(Refusal::new(Code::LimiterUnavailable, message).into())
        }
    }
}

/// What was let through is noted once, and what was let through unchecked is told apart.
fn note(admission: Admission, resource: LimitedResource, record: &mut Record) {
    let verdict = match admission {
        Admission::Counted => LimitVerdict::Admitted,
        Admission::Uncounted => LimitVerdict::Unchecked,
    };
    record.limits.push(LimitDecision { scope: LimitScope::Key, resource, verdict });
}

fn decision(refused: &Refused) -> LimitDecision {
    LimitDecision {
        scope: match refused.scope {
            rate::Scope::Key => LimitScope::Key,
            rate::Scope::KeyModel => LimitScope::KeyAndModel,
            rate::Scope::Model => LimitScope::Model,
        },
        resource: match refused.resource {
            rate::Resource::Requests => LimitedResource::Requests,
            rate::Resource::Tokens => LimitedResource::Tokens,
        },
        verdict: LimitVerdict::Refused,
    }
}
