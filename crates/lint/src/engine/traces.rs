//! What one source file shows of models, by its text alone: cheap enough to be asked of every file.
//!
//! One pass looks for a few words; only where one stands is the code around it looked at. It errs towards yes: code of
//! which no rule can say anything may leave a trace, code of which one can always does.

use crate::ask::{KEYED_URLS, SECRET_FILES, SECRET_NAMES, is_key, key_prefixes};
use crate::knowledge::{Knowledge, Role};
use crate::model::{BODY_NAMES, SENDERS};
use crate::text::group;
use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

/// What a source file shows of models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Something that a rule may find fault with by itself: the body of a request, a key, a secret in a log record.
    pub(super) own: bool,
    /// A part of the address of a hosted model, which is nothing unless the package can send requests.
    pub(super) address: bool,
}

impl Traces {
    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What two files show together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { own: self.own || other.own, address: self.address || other.address }
    }
}

/// What a word may be a part of.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// The address of a model: its host.
    Host,
    /// A path that models answer at: its last part.
    Path,
    /// The same, which must end the address.
    End,
    /// A call that matters only in a request to a model.
    Call,
    /// The body of a request.
    Body,
    /// A literal that begins like a key.
    Key,
    /// A name for a secret.
    Secret,
    /// A file that becomes a part of the program.
    Included,
    /// What is a trace wherever it stands.
    Plain,
}

/// A method that gives a request its key.
const TAKES_KEY: &str = "bearer_auth";
/// One of these and one of the next are fields of every request's body.
const MODEL_FIELDS: [&str; 2] = ["model", "anthropic_version"];
const PROMPT_FIELDS: [&str; 6] = ["messages", "message", "prompt", "contents", "input", "inputs"];
const INCLUDES: &str = "include_str!";
/// How a suppression begins: what it says of a line holds for what is found there.
const DIRECTIVE: &str = "tollhouse:";

/// Finds traces.
pub(super) struct Tracker {
    words: AhoCorasick,
    signs: Vec<Sign>,
}

impl Tracker {
    pub(super) fn of(knowledge: &Knowledge) -> Result<Self, BuildError> {
        let mut words: Vec<(String, Sign)> = Vec::new();
        let mut add = |word: &str, sign| words.push((word.to_owned(), sign));
        knowledge.endpoints.hosts().for_each(|host| add(host, Sign::Host));
        for (part, ends) in knowledge.endpoints.last_parts() {
            add(part, if ends { Sign::End } else { Sign::Path });
        }
        for word in SENDERS.iter().chain([&TAKES_KEY]) {
            add(word, Sign::Call);
        }
        for word in MODEL_FIELDS {
            add(word, Sign::Body);
        }
        for prefix in key_prefixes() {
            add(&format!("\"{prefix}"), Sign::Key);
            add(&format!("\"Bearer {prefix}"), Sign::Key);
        }
        for name in SECRET_NAMES {
            add(name, Sign::Secret);
        }
        for form in KEYED_URLS {
            add(form, Sign::Plain);
        }
        add(INCLUDES, Sign::Included);
        add(DIRECTIVE, Sign::Plain);
        let (words, signs): (Vec<String>, Vec<Sign>) = words.into_iter().unzip();
        let words = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(words)?;
        Ok(Self { words, signs })
    }

    /// The traces in a text.
    pub(super) fn traces(&self, text: &str, knowledge: &Knowledge) -> Traces {
        let mut found = Traces::default();
        let (mut body, mut secret) = (false, false);
        for word in self.words.find_overlapping_iter(text) {
            let after = text.get(word.end()..).unwrap_or_default();
            match self.signs.get(word.pattern().as_usize()) {
                Some(Sign::Host | Sign::Call) => found.address = true,
                Some(Sign::Path) => found.address |= is_part(text, word.start()),
                Some(Sign::End) => {
                    found.address |= is_part(text, word.start()) && ends_address(after);
                }
                Some(Sign::Body) => body = true,
                Some(Sign::Key) => found.own |= is_key_literal(text.get(word.start()..)),
                Some(Sign::Secret) => {
                    secret = true;
                    found.own |= is_built_in(text, word.start());
                }
                Some(Sign::Included) => found.own |= includes_secret(after),
                Some(Sign::Plain) => found.own = true,
                None => {}
            }
            if found.own && found.address {
                return found;
            }
        }
        found.own = found.own
            || (body && (writes_object(text) || defines_body(text)))
            || (secret && logs_secret(text, knowledge));
        found
    }
}

/// Whether a literal, from its opening quote on, is a provider's key.
fn is_key_literal(from: Option<&str>) -> bool {
    let literal = from.and_then(|from| from.strip_prefix('"')?.split('"').next());
    literal.is_some_and(|text| is_key(text.strip_prefix("Bearer ").unwrap_or(text)))
}

/// Whether a name, somewhere in a literal, is that of a variable which the compiler reads.
fn is_built_in(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let (macro_call, name) = before.rsplit_once('"').unwrap_or_default();
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    plain && macro_call.trim_end().trim_end_matches(['(', '[', '{']).trim_end().ends_with("env!")
}

/// Whether a macro's argument names a file that holds a secret.
fn includes_secret(after: &str) -> bool {
    let literal = after.split('"').nth(1).unwrap_or_default();
    let name = literal.to_ascii_lowercase();
    SECRET_FILES.iter().any(|word| name.contains(word))
}

/// Whether a JSON object is written out that may be the body of a request.
fn writes_object(text: &str) -> bool {
    calls(text, |name| matches!(name, "json" | "json_internal")).any(is_body)
}

/// Whether a struct is defined that may be the body of a request.
fn defines_body(text: &str) -> bool {
    if memchr::memmem::find(text.as_bytes(), b"Serialize").is_none() {
        return false;
    }
    memchr::memmem::find_iter(text.as_bytes(), b"struct").any(|at| {
        let rest = text.get(at + "struct".len()..).unwrap_or_default();
        let Some(open) = rest.find(['{', ';']) else { return false };
        let head = rest.get(..open).unwrap_or_default().to_ascii_lowercase();
        BODY_NAMES.iter().any(|word| head.contains(word)) && is_body(group(rest, open))
    })
}

/// Whether a log record is written with a secret in it.
fn logs_secret(text: &str, knowledge: &Knowledge) -> bool {
    calls(text, |name| knowledge.plays(name, Role::Log)).any(|inside| {
        let inside = inside.to_ascii_lowercase();
        SECRET_NAMES.iter().any(|secret| inside.contains(secret))
    })
}

/// What stands between the brackets of every call of a macro with a name that is asked for.
fn calls(text: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    memchr::memchr_iter(b'!', text.as_bytes()).filter_map(move |at| {
        let (before, rest) = text.split_at_checked(at)?;
        let name = before.trim_end().rsplit(|c: char| !is_of_word(c)).next()?;
        let rest = rest.get(1..)?.trim_start();
        (rest.starts_with(['(', '[', '{']) && wanted(name)).then(|| group(rest, 0))
    })
}

/// Whether a group holds the fields that make up the body of a request.
fn is_body(inside: &str) -> bool {
    let has = |name: &&str| has_key(inside, name);
    MODEL_FIELDS.iter().any(has) && PROMPT_FIELDS.iter().any(has)
}

/// Whether `"name":` or `name:` stands in a text.
fn has_key(text: &str, name: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), name).any(|at| {
        let after = text.get(at + name.len()..).unwrap_or_default();
        let after = after.strip_prefix('"').unwrap_or(after).trim_start();
        let alone = text.get(..at).is_some_and(|before| !before.ends_with(is_of_word));
        alone && after.starts_with(':')
    })
}

fn is_of_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Whether a part of an address begins here: at the beginning of a literal, after another part, after something put in.
fn is_part(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.ends_with(['/', ':', '"', '}']))
}

/// Whether an address may end here. A name in quotes before a colon is a field's.
fn ends_address(after: &str) -> bool {
    match after.strip_prefix('"') {
        Some(rest) => !rest.trim_start().starts_with(':'),
        None => after.starts_with('?'),
    }
}

#[cfg(test)]
mod tests {
    use crate::Linter;

    fn of(text: &str) -> (bool, bool) {
        let Ok(linter) = Linter::new() else { unreachable!() };
        let traces = linter.traces(text);
        (traces.own, traces.address)
    }

    #[test]
    fn an_address_is_seen_however_it_is_put_together() {
        for text in [
            r#""https://api.anthropic.com/v1/messages""#,
            r#"format!("{}/{}", base, "chat/completions")"#,
            r#"base.join("completions")"#,
            r#"format!("{base}/embeddings?version={version}")"#,
            r#"format!("{base}/{model}:{}", "generateContent")"#,
        ] {
            assert_eq!(of(text), (false, true), "{text}");
        }
    }

    #[test]
    fn a_word_that_is_no_part_of_an_address_is_none() {
        for text in [
            "/// Shell completions of the command.",
            r#"generate_completions("bash")"#,
            r#"{"messages": []}"#,
            "let embeddings = 1;",
        ] {
            assert_eq!(of(text), (false, false), "{text}");
        }
    }

    #[test]
    fn a_body_is_one_where_its_fields_stand_together() {
        let object = r#"json!({"model": name(&["}"]), "x": {"y": 1}, "messages": []})"#;
        assert!(of(object).0);
        assert!(!of(&object.replace("json!", "map!")).0);
        assert!(!of(r#"json!({"model": 1}); json!({"messages": []})"#).0);
        let body = "#[derive(Serialize)] struct ChatRequest<'a> { model: &'a str, prompt: String }";
        assert!(of(body).0);
        assert!(!of(&body.replace("prompt", "car")).0);
        assert!(!of(&body.replace("ChatRequest", "Car")).0);
        assert!(!of("#[derive(Serialize)] struct Request; struct A { model: M, input: I }").0);
    }

    #[test]
    fn a_secret_out_of_place_is_a_trace_and_one_in_place_is_none() {
        assert!(of(r#"const K: &str = "sk-proj-9fK2mQ7xLp4RtV8bNc3ZwY6h";"#).0);
        assert!(!of(r#"const K: &str = "sk-short";"#).0);
        assert!(of(r#"const K: &str = env!("OPENAI_API_KEY");"#).0);
        assert!(!of(r#"let k = std::env::var("OPENAI_API_KEY");"#).0);
        assert!(of("info!(\"with {}\", self.api_key)").0);
        assert!(!of("connect(self.api_key); info!(\"done\")").0);
        assert!(of(r#"include_str!("../openai.secret")"#).0);
        assert!(!of(r#"include_str!("../words.txt")"#).0);
    }
}
