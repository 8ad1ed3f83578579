//! What came before a place: the last bytes, and what the last words say about what follows.

use super::cue::{Cue, cue};

/// How many bytes of a name are remembered.
const NAME: usize = 32;
/// How far behind its word a cue is heeded, in bytes.
const CUE_REACH: u16 = 48;
/// How far a cue that says what a number is not is heeded.
const OTHER_REACH: u16 = 20;
/// Up to how many bytes a word before a full stop is an abbreviation: `Tel.`.
const ABBREVIATION: u16 = 4;
/// How many quotes, spaces and signs may stand between a name and its value.
const GAP: u8 = 8;

/// How a value was announced as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announced {
    /// `password = `.
    Password,
    /// `the password is `.
    SpokenPassword,
    /// `api_key: `.
    Key,
    /// `Bearer `.
    Scheme,
}

/// What came before.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// The last three bytes, the latest last; zero at the beginning.
    last: [u8; 3],
    in_word: bool,
    /// Whether the byte before the last one ended or continued a word.
    before_in_word: bool,
    name: Name,
    /// What the last name announces, once it is known that its word has ended.
    announces: Option<Naming>,
    gap: u8,
    given: Given,
    cue: Option<Cue>,
    cue_age: u16,
    /// Whether the last word was one that says something, and short.
    abbreviated: bool,
}

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Password,
    Key,
    Scheme,
}

/// How a value is given to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Given {
    #[default]
    NotYet,
    /// By a sign: `=`, `:`.
    Assigned,
    /// By a word: `is`.
    Said,
}

/// The word that is being read, in small letters: its last bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Name {
    bytes: [u8; NAME],
    length: usize,
}

impl Past {
    /// Reads bytes that are neither hidden nor looked at again.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.note_byte(*byte);
        }
    }

    /// Reads the bytes of something found: its words say nothing of what follows.
    pub(super) fn note_found(&mut self, bytes: &[u8]) {
        self.name = Name::default();
        self.announces = None;
        self.cue_age = self.cue_age.saturating_add(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        for byte in bytes.iter().rev().take(3).rev() {
            self.shift(*byte);
        }
    }

    /// Whether the last byte belongs to a word, so that no new one begins here.
    pub(super) const fn in_word(&self) -> bool {
        self.in_word
    }

    /// The last byte, zero at the beginning.
    pub(super) const fn last(&self) -> u8 {
        let [_, _, last] = self.last;
        last
    }

    /// Whether the last byte ties what follows to the word before, as in `v-1` or `1.2`.
    pub(super) const fn is_tied(&self) -> bool {
        self.before_in_word && matches!(self.last(), b'-' | b'.' | b'_' | b'/' | b'\\' | b',')
    }

    /// Whether a number here would be a part of something else: of a negative one, of an amount.
    pub(super) fn is_no_number(&self) -> bool {
        self.is_tied()
            || self.in_word
            || matches!(self.last(), b'-' | b'$' | b'#')
            || self.last.ends_with(b"::")
    }

    /// Whether a number has just passed, and a space: what follows may be more of it.
    pub(super) const fn follows_number(&self) -> bool {
        let [_, before, last] = self.last;
        last == b' ' && before.is_ascii_digit()
    }

    /// Whether `://` has just passed.
    pub(super) fn after_scheme(&self) -> bool {
        self.last == *b"://"
    }

    /// What the last telling word says about numbers.
    pub(super) fn cue(&self) -> Option<Cue> {
        let reach = if self.cue == Some(Cue::Other) { OTHER_REACH } else { CUE_REACH };
        self.cue.filter(|_| self.cue_age <= reach)
    }

    /// Whether a value is expected here, before `next`.
    pub(super) fn announced(&self, next: u8) -> Option<Announced> {
        if is_gap(next) || !is_gap(self.last()) {
            return None;
        }
        match (self.announces?, self.given) {
            (Naming::Password, Given::Said) => Some(Announced::SpokenPassword),
            (Naming::Password, Given::Assigned) => Some(Announced::Password),
            (Naming::Key, Given::Assigned | Given::Said) => Some(Announced::Key),
            (Naming::Scheme, _) if self.gap > 0 => Some(Announced::Scheme),
            (Naming::Password | Naming::Key, Given::NotYet) | (Naming::Scheme, _) => None,
        }
    }

    fn shift(&mut self, byte: u8) {
        let [_, second, third] = self.last;
        self.last = [second, third, byte];
        self.before_in_word = self.in_word;
        self.in_word = match byte {
            0x80..=0xBF => self.in_word,
            other => super::ahead::in_word(other),
        };
    }

    fn note_byte(&mut self, byte: u8) {
        self.cue_age = self.cue_age.saturating_add(1);
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' {
            self.name.push(byte);
        } else {
            self.end_name();
            self.note_gap(byte);
        }
        let stops = matches!(self.last(), b'.' | b'!' | b'?');
        if (byte == b'\n' && self.last() != b':') || (byte == b' ' && stops && !self.abbreviated) {
            self.cue = None;
        }
        self.shift(byte);
    }

    /// A word has ended, if there was one.
    fn end_name(&mut self) {
        let name = std::mem::take(&mut self.name);
        let text = name.text();
        if text.is_empty() {
            return;
        }
        let said = cue(text, self.cue());
        self.abbreviated = said.is_some() && name.length <= usize::from(ABBREVIATION);
        if let Some(cue) = said {
            self.cue = Some(cue);
            self.cue_age = 0;
        }
        let spoken = matches!(text, "is" | "was" | "are" | "ist" | "es" | "est");
        if spoken && self.announces == Some(Naming::Password) && self.given == Given::NotYet {
            (self.given, self.gap) = (Given::Said, 0);
            return;
        }
        self.announces = naming(text);
        (self.given, self.gap) = (Given::NotYet, 0);
    }

    fn note_gap(&mut self, byte: u8) {
        if self.announces.is_none() {
            return;
        }
        self.gap = self.gap.saturating_add(1);
        let scheme = self.announces == Some(Naming::Scheme);
        if !is_gap(byte) || self.gap > GAP || (scheme && byte != b' ') {
            self.announces = None;
        }
        if self.given == Given::NotYet && matches!(byte, b'=' | b':') {
            self.given = Given::Assigned;
        }
    }
}

impl Name {
    fn push(&mut self, byte: u8) {
        if self.length == NAME {
            self.bytes.copy_within(1.., 0);
            self.length -= 1;
        }
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte.to_ascii_lowercase();
            self.length += 1;
        }
    }

    fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// What may stand between a name and its value.
const fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b':' | b'=' | b'>')
}

/// What a value is that is given this name, which is in small letters.
fn naming(name: &str) -> Option<Naming> {
    const PASSWORDS: [&str; 8] =
        ["password", "passwd", "passphrase", "pwd", "passwort", "contrasena", "passcode", "_pass"];
    const KEYS: [&str; 24] = [
        "api_key",
        "api-key",
        "apikey",
        "access_key",
        "access-key",
        "accesskey",
        "secret_key",
        "secret-key",
        "secretkey",
        "private_key",
        "signing_key",
        "encryption_key",
        "account_key",
        "accountkey",
        "auth_key",
        "master_key",
        "secret",
        "token",
        "credential",
        "credentials",
        "authorization",
        "client-secret",
        "service_key",
        "subscription-key",
    ];
    let ends = |names: &[&str]| names.iter().any(|end| name.ends_with(end));
    match name {
        "bearer" | "basic" => Some(Naming::Scheme),
        _ if ends(&PASSWORDS) => Some(Naming::Password),
        _ if ends(&KEYS) => Some(Naming::Key),
        _ => None,
    }
}
