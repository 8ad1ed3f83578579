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
        valid::{Config, ProviderKind, SecretName, Unreachable},
    },
    health::{Facts, Reach},
    metrics::{CallResult, IsolateId, Registry},
    pipeline::Gate,
    rate,
    record::{Record, log_line},
    units::{DurationMs, UnixMs},
};

use crate::{
    clock, env, glue,
    host::{self, number},
    judge::EdgeJudge,
    ops::{Ending, Op},
};

/// The one object that keeps usage and metrics.
pub(crate) const LEDGER: &str = "ledger";
/// The key of the KV namespace `CONFIG`.
const CONFIG_KEY: &str = "tollhouse.toml";
/// The platform lets work go on for 30 seconds after a reply.
const AFTER_REPLY: DurationMs = DurationMs(25_000);
/// How long an alert's receiver may take.
const ALERT_MS: f64 = 5000.0;

thread_local! {
    static ISOLATE: Rc<Isolate> = Rc::new(Isolate::new());
}

/// The isolate's state.
#[derive(Debug)]
pub(crate) struct Isolate {
    keeper: RefCell<Keeper>,
    gate: RefCell<Option<Rc<Gate>>>,
    registry: RefCell<Registry>,
    limiter: Cell<Reach>,
    ledger: Cell<Reach>,
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
            limiter: Cell::new(Reach::Untried),
            ledger: Cell::new(Reach::Untried),
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
                let event = serde_json::json!({
                    "level": "error",
                    "event": "config_rejected",
                    "in_force": if self.gate.borrow().is_some() { "the last good one" } else { "none" },
                    "problems": lines(&report),
                });
                self.alert(call, &event.to_string()).await;
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

    /// Logs an operational event and sends it to the configured webhooks.
    async fn alert(&self, call: u32, event: &str) {
        glue::log(event);
        let config = self.gate.borrow().as_ref().map(|gate| gate.config());
        for address in config.iter().flat_map(|config| &config.alerts.webhooks) {
            Op::start(|slot| glue::post(call, slot, address, event.as_bytes(), ALERT_MS)).await;
        }
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
        let logs =
            self.gate.borrow().as_ref().is_none_or(|gate| gate.config().telemetry.log_requests);
        if logs {
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
        let pause = counts.into_iter().chain(gate.limits_due_in(now)).min()?;
        let ends = now.plus(pause).since(began);
        (ends < AFTER_REPLY).then_some(pause.max(DurationMs(50)))
    }

    /// Hands over what was counted, and what limiter objects should know.
    pub(crate) async fn flush(&self, call: u32) {
        let now = clock::now();
        self.registry.borrow_mut().cut(now);
        let pending: Vec<(u64, Vec<u8>)> = self
            .registry
            .borrow()
            .pending()
            .map(|(number, bytes)| (number, bytes.to_vec()))
            .collect();
        for (number, bytes) in pending {
            let done =
                Op::start(|slot| glue::object(call, slot, "LEDGER", LEDGER, "/delta", &bytes))
                    .await;
            let kept = done.ending == Ending::Done(200);
            self.ledger.set(if kept { Reach::Reached } else { Reach::Unreached });
            let mut registry = self.registry.borrow_mut();
            registry.count_ledger_call(result(kept));
            if kept {
                registry.confirm(number);
            }
        }
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
    config.providers.values().filter_map(|provider| match &provider.kind {
        ProviderKind::OpenAi(address) => address.api_key.as_ref(),
        ProviderKind::Mock(_) => None,
    })
}

fn secrets(config: &Config) -> BTreeMap<SecretName, String> {
    named_secrets(config).filter_map(|name| Some((name.clone(), env::text(&name.0)?))).collect()
}

fn missing_secrets(config: &Config) -> Vec<SecretName> {
    named_secrets(config).filter(|name| env::text(&name.0).is_none()).cloned().collect()
}
