//! Splits never matter, and a cut never looks whole.

use proptest::prelude::*;

use super::*;

const CHAT: &str = "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n\
: keep-alive\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Grüße 🌍\"}}]}\n\n\
event: message\ndata: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"!\"}}]}\n\n\
data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\r\r\
data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n\
data: [DONE]\n\n";

fn relay(pieces: &[&[u8]], usage_asked: bool) -> (Relay, String, Result<(), Fault>) {
    let mut relay = Relay::new(usage_asked).recorded();
    let mut out = Vec::new();
    let result = pieces.iter().try_for_each(|piece| relay.push(piece, &mut out));
    (relay, String::from_utf8(out).unwrap(), result)
}

#[test]
fn a_whole_stream_tells_its_usage_and_is_done() {
    let (relay, out, result) = relay(&[CHAT.as_bytes()], false);
    assert_eq!(result, Ok(()));
    assert!(relay.is_done());
    let usage = relay.summary().usage.unwrap();
    assert_eq!((usage.prompt.0, usage.cached.0, usage.completion.0), (9, 3, 4));
    assert_eq!(usize::try_from(relay.summary().content_bytes), Ok("Grüße 🌍!".len()));
    assert!(!out.contains("prompt_tokens"), "{out}");
    assert!(!out.contains("keep-alive"));
    assert!(out.ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_replay_shows_the_usage_to_who_asks() {
    let (first, ..) = relay(&[CHAT.as_bytes()], false);
    let recording = first.into_recording().unwrap();
    let (_, shown, _) = relay(&[&recording], true);
    let (_, direct, _) = relay(&[CHAT.as_bytes()], true);
    assert_eq!(shown, direct);
    assert!(shown.contains("prompt_tokens"));
}

#[test]
fn usage_beside_choices_is_taken_out() {
    let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}\n\n";
    let (relay, out, _) = relay(&[chunk.as_bytes()], false);
    assert!(!out.contains("usage"));
    assert_eq!(relay.summary().usage.unwrap().prompt.0, 1);
}

#[test]
fn a_missing_done_after_the_finish_is_completed() {
    let cut = CHAT.split("data: [DONE]").next().unwrap();
    let (mut relay, mut out, _) = relay(&[cut.as_bytes()], true);
    let mut end = Vec::new();
    assert_eq!(relay.end(&mut end), Ok(()));
    out.push_str(std::str::from_utf8(&end).unwrap());
    assert!(out.ends_with("data: [DONE]\n\n"));
}

#[test]
fn one_unfinished_choice_of_two_is_an_interruption() {
    let two = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
               data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}\n\n";
    let (mut relay, ..) = relay(&[two.as_bytes()], true);
    assert_eq!(relay.end(&mut Vec::new()), Err(Fault::Interrupted));
    let done = [two, "data: [DONE]\n\n"].concat();
    assert_eq!(self::relay(&[done.as_bytes()], true).2, Err(Fault::Interrupted));
}

#[test]
fn what_is_no_chunk_does_not_pass() {
    for bad in ["data: {\"choi\n\n", "data: <html>\n\n", "data: 7\n\n", "data: {\"hello\":1}\n\n"] {
        let (_, out, result) = relay(&[bad.as_bytes()], true);
        assert_eq!((out.as_str(), result), ("", Err(Fault::Malformed)), "{bad}");
    }
    assert_eq!(relay(&[b"data: \xff\n\n"], true).2, Err(Fault::Malformed));
}

#[test]
fn an_error_object_is_told_apart() {
    let bad = b"data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    assert_eq!(relay(&[bad], true).2, Err(Fault::Reported("{\"message\":\"overloaded\"}".into())));
}

#[test]
fn reasoning_refusals_and_tool_arguments_are_content() {
    let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"ab\",\"refusal\":\"c\",\
                 \"tool_calls\":[{\"index\":0,\"id\":\"call\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n\n";
    assert_eq!(relay(&[chunk.as_bytes()], true).0.summary().content_bytes, 6);
}

#[test]
fn an_event_of_five_megabytes_passes_and_one_of_nine_does_not() {
    let event = |length| {
        let text = "x".repeat(length);
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    let long = event(5 << 20);
    let pieces: Vec<&[u8]> = long.as_bytes().chunks(65_536).collect();
    assert_eq!(relay(&pieces, true).2, Ok(()));
    let longer = event(9 << 20);
    let pieces: Vec<&[u8]> = longer.as_bytes().chunks(65_536).collect();
    assert_eq!(relay(&pieces, true).2, Err(Fault::TooLong));
}

proptest! {
    #[test]
    fn splits_never_matter(cuts in prop::collection::vec(0..CHAT.len(), 0..40)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let bytes = CHAT.as_bytes();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);
        let (split, out, result) = relay(&pieces, true);
        let (whole, expected, _) = relay(&[bytes], true);
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(out, expected);
        prop_assert_eq!(split.summary().content_bytes, whole.summary().content_bytes);
    }

    #[test]
    fn a_cut_is_never_done(at in 0..CHAT.len()) {
        let (mut relay, mut out, _) = relay(&[&CHAT.as_bytes()[..at]], true);
        let mut end = Vec::new();
        let whole = relay.end(&mut end).is_ok();
        out.push_str(std::str::from_utf8(&end).unwrap());
        prop_assert_eq!(whole, out.contains("[DONE]"));
        prop_assert_eq!(whole, out.contains("\"stop\""));
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = relay(&[&bytes], true);
    }
}
