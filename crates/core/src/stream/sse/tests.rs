//! The decoder against the standard's own words, line by line over all the bytes.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Data(String),
    Comment,
}

fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Found>, SseError> {
    let mut decoder = Decoder::default();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece, |event| {
            found.push(match event {
                Event::Data(data) => Found::Data(data.to_owned()),
                Event::Comment => Found::Comment,
            });
            Ok::<(), SseError>(())
        })?;
    }
    Ok(found)
}

/// §9.2.6 as it reads, without regard to speed; for bytes that are UTF-8.
fn by_the_book(stream: &str) -> Vec<Found> {
    let stream = stream.strip_prefix('\u{FEFF}').unwrap_or(stream);
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = stream.split('\n').collect();
    // What follows the last line end is no line.
    lines.pop();
    let mut found = Vec::new();
    let mut data = String::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if line.is_empty() {
            if !data.is_empty() {
                data.pop();
                found.push(Found::Data(std::mem::take(&mut data)));
            }
        } else if name.is_empty() {
            found.push(Found::Comment);
        } else if name == "data" {
            data.push_str(value.strip_prefix(' ').unwrap_or(value));
            data.push('\n');
        }
    }
    found
}

#[test]
fn forms_of_the_standard_are_read() {
    let data = |texts: &[&str]| texts.iter().map(|text| Found::Data((*text).into())).collect();
    let cases: [(&str, Vec<Found>); 12] = [
        ("data: a\n\n", data(&["a"])),
        ("data:a\r\rdata: b\r\n\r\n", data(&["a", "b"])),
        ("data:  a \n\n", data(&[" a "])),
        ("data: a\ndata\ndata: b\n\n", data(&["a\n\nb"])),
        ("data\n\n", data(&[""])),
        ("data: a\n", data(&[])),
        ("\n\n\n", data(&[])),
        ("\u{FEFF}data: a\n\n", data(&["a"])),
        ("\u{FEFF}\u{FEFF}data: a\n\n", data(&[])),
        ("data : a\ndatum: b\nDATA: c\n\n", data(&[])),
        ("id: 1\nevent: x\nretry: 9\ndata: a\n\n", data(&["a"])),
        (": one\ndata: a\n:\n\n", vec![Found::Comment, Found::Comment, Found::Data("a".into())]),
    ];
    for (stream, expected) in cases {
        assert_eq!(decode([stream.as_bytes()]).unwrap(), expected, "{stream:?}");
        assert_eq!(by_the_book(stream), expected, "the book on {stream:?}");
    }
}

#[test]
fn an_event_is_utf_8_or_nothing() {
    assert_eq!(decode([b"data: \xC3\n\n".as_slice()]), Err(SseError::NotUtf8));
    let halves = [b"data: \xC3".as_slice(), b"\xBC\n\n"];
    assert_eq!(decode(halves).unwrap(), [Found::Data("ü".into())]);
}

#[test]
fn data_within_one_piece_is_not_copied() {
    let piece = b"data: one\n\ndata: two\n\n";
    let range = piece.as_ptr_range();
    Decoder::default()
        .push(piece, |event| {
            let Event::Data(data) = event else { panic!("no comment was sent") };
            assert!(range.contains(&data.as_ptr()));
            Ok::<(), SseError>(())
        })
        .unwrap();
}

proptest! {
    #![proptest_config(crate::stream::tests::properties(512))]

    #[test]
    fn the_decoder_keeps_to_the_book(
        parts in prop::collection::vec(prop::sample::select(vec![
            "data", ":", " ", "\n", "\r", "\r\n", "\n\n", "data: x", "data: {\"ü\":1}", "\u{FEFF}",
            "event: y", ": z", "🌍", "a",
        ]), 0..40),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let stream = parts.concat();
        let bytes = stream.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]);
        prop_assert_eq!(decode(pieces).unwrap(), by_the_book(&stream));
    }
}
