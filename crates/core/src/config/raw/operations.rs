//! `[limits]`, `[breaker]`, `[alerts]`, `[telemetry]`

use super::{List, Named, Real, Secret, Whole};
use crate::config::valid::{ReceiverKind, Unreachable};

raw! {
    /// Limits of the gateway itself.
    RawGatewayLimits {
        /// The longest request body that is read, in bytes.
        max_body_bytes: Whole<1024, 104_857_600>,
        /// How long an isolate may hold requests and tokens it has leased, in milliseconds.
        lease_ms: Whole<1000, 60_000>,
        /// What happens when the limiter cannot be reached.
        on_unreachable: Unreachable,
    }
}

raw! {
    /// When a failing target is rested.
    RawBreaker {
        /// Failures in a row that open the breaker.
        failures: Whole<1, 1_000>,
        /// How long it stays open before one probe is let through, in milliseconds.
        open_ms: Whole<100, 3_600_000>,
    }
}

raw! {
    /// Which alerts there are, and where they are sent.
    RawAlerts {
        /// Addresses that take every alert as a JSON object by POST.
        webhooks: List<String>,
        /// Others who take alerts, by a name of your choice.
        receivers: Named<RawReceiver>,
        /// How often rules are looked at, in seconds.
        every_seconds: Whole<1, 3_600>,
        /// Too many of a model's calls fail, for which the caller is not to blame.
        error_share: RawErrorShare,
        /// A model answers slowly; replies from the cache do not count.
        latency: RawLatency,
        /// A target is rested by its circuit breaker.
        breaker_open: RawSwitch,
        /// A provider answers no call.
        provider_down: RawProviderDown,
        /// A budget is spent to some share.
        budget_share: RawBudgetShare,
        /// A guard acts far more often than in the hour before.
        guard_spike: RawGuardSpike,
        /// A configuration is refused, and the last good one goes on.
        config_rejected: RawSwitch,
    }
}

raw! {
    /// Somebody who takes alerts.
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["kind"])))]
    RawReceiver {
        /// How it wants them.
        kind: ReceiverKind,
        /// Where it takes them; for `pagerduty` its own address where it is left out.
        url: String,
        /// The Worker secret that holds the address, where whoever knows it may write there.
        url_secret: Secret,
        /// For `pagerduty`: the integration key of the service that is alerted, a Worker secret.
        routing_key: Secret,
    }
}

raw! {
    /// Whether there is such an alert.
    RawSwitch {
        /// Whether there is such an alert.
        enabled: bool,
    }
}

raw! {
    /// Too many of a model's calls fail, for which the caller is not to blame.
    RawErrorShare {
        /// Whether there is such an alert.
        enabled: bool,
        /// The share above which it is too many.
        above: Real<0, 1>,
        /// Over which time, in seconds.
        window_seconds: Whole<1, 3_600>,
        /// With fewer calls in that time nothing is said.
        at_least: Whole<1, 1_000_000>,
    }
}

raw! {
    /// A model answers slowly; replies from the cache do not count.
    RawLatency {
        /// Whether there is such an alert.
        enabled: bool,
        /// Which quantile.
        quantile: Real<0, 1>,
        /// The length above which it is slow, in milliseconds.
        above_ms: Whole<1, 3_600_000>,
        /// Over which time, in seconds.
        window_seconds: Whole<1, 3_600>,
        /// With fewer calls in that time nothing is said.
        at_least: Whole<1, 1_000_000>,
    }
}

raw! {
    /// A provider answers no call.
    RawProviderDown {
        /// Whether there is such an alert.
        enabled: bool,
        /// Over which time, in seconds.
        window_seconds: Whole<1, 3_600>,
        /// With fewer calls in that time nothing is said.
        at_least: Whole<1, 1_000_000>,
    }
}

raw! {
    /// A budget is spent to some share.
    RawBudgetShare {
        /// Whether there is such an alert.
        enabled: bool,
        /// The shares, each of which is told of once a period.
        shares: List<Real<0, 10>>,
    }
}

raw! {
    /// A guard acts far more often than in the hour before.
    RawGuardSpike {
        /// Whether there is such an alert.
        enabled: bool,
        /// So many times as often.
        times: Real<1, 1_000>,
        /// Over which time, in seconds.
        window_seconds: Whole<1, 3_600>,
        /// With fewer acts in that time nothing is said.
        at_least: Whole<1, 1_000_000>,
    }
}

raw! {
    /// What is logged, kept and sent on.
    RawTelemetry {
        /// One log line a request.
        log_requests: bool,
        /// How often an isolate hands its counts to the ledger, in milliseconds.
        flush_ms: Whole<100, 30_000>,
        /// How many objects share the ledger; each takes the counts of some isolates.
        ledger_shards: Whole<1, 64>,
        /// How many days usage is kept.
        retention_days: Whole<40, 4_000>,
        /// Where metrics and traces are sent by OTLP; without it, nowhere.
        otlp: RawOtlp,
    }
}

raw! {
    /// An OTLP/HTTP receiver that takes JSON: an OpenTelemetry collector, Grafana, Datadog…
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["endpoint"])))]
    RawOtlp {
        /// The base address, below which `/v1/metrics` and `/v1/traces` are.
        endpoint: String,
        /// Further headers; values are not secret.
        headers: Named<String>,
        /// Headers whose values are Worker secrets.
        secret_headers: Named<Secret>,
        /// Whether metrics are sent.
        metrics: bool,
        /// How often, in seconds.
        metrics_seconds: Whole<1, 3_600>,
        /// The share of requests whose trace is sent; 0 sends none, not even those that callers record.
        trace_share: Real<0, 1>,
    }
}
