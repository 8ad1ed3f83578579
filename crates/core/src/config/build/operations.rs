//! Limits of the gateway and breaker.

use crate::{
    config::{
        raw::{RawBreaker, RawGatewayLimits},
        valid::{BreakerPolicy, GatewayLimits},
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
