//! The gateway on Cloudflare Workers.
//!
//! Only here are `JsValue` and `worker::` known. Requests come in through [`begin`], driven by
//! `glue/entry.js`; what the pipeline asks of the platform goes out as operations of `glue/ops.js`.

mod admin;
mod clock;
mod door;
mod env;
mod executor;
mod glue;
mod host;
mod isolate;
mod judge;
mod models;
mod objects;
mod ops;
mod pages;

pub use objects::{Ledger, Limiter};
use tollhouse_core::{
    experiments::feedback::Feedback,
    guard::answers::Judging,
    openai::Endpoint,
    pipeline::{self, exchange::Arrived},
    record::RequestId,
    refusal::{Code, Refusal},
    router::{self, Route},
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::host::WorkerHost;

/// The Worker's bindings, before the first request that an instance serves.
#[wasm_bindgen]
pub fn environment(env: &JsValue) {
    env::read(env);
}

/// A request has come in at `now` (milliseconds since 1970); its body is still to be read. `head` is
/// its method, its address and its headers (`name:value`), a line each.
#[wasm_bindgen]
pub fn begin(call: u32, head: &str, now: f64) {
    clock::set(now);
    let arrived = arrived(head);
    executor::spawn(call, async move {
        serve(call, arrived).await;
        glue::finish(call);
    });
}

/// Makes a panic say where it happened, before the instance is replaced, and loads the models.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    models::start();
}

/// What goes through the pipeline.
enum Call {
    Model(Endpoint),
    Judge(Judging),
    Feedback,
}

async fn serve(call: u32, arrived: Arrived) {
    let id = RequestId::new(host::random_u128());
    let isolate = isolate::this();
    let route = match router::route(&arrived.method, &arrived.path) {
        Ok(route) => route,
        Err(refusal) => return pages::refuse_route(call, id, &arrived.path, &refusal),
    };
    let gate = isolate.gate(call).await;
    let call_of = match route {
        Route::Model(endpoint) => Call::Model(endpoint),
        Route::Judge(judging) => Call::Judge(judging),
        Route::Feedback => Call::Feedback,
        Route::Models
        | Route::ModelNamed(_)
        | Route::HealthLive
        | Route::HealthReady
        | Route::Metrics
        | Route::AdminPage(_)
        | Route::AdminStatus
        | Route::AdminErrors
        | Route::AdminTrace
        | Route::AdminConfig
        | Route::AdminUsage => {
            return pages::serve(call, id, &isolate, gate.as_deref(), route, &arrived).await;
        }
    };
    let Some(gate) = gate else {
        return pages::refuse(
            call,
            id,
            &Refusal::new(Code::ConfigInvalid, Code::ConfigInvalid.facts().meaning),
        );
    };
    let host = match admin::wants_trace(&arrived) {
        Ok(true) => WorkerHost::traced(call, &arrived),
        Ok(false) => WorkerHost::new(call, &arrived),
        Err(refusal) => return pages::refuse(call, id, &refusal),
    };
    isolate.enter();
    match call_of {
        Call::Model(endpoint) => pipeline::run(&host, &gate, arrived, endpoint, id).await,
        Call::Judge(way) => pipeline::judging::judge(&host, &gate, arrived, way, id).await,
        Call::Feedback => {
            let keep = async |said: &Feedback| isolate.keep_feedback(call, said).await;
            pipeline::feedback::receive(&host, &gate, arrived, id, keep).await;
        }
    }
    if let Some(line) = host.trace() {
        isolate.keep_trace(call, &line).await;
    }
    isolate.tend(call).await;
}

fn arrived(head: &str) -> Arrived {
    let mut lines = head.split('\n');
    let method = lines.next().unwrap_or_default().to_owned();
    let address = lines.next().unwrap_or_default();
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path_and_query =
        after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/");
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let headers = lines.filter_map(|line| line.split_once(':'));
    Arrived {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_taken_apart() {
        let arrived = arrived("GET\nhttps://h:8/v1/models?a=b\nhost:h:8\nx:y");
        assert_eq!((arrived.method.as_str(), arrived.path.as_str()), ("GET", "/v1/models"));
        assert_eq!(arrived.query, "a=b");
        assert_eq!(arrived.header("host"), Some("h:8"));
        assert_eq!(super::arrived("GET\nhttp://h").path, "/");
    }
}
