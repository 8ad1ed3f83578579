//! Finds what is known by its shape, in one pass over text that may come piece by piece.
//!
//! At each place where a word or number begins, every scanner looks ahead by a bounded number of
//! bytes and answers: this many bytes are mine, or nothing here, or it depends on what follows. The
//! first two never change with what follows, so that a stream is read as its whole text would be.

mod ahead;
mod assigned;
mod card;
mod cue;
mod email;
mod figures;
mod iban;
mod ip;
pub(crate) mod issuer;
mod past;
mod phone;
mod ssn;
mod tail;
mod token;

use std::ops::Range;

use super::{
    Shape, Shapes,
    fold::{Folded, Reading},
};
use ahead::{Ahead, Look, More, in_word};
use past::Past;
use tail::Tail;

/// Something found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub shape: Shape,
    /// Where it stands, in bytes.
    pub place: Range<usize>,
}

/// All of `shapes` in `text`, in order and apart. Characters that nobody sees and other forms of a
/// character are seen through; places are those of the text as it is.
///
/// ```
/// use tollhouse_core::guard::{Shape, Shapes, find};
///
/// let found = find("mail ada@example.org, not 1.2.3", Shapes::ALL);
/// assert_eq!((found[0].shape, found[0].place.clone()), (Shape::Email, 5..20));
/// assert_eq!(found.len(), 1);
/// ```
pub fn find(text: &str, shapes: Shapes) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut scanner = Scanner::new(shapes);
    let note = |found: &mut Vec<Found>, scanned| match scanned {
        Scanned::Found { shape, place } => found.push(Found { shape, place }),
        Scanned::More(place) => {
            if let Some(last) = found.last_mut() {
                last.place.end = place.end;
            }
        }
        Scanned::Passed(_) => {}
    };
    if text.is_ascii() {
        scanner.read(text.as_bytes(), true, |scanned| note(&mut found, scanned));
        return found;
    }
    let mut folded = Folded::default();
    folded.push(text, Reading::Plain);
    scanner.read(folded.bytes(), true, |scanned| note(&mut found, scanned));
    for thing in &mut found {
        thing.place = folded.origin(thing.place.clone());
    }
    found
}

/// What became of a stretch of text.
#[derive(Debug)]
pub(super) enum Scanned {
    /// These bytes are nothing that is looked for.
    Passed(Range<usize>),
    /// These are, and so may be what follows them.
    Found {
        /// What they are.
        shape: Shape,
        /// Where they stand.
        place: Range<usize>,
    },
    /// These belong to what was found last.
    More(Range<usize>),
}

/// Reads folded text from its beginning to its end.
#[derive(Debug)]
pub(super) struct Scanner {
    shapes: Shapes,
    past: Past,
    /// What was found and may still go on.
    open: Option<Tail>,
}

/// What stands at a place.
enum Here {
    Found {
        shape: Shape,
        length: usize,
        tail: Tail,
    },
    Nothing {
        length: usize,
    },
    /// What parts words as a space does.
    Space {
        length: usize,
    },
}

impl Scanner {
    /// Looks for `shapes`.
    pub(super) fn new(shapes: Shapes) -> Self {
        Self { shapes, past: Past::default(), open: None }
    }

    /// Whether what was found last may go on.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Reads on: `bytes` begin where the last call stopped, and are all that is left if `is_all`.
    /// Tells what becomes of each stretch, in order, and returns how many bytes were settled.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        is_all: bool,
        mut tell: impl FnMut(Scanned),
    ) -> usize {
        let (mut at, mut passed) = (0, 0);
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            if let Some(tail) = &mut self.open {
                let (length, ends) = tail.take(Ahead::new(rest, is_all));
                self.past.note_found(rest.get(..length).unwrap_or_default());
                if length > 0 {
                    tell(Scanned::More(at..at + length));
                }
                at += length;
                passed = at;
                if !ends {
                    break;
                }
                self.open = None;
                continue;
            }
            let length = match self.here(Ahead::new(rest, is_all)) {
                Ok(Here::Nothing { length }) => {
                    self.past.note(rest.get(..length).unwrap_or_default());
                    length
                }
                Ok(Here::Space { length }) => {
                    self.past.note(b" ");
                    length
                }
                Ok(Here::Found { shape, length, tail }) => {
                    if passed < at {
                        tell(Scanned::Passed(passed..at));
                    }
                    tell(Scanned::Found { shape, place: at..at + length });
                    self.past.note_found(rest.get(..length).unwrap_or_default());
                    self.open = Some(tail);
                    passed = at + length;
                    length
                }
                Err(More) => break,
            };
            at += length;
        }
        if passed < at {
            tell(Scanned::Passed(passed..at));
        }
        at
    }

    /// What stands here; at least one byte of it.
    fn here(&self, ahead: Ahead<'_>) -> Result<Here, More> {
        let first = ahead.at(0)?.unwrap_or_default();
        let is_word = in_word(first);
        if first == b'\\' && ahead.is(1, |byte| matches!(byte, b'n' | b'r' | b't'))? {
            return Ok(Here::Space { length: 2 });
        }
        let begins = is_word && !self.past.in_word();
        let may_begin = begins
            || matches!(first, b'+' | b'(' | b'-' | b':')
            || self.past.after_scheme()
            || self.past.announced(first).is_some();
        let looked = if may_begin { self.look(ahead, begins)? } else { None };
        Ok(match looked {
            Some((shape, length, tail)) => Here::Found { shape, length, tail },
            None => Here::Nothing { length: unit(ahead.here()) },
        })
    }

    /// Asks the scanners, the surest first; `begins` says whether a word begins here.
    fn look(&self, ahead: Ahead<'_>, begins: bool) -> Result<Option<(Shape, usize, Tail)>, More> {
        let past = &self.past;
        for shape in ORDER.into_iter().filter(|shape| self.shapes.has(*shape)) {
            let at_word = |look: fn(Ahead<'_>, &Past) -> Look| {
                if begins { look(ahead, past) } else { Ok(None) }
            };
            let found = match shape {
                Shape::PrivateKey => {
                    token::private_key(ahead)?.map(|length| (length, Tail::PRIVATE_KEY))
                }
                Shape::Credentials if past.after_scheme() => {
                    token::credentials(ahead)?.map(|length| (length, Tail::Nothing))
                }
                Shape::Jwt if begins => token::jwt(ahead)?.map(|length| (length, Tail::Dotted)),
                Shape::ApiKey if begins => issuer::api_key(ahead)?,
                Shape::Secret => assigned::assigned(ahead, past)?,
                Shape::Email if !past.after_scheme() => {
                    at_word(|ahead, _| email::email(ahead))?.map(|length| (length, Tail::Nothing))
                }
                Shape::Iban => at_word(iban::iban)?.map(|length| (length, Tail::Nothing)),
                Shape::Card => at_word(card::card)?.map(|length| (length, Tail::Nothing)),
                Shape::Ssn => at_word(ssn::ssn)?.map(|length| (length, Tail::Nothing)),
                Shape::Ip => ip::ip(ahead, past)?.map(|length| (length, Tail::Nothing)),
                Shape::Phone => phone::phone(ahead, past)?.map(|length| (length, Tail::Nothing)),
                Shape::Credentials | Shape::Jwt | Shape::ApiKey | Shape::Email => None,
            };
            if let Some((length, tail)) = found {
                return Ok(Some((shape, length, tail)));
            }
        }
        Ok(None)
    }
}

/// The order in which scanners are asked: the surest first.
const ORDER: [Shape; 11] = [
    Shape::PrivateKey,
    Shape::Credentials,
    Shape::Jwt,
    Shape::ApiKey,
    Shape::Secret,
    Shape::Email,
    Shape::Iban,
    Shape::Card,
    Shape::Ssn,
    Shape::Ip,
    Shape::Phone,
];

/// How many bytes the word or the single character at the start of `bytes` has.
fn unit(bytes: &[u8]) -> usize {
    let [first, rest @ ..] = bytes else { return 0 };
    let goes_on = |byte: &&u8| {
        if in_word(*first) {
            in_word(**byte)
        } else {
            !first.is_ascii() && (0x80..=0xBF).contains(*byte)
        }
    };
    1 + rest.iter().take_while(goes_on).count()
}

#[cfg(test)]
mod tests;
