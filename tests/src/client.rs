//! Plain HTTP clients for tests; the SDKs are driven by scripts of their own.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

/// A whole reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON, `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The `code` of an error body, empty when there is none.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The data of each event of an event stream.
    pub fn events(&self) -> Vec<String> {
        let text = self.text();
        let data = |event: &str| {
            let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
            let data: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
            (!data.is_empty()).then(|| data.join("\n"))
        };
        text.split("\n\n").filter_map(data).collect()
    }
}

/// A client that keeps its connections, for those who call often.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .build()
        .into()
}

/// Sends one request and reads the whole reply, whatever its status.
///
/// # Errors
/// When the connection fails.
pub fn call(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply> {
    call_by(&agent(), method, url, headers, body)
}

/// Like [`call`], over a connection that may be used again.
///
/// # Errors
/// When the connection fails.
pub fn call_by(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut reply = agent.run(request.body(body.to_vec())?)?;
    let headers = reply
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let body = reply.body_mut().with_config().limit(64 << 20).read_to_vec()?;
    Ok(Reply { status: reply.status().as_u16(), headers, body })
}

/// Posts JSON, with a key unless it is empty.
///
/// # Errors
/// When the connection fails.
pub fn post(url: &str, key: &str, body: &Value) -> Result<Reply> {
    post_with(url, key, &[], body)
}

/// Posts JSON with further headers.
///
/// # Errors
/// When the connection fails.
pub fn post_with(url: &str, key: &str, headers: &[(&str, &str)], body: &Value) -> Result<Reply> {
    let bearer = format!("Bearer {key}");
    let mut all = vec![("content-type", "application/json")];
    if !key.is_empty() {
        all.push(("authorization", bearer.as_str()));
    }
    all.extend_from_slice(headers);
    call("POST", url, &all, body.to_string().as_bytes())
}

/// Gets a page.
///
/// # Errors
/// When the connection fails.
pub fn get(url: &str, key: &str) -> Result<Reply> {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    call("GET", url, if key.is_empty() { &[] } else { &headers }, b"")
}

/// Sends a request and reads until `stop` is content with what has come; then hangs up.
///
/// # Errors
/// When the connection fails before that.
pub fn leave_after(
    url: &str,
    key: &str,
    body: &Value,
    stop: impl Fn(&str) -> bool,
) -> Result<String> {
    let mut stream = send(url, key, body)?;
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !stop(&String::from_utf8_lossy(&seen)) {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        seen.extend(buffer.iter().take(count));
    }
    // A reset, not a mere end of sending, which a server that has nothing to write may not notice.
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    Ok(String::from_utf8_lossy(&seen).into_owned())
}

/// Sends a request and leaves the connection to the caller, who reads the answer or does not.
///
/// # Errors
/// When the connection fails.
pub fn send(url: &str, key: &str, body: &Value) -> Result<TcpStream> {
    let rest = url.strip_prefix("http://").context("an http address")?;
    let (host, path) = rest.split_once('/').context("an address with a path")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let body = body.to_string();
    let message = format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         authorization: Bearer {key}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(message.as_bytes())?;
    Ok(stream)
}
