//! Alerts: who takes them, and what is worth one.

use super::Site;
use crate::{
    config::{
        findings::Found,
        hosts::Url,
        problem::Rule,
        raw::{List, Named, RawAlerts, RawReceiver},
        secrets,
        tree::Path,
        valid::{
            Address, AlertRules, Alerts, ErrorShare, GuardSpike, ProviderDown, Receiver,
            ReceiverKind, SecretName, SlowAnswers,
        },
    },
    units::DurationMs,
};

/// Where `PagerDuty` takes events of its API v2.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

impl Site<'_> {
    pub(super) fn alerts(&self, raw: Option<&RawAlerts>) -> Option<Alerts> {
        let raw = raw?;
        let at = Path::Root.key("alerts");
        let webhooks = self.webhooks(raw.webhooks.as_ref()?, &at.key("webhooks"));
        let named = self.receivers(raw.receivers.as_ref()?, &at.key("receivers"));
        let rules = rules(raw);
        let mut receivers = webhooks?;
        receivers.append(&mut named?);
        Some(Alerts {
            receivers,
            every: DurationMs::from_secs(raw.every_seconds?.0),
            rules: rules?,
        })
    }

    fn webhooks(&self, webhooks: &List<String>, at: &Path<'_>) -> Option<Vec<Receiver>> {
        let mut built = Vec::new();
        for (index, address) in webhooks.iter() {
            if self.is_address(address, &at.index(index)) {
                built.push(Receiver {
                    name: format!("webhooks[{index}]"),
                    kind: ReceiverKind::Json,
                    address: Address::Plain(address.clone()),
                    routing_key: None,
                });
            }
        }
        (built.len() == webhooks.0.len()).then_some(built)
    }

    fn receivers(&self, receivers: &Named<RawReceiver>, at: &Path<'_>) -> Option<Vec<Receiver>> {
        let mut built = Vec::new();
        for (name, receiver) in receivers.iter() {
            let at = at.key(name);
            let is_named = self.check_name(name, "@", 64, &at);
            built.extend(self.receiver(name, receiver, &at).filter(|_| is_named));
        }
        (built.len() == receivers.0.len()).then_some(built)
    }

    fn receiver(&self, name: &str, raw: &RawReceiver, at: &Path<'_>) -> Option<Receiver> {
        self.notes
            .missing(&at.key("kind"), "write `kind = \"json\"`, `\"slack\"` or `\"pagerduty\"`");
        let secret =
            raw.url_secret.as_ref().map(|secret| self.secret(secret, &at.key("url_secret")));
        let routing_key =
            raw.routing_key.as_ref().map(|secret| self.secret(secret, &at.key("routing_key")));
        let kind = raw.kind?;
        let address = self.address(raw, secret, kind, at)?;
        if kind == ReceiverKind::PagerDuty {
            let help = "write `routing_key = { env = \"NAME\" }`, the name of a Worker secret";
            self.notes.missing(&at.key("routing_key"), help);
            routing_key.as_ref()?;
        } else if routing_key.is_some() {
            let message = "a routing key belongs to `kind = \"pagerduty\"`";
            self.report(&at.key("routing_key"), Rule::MisplacedKey, message, "take it out");
        }
        let routing_key = match routing_key {
            Some(key) => Some(key?),
            None => None,
        };
        Some(Receiver { name: name.to_owned(), kind, address, routing_key })
    }

    #[expect(clippy::option_option, reason = "a secret that is written may be unreadable")]
    fn address(
        &self,
        raw: &RawReceiver,
        secret: Option<Option<SecretName>>,
        kind: ReceiverKind,
        at: &Path<'_>,
    ) -> Option<Address> {
        match (&raw.url, secret, kind) {
            (Some(_), Some(_), _) => {
                let message = "`url` and `url_secret` are two addresses";
                self.report(&at.key("url_secret"), Rule::MisplacedKey, message, "take one out");
                None
            }
            (Some(url), None, _) => {
                let at = at.key("url");
                if secrets::is_secret_address(url) {
                    let help =
                        "put it into a Worker secret and write `url_secret = { env = \"NAME\" }`";
                    let message = "whoever knows this address can write to it";
                    self.notes.at_value(&at, Found::new(Rule::LiteralSecret, message).help(help));
                    return None;
                }
                self.is_address(url, &at).then(|| Address::Plain(url.clone()))
            }
            (None, Some(secret), _) => secret.map(Address::Secret),
            (None, None, ReceiverKind::PagerDuty) => Some(Address::Plain(PAGERDUTY.to_owned())),
            (None, None, ReceiverKind::Json | ReceiverKind::Slack) => {
                let help = "write `url = \"https://…\"` or `url_secret = { env = \"NAME\" }`";
                self.notes.missing(&at.key("url"), help);
                None
            }
        }
    }

    /// Reports an address that cannot be posted to.
    pub(super) fn is_address(&self, address: &str, at: &Path<'_>) -> bool {
        match Url::read_with_query(address) {
            Ok(_) => true,
            Err(why) => {
                let message = format!("the address {why}");
                self.report(at, Rule::BadUrl, message, "write it as `https://host/path`");
                false
            }
        }
    }
}

fn rules(raw: &RawAlerts) -> Option<AlertRules> {
    let seconds = DurationMs::from_secs;
    let errors = raw.error_share.as_ref()?;
    let error_share = ErrorShare {
        above: errors.above?.0,
        window: seconds(errors.window_seconds?.0),
        at_least: errors.at_least?.0,
    };
    let slow = raw.latency.as_ref()?;
    let latency = SlowAnswers {
        quantile: slow.quantile?.0,
        above: DurationMs(slow.above_ms?.0),
        window: seconds(slow.window_seconds?.0),
        at_least: slow.at_least?.0,
    };
    let down = raw.provider_down.as_ref()?;
    let provider_down =
        ProviderDown { window: seconds(down.window_seconds?.0), at_least: down.at_least?.0 };
    let spike = raw.guard_spike.as_ref()?;
    let guard_spike = GuardSpike {
        times: spike.times?.0,
        window: seconds(spike.window_seconds?.0),
        at_least: spike.at_least?.0,
    };
    let budget = raw.budget_share.as_ref()?;
    let shares = budget.shares.as_ref()?;
    let budget_shares = if budget.enabled? {
        shares.iter().map(|(_, share)| share.0).filter(|share| *share > 0.0).collect()
    } else {
        Vec::new()
    };
    Some(AlertRules {
        error_share: errors.enabled?.then_some(error_share),
        latency: slow.enabled?.then_some(latency),
        breaker_open: raw.breaker_open.as_ref()?.enabled?,
        provider_down: down.enabled?.then_some(provider_down),
        budget_shares,
        guard_spike: spike.enabled?.then_some(guard_spike),
        config_rejected: raw.config_rejected.as_ref()?.enabled?,
    })
}
