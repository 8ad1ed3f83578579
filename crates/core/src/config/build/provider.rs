//! Where models are run.

use std::{collections::BTreeMap, sync::Arc};

use super::Site;
use crate::config::{
    findings::Found,
    hosts::{self, Url},
    problem::Rule,
    raw::{Kind, List, Named, RawConfig, RawProvider, Secret},
    secrets,
    tree::Path,
    valid::{Endpoint, Placement, Pool, Provider, ProviderKind, SecretName},
};

/// Headers that the gateway sets itself, or that belong to one connection.
const OWN_HEADERS: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "accept-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

impl Site<'_> {
    pub(super) fn providers(&self, raw: &RawConfig) -> Option<BTreeMap<String, Arc<Provider>>> {
        let at = Path::Root.key("providers");
        self.notes.missing(&at, "add a provider: `[providers.openai]`");
        let providers = raw.providers.as_ref()?;
        let mut built = BTreeMap::new();
        for (name, provider) in providers.iter() {
            if let Some(provider) = self.provider(name, provider, &at.key(name)) {
                built.insert(name.clone(), Arc::new(provider));
            }
        }
        (built.len() == providers.0.len()).then_some(built)
    }

    fn provider(&self, name: &str, raw: &RawProvider, at: &Path<'_>) -> Option<Provider> {
        let is_named = self.check_name(name, "", 64, at);
        self.notes
            .missing(&at.key("kind"), "write `kind = \"openai\"` for any server with OpenAI's API");
        let kind = match raw.kind? {
            Kind::OpenAi => {
                self.refuse_keys(&MOCK_KEYS, "\"mock\"", at);
                self.check_placement(raw, at);
                self.endpoint(raw, at).map(ProviderKind::OpenAi)
            }
            Kind::Oip => {
                self.refuse_keys(&MOCK_KEYS, "\"mock\"", at);
                self.check_placement(raw, at);
                self.endpoint(raw, at).map(ProviderKind::Oip)
            }
            Kind::Mock => {
                self.refuse_keys(&SERVER_KEYS, "\"openai\" or \"oip\"", at);
                self.mock(raw, at).map(ProviderKind::Mock)
            }
        };
        let provider = Provider {
            name: name.to_owned(),
            kind: kind?,
            placement: raw.placement?,
            pool: Pool::default(),
        };
        let pool = self.pool(raw, &provider, at);
        is_named.then_some(Provider { pool: pool?, ..provider })
    }

    /// Reports those of `keys` that are written, which belong to providers of other `kinds`.
    fn refuse_keys(&self, keys: &[&str], kinds: &str, at: &Path<'_>) {
        for key in keys.iter().filter(|key| self.notes.is_written(&at.key(key))) {
            let message = format!("`{key}` belongs to providers of kind {kinds}");
            self.notes
                .at_key(&at.key(key), Found::new(Rule::MisplacedKey, message).help("take it out"));
        }
    }

    /// Reports a placement that says who bills a call and is wrong about it.
    fn check_placement(&self, raw: &RawProvider, at: &Path<'_>) {
        let first = raw.base_urls.as_ref().and_then(|urls| urls.iter().next());
        let base_url =
            if raw.base_urls.is_some() { first.map(|(_, url)| url) } else { raw.base_url.as_ref() };
        let known = base_url.and_then(|url| hosts::of_url(url));
        let kind = if raw.kind == Some(Kind::Oip) { "oip" } else { "openai" };
        let (message, help) = match (raw.placement, known) {
            (Some(Placement::Edge), _) => (
                format!("a provider of kind \"{kind}\" is on the network, not in the Worker"),
                "write \"gpu\" for hardware of your own, \"api\" for somebody's API",
            ),
            (Some(Placement::Gpu), Some(host)) => (
                format!("{} is somebody's API and bills each call", host.name),
                "write `placement = \"api\"`, or the `base_url` of your own server",
            ),
            (Some(Placement::Gpu | Placement::Api) | None, _) => return,
        };
        self.report(&at.key("placement"), Rule::MisplacedKey, message, help);
    }

    fn endpoint(&self, raw: &RawProvider, at: &Path<'_>) -> Option<Endpoint> {
        let api_key = raw.api_key.as_ref().map(|key| self.secret(key, &at.key("api_key")));
        let has_key = raw.api_key.is_some();
        let base_url = if let Some(urls) = &raw.base_urls {
            self.base_urls(urls, has_key, &at.key("base_urls"))
        } else {
            let at = at.key("base_url");
            self.notes.missing(&at, "write the address of the server: `base_url = \"http://…\"`");
            raw.base_url.as_deref().and_then(|url| self.base_url(url, has_key, &at))
        };
        let headers =
            raw.headers.as_ref().and_then(|headers| self.headers(headers, &at.key("headers")));
        // A key that is there but cannot be read has been reported; without it nothing is built.
        let api_key = match (api_key, self.notes.tree.at(&at.key("api_key"))) {
            (None, Some(_)) => return None,
            (None, None) => None,
            (Some(name), _) => Some(name?),
        };
        Some(Endpoint { base_url: base_url?, api_key, headers: headers? })
    }

    /// The name of a secret, if it is one that a Worker secret can have.
    pub(super) fn secret(&self, raw: &Secret, at: &Path<'_>) -> Option<SecretName> {
        let name = raw.env.as_deref()?;
        let at = at.key("env");
        if secrets::looks_like_one(name) {
            let message = format!(
                "the secret itself is written where its name belongs: {}",
                secrets::quoted(name)
            );
            let help = "take it back at its provider, then `wrangler secret put OPENAI_API_KEY` and \
                        `{ env = \"OPENAI_API_KEY\" }`";
            self.report(&at, Rule::LiteralSecret, message, help);
            return None;
        }
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let is_name =
            name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !(starts_well && is_name) {
            let help = "letters, digits and `_`, such as `OPENAI_API_KEY`";
            self.report(
                &at,
                Rule::BadSecretName,
                "this cannot be the name of a Worker secret",
                help,
            );
            return None;
        }
        Some(SecretName(name.to_owned()))
    }

    /// The first of several addresses, which stands for all of them; `None` unless all can be read.
    fn base_urls(&self, urls: &List<String>, has_key: bool, at: &Path<'_>) -> Option<String> {
        if urls.0.is_empty() {
            self.report(at, Rule::Missing, "the pool has no server", "name at least one address");
            return None;
        }
        let built: Vec<_> =
            urls.iter().map(|(index, url)| self.base_url(url, has_key, &at.index(index))).collect();
        let all: Option<Vec<String>> = built.into_iter().collect();
        all.filter(|all| all.len() == urls.0.len())?.into_iter().next()
    }

    fn base_url(&self, text: &str, has_key: bool, at: &Path<'_>) -> Option<String> {
        let url = match Url::read(text) {
            Ok(url) => url,
            Err(why) => {
                let message = format!("the address {why}");
                self.report(at, Rule::BadUrl, message, "write it as `https://api.openai.com/v1`");
                return None;
            }
        };
        for route in ["/chat/completions", "/completions", "/embeddings", "/responses", "/v2"] {
            if let Some(base) = url.path.strip_suffix(route) {
                let message = format!("the address goes on into a route, `{route}`");
                let help = format!("end it with the path before that, `{base}`");
                self.report(at, Rule::BadUrl, message, help);
                return None;
            }
        }
        if let Some(host) = url.known().filter(|host| host.base_path != url.path) {
            let message = format!(
                "the OpenAI-compatible routes of {} are not under `{}`",
                host.name, url.path
            );
            let help = format!("write `https://{}{}`", host.name, host.base_path);
            self.report(at, Rule::BasePath, message, help);
        }
        if has_key && !url.is_https && url.is_public() {
            let message = "the provider's key and every prompt travel unencrypted";
            self.report(at, Rule::KeyOverHttp, message, "write `https://`");
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn headers(&self, headers: &Named<String>, at: &Path<'_>) -> Option<Vec<(String, String)>> {
        let mut built: Vec<(String, String)> = Vec::new();
        for (name, value) in headers.iter() {
            let at = at.key(name);
            let lower = name.to_ascii_lowercase();
            let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            let is_text = |b: u8| b == b' ' || b == b'\t' || b.is_ascii_graphic();
            let wrong = if name.is_empty() || !name.bytes().all(is_token) {
                Some("is not the name of a header")
            } else if OWN_HEADERS.contains(&lower.as_str()) {
                Some("is set by the gateway itself")
            } else if built.iter().any(|(known, _)| *known == lower) {
                Some("is written twice, as case does not count")
            } else if !value.bytes().all(is_text) {
                Some("has a value with characters that a header cannot hold")
            } else {
                None
            };
            match wrong {
                Some(why) => {
                    let message = format!("{} {why}", secrets::quoted(name));
                    self.notes
                        .at_key(&at, Found::new(Rule::BadHeader, message).help("take it out"));
                }
                None => built.push((lower, value.clone())),
            }
        }
        (built.len() == headers.0.len()).then_some(built)
    }
}

const SERVER_KEYS: [&str; 5] = ["base_url", "base_urls", "pool", "api_key", "headers"];
const MOCK_KEYS: [&str; 4] = ["latency_ms", "chunk_interval_ms", "scripted_by_header", "faults"];
