//! Where one model's text ends and another's goes on.
//!
//! Two texts agree when they are the same after folding: runs of white space count as one space,
//! white space at the beginning not at all, and typographic quotes and dashes as their ASCII forms.
//! What goes out is always the end of what came in, so nothing is kept back but by not sending it.

use std::{iter::Peekable, vec};

/// The new text is not the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Diverged;

/// What still lies between the new text and the caller.
#[derive(Debug, Default)]
pub(crate) enum Seam {
    /// Nothing: text goes out as it comes.
    #[default]
    Open,
    /// The caller has got all of this kind already.
    Mute,
    /// The text that was sent, folded, of which this is left to be said again; then `spaces`.
    Repeats { left: Peekable<vec::IntoIter<char>>, begun: bool, spaced: bool, spaces: String },
    /// White space that was sent last, and is not sent again.
    Spaces { left: vec::IntoIter<char>, required: bool },
}

impl Seam {
    /// The new text begins anew and must say `sent` again before what follows goes out.
    pub(crate) fn after_repeating(sent: &str) -> Self {
        let (body, spaces) = split_spaces(sent);
        let left = folded(body).into_iter().peekable();
        if left.len() == 0 {
            return Self::after_spaces(spaces, false);
        }
        Self::Repeats { left, begun: false, spaced: false, spaces: spaces.to_owned() }
    }

    /// The new text goes on where `sent`, less the white space at its end, stops.
    pub(crate) fn after(sent: &str) -> Self {
        Self::after_spaces(split_spaces(sent).1, false)
    }

    /// Whether all that was sent has been said again.
    pub(crate) const fn is_settled(&self) -> bool {
        match self {
            Self::Open | Self::Mute | Self::Spaces { .. } => true,
            Self::Repeats { .. } => false,
        }
    }

    /// The end of `text` that the caller has not got yet.
    pub(crate) fn feed<'a>(&mut self, text: &'a str) -> Result<&'a str, Diverged> {
        match self {
            Self::Open => Ok(text),
            Self::Mute => Ok(""),
            Self::Spaces { .. } => self.skip_spaces(text),
            Self::Repeats { .. } => self.skip_repeated(text),
        }
    }

    fn after_spaces(spaces: &str, required: bool) -> Self {
        if spaces.is_empty() {
            return Self::Open;
        }
        Self::Spaces { left: spaces.chars().collect::<Vec<_>>().into_iter(), required }
    }

    fn skip_repeated<'a>(&mut self, text: &'a str) -> Result<&'a str, Diverged> {
        let Self::Repeats { left, begun, spaced, spaces } = self else { return Ok(text) };
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            if char.is_whitespace() {
                *spaced = *begun;
                continue;
            }
            let agrees = !std::mem::take(spaced) || left.next() == Some(' ');
            if !agrees || left.next() != Some(fold(char)) {
                return Err(Diverged);
            }
            *begun = true;
            if left.peek().is_none() {
                *self = Self::after_spaces(spaces, true);
                return self.feed(chars.as_str());
            }
        }
        Ok("")
    }

    fn skip_spaces<'a>(&mut self, text: &'a str) -> Result<&'a str, Diverged> {
        let Self::Spaces { left, required } = self else { return Ok(text) };
        let mut chars = text.chars();
        loop {
            let rest = chars.as_str();
            let Some(char) = chars.next() else { return Ok("") };
            // The words were apart, and now they are not.
            if std::mem::take(required) && !char.is_whitespace() {
                return Err(Diverged);
            }
            if left.next() != Some(char) {
                *self = Self::Open;
                return Ok(rest);
            }
        }
    }
}

/// `text` without the white space at its end, and that white space.
fn split_spaces(text: &str) -> (&str, &str) {
    let body = text.trim_end();
    text.split_at_checked(body.len()).unwrap_or((text, ""))
}

fn folded(text: &str) -> Vec<char> {
    let mut folded = Vec::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().map(fold));
    }
    folded
}

const fn fold(char: char) -> char {
    match char {
        '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{201B}' | '\u{2032}' => '\'',
        '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests;
