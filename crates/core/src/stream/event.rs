//! Events as the gateway writes them: one `data` line in LF, and a blank line.

use crate::{openai::error_body, refusal::Refusal};

/// How every event begins.
pub(super) const DATA: &[u8] = b"data: ";

/// A comment, which says to client and proxies that the answer is still being made.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// Writes one event. Data of several lines becomes one: in JSON a line feed is white space.
pub(super) fn write_event(out: &mut Vec<u8>, data: &str) {
    out.reserve(DATA.len() + data.len() + 2);
    out.extend_from_slice(DATA);
    for (at, line) in data.split('\n').enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(line.as_bytes());
    }
    out.extend_from_slice(b"\n\n");
}

/// Ends a stream that has failed: an error event, which no `[DONE]` follows.
///
/// What a [`Relay`](super::Relay) has written before is whole events, so the error stands by itself.
pub fn write_failure(out: &mut Vec<u8>, refusal: &Refusal) {
    out.extend_from_slice(DATA);
    out.extend_from_slice(&error_body(refusal));
    out.extend_from_slice(b"\n\n");
}
