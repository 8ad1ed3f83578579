//! One finding a line.

use crate::finding::Finding;
use serde_json::json;

/// Findings that are not suppressed, one JSON object a line.
pub fn json_lines(findings: &[Finding]) -> String {
    let live = findings.iter().filter(|of| of.suppressed.is_none());
    let object_line = |of: &Finding| {
        let object = json!({
            "rule": of.rule, "clause": of.clause, "severity": of.severity.name(), "path": of.path,
            "line": of.start.line, "column": of.start.column, "end_line": of.end.line, "end_column": of.end.column,
            "message": of.message, "help": of.help, "fingerprint": of.fingerprint,
        });
        object.to_string() + "\n"
    };
    live.map(object_line).collect()
}
