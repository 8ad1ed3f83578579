//! What a chat's messages say, as far as the mock listens: the last word of the user, or of a tool.

use serde_json::Value;

/// What an answer refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conversation {
    /// The text of the last user message, empty when there is none.
    pub(super) user: String,
    /// The text of the last message, when that is a tool's or function's result.
    pub(super) result: Option<String>,
}

impl Conversation {
    pub(super) fn read(messages: &[Value]) -> Self {
        let role = |message: &Value| message.get("role").and_then(Value::as_str).map(str::to_owned);
        let is_result =
            |message: &&Value| matches!(role(message).as_deref(), Some("tool" | "function"));
        let user = messages.iter().rfind(|message| role(message).as_deref() == Some("user"));
        Self {
            user: user.map(text).unwrap_or_default(),
            result: messages.last().filter(is_result).map(text),
        }
    }
}

/// A message's text: its content, or the texts among its parts, a space between two.
pub(super) fn text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts: Vec<_> = parts.iter().filter_map(part).collect();
            texts.join(" ")
        }
        Some(_) | None => String::new(),
    }
}

fn part(part: &Value) -> Option<&str> {
    part.get("text").and_then(Value::as_str)
}

/// The most characters of a text that an answer repeats.
const REPEATED: usize = 100;

/// The sentence that an answer begins with, `None` when there is nothing to repeat.
pub(super) fn repeated(who: &str, text: &str) -> Option<String> {
    let text = text.trim();
    let beginning: String = text.chars().take(REPEATED).collect();
    let dots = if beginning.len() < text.len() { "…" } else { "" };
    (!text.is_empty()).then(|| format!("{who} said: \"{beginning}{dots}\". "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_user_message_counts_with_the_texts_of_its_parts() {
        let messages = [
            json!({"role": "user", "content": "First"}),
            json!({"role": "user", "content": [
                {"type": "text", "text": "What is"},
                {"type": "image_url", "image_url": {"url": "data:"}},
                {"type": "text", "text": "this?"},
            ]}),
            json!({"role": "assistant", "content": "A cat"}),
        ];
        let expected = Conversation { user: "What is this?".to_owned(), result: None };
        assert_eq!(Conversation::read(&messages), expected);
    }

    #[test]
    fn a_result_counts_only_as_the_last_message() {
        let tool = json!({"role": "tool", "tool_call_id": "1", "content": "12 °C"});
        let user = json!({"role": "user", "content": "Thanks"});
        assert_eq!(Conversation::read(&[tool.clone()]).result.as_deref(), Some("12 °C"));
        assert_eq!(Conversation::read(&[tool, user]).result, None);
    }

    #[test]
    fn a_long_text_is_repeated_in_part() {
        let sentence = repeated("You", &"ü".repeat(101)).unwrap();
        assert_eq!(sentence, format!("You said: \"{}…\". ", "ü".repeat(100)));
        assert_eq!(repeated("You", "  "), None);
    }
}
