//! What an isolate knows between requests: its configuration and the state of its controls.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use futures_channel::oneshot;

use super::lookup::Landing;
use crate::{
    breaker::Breakers,
    budget::Purse,
    cache::{flight::Flights, key::CacheKey, store::Store},
    config::valid::{Config, SecretName},
    guard::{
        Source,
        judge::{About, Judge, Judgement, NoJudgement, Tokenized},
    },
    oip::Known,
    pool::{Pools, probe::Report},
    rate::{Lessee, Standing, Subject, Unavailable},
    record::BreakerEvent,
    retry::RetryBudgets,
    route::Latencies,
    units::{DurationMs, UnixMs},
};

/// The state of one isolate, shared by its requests.
///
/// Nothing of it is held over an `await`, so that requests may interleave.
#[derive(Debug)]
pub struct Gate {
    config: RefCell<Rc<Config>>,
    secrets: RefCell<BTreeMap<SecretName, String>>,
    pub(super) lessee: RefCell<Lessee>,
    pub(super) purse: RefCell<Purse>,
    /// Requests that wait for another one's question to a limiter object, by its group.
    pub(super) asking: RefCell<BTreeMap<String, Vec<oneshot::Sender<()>>>>,
    pub(super) breakers: RefCell<Breakers>,
    pub(super) retries: RefCell<RetryBudgets>,
    pub(super) latencies: RefCell<Latencies>,
    pub(super) replies: RefCell<Store<CacheKey>>,
    pub(super) flights: RefCell<Flights<CacheKey, oneshot::Sender<Landing>>>,
    /// The classifiers, once the platform has loaded them.
    pub(super) judge: RefCell<Option<Rc<dyn Judge>>>,
    /// Calls of each mock provider so far, by its name.
    pub(super) mock_calls: RefCell<BTreeMap<String, u64>>,
    /// Targets that have refused to go on with another one's answer, by their ids.
    pub(super) unprefilled: RefCell<BTreeSet<String>>,
    /// What is known of replicas.
    pub(super) pools: RefCell<Pools>,
    /// What calls on the side, such as second opinions, have done to breakers and no record holds yet.
    pub(super) aside: RefCell<Vec<BreakerEvent>>,
    /// What models of the Open Inference Protocol say of themselves.
    pub(super) metadata: RefCell<Known>,
}

impl Gate {
    /// The state of an isolate that has just started; `secrets` are those that are set.
    pub fn new(config: Rc<Config>, secrets: BTreeMap<SecretName, String>) -> Self {
        Self {
            lessee: RefCell::new(Lessee::new(&config.limits)),
            purse: RefCell::new(Purse::new(&config.limits)),
            breakers: RefCell::new(Breakers::new(config.breaker)),
            config: RefCell::new(config),
            secrets: RefCell::new(secrets),
            asking: RefCell::default(),
            retries: RefCell::default(),
            latencies: RefCell::default(),
            replies: RefCell::default(),
            flights: RefCell::default(),
            judge: RefCell::default(),
            mock_calls: RefCell::default(),
            unprefilled: RefCell::default(),
            pools: RefCell::default(),
            aside: RefCell::default(),
            metadata: RefCell::default(),
        }
    }

    /// The configuration in force; a request keeps the one that it began with.
    pub fn config(&self) -> Rc<Config> {
        self.config.borrow().clone()
    }

    /// Puts another configuration in force, for requests that begin from now on.
    pub fn adopt(&self, config: Rc<Config>, secrets: BTreeMap<SecretName, String>) {
        self.secrets.replace(secrets);
        self.lessee.borrow_mut().configure(&config.limits);
        self.purse.borrow_mut().configure(&config.limits);
        self.breakers.borrow_mut().adopt(config.breaker);
        self.unprefilled.borrow_mut().clear();
        self.metadata.take();
        self.config.replace(config);
    }

    /// What asking the replicas has brought.
    pub fn probed(&self, reports: Vec<Report>) {
        self.pools.borrow_mut().told(reports);
    }

    /// Lets `judge` speak for the guards that need a classifier.
    pub fn appoint(&self, judge: Rc<dyn Judge>) {
        self.judge.replace(Some(judge));
    }

    /// Whether there is a classifier of that name.
    pub fn knows(&self, model: &str) -> bool {
        self.judge.borrow().as_ref().is_some_and(|judge| judge.knows(model))
    }

    /// What a classifier says of itself, where it is loaded.
    pub(super) fn about(&self, model: &str) -> Option<About> {
        self.judge.borrow().as_ref()?.about(model)
    }

    /// What the classifiers say of a text; no classifier cannot judge.
    pub fn judge(&self, model: &str, text: &str, source: Source) -> Result<Judgement, NoJudgement> {
        let judge = self.judge.borrow().clone().ok_or(NoJudgement)?;
        judge.judge(model, text, source)
    }

    /// A text as ids of a classifier's tokenizer, where there is one.
    pub(super) fn tokens(&self, model: &str, text: &str) -> Option<Tokenized> {
        self.judge.borrow().clone()?.tokens(model, text)
    }

    /// The number of the next call to a mock provider, from 1.
    pub(super) fn next_mock_call(&self, provider: &str) -> u64 {
        let mut calls = self.mock_calls.borrow_mut();
        let count = calls.entry(provider.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// The value of a secret, where it is set.
    pub(super) fn secret(&self, name: &SecretName) -> Option<String> {
        self.secrets.borrow().get(name).cloned()
    }

    /// Messages that the objects of limits and budgets should have, by group; what comes of each goes
    /// to [`Self::limits_answered`].
    pub fn limits_due(&self, now: UnixMs) -> Vec<(String, Vec<u8>)> {
        let mut messages = self.lessee.borrow_mut().due(now);
        messages.append(&mut self.purse.borrow_mut().due(now));
        messages
    }

    /// How long until [`Self::limits_due`] has something to say, if ever.
    pub fn limits_due_in(&self, now: UnixMs) -> Option<DurationMs> {
        let limits = self.lessee.borrow().due_in(now);
        limits.into_iter().chain(self.purse.borrow().due_in(now)).min()
    }

    /// A message of [`Self::limits_due`] was answered, or was not.
    pub fn limits_answered(&self, group: &str, reply: Result<&[u8], Unavailable>, now: UnixMs) {
        if Purse::is_group(group) {
            self.purse.borrow_mut().answered(group, reply, now);
        } else {
            self.lessee.borrow_mut().answered(group, reply, now);
        }
    }

    /// Where the limits of `subject` stand.
    pub(super) fn standing(&self, subject: &Subject, now: UnixMs) -> Standing {
        self.lessee.borrow().standing(subject, now)
    }

    /// The targets whose breakers are not closed.
    pub fn resting(&self) -> Vec<String> {
        self.breakers.borrow().unwell().map(|(target, _)| target.to_owned()).collect()
    }
}
