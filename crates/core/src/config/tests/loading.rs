//! What a text means once it is loaded.

use super::*;
use crate::{
    config::valid::{
        Auth, CacheScope, DeprecationPolicy, MockEffect, ModelAccess, Period, ProviderKind,
    },
    price::PicoUsdPerToken,
    units::{DurationMs, MicroUsd, Tokens},
};

/// A key, the mock provider and a model there.
const SMALL: &str = r#"
[[auth.keys]]
id = "team-a"
sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

[providers.mock]
kind = "mock"

[models.fast]
targets = [{ provider = "mock", model = "mock" }]
"#;

fn loaded(text: &str, variables: &[(&str, &str)]) -> Loaded {
    load_with(text, variables).unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn a_budget_is_an_amount_in_a_period() {
    let config = load_toml(&fixture("uncounted-budget.toml")).unwrap().config;
    let Auth::Keys(keys) = &config.auth else { panic!("the fixture has keys") };
    let budgets: Vec<_> = keys.iter().filter_map(|key| key.budget.clone()).collect();
    assert_eq!((budgets[0].limit, budgets[0].per), (MicroUsd(10_000_000), Period::Week));
    assert_eq!((budgets[1].limit, budgets[1].per), (MicroUsd(10_000_000), Period::Month));
}

#[test]
fn the_full_example_means_what_it_says() {
    let config = loaded(&fixture("full.toml"), &[]).config;
    let Auth::Keys(keys) = &config.auth else { panic!("keys") };
    assert_eq!(keys[0].digest[..4], [0x9f, 0x86, 0xd0, 0x81]);
    assert_eq!(keys[1].digest[..4], [0x2c, 0x26, 0xb4, 0x6b]);
    assert_eq!(
        (&keys[0].models, &keys[1].models),
        (&ModelAccess::All, &ModelAccess::Only(vec!["fast".into()]))
    );
    assert_eq!(keys[0].expires, date::midnight("2027-12-31"));
    assert_eq!((keys[0].team.as_deref(), config.teams.len()), (Some("platform"), 1));
    assert_eq!(config.models["reasoner"].budget.as_ref().unwrap().cheaper.as_deref(), Some("fast"));
    assert_eq!(config.alerts.receivers.len(), 4);
    assert_eq!(config.alerts.rules.budget_shares, [0.5, 0.9]);
    let otlp = config.telemetry.otlp.as_ref().unwrap();
    assert_eq!(otlp.endpoint, "https://otlp.example.com/otlp");
    assert_eq!(keys[0].model_limits["gpt-4o:eu"].tokens_per_minute, Some(Tokens(20_000)));

    let model = &config.models["gpt-4o:eu"];
    assert!((model.params.temperature - 0.7).abs() < f64::EPSILON);
    assert_eq!(model.params.max_tokens, 500);
    assert_eq!(model.bounds.max_tokens, (1, 16_384));
    assert_eq!((model.retry.max_attempts, model.retry.base_delay), (2, DurationMs(500)));
    assert_eq!(model.retry.statuses.len(), 102);
    assert!(model.retry.statuses.is_sorted() && !model.retry.statuses.contains(&409));
    assert_eq!(model.timeout.first_token, DurationMs(20_000));
    assert_eq!((model.cache.ttl, model.cache.scope), (DurationMs(60_000), CacheScope::Shared));
    assert_eq!(model.limits.requests_per_minute, Some(6000));
    assert_eq!(model.deprecated, DeprecationPolicy::Warn);
    assert_eq!(config.models["fast"].deprecated, DeprecationPolicy::Refuse);

    let ProviderKind::OpenAi(endpoint) = &config.providers["openai"].kind else { panic!("openai") };
    assert_eq!(endpoint.base_url, "https://api.openai.com/v1");
    assert_eq!(endpoint.api_key.as_ref().unwrap().0, "OPENAI_API_KEY");
    let ProviderKind::Mock(mock) = &config.providers["mock"].kind else { panic!("mock") };
    assert_eq!(
        mock.faults[0].effect,
        MockEffect::Status { status: 429, retry_after: Some("2".into()) }
    );
    assert_eq!((mock.faults[0].every, mock.faults[0].times), (10, Some(3)));
    assert_eq!(mock.faults[3].effect, MockEffect::Reset);
}

#[test]
fn the_price_table_fills_in_what_the_text_leaves_out() {
    let config = loaded(&fixture("full.toml"), &[]).config;
    let fast = &config.models["fast"].targets;
    assert_eq!(fast[0].id, "openai/gpt-4o-mini");
    assert_eq!(fast[0].price.unwrap().cached_input, PicoUsdPerToken(75_000));
    assert_eq!(fast[0].dialect.context, Some(Tokens(128_000)));
    assert_eq!(fast[1].price, None, "hardware of one's own has no price per token");
    let reasoner = &config.models["reasoner"].targets[0].dialect;
    assert!(reasoner.max_completion_tokens && !reasoner.sampling);
    assert!(
        !config.models["gpt-4o:eu"].targets[1].dialect.stream_usage,
        "Mistral refuses the option"
    );
    let own = &config.models["spare"].targets[1];
    assert_eq!(own.price.unwrap().cache_write, PicoUsdPerToken(600_000));
    assert_eq!(own.retirement.as_ref().unwrap().successor.as_deref(), Some("our-next"));
}

#[test]
fn a_price_of_ones_own_takes_nothing_from_the_table() {
    let text = SMALL.replace(
        r#"model = "mock" }"#,
        r#"model = "gpt-4o-mini", price = { input = 2.0, output = 4.0 } }"#,
    );
    let config = loaded(&text, &[]).config;
    let price = config.models["fast"].targets[0].price.unwrap();
    assert_eq!(price.cached_input, PicoUsdPerToken(2_000_000));
}

#[test]
fn the_mock_costs_what_it_stands_in_for_and_is_never_retired() {
    let config = loaded(&SMALL.replace(r#"model = "mock" }"#, r#"model = "gpt-4" }"#), &[]);
    assert_eq!(config.warnings, []);
    let target = &config.config.models["fast"].targets[0];
    assert_eq!(target.price.unwrap().input, PicoUsdPerToken(30_000_000));
    assert_eq!(target.retirement, None);
}

#[test]
fn the_built_in_configuration_loads_with_a_warning_that_it_is_open() {
    let loaded = loaded(default_toml(), &[]);
    let rules: Vec<_> = loaded.warnings.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, [Rule::OpenAccess]);
    assert!(loaded.config.models.keys().eq(["embed", "fast", "mock"]));
}

#[test]
fn variables_stand_above_the_text_in_any_case_and_type() {
    let config = loaded(
        SMALL,
        &[
            ("TOLLHOUSE__MODELS__FAST__CACHE__TTL_SECONDS", "60"),
            ("TOLLHOUSE__models__fast__strategy", "fastest"),
            ("TOLLHOUSE__AUTH__KEYS__0__ID", "123"),
            ("TOLLHOUSE__DEFAULTS__PARAMS", "{ temperature = 0.5 }"),
            ("TOLLHOUSE__DEFAULTS__PARAMS__MAX_TOKENS", "7"),
            ("TOLLHOUSE__ALERTS__WEBHOOKS", r#"["https://hooks.slack.com/services/T0/B0/x"]"#),
            ("TOLLHOUSE__PROVIDERS__EXTRA__KIND", "mock"),
            ("TOLLHOUSE__MODELS__FAST__TARGETS__1", r#"{ provider = "extra", model = "m" }"#),
        ],
    )
    .config;
    let model = &config.models["fast"];
    assert_eq!(model.cache.ttl, DurationMs(60_000));
    assert_eq!(model.strategy, valid::Strategy::Fastest);
    assert!((model.params.temperature - 0.5).abs() < f64::EPSILON);
    assert_eq!(model.params.max_tokens, 7);
    assert_eq!(model.targets[1].id, "extra/m");
    let Auth::Keys(keys) = &config.auth else { panic!("keys") };
    assert_eq!(keys[0].id, "123");
    assert_eq!(config.alerts.receivers.len(), 1);
}

#[test]
fn a_variable_reaches_keys_that_its_name_cannot_hold() {
    let text = SMALL.replace("[models.fast]", "[models.\"gpt-4o.mini\"]");
    let config = loaded(&text, &[("TOLLHOUSE__MODELS__GPT_4O_MINI__STRATEGY", "weighted")]).config;
    assert_eq!(config.models["gpt-4o.mini"].strategy, valid::Strategy::Weighted);
}

#[test]
fn json_is_read_as_toml_is_with_places() {
    let text = r#"{
  "auth": { "keys": [{ "id": "a", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "expires": "2027-01-31" }] },
  "providers": { "mock": { "kind": "mock", "latency_ms": 5 } },
  "models": { "fast": { "targets": [{ "provider": "mock", "model": "mock" }], "params": { "temperature": 0 } } }
}"#;
    let config = loaded(text, &[]).config;
    assert!(config.models["fast"].params.temperature.abs() < f64::EPSILON);

    let wrong = text.replace("\"latency_ms\": 5", "\"latency\": 5, \"kind\": null");
    let lines: Vec<_> = problems(load_toml(&wrong)).iter().map(|p| p.line("c.json")).collect();
    assert_eq!(
        lines,
        [
            "c.json:3:44: error[unknown-key]: there is no key `latency` here",
            "c.json:3:58: error[duplicate-key]: duplicate key",
        ]
    );
}

#[test]
fn json_mistakes_have_places_too() {
    for (text, line) in [
        ("{\n  \"version\": 1,,\n}", "c:2:16: error[syntax]"),
        ("{ // no comments\n}", "c:1:3: error[syntax]"),
        ("{} {}", "c:1:4: error[syntax]"),
        ("{\"version\": null}", "c:1:13: error[wrong-type]"),
    ] {
        let found: Vec<_> = problems(load_toml(text)).iter().map(|p| p.line("c")).collect();
        assert!(found.iter().any(|found| found.starts_with(line)), "{text}: {found:?}");
    }
}

#[test]
fn columns_count_characters_and_lines_count_from_one() {
    let text = "[modells] # ü\n\"ü\" = { x = 1 }\n";
    let found = problems(load_toml(text));
    let unknown: Vec<_> = found.iter().filter(|p| p.rule == Rule::UnknownKey).collect();
    assert_eq!(unknown[0].line("f"), "f:1:2: error[unknown-key]: there is no key `modells` here");
    let Place::Text { span, .. } = &unknown[0].place else { panic!("text") };
    assert_eq!(text.get(span.clone()), Some("modells"));
}

#[test]
fn an_empty_text_is_refused_with_what_it_lacks() {
    let report = load_toml("").unwrap_err();
    let rules: Vec<_> = report.problems.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, [Rule::Missing, Rule::Missing, Rule::NoKeys]);
    assert_eq!(report.errors(), 3);
}

#[test]
fn the_digest_follows_what_is_effective_and_nothing_else() {
    let digest = |text: &str, variables: &[(&str, &str)]| loaded(text, variables).config.digest;
    let plain = digest(SMALL, &[]);
    let moved = format!(
        "# a comment\nversion = 1\n{SMALL}strategy = \"ordered\"\n[breaker]\nfailures = 5\n"
    );
    assert_eq!(digest(&moved, &[]), plain, "defaults written out, comments and order do not count");
    assert_eq!(digest(SMALL, &[("TOLLHOUSE__BREAKER__FAILURES", "5")]), plain);
    assert_ne!(digest(SMALL, &[("TOLLHOUSE__BREAKER__FAILURES", "6")]), plain);
    assert_ne!(digest(&SMALL.replace("\"mock\" }", "\"mock2\" }"), &[]), plain);
}

#[test]
fn reports_never_repeat_a_secret() {
    let report = load_toml(&fixture("literal-secret.toml")).unwrap_err();
    let text = format!("{report} {report:?}");
    for secret in ["abcdefghijkl", "hunter2", ":password", "jK2mN5", "B0/abc"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let masked = masked(&fixture("literal-secret.toml"), &report.problems);
    for secret in ["abcdefghijkl", "hunter2", "user:password", "jK2mN5pQ8sT1vW4yZ7bC", "B0/abc"] {
        assert!(!masked.contains(secret), "{secret}\n{masked}");
    }
}

#[test]
fn the_listing_says_where_each_value_comes_from() {
    let text = format!(
        "{SMALL}[alerts]\nwebhooks = [\"https://alerts.example.com/a/b\"]\n[models.priced]\ntargets = [{{ provider = \"mock\", model = \"gpt-4o-mini\" }}]\n"
    );
    let loaded = loaded(&text, &[("TOLLHOUSE__BREAKER__FAILURES", "7")]);
    let text = show::text(&loaded);
    assert!(text.contains("# default\n"));
    let written: Vec<_> = text.lines().filter(|line| !line.ends_with("# default")).collect();
    insta::assert_snapshot!("listing", written.join("\n"));
    let json = show::json(&loaded);
    assert_eq!(json["values"]["breaker"]["failures"], 7);
    assert_eq!(json["sources"]["breaker.failures"], "TOLLHOUSE__BREAKER__FAILURES");
    assert_eq!(json["values"]["auth"]["keys"][0]["sha256"], "9f86d081…");
    assert_eq!(json["digest"].as_str().map(str::len), Some(64));
}
