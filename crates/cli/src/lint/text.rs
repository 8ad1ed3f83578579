//! Findings for people: the code, what is wrong with it, what to do, and a summary by clause.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use tollhouse_lint::{Finding, Report, Rules, Severity};

/// Where every rule is explained; its id is the anchor.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/crates/lint/RULES.md");
/// A frame shows at most this many lines of a finding.
const LINES: usize = 6;

/// The whole report.
pub(super) fn render(root: &Path, report: &Report, rules: &Rules, statistics: bool) -> String {
    let live: Vec<&Finding> = report.findings.iter().filter(|of| of.suppressed.is_none()).collect();
    let mut out = String::new();
    let mut cached: (String, String) = Default::default();
    for of in &live {
        if cached.0 != of.path {
            cached =
                (of.path.clone(), std::fs::read_to_string(root.join(&of.path)).unwrap_or_default());
        }
        out.push_str(&frame(of, &cached.1));
        out.push('\n');
    }
    if statistics {
        out.push_str(&by_rule(&live, rules));
    }
    out.push_str(&summary(&live, report));
    out
}

fn frame(of: &Finding, text: &str) -> String {
    let level = match of.severity {
        Severity::Deny => Level::ERROR,
        Severity::Warn => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level
        .primary_title(of.message.as_str())
        .id(format!("{} {}", of.rule, of.clause))
        .id_url(format!("{PAGES}#{}", of.rule));
    let (source, first, range) = window(of, text);
    let group = if source.is_empty() {
        title.element(Level::NOTE.message(format!("in {}", of.path)))
    } else {
        let snippet = Snippet::source(source).line_start(first).path(of.path.as_str());
        title.element(snippet.annotation(AnnotationKind::Primary.span(range)))
    };
    let group = group
        .element(Level::HELP.message(format!("{} (`tollhouse explain {}`)", of.help, of.rule)));
    let links = supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout);
    Renderer::styled().decor_style(DecorStyle::Ascii).hyperlink(links).render(&[group]) + "\n"
}

/// The lines a finding lies on, the number of the first, and the finding's range within them.
fn window<'t>(of: &Finding, text: &'t str) -> (&'t str, usize, std::ops::Range<usize>) {
    let start = of.range.start.min(text.len());
    let from = text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(from..).unwrap_or_default();
    let mut to = from;
    for line in rest.split_inclusive('\n').take(LINES) {
        to += line.len();
        if to >= of.range.end {
            break;
        }
    }
    let source = text.get(from..to).unwrap_or_default();
    let end = of.range.end.min(to).max(start) - from;
    let line = usize::try_from(of.start.line).unwrap_or(1);
    let trimmed = source.trim_end().len();
    (source, line, (start - from).min(trimmed)..end.min(trimmed).max((start - from).min(trimmed)))
}

fn by_rule(live: &[&Finding], rules: &Rules) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for of in live {
        *counts.entry(&of.rule).or_default() += 1;
    }
    let mut sorted: Vec<(&str, usize)> = counts.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut out = String::new();
    for (rule, count) in sorted {
        let clause = rules.get(rule).map_or("", |rule| rule.clause.as_str());
        let _ = writeln!(out, "{count:>6}  {rule} ({clause})");
    }
    out.push('\n');
    out
}

fn summary(live: &[&Finding], report: &Report) -> String {
    let mut clauses: BTreeMap<&str, usize> = BTreeMap::new();
    for of in live {
        *clauses.entry(&of.clause).or_default() += 1;
    }
    let of = |severity: Severity| live.iter().filter(|of| of.severity == severity).count();
    let suppressed = report.findings.len() - live.len();
    let mut out = format!("{} files, {} model calls", report.files, report.calls);
    if live.is_empty() {
        out.push_str(": nothing to report");
    } else {
        let _ = write!(
            out,
            ": {} deny, {} warn, {} info",
            of(Severity::Deny),
            of(Severity::Warn),
            of(Severity::Info)
        );
        let list: Vec<String> =
            clauses.iter().map(|(clause, count)| format!("{clause} {count}")).collect();
        let _ = write!(out, "\nby clause: {}", list.join(", "));
    }
    if suppressed > 0 {
        let _ = write!(out, "\n{suppressed} suppressed");
    }
    out.push('\n');
    out
}
