//! One answer as it is said, token by token. A whole reply and a stream are two ways to write it.

use super::piece::pieces;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// One for each token.
    pub(super) tokens: Vec<Token>,
    pub(super) finish: Finish,
}

/// One token of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A piece of the text.
    Text(String),
    /// The beginning of the call with this position among the answer's calls.
    Call { position: usize, head: Head },
    /// A piece of that call's arguments.
    Arguments { position: usize, kind: Kind, piece: String },
}

/// Which tool is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) name: String,
}

/// The forms of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of `tools`, called with JSON.
    Function,
    /// Of `tools`, called with a text.
    Custom,
    /// Of the older `functions`.
    Legacy,
}

/// A call and what it is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) head: Head,
    pub(super) arguments: String,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    Stop,
    Length,
    ToolCalls,
    FunctionCall,
}

impl Finish {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::FunctionCall => "function_call",
        }
    }
}

impl Said {
    /// Says `text`, up to the first of `stops` and at most `most` tokens.
    pub(super) fn text(text: &str, stops: &[&str], most: Option<u64>) -> Self {
        let end = stops.iter().filter_map(|stop| text.find(stop)).min();
        let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
        let tokens = pieces(kept).map(|piece| Token::Text(piece.to_owned()));
        Self::limited(tokens.collect(), Finish::Stop, most)
    }

    /// Calls tools, saying at most `most` tokens.
    pub(super) fn calls(calls: Vec<Call>, most: Option<u64>) -> Self {
        let legacy = calls.iter().any(|call| call.head.kind == Kind::Legacy);
        let finish = if legacy { Finish::FunctionCall } else { Finish::ToolCalls };
        let tokens =
            calls.into_iter().enumerate().flat_map(|(position, call)| spell(position, &call));
        Self::limited(tokens.collect(), finish, most)
    }

    fn limited(mut tokens: Vec<Token>, finish: Finish, most: Option<u64>) -> Self {
        let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let finish = if tokens.len() > most { Finish::Length } else { finish };
        tokens.truncate(most);
        Self { tokens, finish }
    }

    /// The pieces of text, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| match token {
            Token::Text(piece) => Some(piece.as_str()),
            Token::Call { .. } | Token::Arguments { .. } => None,
        })
    }

    /// The calls, put together again.
    pub(super) fn put_together(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = Vec::new();
        for token in &self.tokens {
            match token {
                Token::Text(_) => {}
                Token::Call { position: _, head } => {
                    calls.push(Call { head: head.clone(), arguments: String::new() });
                }
                Token::Arguments { position: _, kind: _, piece } => {
                    if let Some(call) = calls.last_mut() {
                        call.arguments.push_str(piece);
                    }
                }
            }
        }
        calls
    }

    /// How many tokens were said.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.tokens.len()).unwrap_or(u64::MAX)
    }
}

fn spell(position: usize, call: &Call) -> Vec<Token> {
    let head = &call.head;
    let arguments = pieces(&call.arguments).map(|piece| Token::Arguments {
        position,
        kind: head.kind,
        piece: piece.to_owned(),
    });
    std::iter::once(Token::Call { position, head: head.clone() }).chain(arguments).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str, stops: &[&str], most: Option<u64>) -> (String, Finish) {
        let said = Said::text(text, stops, most);
        (said.pieces().collect(), said.finish)
    }

    #[test]
    fn a_text_ends_before_the_first_stop() {
        assert_eq!(
            said("one two three", &["three", "two"], None),
            ("one ".to_owned(), Finish::Stop)
        );
        assert_eq!(said("one", &["one"], None), (String::new(), Finish::Stop));
    }

    #[test]
    fn only_a_text_that_is_cut_has_the_length_for_its_end() {
        assert_eq!(said("one two", &[], Some(1)), ("one".to_owned(), Finish::Length));
        assert_eq!(said("one two", &[], Some(2)), ("one two".to_owned(), Finish::Stop));
    }

    proptest! {
        #[test]
        fn calls_are_put_together_as_they_were(arguments in proptest::collection::vec("\\PC{0,40}", 0..4)) {
            let head = |id: usize| Head { kind: Kind::Function, id: id.to_string(), name: "f".to_owned() };
            let calls: Vec<_> = arguments
                .into_iter()
                .enumerate()
                .map(|(id, arguments)| Call { head: head(id), arguments })
                .collect();
            prop_assert_eq!(Said::calls(calls.clone(), None).put_together(), calls);
        }
    }
}
