//! SARIF 2.1.0, as code scanning reads it: rule metadata, regions, partial fingerprints, suppressions.

use crate::finding::Finding;
use crate::rules::{Rule, Rules, Severity};
use serde_json::{Value, json};

/// GitHub takes no more results than this in one run.
const MAX_RESULTS: usize = 25_000;

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Deny => "error",
        Severity::Warn => "warning",
        Severity::Info => "note",
    }
}

fn rule(of: &Rule) -> Value {
    json!({
        "id": of.id,
        "name": of.id,
        "shortDescription": { "text": format!("{}: {}", of.clause, of.id.replace('-', " ")) },
        "fullDescription": { "text": of.why },
        "help": { "text": of.help, "markdown": format!("{}\n\n{}", of.why, of.help) },
        "defaultConfiguration": { "level": level(of.severity) },
        "properties": { "tags": [format!("clause/{}", of.clause)], "precision": if of.severity == Severity::Deny { "very-high" } else { "high" } },
    })
}

fn result(of: &Finding, index: usize) -> Value {
    let mut result = json!({
        "ruleId": of.rule,
        "ruleIndex": index,
        "level": level(of.severity),
        "message": { "text": of.message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&of.path), "uriBaseId": "%SRCROOT%" },
                "region": { "startLine": of.start.line, "startColumn": of.start.column, "endLine": of.end.line, "endColumn": of.end.column },
            },
        }],
        "partialFingerprints": { "tollhouse/v1": of.fingerprint },
    });
    if let (Some(reason), Some(object)) = (&of.suppressed, result.as_object_mut()) {
        object.insert(
            "suppressions".to_owned(),
            json!([{ "kind": "inSource", "justification": reason }]),
        );
    }
    result
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(byte).collect()
}

/// A run's findings, suppressed ones included.
pub fn sarif(findings: &[Finding], rules: &Rules, version: &str) -> String {
    let ids: Vec<&Rule> = rules.iter().collect();
    let place = |id: &str| ids.iter().position(|rule| rule.id == id).unwrap_or_default();
    let results: Vec<Value> =
        findings.iter().take(MAX_RESULTS).map(|of| result(of, place(&of.rule))).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tollhouse",
                "informationUri": "https://github.com/tollhouse/tollhouse",
                "semanticVersion": version,
                "rules": ids.iter().map(|of| rule(of)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "the folder linted" } } },
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}
