//! The functions of `glue/ops.js`, as Rust sees them.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(raw_module = "./ops.js")]
extern "C" {
    pub(crate) fn read_body(call: u32, slot: u32, declared: f64, limit: f64);
    pub(crate) fn answer(call: u32, status: u16, head: &str, body: &[u8]);
    pub(crate) fn answer_received(call: u32, upstream: u32, status: u16, head: &str);
    pub(crate) fn answer_stream(call: u32, status: u16, head: &str);
    pub(crate) fn write(call: u32, bytes: &[u8]);
    pub(crate) fn close(call: u32);
    #[expect(clippy::too_many_arguments, reason = "one crossing carries a whole attempt")]
    pub(crate) fn send(
        call: u32,
        slot: u32,
        upstream: u32,
        url: &str,
        head: &str,
        body: &[u8],
        connect_ms: f64,
        head_ms: f64,
        idle_ms: f64,
        whole_ms: f64,
        limit: f64,
    );
    pub(crate) fn read(call: u32, slot: u32, upstream: u32, idle_ms: f64);
    pub(crate) fn drop_upstream(call: u32, upstream: u32);
    pub(crate) fn sleep(call: u32, slot: u32, ms: f64);
    pub(crate) fn pause(call: u32, slot: u32, ms: f64);
    pub(crate) fn object(call: u32, slot: u32, binding: &str, name: &str, path: &str, body: &[u8]);
    pub(crate) fn asset(call: u32, slot: u32, name: &str);
    pub(crate) fn kv_get(call: u32, slot: u32, binding: &str, key: &str, cache_seconds: u32);
    pub(crate) fn kv_put(
        call: u32,
        slot: u32,
        binding: &str,
        key: &str,
        body: &[u8],
        ttl_seconds: f64,
    );
    pub(crate) fn post(call: u32, slot: u32, url: &str, head: &str, body: &[u8], ms: f64);
    pub(crate) fn finish(call: u32);
    pub(crate) fn cancel(slot: u32);
    pub(crate) fn log(line: &str);
    pub(crate) fn now() -> f64;
    pub(crate) fn random() -> f64;
    pub(crate) fn random_bytes(length: u32) -> Vec<u8>;
}
