//! What the chief sends out: alerts, metrics and experiments, never in a request's way.

use tollhouse_core::{
    alert::Letter,
    config::valid::{Address, Credentials, Mlflow, Otlp, Receiver},
    mlflow,
};
use worker::{
    AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, Response, Result,
};

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

/// Sends what the tracking server should have; its status and body, where it answered.
pub(super) async fn track(mlflow: &Mlflow, request: &mlflow::Request) -> Option<(u16, String)> {
    let mut headers = Vec::new();
    if let Some(credentials) = &mlflow.credentials {
        headers.push(("authorization".to_owned(), authorization(credentials)?));
    }
    if let Some((name, value)) = &request.header {
        headers.push(((*name).to_owned(), value.clone()));
    }
    let method = match request.method {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        _ => Method::Post,
    };
    let (content_type, bytes) = match &request.body {
        Some(body) => (body.content_type, Some(body.bytes.as_slice())),
        None => ("application/json", None),
    };
    headers.push(("content-type".to_owned(), content_type.to_owned()));
    let url = format!("{}{}", mlflow.url, request.path);
    let mut reply = fetch(&url, method, &headers, bytes).await.ok()??;
    Some((reply.status_code(), reply.text().await.unwrap_or_default()))
}

/// `None` where a secret is not set.
fn authorization(credentials: &Credentials) -> Option<String> {
    match credentials {
        Credentials::Bearer(token) => Some(format!("Bearer {}", env::text(&token.0)?)),
        Credentials::Basic { username, password } => {
            Some(mlflow::basic(username, &env::text(&password.0)?))
        }
    }
}

async fn post(url: &str, further: &[(String, String)], body: Vec<u8>) -> Result<bool> {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    let headers: Vec<_> = std::iter::once(json).chain(further.iter().cloned()).collect();
    let reply = fetch(url, Method::Post, &headers, Some(&body)).await?;
    Ok(reply.is_some_and(|reply| (200..300).contains(&reply.status_code())))
}

/// A reply, where there is one in time.
async fn fetch(
    url: &str,
    method: Method,
    lines: &[(String, String)],
    body: Option<&[u8]>,
) -> Result<Option<Response>> {
    let headers = Headers::new();
    for (name, value) in lines {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(method).with_headers(headers);
    init.with_redirect(worker::RequestRedirect::Manual);
    init.with_body(body.map(|body| js_sys::Uint8Array::from(body).into()));
    let request = Request::new_with_init(url, &init)?;
    let controller = AbortController::default();
    let signal = controller.signal();
    let reply = Fetch::Request(request);
    let sent = reply.send_with_signal(&signal);
    let late = Delay::from(PATIENCE);
    let Some(reply) = crate::objects::race(sent, late).await else {
        controller.abort();
        return Ok(None);
    };
    reply.map(Some)
}
