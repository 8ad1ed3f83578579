//! E-mail addresses (RFC 5321 §4.1.2 without quoted names, RFC 6531 for other letters).

use super::ahead::{Ahead, Look, in_word};

const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;
const MAX_LABELS: usize = 8;

/// What follows a full stop in names of files that also hold an `@`: `logo@2x.png`.
const FILES: [&[u8]; 14] = [
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"js", b"css", b"html", b"json", b"txt",
    b"xml", b"yaml", b"toml",
];

/// The address that begins here.
pub(super) fn email(ahead: Ahead<'_>) -> Look {
    let local = ahead.run(0, MAX_LOCAL + 1, in_local)?;
    if !(1..=MAX_LOCAL).contains(&local) || ahead.at(local)? != Some(b'@') {
        return Ok(None);
    }
    let name = ahead.part(0, local);
    if name.last() == Some(&b'.') || name.windows(2).any(|pair| pair == b"..") {
        return Ok(None);
    }
    let Some(end) = domain(ahead, local + 1)? else { return Ok(None) };
    // `git@host.example:team/project` is an address of `scp`.
    let is_path = ahead.at(end)? == Some(b':')
        && ahead.is(end + 1, |byte| byte == b'/' || byte == b'~' || name == b"git")?;
    Ok((!is_path).then_some(end))
}

/// Where the domain that begins at `from` ends.
fn domain(ahead: Ahead<'_>, from: usize) -> Look {
    let (mut at, mut labels) = (from, 0);
    let last = loop {
        let label = ahead.run(at, MAX_LABEL + 1, in_label)?;
        if !(1..=MAX_LABEL).contains(&label) || labels == MAX_LABELS {
            return Ok(None);
        }
        let begins = at;
        at += label;
        labels += 1;
        let goes_on = ahead.at(at)? == Some(b'.') && ahead.is(at + 1, in_word)?;
        if !goes_on {
            break begins;
        }
        at += 1;
    };
    let top = ahead.part(last, at);
    let letters = top.iter().all(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let is_top = (letters && (2..=24).contains(&top.len())) || top.starts_with(b"xn--");
    let is_file = FILES.iter().any(|file| top.eq_ignore_ascii_case(file));
    Ok((labels >= 2 && is_top && !is_file).then_some(at))
}

const fn in_local(byte: u8) -> bool {
    in_word(byte) || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

const fn in_label(byte: u8) -> bool {
    in_word(byte) || byte == b'-'
}
