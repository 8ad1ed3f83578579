//! Bytes of any kind, split in any way.

use proptest::prelude::*;

use crate::stream::{Fault, Passage, Relay, sse::MAX_EVENT_BYTES};

const WHOLE: &str = concat!(
    "data: {\"id\":\"a\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\r\n\r\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Grüße 🌍\"}}]}\n\n",
    ": still here\n\n",
    "event: message\ndata: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"!\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\r\r",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}\n\n",
    "data: [DONE]\n\n",
);

fn run(pieces: &[&[u8]], usage_asked: bool) -> (Relay, Vec<u8>, Result<(), Fault>) {
    let mut relay = Relay::new(usage_asked).recorded().recoverable();
    let mut out = Vec::new();
    let result = pieces.iter().try_for_each(|piece| relay.push(piece, &mut out));
    (relay, out, result)
}

/// `bytes` cut at `cuts`, which may be in any order and beyond the end.
pub(super) fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts {
        pieces.push(&bytes[from..cut]);
        from = cut;
    }
    pieces.push(&bytes[from..]);
    pieces
}

#[test]
fn an_event_of_five_megabytes_passes_and_one_of_nine_does_not() {
    let event = |length: usize| {
        let text = "x".repeat(length);
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    for (length, result) in [(5 << 20, Ok(())), (MAX_EVENT_BYTES, Err(Fault::TooLong))] {
        let event = event(length);
        for size in [1 << 12, 1 << 16, usize::MAX] {
            let pieces: Vec<&[u8]> = event.as_bytes().chunks(size).collect();
            let (_, out, told) = run(&pieces, true);
            assert_eq!(told, result, "{length} in pieces of {size}");
            assert_eq!(out.len(), if result.is_ok() { event.len() } else { 0 });
        }
    }
}

#[test]
fn an_event_of_many_lines_is_bounded_too() {
    let line = format!("data: {}\n", "x".repeat(1 << 20));
    let (_, _, result) = run(&[line.repeat(9).as_bytes()], true);
    assert_eq!(result, Err(Fault::TooLong));
}

#[test]
fn a_line_without_an_end_is_not_held_for_ever() {
    let mut relay = Relay::new(true);
    let piece = vec![b'x'; 1 << 20];
    let fault = (0..9).find_map(|_| relay.push(&piece, &mut Vec::new()).err());
    assert_eq!(fault, Some(Fault::TooLong));
}

#[test]
fn what_is_already_in_the_buffer_stays_before_a_piece_passed_as_received() {
    let mut relay = Relay::new(true);
    let mut out = b"before".to_vec();
    let piece = b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    assert_eq!(relay.pass(piece, &mut out), Ok(Passage::AsReceived));
    assert_eq!(out, b"before");
    let (head, tail) = piece.split_at(20);
    assert_eq!(relay.pass(head, &mut out), Ok(Passage::Written));
    assert_eq!(relay.pass(tail, &mut out), Ok(Passage::Written));
    assert_eq!(out, [b"before".as_slice(), piece].concat());
}

proptest! {
    #![proptest_config(super::properties(256))]

    #[test]
    fn splits_never_matter(cuts in prop::collection::vec(any::<usize>(), 0..40), asked: bool) {
        let (split, out, result) = run(&cut(WHOLE.as_bytes(), &cuts), asked);
        let (whole, expected, _) = run(&[WHOLE.as_bytes()], asked);
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(out, expected);
        prop_assert_eq!(format!("{:?}", split.summary()), format!("{:?}", whole.summary()));
        prop_assert_eq!(split.into_recording(), whole.into_recording());
    }

    #[test]
    fn a_cut_is_never_done(at in 0..WHOLE.len()) {
        let (mut relay, mut out, _) = run(&[&WHOLE.as_bytes()[..at]], true);
        let is_whole = relay.end(&mut out).is_ok();
        let out = String::from_utf8(out).unwrap();
        prop_assert_eq!(is_whole, out.contains("[DONE]"));
        prop_assert_eq!(is_whole, out.contains("\"stop\""));
        prop_assert_eq!(is_whole, relay.into_recording().is_some());
    }

    #[test]
    fn any_bytes_in_any_pieces_come_to_the_same(
        parts in prop::collection::vec(prop_oneof![
            Just("data: ".as_bytes().to_vec()), Just(b"\n".to_vec()), Just(b"\r".to_vec()),
            Just(b"\n\n".to_vec()), Just(b":".to_vec()), Just(b"data: [DONE]\n\n".to_vec()),
            Just(b"{\"choices\":[]}".to_vec()),
            Just(b"{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}".to_vec()),
            prop::collection::vec(any::<u8>(), 0..6),
        ], 0..30),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let bytes = parts.concat();
        let (split, out, result) = run(&cut(&bytes, &cuts), false);
        let (whole, expected, told) = run(&[&bytes], false);
        prop_assert_eq!(result, told);
        prop_assert_eq!(out, expected);
        prop_assert_eq!(split.is_done(), whole.is_done());
    }
}
