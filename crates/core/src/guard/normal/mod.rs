//! The views of a text that are to be judged: as it is, as a reader sees it, and what is encoded in
//! it.
//!
//! Nothing is decided here. Whoever judges, judges every view and believes the worst. The work is
//! bounded: [`MAX_VIEWS`] views, of which decoded ones hold at most [`MAX_DECODED`] bytes together.

mod disguise;
mod escape;
mod glyph;
mod joined;
mod leet;
mod likeness;
mod probe;
mod spaced;

use std::ops::Range;

pub use glyph::Normal;

/// How many views of one text there are at most, itself included.
pub const MAX_VIEWS: usize = 12;
/// How many bytes are decoded of one text at most.
pub const MAX_DECODED: usize = 32 << 10;

/// How a view came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum How {
    /// The text as it is.
    AsIs,
    /// Disguises are taken off.
    Normalised,
    /// Characters nobody sees that spell a text.
    Unseen,
    /// Escapes of JSON, HTML or URLs are resolved.
    Unescaped,
    /// Digits and signs stand for letters.
    Leet,
    /// Words that were run together are apart.
    Apart,
    /// Letters are moved by half the alphabet.
    Rot13,
    /// The text runs backwards.
    Reversed,
    /// Base64.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Zeros and ones.
    Binary,
}

/// One view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// How it came about.
    pub how: How,
    /// What it says.
    pub text: String,
    /// The bytes of the original text that it was made of.
    pub place: Range<usize>,
}

/// `text` as a reader sees it: NFKC, without what nobody sees, with look-alike letters in words of
/// Latin ones and letters spaced apart put back. `None` where that is the text itself.
///
/// ```
/// use tollhouse_core::guard::normal::normalise;
///
/// let seen = normalise("please i g n o r e ｔｈａｔ а\u{200b}ll").unwrap();
/// assert_eq!(seen.text(), "please ignore that аll".replace('а', "a"));
/// assert_eq!(seen.origin(7..13), 7..18);
/// ```
pub fn normalise(text: &str) -> Option<Normal> {
    let mut glyphs = glyph::read(text);
    disguise::take_off(&mut glyphs);
    spaced::close_up(&mut glyphs);
    let normal = Normal::of(glyphs);
    (normal.text() != text).then_some(normal)
}

/// Every view of `text` but itself, the normalised one first.
pub fn views(text: &str) -> Vec<View> {
    let whole = 0..text.len();
    let mut views = Vec::new();
    let normal = normalise(text).map(Normal::into_text);
    probe::look(text, &whole, &mut views);
    if let Some(normal) = normal {
        // What only shows itself once disguises are off.
        if views.is_empty() {
            probe::look(&normal, &whole, &mut views);
        }
        views.insert(0, View { how: How::Normalised, text: normal, place: whole });
    }
    let inner: Vec<View> = views.iter().filter(|view| view.how.is_decoded()).cloned().collect();
    for view in inner {
        probe::look(&view.text, &view.place, &mut views);
        if let Some(normal) = normalise(&view.text) {
            views.push(View { how: view.how, text: normal.into_text(), place: view.place });
        }
    }
    views.truncate(MAX_VIEWS - 1);
    views
}

impl How {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsIs => "as-is",
            Self::Normalised => "normalised",
            Self::Unseen => "unseen",
            Self::Unescaped => "unescaped",
            Self::Leet => "leet",
            Self::Apart => "apart",
            Self::Rot13 => "rot13",
            Self::Reversed => "reversed",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Binary => "binary",
        }
    }

    /// Whether it was decoded, so that it may hold something encoded once more.
    const fn is_decoded(self) -> bool {
        match self {
            Self::AsIs | Self::Normalised | Self::Leet | Self::Apart => false,
            Self::Unseen
            | Self::Unescaped
            | Self::Rot13
            | Self::Reversed
            | Self::Base64
            | Self::Hex
            | Self::Binary => true,
        }
    }
}

#[cfg(test)]
mod tests;
