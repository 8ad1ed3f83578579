//! One visit of one file: source text in, [`FileFacts`] out.
//!
//! Bytes are lexed first; what a recursive parser could not survive is refused there. Spans are turned into byte ranges
//! during the visit, because proc-macro2's source map grows for ever and its spans cannot leave the thread.

mod attr;
mod expr;
mod items;
mod lower;
mod macros;
mod pat;
mod quiet;
mod stmt;
mod ty;

use crate::facts::{FileFacts, ModFact};
use crate::text::{Lines, Span, index, offset, scan};
use lower::{Lower, Places};

/// Deepest bracket nesting that is parsed.
pub(crate) const MAX_DEPTH: usize = 160;
/// Longest run of operators without a separator that is parsed.
pub(crate) const MAX_RUN: usize = 4000;

/// Reads the facts of one file. `path` is relative to the folder linted.
///
/// The caller's thread needs a stack of 16 MiB or more for the deepest source that is accepted.
pub fn collect(path: &str, text: &str) -> FileFacts {
    let mut facts = lexed(path, text);
    if facts.broken.is_none() {
        match syn::parse_file(&quiet::quiet(text, &facts.scan)) {
            Ok(file) => Lower::new(text, &mut facts).file(&file),
            Err(error) => {
                facts.broken = Some((error.to_string(), error_span(text, &facts.lines, &error)));
            }
        }
        proc_macro2::extra::invalidate_current_thread_spans();
    }
    facts
}

/// What a lexer alone can tell of a file: enough for one that holds nothing of interest.
pub fn lexed(path: &str, text: &str) -> FileFacts {
    let scan = scan(text);
    let broken = refusal(&scan, text);
    FileFacts {
        path: path.to_owned(),
        lines: Lines::of(text),
        scan,
        mods: vec![ModFact { inline: true, ..ModFact::default() }],
        broken,
        ..FileFacts::default()
    }
}

/// What a lexer alone can tell of a file on which [`collect`] panicked: it is a finding, not a silence.
pub fn given_up(path: &str, text: &str) -> FileFacts {
    let reason = "the linter itself failed on this file, which is a fault worth reporting";
    let mut facts = lexed(path, text);
    facts.broken.get_or_insert_with(|| (reason.to_owned(), Span::default()));
    facts
}

fn refusal(scan: &crate::text::Scan, text: &str) -> Option<(String, Span)> {
    let whole = Span::new(0, text.find('\n').unwrap_or(text.len()));
    if scan.depth > MAX_DEPTH {
        return Some((
            format!("brackets nest {} deep, the limit is {MAX_DEPTH}", scan.depth),
            whole,
        ));
    }
    if scan.run > MAX_RUN {
        return Some((
            format!("one expression holds {} operators, the limit is {MAX_RUN}", scan.run),
            whole,
        ));
    }
    scan.unbalanced.map(|span| ("a bracket is not closed, or closes nothing".to_owned(), span))
}

fn error_span(text: &str, lines: &Lines, error: &syn::Error) -> Span {
    let places = Places::of(text);
    let length = offset(text.len());
    let start = places.byte(text, lines, error.span().start()).min(length);
    let end = places.byte(text, lines, error.span().end()).clamp(start, length);
    let span = Span { start, end: end.max((start + 1).min(length)) };
    if text.is_char_boundary(index(span.end)) { span } else { Span { start, end: start } }
}
