//! Limits: one request before the request is looked at, its tokens before a provider is asked.
//!
//! The decisions are [`Lessee`](crate::rate::lessee::Lessee)'s; here its questions are carried to the
//! limiter objects, one at a time for each.

use futures_channel::oneshot;

use super::{
    Gate, Stop,
    host::Host,
    stages::{Admitted, Authenticated, Guarded},
};
use crate::{
    rate::lessee::{Refused, Reservation, Step, Subject},
    record::Record,
    refusal::{Code, Refusal},
    units::{Tokens, UnixMs},
};

/// Takes one request from every bucket that applies.
pub(super) async fn request<H: Host>(
    host: &H,
    gate: &Gate,
    authenticated: Authenticated,
    record: &mut Record,
) -> Result<Authenticated, Stop> {
    loop {
        let step = gate.lessee.borrow_mut().admit(&authenticated.subject, host.now());
        if let Some(()) = resolve(host, gate, step, record).await? {
            return Ok(authenticated);
        }
    }
}

/// Sets aside the tokens that the request may use at most.
pub(super) async fn tokens<H: Host>(
    host: &H,
    gate: &Gate,
    guarded: Guarded,
    record: &mut Record,
) -> Result<Admitted, Stop> {
    let request = &guarded.0.request;
    let estimate = request.prompt_estimate().saturating_add(request.max_output());
    loop {
        let step = reserve(gate, &guarded.0.subject, estimate, host.now());
        if let Some(reservation) = resolve(host, gate, step, record).await? {
            record.reserved = estimate;
            return Ok(Admitted { guarded, reservation });
        }
    }
}

fn reserve(gate: &Gate, subject: &Subject, estimate: Tokens, now: UnixMs) -> Step<Reservation> {
    gate.lessee.borrow_mut().reserve(subject, estimate, now)
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
            let reply = reply.as_ref().map(Vec::as_slice).map_err(|_| ());
            gate.lessee.borrow_mut().answered(&group, reply, host.now());
            // Those who waited for this answer look again; one of them may have to ask.
            drop(gate.asking.borrow_mut().remove(&group));
            Ok(None)
        }
        Step::Wait { group } => {
            let (wake, woken) = oneshot::channel();
            gate.asking.borrow_mut().entry(group).or_default().push(wake);
            // The asker drops its end when it has its answer, or when it vanishes.
            let _ = woken.await;
            Ok(None)
        }
        Step::Refused(refused) => Err(refusal(&refused, record).into()),
        Step::Unreachable => {
            let message = "the limits cannot be checked at the moment";
            Err(Refusal::new(Code::LimiterUnavailable, message).into())
        }
    }
}

fn refusal(refused: &Refused, record: &mut Record) -> Refusal {
    record.limits.push(refused.decision());
    refused.refusal()
}
