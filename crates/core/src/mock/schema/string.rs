//! Texts: of a format, of a pattern, or the name of what they stand for and some digits.

use super::{Keywords, number, pattern};
use crate::mock::digest::Dice;

/// No text is longer, in characters.
pub(super) const LONGEST: u64 = 10_000;
/// How often a pattern is tried until the length fits.
const ATTEMPTS: u64 = 20;

/// A text for these keywords, that of the property `name`.
pub(super) fn make(keywords: &Keywords, name: &str, dice: &mut Dice) -> Option<String> {
    let limit = |limit: &str| keywords.get(limit).and_then(number::count);
    let least = limit("minLength").unwrap_or(0);
    let most = limit("maxLength").unwrap_or(u64::MAX);
    if least > most.min(LONGEST) {
        return None;
    }
    let keyword = |name: &str| keywords.get(name).and_then(serde_json::Value::as_str);
    if let Some(pattern) = keyword("pattern").and_then(pattern::parse) {
        let fits = |text: &String| (least..=most).contains(&length(text));
        return (0..ATTEMPTS).find_map(|attempt| {
            pattern.sample(2 + attempt.saturating_mul(least.max(1)), dice).filter(fits)
        });
    }
    let format = keyword("format").and_then(|format| formatted(format, dice));
    Some(format.unwrap_or_else(|| plain(name, least, most, dice)))
}

/// The name and four digits; letters only where that is too long.
fn plain(name: &str, least: u64, most: u64, dice: &mut Dice) -> String {
    let mut text = format!("{name} {}", hex(4, dice));
    if length(&text) > most {
        text.clear();
    }
    while length(&text) < least.max(most.min(1)) {
        text.push(char::from(b'a' + u8::try_from(dice.below(26)).unwrap_or_default()));
    }
    text
}

/// A text in one of the formats that JSON Schema names.
fn formatted(format: &str, dice: &mut Dice) -> Option<String> {
    let text = match format {
        "date-time" => format!("{}T{}", date(dice), time(dice)),
        "date" => date(dice),
        "time" => time(dice),
        "duration" => format!("P{}D", 1 + dice.below(30)),
        "email" | "idn-email" => format!("{}@example.com", hex(6, dice)),
        "hostname" | "idn-hostname" => format!("host-{}.example.com", hex(4, dice)),
        "ipv4" => format!("192.0.2.{}", dice.below(256)),
        "ipv6" => format!("2001:db8::{:x}", dice.below(0x1_0000)),
        "uri" | "iri" | "url" => format!("https://example.com/{}", hex(6, dice)),
        "uri-reference" | "iri-reference" | "json-pointer" => format!("/{}", hex(6, dice)),
        "uuid" => uuid(dice),
        _ => return None,
    };
    Some(text)
}

fn date(dice: &mut Dice) -> String {
    format!("20{:02}-{:02}-{:02}", 20 + dice.below(10), 1 + dice.below(12), 1 + dice.below(28))
}

fn time(dice: &mut Dice) -> String {
    format!("{:02}:{:02}:{:02}Z", dice.below(24), dice.below(60), dice.below(60))
}

/// Version 4, the variant of RFC 9562.
fn uuid(dice: &mut Dice) -> String {
    let variant = 8 + dice.below(4);
    let mut group = |digits| hex(digits, dice);
    format!("{}-{}-4{}-{variant:x}{}-{}", group(8), group(4), group(3), group(3), group(12))
}

fn hex(digits: usize, dice: &mut Dice) -> String {
    let mut digit =
        || u32::try_from(dice.below(16)).ok().and_then(|digit| char::from_digit(digit, 16));
    (0..digits).filter_map(|_| digit()).collect()
}

fn length(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}
