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
        flight::Lead,
        key::{CacheKey, Setting, Tenant, cache_key},
        policy::{self, Plan},
    },
    config::valid::{CacheScope, Config, Variant},
    http::CallHeaders,
    openai::{Effective, Endpoint},
    record::{CacheResult, Record},
    refusal::{Code, Refusal},
    units::{DurationMs, UnixMs},
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
    lead: Option<Lead>,
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
        let Some((key, lead)) = self.key.zip(self.lead.take()) else { return };
        let waiting = self.gate.flights.borrow_mut().land(&key, lead);
        for waiter in waiting {
            // One that has gone away needs no answer.
            let _ = waiter.send(landing.clone());
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if let Some((key, lead)) = self.key.zip(self.lead.take()) {
            drop(self.gate.flights.borrow_mut().land(&key, lead));
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
    let flight = |key, lead| Flight { gate, key, ttl: plan.ttl, lead };
    if !plan.writes {
        return Ok(Found::Nothing(flight(None, None)));
    }
    let key = key(config, guarded, record.variant.as_deref());
    if !plan.reads {
        return Ok(Found::Nothing(flight(Some(key), None)));
    }
    let ends = record.started.plus(model.timeout.total);
    let asked = host.now();
    let turn = turn(host, gate, key, &plan, ends).await;
    record.timings.upstream = record.timings.upstream.plus(host.now().since(asked));
    let lead = match turn? {
        Turn::Kept(entry) => return Ok(found(entry, record)),
        Turn::Lead(lead) => lead,
    };
    let mut flight = flight(Some(key), Some(lead));
    let Some(entry) = stored(host, &key, &plan).await else {
        return Ok(Found::Nothing(flight));
    };
    let entry = Rc::new(entry);
    gate.replies.borrow_mut().insert(key, entry.clone());
    flight.tell(&Ok(entry.clone()));
    Ok(found(entry, record))
}

/// What becomes of one among identical requests.
enum Turn {
    /// There is a reply, kept before or just landed.
    Kept(Rc<Entry>),
    /// It is the one to ask.
    Lead(Lead),
}

/// Waits for those who came before, until there is a reply, or none of them is left; at most until
/// `ends`.
async fn turn<H: Host>(
    host: &H,
    gate: &Gate,
    key: CacheKey,
    plan: &Plan,
    ends: UnixMs,
) -> Result<Turn, Stop> {
    loop {
        let now = host.now();
        let kept = gate.replies.borrow_mut().get(&key, now);
        if let Some(entry) = kept.filter(|entry| plan.accepts(entry, now)) {
            return Ok(Turn::Kept(entry));
        }
        let left = ends.since(now);
        let role = gate.flights.borrow_mut().lead(key, now, left);
        let wait_for = match role {
            Ok(lead) => return Ok(Turn::Lead(lead)),
            Err(leader) => leader.min(left),
        };
        if wait_for == DurationMs(0) {
            let message = "an identical call that this one waited for did not end in time";
            return Err(Stop::Refused(Refusal::new(Code::UpstreamTimeout, message)));
        }
        let (token, landing) = oneshot::channel();
        gate.flights.borrow_mut().wait(&key, token);
        match wait(host, landing, wait_for).await? {
            Woken::By(Ok(entry)) => return Ok(Turn::Kept(entry)),
            Woken::By(Err(refusal)) => return Err(Stop::Refused(refusal)),
            // The leader had nothing to share, or has vanished.
            Woken::Alone | Woken::Late => {}
        }
    }
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

fn key(config: &Config, guarded: &Guarded, variant: Option<&Variant>) -> CacheKey {
    let model = &guarded.0.model;
    let tenant = match (model.cache.scope, guarded.0.caller.key()) {
        (CacheScope::Shared, _) | (CacheScope::Key, None) => Tenant::Everyone,
        (CacheScope::Key, Some(key)) => Tenant::Key(&key.id),
    };
    let targets: Vec<&str> = model.targets.iter().map(|target| target.id.as_str()).collect();
    let setting = Setting {
        tenant,
        alias: &model.name,
        variant: variant.map(|variant| (variant.id.as_str(), variant.version.as_str())),
        targets: &targets,
        policy: &config.digest,
    };
    cache_key(&setting, &guarded.0.request)
}

/// The reply in the host's store. What does not decode is a miss.
async fn stored<H: Host>(host: &H, key: &CacheKey, plan: &Plan) -> Option<Entry> {
    if plan.ttl < STORE_FLOOR {
        return None;
    }
    let entry = Entry::decode(&host.load(key).await?).ok()?;
    plan.accepts(&entry, host.now()).then_some(entry)
}

/// Keeps the answer and shares it with those who wait; a provider's failure is theirs too, but not
/// that the leader was in a hurry.
pub(super) async fn land<H: Host>(
    host: &H,
    mut flight: Flight<'_>,
    delivered: Result<Option<Entry>, Stop>,
) -> Result<(), Stop> {
    let entry = match delivered {
        Ok(entry) => entry,
        Err(Stop::Refused(refusal)) => {
            // Whose time is up, and what a caller's own guards refuse, is not theirs.
            let own = [Code::DeadlineExceeded, Code::GuardBlocked, Code::GuardUnavailable];
            if !own.contains(&refusal.code) {
                flight.tell(&Err(refusal.clone()));
            }
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
