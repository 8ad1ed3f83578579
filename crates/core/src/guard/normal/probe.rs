//! Looks for encoded text, at bounded cost.

use std::ops::Range;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    How, MAX_DECODED, MAX_VIEWS, View, escape, joined, leet,
    likeness::{known_share, readable},
};

/// The shortest run of base64 or hexadecimal digits that is looked at: twelve or eight bytes.
const SHORTEST_RUN: usize = 16;
/// How much of a text is turned around or its letters moved.
const MAX_TURNED: usize = 8 << 10;
/// The share of known words, in percent, from which on letters are meant to be read as they are.
const SENSE: usize = 30;
/// How much more of them there has to be once letters are read otherwise.
const MORE_SENSE: usize = 20;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const ENGINES: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&STANDARD, LENIENT), GeneralPurpose::new(&URL_SAFE, LENIENT)];

/// Adds what is encoded in `text`, which stands at `place` of the original.
pub(super) fn look(text: &str, place: &Range<usize>, views: &mut Vec<View>) {
    let mut add = |how: How, text: String, at: Range<usize>| {
        let used: usize = views.iter().map(|view| view.text.len()).sum();
        if views.len() < MAX_VIEWS && used + text.len() <= MAX_DECODED {
            // Places within a text that is itself decoded are those of the whole.
            let at = if place.start == 0 { at } else { place.clone() };
            views.push(View { how, text, place: at });
        }
    };
    if let Some(spelt) = unseen(text) {
        add(How::Unseen, spelt, place.clone());
    }
    if let Some(plain) = escape::unescape(within(text, MAX_DECODED)) {
        add(How::Unescaped, plain, place.clone());
    }
    for (how, turned) in turned(within(text, MAX_TURNED)) {
        add(how, turned, place.clone());
    }
    if let Some(read) = leet::read(within(text, MAX_TURNED)) {
        add(How::Leet, read, place.clone());
    }
    if let Some(apart) = joined::apart(within(text, MAX_TURNED)) {
        add(How::Apart, apart, place.clone());
    }
    for run in runs(text, |byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)) {
        let written = text.get(run.clone()).unwrap_or_default();
        if let Some((how, decoded)) = decoded(written) {
            add(how, decoded, run);
        }
    }
    for run in runs(text, |byte| byte.is_ascii_hexdigit() || b" \\x,:%".contains(&byte)) {
        let written = text.get(run.clone()).unwrap_or_default();
        if let Some((how, decoded)) = listed(written) {
            add(how, decoded, run);
        }
    }
}

/// A run of base64 or of hexadecimal digits, if it holds text.
fn decoded(run: &str) -> Option<(How, String)> {
    if let Some(bytes) = hex(run)
        && let Some(text) = readable(&bytes)
    {
        return Some((How::Hex, text.to_owned()));
    }
    ENGINES.iter().find_map(|engine| {
        // A last character alone holds no byte.
        let whole = if run.len() % 4 == 1 { run.get(..run.len() - 1)? } else { run };
        let bytes = engine.decode(whole).ok()?;
        Some((How::Base64, readable(&bytes)?.to_owned()))
    })
}

/// Bytes that are written apart: `69 67 6e`, `\x69\x67`, `01101001 01100111`.
fn listed(run: &str) -> Option<(How, String)> {
    let parts = || run.split([' ', '\\', 'x', ',', ':', '%']).filter(|part| !part.is_empty());
    let all = |length: usize| parts().all(|part| part.len() == length);
    let bytes = |radix: u32| parts().map(|part| u8::from_str_radix(part, radix).ok()).collect();
    let (how, bytes): (How, Option<Vec<u8>>) = if all(2) {
        (How::Hex, bytes(16))
    } else if all(8) {
        (How::Binary, bytes(2))
    } else {
        return None;
    };
    Some((how, readable(&bytes?)?.to_owned()))
}

fn hex(run: &str) -> Option<Vec<u8>> {
    if !run.len().is_multiple_of(2) || !run.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    run.as_bytes().chunks(2).map(pair).collect()
}

/// The longest runs of bytes that `belong`, of those long enough; bounded in number and length.
fn runs(text: &str, belongs: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    let bytes = text.as_bytes();
    let all = std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|byte| belongs(*byte))?;
        let length = bytes.get(start..)?.iter().take_while(|byte| belongs(**byte)).count();
        at = start + length;
        Some(start..at)
    });
    all.filter(|run| (SHORTEST_RUN..=MAX_DECODED).contains(&run.len())).take(MAX_VIEWS * 4)
}

/// The text moved by half the alphabet or turned around, where that makes sense of it and it made none
/// before.
fn turned(text: &str) -> impl Iterator<Item = (How, String)> {
    let before = known_share(text).unwrap_or_default();
    let ways: [(How, Way); 2] = [
        (How::Rot13, |text| text.chars().map(rot13).collect()),
        (How::Reversed, |text| text.chars().rev().collect()),
    ];
    ways.into_iter().filter(move |_| before < SENSE).filter_map(move |(how, way)| {
        let turned = way(text);
        let share = known_share(&turned)?;
        (share >= (before + MORE_SENSE).max(SENSE)).then_some((how, turned))
    })
}

/// A way to read letters as others.
type Way = fn(&str) -> String;

fn rot13(character: char) -> char {
    let moved = |first: u8, byte: u8| char::from(first + (byte - first + 13) % 26);
    match u8::try_from(character) {
        Ok(byte @ b'a'..=b'z') => moved(b'a', byte),
        Ok(byte @ b'A'..=b'Z') => moved(b'A', byte),
        Ok(_) | Err(_) => character,
    }
}

/// What characters that nobody sees spell: tags are ASCII, variation selectors bytes.
fn unseen(text: &str) -> Option<String> {
    let tag = |character: char| match character {
        '\u{E0020}'..='\u{E007E}' => char::from_u32(u32::from(character) - 0xE0000),
        _ => None,
    };
    let byte = |character: char| match character {
        '\u{FE00}'..='\u{FE0F}' => u8::try_from(u32::from(character) - 0xFE00).ok(),
        '\u{E0100}'..='\u{E01EF}' => u8::try_from(u32::from(character) - 0xE0100 + 16).ok(),
        _ => None,
    };
    let text = within(text, MAX_DECODED);
    let tags: String = text.chars().filter_map(tag).collect();
    let selected: Vec<u8> = text.chars().filter_map(byte).collect();
    let spelt = readable(&selected).map(str::to_owned);
    spelt.or_else(|| readable(tags.as_bytes()).map(str::to_owned))
}

/// The beginning of `text`, at most `most` bytes.
fn within(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}
