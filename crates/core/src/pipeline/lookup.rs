//! The cache: looked into before a provider is asked, filled after one has answered.
//!
//! Two levels: the isolate's own replies, then the host's store (KV). Requests for the same answer
//! at the same time share one call to the provider.

use std::rc::Rc;

use futures_channel::oneshot;

use super::{
    Gate, Stop,
    host::Host,
    stages::Guarded,
    wait::{Woken, wait},
};
use crate::{
    cache::{
        entry::Entry,
        key::{CacheKey, Setting, Tenant, cache_key},
        policy,
    },
    config::valid::{CacheScope, Config},
    http::CallHeaders,
    openai::{Effective, Endpoint},
    record::{CacheResult, Record},
    refusal::{Code, Refusal},
    units::DurationMs,
};

/// KV keeps nothing for a shorter time; what lives less stays in the isolate.
const STORE_FLOOR: DurationMs = DurationMs(60_000);

/// What the leader of a flight tells those who wait.
pub(crate) type Landing = Result<Rc<Entry>, Refusal>;

/// What looking brought.
pub(super) enum Found<'g> {
    /// A reply that may be used.
    Kept(Rc<Entry>),
    /// None; what becomes of the answer is the flight's.
    Nothing(Flight<'g>),
}

/// What becomes of the answer: whether it is kept, and whether others wait for it.
///
/// Dropped without landing, it wakes those who wait, and one of them takes the lead.
#[derive(Debug)]
pub(super) struct Flight<'g> {
    gate: &'g Gate,
    key: Option<CacheKey>,
    ttl: DurationMs,
    leads: bool,
}

impl Flight<'_> {
    /// Whether the answer is kept.
    pub(super) const fn keeps(&self) -> bool {
        self.key.is_some()
    }

    /// For how long.
    pub(super) const fn ttl(&self) -> DurationMs {
        self.ttl
    }

    fn tell(&mut self, landing: &Landing) {
        let Some(key) = self.key.filter(|_| std::mem::take(&mut self.leads)) else { return };
        let waiting = self.gate.flights.borrow_mut().land(&key);
        for waiter in waiting {
            // One that has gone away needs no answer.
            let _ = waiter.send(landing.clone());
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.filter(|_| self.leads) {
            drop(self.gate.flights.borrow_mut().land(&key));
        }
    }
}

/// Looks for a reply that may be used, and leads a flight where there is none.
pub(super) async fn look<'g, H: Host>(
    host: &H,
    gate: &'g Gate,
    config: &Config,
    guarded: &Guarded,
    headers: &CallHeaders<'_>,
    record: &mut Record,
) -> Result<Found<'g>, Stop> {
    let (model, request) = (&guarded.0.model, &guarded.0.request);
    let plan = policy::plan(&model.cache, nature(request), headers.cache, headers.cache_ttl);
    record.cache = plan.result;
    let flight = |key, leads| Flight { gate, key, ttl: plan.ttl, leads };
    if !plan.writes {
        return Ok(Found::Nothing(flight(None, false)));
    }
    let key = key(config, guarded);
    if !plan.reads {
        return Ok(Found::Nothing(flight(Some(key), false)));
    }
    loop {
        let kept = gate.replies.borrow_mut().get(&key, host.now());
        if let Some(entry) = kept {
            return Ok(found(entry, record));
        }
        if gate.flights.borrow_mut().lead(key) {
            break;
        }
        let (token, landing) = oneshot::channel();
        gate.flights.borrow_mut().wait(&key, token);
        let asked = host.now();
        let woken = wait(host, landing, model.timeout.total).await?;
        record.timings.upstream = record.timings.upstream.plus(host.now().since(asked));
        match woken {
            Woken::By(Ok(entry)) => return Ok(found(entry, record)),
            Woken::By(Err(refusal)) => return Err(Stop::Refused(refusal)),
            // The leader had nothing to share.
            Woken::Alone => {}
            Woken::Late => {
                let message = "an identical call that this one waited for did not end in time";
                return Err(Stop::Refused(Refusal::new(Code::UpstreamTimeout, message)));
            }
        }
    }
    let mut flight = flight(Some(key), true);
    let Some(entry) = stored(host, &key, plan.ttl).await else {
        return Ok(Found::Nothing(flight));
    };
    let entry = Rc::new(entry);
    gate.replies.borrow_mut().insert(key, entry.clone());
    flight.tell(&Ok(entry.clone()));
    Ok(found(entry, record))
}

/// How much chance and world there is in the answer.
fn nature(request: &Effective) -> policy::Nature {
    let temperature = match request.endpoint() {
        Endpoint::Embeddings => 0.0,
        Endpoint::ChatCompletions | Endpoint::Completions => {
            request.temperature().unwrap_or(f64::INFINITY)
        }
    };
    policy::Nature { temperature, tools: request.has_tools() }
}

fn found<'g>(entry: Rc<Entry>, record: &mut Record) -> Found<'g> {
    record.cache = CacheResult::Hit;
    Found::Kept(entry)
}

fn key(config: &Config, guarded: &Guarded) -> CacheKey {
    let model = &guarded.0.model;
    let tenant = match (model.cache.scope, guarded.0.caller.key()) {
        (CacheScope::Shared, _) | (CacheScope::Key, None) => Tenant::Everyone,
        (CacheScope::Key, Some(key)) => Tenant::Key(&key.id),
    };
    let targets: Vec<&str> = model.targets.iter().map(|target| target.id.as_str()).collect();
    let setting = Setting { tenant, alias: &model.name, targets: &targets, policy: &config.digest };
    cache_key(&setting, &guarded.0.request)
}

/// The reply in the host's store. What does not decode is a miss.
async fn stored<H: Host>(host: &H, key: &CacheKey, ttl: DurationMs) -> Option<Entry> {
    if ttl < STORE_FLOOR {
        return None;
    }
    let entry = Entry::decode(&host.load(key).await?).ok()?;
    entry.is_fresh(host.now()).then_some(entry)
}

/// Keeps the answer and shares it with those who wait; a provider's failure is theirs too.
pub(super) async fn land<H: Host>(
    host: &H,
    mut flight: Flight<'_>,
    delivered: Result<Option<Entry>, Stop>,
) -> Result<(), Stop> {
    let entry = match delivered {
        Ok(entry) => entry,
        Err(Stop::Refused(refusal)) => {
            flight.tell(&Err(refusal.clone()));
            return Err(Stop::Refused(refusal));
        }
        Err(Stop::CallerLeft) => return Err(Stop::CallerLeft),
    };
    let (Some(key), Some(entry)) = (flight.key, entry) else { return Ok(()) };
    let entry = Rc::new(entry);
    flight.gate.replies.borrow_mut().insert(key, entry.clone());
    flight.tell(&Ok(entry.clone()));
    if entry.ttl >= STORE_FLOOR {
        host.store(&key, entry.encode(), entry.ttl).await;
    }
    Ok(())
}
