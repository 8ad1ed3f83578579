//! Servers of one's own: several of them, and the tensors of their models.

use std::sync::Arc;

use super::Site;
use crate::{
    config::{
        findings::Found,
        problem::Rule,
        raw::{Kind, RawConfig, RawPool, RawProvider, RawTarget, RawTensors},
        secrets,
        tree::Path,
        valid::{Endpoint, Pool, Probe, Provider, ProviderKind, Target, Tensors},
    },
    units::DurationMs,
};

impl Site<'_> {
    /// The replicas of `provider`, which stands for the first of them.
    pub(super) fn pool(
        &self,
        raw: &RawProvider,
        provider: &Provider,
        at: &Path<'_>,
    ) -> Option<Pool> {
        let base_url = at.key("base_url");
        if raw.base_urls.is_some() && self.notes.is_written(&base_url) {
            let found = Found::new(Rule::NoEffect, "`base_urls` is there, so this is not read");
            self.notes.at_key(&base_url, found.help("take it out"));
        }
        let addresses = self.addresses(raw, at)?;
        let probe = raw.pool.as_ref().map(|pool| self.probe(pool, raw.kind, &at.key("pool")));
        let probe = match probe {
            Some(probe) => probe?,
            None => None,
        };
        let patience = raw.pool.as_ref().and_then(|pool| pool.patience_ms);
        let patience = DurationMs(patience.map_or(0, |patience| patience.0));
        let replica = |(address, name): (String, String)| {
            let endpoint = Endpoint { base_url: address, ..provider.kind.endpoint()?.clone() };
            let kind = match &provider.kind {
                ProviderKind::OpenAi(_) => ProviderKind::OpenAi(endpoint),
                ProviderKind::Oip(_) => ProviderKind::Oip(endpoint),
                ProviderKind::Mock(_) => return None,
            };
            let pool = Pool { replicas: vec![], name, patience, probe: probe.clone() };
            Some(Arc::new(Provider { kind, pool, ..provider.clone() }))
        };
        // One server that is watched or waited for is a pool of one.
        let is_pool = raw.base_urls.is_some() || probe.is_some() || patience > DurationMs(0);
        let replicas: Vec<_> =
            if is_pool { named(addresses).filter_map(replica).collect() } else { vec![] };
        Some(Pool { replicas, name: String::new(), patience, probe })
    }

    fn addresses(&self, raw: &RawProvider, at: &Path<'_>) -> Option<Vec<String>> {
        let trimmed = |url: &String| url.trim_end_matches('/').to_owned();
        let Some(urls) = &raw.base_urls else {
            return Some(raw.base_url.iter().map(trimmed).collect());
        };
        let at = at.key("base_urls");
        let mut addresses = Vec::new();
        for (index, url) in urls.iter() {
            let url = trimmed(url);
            if addresses.contains(&url) {
                let message = "this address is there already";
                self.report(&at.index(index), Rule::UnreachableTarget, message, "take it out");
                return None;
            }
            addresses.push(url);
        }
        Some(addresses)
    }

    /// Outer `None` for what cannot be read.
    #[expect(clippy::option_option, reason = "most pools are not probed")]
    fn probe(&self, raw: &RawPool, kind: Option<Kind>, at: &Path<'_>) -> Option<Option<Probe>> {
        let every = DurationMs(raw.probe_every_ms?.0);
        let is_place = |text: &Option<String>, key: &str| {
            let Some(text) = text else { return true };
            let is_place = text.starts_with('/') || text.contains("://");
            if !is_place || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = format!("{} is no path and no address", secrets::quoted(text));
                self.report(&at.key(key), Rule::BadUrl, message, "begin it with `/`");
                return false;
            }
            true
        };
        if !(is_place(&raw.probe, "probe") & is_place(&raw.metrics, "metrics")) {
            return None;
        }
        if every == DurationMs(0) {
            for key in
                ["probe", "metrics"].into_iter().filter(|key| self.notes.is_written(&at.key(key)))
            {
                let found = Found::new(Rule::NoEffect, "nothing is asked without `probe_every_ms`");
                self.notes.at_key(&at.key(key), found.help("add `probe_every_ms = 5000`"));
            }
            return Some(None);
        }
        let usual = match kind? {
            Kind::Oip => "/v2/health/ready",
            Kind::OpenAi | Kind::Mock => "/health",
        };
        let path = raw.probe.clone().unwrap_or_else(|| usual.to_owned());
        Some(Some(Probe { path, metrics: raw.metrics.clone(), every }))
    }

    pub(super) fn tensors(
        &self,
        raw: &RawTarget,
        root: &RawConfig,
        at: &Path<'_>,
    ) -> Option<Tensors> {
        let Some(tensors) = &raw.tensors else { return Some(Tensors::default()) };
        let at = at.key("tensors");
        let kind = raw
            .provider
            .as_ref()
            .and_then(|name| root.providers.as_ref()?.0.get(name)?.as_ref()?.kind);
        if kind.is_some_and(|kind| kind != Kind::Oip) {
            let found = Found::new(Rule::NoEffect, "tensors belong to providers of kind \"oip\"");
            self.notes.at_key(&at, found.help("take them out"));
        }
        self.read_tensors(tensors, &at)
    }

    fn read_tensors(&self, raw: &RawTensors, at: &Path<'_>) -> Option<Tensors> {
        let written = raw.labels.as_ref()?;
        let labels: Vec<String> = written.iter().map(|(_, label)| label.clone()).collect();
        let unknown = raw.harmless.as_ref().filter(|name| !labels.contains(name));
        if let Some(name) = unknown {
            let message = format!("no label is named {}", secrets::quoted(name));
            let help = "write one of `labels`";
            self.report(&at.key("harmless"), Rule::UnknownValue, message, help);
            return None;
        }
        (labels.len() == written.0.len()).then_some(Tensors {
            input: raw.input.clone(),
            output: raw.output.clone(),
            tokenizer: raw.tokenizer.clone(),
            labels,
            harmless: raw.harmless.clone(),
            activation: raw.activation?,
        })
    }
}

/// Addresses and what the replicas there are called.
fn named(addresses: Vec<String>) -> impl Iterator<Item = (String, String)> {
    let host = |address: &str| address.split('/').nth(2).unwrap_or_default().to_owned();
    let hosts: Vec<String> = addresses.iter().map(|address| host(address)).collect();
    addresses.into_iter().map(move |address| {
        let host = host(&address);
        let is_alone = hosts.iter().filter(|other| **other == host).count() == 1;
        let name = if is_alone { host } else { address.clone() };
        (address, name)
    })
}

/// The same target at each replica of its provider.
pub(super) fn replicas(target: &Target) -> Vec<Arc<Target>> {
    let replica = |provider: &Arc<Provider>| {
        Arc::new(Target {
            id: format!("{}@{}", target.id, provider.pool.name),
            provider: Arc::clone(provider),
            replica_of: Some(target.id.clone()),
            ..target.clone()
        })
    };
    target.provider.pool.replicas.iter().map(replica).collect()
}
