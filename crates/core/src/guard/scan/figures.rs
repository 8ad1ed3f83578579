//! Groups of digits with one separator between two groups.

use super::ahead::{Ahead, More};

/// How many digits are read: those of the longest card, and some to see that there are more.
const MAX_DIGITS: usize = 24;
const MAX_GROUPS: usize = 10;

/// Digits in groups, from the first one on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    digits: [u8; MAX_DIGITS],
    groups: [Group; MAX_GROUPS],
    count: usize,
}

/// One group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Group {
    /// How many digits it has.
    pub(super) length: usize,
    /// How many digits it and those before it have.
    pub(super) total: usize,
    /// The byte behind its last digit, or behind its closing parenthesis.
    pub(super) end: usize,
    /// What stands before it: zero for the first, `(` for an opening parenthesis.
    pub(super) before: u8,
}

impl Figures {
    /// Reads the groups that begin at `from`; parentheses around a group are read with it.
    ///
    /// It ends before what is no separator with a digit behind it, and after what it has room for.
    pub(super) fn read(ahead: Ahead<'_>, from: usize) -> Result<Self, More> {
        let mut figures =
            Self { digits: [0; MAX_DIGITS], groups: [Group::default(); MAX_GROUPS], count: 0 };
        let (mut at, mut before) = (from, 0);
        loop {
            let opened = ahead.at(at)? == Some(b'(');
            if opened {
                (at, before) = (at + 1, b'(');
            }
            let room = MAX_DIGITS - figures.total();
            let length = ahead.run(at, room + 1, |byte| byte.is_ascii_digit())?;
            if length == 0 || length > room || figures.count == MAX_GROUPS {
                return Ok(figures);
            }
            at += length;
            let closed = ahead.at(at)? == Some(b')') && opened;
            figures.add(ahead.part(at - length, at), at + usize::from(closed), before);
            at += usize::from(closed);
            let Some((next, sign)) = separator(ahead, at)? else { return Ok(figures) };
            (at, before) = (next, sign);
        }
    }

    /// The groups.
    pub(super) fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The digits of the first groups, `total` of them.
    pub(super) fn digits(&self, total: usize) -> &[u8] {
        self.digits.get(..total).unwrap_or_default()
    }

    /// How many digits there are.
    pub(super) fn total(&self) -> usize {
        self.groups().last().map_or(0, |group| group.total)
    }

    fn add(&mut self, digits: &[u8], end: usize, before: u8) {
        let start = self.total();
        let total = start + digits.len();
        if let (Some(place), Some(group)) =
            (self.digits.get_mut(start..total), self.groups.get_mut(self.count))
        {
            place.copy_from_slice(digits);
            *group = Group { length: digits.len(), total, end, before };
            self.count += 1;
        }
    }
}

/// What separates two groups at `at`: where the next one begins, and the sign.
fn separator(ahead: Ahead<'_>, at: usize) -> Result<Option<(usize, u8)>, More> {
    let begins = |at| ahead.is(at, |byte| byte.is_ascii_digit());
    match ahead.at(at)? {
        Some(sign @ (b' ' | b'-' | b'.' | b'/')) => {
            if begins(at + 1)? {
                return Ok(Some((at + 1, sign)));
            }
            let opens = ahead.at(at + 1)? == Some(b'(') && begins(at + 2)?;
            Ok(opens.then_some((at + 1, sign)))
        }
        // `+49(0)30`, and `(030)1234` where the parenthesis has just closed.
        Some(b'(') if begins(at + 1)? => Ok(Some((at, b'('))),
        Some(byte) if byte.is_ascii_digit() => Ok(Some((at, b')'))),
        Some(_) | None => Ok(None),
    }
}
