//! One fault met by one kind of call: its providers, and its model in the gateway's configuration.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::{Answer, Expected, Fault, TargetScript};
use crate::provider::{Provider, Seen};

/// What the caller says in the call that meets the fault, and in the one after it.
const FAULTY: &str = "What does the fox do?";
const AFTERWARDS: &str = "And what does it do now?";

/// How the caller wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As one JSON reply.
    Whole,
    /// As server-sent events.
    Streamed,
}

/// A fault met by one kind of call.
#[derive(Debug)]
pub struct Case {
    /// The fault's name and the kind of call, which is the model's name too.
    pub name: String,
    /// What is expected of it.
    pub expected: Expected,
    delivery: Delivery,
    fault: Fault,
    targets: Vec<Address>,
}

#[derive(Debug)]
enum Address {
    Listening(Provider),
    /// A port that is taken and at which nobody listens.
    Nobody(Socket),
}

impl Case {
    /// Starts the providers.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn start(
        name: &str,
        fault: &Fault,
        delivery: Delivery,
        expected: &Expected,
    ) -> Result<Self> {
        let kind = match delivery {
            Delivery::Whole => "whole",
            Delivery::Streamed => "streamed",
        };
        let targets = fault.targets.iter().map(|script| Address::start(script, delivery));
        Ok(Self {
            name: format!("{name}-{kind}"),
            expected: expected.clone(),
            delivery,
            targets: targets.collect::<Result<_>>()?,
            fault: fault.clone(),
        })
    }

    /// The providers and the model, as tables of the configuration.
    ///
    /// # Errors
    /// When a socket has no address.
    pub fn config(&self) -> Result<(toml::Table, toml::Table)> {
        let mut providers = toml::Table::new();
        let mut targets = Vec::new();
        for (index, (address, script)) in self.targets.iter().zip(&self.fault.targets).enumerate() {
            let name = format!("{}-{index}", self.name);
            let mut target = script.keys.clone();
            target.insert("provider".into(), name.clone().into());
            target.insert("model".into(), format!("model-{index}").into());
            targets.push(toml::Value::Table(target));
            providers.insert(name, toml::Value::Table(address.provider()?));
        }
        let mut model = self.fault.model.clone();
        model.insert("targets".into(), targets.into());
        Ok((providers, model))
    }

    /// What the SDK's driver is told.
    pub fn order(&self) -> Value {
        let mut ask = json!(self.fault.ask);
        ask["model"] = json!(self.name);
        ask["stream"] = json!(self.delivery == Delivery::Streamed);
        json!({
            "name": self.name,
            "sdk_retries": self.fault.sdk_retries,
            "ask": ask,
            "says": [FAULTY, AFTERWARDS],
        })
    }

    /// What each target saw of the call that met the fault.
    pub fn seen(&self) -> Vec<Vec<Seen>> {
        let seen = |address: &Address| match address {
            Address::Listening(provider) => of_the_fault(&provider.seen()),
            Address::Nobody(_) => Vec::new(),
        };
        self.targets.iter().map(seen).collect()
    }

    /// Waits until each target has seen as many calls called off as expected; returns how many it
    /// has.
    pub fn cancelled(&self) -> Vec<usize> {
        let mut counts = Vec::new();
        for (index, address) in self.targets.iter().enumerate() {
            let Address::Listening(provider) = address else {
                counts.push(0);
                continue;
            };
            let count =
                |seen: &[Seen]| of_the_fault(seen).iter().filter(|seen| seen.cancelled).count();
            let expected = self.expected.cancelled.get(index).copied().unwrap_or(0);
            provider.wait_until(|seen| count(seen) >= expected);
            counts.push(count(&provider.seen()));
        }
        counts
    }
}

fn of_the_fault(seen: &[Seen]) -> Vec<Seen> {
    let faulty = |seen: &&Seen| String::from_utf8_lossy(&seen.body).contains(FAULTY);
    seen.iter().filter(faulty).cloned().collect()
}

impl Address {
    fn start(script: &TargetScript, delivery: Delivery) -> Result<Self> {
        if script.unreachable {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
            return Ok(Self::Nobody(socket));
        }
        let left = Mutex::new(script.answers.clone().into_iter());
        let provider = Provider::start(move |_, _| {
            let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
            next.unwrap_or(Answer::Well).steps(delivery)
        })?;
        Ok(Self::Listening(provider))
    }

    fn provider(&self) -> Result<toml::Table> {
        let base_url = match self {
            Self::Listening(provider) => provider.base_url(),
            Self::Nobody(socket) => {
                let address = socket.local_addr()?.as_socket().context("no address")?;
                format!("http://{address}/v1")
            }
        };
        let mut key = toml::Table::new();
        key.insert("env".into(), "PROVIDER_KEY".into());
        let mut table = toml::Table::new();
        table.insert("kind".into(), "openai".into());
        table.insert("base_url".into(), base_url.into());
        table.insert("api_key".into(), key.into());
        Ok(table)
    }
}
