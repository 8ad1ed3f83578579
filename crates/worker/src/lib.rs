//! The gateway on Cloudflare Workers.
//!
//! Only here are `JsValue` and `worker::` known. Requests come in through [`begin`], driven by
//! `glue/entry.js`; what the pipeline asks of the platform goes out through [`ops`](mod@ops).

mod executor;
mod glue;
mod ops;

use ops::Op;
use wasm_bindgen::prelude::wasm_bindgen;

/// A request has come in; its body is still to be read.
#[wasm_bindgen]
pub fn begin(call: u32, _env: &wasm_bindgen::JsValue, head: String) {
    executor::spawn(async move {
        let body = Op::start(|slot| glue::read_body(call, slot, 10_485_760.0)).await;
        let text = format!("{head}\n{:?} {}", body.ending, body.body.len());
        glue::answer(call, 200, "content-type:text/plain", text.as_bytes());
        glue::finish(call);
    });
}
