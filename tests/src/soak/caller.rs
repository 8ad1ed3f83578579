//! One caller, who calls and calls, each time in another manner, and counts what it was told.

use std::{
    io::Read,
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use socket2::SockRef;

use super::{
    books::Client,
    kind::{Kind, Manner},
    upstream::Upstream,
};
use crate::{
    client::{Reply, agent, call_by, leave_after, send},
    workerd::Workerd,
};

/// How long a caller waits for anything to happen, and how long at a time.
const PATIENCE: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(200);

/// What all callers share.
#[derive(Debug)]
pub struct World {
    /// The gateway.
    pub gateway: Workerd,
    /// How many isolates it has.
    pub isolates: usize,
    /// The provider.
    pub upstream: Upstream,
    /// The callers' books.
    pub client: Client,
    /// How many calls were begun.
    pub calls: AtomicU64,
}

/// How a call ended for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With an answer, from the cache or not.
    Answered {
        /// Whether it came from the cache.
        hit: bool,
    },
    /// With an error of this code, also in the middle of a stream.
    Failed(String),
    /// The caller left.
    Left,
}

impl World {
    /// Calls until `until`.
    ///
    /// # Errors
    /// When an answer is neither whole nor an error.
    pub fn call_until(&self, until: Instant) -> Result<()> {
        let agent = agent();
        while Instant::now() < until {
            let number = self.calls.fetch_add(1, Ordering::Relaxed);
            let kind = Kind::of(number);
            let end = self
                .call(&agent, kind, number)
                .with_context(|| format!("call {number} of kind {kind:?}"))?;
            self.client.note(&end);
            self.upstream.forget(number);
        }
        Ok(())
    }

    fn call(&self, agent: &ureq::Agent, kind: Kind, number: u64) -> Result<End> {
        let isolate = usize::try_from(number / 3)? % self.isolates;
        let url = format!("{}/v1/chat/completions", self.gateway.isolate(isolate));
        let (key, body) = (kind.key(), kind.body(number));
        match kind.manner() {
            Manner::Whole => {
                let bearer = format!("Bearer {key}");
                let headers = [("content-type", "application/json"), ("authorization", &bearer)];
                let body = body.to_string();
                read(&call_by(agent, "POST", &url, &headers, body.as_bytes())?)
            }
            Manner::HalfClosed => {
                let mut connection = send(&url, key, &body)?;
                connection.shutdown(Shutdown::Write)?;
                let mut text = String::new();
                connection.read_to_string(&mut text)?;
                if let Some(code) = code_in(&text) {
                    return Ok(End::Failed(code));
                }
                ensure!(text.contains("data: [DONE]"), "the stream ended early: {text}");
                Ok(End::Answered { hit: false })
            }
            Manner::LeavesAtAWord => {
                let refused = |seen: &str| code_in(seen).is_some();
                let seen =
                    leave_after(&url, key, &body, |seen| seen.contains("word") || refused(seen))?;
                Ok(code_in(&seen).map_or(End::Left, End::Failed))
            }
            Manner::LeavesInSilence => {
                let mut connection = send(&url, key, &body)?;
                let end = self.answer_before_the_provider_is_asked(&mut connection, number)?;
                SockRef::from(&connection).set_linger(Some(Duration::ZERO))?;
                Ok(end.unwrap_or(End::Left))
            }
        }
    }
}

impl World {
    /// Waits until the provider has the call, or an answer comes without it, as a refusal does.
    fn answer_before_the_provider_is_asked(
        &self,
        connection: &mut TcpStream,
        number: u64,
    ) -> Result<Option<End>> {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        connection.set_read_timeout(Some(GLANCE))?;
        while !self.upstream.wait_for(number, GLANCE) {
            ensure!(Instant::now() < until, "the provider was never asked, and no answer came");
            let count = connection.read(&mut buffer).unwrap_or(0);
            seen.extend(buffer.iter().take(count));
            if let Some(code) = code_in(&String::from_utf8_lossy(&seen)) {
                return Ok(Some(End::Failed(code)));
            }
        }
        Ok(None)
    }
}

/// What a whole reply comes down to.
///
/// # Errors
/// When it is neither an answer nor an error, as a stream is that merely stops.
pub fn read(reply: &Reply) -> Result<End> {
    let hit = reply.header("tollhouse-cache") == Some("hit");
    let streamed = reply.header("content-type").is_some_and(|kind| kind.contains("event-stream"));
    if !streamed {
        let body = reply.json();
        if let Some(code) = body["error"]["code"].as_str() {
            return Ok(End::Failed(code.to_owned()));
        }
        ensure!(reply.status == 200 && body["choices"].is_array(), "no answer: {}", reply.text());
        return Ok(End::Answered { hit });
    }
    let last = reply.events().pop().context("a stream without events")?;
    if last == "[DONE]" {
        return Ok(End::Answered { hit });
    }
    let error: Value = serde_json::from_str(&last)?;
    let code = error["error"]["code"].as_str();
    Ok(End::Failed(code.with_context(|| format!("the stream ended early: {last}"))?.to_owned()))
}

/// The code of an error object in the text of a reply.
fn code_in(text: &str) -> Option<String> {
    let (_, error) = text.split_once("\"error\":")?;
    let (_, code) = error.split_once("\"code\":\"")?;
    code.split_once('"').map(|(code, _)| code.to_owned())
}
