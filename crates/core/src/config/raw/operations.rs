//! `[limits]`, `[breaker]`, `[alerts]`, `[telemetry]`

use super::{List, Whole};
use crate::config::valid::Unreachable;

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
    /// Where operational events are sent.
    RawAlerts {
        /// Addresses that take a JSON event by POST.
        webhooks: List<String>,
    }
}

raw! {
    /// What is logged and counted.
    RawTelemetry {
        /// One log line a request.
        log_requests: bool,
        /// How often an isolate hands its counts to the ledger, in milliseconds.
        flush_ms: Whole<100, 30_000>,
    }
}
