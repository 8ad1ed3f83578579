//! Seams by cases, and by any text in any pieces.

use proptest::prelude::*;

use super::*;

/// What goes out, and whether all that was sent has been said again.
type Fed = Result<(String, bool), Diverged>;

fn feed(mut seam: Seam, pieces: &[&str]) -> Fed {
    let mut out = String::new();
    for piece in pieces {
        out.push_str(seam.feed(piece)?);
    }
    Ok((out, seam.is_settled()))
}

#[test]
fn what_was_sent_is_not_sent_again() {
    let settled = |text: &str| Ok((text.to_owned(), true));
    let waiting = Ok((String::new(), false));
    #[rustfmt::skip]
    let cases: [(&str, &[&str], Fed); 20] = [
        ("", &["Hi"], settled("Hi")),
        ("Hel", &["Hello"], settled("lo")),
        ("Hel", &["H", "e", "l", "l", "o"], settled("lo")),
        ("Hello ", &["Hello world"], settled("world")),
        ("Hello", &["Hello world"], settled(" world")),
        ("Hello ", &["Hello\nworld"], settled("\nworld")),
        ("Hello\n\n", &["Hello world"], settled(" world")),
        ("a\n  ", &["a\n    b"], settled("  b")),
        ("\n\nHello", &["Hello!"], settled("!")),
        ("Hello", &["  Hello!"], settled("!")),
        ("a  b", &["a b c"], settled(" c")),
        ("a b", &["a", "  ", "b", " ", "c"], settled(" c")),
        ("“Don’t” – she", &["\"Don't\" - she said"], settled(" said")),
        ("Hello wor", &["Hello"], waiting.clone()),
        ("Hello", &["Help"], Err(Diverged)),
        ("Hello", &["hello"], Err(Diverged)),
        ("Hello world", &["Helloworld"], Err(Diverged)),
        ("Helloworld", &["Hello world"], Err(Diverged)),
        // The words were apart.
        ("Hello ", &["Hello", "!"], Err(Diverged)),
        (" \n", &[" ", "\n", "Hi"], settled("Hi")),
    ];
    for (sent, pieces, expected) in cases {
        assert_eq!(feed(Seam::after_repeating(sent), pieces), expected, "{sent:?} {pieces:?}");
    }
}

#[test]
fn a_continuation_loses_only_the_white_space_that_was_sent() {
    for (sent, pieces, expected) in [
        ("Hello", [" wor", "ld"], " world"),
        ("Hello ", [" wor", "ld"], "world"),
        ("Hello ", ["wor", "ld"], "world"),
        ("Hello\n\n", ["\n", "\n\nHi"], "\nHi"),
        ("Hello ", ["\n", "Hi"], "\nHi"),
        ("", ["  H", "i"], "  Hi"),
    ] {
        assert_eq!(feed(Seam::after(sent), &pieces), Ok((expected.to_owned(), true)), "{sent:?}");
    }
}

#[test]
fn an_answer_that_ends_with_what_was_sent_is_settled() {
    assert_eq!(feed(Seam::after_repeating("Hello \n"), &["Hello"]), Ok((String::new(), true)));
}

proptest! {
    #![proptest_config(crate::stream::tests::properties(512))]

    /// Split anywhere into sent and unsent, and the repetition into any pieces, a text is whole.
    #[test]
    fn repeating_a_text_sends_its_rest(
        text in "[ab \n\t“’—ü🌍]{0,40}", cut in any::<prop::sample::Index>(),
        pieces in prop::collection::vec(1usize..5, 40),
    ) {
        let chars: Vec<char> = text.chars().collect();
        let cut = cut.index(chars.len() + 1);
        let sent: String = chars[..cut].iter().collect();
        let mut seam = Seam::after_repeating(&sent);
        let mut whole = sent.clone();
        let mut left = chars.as_slice();
        for length in pieces {
            let (piece, rest) = left.split_at(length.min(left.len()));
            let piece: String = piece.iter().collect();
            whole.push_str(seam.feed(&piece).expect("the text is the same"));
            left = rest;
        }
        prop_assert!(seam.is_settled());
        prop_assert_eq!(whole, text);
    }
}
