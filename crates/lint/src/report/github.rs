//! Workflow commands that GitHub shows beside the changed lines.

use crate::finding::Finding;
use crate::rules::Severity;

fn escaped(text: &str, property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

/// Findings that are not suppressed, one annotation a line.
pub fn github(findings: &[Finding]) -> String {
    let live = findings.iter().filter(|of| of.suppressed.is_none());
    let annotation = |of: &Finding| {
        let level = match of.severity {
            Severity::Deny => "error",
            Severity::Warn => "warning",
            Severity::Info => "notice",
        };
        let title = escaped(&format!("{} ({})", of.rule, of.clause), true);
        let place = format!(
            "line={},endLine={},col={},endColumn={}",
            of.start.line, of.end.line, of.start.column, of.end.column
        );
        let message = escaped(&format!("{}\n{}", of.message, of.help), false);
        format!("::{level} file={},{place},title={title}::{message}\n", escaped(&of.path, true))
    };
    live.map(annotation).collect()
}
