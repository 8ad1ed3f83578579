//! Recordings: bounded, and read back only where they are whole.

use crate::stream::{MAX_RECORDING_BYTES, Relay, replay};

fn chunk(text: &str, finish: &str) -> String {
    format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}],\
         \"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":2}}}}\n\n"
    )
}

fn record(stream: &str) -> Option<Vec<u8>> {
    let mut relay = Relay::new(false).recorded();
    relay.push(stream.as_bytes(), &mut Vec::new()).unwrap();
    relay.into_recording()
}

#[test]
fn a_replay_is_the_stream_with_usage_for_those_who_ask() {
    let stream = [chunk("a", "null"), chunk("b", "\"stop\""), "data: [DONE]\n\n".into()].concat();
    let recording = record(&stream).unwrap();
    assert_eq!(replay(&recording, true).unwrap(), stream.as_bytes());
    let hidden = stream.replace("{\"prompt_tokens\":1,\"completion_tokens\":2}", "null");
    assert_eq!(replay(&recording, false).unwrap(), hidden.as_bytes());
}

#[test]
fn an_answer_that_is_too_long_passes_and_is_not_kept() {
    let text = "x".repeat(MAX_RECORDING_BYTES / 2);
    let stream =
        [chunk(&text, "null"), chunk(&text, "\"stop\""), "data: [DONE]\n\n".into()].concat();
    let mut relay = Relay::new(true).recorded();
    let mut out = Vec::new();
    relay.push(stream.as_bytes(), &mut out).unwrap();
    assert!(relay.is_done());
    assert_eq!(out, stream.as_bytes());
    assert_eq!(relay.into_recording(), None);
}

#[test]
fn what_was_not_asked_to_be_kept_is_not() {
    let mut relay = Relay::new(true);
    let stream = [chunk("a", "\"stop\""), "data: [DONE]\n\n".into()].concat();
    relay.push(stream.as_bytes(), &mut Vec::new()).unwrap();
    assert!(relay.is_done());
    assert_eq!(relay.into_recording(), None);
}

#[test]
fn bytes_that_are_no_recording_are_not_replayed() {
    let bytes: [&[u8]; 9] = [
        b"",
        b"data: x\n\n",
        b": 0+9=null",
        b": 0+9=null\ndata: x\n\n",
        b": 0+900=\n\ndata: x\n\n",
        b": 9+1= 0+1=\n\ndata: x\n\n",
        b": 18446744073709551615+1=\n\ndata: x\n\n",
        b": 0+1=evil\n\ndata: x\n\n",
        b": x+1=\n\ndata: x\n\n",
    ];
    for bytes in bytes {
        assert_eq!(replay(bytes, false), None, "{}", String::from_utf8_lossy(bytes));
    }
}
