use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::config::valid::RateLimits;

const NOW: UnixMs = UnixMs(1_000);

fn caller_key(id: &str, secret: &str, models: ModelAccess) -> Arc<CallerKey> {
    Arc::new(CallerKey {
        id: id.to_owned(),
        digest: Sha256::digest(secret.as_bytes()).into(),
        models,
        limits: RateLimits::default(),
        model_limits: BTreeMap::new(),
        budget: None,
        team: None,
        expires: (id == "old").then_some(UnixMs(999)),
    })
}

fn auth() -> Auth {
    Auth::Keys(vec![
        caller_key("team-a", "secret-a", ModelAccess::All),
        caller_key("team-b", "secret-b", ModelAccess::Only(vec!["fast".to_owned()])),
        caller_key("old", "secret-old", ModelAccess::All),
    ])
}

fn who(authorization: Option<&str>, api_key: Option<&str>) -> Result<String, Refusal> {
    authenticate(&auth(), authorization, api_key, NOW).map(|caller| caller.id().to_owned())
}

#[test]
fn a_key_is_known_by_its_digest_in_either_header() {
    for (authorization, api_key, id) in [
        (Some("Bearer secret-a"), None, "team-a"),
        (Some("bearer  secret-b "), None, "team-b"),
        (None, Some("secret-b"), "team-b"),
        // The standard header counts where both are sent.
        (Some("Bearer secret-a"), Some("secret-b"), "team-a"),
    ] {
        assert_eq!(who(authorization, api_key).unwrap(), id, "{authorization:?}");
    }
}

#[test]
fn everyone_else_is_told_what_to_send_and_nothing_else() {
    let refused = |authorization, api_key| {
        let refusal = who(authorization, api_key).unwrap_err();
        assert!(!refusal.message.contains("secret"), "{}", refusal.message);
        refusal.code
    };
    for (authorization, api_key, code) in [
        (None, None, Code::MissingApiKey),
        (None, Some(" "), Code::MissingApiKey),
        (Some(""), None, Code::MissingApiKey),
        (Some("Bearer"), None, Code::MissingApiKey),
        (Some("Bearer "), Some("secret-a"), Code::MissingApiKey),
        (Some("Basic secret-a"), None, Code::InvalidApiKey),
        (Some("secret-a"), None, Code::InvalidApiKey),
        (Some("Bearer secret-c"), None, Code::InvalidApiKey),
        (Some("Bearer Bearer secret-a"), None, Code::InvalidApiKey),
        (Some("Bearer secret-A"), None, Code::InvalidApiKey),
        (Some("Bearer secret-old"), None, Code::InvalidApiKey),
        // A digest is not a key.
        (Some("Bearer 6cb4a1b9b7a5bd4f8c2b4d2a1d0b7d3a"), None, Code::InvalidApiKey),
    ] {
        assert_eq!(refused(authorization, api_key), code, "{authorization:?} {api_key:?}");
    }
}

#[test]
fn a_key_works_up_to_the_moment_it_expires() {
    let at = |now| authenticate(&auth(), Some("Bearer secret-old"), None, UnixMs(now));
    assert!(at(999).is_ok());
    assert_eq!(at(1000).unwrap_err().message, "the key `old` has expired");
}

#[test]
fn an_open_gateway_knows_nobody() {
    let caller = authenticate(&Auth::Open, Some("nonsense"), None, NOW).unwrap();
    assert_eq!(caller.id(), ANONYMOUS);
    assert!(caller.key().is_none() && caller.may_use("anything").is_ok());
}

#[test]
fn a_gateway_without_keys_lets_nobody_in() {
    let refused = authenticate(&Auth::Keys(vec![]), Some("Bearer x"), None, NOW);
    assert_eq!(refused.unwrap_err().code, Code::InvalidApiKey);
}

#[test]
fn a_list_of_models_is_kept_to() {
    let caller = authenticate(&auth(), Some("Bearer secret-b"), None, NOW).unwrap();
    assert!(caller.may_use("fast").is_ok());
    let refusal = caller.may_use("slow").unwrap_err();
    assert_eq!(refusal.code, Code::ModelNotAllowed);
    assert_eq!(refusal.message, "this key may not use a model `slow`");
    assert_eq!(refusal.param.as_deref(), Some("model"));
    let refusal = caller.may_use(&format!("sk-{}\n", "0a".repeat(90))).unwrap_err();
    assert_eq!(refusal.message, "this key may not use a model `sk-***`");
}

proptest! {
    #[test]
    fn only_the_key_itself_opens(index in 0_usize..20, guess: String) {
        let secrets: Vec<_> = (0..20).map(|number| format!("secret-{number}")).collect();
        let keys = secrets.iter().map(|secret| caller_key(secret, secret, ModelAccess::All));
        let auth = Auth::Keys(keys.collect());
        let right = format!("Bearer {}", secrets[index]);
        let caller = authenticate(&auth, Some(&right), None, NOW).unwrap();
        prop_assert_eq!(caller.id(), &secrets[index]);
        prop_assume!(!secrets.contains(&guess.trim().to_owned()));
        let wrong = format!("Bearer {guess}");
        prop_assert!(authenticate(&auth, Some(&wrong), None, NOW).is_err());
    }
}
