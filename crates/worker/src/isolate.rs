//! What an isolate keeps between requests, and what it does after them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use tollhouse_core::{
    config::{
        Source, default_toml,
        keeper::{Freshness, Keeper, Offer, lines},
        valid::{Config, Otlp, SecretName, Unreachable},
    },
    experiments::feedback::Feedback,
    gather::Gather,
    health::{Facts, Reach},
    metrics::{CallResult, IsolateId, Registry},
    pipeline::{Gate, host::Unavailable},
    pool::probe,
    rate,
    record::{Record, log_line},
    telemetry::{Spans, protobuf},
    units::{DurationMs, UnixMs},
};

use crate::{
    clock, env, glue,
    host::{self, number},
    judge::EdgeJudge,
    ops::{Ending, Op},
};

/// The chief of the objects that keep usage and metrics.
pub(crate) const LEDGER: &str = "ledger";
/// The key of the KV namespace `CONFIG`.
const CONFIG_KEY: &str = "tollhouse.toml";
/// The platform lets work go on for 30 seconds after a reply.
const AFTER_REPLY: DurationMs = DurationMs(25_000);
/// How long a receiver of traces may take.
const TRACES_MS: f64 = 5000.0;

thread_local! {
    static ISOLATE: Rc<Isolate> = Rc::new(Isolate::new());
}

/// The isolate's state.
#[derive(Debug)]
pub(crate) struct Isolate {
    keeper: RefCell<Keeper>,
    gate: RefCell<Option<Rc<Gate>>>,
    registry: RefCell<Registry>,
    spans: RefCell<Spans>,
    /// Spans for the tracking server, which the ledger sends.
    tracked: RefCell<Spans>,
    /// The digest of the configuration that the ledger knows to be in force here.
    told: Cell<Option<[u8; 32]>>,
    limiter: Cell<Reach>,
    ledger: Cell<Reach>,
    /// When the chief was last asked how replicas are.
    pools_at: Cell<UnixMs>,
    /// Whether some request's aftermath already tends to what is due.
    tended: Cell<bool>,
    /// Whether the store has ever held a configuration.
    stored: Cell<bool>,
}

/// This isolate.
pub(crate) fn this() -> Rc<Isolate> {
    ISOLATE.with(Rc::clone)
}

impl Isolate {
    fn new() -> Self {
        Self {
            keeper: RefCell::default(),
            gate: RefCell::default(),
            registry: RefCell::new(Registry::new(IsolateId::new(host::random_u128()))),
            spans: RefCell::default(),
            tracked: RefCell::default(),
            told: Cell::new(None),
            limiter: Cell::new(Reach::Untried),
            ledger: Cell::new(Reach::Untried),
            pools_at: Cell::new(UnixMs(0)),
            tended: Cell::new(false),
            stored: Cell::new(false),
        }
    }

    /// The gate with the configuration in force; `None` while there is no good one.
    pub(crate) async fn gate(&self, call: u32) -> Option<Rc<Gate>> {
        let now = clock::now();
        let freshness = self.keeper.borrow().freshness(now);
        if freshness == Freshness::Stale {
            self.look(call).await;
        }
        self.gate.borrow().clone()
    }

    /// Looks at the configuration's source and takes up what it holds.
    pub(crate) async fn look(&self, call: u32) {
        let now = clock::now();
        self.keeper.borrow_mut().looking(now);
        let (name, text) = match env::text("TOLLHOUSE_CONFIG") {
            Some(text) => ("TOLLHOUSE_CONFIG", text),
            None => match stored_config(call).await {
                Ok(Some(text)) => {
                    self.stored.set(true);
                    (CONFIG_KEY, text)
                }
                // It was there before: a key that is gone, or not seen from here, opens nothing.
                Ok(None) if self.stored.get() => return,
                Ok(None) => ("the embedded default", default_toml().to_owned()),
                // What is in force goes on, or nothing is served: the default must not answer in the
                // place of a configuration that is only out of reach.
                Err(()) => return,
            },
        };
        let source = Source { name, text: &text };
        let offer = self.keeper.borrow_mut().offer(source, &env::overrides(), now);
        match offer {
            Offer::Unchanged => {}
            Offer::Adopted => self.adopt(),
            Offer::Rejected(report) => {
                self.registry.borrow_mut().config_rejected();
                let problems = lines(&report);
                let event = serde_json::json!({
                    "level": "error",
                    "event": "config_rejected",
                    "in_force": if self.gate.borrow().is_some() { "the last good one" } else { "none" },
                    "problems": problems,
                });
                glue::log(&event.to_string());
                // The ledger knows whom to tell, and tells them once for all isolates.
                self.tell_ledger(call, LEDGER, "/rejected", problems.join("; ").as_bytes()).await;
            }
        }
    }

    fn adopt(&self) {
        let Some(loaded) = self.keeper.borrow().current().cloned() else { return };
        let config = Rc::new(loaded.config.clone());
        self.registry.borrow_mut().config_loaded(config.digest);
        let mut gate = self.gate.borrow_mut();
        // Secrets of newly named providers must be read, so the gate is told them too.
        let secrets = secrets(&config);
        if let Some(gate) = gate.as_ref() {
            gate.adopt(config, secrets);
        } else {
            let new = Gate::new(config, secrets);
            new.appoint(Rc::new(EdgeJudge));
            *gate = Some(Rc::new(new));
        }
    }

    /// Hands something to a shard of the ledger; whether it was kept.
    async fn tell_ledger(&self, call: u32, shard: &str, path: &str, body: &[u8]) -> bool {
        let done = Op::start(|slot| glue::object(call, slot, "LEDGER", shard, path, body)).await;
        let kept = done.ending == Ending::Done(200);
        self.ledger.set(if kept { Reach::Reached } else { Reach::Unreached });
        self.registry.borrow_mut().count_ledger_call(result(kept));
        kept
    }

    /// A request is being served.
    pub(crate) fn enter(&self) {
        self.registry.borrow_mut().enter();
    }

    /// A request has been served.
    pub(crate) fn record(&self, record: &Record) {
        let mut registry = self.registry.borrow_mut();
        registry.leave();
        registry.observe(record);
        let config = self.gate.borrow().as_ref().map(|gate| gate.config());
        let telemetry = config.as_ref().map(|config| &config.telemetry);
        if let Some(otlp) = telemetry.and_then(|telemetry| telemetry.otlp.as_ref()) {
            self.spans.borrow_mut().observe(record, otlp.trace_share);
        }
        if let Some(mlflow) = config.as_ref().and_then(|config| config.mlflow.as_ref()) {
            self.tracked.borrow_mut().observe(record, mlflow.trace_share);
        }
        if telemetry.is_none_or(|telemetry| telemetry.log_requests) {
            glue::log(&log_line(record));
        }
    }

    /// A message to a limiter object was answered, or was not.
    pub(crate) fn limiter_answered(&self, answered: bool) {
        self.limiter.set(if answered { Reach::Reached } else { Reach::Unreached });
        self.registry.borrow_mut().count_lease_call(result(answered));
    }

    /// What is done after a reply, for as long as anything is due: counts go to the ledger, leases
    /// back to their objects, and the configuration is looked at again.
    pub(crate) async fn tend(&self, call: u32) {
        let freshness = self.keeper.borrow().freshness(clock::now());
        if freshness != Freshness::Fresh {
            self.look(call).await;
        }
        if self.tended.replace(true) {
            return;
        }
        let began = clock::now();
        while let Some(pause) = self.pause(began) {
            let done = Op::start(|slot| glue::pause(call, slot, number(pause.0))).await;
            debug_assert!(matches!(done.ending, Ending::Done(_)), "a pause cannot fail");
            self.flush(call).await;
        }
        self.tended.set(false);
    }

    /// How long until something is due, while anything is and there is time for it.
    fn pause(&self, began: UnixMs) -> Option<DurationMs> {
        let gate = self.gate.borrow().clone()?;
        let now = clock::now();
        let flush = gate.config().telemetry.flush;
        let counts = self.registry.borrow().has_news().then_some(flush);
        let spans = self.spans.borrow().due_in(now).map(|due| due.max(flush));
        let tracked = self.tracked.borrow().due_in(now).map(|due| due.max(flush));
        let pools =
            probe::every(&gate.config()).map(|every| self.pools_at.get().plus(every).since(now));
        let sent = spans.into_iter().chain(tracked).chain(pools);
        let pause = counts.into_iter().chain(sent).chain(gate.limits_due_in(now)).min()?;
        let ends = now.plus(pause).since(began);
        (ends < AFTER_REPLY).then_some(pause.max(DurationMs(50)))
    }

    /// Hands over what was counted, and what limiter objects should know.
    pub(crate) async fn flush(&self, call: u32) {
        let now = clock::now();
        self.tell_config(call).await;
        self.hear_of_pools(call).await;
        let shard = self.shard();
        self.registry.borrow_mut().cut(now);
        let pending: Vec<(u64, Vec<u8>)> = self
            .registry
            .borrow()
            .pending()
            .map(|(number, bytes)| (number, bytes.to_vec()))
            .collect();
        for (number, bytes) in pending {
            if self.tell_ledger(call, &shard, "/delta", &bytes).await {
                self.registry.borrow_mut().confirm(number);
            }
        }
        self.send_spans(call).await;
        self.hand_over_spans(call).await;
        let Some(gate) = self.gate.borrow().clone() else { return };
        for (group, message) in gate.limits_due(clock::now()) {
            let done =
                Op::start(|slot| glue::object(call, slot, "LIMITER", &group, "/", &message)).await;
            let answered = done.ending == Ending::Done(200);
            self.limiter_answered(answered);
            let reply = if answered { Ok(done.body.as_slice()) } else { Err(rate::Unavailable) };
            gate.limits_answered(&group, reply, clock::now());
        }
    }

    /// Asks the ledger's chief what it has found of replicas, where it asks them and it is time.
    async fn hear_of_pools(&self, call: u32) {
        let Some(gate) = self.gate.borrow().clone() else { return };
        let Some(every) = probe::every(&gate.config()) else { return };
        let now = clock::now();
        if now < self.pools_at.get().plus(every) {
            return;
        }
        self.pools_at.set(now);
        let done =
            Op::start(|slot| glue::object(call, slot, "LEDGER", LEDGER, "/pools", b"")).await;
        if done.ending == Ending::Done(200) {
            gate.probed(probe::from_json(&done.body));
        }
    }

    /// Tells the ledger's chief which configuration is in force, once for each.
    async fn tell_config(&self, call: u32) {
        let Some(loaded) = self.keeper.borrow().current().cloned() else { return };
        let digest = loaded.config.digest;
        if self.told.get() != Some(digest)
            && self.tell_ledger(call, LEDGER, "/config", loaded.source().text.as_bytes()).await
        {
            self.told.set(Some(digest));
        }
    }

    /// The shard of the ledger that keeps this isolate's counts.
    fn shard(&self) -> String {
        let gate = self.gate.borrow();
        let shards = gate.as_ref().map_or(1, |gate| gate.config().telemetry.ledger_shards);
        shard_name(self.registry.borrow().isolate().shard(shards))
    }

    /// Sends the spans that wait to the receiver of traces.
    async fn send_spans(&self, call: u32) {
        let Some(otlp) = self.otlp() else { return };
        let batch = self.spans.borrow_mut().batch(clock::now());
        let Some(batch) = batch else { return };
        let url = format!("{}/v1/traces", otlp.endpoint);
        let secrets = otlp
            .secret_headers
            .iter()
            .filter_map(|(name, secret)| Some((name.clone(), env::text(&secret.0)?)));
        let headers = otlp.headers.iter().cloned().chain(secrets);
        let head: Vec<_> = headers.map(|(name, value)| format!("{name}:{value}")).collect();
        let head = head.join("\n");
        let done = Op::start(|slot| glue::post(call, slot, &url, &head, &batch, TRACES_MS)).await;
        match done.ending {
            Ending::Done(200..=299) => self.spans.borrow_mut().taken(),
            Ending::Done(_)
            | Ending::TimedOut
            | Ending::ConnectTimedOut
            | Ending::Failed
            | Ending::CallerLeft
            | Ending::TooLong
            | Ending::Nothing => self.spans.borrow_mut().refused(clock::now()),
        }
    }

    /// Gives the spans for the tracking server to the ledger, which keeps them until they are taken.
    async fn hand_over_spans(&self, call: u32) {
        let batch = self.tracked.borrow_mut().batch(clock::now());
        let Some(batch) = batch.and_then(|batch| protobuf::traces(&batch)) else { return };
        if self.tell_ledger(call, LEDGER, "/spans", &batch).await {
            self.tracked.borrow_mut().taken();
        } else {
            self.tracked.borrow_mut().refused(clock::now());
        }
    }

    /// Puts down what a caller said of an answer.
    pub(crate) async fn keep_feedback(
        &self,
        call: u32,
        said: &Feedback,
    ) -> Result<(), Unavailable> {
        // The ledger should know the configuration by which it judges what to send on.
        self.tell_config(call).await;
        let body = serde_json::to_vec(said).map_err(|_| Unavailable)?;
        let kept = self.tell_ledger(call, LEDGER, "/feedback", &body).await;
        if kept { Ok(()) } else { Err(Unavailable) }
    }

    /// Hands over what became of a request that was to be traced.
    pub(crate) async fn keep_trace(&self, call: u32, line: &str) {
        self.tell_ledger(call, LEDGER, "/trace", line.as_bytes()).await;
    }

    fn otlp(&self) -> Option<Otlp> {
        let gate = self.gate.borrow();
        gate.as_ref().and_then(|gate| gate.config().telemetry.otlp.clone())
    }

    /// What `/health/ready` goes by.
    pub(crate) fn facts(&self) -> Facts {
        let gate = self.gate.borrow();
        let config = gate.as_ref().map(|gate| gate.config());
        Facts {
            config: self.keeper.borrow().state(),
            missing_secrets: config.as_deref().map(missing_secrets).unwrap_or_default(),
            limiter: self.limiter.get(),
            on_limiter_unreachable: config
                .as_ref()
                .map_or(Unreachable::Refuse, |config| config.limits.on_unreachable),
            ledger: self.ledger.get(),
            resting_targets: gate.as_ref().map(|gate| gate.resting()).unwrap_or_default(),
        }
    }

    /// The effective configuration as `/admin/config` shows it.
    pub(crate) fn shown_config(&self) -> Option<String> {
        let keeper = self.keeper.borrow();
        keeper.current().map(|loaded| tollhouse_core::config::show::json(loaded).to_string())
    }
}

/// What the ledger's shards are called; the first one is the chief.
pub(crate) fn shard_name(shard: u32) -> String {
    if shard == 0 { LEDGER.to_owned() } else { format!("{LEDGER}-{shard}") }
}

const fn result(answered: bool) -> CallResult {
    if answered { CallResult::Ok } else { CallResult::Failed }
}

async fn stored_config(call: u32) -> Result<Option<String>, ()> {
    let done = Op::start(|slot| glue::kv_get(call, slot, "CONFIG", CONFIG_KEY, 30)).await;
    match done.ending {
        Ending::Done(_) => Ok(Some(String::from_utf8_lossy(&done.body).into_owned())),
        Ending::Nothing => Ok(None),
        Ending::TimedOut
        | Ending::ConnectTimedOut
        | Ending::Failed
        | Ending::CallerLeft
        | Ending::TooLong => Err(()),
    }
}

/// The names of the secrets that the configuration needs.
fn named_secrets(config: &Config) -> impl Iterator<Item = &SecretName> {
    config.providers.values().filter_map(|provider| provider.kind.endpoint()?.api_key.as_ref())
}

fn secrets(config: &Config) -> BTreeMap<SecretName, String> {
    named_secrets(config).filter_map(|name| Some((name.clone(), env::text(&name.0)?))).gather()
}

fn missing_secrets(config: &Config) -> Vec<SecretName> {
    named_secrets(config).filter(|name| env::text(&name.0).is_none()).cloned().collect()
}
