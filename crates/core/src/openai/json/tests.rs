use proptest::prelude::*;
use serde_json::Value as Reference;

use super::*;
use crate::refusal::Code;

fn parse(body: &str) -> Result<Envelope, Refusal> {
    Envelope::parse(body.as_bytes().to_vec())
}

#[track_caller]
fn check_refused(body: &[u8], code: Code, message: &str) {
    let refusal = Envelope::parse(body.to_vec()).expect_err("must be refused");
    assert_eq!((refusal.code, refusal.message.as_str()), (code, message));
}

#[test]
fn what_is_not_one_json_object_is_refused_with_its_place() {
    #[rustfmt::skip]
    let cases: &[(&str, &str)] = &[
        ("", "the body is empty, a JSON object is expected"),
        (" \n ", "the body is empty, a JSON object is expected"),
        ("\u{feff}{}", "the body starts with a byte order mark, which JSON forbids"),
        ("{", "the body ends inside an object at line 1, column 2 (byte 1)"),
        ("{\"a\":[1", "the body ends inside an array at line 1, column 8 (byte 7)"),
        ("{\"a\":\"b", "the body ends inside a string at line 1, column 8 (byte 7)"),
        ("{\"a\":", "the body ends inside an unfinished value at line 1, column 6 (byte 5)"),
        ("{\"a\":1}x", "the body goes on after its JSON value at line 1, column 8 (byte 7)"),
        ("{\"a\":1}{}", "the body goes on after its JSON value at line 1, column 8 (byte 7)"),
        ("{\n \"é\": 1,\n}", "expected a key in double quotes, found `}` at line 3, column 1 (byte 12)"),
        ("{\"é\" 1}", "expected `:`, found `1` at line 1, column 6 (byte 6)"),
        ("{\"a\":1 \"b\":2}", "expected `,` or `}`, found `\"` at line 1, column 8 (byte 7)"),
        ("{\"a\":[1 2]}", "expected `,` or `]`, found `2` at line 1, column 9 (byte 8)"),
        ("{\"a\":[1,]}", "expected a value, found `]` at line 1, column 9 (byte 8)"),
        ("{\"a\":[1}", "expected `,` or `]`, found `}` at line 1, column 8 (byte 7)"),
        ("{\"a\":NaN}", "expected a value, found `N` at line 1, column 6 (byte 5)"),
        ("{\"a\":-Infinity}", "a number is malformed at line 1, column 7 (byte 6)"),
        ("{\"a\":nul}", "expected a value, found `n` at line 1, column 6 (byte 5)"),
        ("{\"a\":truely}", "expected a value, found `t` at line 1, column 6 (byte 5)"),
        ("{'a':1}", "expected a key in double quotes, found `'` at line 1, column 2 (byte 1)"),
        ("{\"a\":01}", "a number is malformed at line 1, column 7 (byte 6)"),
        ("{\"a\":1.}", "a number is malformed at line 1, column 7 (byte 6)"),
        ("{\"a\":1e+}", "a number is malformed at line 1, column 7 (byte 6)"),
        ("{\"a\":\"b\nc\"}", "a control character in a string must be escaped at line 1, column 8 (byte 7)"),
        ("{\"a\":\"\\x\"}", "a string holds an escape that JSON does not know at line 1, column 7 (byte 6)"),
        ("{\"a\":\"\\u12g4\"}", "a string holds an escape that JSON does not know at line 1, column 7 (byte 6)"),
        ("{\"a\":\"\\ud800\"}", "a string holds half of a surrogate pair, which is no character at line 1, column 7 (byte 6)"),
        ("{\"a\":\"\\ud800\\u0041\"}", "a string holds half of a surrogate pair, which is no character at line 1, column 7 (byte 6)"),
        ("{\"a\":\"\\udc00\"}", "a string holds half of a surrogate pair, which is no character at line 1, column 7 (byte 6)"),
    ];
    for (body, message) in cases {
        check_refused(body.as_bytes(), Code::InvalidJson, message);
    }
    check_refused(
        b"{\"a\":\"\xff\"}",
        Code::InvalidJson,
        "the body is not UTF-8 at line 1, column 7 (byte 6)",
    );
    check_refused(b"[1]", Code::InvalidType, "the body must be a JSON object, not an array");
    check_refused(b"null", Code::InvalidType, "the body must be a JSON object, not null");
}

#[test]
fn duplicate_keys_are_found_at_every_depth_and_named() {
    for (body, path) in [
        (r#"{"model":"a","model":"b"}"#, "model"),
        (r#"{"messages":[{},{"role":"user","content":"x","role":"system"}]}"#, "messages[1].role"),
        (r#"{"a":{"b":[[0,{"c":{},"d":1,"c":[]}]]}}"#, "a.b[0][1].c"),
        // The same key in another spelling is the same key to whoever decodes it.
        (r#"{"role":1,"\u0072ole":2}"#, "role"),
        (r#"{"":1,"":2}"#, ""),
    ] {
        let refusal = parse(body).expect_err(body);
        assert_eq!(refusal.code, Code::DuplicateKey, "{body}");
        assert_eq!(refusal.param.as_deref(), Some(path), "{body}");
    }
    assert!(parse(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"a"}"#).is_ok());
}

#[test]
fn nesting_has_a_limit_that_a_long_body_meets_at_once() {
    let nested =
        |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let too_deep = parse(&nested(MAX_DEPTH + 1)).expect_err("too deep");
    assert_eq!(too_deep.code, Code::InvalidJson);
    assert!(too_deep.message.contains("deeper than 64 levels"), "{}", too_deep.message);
    let brackets = Envelope::parse(vec![b'['; 10_000_000]).expect_err("too deep");
    assert!(brackets.message.contains("(byte 64)"), "{}", brackets.message);
    let objects = parse(&"{\"a\":".repeat(100_000)).expect_err("too deep");
    assert!(objects.message.contains("deeper than 64 levels"), "{}", objects.message);
}

#[test]
fn a_value_takes_sixteen_bytes() {
    assert_eq!(size_of::<Node>(), 16);
}

#[test]
fn a_key_like_a_secret_is_not_repeated() {
    let refusal = parse(r#"{"sk-abcdefghijkl":1,"sk-abcdefghijkl":2}"#).expect_err("duplicate");
    assert_eq!(refusal.param.as_deref(), Some("sk-***"));
}

#[test]
fn the_number_of_values_has_a_limit() {
    let body = |items: usize| format!("{{\"a\":[0{}]}}", ",0".repeat(items - 1));
    // The object, the key and the array count too.
    assert!(parse(&body(MAX_VALUES - 3)).is_ok());
    let refusal = parse(&body(MAX_VALUES - 2)).expect_err("too many");
    assert!(refusal.message.contains("more than 1048576 values"), "{}", refusal.message);
}

#[test]
fn values_are_read_where_they_stand() {
    let envelope = parse(
        " { \"te\\u0078t\" : \"a\\n\\ud83d\\ude00\" , \"n\" : 1.50 , \"o\":{ \"x\" : [ 1 , [ ] , {} ] }, \"z\":null }",
    )
    .unwrap();
    let root = envelope.root();
    assert_eq!(root.get("text").unwrap().as_str().unwrap(), "a\n😀");
    assert!(root.get("text").unwrap().is_str("a\n😀"));
    assert_eq!(root.get("n").unwrap().raw(), "1.50");
    assert_eq!(root.get("n").unwrap().as_u64(), None);
    assert_eq!(root.get("o").unwrap().raw(), "{ \"x\" : [ 1 , [ ] , {} ] }");
    assert_eq!(root.get("o").unwrap().get("x").unwrap().items().count(), 3);
    assert_eq!(root.get("o").unwrap().items().count(), 0);
    assert_eq!(root.members().count(), 4);
    assert!(root.get("z").is_some() && envelope.present("z").is_none());
}

/// JSON texts, many valid, many nearly so.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\"a\"",
        "\"b\"",
        "\"\\n\"",
        "\"\\u0061\"",
        "1",
        "-0.5e3 ",
        "true",
        "false",
        "null",
        "01",
        "\"",
        "\\",
        "é",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
    ]);
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.concat())
}

fn tree() -> impl Strategy<Value = Reference> {
    let leaf = prop_oneof![
        Just(Reference::Null),
        any::<bool>().prop_map(Reference::from),
        any::<i64>().prop_map(Reference::from),
        any::<f64>().prop_map(Reference::from),
        any::<String>().prop_map(Reference::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Reference::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<Reference>()),
        ]
    })
}

/// What the scan found, rebuilt through the public look at it.
fn rebuilt(value: Value<'_>) -> Reference {
    match value.kind() {
        Kind::Null => Reference::Null,
        Kind::Bool => Reference::from(value.as_bool().unwrap()),
        Kind::Number => serde_json::from_str(value.raw()).unwrap(),
        Kind::String => Reference::from(value.as_str().unwrap().into_owned()),
        Kind::Array => value.items().map(rebuilt).collect(),
        Kind::Object => value
            .members()
            .map(|member| (member.key.as_str().unwrap().into_owned(), rebuilt(member.value)))
            .collect(),
    }
}

proptest! {
    #[test]
    fn the_scan_accepts_what_serde_json_accepts(inside in nearly_json()) {
        let body = format!("{{\"body\":{inside}}}");
        match (parse(&body), serde_json::from_str::<Reference>(&body)) {
            (Ok(envelope), reference) => {
                prop_assert_eq!(rebuilt(envelope.root()), reference.unwrap());
            }
            // A map keeps the last of two equal keys where the scan refuses.
            (Err(refusal), Ok(_)) => prop_assert_eq!(refusal.code, Code::DuplicateKey),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn every_tree_is_read_back(tree in tree(), pretty: bool) {
        let object = serde_json::json!({ "tree": tree });
        let body = if pretty {
            serde_json::to_string_pretty(&object).unwrap()
        } else {
            object.to_string()
        };
        prop_assert_eq!(rebuilt(parse(&body).unwrap().root()), serde_json::from_str::<Reference>(&body).unwrap());
    }

    #[test]
    fn escaped_strings_are_compared_as_they_are_decoded(text: String, other: String) {
        let units: Vec<_> = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let units = units.concat();
        let envelope = parse(&format!("{{\"text\":\"{units}\"}}")).unwrap();
        let value = envelope.root().get("text").unwrap();
        prop_assert!(value.is_str(&text));
        prop_assert_eq!(value.is_str(&other), text == other);
        prop_assert_eq!(value.as_str().unwrap(), text);
    }

    #[test]
    fn no_bytes_bring_it_down(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Envelope::parse(body);
    }

    #[test]
    fn a_cut_body_is_refused(tree in tree(), cut: prop::sample::Index) {
        let body = serde_json::json!({ "tree": tree }).to_string();
        let cut = cut.index(body.len());
        prop_assert!(Envelope::parse(body.as_bytes()[..cut].to_vec()).is_err());
    }
}
