//! Keys where they do not belong: in literals, logs, URLs, debug output, the binary itself.

use super::{Asked, Hit};
use crate::facts::{Kind, Name};
use crate::knowledge::Role;
use crate::model::At;
use serde::Deserialize;

/// Where a secret must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// In a log record.
    Log,
    /// In a type that prints itself.
    Debug,
    /// Built into the program.
    Binary,
    /// In a URL.
    Url,
}

/// How names for secrets end, in lower case.
pub(crate) const SECRET_NAMES: &[&str] = &[
    "api_key",
    "apikey",
    "secret_key",
    "access_token",
    "auth_token",
    "api_token",
    "bearer_token",
    "openai_key",
    "anthropic_key",
];

/// What names of files with secrets in them hold, in lower case.
pub(crate) const SECRET_FILES: &[&str] = &["api_key", "apikey", "secret"];

/// How a key is put into a URL.
pub(crate) const KEYED_URLS: &[&str] =
    &["?key={", "&key={", "?api_key={", "&api_key={", "?apikey={"];

/// Providers' key formats: prefix, least length of the rest.
const FORMATS: &[(&str, usize)] = &[
    ("sk-ant-", 24),
    ("sk-proj-", 24),
    ("sk-or-v1-", 32),
    ("sk-svcacct-", 24),
    ("sk-", 32),
    ("gsk_", 40),
    ("hf_", 30),
    ("xai-", 40),
    ("AIza", 35),
    ("r8_", 36),
    ("pplx-", 40),
    ("nvapi-", 40),
    ("AKIA", 16),
];

const PLACEHOLDERS: &[&str] = &[
    "test",
    "dummy",
    "example",
    "fake",
    "xxxx",
    "your",
    "placeholder",
    "redacted",
    "mock",
    "sample",
    "secret-key",
    "changeme",
    "12345678",
    "abcdefgh",
    "...",
    "<",
    "{",
    "$",
    "none",
    "ollama",
    "empty",
    "local",
    "not-needed",
    "unused",
    "no-key",
    "null",
    "*",
    "todo",
    "demo",
    "insert",
    " ",
];

/// Whether a text stands in for a key rather than being one.
pub(super) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    text.len() < 12 || PLACEHOLDERS.iter().any(|word| lower.contains(word))
}

/// Enough of a key to find it by, and no more.
pub(super) fn redacted(text: &str) -> String {
    let shown: String = text.chars().take(6).collect();
    format!("{shown}…")
}

/// How keys begin.
pub(crate) fn key_prefixes() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(prefix, _)| *prefix)
}

/// Whether a text has the form, the length and the variety of a provider's key.
pub(crate) fn is_key(text: &str) -> bool {
    let Some((_, rest, least)) = FORMATS
        .iter()
        .find_map(|(prefix, least)| Some((prefix, text.strip_prefix(prefix)?, *least)))
    else {
        return false;
    };
    let plain = rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let distinct: std::collections::BTreeSet<char> = rest.chars().collect();
    let mixed =
        rest.chars().any(|c| c.is_ascii_digit()) && rest.chars().any(|c| c.is_ascii_alphabetic());
    plain && mixed && rest.len() >= least && distinct.len() >= 12 && !is_placeholder(text)
}

/// Whether a name is one for a secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|end| {
        name == *end || name.ends_with(&format!("_{end}")) || name.ends_with(&format!(".{end}"))
    })
}

/// Whether a field's name is one that stands beside a model's key.
fn is_about_models(name: &str) -> bool {
    ["model", "endpoint", "base_url", "api_base", "api_url", "temperature", "max_tokens"]
        .iter()
        .any(|word| name.contains(word))
}

impl Asked<'_, '_> {
    /// Literals anywhere outside tests that look like keys; found by the lexer, so in files that do not parse as well.
    pub(super) fn secret_literals(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (file, facts) in self.w.files.iter().enumerate() {
            if self.w.is_test_file(file) {
                continue;
            }
            for span in &facts.scan.strings {
                let text = span
                    .of(self.w.text(file))
                    .trim_start_matches(['r', 'b', 'c', '#'])
                    .trim_matches(['"', '#']);
                let text = text.strip_prefix("Bearer ").unwrap_or(text);
                let tested = || {
                    facts.fns.iter().any(|of| of.test && of.item.holds(*span))
                        || facts.test_items.iter().any(|of| of.holds(*span))
                };
                if is_key(text) && !tested() {
                    hits.push(Hit::in_file(file, *span).with("literal", redacted(text)));
                }
            }
        }
        hits
    }

    pub(super) fn secret_in(&self, place: Place) -> Vec<Hit> {
        match place {
            Place::Log => self.logged(),
            Place::Debug => self.printable(),
            Place::Binary => self.built_in(),
            Place::Url => self.in_urls(),
        }
    }

    fn secret_in_node(&self, at: At) -> Option<Name> {
        match self.w.kind(at) {
            Kind::Path(path) => path.last().filter(|name| is_secret_name(name)).cloned(),
            Kind::Field { name, .. } => is_secret_name(name).then(|| name.clone()),
            Kind::Macro { path, args } if is_env(path) => {
                match self.w.kind(at.with(*args.first()?)) {
                    Kind::Str(text) => is_secret_name(text).then(|| Name::new(text)),
                    _ => None,
                }
            }
            Kind::Str(text) => captured(text).find(|name| is_secret_name(name)).map(Name::new),
            _ => None,
        }
    }

    /// Whether only something about a secret is used: its length, whether it is there, a masked form.
    fn only_about(&self, at: At) -> bool {
        let harmless = |up: At| match self.w.kind(up) {
            Kind::Method { name, .. } => matches!(
                name.as_str(),
                "len"
                    | "is_empty"
                    | "is_some"
                    | "is_none"
                    | "chars"
                    | "get"
                    | "starts_with"
                    | "as_ref"
                    | "map"
                    | "is_ok"
            ),
            Kind::Call { .. }
            | Kind::Index { .. }
            | Kind::If { .. }
            | Kind::Match { .. }
            | Kind::Binary { .. } => true,
            _ => false,
        };
        let mut ups = self.w.ancestors(at);
        ups.by_ref().take_while(|up| !matches!(self.w.kind(*up), Kind::Macro { .. })).any(harmless)
    }

    fn logged(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.playing(Role::Log.into()) {
            let found = self.w.under(at).skip(1).find_map(|inner| {
                let name = self.secret_in_node(inner)?;
                (!self.only_about(inner)).then_some(name)
            });
            // Printing a key for its owner to see is what some commands are for.
            let shown = matches!(self.w.kind(at), Kind::Macro { path, .. } if path.last().is_some_and(|last| last.contains("print")));
            if let (Some(name), false) = (found, shown) {
                hits.push(Hit::at(at).with("name", name.as_str()));
            }
        }
        hits
    }

    fn printable(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        let touched: rustc_hash::FxHashSet<Option<usize>> =
            self.live().map(|call| self.w.package(call.at.file)).collect();
        for (file, facts) in self.w.files.iter().enumerate() {
            if !touched.contains(&self.w.package(file)) || self.w.is_test_file(file) {
                continue;
            }
            for of in facts
                .structs
                .iter()
                .filter(|of| !of.test && of.derives.iter().any(|d| d == "Debug"))
            {
                let plain = |ty: &crate::facts::TypeRef| {
                    ty.any(&mut |t| matches!(t.name(), Some("String" | "str")))
                        && !ty.mentions("SecretString")
                };
                let derived = |field: &crate::facts::item::FieldFact| {
                    field.attrs.iter().any(|a| {
                        a.text.contains("skip")
                            || a.text.contains("debug")
                            || a.text.contains("ignore")
                    })
                };
                // A token of some sign-in is not a model's key.
                let of_models = of.fields.iter().any(|field| is_about_models(&field.name));
                let secret = of.fields.iter().find(|field| {
                    let ours = of_models || field.name.to_ascii_lowercase().contains("key");
                    ours && is_secret_name(&field.name) && plain(&field.ty) && !derived(field)
                });
                if let Some(field) = secret {
                    hits.push(
                        Hit::in_file(file, field.span)
                            .with("struct", of.name.as_str())
                            .with("field", field.name.as_str()),
                    );
                }
            }
        }
        hits
    }

    fn built_in(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.w.nodes() {
            let Kind::Macro { path, args } = self.w.kind(at) else { continue };
            let last = path.last().map_or("", Name::as_str);
            let Some(Kind::Str(text)) = args.first().map(|arg| self.w.kind(at.with(*arg))) else {
                continue;
            };
            let key = match last {
                "env" | "option_env" => is_secret_name(text),
                "include_str" => {
                    SECRET_FILES.iter().any(|word| text.to_ascii_lowercase().contains(word))
                }
                _ => false,
            };
            if key && !self.w.is_test(at) {
                hits.push(Hit::at(at).with("name", &**text));
            }
        }
        hits
    }

    fn in_urls(&self) -> Vec<Hit> {
        let mut hits = Vec::new();
        for at in self.w.nodes() {
            let Kind::Macro { path, args } = self.w.kind(at) else { continue };
            if path.last().is_none_or(|last| last != "format") || self.w.is_test(at) {
                continue;
            }
            let Some(Kind::Str(text)) = args.first().map(|arg| self.w.kind(at.with(*arg))) else {
                continue;
            };
            let keyed = KEYED_URLS.iter().any(|form| text.contains(form));
            if keyed && args.iter().any(|arg| self.secret_in_node(at.with(*arg)).is_some()) {
                hits.push(Hit::at(at));
            }
        }
        hits
    }
}

/// Whether a macro reads the environment of the build.
fn is_env(path: &[Name]) -> bool {
    path.last().is_some_and(|last| last == "env" || last == "option_env")
}

/// The names a format string captures.
fn captured(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split(['}', ':']).next())
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_form_length_and_variety() {
        assert!(is_key("sk-proj-9fK2mQ7xLp4RtV8bNc3ZwY6h"));
        assert!(!is_key("sk-proj-xxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
        assert!(!is_key("sk-your-key-here-0123456789abcdefghij"));
        assert!(!is_key("sk-short"));
    }

    #[test]
    fn a_redacted_key_shows_six_characters() {
        assert_eq!(redacted("sk-proj-9fK2mQ7x"), "sk-pro…");
    }
}
