//! The token counts of an answer, in the forms in which providers report them.
//!
//! OpenAI's names are read first. DeepSeek reports cached tokens as `prompt_cache_hit_tokens`,
//! Moonshot as `cached_tokens` beside the totals, and servers with Anthropic's or the responses
//! API behind them speak of `input_tokens` and `output_tokens`. xAI and Gemini leave reasoning out
//! of `completion_tokens` and count it in `total_tokens` only, so what the total has more than the
//! prompt is completion.

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny};

use crate::price::Usage;
use crate::units::Tokens;

/// The `usage` object of an answer or of a stream's last chunk.
///
/// A count that is not a number of tokens is taken for absent.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reported {
    #[serde(alias = "input_tokens")]
    prompt_tokens: Count,
    #[serde(alias = "output_tokens")]
    completion_tokens: Count,
    total_tokens: Count,
    #[serde(alias = "input_tokens_details")]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(alias = "output_tokens_details")]
    completion_tokens_details: Option<CompletionDetails>,
    prompt_cache_hit_tokens: Count,
    cached_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    reasoning_tokens: Count,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Count,
}

impl Reported {
    /// The usage, or `None` where neither prompt nor completion was counted.
    pub(crate) fn usage(self) -> Option<Usage> {
        let Self {
            prompt_tokens,
            completion_tokens,
            total_tokens,
            prompt_tokens_details,
            completion_tokens_details,
            prompt_cache_hit_tokens,
            cached_tokens,
            cache_read_input_tokens,
            cache_creation_input_tokens,
            reasoning_tokens,
        } = self;
        let prompt_details = prompt_tokens_details.unwrap_or_default();
        let completion_details = completion_tokens_details.unwrap_or_default();

        let counted = prompt_tokens.0.or(completion_tokens.0).or(total_tokens.0)?;
        let prompt = prompt_tokens.0.unwrap_or_else(|| match completion_tokens.0 {
            Some(completion) => total_tokens.0.unwrap_or(completion).saturating_sub(completion),
            None => counted,
        });
        let beyond_prompt = total_tokens.0.unwrap_or_default().saturating_sub(prompt);
        let completion = completion_tokens.0.unwrap_or_default().max(beyond_prompt);
        if prompt == 0 && completion == 0 {
            return None;
        }
        let cached = prompt_details
            .cached_tokens
            .or(prompt_cache_hit_tokens)
            .or(cached_tokens)
            .or(cache_read_input_tokens);
        let written = prompt_details.cache_write_tokens.or(cache_creation_input_tokens);
        let reasoning = completion_details.reasoning_tokens.or(reasoning_tokens);
        let cached = cached.0.unwrap_or_default().min(prompt);
        Some(Usage {
            prompt: Tokens(prompt),
            cached: Tokens(cached),
            cache_write: Tokens(written.0.unwrap_or_default().min(prompt - cached)),
            completion: Tokens(completion),
            reasoning: Tokens(reasoning.0.unwrap_or_default().min(completion)),
            estimated: false,
        })
    }
}

/// A number of tokens, where there is one.
#[derive(Debug, Clone, Copy, Default)]
struct Count(Option<u64>);

impl Count {
    fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor).map(Self)
    }
}

struct CountVisitor;

/// More tokens than any model reads; keeps sums of nonsense from growing.
const MOST: u64 = 1 << 40;

impl<'de> de::Visitor<'de> for CountVisitor {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number of tokens")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value).filter(|value| *value <= MOST))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(value).ok().filter(|value| *value <= MOST))
    }

    /// `12.0` is twelve tokens.
    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(format!("{value:.0}").parse().ok().filter(|whole| *whole <= MOST))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Prompt, cached, written, completion, reasoning.
    fn read(json: &str) -> Option<[u64; 5]> {
        let usage = serde_json::from_str::<Reported>(json).unwrap().usage()?;
        let Usage { prompt, cached, cache_write, completion, reasoning, estimated } = usage;
        assert!(!estimated);
        Some([prompt, cached, cache_write, completion, reasoning].map(|tokens| tokens.0))
    }

    #[test]
    fn every_providers_form_is_read() {
        #[rustfmt::skip]
        let cases = [
            // OpenAI
            (r#"{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":7,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":4,"audio_tokens":0}}"#, Some([19, 7, 0, 10, 4])),
            // embeddings
            (r#"{"prompt_tokens":8,"total_tokens":8}"#, Some([8, 0, 0, 0, 0])),
            // vLLM
            (r#"{"prompt_tokens":8,"total_tokens":10,"completion_tokens":2,"prompt_tokens_details":null}"#, Some([8, 0, 0, 2, 0])),
            // DeepSeek
            (r#"{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}"#, Some([100, 64, 0, 5, 0])),
            // Moonshot
            (r#"{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,"cached_tokens":64}"#, Some([100, 64, 0, 5, 0])),
            // xAI: reasoning beside the completion
            (r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":115,"completion_tokens_details":{"reasoning_tokens":100}}"#, Some([10, 0, 0, 105, 100])),
            // the responses API's names
            (r#"{"input_tokens":36,"input_tokens_details":{"cached_tokens":3},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":123}"#, Some([36, 3, 0, 87, 2])),
            // OpenRouter's cache writes
            (r#"{"prompt_tokens":50,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":10,"cache_write_tokens":30}}"#, Some([50, 10, 30, 1, 0])),
            // parts never exceed their whole
            (r#"{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":9,"cache_write_tokens":9},"reasoning_tokens":7}"#, Some([5, 5, 0, 1, 1])),
            (r#"{"total_tokens":7}"#, Some([7, 0, 0, 0, 0])),
            (r#"{"completion_tokens":3,"total_tokens":7}"#, Some([4, 0, 0, 3, 0])),
            (r#"{"prompt_tokens":12.0,"completion_tokens":-1}"#, Some([12, 0, 0, 0, 0])),
            (r#"{"prompt_tokens":"12","completion_tokens":[1],"total_tokens":{}}"#, None),
            (r#"{"prompt_tokens":1e300}"#, None),
            (r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#, None),
            ("{}", None),
        ];
        for (json, expected) in cases {
            assert_eq!(read(json), expected, "{json}");
        }
    }

    proptest! {
        #[test]
        fn parts_stay_within_their_whole(counts in prop::array::uniform6(any::<i64>())) {
            let [prompt, completion, total, cached, written, reasoning] = counts;
            let json = format!(
                r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total},
                "prompt_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written}}},
                "completion_tokens_details":{{"reasoning_tokens":{reasoning}}}}}"#
            );
            if let Some([prompt, cached, written, completion, reasoning]) = read(&json) {
                prop_assert!(cached + written <= prompt && reasoning <= completion);
            }
        }
    }
}
