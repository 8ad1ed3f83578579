//! Suppressions: `// tollhouse: allow(rule-id) -- reason`, in Rust and, with `#`, in manifests.
//!
//! A directive counts only at the start of a comment. After code it covers its own line; alone on a line it covers the
//! statement or the item that begins on the next line of code. Without a reason it has no effect.

use crate::facts::FileFacts;
use crate::text::Span;

/// One directive.
#[derive(Clone, Debug)]
pub(crate) struct Directive {
    /// The rules it names.
    pub(crate) rules: Vec<String>,
    /// Its reason; empty where none is given.
    pub(crate) reason: String,
    /// The comment.
    pub(crate) span: Span,
    /// The lines it covers, both ends included, from 1.
    pub(crate) lines: (u32, u32),
}

/// The directives of a Rust file.
pub(crate) fn directives(facts: &FileFacts, text: &str) -> Vec<Directive> {
    let comments = facts.scan.comments.iter().filter(|comment| !comment.doc);
    let mut found = Vec::new();
    for comment in comments {
        let body = comment.span.of(text).trim_start_matches(['/', '*']).trim_end_matches("*/");
        let Some((rules, reason)) = parse(body) else { continue };
        let line = facts.lines.line(comment.span.start);
        let head = Span { start: facts.lines.start_of(line), end: comment.span.start }.of(text);
        let lines = if head.trim().is_empty() { covered(facts, text, line) } else { (line, line) };
        found.push(Directive { rules, reason, span: comment.span, lines });
    }
    found
}

/// The directives of a manifest: each covers its own line and the next.
pub(crate) fn manifest_directives(text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, line) in (1u32..).zip(text.split_inclusive('\n')) {
        if let Some(hash) = line.find('#')
            && let Some((rules, reason)) = line.get(hash + 1..).and_then(parse)
        {
            let span = Span::new(start + hash, start + line.trim_end().len());
            found.push(Directive { rules, reason, span, lines: (at, at + 1) });
        }
        start += line.len();
    }
    found
}

/// `tollhouse: allow(a, b) -- reason`.
fn parse(body: &str) -> Option<(Vec<String>, String)> {
    let rest = body
        .trim_start()
        .strip_prefix("tollhouse:")?
        .trim_start()
        .strip_prefix("allow")?
        .trim_start();
    let (rules, rest) = rest.strip_prefix('(')?.split_once(')')?;
    let reason = rest.trim_start().strip_prefix("--").map(str::trim).unwrap_or_default();
    let rules = rules
        .split(',')
        .map(|rule| rule.trim().to_owned())
        .filter(|rule| !rule.is_empty())
        .collect();
    Some((rules, reason.to_owned()))
}

/// From the next line of code to the end of what begins there.
fn covered(facts: &FileFacts, text: &str, line: u32) -> (u32, u32) {
    let mut first = line + 1;
    while first <= facts.lines.count() {
        let span = Span {
            start: facts.lines.start_of(first),
            end: facts.lines.start_of(first + 1).max(facts.lines.start_of(first)),
        };
        let body = if first == facts.lines.count() {
            text.get(crate::text::index(span.start)..).unwrap_or_default()
        } else {
            span.of(text)
        };
        let body = body.trim();
        if !body.is_empty() && !body.starts_with("//") && !body.starts_with("#[") {
            break;
        }
        first += 1;
    }
    let begins = |span: Span| facts.lines.line(span.start) == first;
    let items = facts
        .fns
        .iter()
        .map(|of| of.item)
        .chain(facts.structs.iter().map(|of| of.item))
        .chain(facts.consts.iter().map(|of| of.item));
    let nodes = facts.nodes.iter().map(|node| node.span);
    let last = items
        .chain(nodes)
        .filter(|span| begins(*span))
        .map(|span| facts.lines.line(span.end.saturating_sub(1)))
        .max();
    (first, last.unwrap_or(first).max(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::collect;

    fn lines(text: &str) -> Vec<(u32, u32)> {
        directives(&collect("a.rs", text), text).into_iter().map(|d| d.lines).collect()
    }

    #[test]
    fn a_directive_after_code_covers_its_line() {
        assert_eq!(lines("fn f() {} // tollhouse: allow(a) -- b\nfn g() {}"), [(1, 1)]);
    }

    #[test]
    fn a_directive_above_covers_the_item_that_follows() {
        assert_eq!(lines("// tollhouse: allow(a) -- b\n#[inline]\nfn f() {\n  1;\n}\n"), [(3, 5)]);
    }

    #[test]
    fn a_directive_counts_only_at_the_start_of_a_comment() {
        assert!(
            lines("// see tollhouse: allow(a) -- b\nlet x = \"// tollhouse: allow(a) -- b\";")
                .is_empty()
        );
    }

    #[test]
    fn a_manifest_takes_a_hash() {
        let found = manifest_directives(
            "[package]\n# tollhouse: allow(no-health-route) -- behind a proxy\nname = \"a\"\n",
        );
        assert_eq!(found[0].lines, (2, 3));
        assert_eq!(found[0].reason, "behind a proxy");
    }
}
