//! What a provider has written, kept to be counted in tokens if it does not say how many they were.

use serde::Deserialize;

use super::chunk::{Delta, Text};
use crate::{
    tokens::{self, Millitokens},
    units::Tokens,
};

/// Text that is kept, over all choices, in bytes. What is more is counted at once and let go, so
/// that most answers, whose provider reports its usage, cost no counting.
const MAX_KEPT: usize = 64 * 1024;

/// The text of an answer's choices, or how many tokens it was.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    choices: Vec<String>,
    /// Bytes in `choices`.
    pub(super) kept: usize,
    counted: Millitokens,
}

impl Tally {
    /// The text of a whole answer. Bytes that are none have no tokens.
    pub fn of_reply(body: &[u8]) -> Self {
        let answer: Answer<'_> = serde_json::from_slice(body).unwrap_or_default();
        let mut tally = Self::default();
        for (index, choice) in answer.choices.iter().flatten().enumerate() {
            tally.add(index, choice.text.as_ref().map_or("", |text| &text.0));
            for text in choice.message.iter().flat_map(Delta::texts) {
                tally.add(index, text);
            }
        }
        tally
    }

    /// Adds what choice `index` says next.
    pub(super) fn add(&mut self, index: usize, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.choices.len() <= index {
            self.choices.resize(index.saturating_add(1), String::new());
        }
        if let Some(choice) = self.choices.get_mut(index) {
            choice.push_str(text);
            self.kept = self.kept.saturating_add(text.len());
        }
        if self.kept > MAX_KEPT {
            self.counted = self.millitokens();
            self.choices.iter_mut().for_each(String::clear);
            self.kept = 0;
        }
    }

    /// The tokens so far, as a tokenizer counts them.
    pub fn tokens(&self) -> Tokens {
        self.millitokens().round_up()
    }

    fn millitokens(&self) -> Millitokens {
        self.choices.iter().map(|text| tokens::count(text)).fold(self.counted, Millitokens::plus)
    }
}

/// A whole answer's text.
#[derive(Default, Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    message: Option<Delta<'a>>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_answer_is_counted_by_its_text_alone() {
        let text = "A short answer of a few words, and no more.";
        let body = serde_json::json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        });
        assert_eq!(
            Tally::of_reply(body.to_string().as_bytes()).tokens(),
            tokens::count(text).round_up()
        );
        let completion = serde_json::json!({"choices": [{"index": 0, "text": text}]});
        assert_eq!(
            Tally::of_reply(completion.to_string().as_bytes()).tokens(),
            tokens::count(text).round_up()
        );
        assert_eq!(Tally::of_reply(b"{\"data\":[]}").tokens(), Tokens(0));
        assert_eq!(Tally::of_reply(b"<html>").tokens(), Tokens(0));
    }

    #[test]
    fn arguments_of_tools_are_text_too() {
        let body = br#"{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_123456789",
            "type":"function","function":{"name":"find","arguments":"{\"from\":\"LIS\",\"to\":\"HEL\"}"}}]}}]}"#;
        let tokens = Tally::of_reply(body).tokens().0;
        assert!((9..=20).contains(&tokens), "{tokens}");
    }

    #[test]
    fn a_long_answer_is_let_go_and_stays_counted() {
        let mut tally = Tally::default();
        let sentence = " It goes on and on.";
        let times = 20_000;
        (0..times).for_each(|_| tally.add(0, sentence));
        assert!(tally.kept <= MAX_KEPT && tally.choices.iter().all(|text| text.len() <= MAX_KEPT));
        let each = tokens::count(sentence).0;
        let all = tally.tokens().0 * 1000;
        assert!(all.abs_diff(each * times) <= each * times / 10, "{all} for {times} times {each}");
    }
}
