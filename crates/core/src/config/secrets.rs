//! Finds secrets that are written where only their names belong, and keeps them out of reports.

use super::{
    findings::{Found, Notes},
    problem::{Place, Problem, Rule},
    tree::{Node, Origin, Path, Value},
};

/// How keys of well-known services begin, and the least length of one.
const KEY_STARTS: [(&str, usize); 20] = [
    ("sk-", 16),
    ("sk_", 16),
    ("rk_live_", 16),
    ("gsk_", 16),
    ("xai-", 16),
    ("AIza", 30),
    ("AKIA", 20),
    ("ghp_", 20),
    ("gho_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("hf_", 16),
    ("r8_", 16),
    ("pplx-", 16),
    ("fw_", 16),
    ("nvapi-", 16),
    ("tgp_v1_", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("eyJ", 40),
];

/// Headers whose value is a secret by nature.
const SECRET_HEADERS: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-goog-api-key",
    "x-auth-token",
    "cf-access-client-secret",
];

/// Webhook addresses that let in whoever knows them.
const SECRET_ADDRESSES: [&str; 5] = [
    "hooks.slack.com/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "webhook.office.com/",
    "events.pagerduty.com/integration/",
];

/// Reports every literal secret in the tree.
pub(crate) fn scan(notes: &Notes<'_>) {
    walk(notes.tree, &Path::Root, notes);
}

/// Whether whoever knows this address can write to it.
pub(crate) fn is_secret_address(text: &str) -> bool {
    SECRET_ADDRESSES.iter().any(|address| text.contains(address))
}

/// Whether `text` looks like a key, a token or an address with a password in it.
pub(crate) fn looks_like_one(text: &str) -> bool {
    let text = text.trim();
    let bare = text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("Basic ")).unwrap_or(text);
    let is_token =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '/' | '+');
    let has_key_start =
        KEY_STARTS.iter().any(|(start, least)| bare.len() >= *least && bare.starts_with(start));
    has_key_start && bare.chars().all(is_token)
        || bare.len() < text.len() && bare.len() >= 16
        || text.contains("-----BEGIN ")
        || has_password(text)
}

/// The finding for `text`, written where a secret's name belongs.
pub(crate) fn found(text: &str) -> Found {
    let Some(name) = name_meant(text) else {
        return literal(text);
    };
    let message = format!("the name of a secret is written as `{{ env = \"{name}\" }}`");
    Found::new(Rule::WrongType, message).help("a string here would be the secret itself")
}

/// `text` in quotation marks, shortened, and all but gone when it may be a secret.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    if looks_like_one(text) {
        format!("\"{}\"", start_of(text))
    } else if shown.len() < text.len() {
        format!("{:?}", format!("{shown}…"))
    } else {
        format!("{text:?}")
    }
}

/// The configuration's text with every secret in it starred out; each byte keeps its place.
pub fn masked(text: &str, problems: &[Problem]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for problem in problems {
        if let (Rule::LiteralSecret, Place::Text { span, .. }) = (problem.rule, &problem.place) {
            star(&mut bytes, span.start + 1, span.end.saturating_sub(1));
        }
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut offset = 0;
    for word in text.split_inclusive(|c| !is_token(c)) {
        let token = word.trim_end_matches(|c| !is_token(c));
        if looks_like_one(token) {
            star(&mut bytes, offset, offset + token.len());
        }
        offset += word.len();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn star(bytes: &mut [u8], start: usize, end: usize) {
    let shown = (end.saturating_sub(start) / 5).min(3);
    for byte in bytes.get_mut(start + shown..end).unwrap_or_default() {
        if *byte != b'\n' {
            *byte = b'*';
        }
    }
}

fn walk(node: &Node, at: &Path<'_>, notes: &Notes<'_>) {
    match &node.value {
        Value::Table(table) => {
            for (key, item) in table {
                walk(item, &at.key(key), notes);
            }
        }
        Value::List(list) => {
            for (index, item) in list.iter().enumerate() {
                walk(item, &at.index(index), notes);
            }
        }
        Value::Text(text) => {
            if let Some(found) = judge(text, node, at) {
                notes.at_value(at, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Date(_) => {}
    }
}

fn judge(text: &str, node: &Node, at: &Path<'_>) -> Option<Found> {
    match at {
        // Their readers say the same and more.
        Path::Key(_, "api_key" | "sha256")
        | Path::Key(Path::Key(_, "api_key"), _)
        | Path::Key(Path::Key(Path::Key(_, "receivers"), _), "url") => None,
        Path::Key(Path::Key(_, "headers"), name) => {
            let name = name.to_ascii_lowercase();
            let is_secret = SECRET_HEADERS.contains(&name.as_str());
            (is_secret || looks_like_one(text) || looks_random(text)).then(|| literal(text))
        }
        Path::Index(Path::Key(_, "webhooks"), _) => {
            // A variable may be a Worker secret itself.
            let is_text = matches!(node.origin, Origin::Text { .. });
            let is_secret = is_secret_address(text);
            if !is_text || !(is_secret || looks_like_one(text)) {
                return None;
            }
            let message = "whoever knows this address can write to it";
            let help = "set the variable TOLLHOUSE__ALERTS__WEBHOOKS as a Worker secret instead: \
                        `[\"https://…\"]`";
            Some(Found::new(Rule::LiteralSecret, message).help(help))
        }
        Path::Root | Path::Key(..) | Path::Index(..) => looks_like_one(text).then(|| literal(text)),
    }
}

fn literal(text: &str) -> Found {
    let message = format!("a secret is written into the configuration: \"{}\"", start_of(text));
    Found::new(Rule::LiteralSecret, message).help(
        "take it back at its provider, put a new one in a Worker secret with \
         `wrangler secret put NAME`, and write `api_key = { env = \"NAME\" }`",
    )
}

/// At most five characters and a fifth of the whole, so that nobody can guess the rest.
fn start_of(text: &str) -> String {
    let shown = (text.chars().count() / 5).min(5);
    text.chars().take(shown).chain(['…']).collect()
}

/// The name in `OPENAI_API_KEY`, `$OPENAI_API_KEY`, `${…}`, `env:…` and the like.
fn name_meant(text: &str) -> Option<&str> {
    let starts = ["$", "env:", "env.", "os.environ/"];
    let bare = starts.iter().find_map(|start| text.strip_prefix(start)).unwrap_or(text);
    let bare = bare.trim_start_matches('{').trim_end_matches('}');
    let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let looks_named = bare.contains('_') && bare.bytes().all(is_name);
    (looks_named && !bare.starts_with(|c: char| c.is_ascii_digit())).then_some(bare)
}

/// Whether an address carries a password before its host, or a key in its query.
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let (authority, _) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let is_key = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        matches!(name.as_str(), "key" | "api_key" | "api-key" | "apikey" | "token" | "access_token")
    };
    authority.contains('@') || query.split('&').any(is_key)
}

/// Whether it is long and mixes cases and digits as keys do; ids of organisations and projects do
/// so too, behind their prefixes.
fn looks_random(text: &str) -> bool {
    let has = |test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
    let is_id = ["org-", "org_", "proj_", "proj-"].iter().any(|start| text.starts_with(start));
    text.len() >= 32
        && !is_id
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='))
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_looks_and_everyday_names_are_not() {
        for key in [
            "sk-proj-abcdefghijklmnop",
            "Bearer 0123456789abcdef0123",
            "AIzaSyA-abcdefghijklmnopqrstuvwxyz012",
            "https://user:pw@host/v1",
            "https://host/v1?api_key=abc",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(looks_like_one(key), "{key}");
        }
        for name in
            ["gpt-4o-mini", "sk-short", "https://api.openai.com/v1", "org-abc", "2026-01-01"]
        {
            assert!(!looks_like_one(name), "{name}");
        }
    }

    #[test]
    fn reports_show_a_fifth_of_a_secret_at_most() {
        assert_eq!(start_of("hunter2"), "h…");
        assert_eq!(start_of("sk-proj-abcdefghijklmnopqrstuvwxyz"), "sk-pr…");
    }

    #[test]
    fn a_masked_text_keeps_its_length_and_loses_unquoted_keys_too() {
        let text = "api_key = sk-abcdefghijklmnopqrstuvwxyz # ü\n";
        let masked = masked(text, &[]);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked, "api_key = sk-************************** # ü\n");
    }
}
