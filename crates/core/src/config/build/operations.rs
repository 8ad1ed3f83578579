//! Limits of the gateway, breaker, alerts, telemetry.

use super::Site;
use crate::{
    config::{
        hosts::Url,
        problem::Rule,
        raw::{RawAlerts, RawBreaker, RawGatewayLimits, RawTelemetry},
        tree::Path,
        valid::{Alerts, BreakerPolicy, GatewayLimits, Telemetry},
    },
    units::DurationMs,
};

pub(super) fn gateway_limits(raw: Option<&RawGatewayLimits>) -> Option<GatewayLimits> {
    let raw = raw?;
    Some(GatewayLimits {
        max_body_bytes: raw.max_body_bytes?.0,
        lease: DurationMs(raw.lease_ms?.0),
        on_unreachable: raw.on_unreachable?,
    })
}

pub(super) fn breaker(raw: Option<&RawBreaker>) -> Option<BreakerPolicy> {
    let raw = raw?;
    Some(BreakerPolicy {
        failures: u32::try_from(raw.failures?.0).ok()?,
        open: DurationMs(raw.open_ms?.0),
    })
}

pub(super) fn telemetry(raw: Option<&RawTelemetry>) -> Option<Telemetry> {
    let raw = raw?;
    Some(Telemetry { log_requests: raw.log_requests?, flush: DurationMs(raw.flush_ms?.0) })
}

impl Site<'_> {
    pub(super) fn alerts(&self, raw: Option<&RawAlerts>) -> Option<Alerts> {
        let webhooks = raw?.webhooks.as_ref()?;
        let at = Path::Root.key("alerts");
        let at = at.key("webhooks");
        let mut built = Vec::new();
        for (index, address) in webhooks.iter() {
            match Url::read_with_query(address) {
                Ok(_) => built.push(address.clone()),
                Err(why) => {
                    let message = format!("the address {why}");
                    let help = "write it as `https://host/path`";
                    self.report(&at.index(index), Rule::BadUrl, message, help);
                }
            }
        }
        (built.len() == webhooks.0.len()).then_some(Alerts { webhooks: built })
    }
}
