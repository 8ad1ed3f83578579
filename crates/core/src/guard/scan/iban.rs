//! International bank account numbers (ISO 13616): country, length and remainder agree.

use super::{
    ahead::{Ahead, Look},
    past::Past,
};

/// The longest one, with a space after every fourth character.
const MAX_LENGTH: usize = 34 + 8;

/// Countries and the lengths of their numbers (SWIFT's registry, release 99).
#[rustfmt::skip]
const COUNTRIES: [(&[u8; 2], usize); 89] = [
    (b"AD", 24), (b"AE", 23), (b"AL", 28), (b"AT", 20), (b"AZ", 28), (b"BA", 20), (b"BE", 16),
    (b"BG", 22), (b"BH", 22), (b"BI", 27), (b"BR", 29), (b"BY", 28), (b"CH", 21), (b"CR", 22),
    (b"CY", 28), (b"CZ", 24), (b"DE", 22), (b"DJ", 27), (b"DK", 18), (b"DO", 28), (b"EE", 20),
    (b"EG", 29), (b"ES", 24), (b"FI", 18), (b"FK", 18), (b"FO", 18), (b"FR", 27), (b"GB", 22),
    (b"GE", 22), (b"GI", 23), (b"GL", 18), (b"GR", 27), (b"GT", 28), (b"HN", 28), (b"HR", 21),
    (b"HU", 28), (b"IE", 22), (b"IL", 23), (b"IQ", 23), (b"IS", 26), (b"IT", 27), (b"JO", 30),
    (b"KW", 30), (b"KZ", 20), (b"LB", 28), (b"LC", 32), (b"LI", 21), (b"LT", 20), (b"LU", 20),
    (b"LV", 21), (b"LY", 25), (b"MC", 27), (b"MD", 24), (b"ME", 22), (b"MK", 19), (b"MN", 20),
    (b"MR", 27), (b"MT", 31), (b"MU", 30), (b"NI", 28), (b"NL", 18), (b"NO", 15), (b"OM", 23),
    (b"PK", 24), (b"PL", 28), (b"PS", 29), (b"PT", 25), (b"QA", 29), (b"RO", 24), (b"RS", 22),
    (b"RU", 33), (b"SA", 24), (b"SC", 31), (b"SD", 18), (b"SE", 24), (b"SI", 19), (b"SK", 24),
    (b"SM", 27), (b"SO", 23), (b"ST", 25), (b"SV", 28), (b"TL", 23), (b"TN", 24), (b"TR", 26),
    (b"UA", 29), (b"VA", 22), (b"VG", 24), (b"XK", 20), (b"YE", 30),
];

/// The number that begins here.
pub(super) fn iban(ahead: Ahead<'_>, past: &Past) -> Look {
    if past.is_tied() || !ahead.is(0, |byte| byte.is_ascii_alphabetic())? {
        return Ok(None);
    }
    let letters = ahead.run(0, 2, |byte| byte.is_ascii_alphabetic())?;
    if letters < 2 || ahead.run(2, 2, |byte| byte.is_ascii_digit())? < 2 {
        return Ok(None);
    }
    let country = ahead.part(0, 2).to_ascii_uppercase();
    let Some((_, length)) = COUNTRIES.iter().find(|(code, _)| country == **code) else {
        return Ok(None);
    };
    let (mut at, mut count, mut remainder) = (4, 4, 0);
    while count < *length && at < MAX_LENGTH {
        match ahead.at(at)? {
            Some(b' ' | b'-') if at > 4 || count == 4 => at += 1,
            Some(byte) if byte.is_ascii_alphanumeric() => {
                (remainder, count, at) = (append(remainder, byte), count + 1, at + 1);
            }
            Some(_) | None => return Ok(None),
        }
    }
    let ends = !ahead.is(at, |byte| byte.is_ascii_alphanumeric() || byte == b'_')?;
    let head = ahead.part(0, 4);
    let agrees = head.iter().fold(remainder, |sum, byte| append(sum, *byte)) == 1;
    Ok((count == *length && ends && agrees).then_some(at))
}

/// The remainder by 97 after one more character, letters counting from 10 (ISO 7064, MOD 97-10).
fn append(remainder: u32, byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte.to_ascii_uppercase().wrapping_sub(b'A')) + 10) % 97,
    }
}
