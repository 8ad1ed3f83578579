//! Reading a regular expression.

use std::{iter::Peekable, str::Chars};

use super::Pattern;

/// Groups are nested no deeper.
const MOST_DEPTH: u32 = 32;

const DIGIT: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
const SPACE: &[(char, char)] = &[(' ', ' ')];
/// What `.` and negated classes choose from.
const PRINTABLE: (char, char) = (' ', '~');

/// The pattern, or `None` when it has something that is not understood.
pub(in crate::mock::schema) fn parse(text: &str) -> Option<Pattern> {
    let mut reader = Reader { rest: text.chars().peekable(), depth: 0 };
    let pattern = reader.either()?;
    reader.rest.next().is_none().then_some(pattern)
}

struct Reader<'t> {
    rest: Peekable<Chars<'t>>,
    depth: u32,
}

impl Reader<'_> {
    fn either(&mut self) -> Option<Pattern> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MOST_DEPTH)?;
        let mut branches = vec![self.sequence()?];
        while self.took('|') {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Some(Pattern::Either(branches))
    }

    fn sequence(&mut self) -> Option<Pattern> {
        let mut items = Vec::new();
        while let Some(next) = self.rest.next_if(|next| !matches!(next, '|' | ')')) {
            if matches!(next, '^' | '$') {
                continue;
            }
            let item = self.atom(next)?;
            items.push(self.counted(item)?);
        }
        Some(Pattern::Sequence(items))
    }

    fn atom(&mut self, first: char) -> Option<Pattern> {
        match first {
            '(' => self.group(),
            '[' => self.class(),
            '.' => Some(Pattern::One(vec![PRINTABLE])),
            '\\' => self.escape().map(Pattern::One),
            '*' | '+' | '?' => None,
            literal => Some(Pattern::One(vec![(literal, literal)])),
        }
    }

    fn group(&mut self) -> Option<Pattern> {
        if self.took('?') {
            // `(?:…)` and `(?<name>…)`; anything else looks around or sets a flag.
            match self.rest.next()? {
                ':' => {}
                '<' if self.rest.peek().is_some_and(|next| !"=!".contains(*next)) => {
                    self.rest.by_ref().find(|next| *next == '>')?;
                }
                _ => return None,
            }
        }
        let inner = self.either()?;
        self.took(')').then_some(inner)
    }

    fn class(&mut self) -> Option<Pattern> {
        let negated = self.took('^');
        let mut ranges = Vec::new();
        loop {
            match self.rest.next()? {
                ']' => break,
                '\\' => ranges.extend(self.class_escape()?),
                from => ranges.push((from, self.range_end(from)?)),
            }
        }
        Some(Pattern::One(if negated { complement(&ranges) } else { ranges }))
    }

    fn class_escape(&mut self) -> Option<Vec<(char, char)>> {
        let ranges = self.escape()?;
        match ranges.as_slice() {
            [(from, to)] if from == to => Some(vec![(*from, self.range_end(*from)?)]),
            _ => Some(ranges),
        }
    }

    /// What a range that begins with `from` ends with; `from` itself when it is no range.
    fn range_end(&mut self, from: char) -> Option<char> {
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
        if !is_range {
            return Some(from);
        }
        self.rest.next();
        let to = match self.rest.next()? {
            '\\' => match self.escape()?.as_slice() {
                [(one, other)] if one == other => *one,
                _ => return None,
            },
            to => to,
        };
        (from <= to).then_some(to)
    }

    fn escape(&mut self) -> Option<Vec<(char, char)>> {
        let one = |character| Some(vec![(character, character)]);
        match self.rest.next()? {
            'd' => Some(DIGIT.to_vec()),
            'w' => Some(WORD.to_vec()),
            's' => Some(SPACE.to_vec()),
            'D' => Some(complement(DIGIT)),
            'W' => Some(complement(WORD)),
            'S' => Some(complement(SPACE)),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'x' => one(self.code(2)?),
            'u' => one(self.code(4)?),
            other if other.is_alphanumeric() => None,
            literal => one(literal),
        }
    }

    fn code(&mut self, digits: usize) -> Option<char> {
        let digits: String = self.rest.by_ref().take(digits).collect();
        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
    }

    fn counted(&mut self, item: Pattern) -> Option<Pattern> {
        let (least, most) = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.rest.next();
                let (least, most) = self.counts()?;
                self.took('?');
                return Some(Pattern::Repeat { inner: Box::new(item), least, most });
            }
            Some(_) | None => return Some(item),
        };
        self.rest.next();
        self.took('?');
        Some(Pattern::Repeat { inner: Box::new(item), least, most })
    }

    /// `3}`, `3,}` or `3,5}`.
    fn counts(&mut self) -> Option<(u64, Option<u64>)> {
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '}' => break,
                other => text.push(other),
            }
        }
        match text.split_once(',') {
            None => text.parse().ok().map(|times| (times, Some(times))),
            Some((least, "")) => least.parse().ok().map(|least| (least, None)),
            Some((least, most)) => {
                let (least, most) = (least.parse().ok()?, most.parse().ok()?);
                (least <= most).then_some((least, Some(most)))
            }
        }
    }

    fn took(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }
}

/// The printable ASCII characters outside `ranges`.
fn complement(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let (first, last) = PRINTABLE;
    (first..=last)
        .filter(|character| !ranges.iter().any(|(from, to)| (from..=to).contains(&character)))
        .map(|character| (character, character))
        .collect()
}
