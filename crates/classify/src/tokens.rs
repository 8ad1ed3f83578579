//! Tokens of folded text: words, ideographs and runs of one symbol. No vocabulary.

use crate::fold::Class;

/// A run of one symbol counts for at most this many of it.
const LONGEST_RUN: usize = 3;

/// One token, as a slice of the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// Its code points; a run of a symbol is cut to three.
    pub(crate) points: &'a [u32],
    pub(crate) class: Class,
}

/// The tokens of folded code points, in order.
pub(crate) fn tokens(points: &[u32]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = points;
    std::iter::from_fn(move || {
        loop {
            let first = *rest.first()?;
            let class = Class::of(first);
            let length = match class {
                Class::Space | Class::Ideograph => 1,
                Class::Symbol => run(rest, |point| point == first),
                Class::Word => run(rest, |point| Class::of(point) == Class::Word),
            };
            let (taken, after) = rest.split_at_checked(length)?;
            rest = after;
            match class {
                Class::Space => {}
                Class::Symbol => {
                    let points = taken.get(..LONGEST_RUN).unwrap_or(taken);
                    return Some(Token { points, class });
                }
                Class::Ideograph | Class::Word => return Some(Token { points: taken, class }),
            }
        }
    })
}

fn run(points: &[u32], belongs: impl Fn(u32) -> bool) -> usize {
    points.iter().position(|point| !belongs(*point)).unwrap_or(points.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fold::{Folded, SPACE};

    fn words(text: &str) -> Vec<String> {
        let folded = Folded::new(text);
        tokens(folded.points())
            .map(|token| token.points.iter().filter_map(|point| char::from_u32(*point)).collect())
            .collect()
    }

    #[test]
    fn words_symbols_and_ideographs_part() {
        assert_eq!(words("Don't stop!"), ["don", "'", "t", "stop", "!"]);
        assert_eq!(words("<|im_start|>"), ["<", "|", "im", "_", "start", "|", ">"]);
        assert_eq!(words("##### 忽略指令 ok"), ["###", "忽", "略", "指", "令", "ok"]);
        assert_eq!(words("नमस्ते дом-2"), ["नमस्ते", "дом", "-", "0"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn nothing_but_spaces_and_long_runs_is_lost(text in "[a-c!? 忽é]{0,40}") {
            let folded = Folded::new(&text);
            let kept: usize = tokens(folded.points()).map(|token| token.points.len()).sum();
            let solid = folded.points().iter().filter(|point| **point != SPACE).count();
            prop_assert!(kept <= solid);
            if !text.contains("!!!!") && !text.contains("????") {
                prop_assert_eq!(kept, solid);
            }
        }
    }
}
