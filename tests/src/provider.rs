//! A provider that does exactly what it is told, on raw sockets, and writes down what it saw.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::{Value, json};

/// One step of an answer.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits this long, or until the gateway hangs up.
    Wait(Duration),
    /// Sends nothing more, until the gateway hangs up.
    Stall,
    /// Ends the connection with a reset.
    Reset,
    /// Ends the connection in good order.
    Close,
}

/// What the provider was asked.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The path.
    pub path: String,
    /// The header lines.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it came, since the provider started.
    pub at: Duration,
    /// Whether the gateway hung up before the answer was complete.
    pub cancelled: bool,
}

impl Seen {
    /// The body as JSON, `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

type Script = dyn Fn(usize, &Seen) -> Vec<Step> + Send + Sync;

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
    forgets: bool,
}

/// A provider listening on this machine.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Provider {
    /// Answers every call with what `script` says for it; calls are counted from 0.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn start(
        script: impl Fn(usize, &Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::listen(Arc::new(script), Arc::new(Shared::default()))
    }

    /// Like [`start`](Self::start), but keeps nothing of what comes in: [`seen`](Self::seen) stays
    /// empty, and `script` gets 0 as the number of every call.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn start_forgetting(
        script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Result<Self> {
        let shared = Shared { forgets: true, ..Shared::default() };
        Self::listen(Arc::new(move |_, seen: &Seen| script(seen)), Arc::new(shared))
    }

    fn listen(script: Arc<Script>, shared: Arc<Shared>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let inner = shared.clone();
        let began = Instant::now();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, shared) = (script.clone(), inner.clone());
                thread::spawn(move || serve(&stream, &script, &shared, began));
            }
        });
        Ok(Self { address, shared })
    }

    /// Plays one answer a call, in order, then the last one for ever.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn playing(answers: Vec<Vec<Step>>) -> Result<Self> {
        let rest = Mutex::new(VecDeque::from(answers));
        Self::start(move |_, _| {
            let mut rest = rest.lock().unwrap_or_else(PoisonError::into_inner);
            if rest.len() > 1 { rest.pop_front() } else { rest.front().cloned() }
                .unwrap_or_default()
        })
    }

    /// The base address for a configuration: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The address without a path.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has come in so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `holds` is true of what has come in, at most ten seconds; returns whether it is.
    pub fn wait_until(&self, holds: impl Fn(&[Seen]) -> bool) -> bool {
        let seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = Duration::from_secs(10);
        let result = self.shared.changed.wait_timeout_while(seen, limit, |seen| !holds(seen));
        result.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }
}

/// A whole JSON reply.
pub fn json_reply(status: u16, headers: &[(&str, &str)], body: &Value) -> Vec<Step> {
    reply(status, "application/json", headers, body.to_string().as_bytes())
}

/// A whole reply of any type.
pub fn reply(status: u16, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<Step> {
    let mut head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head = format!("{head}{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// The head of an event stream; send [`event`]s after it and [`end_of_stream`] last.
pub fn stream_head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// One event with this data.
pub fn event(data: &str) -> Step {
    raw_chunk(format!("data: {data}\n\n").as_bytes())
}

/// Bytes as they are, as one HTTP chunk.
pub fn raw_chunk(bytes: &[u8]) -> Step {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    Step::Send(chunk)
}

/// The end of a chunked body.
pub fn end_of_stream() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// A chat completion that says `content`.
pub fn completion(content: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "upstream-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    })
}

/// An OpenAI error body.
pub fn error(message: &str, kind: &str, code: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

/// A whole chat stream that says `words`, with usage last.
pub fn chat_stream(words: &[&str]) -> Vec<Step> {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
               "model": "upstream-model",
               "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        .to_string()
    };
    let mut steps = vec![stream_head(), event(&chunk(json!({"role": "assistant"}), Value::Null))];
    for word in words {
        steps.push(event(&chunk(json!({ "content": word }), Value::Null)));
    }
    steps.push(event(&chunk(json!({}), json!("stop"))));
    steps.push(event(
        &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
                "model": "upstream-model", "choices": [],
                "usage": {"prompt_tokens": 10, "completion_tokens": words.len(), "total_tokens": 10 + words.len()}})
        .to_string(),
    ));
    steps.push(event("[DONE]"));
    steps.push(end_of_stream());
    steps
}

fn serve(stream: &TcpStream, script: &Arc<Script>, shared: &Shared, began: Instant) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some(seen) = read_request(&mut reader, began) {
        let index = if shared.forgets {
            0
        } else {
            let mut all = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(seen.clone());
            shared.changed.notify_all();
            all.len() - 1
        };
        match play(stream, script(index, &seen)) {
            Played::Whole => {}
            Played::Ended => return,
            Played::Cancelled => {
                let mut all = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(seen) = all.get_mut(index) {
                    seen.cancelled = true;
                }
                shared.changed.notify_all();
                return;
            }
        }
    }
}

enum Played {
    Whole,
    Ended,
    Cancelled,
}

fn play(mut stream: &TcpStream, steps: Vec<Step>) -> Played {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return Played::Cancelled;
                }
            }
            Step::Wait(length) if hung_up_within(stream, Some(length)) => return Played::Cancelled,
            Step::Wait(_) => {}
            Step::Stall => {
                hung_up_within(stream, None);
                return Played::Cancelled;
            }
            Step::Reset => {
                reset(stream);
                return Played::Ended;
            }
            Step::Close => return Played::Ended,
        }
    }
    Played::Whole
}

/// Whether the other side closes within `length` (`None`: however long it takes).
fn hung_up_within(mut stream: &TcpStream, length: Option<Duration>) -> bool {
    let _ = stream.set_read_timeout(length);
    let gone = match stream.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        Err(error) => {
            !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        }
    };
    let _ = stream.set_read_timeout(None);
    gone
}

/// Closing a socket with unread input sends a reset; `SO_LINGER` of zero makes it certain.
fn reset(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    let _ = socket.set_linger(Some(Duration::ZERO));
}

fn read_request(reader: &mut BufReader<&TcpStream>, began: Instant) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { path, headers, body, at: began.elapsed(), cancelled: false })
}
