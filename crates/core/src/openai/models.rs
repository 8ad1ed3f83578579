//! `GET /v1/models` and `GET /v1/models/{id}`: the models that a caller may name.

use serde::Serialize;

use crate::auth::Caller;
use crate::config::Config;
use crate::config::valid::Model;
use crate::refusal::Refusal;

/// `created` of every model: 2026-01-01. The gateway does not know when a provider made a model,
/// and clients want a number that stays.
pub const CREATED: u64 = 1_767_225_600;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'a str,
}

impl<'a> Entry<'a> {
    /// A model is owned by the provider of its first target.
    fn of(model: &'a Model) -> Self {
        let owner = model.targets.first().map_or("tollhouse", |target| &target.provider.name);
        Self { id: &model.name, object: "model", created: CREATED, owned_by: owner }
    }
}

/// The list of the models that the caller may use, by name.
pub fn list(config: &Config, caller: &Caller) -> Vec<u8> {
    let allowed = config.models.values().filter(|model| caller.may_use(&model.name).is_ok());
    json(&List { object: "list", data: allowed.map(|model| Entry::of(model)).collect() })
}

/// One model.
///
/// # Errors
/// `model_not_allowed` where the key may not use it, `model_not_found` where there is none.
pub fn one(config: &Config, caller: &Caller, id: &str) -> Result<Vec<u8>, Refusal> {
    caller.model(config, id).map(|model| json(&Entry::of(model)))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Text and numbers always serialize.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::auth::authenticate;
    use crate::config::valid::{
        AlertRules, Alerts, Auth, BreakerPolicy, BudgetPolicy, CallerKey, FeedbackPolicy,
        GatewayLimits, Guards, ModelAccess, RateLimits, Telemetry, UnknownPrice, Unreachable,
    };
    use crate::openai::samples::{PLAIN, model};
    use crate::refusal::Code;
    use crate::units::{DurationMs, UnixMs};

    fn config() -> Config {
        let models =
            ["slow", "fast"].map(|name| (name.to_owned(), Arc::new(model(name, &[PLAIN]))));
        Config {
            digest: [0; 32],
            auth: Auth::Open,
            providers: BTreeMap::new(),
            models: models.into(),
            guards: Guards::default(),
            teams: BTreeMap::new(),
            budgets: BudgetPolicy { unknown_price: UnknownPrice::Refuse },
            limits: GatewayLimits {
                max_body_bytes: 1,
                lease: DurationMs(1),
                on_unreachable: Unreachable::Refuse,
            },
            breaker: BreakerPolicy { failures: 1, open: DurationMs(1) },
            alerts: Alerts {
                receivers: Vec::new(),
                every: DurationMs(1),
                rules: AlertRules {
                    error_share: None,
                    latency: None,
                    breaker_open: false,
                    provider_down: None,
                    budget_shares: Vec::new(),
                    guard_spike: None,
                    config_rejected: false,
                },
            },
            telemetry: Telemetry {
                log_requests: false,
                flush: DurationMs(1),
                ledger_shards: 1,
                retention_days: 40,
                otlp: None,
            },
            experiments: BTreeMap::new(),
            feedback: FeedbackPolicy { labels: Vec::new(), comments: false },
            classifiers: BTreeMap::new(),
            mlflow: None,
        }
    }

    fn anyone() -> Caller {
        authenticate(&Auth::Open, None, None, UnixMs(0)).unwrap()
    }

    /// A caller whose key lists `fast` and a model that does not exist.
    fn limited() -> Caller {
        let key = CallerKey {
            id: "team".to_owned(),
            digest: Sha256::digest("k").into(),
            models: ModelAccess::Only(vec!["fast".to_owned(), "gone".to_owned()]),
            limits: RateLimits::default(),
            model_limits: BTreeMap::new(),
            budget: None,
            team: None,
            expires: None,
        };
        let auth = Auth::Keys(vec![Arc::new(key)]);
        authenticate(&auth, Some("Bearer k"), None, UnixMs(0)).unwrap()
    }

    fn text(body: Vec<u8>) -> String {
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn a_caller_sees_the_models_that_it_may_use() {
        let fast = r#"{"id":"fast","object":"model","created":1767225600,"owned_by":"test"}"#;
        let slow = fast.replace("fast", "slow");
        let of = |entries: &str| format!(r#"{{"object":"list","data":[{entries}]}}"#);
        assert_eq!(text(list(&config(), &anyone())), of(&format!("{fast},{slow}")));
        assert_eq!(text(list(&config(), &limited())), of(fast));
        assert_eq!(text(one(&config(), &limited(), "fast").unwrap()), fast);
    }

    #[test]
    fn a_model_is_refused_without_telling_whether_it_exists() {
        let refused = |caller: &Caller, id| one(&config(), caller, id).unwrap_err().code;
        assert_eq!(refused(&anyone(), "none"), Code::ModelNotFound);
        assert_eq!(refused(&limited(), "slow"), Code::ModelNotAllowed);
        assert_eq!(refused(&limited(), "none"), Code::ModelNotAllowed);
        assert_eq!(refused(&limited(), "gone"), Code::ModelNotFound);
    }
}
