//! States of one isolate, which replace each other instead of adding up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{gather::Gather, record::BreakerState};

/// What an isolate says of itself with every delta; its latest one holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Requests being served.
    pub(crate) in_flight: u64,
    /// The first digits of the digest of the configuration that it runs.
    pub(crate) config: Option<String>,
    /// The state of every breaker that ever moved, by target.
    pub(crate) breakers: BTreeMap<String, BreakerState>,
}

/// A report as it is sent and stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReportWire {
    in_flight: u64,
    config: Option<String>,
    breakers: BTreeMap<String, String>,
}

impl From<&Report> for ReportWire {
    fn from(report: &Report) -> Self {
        let breakers = report.breakers.iter();
        Self {
            in_flight: report.in_flight,
            config: report.config.clone(),
            breakers: breakers.map(|(id, state)| (id.clone(), state.name().to_owned())).gather(),
        }
    }
}

impl From<ReportWire> for Report {
    /// Breakers in states that this version does not know are left out.
    fn from(wire: ReportWire) -> Self {
        let known = |name: &str| BreakerState::ALL.into_iter().find(|state| state.name() == name);
        let breakers = wire.breakers.into_iter();
        Self {
            in_flight: wire.in_flight,
            config: wire.config,
            breakers: breakers.filter_map(|(id, name)| Some((id, known(&name)?))).gather(),
        }
    }
}
