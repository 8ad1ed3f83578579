//! A completion's tokens: pieces of text, each white space and the word after it.

/// The most characters of one piece.
const LONGEST: usize = 12;

/// The pieces of `text`, none of them empty; together they are `text`.
///
/// A piece ends where white space begins after a word, and after twelve characters.
pub(super) fn pieces(text: &str) -> Pieces<'_> {
    Pieces(text)
}

/// See [`pieces`].
#[derive(Debug, Clone)]
pub(super) struct Pieces<'t>(&'t str);

impl<'t> Iterator for Pieces<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let (piece, rest) = self.0.split_at_checked(end(self.0))?;
        self.0 = rest;
        (!piece.is_empty()).then_some(piece)
    }
}

/// Where the first piece of `text` ends, in bytes.
fn end(text: &str) -> usize {
    let mut in_word = false;
    for (count, (at, character)) in text.char_indices().enumerate() {
        let is_space = character.is_whitespace();
        if count == LONGEST || (in_word && is_space) {
            return at;
        }
        in_word |= !is_space;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_piece_is_a_word_with_the_space_before_it() {
        let all = |text| pieces(text).collect::<Vec<_>>();
        assert_eq!(all("You said:  \"hi\".\n"), ["You", " said:", "  \"hi\".", "\n"]);
        assert_eq!(all("internationalization"), ["internationa", "lization"]);
        assert!(all("").is_empty());
    }

    proptest! {
        #[test]
        fn pieces_add_up_to_the_text_and_none_is_long(text in "(\\PC|\\s){0,80}") {
            prop_assert_eq!(pieces(&text).collect::<String>(), text.clone());
            for piece in pieces(&text) {
                prop_assert!((1..=LONGEST).contains(&piece.chars().count()));
            }
        }
    }
}
