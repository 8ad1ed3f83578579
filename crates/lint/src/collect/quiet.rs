//! The same text with little said in its documentation and its tables.
//!
//! A parser turns each line of documentation into an attribute with a string in it, and each number into a literal, which
//! is a good part of its work; that there is documentation, and that a table is not empty, is all that is asked of them.
//! Every other byte stays where it is.

use crate::text::{Comment, Scan, index};

/// What `/** */` and `/*! */` take.
const LEAST: usize = 6;

/// The text for the parser: of a run of `///` lines the first becomes an empty `/** */`, the others plain comments; of a
/// table of numbers the first element is left.
pub(super) fn quiet(text: &str, scan: &Scan) -> String {
    let mut quiet = Quiet { text, out: String::with_capacity(text.len()), copied: 0 };
    let mut tables = scan.tables.iter().peekable();
    let mut run: Option<(usize, &str)> = None;
    for comment in scan.comments.iter().filter(|of| of.doc) {
        while let Some(table) = tables.next_if(|table| table.start < comment.span.start) {
            quiet.blank(index(table.start), index(table.end));
        }
        quiet.document(comment, &mut run);
    }
    tables.for_each(|table| quiet.blank(index(table.start), index(table.end)));
    quiet.out.push_str(text.get(quiet.copied..).unwrap_or_default());
    quiet.out
}

struct Quiet<'t> {
    text: &'t str,
    out: String,
    /// How much of the text has been dealt with.
    copied: usize,
}

impl<'t> Quiet<'t> {
    fn copy(&mut self, to: usize) {
        self.out.push_str(self.text.get(self.copied..to).unwrap_or_default());
        self.copied = to;
    }

    /// Leaves nothing of a range but its lines.
    fn blank(&mut self, from: usize, to: usize) {
        self.copy(from);
        let lines = self.text.get(from..to).unwrap_or_default();
        self.out.extend(lines.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.copied = to;
    }

    /// One line of documentation; `run` is where the last one ended, and how it began.
    fn document(&mut self, comment: &Comment, run: &mut Option<(usize, &'t str)>) {
        let (start, end) = (index(comment.span.start), index(comment.span.end));
        let line = self.text.get(start..end).unwrap_or_default();
        let Some(mark @ ("///" | "//!")) = line.get(..3) else { return };
        let goes_on = run.is_some_and(|(last, of)| of == mark && is_blank(self.text, last, start));
        *run = Some((end, mark));
        if !goes_on && line.len() < LEAST {
            return;
        }
        self.copy(start);
        if goes_on {
            self.out.push_str("// ");
            self.copied = start + mark.len();
        } else {
            self.out.push_str(if mark == "///" { "/** */" } else { "/*! */" });
            self.out.extend(std::iter::repeat_n(' ', line.len() - LEAST));
            self.copied = end;
        }
    }
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
        quiet(text, &scan(text))
    }

    #[test]
    fn the_first_line_still_documents_and_the_rest_are_comments() {
        let text = "//! A module.\n\n/// One field’s words,\n/// and more.\nstruct A; // no\n///\nfn f() {}\n";
        let plain = "/*! */       \n\n/** */                  \n//  and more.\nstruct A; // no\n///\nfn f() {}\n";
        assert_eq!(of(text), plain);
    }

    #[test]
    fn a_table_keeps_its_first_element_and_its_lines() {
        let numbers = "1, 2,\n".repeat(50);
        let text = format!("static T: [u8; 101] = [0, {numbers}];\n/// Of f.\nfn f() {{}}");
        let quiet = of(&text);
        assert!(quiet.starts_with("static T: [u8; 101] = [0,      \n"), "{quiet}");
        assert_eq!((quiet.len(), quiet.lines().count()), (text.len(), text.lines().count()));
        assert!(quiet.ends_with("];\n/** */   \nfn f() {}") && !quiet.contains('2'), "{quiet}");
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
