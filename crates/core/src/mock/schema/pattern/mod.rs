//! Texts that match a regular expression, for `pattern`.
//!
//! Understood are literals, escapes, classes, groups, alternatives, counts and anchors. A pattern
//! with anything else (look-around, back-references, Unicode properties, word boundaries) is not
//! followed.

mod parse;

use super::string::LONGEST;
use crate::mock::digest::Dice;
pub(super) use parse::parse;

/// A regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// One character of these ranges, both ends included.
    One(Vec<(char, char)>),
    Sequence(Vec<Self>),
    Either(Vec<Self>),
    /// `most` is `None` for without end.
    Repeat {
        inner: Box<Self>,
        least: u64,
        most: Option<u64>,
    },
}

impl Pattern {
    /// A text that matches. What may be repeated is repeated fewer than `stretch` times more than
    /// it must be. `None` when it would be too long, or when nothing can match.
    pub(super) fn sample(&self, stretch: u64, dice: &mut Dice) -> Option<String> {
        let mut text = String::new();
        self.write(stretch, dice, &mut text)?;
        Some(text)
    }

    fn write(&self, stretch: u64, dice: &mut Dice, text: &mut String) -> Option<()> {
        match self {
            Self::One(ranges) => {
                text.push(pick(ranges, dice)?);
                // A character has at most four bytes.
                (u64::try_from(text.len()).ok()? <= 4 * LONGEST).then_some(())
            }
            Self::Sequence(items) => {
                items.iter().try_for_each(|item| item.write(stretch, dice, text))
            }
            Self::Either(items) => dice.pick(items)?.write(stretch, dice, text),
            Self::Repeat { inner, least, most } => {
                let extra = dice.below(stretch);
                let times = least.saturating_add(extra).min(most.unwrap_or(u64::MAX));
                // What repeats may be empty, so its own limit does not bound the count.
                (times <= LONGEST).then_some(())?;
                (0..times).try_for_each(|_| inner.write(stretch, dice, text))
            }
        }
    }
}

fn pick(ranges: &[(char, char)], dice: &mut Dice) -> Option<char> {
    let (from, to) = *dice.pick(ranges)?;
    let (from, to) = (u32::from(from), u32::from(to));
    let code = u64::from(from) + dice.below(u64::from(to.checked_sub(from)?) + 1);
    // Between two characters lie the surrogates, which are none.
    u32::try_from(code).ok().and_then(char::from_u32).or(char::from_u32(from))
}
