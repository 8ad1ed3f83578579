//! What an isolate knows between requests: its configuration and the state of its controls.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
};

use futures_channel::oneshot;

use super::lookup::Landing;
use crate::{
    breaker::Breakers,
    cache::{flight::Flights, key::CacheKey, store::Store},
    config::valid::{Config, SecretName},
    rate::lessee::Lessee,
    retry::RetryBudgets,
    route::Latencies,
};

/// The state of one isolate, shared by its requests.
///
/// Nothing of it is held over an `await`, so that requests may interleave.
#[derive(Debug)]
pub struct Gate {
    config: RefCell<Rc<Config>>,
    secrets: BTreeMap<SecretName, String>,
    pub(super) lessee: RefCell<Lessee>,
    /// Requests that wait for another one's question to a limiter object, by its group.
    pub(super) asking: RefCell<BTreeMap<String, Vec<oneshot::Sender<()>>>>,
    pub(super) breakers: RefCell<Breakers>,
    pub(super) retries: RefCell<RetryBudgets>,
    pub(super) latencies: RefCell<Latencies>,
    pub(super) replies: RefCell<Store<CacheKey>>,
    pub(super) flights: RefCell<Flights<CacheKey, oneshot::Sender<Landing>>>,
    /// Calls of each mock provider so far, by its name.
    pub(super) mock_calls: RefCell<BTreeMap<String, u64>>,
}

impl Gate {
    /// The state of an isolate that has just started; `secrets` are those that are set.
    pub fn new(config: Rc<Config>, secrets: BTreeMap<SecretName, String>) -> Self {
        Self {
            lessee: RefCell::new(Lessee::new(config.limits)),
            breakers: RefCell::new(Breakers::new(config.breaker)),
            config: RefCell::new(config),
            secrets,
            asking: RefCell::default(),
            retries: RefCell::default(),
            latencies: RefCell::default(),
            replies: RefCell::default(),
            flights: RefCell::default(),
            mock_calls: RefCell::default(),
        }
    }

    /// The configuration in force; a request keeps the one that it began with.
    pub fn config(&self) -> Rc<Config> {
        self.config.borrow().clone()
    }

    /// Puts another configuration in force, for requests that begin from now on.
    pub fn adopt(&self, config: Rc<Config>) {
        self.lessee.borrow_mut().adopt(config.limits);
        self.breakers.borrow_mut().adopt(config.breaker);
        self.config.replace(config);
    }

    /// The number of the next call to a mock provider, from 1.
    pub(super) fn next_mock_call(&self, provider: &str) -> u64 {
        let mut calls = self.mock_calls.borrow_mut();
        let count = calls.entry(provider.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// The value of a secret, where it is set.
    pub fn secret(&self, name: &SecretName) -> Option<&str> {
        self.secrets.get(name).map(String::as_str)
    }
}
