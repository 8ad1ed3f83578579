//! What a provider does with one call.

use serde_json::json;

/// One thing that a provider does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing happens for this many milliseconds.
    Wait(u64),
    /// Bytes of the body come.
    Piece(Vec<u8>),
    /// The connection breaks.
    Cut,
    /// Nothing happens any more.
    Stall,
}

/// What a provider does with one call: its head at once or after a wait, then its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Play {
    /// The status; 0 refuses the connection.
    pub status: u16,
    /// `content-type`.
    pub content_type: &'static str,
    /// `retry-after`, in seconds.
    pub retry_after: Option<u64>,
    /// Milliseconds until the head.
    pub latency: u64,
    /// The body.
    pub body: Vec<Step>,
}

impl Play {
    /// No connection.
    pub fn refused() -> Self {
        Self::of(0, "", Vec::new())
    }

    /// Silence for ever.
    pub fn silence() -> Self {
        Self { latency: u64::MAX, ..Self::refused() }
    }

    /// A whole answer.
    pub fn whole(text: &str) -> Self {
        let message = json!({"role": "assistant", "content": text});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
        let body =
            json!({"id": "c", "object": "chat.completion", "choices": [choice], "usage": usage});
        Self::json(200, &body.to_string())
    }

    /// A JSON reply.
    pub fn json(status: u16, body: &str) -> Self {
        Self::of(status, "application/json", vec![Step::Piece(body.into())])
    }

    /// An error of the provider's.
    pub fn error(status: u16, code: &str) -> Self {
        let error = json!({"message": format!("it says {code}"), "type": "t", "code": code});
        Self::json(status, &json!({ "error": error }).to_string())
    }

    /// A stream of these steps.
    pub fn stream(body: Vec<Step>) -> Self {
        Self::of(200, "text/event-stream", body)
    }

    /// A stream that says `words`, a chunk each, and ends well, with its usage.
    pub fn words(words: &[&str]) -> Self {
        let mut play = Self::begun(words);
        play.body.push(Step::Piece(event(&json!({"id": "chatcmpl-1", "created": 1, "choices": [
            {"index": 0, "delta": {}, "finish_reason": "stop"}
        ]}))));
        let count = words.len();
        play.body.push(Step::Piece(event(
            &json!({"id": "chatcmpl-1", "created": 1, "choices": [], "usage": {
                "prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count
            }}),
        )));
        play.body.push(Step::Piece(b"data: [DONE]\n\n".to_vec()));
        play
    }

    /// A stream that says `words` and then nothing more; what follows is added.
    pub fn begun(words: &[&str]) -> Self {
        let role = event(&json!({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}
        ]}));
        let word = |word: &&str| {
            Step::Piece(event(&json!({"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [
                {"index": 0, "delta": {"content": word}, "finish_reason": null}
            ]})))
        };
        let body = std::iter::once(Step::Piece(role)).chain(words.iter().map(word)).collect();
        Self::stream(body)
    }

    /// The same, and then this.
    pub fn then(mut self, step: Step) -> Self {
        self.body.push(step);
        self
    }

    /// The same, its chunks' id being `id`.
    pub fn named(mut self, id: &str) -> Self {
        for step in &mut self.body {
            if let Step::Piece(bytes) = step {
                *bytes = String::from_utf8_lossy(bytes).replace("chatcmpl-1", id).into_bytes();
            }
        }
        self
    }

    /// The same, asking to be left alone for `seconds`.
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same, its body cut into pieces of `length` bytes.
    pub fn in_pieces_of(mut self, length: usize) -> Self {
        let body = std::mem::take(&mut self.body);
        self.body = body
            .into_iter()
            .flat_map(|step| match step {
                Step::Piece(bytes) => {
                    bytes.chunks(length.max(1)).map(|part| Step::Piece(part.to_vec())).collect()
                }
                other => vec![other],
            })
            .collect();
        self
    }

    const fn of(status: u16, content_type: &'static str, body: Vec<Step>) -> Self {
        Self { status, content_type, retry_after: None, latency: 1, body }
    }
}

fn event(data: &serde_json::Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}
