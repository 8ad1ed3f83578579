//! Attributes: test-likeness, docs, derives, and the text of the rest.

use super::lower::{Lower, name};
use crate::facts::{Attr, Name};
use syn::{Attribute, Meta};

/// Whether the attribute is `#[cfg(test)]` or names `test` (but not `not(test)`) within its condition.
pub(super) fn is_test_cfg(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    if !list.path.is_ident("cfg") {
        return false;
    }
    let text: String = list.tokens.to_string().chars().filter(|c| !c.is_whitespace()).collect();
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '"' || c == '-'));
    let testing = words.into_iter().any(|word| {
        matches!(
            word.trim_matches('"'),
            "test" | "testing" | "mock" | "test-utils" | "test_utils" | "test-util"
        )
    });
    testing && !text.contains("not(test)")
}

/// Whether the attribute marks a test function: `#[test]`, `#[tokio::test]`, `#[rstest]` and their kin.
pub(super) fn is_test_fn(attribute: &Attribute) -> bool {
    let last = attribute.path().segments.last().map(|segment| segment.ident.to_string());
    matches!(
        last.as_deref(),
        Some(
            "test"
                | "rstest"
                | "test_case"
                | "wasm_bindgen_test"
                | "bench"
                | "proptest"
                | "serial"
                | "test_log"
                | "traced_test"
        )
    )
}

/// Whether an attribute is documentation.
pub(super) fn is_doc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("doc")
}

impl Lower<'_> {
    /// Attributes other than documentation, with their text as written.
    pub(super) fn attrs(&self, attributes: &[Attribute]) -> Vec<Attr> {
        attributes.iter().filter(|a| !is_doc(a)).map(|a| self.attr(a)).collect()
    }

    fn attr(&self, attribute: &Attribute) -> Attr {
        let segments: Vec<String> =
            attribute.path().segments.iter().map(|s| s.ident.to_string()).collect();
        let brackets = &attribute.bracket_token.span;
        let inner = crate::text::Span {
            start: self.end(brackets.open()),
            end: self.start(brackets.close()),
        };
        Attr { path: Name::new(segments.join("::")), text: inner.of(self.text).to_owned() }
    }

    /// The last segments of everything derived.
    pub(super) fn derives(attributes: &[Attribute]) -> Vec<Name> {
        let mut found = Vec::new();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("derive")) {
            let parsed = attribute.parse_args_with(
                syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated,
            );
            let paths = parsed.into_iter().flatten();
            found.extend(paths.filter_map(|path| path.segments.last().map(|s| name(&s.ident))));
        }
        found
    }
}
