//! Numbers of payment cards (ISO/IEC 7812-1): issuer, length and check digit agree.

use super::{
    ahead::{Ahead, Look, More, in_word},
    cue::Cue,
    figures::{Figures, Group},
    past::Past,
};

/// The number that begins here.
pub(super) fn card(ahead: Ahead<'_>, past: &Past) -> Look {
    if past.is_no_number() || past.cue() == Some(Cue::Other) {
        return Ok(None);
    }
    let named = past.cue() == Some(Cue::Card);
    let figures = Figures::read(ahead, 0)?;
    let groups = figures.groups();
    for (at, last) in groups.iter().enumerate().rev() {
        let written = groups.get(..=at).unwrap_or_default();
        if (12..=19).contains(&last.total)
            && is_written_so(written)
            && (named || is_issued(figures.digits(last.total)))
            && luhn(figures.digits(last.total))
            && groups.get(at + 1).is_none_or(|next| next.length < 4 || next.before != last.before)
            && ends(ahead, *last)?
        {
            return Ok(Some(last.end));
        }
    }
    Ok(None)
}

/// Whether a number may end here: no letter follows, and no digit after a dash or full stop.
pub(super) fn ends(ahead: Ahead<'_>, group: Group) -> Result<bool, More> {
    match ahead.at(group.end)? {
        Some(b'-' | b'.' | b'_' | b'/') => Ok(!ahead.is(group.end + 1, in_word)?),
        Some(byte) => Ok(!in_word(byte)),
        None => Ok(true),
    }
}

/// Without separators, or with one and the same between groups as they are embossed.
fn is_written_so(groups: &[Group]) -> bool {
    let [first, rest @ ..] = groups else { return false };
    let Some((last, middle)) = rest.split_last() else { return first.before == 0 };
    let sign = last.before;
    first.before == 0
        && first.length == 4
        && middle.iter().all(|group| matches!(group.length, 4 | 6))
        && (1..=9).contains(&last.length)
        && matches!(sign, b' ' | b'-')
        && rest.iter().all(|group| group.before == sign)
}

/// Whether an issuer gives out numbers that begin like this, of this length.
fn is_issued(digits: &[u8]) -> bool {
    let begins = digits.iter().take(4).fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let length = digits.len();
    match begins {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        2221..=2720 | 5100..=5599 => length == 16,
        3400..=3499 | 3700..=3799 | 1800 | 2131 => length == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        2200..=2204 | 3500..=3599 | 8100..=8199 => (16..=19).contains(&length),
        5000..=5099 | 5600..=5899 | 6000..=6999 => (12..=19).contains(&length),
        _ => false,
    }
}

/// Luhn's check digit (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(digit - b'0') << (at % 2);
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != b'0')
}
