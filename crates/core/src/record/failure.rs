//! What is told of a request that failed: when, whose, where, why. No message and no content, because
//! [`Record`] has none.

use serde::{Deserialize, Serialize};

use super::{Attempt, Record};
use crate::refusal::{Code, Fault};

/// How many failures of each kind are told between two reports.
const TOLD: usize = 16;

/// A request that failed, as it is sent, stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When the request arrived, in milliseconds since 1970.
    pub at: u64,
    /// Our id of it.
    pub id: String,
    /// The caller's trace.
    pub trace: Option<String>,
    /// The path.
    pub endpoint: String,
    /// The stage in which it failed.
    #[serde(default)]
    pub stage: String,
    /// The key's id.
    pub key: Option<String>,
    /// The model as callers name it, where it is configured.
    pub model: Option<String>,
    /// The target tried last.
    pub target: Option<String>,
    /// The HTTP status that the caller got.
    pub status: u16,
    /// Why it failed.
    pub code: String,
    /// Who can mend it: `caller`, `provider`, `operator`.
    pub fault: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The calls made to providers.
    pub attempts: Vec<FailedAttempt>,
}

/// A call to a provider on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Where it went.
    pub target: String,
    /// The provider's HTTP status.
    pub status: Option<u16>,
    /// Why it failed; absent where it did not.
    pub code: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// The failures since the last report: the first few that callers can mend, and the first few others,
/// so that a flood of the one kind costs nothing and hides nothing of the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    by_callers: usize,
    by_others: usize,
    told: Vec<Failure>,
}

impl Failures {
    /// Notes a request if it failed and there is room.
    pub fn note(&mut self, record: &Record) {
        let Some(code) = record.code else { return };
        let count = match code.facts().fault {
            Fault::Caller => &mut self.by_callers,
            Fault::Provider | Fault::Operator => &mut self.by_others,
        };
        if *count < TOLD {
            *count += 1;
            self.told.push(Failure::of(record, code));
        }
    }

    /// What was noted, and begins anew.
    pub fn take(&mut self) -> Vec<Failure> {
        std::mem::take(self).told
    }
}

impl Failure {
    fn of(record: &Record, code: Code) -> Self {
        Self {
            at: record.started.0,
            id: record.id.to_string(),
            trace: record.trace.map(|trace| trace.to_string()),
            endpoint: record.endpoint.name().to_owned(),
            stage: record.stage.name().to_owned(),
            key: record.key.as_deref().map(|key| key.id.clone()),
            model: record.model.as_deref().map(|model| model.name.clone()),
            target: record.target.as_deref().map(|target| target.id.clone()),
            status: record.status,
            code: code.name().to_owned(),
            fault: code.facts().fault.name().to_owned(),
            ms: record.timings.total.0,
            attempts: record.attempts.iter().map(FailedAttempt::of).collect(),
        }
    }

    /// Whether the caller can mend it.
    pub fn is_by_caller(&self) -> bool {
        self.fault == Fault::Caller.name()
    }
}

impl FailedAttempt {
    fn of(attempt: &Attempt) -> Self {
        Self {
            target: attempt.target.id.clone(),
            status: attempt.status,
            code: attempt.failure.map(|code| code.name().to_owned()),
            ms: attempt.took.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample::full;

    fn failed(code: Code) -> Record {
        let mut record = full();
        record.code = Some(code);
        record
    }

    #[test]
    fn a_flood_of_one_kind_hides_nothing_of_the_other() {
        let mut failures = Failures::default();
        for _ in 0..1000 {
            failures.note(&failed(Code::RateLimitExceeded));
        }
        failures.note(&failed(Code::UpstreamTimeout));
        let told = failures.take();
        let by_callers = told.iter().filter(|failure| failure.is_by_caller()).count();
        assert_eq!((by_callers, told.len()), (TOLD, TOLD + 1));
        assert_eq!(told.last().map(|failure| failure.code.as_str()), Some("upstream_timeout"));
        assert_eq!(failures.take(), vec![]);
    }

    #[test]
    fn a_request_that_went_well_is_no_failure() {
        let mut failures = Failures::default();
        failures.note(&Record { code: None, ..full() });
        assert_eq!(failures.take(), vec![]);
    }

    #[test]
    fn it_says_whose_request_failed_where_and_why() {
        let mut failures = Failures::default();
        failures.note(&full());
        let failure = failures.take().remove(0);
        assert_eq!(failure.key.as_deref(), Some("team-a"));
        assert_eq!(failure.target.as_deref(), Some("gpu/llama-3-8b"));
        assert_eq!(
            (failure.code.as_str(), failure.fault.as_str()),
            ("stream_interrupted", "provider")
        );
        let codes: Vec<_> =
            failure.attempts.iter().map(|attempt| attempt.code.as_deref()).collect();
        assert_eq!(codes, [Some("upstream_error"), Some("stream_interrupted")]);
    }
}
