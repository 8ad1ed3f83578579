//! What holds for any text whatever.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

/// Words that a configuration might hold, so that arbitrary texts come near real ones.
const WORDS: [&str; 24] = [
    "version = 1",
    "[auth]",
    "mode = \"open\"",
    "[[auth.keys]]",
    "[models.fast]",
    "targets",
    "=",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\n",
    "provider = \"mock\"",
    "kind = \"mock\"",
    "[providers.mock]",
    "-1",
    "9e999",
    "nan",
    "1979-05-27",
    "api_key",
    "[defaults]",
    "bounds = { top_p = [1, 0] }",
    "\u{0}ü",
];

/// Errors and refusal are one, and every span lies in the text.
fn check(text: &str, variables: &[(String, String)]) -> Result<(), TestCaseError> {
    let result = load(Source { name: "any", text }, variables, UnixMs(0));
    let is_refused = result.is_err();
    let found = problems(result);
    let has_error = found.iter().any(|problem| problem.severity() == Severity::Error);
    prop_assert_eq!(is_refused, has_error);
    prop_assert_eq!(masked(text, &found).len(), text.len());
    for problem in found {
        if let Place::Text { span, start, end } = problem.place {
            prop_assert!(span.start <= span.end && text.get(span).is_some());
            prop_assert!(start <= end && start.line >= 1 && start.column >= 1);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_judged_without_panic(text in any::<String>()) {
        check(&text, &[])?;
        check(&format!("{{{text}"), &[])?;
    }

    #[test]
    fn any_words_of_a_configuration_are_judged_without_panic(words in vec(0..WORDS.len(), 0..60)) {
        let text: Vec<_> = words.iter().map(|word| WORDS[*word]).collect();
        check(&text.join(" "), &[])?;
        check(&text.join("\n"), &[])?;
    }

    #[test]
    fn any_piece_of_the_full_example_may_go(start in any::<Index>(), length in 0..80_usize) {
        let text = fixture("full.toml");
        let start = start.index(text.len());
        let mut chars: Vec<char> = text.chars().collect();
        chars.drain(start..(start + length).min(chars.len()));
        check(&chars.into_iter().collect::<String>(), &[])?;
    }

    #[test]
    fn any_piece_of_the_full_example_may_be_something_else(
        start in any::<Index>(),
        length in 0..20_usize,
        word in 0..WORDS.len(),
    ) {
        let mut chars: Vec<char> = fixture("full.toml").chars().collect();
        let start = start.index(chars.len());
        let end = (start + length).min(chars.len());
        chars.splice(start..end, WORDS[word].chars());
        check(&chars.into_iter().collect::<String>(), &[])?;
    }

    #[test]
    fn any_variable_is_judged_without_panic(
        name in "[A-Z_]{0,12}(__(MODELS|FAST|AUTH|KEYS|0|TARGETS|PRICE|X))*",
        text in "\\PC{0,20}",
    ) {
        let variables = [(format!("TOLLHOUSE__{name}"), text)];
        check(&fixture("full.toml"), &variables)?;
    }

    /// A number outside the bounds that the schema states is refused, and one inside is not out of range.
    #[test]
    fn numbers_are_out_of_range_exactly_outside_the_bounds(attempts in -5_i64..20) {
        let text = fixture("full.toml").replace("max_attempts = 3", &format!("max_attempts = {attempts}"));
        let is_refused = load_toml(&text).is_err();
        prop_assert_eq!(is_refused, !(1..=10).contains(&attempts));
    }
}

#[test]
fn deep_nesting_is_a_problem_and_no_overflow() {
    for text in [
        format!("{}x = 1", "a.".repeat(100_000)),
        format!("[{}x]", "a.".repeat(100_000)),
        format!("x = {{ {}x = 1 }}", "a.".repeat(100_000)),
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        "{\"a\":".repeat(100_000),
    ] {
        assert!(load_toml(&text).is_err());
    }
}

#[test]
fn a_deep_variable_is_a_problem_and_no_overflow() {
    let name = format!("TOLLHOUSE{}", "__A".repeat(100_000));
    let found = problems(load_with(&fixture("full.toml"), &[(&name, "1")]));
    assert!(found.iter().any(|problem| problem.rule == Rule::BadVariable));
}

#[test]
fn a_text_of_nothing_but_mistakes_is_judged_quickly() {
    let lines: Vec<_> = (0..20_000).map(|index| format!("unknown_{index} = {index}")).collect();
    assert!(load_toml(&lines.join("\n")).unwrap_err().problems.len() > 20_000);
}
