//! Log probabilities: made up, the same for the same answer, and well formed.
//!
//! The token that is said is the likeliest; each alternative is less likely than the one before it.

use serde_json::{Map, Value};

use super::{digest::Dice, wire};
use crate::gather::Gather;

/// Words offered as what could have been said instead.
const ALTERNATIVES: [&str; 24] = [
    " a", " the", " and", " of", " to", " in", " is", " it", " that", " for", " on", " with",
    " as", " at", " by", " from", " or", " an", " be", " this", " not", " but", " we", " you",
];

/// The probability of `token`, with the `top` likeliest tokens in its place.
pub(super) fn chat(token: &str, top: u64, dice: &mut Dice) -> wire::TokenLogprob {
    let said = likely(token, dice);
    let top_logprobs = likeliest(&said, top, dice);
    wire::TokenLogprob { token: said, top_logprobs }
}

/// The same in the older form, for the token that begins at `offset`.
pub(super) fn completion(
    token: &str,
    offset: usize,
    top: u64,
    dice: &mut Dice,
) -> wire::CompletionLogprobs {
    let said = likely(token, dice);
    let tops: Map<String, Value> = likeliest(&said, top, dice)
        .into_iter()
        .map(|likely| (likely.token, Value::from(likely.logprob)))
        .gather();
    wire::CompletionLogprobs {
        text_offset: vec![offset],
        token_logprobs: vec![Some(said.logprob)],
        tokens: vec![said.token],
        top_logprobs: vec![(!tops.is_empty()).then_some(tops)],
    }
}

/// The same for the first token of an echoed prompt: nothing comes before it to predict it.
pub(super) fn first(token: &str) -> wire::CompletionLogprobs {
    wire::CompletionLogprobs {
        text_offset: vec![0],
        token_logprobs: vec![None],
        tokens: vec![token.to_owned()],
        top_logprobs: vec![None],
    }
}

fn likely(token: &str, dice: &mut Dice) -> wire::Likely {
    likelihood(token, eighths(dice, 4))
}

fn likeliest(said: &wire::Likely, top: u64, dice: &mut Dice) -> Vec<wire::Likely> {
    let others = ALTERNATIVES.into_iter().filter(|other| *other != said.token);
    let mut logprob = said.logprob;
    let alternatives = others.map(|other| {
        logprob -= 0.125 + eighths(dice, 8);
        likelihood(other, -logprob)
    });
    let top = usize::try_from(top).unwrap_or(usize::MAX);
    std::iter::once(said.clone()).chain(alternatives).take(top).collect()
}

/// A multiple of one eighth, which is exact in binary: below `end` eighths.
fn eighths(dice: &mut Dice, end: u32) -> f64 {
    f64::from(u32::try_from(dice.below(u64::from(end))).unwrap_or_default()) / 8.0
}

/// A token that is said with the probability e^-`minus`.
fn likelihood(token: &str, minus: f64) -> wire::Likely {
    // Adding zero turns -0.0 into 0.0.
    wire::Likely { token: token.to_owned(), logprob: 0.0 - minus, bytes: token.as_bytes().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::digest::Digest;

    #[test]
    fn the_token_said_is_the_first_and_the_likeliest() {
        let said = chat(" the", 5, &mut Digest::of(b"x").dice());
        assert_eq!(said.top_logprobs.len(), 5);
        assert_eq!(said.top_logprobs[0], said.token);
        assert!(said.token.logprob <= 0.0);
        assert!(said.top_logprobs.windows(2).all(|pair| pair[1].logprob < pair[0].logprob));
        assert!(said.top_logprobs[1..].iter().all(|other| other.token != " the"));
    }

    #[test]
    fn twenty_alternatives_can_be_had() {
        assert_eq!(chat(" the", 20, &mut Digest::of(b"x").dice()).top_logprobs.len(), 20);
    }
}
