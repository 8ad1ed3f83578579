//! Social security numbers of the United States (SSA, POMS RM 10201.035).

use super::{
    ahead::{Ahead, Look},
    card::ends,
    cue::Cue,
    figures::Figures,
    past::Past,
};

/// The number that begins here.
pub(super) fn ssn(ahead: Ahead<'_>, past: &Past) -> Look {
    if past.is_no_number() || past.cue() == Some(Cue::Other) {
        return Ok(None);
    }
    let named = past.cue() == Some(Cue::Ssn);
    let figures = Figures::read(ahead, 0)?;
    let end = match figures.groups() {
        [whole, ..] if named && whole.length == 9 => whole,
        [area, group, serial, rest @ ..]
            if (area.length, group.length, serial.length) == (3, 2, 4)
                && group.before == serial.before
                && (matches!(serial.before, b'-' | b' ') || (named && serial.before == b'.'))
                && rest.first().is_none_or(|next| serial.before != b' ' || next.before != b' ') =>
        {
            serial
        }
        _ => return Ok(None),
    };
    Ok((is_given_out(figures.digits(9)) && ends(ahead, *end)?).then_some(end.end))
}

/// Areas 000, 666 and from 900 on, group 00 and serial 0000 are never given out.
fn is_given_out(digits: &[u8]) -> bool {
    let [area @ .., _, _, _, _, _, _] = digits else { return false };
    let (group, serial) = (digits.get(3..5), digits.get(5..9));
    area != b"000"
        && area != b"666"
        && area.first() != Some(&b'9')
        && group != Some(b"00")
        && serial != Some(b"0000")
}
