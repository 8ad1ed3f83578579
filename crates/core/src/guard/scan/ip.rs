//! Internet addresses, and what looks like one: versions, times, paths of names.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    ahead::{Ahead, Look, More, in_word},
    cue::Cue,
    past::Past,
};

/// The longest address in text: 45 bytes, with an embedded one of version 4.
const MAX_LENGTH: usize = 45;

/// The address that begins here.
pub(super) fn ip(ahead: Ahead<'_>, past: &Past) -> Look {
    if past.in_word() {
        return Ok(None);
    }
    match v4(ahead, past)? {
        Some(end) => Ok(Some(end)),
        None => v6(ahead, past),
    }
}

fn v4(ahead: Ahead<'_>, past: &Past) -> Look {
    // `Chrome/1.2.3.4` and `lib-1.2.3.4` are versions.
    if past.is_no_number() || !ahead.is(0, |byte| byte.is_ascii_digit())? {
        return Ok(None);
    }
    let length = ahead.run(0, 16, |byte| byte.is_ascii_digit() || byte == b'.')?;
    let text = std::str::from_utf8(ahead.part(0, length)).unwrap_or_default();
    let text = text.trim_end_matches('.');
    let Ok(address) = text.parse::<Ipv4Addr>() else { return Ok(None) };
    let end = text.len();
    let tail = tail(ahead, end)?;
    let said = past.cue();
    let version = match said {
        Some(Cue::Version) => true,
        Some(Cue::Address) => false,
        _ => is_small(address) && tail == Tail::None && !past.after_scheme(),
    };
    Ok((tail != Tail::Tied && !version).then_some(end))
}

/// What follows an address.
#[derive(Debug, PartialEq, Eq)]
enum Tail {
    /// Something that belongs to an address: a port, a prefix length, a path.
    Proper,
    /// Something that makes it part of something else.
    Tied,
    None,
}

fn tail(ahead: Ahead<'_>, end: usize) -> Result<Tail, More> {
    let digit = |byte: u8| byte.is_ascii_digit();
    Ok(match ahead.at(end)? {
        Some(b':' | b'/') if ahead.is(end + 1, in_word)? => Tail::Proper,
        Some(b'.') if ahead.is(end + 1, in_word)? => Tail::Tied,
        Some(b'-') if ahead.is(end + 1, |byte| in_word(byte) && !digit(byte))? => Tail::Tied,
        Some(byte) if in_word(byte) || byte == b'_' => Tail::Tied,
        Some(_) | None => Tail::None,
    })
}

/// Whether it is more likely a version: `1.2.3.4`, but not `8.8.8.8`.
fn is_small(address: Ipv4Addr) -> bool {
    let octets = address.octets();
    let same = octets.iter().all(|octet| Some(octet) == octets.first());
    let [first, ..] = octets;
    !same && first < 10 && octets.iter().all(|octet| *octet < 30)
}

fn v6(ahead: Ahead<'_>, past: &Past) -> Look {
    if past.is_tied() || matches!(past.last(), b':' | b'.' | b'_') {
        return Ok(None);
    }
    let length = ahead
        .run(0, MAX_LENGTH + 1, |byte| byte.is_ascii_hexdigit() || byte == b':' || byte == b'.')?;
    let text = std::str::from_utf8(ahead.part(0, length)).unwrap_or_default();
    let text = text.trim_end_matches('.');
    // A colon behind it may end the clause, not the address: `2001:db8::1: unreachable`.
    let clause = text.ends_with(':') && !text.ends_with("::");
    let text = if clause { text.strip_suffix(':').unwrap_or(text) } else { text };
    if text.bytes().filter(|byte| *byte == b':').count() < 2 || text.parse::<Ipv6Addr>().is_err() {
        return Ok(None);
    }
    let tied = ahead.is(text.len(), |byte| in_word(byte) || byte == b'_')?;
    Ok((!tied && is_no_path(text)).then_some(text.len()))
}

/// Whether it is no path of names such as `abc::def`.
fn is_no_path(text: &str) -> bool {
    let groups = text.split(':').filter(|group| !group.is_empty()).count();
    let digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let known = ["2", "3", "fe80", "fc", "fd", "ff", "::1", "::f"];
    let begins =
        |mark: &&str| text.get(..mark.len()).is_some_and(|text| text.eq_ignore_ascii_case(mark));
    digits && (groups >= 3 || known.iter().any(begins))
}
