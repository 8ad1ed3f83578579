//! What `/health/live` and `/health/ready` answer, from facts that are already known.
//!
//! Nothing here calls a model, a store or a provider: the host says what it last found. Live means
//! that the code runs. Ready means that a caller who does everything right can be served; whatever
//! an operator must mend first (configuration, secrets, a limiter that calls must not pass) is a 503
//! that names it. Failing providers only degrade: taking the gateway out of service would not mend
//! them, and its other models still answer.

use serde::Serialize;

use crate::{
    config::valid::{SecretName, Unreachable},
    record::hex,
    redact::mask,
};

/// What is known about the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Which configuration runs.
    pub config: ConfigState,
    /// Secrets that the configuration names and that are not set.
    pub missing_secrets: Vec<SecretName>,
    /// Whether the limiter answered.
    pub limiter: Reach,
    /// What happens to calls while it does not.
    pub on_limiter_unreachable: Unreachable,
    /// Whether the ledger answered.
    pub ledger: Reach,
    /// Targets whose circuit breaker is not closed, by id.
    pub resting_targets: Vec<String>,
}

/// Which configuration runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigState {
    /// The one that is stored.
    Current {
        /// SHA-256 of the effective configuration.
        digest: [u8; 32],
        /// What is odd about it.
        warnings: Vec<String>,
    },
    /// The last good one: the one that is stored is refused.
    LastGood {
        /// SHA-256 of the configuration that runs.
        digest: [u8; 32],
        /// What is wrong with the stored one.
        problems: Vec<String>,
    },
    /// None: every call is refused.
    Refused {
        /// What is wrong.
        problems: Vec<String>,
    },
}

/// Whether a store answered when it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It did.
    Reached,
    /// It did not.
    Unreached,
    /// It was not asked yet.
    Untried,
}

/// A health reply: JSON with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200 or 503.
    pub status: u16,
    /// A JSON object.
    pub body: String,
}

/// The answer of `/health/live`: 200 as long as there is anyone to give it.
pub fn live() -> Answer {
    let body = format!(r#"{{"status":"live","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
    Answer { status: 200, body }
}

/// The answer of `/health/ready`: 503 where an operator must act before calls can be served.
pub fn ready(facts: &Facts) -> Answer {
    let verdict = Verdict::of(facts);
    let body = serde_json::to_string(&Body::of(facts, verdict));
    // Strings and lists of them cannot fail to be written; the status says the essential anyway.
    Answer { status: verdict.status(), body: body.unwrap_or_default() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ready,
    Degraded,
    Unready,
}

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    version: &'static str,
    config: ConfigBody<'a>,
    missing_secrets: Vec<&'a str>,
    limiter: &'static str,
    ledger: &'static str,
    resting_targets: &'a [String],
}

#[derive(Serialize)]
struct ConfigBody<'a> {
    state: &'static str,
    digest: Option<String>,
    problems: Vec<std::borrow::Cow<'a, str>>,
    warnings: Vec<std::borrow::Cow<'a, str>>,
}

impl Verdict {
    fn of(facts: &Facts) -> Self {
        let limits_bar = match (facts.limiter, facts.on_limiter_unreachable) {
            (Reach::Unreached, Unreachable::Refuse) => true,
            (Reach::Unreached, Unreachable::Admit) | (Reach::Reached | Reach::Untried, _) => false,
        };
        let (refused, last_good) = match facts.config {
            ConfigState::Current { .. } => (false, false),
            ConfigState::LastGood { .. } => (false, true),
            ConfigState::Refused { .. } => (true, false),
        };
        if refused || limits_bar || !facts.missing_secrets.is_empty() {
            return Self::Unready;
        }
        let store_lost = facts.limiter == Reach::Unreached || facts.ledger == Reach::Unreached;
        if last_good || store_lost || !facts.resting_targets.is_empty() {
            return Self::Degraded;
        }
        Self::Ready
    }

    const fn status(self) -> u16 {
        match self {
            Self::Ready | Self::Degraded => 200,
            Self::Unready => 503,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Unready => "unready",
        }
    }
}

impl Reach {
    const fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Unreached => "unreached",
            Self::Untried => "untried",
        }
    }
}

impl<'a> Body<'a> {
    fn of(facts: &'a Facts, verdict: Verdict) -> Self {
        Self {
            status: verdict.name(),
            version: env!("CARGO_PKG_VERSION"),
            config: ConfigBody::of(&facts.config),
            missing_secrets: facts.missing_secrets.iter().map(|name| name.0.as_str()).collect(),
            limiter: facts.limiter.name(),
            ledger: facts.ledger.name(),
            resting_targets: &facts.resting_targets,
        }
    }
}

impl<'a> ConfigBody<'a> {
    fn of(config: &'a ConfigState) -> Self {
        let (state, digest, problems, warnings): (_, _, &[String], &[String]) = match config {
            ConfigState::Current { digest, warnings } => ("current", Some(digest), &[], warnings),
            ConfigState::LastGood { digest, problems } => {
                ("last_good", Some(digest), problems, &[])
            }
            ConfigState::Refused { problems } => ("refused", None, problems, &[]),
        };
        // A problem may quote what was written, and what was written may be a key.
        let masked = |texts: &'a [String]| texts.iter().map(|text| mask(text)).collect();
        Self {
            state,
            digest: digest.map(|digest| hex(digest)),
            problems: masked(problems),
            warnings: masked(warnings),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn healthy() -> Facts {
        Facts {
            config: ConfigState::Current { digest: [0xab; 32], warnings: vec![] },
            missing_secrets: vec![],
            limiter: Reach::Reached,
            on_limiter_unreachable: Unreachable::Refuse,
            ledger: Reach::Untried,
            resting_targets: vec![],
        }
    }

    fn check(facts: &Facts, status: u16, verdict: &str) -> Value {
        let answer = ready(facts);
        assert_eq!(answer.status, status);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["status"], verdict);
        body
    }

    #[test]
    fn a_gateway_that_runs_is_live() {
        let answer = live();
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &body["status"]), (200, &Value::from("live")));
    }

    #[test]
    fn with_nothing_wrong_it_is_ready_and_says_which_configuration_runs() {
        let body = check(&healthy(), 200, "ready");
        assert_eq!(body["config"]["digest"], "ab".repeat(32));
    }

    #[test]
    fn a_refused_configuration_is_listed_problem_by_problem_without_secrets() {
        let problems =
            vec!["a.toml:3:1: no".to_owned(), "`sk-abcdefgh1234` is a literal".to_owned()];
        let facts = Facts { config: ConfigState::Refused { problems }, ..healthy() };
        let body = check(&facts, 503, "unready");
        assert_eq!(body["config"]["problems"][0], "a.toml:3:1: no");
        assert_eq!(body["config"]["problems"][1], "`sk-***` is a literal");
        assert_eq!(body["config"]["digest"], Value::Null);
    }

    #[test]
    fn a_missing_secret_is_named() {
        let missing_secrets = vec![SecretName("OPENAI_API_KEY".to_owned())];
        let body = check(&Facts { missing_secrets, ..healthy() }, 503, "unready");
        assert_eq!(body["missing_secrets"][0], "OPENAI_API_KEY");
    }

    #[test]
    fn a_lost_limiter_bars_calls_only_where_the_configuration_says_so() {
        let lost = Facts { limiter: Reach::Unreached, ..healthy() };
        check(&lost, 503, "unready");
        check(&Facts { on_limiter_unreachable: Unreachable::Admit, ..lost }, 200, "degraded");
    }

    #[test]
    fn what_still_serves_calls_only_degrades() {
        check(&Facts { ledger: Reach::Unreached, ..healthy() }, 200, "degraded");
        let resting_targets = vec!["openai/gpt-4o-mini".to_owned()];
        let body = check(&Facts { resting_targets, ..healthy() }, 200, "degraded");
        assert_eq!(body["resting_targets"][0], "openai/gpt-4o-mini");
        let problems = vec!["unknown key `modles`".to_owned()];
        let config = ConfigState::LastGood { digest: [1; 32], problems };
        let body = check(&Facts { config, ..healthy() }, 200, "degraded");
        assert_eq!(body["config"]["problems"][0], "unknown key `modles`");
    }
}
