//! Events as receivers want them.
//!
//! Sources: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/>,
//! <https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>.

use serde_json::{Map, Value, json};

use super::{Event, Phase};
use crate::config::valid::ReceiverKind;

/// The longest summary that `PagerDuty` takes, in characters.
const LONGEST_SUMMARY: usize = 1024;

/// The body to post. `routing_key` is `PagerDuty`'s; the others read none.
pub fn body(kind: ReceiverKind, event: &Event, routing_key: &str) -> String {
    match kind {
        ReceiverKind::Json => Value::Object(fields(event)).to_string(),
        ReceiverKind::Slack => slack(event).to_string(),
        ReceiverKind::PagerDuty => pagerduty(event, routing_key).to_string(),
    }
}

/// The event as a line of the log.
pub fn log_line(event: &Event) -> String {
    let level = match event.phase {
        Phase::Firing => "error",
        Phase::Resolved => "info",
    };
    let mut line = fields(event);
    line.insert("level".to_owned(), json!(level));
    line.insert("event".to_owned(), json!("alert"));
    Value::Object(line).to_string()
}

fn fields(event: &Event) -> Map<String, Value> {
    let Event { phase, finding, since, at } = event;
    let fields = [
        ("source", json!("tollhouse")),
        ("key", json!(event.key())),
        ("status", json!(phase.name())),
        ("rule", json!(finding.rule.name())),
        ("subject", json!(finding.subject)),
        ("severity", json!(finding.severity.name())),
        ("summary", json!(finding.summary)),
        ("since_ms", json!(since.0)),
        ("at_ms", json!(at.0)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn slack(event: &Event) -> Value {
    let sign = match event.phase {
        Phase::Firing => ":rotating_light:",
        Phase::Resolved => ":white_check_mark:",
    };
    // The three characters that Slack's text gives a meaning.
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let (status, key) = (event.phase.name(), escaped(&event.key()));
    json!({ "text": format!("{sign} *{status}* `{key}`\n{}", escaped(&event.finding.summary)) })
}

fn pagerduty(event: &Event, routing_key: &str) -> Value {
    let action = match event.phase {
        Phase::Firing => "trigger",
        Phase::Resolved => "resolve",
    };
    let finding = &event.finding;
    let summary: String = finding.summary.chars().take(LONGEST_SUMMARY).collect();
    // Letters, digits and a few signs, at most 255 of them.
    let dedup_key: String = format!("tollhouse {}", event.key()).chars().take(255).collect();
    json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key,
        "payload": {
            "summary": summary,
            "source": "tollhouse",
            "severity": finding.severity.name(),
            "component": finding.subject,
            "class": finding.rule.name(),
            "custom_details": { "since_ms": event.since.0 },
        },
    })
}
