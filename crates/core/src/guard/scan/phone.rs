//! Telephone numbers: international (ITU-T E.164), of North America, and national ones that their
//! form or a word before them gives away.

use super::{
    ahead::{Ahead, Look, More, in_word},
    cue::{Cue, ends_phone},
    figures::{Figures, Group},
    past::Past,
};

/// How many digits a number has at most, country included (E.164 §6.2.1).
const MAX_DIGITS: usize = 15;

/// The number that begins here, with its extension.
pub(super) fn phone(ahead: Ahead<'_>, past: &Past) -> Look {
    if past.is_no_number() || matches!(past.last(), b'+') {
        return Ok(None);
    }
    let plus = ahead.at(0)? == Some(b'+');
    let figures = Figures::read(ahead, usize::from(plus))?;
    let form = if plus { international(&figures) } else { national(&figures, past) };
    let form = match form {
        None if !plus && past.cue() != Some(Cue::Other) => any_before_word(ahead, &figures)?,
        known => known,
    };
    let Some(last) = form else { return Ok(None) };
    if !ends(ahead, last)? {
        return Ok(None);
    }
    extension(ahead, last.end).map(Some)
}

/// Whether the number may end here: no letter follows, nor a digit that is tied to it.
fn ends(ahead: Ahead<'_>, last: Group) -> Result<bool, More> {
    match ahead.at(last.end)? {
        Some(b'-' | b'.' | b'_' | b'/' | b':' | b',') => {
            Ok(!ahead.is(last.end + 1, |byte| byte.is_ascii_digit())?)
        }
        Some(b'%' | b'@' | b'=') => Ok(false),
        Some(b'x') => ahead.is(last.end + 1, |byte| !byte.is_ascii_alphabetic()),
        Some(b'e') => ahead.starts(last.end, b"ext"),
        Some(byte) => Ok(!in_word(byte)),
        None => Ok(true),
    }
}

/// Country and number after a plus sign.
fn international(figures: &Figures) -> Option<Group> {
    let groups = figures.groups();
    let fits = |group: &&Group| (8..=MAX_DIGITS).contains(&group.total);
    let american = |group: &&Group| group.total == 11;
    // `+40.712776` is a number of something else.
    let fraction = matches!(groups, [_, rest] if rest.before == b'.');
    if fraction || figures.digits(1) == b"0" {
        return None;
    }
    let first = groups.iter().find(american).filter(|_| figures.digits(1) == b"1");
    first.or_else(|| groups.iter().rfind(fits)).copied()
}

/// A number as it is written within a country.
fn national(figures: &Figures, past: &Past) -> Option<Group> {
    let alone = !past.follows_number();
    match past.cue() {
        Some(Cue::Phone) => american(figures, true)
            .or_else(|| abroad(figures, true))
            .or_else(|| trunk(figures))
            .or_else(|| any(figures)),
        Some(Cue::Other | Cue::Version | Cue::Ssn | Cue::Card) => None,
        Some(Cue::Somebody | Cue::Address) | None => {
            let local = || abroad(figures, false).or_else(|| trunk(figures));
            american(figures, false).or_else(|| local().filter(|_| alone))
        }
    }
}

/// `(541) 714-1388`, `1-541-714-1388`.
fn american(figures: &Figures, is_announced: bool) -> Option<Group> {
    let groups = figures.groups();
    let groups = match groups {
        [one, rest @ ..] if one.length == 1 && figures.digits(1) == b"1" => rest,
        all => all,
    };
    let [area, exchange, line, rest @ ..] = groups else { return None };
    let area_begins = figures.digits(area.total).iter().rev().nth(2).copied();
    let shape = (area.length, exchange.length, line.length) == (3, 3, 4);
    let signs = [exchange.before, line.before];
    let loose = signs == [b' ', b' '] && area.before != b'(';
    let more = rest.first().is_some_and(|next| next.before == line.before);
    let known = area_begins.is_some_and(|digit| (b'2'..=b'9').contains(&digit));
    (shape && !more && known && !signs.contains(&b'/') && (is_announced || !loose)).then_some(*line)
}

/// `0046 8 928 571 38`.
fn abroad(figures: &Figures, is_announced: bool) -> Option<Group> {
    let begins = matches!(figures.digits(3), [b'0', b'0', b'1'..=b'9']);
    let apart = is_announced || figures.groups().len() > 1;
    let fits = |group: &&Group| (10..=MAX_DIGITS + 2).contains(&group.total);
    figures.groups().iter().rfind(fits).filter(|_| begins && apart).copied()
}

/// A national number with its trunk prefix: `030 1234567`, `06 12 34 56 78`.
fn trunk(figures: &Figures) -> Option<Group> {
    let [first, second, rest @ ..] = figures.groups() else { return None };
    let date = first.length == 2
        && second.length == 2
        && rest.first().is_some_and(|year| year.length == 4);
    // `02504-1722`, a postal code of the United States.
    let postal =
        (first.length, second.length) == (5, 4) && second.before == b'-' && rest.is_empty();
    let begins = matches!(figures.digits(2), [b'0', b'1'..=b'9']);
    let fits = |group: &&Group| (9..=11).contains(&group.total);
    let all = figures.groups();
    let grouped = all.iter().all(|group| group.length >= 2) && (2..=5).contains(&first.length);
    all.iter().rfind(fits).filter(|_| begins && grouped && !date && !postal).copied()
}

/// Whatever has the length of a number, after a word that announces one.
fn any(figures: &Figures) -> Option<Group> {
    let groups = figures.groups();
    let most = if groups.len() == 1 { 12 } else { MAX_DIGITS };
    let fits = |group: &&Group| (7..=most).contains(&group.total);
    let date = matches!(groups, [day, month, year, ..]
        if day.length <= 2 && month.length <= 2 && year.length == 4)
        || matches!(groups, [year, month, day, ..]
        if year.length == 4 && month.length == 2 && day.length == 2 && month.before == b'-');
    let fraction = matches!(groups, [_, rest] if rest.before == b'.');
    let years = matches!(groups, [from, to] if from.length == 4 && to.length == 4)
        && matches!(figures.digits(6), [b'1', b'9', _, _, _, _] | [b'2', b'0', _, _, _, _])
        && matches!(figures.digits(6), [_, _, _, _, b'1', b'9'] | [_, _, _, _, b'2', b'0']);
    groups.iter().rfind(fits).filter(|_| !date && !fraction && !years).copied()
}

/// Whatever has the length of a number, before a word that says so: `781 1704 office`.
fn any_before_word(ahead: Ahead<'_>, figures: &Figures) -> Result<Option<Group>, More> {
    let last = figures.groups().last().copied();
    let Some(last) = any(figures).filter(|number| last.is_some_and(|last| last.end == number.end))
    else {
        return Ok(None);
    };
    let gap = ahead.run(last.end, 2, |byte| matches!(byte, b' ' | b'-' | b'('))?;
    let word = ahead.run(last.end + gap, 8, |byte| byte.is_ascii_alphabetic())?;
    let text = ahead.part(last.end + gap, last.end + gap + word);
    Ok((gap > 0 && ends_phone(text)).then_some(last))
}

/// The end of the extension behind the number that ends at `end`, or `end`: ` x12`, ` ext. 12`.
fn extension(ahead: Ahead<'_>, end: usize) -> Result<usize, More> {
    let mut at = end + usize::from(ahead.at(end)? == Some(b' '));
    let mark = if ahead.starts(at, b"ext")? { 3 } else { usize::from(ahead.starts(at, b"x")?) };
    if mark == 0 {
        return Ok(end);
    }
    at += mark;
    at += usize::from(ahead.at(at)? == Some(b'.'));
    at += usize::from(ahead.at(at)? == Some(b' '));
    let digits = ahead.run(at, 7, |byte| byte.is_ascii_digit())?;
    Ok(if (1..=6).contains(&digits) { at + digits } else { end })
}
