use std::path::Path;

use proptest::prelude::*;

use super::*;

/// Text of which much is found, and much almost.
fn text() -> impl Strategy<Value = String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/guard/shapes");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut pieces: Vec<String> = files
        .flat_map(|file| {
            std::fs::read_to_string(file).unwrap().lines().map(unmarked).collect::<Vec<_>>()
        })
        .collect();
    pieces.extend(
        [
            "\n",
            " ",
            "a",
            "@",
            ".",
            "-----BEGIN PRIVATE KEY-----",
            "-----",
            "://",
            ":",
            "\\n",
            "\\",
            "\u{200b}",
            "é",
            "日本",
            "5",
            "+",
            "(",
            "eyJ",
            "sk-",
            "password=",
            "\"",
        ]
        .map(str::to_owned),
    );
    let whole = prop::sample::select(pieces.clone());
    let part =
        (prop::sample::select(pieces), any::<prop::sample::Index>(), any::<prop::sample::Index>())
            .prop_map(|(piece, from, to)| {
                let places: Vec<usize> =
                    piece.char_indices().map(|(at, _)| at).chain([piece.len()]).collect();
                let (from, to) = (places[from.index(places.len())], places[to.index(places.len())]);
                piece[from.min(to)..from.max(to)].to_owned()
            });
    prop::collection::vec(prop_oneof![whole, part, "\\PC{0,4}"], 0..6)
        .prop_map(|parts| parts.concat())
}

fn unmarked(line: &str) -> String {
    let shapes = Shape::ALL.map(|shape| format!("«{}:", shape.name()));
    shapes.iter().fold(line.replace('»', ""), |line, mark| line.replace(mark, ""))
}

/// What comes out when `text` goes in piece by piece, cut before these characters.
fn streamed(mut masker: Masker, text: &str, cuts: &[prop::sample::Index]) -> String {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let mut cuts: Vec<usize> = match places.len() {
        0 => Vec::new(),
        count => cuts.iter().map(|cut| places[cut.index(count)]).collect(),
    };
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    let mut out = String::new();
    for pair in cuts.windows(2) {
        masker.push(&text[pair[0]..pair[1]], &mut out);
    }
    masker.end(&mut out);
    out
}

fn by_character(masker: Masker, text: &str) -> String {
    let cuts: Vec<String> = text.chars().map(String::from).collect();
    let mut masker = masker;
    let mut out = String::new();
    for piece in cuts {
        masker.push(&piece, &mut out);
    }
    masker.end(&mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn however_a_text_is_split_the_same_comes_out(
        text in text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let whole = mask(&text, Shapes::ALL).into_owned();
        prop_assert_eq!(&streamed(Masker::new(Shapes::ALL), &text, &cuts), &whole);
        prop_assert_eq!(&by_character(Masker::new(Shapes::ALL), &text), &whole);
    }

    #[test]
    fn however_json_is_split_the_same_comes_out_and_stays_json(
        texts in prop::collection::vec(text(), 0..3), number in any::<i64>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let json = serde_json::json!({ "n": number, "card": 4_111_111_111_111_111_u64, "texts": texts }).to_string();
        let whole = streamed(Masker::for_json(Shapes::ALL), &json, &[]);
        prop_assert_eq!(&streamed(Masker::for_json(Shapes::ALL), &json, &cuts), &whole);
        prop_assert_eq!(&by_character(Masker::for_json(Shapes::ALL), &json), &whole);
        let read: serde_json::Value = serde_json::from_str(&whole).expect(&whole);
        prop_assert_eq!(&read["card"], "[CARD]");
    }

    #[test]
    fn no_byte_of_what_is_hidden_gets_out(
        before in text(), secret in "sk-proj-[a-z]{6}[0-9]{3}[A-Z]{12,600}", after in "[ .,\n]\\PC{0,20}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        // What ends in an open secret of its own swallows this one, which is as good.
        let text = format!("{before} {secret}{after}");
        let out = streamed(Masker::new(Shapes::ALL), &text, &cuts);
        prop_assert!(!out.contains(&secret[8..17]), "{out}");
        prop_assert!(!out.contains(&secret[secret.len() - 8..]), "{out}");
    }

    #[test]
    fn no_more_is_held_back_than_the_longest_match(text in text()) {
        let mut masker = Masker::new(Shapes::ALL);
        let mut out = String::new();
        for character in text.chars() {
            masker.push(character.encode_utf8(&mut [0; 4]), &mut out);
            prop_assert!(masker.held() <= 640, "{}", masker.held());
        }
    }
}

#[test]
fn words_are_shown_as_soon_as_they_end() {
    let mut masker = Masker::new(Shapes::ALL);
    let mut out = String::new();
    for (piece, shown) in
        [("The", ""), (" weather", "The "), (" in", "The weather "), (" Paris.", "The weather in ")]
    {
        masker.push(piece, &mut out);
        assert_eq!(out, shown);
    }
}

#[test]
fn a_long_key_is_swallowed_without_being_kept() {
    let mut masker = Masker::new(Shapes::ALL);
    let mut out = String::new();
    masker.push("-----BEGIN PRIVATE KEY-----\n", &mut out);
    for _ in 0..200 {
        masker.push("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n", &mut out);
        assert!(masker.held() < 8);
    }
    masker.push("-----END PRIVATE KEY----- ok", &mut out);
    masker.end(&mut out);
    assert_eq!(out, "[PRIVATE_KEY] ok");
}

#[test]
fn text_that_almost_matches_everywhere_takes_no_longer_than_other_text() {
    // Work that grew with the square of the length would not end while anyone waits.
    for piece in [
        "sk-",
        "a.",
        "://",
        "://a:",
        "eyJ",
        "1 ",
        "1-",
        "+1",
        "(1",
        "password=",
        "a@",
        "-----BEGIN ",
        "f:",
        "DE89 ",
        "'",
    ] {
        let text = piece.repeat((1 << 16) / piece.len());
        assert!(mask(&text, Shapes::ALL).len() <= 4 * text.len(), "{piece}");
    }
}
