//! Escapes of JSON, HTML and URLs, resolved where a text is made of them.

/// How many escapes make a text suspicious; prose and code have a few.
const ENOUGH: usize = 6;
/// The longest escape: `&#1114111;`.
const LONGEST: usize = 10;

/// `text` with its escapes resolved, if there are many that stand for letters.
pub(super) fn unescape(text: &str) -> Option<String> {
    let (mut plain, mut letters) = (String::new(), 0);
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&', '%', '=']) {
        let (before, escape) = rest.split_at_checked(at)?;
        plain.push_str(before);
        let (meant, length) = one(escape).unwrap_or((None, 1));
        match meant {
            Some(character) => {
                letters += usize::from(character.is_alphabetic());
                plain.push(character);
            }
            None => plain.push_str(escape.get(..length)?),
        }
        rest = escape.get(length..)?;
    }
    plain.push_str(rest);
    (letters >= ENOUGH).then_some(plain)
}

/// What the escape at the start of `text` stands for, and its length.
fn one(text: &str) -> Option<(Option<char>, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
        Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?), to))
    };
    match text.as_bytes() {
        [b'\\', b'u', ..] => hex(2, 6),
        [b'\\', b'x', ..] => hex(2, 4),
        [b'%' | b'=', ..] => hex(1, 3),
        [b'&', b'#', ..] => {
            let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
            let number = text.get(2..end)?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            Some((char::from_u32(code), end + 1))
        }
        _ => None,
    }
}
