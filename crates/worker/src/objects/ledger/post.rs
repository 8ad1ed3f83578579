//! What the chief sends out: alerts and metrics, never in a request's way.

use tollhouse_core::{
    alert::Letter,
    config::valid::{Address, Otlp, Receiver},
};
use worker::{AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, Result};

use crate::env;

/// How long a receiver may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Sends a letter; whether its receiver took it. A secret that is not set is a receiver that takes
/// nothing, so that the letter waits until it is.
pub(super) async fn letter(receiver: &Receiver, letter: &Letter) -> bool {
    let url = match &receiver.address {
        Address::Plain(url) => Some(url.clone()),
        Address::Secret(name) => env::text(&name.0),
    };
    let key = receiver.routing_key.as_ref().map(|name| env::text(&name.0));
    let body = match key {
        None => Some(letter.body.clone()),
        Some(key) => key.map(|key| letter.body.replace(Letter::KEY, &key)),
    };
    let (Some(url), Some(body)) = (url, body) else { return false };
    post(&url, &[], body.into_bytes()).await.unwrap_or(false)
}

/// Sends metrics; whether they were taken.
pub(super) async fn metrics(otlp: &Otlp, body: Vec<u8>) -> bool {
    let url = format!("{}/v1/metrics", otlp.endpoint);
    let secrets = otlp
        .secret_headers
        .iter()
        .filter_map(|(name, secret)| Some((name.clone(), env::text(&secret.0)?)));
    let headers: Vec<_> = otlp.headers.iter().cloned().chain(secrets).collect();
    post(&url, &headers, body).await.unwrap_or(false)
}

async fn post(url: &str, further: &[(String, String)], body: Vec<u8>) -> Result<bool> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    for (name, value) in further {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers);
    init.with_redirect(worker::RequestRedirect::Manual);
    init.with_body(Some(js_sys::Uint8Array::from(body.as_slice()).into()));
    let request = Request::new_with_init(url, &init)?;
    let controller = AbortController::default();
    let signal = controller.signal();
    let reply = Fetch::Request(request);
    let sent = reply.send_with_signal(&signal);
    let late = Delay::from(PATIENCE);
    let answered = crate::objects::race(sent, late).await;
    let Some(reply) = answered else {
        controller.abort();
        return Ok(false);
    };
    Ok((200..300).contains(&reply?.status_code()))
}
