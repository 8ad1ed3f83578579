//! Values to which a name such as `password` or `api_key` is given.

use super::{
    ahead::{Ahead, More},
    past::{Announced, Past},
    tail::Tail,
};

/// How much of a value is looked at.
const LOOKED_AT: usize = 128;

/// Words that stand for a secret in instructions.
const BLANKS: [&str; 22] = [
    "your",
    "example",
    "xxxx",
    "placeholder",
    "changeme",
    "change_me",
    "insert",
    "replace",
    "redacted",
    "****",
    "....",
    "dummy",
    "env",
    "getenv",
    "process.",
    "config.",
    "settings.",
    "secrets.",
    "vault",
    "todo",
    "none",
    "undefined",
];

/// The value that begins here, after a name that has announced it.
pub(super) fn assigned(ahead: Ahead<'_>, past: &Past) -> Result<Option<(usize, Tail)>, More> {
    let Some(first) = ahead.at(0)? else { return Ok(None) };
    let Some(announced) = past.announced(first) else { return Ok(None) };
    let quote = Some(past.last()).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let most = LOOKED_AT;
    let length = match quote {
        Some(quote) => ahead.run(0, most, |byte| byte != quote && in_quoted(byte))?,
        None => ahead.run(0, most, in_value)?,
    };
    let value = ahead.part(0, length);
    let value = value.trim_ascii_end();
    let value = if quote.is_some() { value } else { without_stops(value) };
    // What is longer than was looked at goes on as it began.
    let tail = if value.len() == most { Tail::Value } else { Tail::Nothing };
    Ok(is_secret(announced, quote.is_some(), value).then_some((value.len(), tail)))
}

/// Whether a byte may stand in what remains of a value.
pub(super) const fn in_value(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'\''
                | b'`'
                | b','
                | b';'
                | b'<'
                | b'>'
                | b'('
                | b')'
                | b'}'
                | b']'
                | b'|'
                | b'\\'
        )
}

const fn in_quoted(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' '
}

fn without_stops(value: &[u8]) -> &[u8] {
    let stops = value.iter().rev().take_while(|byte| matches!(byte, b'.' | b'?' | b':' | b'!'));
    let kept = value.len() - stops.count();
    value.get(..kept).unwrap_or_default()
}

fn is_secret(announced: Announced, is_quoted: bool, value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let lower = text.to_ascii_lowercase();
    let refers = matches!(value.first(), Some(b'$' | b'{' | b'<' | b'[' | b'%' | b'&' | b'*'));
    let blank = value.len() < 32 && BLANKS.iter().any(|blank| lower.contains(blank));
    if (refers && !value.iter().any(u8::is_ascii_digit)) || blank {
        return false;
    }
    match announced {
        Announced::Password if is_quoted && value.contains(&b' ') => false,
        Announced::Password => value.len() >= 6 && (is_mixed(value) || is_long_word(value)),
        Announced::SpokenPassword => value.len() >= 6 && is_mixed(value),
        Announced::Key | Announced::Scheme => {
            value.len() >= 10 && is_opaque(value) && entropy(value) >= 2.6
        }
    }
}

/// Letters and something else that no word has.
fn is_mixed(value: &[u8]) -> bool {
    let letter = value.iter().any(u8::is_ascii_alphabetic);
    let other = value.iter().any(|byte| {
        byte.is_ascii_digit()
            || matches!(byte, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+' | b'?')
    });
    let called = value.contains(&b'(') || value.ends_with(b"[]");
    letter && other && !called
}

fn is_long_word(value: &[u8]) -> bool {
    value.len() >= 17 && value.iter().all(u8::is_ascii_alphanumeric)
}

/// What keys are written in, letters and digits among it.
fn is_opaque(value: &[u8]) -> bool {
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_.~-:%".contains(byte);
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let enough = if value.len() < 20 { 2 } else { 1 };
    let letters = value.iter().any(u8::is_ascii_alphabetic);
    value.iter().all(belongs) && letters && (digits >= enough || is_shuffled(value))
}

/// Whether small letters and capitals follow each other as no word has them: in random letters
/// every fourth neighbour turns from small to capital, in `someNameLikeThis` every eighth.
fn is_shuffled(value: &[u8]) -> bool {
    let turns = |(a, b): &(&u8, &u8)| a.is_ascii_lowercase() && b.is_ascii_uppercase();
    let count = value.iter().zip(value.iter().skip(1)).filter(turns).count();
    value.len() >= 24 && count * 6 >= value.len()
}

/// Shannon's entropy of the bytes, in bits a byte: 4 for random hexadecimal digits, 0 for `aaaa`.
fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}
