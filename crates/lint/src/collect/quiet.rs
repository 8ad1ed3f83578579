//! The same text with little said in its documentation.
//!
//! A parser turns each line of documentation into an attribute with a string in it, which is a good part of its work;
//! that there is documentation is all that is asked of it. Every other byte stays where it is.

use crate::text::{Comment, index};

/// What `/** */` and `/*! */` take.
const LEAST: usize = 6;

/// The text for the parser: of a run of `///` lines the first becomes an empty `/** */`, the others plain comments.
pub(super) fn quiet(text: &str, comments: &[Comment]) -> String {
    let mut quiet = String::with_capacity(text.len());
    let mut copied = 0;
    let mut run: Option<(usize, &str)> = None;
    for comment in comments.iter().filter(|of| of.doc) {
        let (start, end) = (index(comment.span.start), index(comment.span.end));
        let line = text.get(start..end).unwrap_or_default();
        let Some(mark @ ("///" | "//!")) = line.get(..3) else { continue };
        let goes_on = run.is_some_and(|(last, of)| of == mark && is_blank(text, last, start));
        run = Some((end, mark));
        if !goes_on && line.len() < LEAST {
            continue;
        }
        quiet.push_str(text.get(copied..start).unwrap_or_default());
        if goes_on {
            quiet.push_str("// ");
            copied = start + mark.len();
        } else {
            quiet.push_str(if mark == "///" { "/** */" } else { "/*! */" });
            quiet.extend(std::iter::repeat_n(' ', line.len() - LEAST));
            copied = end;
        }
    }
    quiet.push_str(text.get(copied..).unwrap_or_default());
    quiet
}

fn is_blank(text: &str, from: usize, to: usize) -> bool {
    text.get(from..to).is_some_and(|between| between.bytes().all(|b| b.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::scan;
    use proptest::prelude::*;

    fn of(text: &str) -> String {
        quiet(text, &scan(text).comments)
    }

    #[test]
    fn the_first_line_still_documents_and_the_rest_are_comments() {
        let text = "//! A module.\n\n/// One field’s words,\n/// and more.\nstruct A; // no\n///\nfn f() {}\n";
        let plain = "/*! */       \n\n/** */                  \n//  and more.\nstruct A; // no\n///\nfn f() {}\n";
        assert_eq!(of(text), plain);
    }

    proptest! {
        #[test]
        fn what_follows_a_line_of_documentation_stays_where_it_is(
            lines in prop::collection::vec("(///|//!|//|/\\*\\* a \\*/)?[ a-zé]{0,9}", 0..12),
        ) {
            let text = lines.join("\n");
            let quiet = of(&text);
            prop_assert_eq!(quiet.len(), text.len());
            for (at, (before, after)) in text.bytes().zip(quiet.bytes()).enumerate() {
                prop_assert_eq!(before == b'\n', after == b'\n', "at {}", at);
            }
        }
    }
}
