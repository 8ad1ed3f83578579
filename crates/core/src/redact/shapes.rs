//! What words look like: keys of known issuers, labelled values, random text.

use std::ops::Range;

use crate::guard::issuer::ISSUES;

/// Beginnings of keys that a provider's message may quote, beside those of known issuers, and how many
/// bytes must follow for it to be one. `eyJ` is `{"` in base64, as JSON Web Tokens begin.
const MORE_MARKS: [(&str, usize); 3] = [("sk_", 16), ("rk_", 16), ("eyJ", 16)];

/// How names of secrets end, whatever the case.
const SECRET_NAMES: [&str; 14] = [
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "access-key",
    "private_key",
    "signing_key",
    "authorization",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "credentials",
];

/// How long an announced secret is at least: what is shorter is a word of the sentence.
const ANNOUNCED: usize = 8;
/// How long a random word is at least.
const RANDOM: usize = 24;
/// How long letters and digits without a break are at least to be taken for random.
const UNBROKEN: usize = 20;
/// How far the part of a URL before its host is looked for.
const USER_INFO: usize = 256;

/// The words of `text`: the longest runs of what keys are written in, without full stops at the end.
pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let start = at + rest.iter().position(|byte| in_word(*byte))?;
        let rest = bytes.get(start..)?;
        let length = rest.iter().position(|byte| !in_word(*byte)).unwrap_or(rest.len());
        at = start + length;
        let stops = rest.get(..length)?.iter().rev().take_while(|byte| **byte == b'.').count();
        Some(start..at - stops)
    })
}

/// Whether the word before and what stands between say that `word` is a secret.
pub(super) fn is_announced(before: &str, gap: &str, word: &str) -> bool {
    if word.len() < ANNOUNCED {
        return false;
    }
    let scheme = ["bearer", "basic"].iter().any(|scheme| before.eq_ignore_ascii_case(scheme));
    if scheme && !gap.is_empty() && gap.bytes().all(|byte| byte == b' ') {
        return !is_placeholder(word);
    }
    if !assigns(gap) {
        return false;
    }
    let named = SECRET_NAMES.iter().any(|name| ends_with_ignoring_case(before, name));
    // "Unexpected token: end_of_file" is about grammar; "token=8f3c…" is not.
    let token = ends_with_ignoring_case(before, "token");
    (named && !is_plain(word, &[])) || (token && !is_plain(word, b"_-./"))
}

/// Parts of a word that are secrets by themselves, in order.
pub(super) fn inside(word: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(key) = known_key(word, from) {
        found.extend(random_parts(word, from..key.start));
        from = key.end;
        found.push(key);
    }
    found.extend(random_parts(word, from..word.len()));
    found
}

/// `user:password` where `rest`, behind the scheme and colon of a URL, begins with it.
pub(super) fn user_info(rest: &str) -> Option<Range<usize>> {
    let authority = rest.strip_prefix("//")?.bytes().take(USER_INFO);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>".contains(byte);
    let end =
        authority.take_while(|byte| !ends(byte)).enumerate().filter(|(_, byte)| *byte == b'@');
    end.last().map(|(at, _)| 2..2 + at)
}

/// How keys begin, and how many bytes must follow: a wrong guess costs little here, so that fewer are
/// asked for than where a caller's own text is hidden. Short marks come first, to hide all behind them.
fn marks() -> impl Iterator<Item = (&'static str, usize)> {
    let known = ISSUES.iter().rev().filter_map(|issue| Some((issue.mark, issue.loose?)));
    known.chain(MORE_MARKS)
}

/// What follows the first issuer's mark at or behind `from`, as far as the next slash.
fn known_key(word: &str, from: usize) -> Option<Range<usize>> {
    let bytes = word.as_bytes();
    let starts_part = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_none_or(|before| !before.is_ascii_alphanumeric())
    };
    (from..bytes.len()).filter(|at| starts_part(*at)).find_map(|at| {
        let rest = bytes.get(at..)?;
        let (mark, least) = marks().find(|(mark, _)| rest.starts_with(mark.as_bytes()))?;
        let length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        (length >= mark.len() + least).then_some(at + mark.len()..at + length)
    })
}

/// The parts between full stops and the like, within `range` of `word`, that read like random text.
fn random_parts(word: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    let parts = word.get(range).unwrap_or_default().split(['.', '~', '*', '%']);
    parts.filter_map(move |part| {
        let range = start..start + part.len();
        start = range.end + 1;
        is_random(part).then_some(range)
    })
}

/// Whether a word reads like random letters and digits.
///
/// It is a UUID; or 20 of them stand together, both letters and digits, as in digests; or in at
/// least 24 bytes every fifth neighbour or more changes between lower case, upper case and digit. In
/// random base62 that is 45 %, in names of models below 20 %. A capital
/// followed by a small letter is no change, so that `ChatCompletionRequestMessage` stays.
fn is_random(part: &str) -> bool {
    let runs = part.split(|char: char| !char.is_ascii_alphanumeric());
    let (mut pairs, mut changes, mut unbroken) = (0_usize, 0_usize, false);
    for run in runs {
        let bytes = run.as_bytes();
        pairs += bytes.len().saturating_sub(1);
        changes +=
            bytes.iter().zip(bytes.iter().skip(1)).filter(|(a, b)| changes_kind(**a, **b)).count();
        unbroken |= bytes.len() >= UNBROKEN
            && bytes.iter().any(u8::is_ascii_digit)
            && bytes.iter().any(u8::is_ascii_alphabetic);
    }
    unbroken || is_uuid(part) || (part.len() >= RANDOM && changes >= 6 && changes * 5 >= pairs)
}

fn is_uuid(part: &str) -> bool {
    let hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    part.split('-').map(|group| hex(group).then_some(group.len())).eq([8, 4, 4, 4, 12].map(Some))
}

fn changes_kind(a: u8, b: u8) -> bool {
    let capital = a.is_ascii_uppercase() && b.is_ascii_lowercase();
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase());
    kind(a) != kind(b) && !capital
}

/// Whether a word stands for a key in instructions: `YOUR_API_KEY`.
fn is_placeholder(word: &str) -> bool {
    word.len() <= 20 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether a gap is `=` or `:`, with quotes and spaces around it.
fn assigns(gap: &str) -> bool {
    let sign = gap.trim_matches(['"', '\'', '`', ' ', '\\']);
    gap.len() <= 8 && (sign == "=" || sign == ":")
}

/// Whether a word may be a word of a sentence: small letters, the first perhaps a capital, or all
/// capitals, at most 20, and nothing else but these `joints`.
fn is_plain(word: &str, joints: &[u8]) -> bool {
    let mut letters = word.bytes().filter(|byte| !joints.contains(byte));
    let shouted = word.bytes().all(|byte| byte.is_ascii_uppercase() || joints.contains(&byte));
    let first = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    word.len() <= 20 && first && (shouted || letters.all(|byte| byte.is_ascii_lowercase()))
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    start.and_then(|start| text.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+/.~*%".contains(&byte)
}
