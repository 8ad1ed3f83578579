//! Lines in, lines out, on a model that dislikes capital letters.

use std::{fs, io};

use sha2::{Digest, Sha256};
use tollhouse_classify::{Classifier, Files};

use super::*;

/// Logit −4, and 8 more for nothing but capitals.
fn manifest() -> (String, Vec<u8>) {
    let weights = vec![0; 256];
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap();
    let digest: String = Sha256::digest(&weights)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(digit)
        .collect();
    let manifest = format!(
        r#"
format = 1
name = "shouting"
version = "1"
licence = "Apache-2.0"
task = "capital letters"
negative = "calm"
files = {{ "linear.bin" = "{digest}" }}
[linear]
file = "linear.bin"
window = 100
stride = 50
tf = "binary"
bias = {{ user = [-4.0], document = [-4.0], tool = [-4.0], system = [-4.0] }}
tables = [{{ unit = "char", min = 1, max = 1, buckets = 256, seed = 1, scale = 1.0 }}]
dense = {{ upper_share = [8.0] }}
[[labels]]
name = "shouting"
positive = true
linear = {{ slope = 1.0, intercept = 0.0 }}
[calibration]
version = "1"
texts = 0
activation = "sigmoid"
[thresholds]
default = {{ "0.1%" = 0.95, "1%" = 0.4, "5%" = 0.1 }}
tool = {{ "0.1%" = 0.3, "1%" = 0.2, "5%" = 0.1 }}
"#
    );
    (manifest, weights)
}

fn classifier() -> Classifier {
    let (manifest, weights) = manifest();
    Classifier::load(&manifest, Files::from([("linear.bin".into(), weights.into())])).unwrap()
}

fn answers(jsonl: bool, input: &[u8]) -> (Vec<serde_json::Value>, Outcome) {
    let classifier = classifier();
    let one_percent = Threshold::Share(OperatingPoint::OneIn100);
    let judge =
        line::Judge::new(&classifier, one_percent, Threshold::Share(OperatingPoint::OneIn1000));
    let mut output = Vec::new();
    let outcome = stream(&judge, jsonl, input, &mut output).unwrap();
    let lines = String::from_utf8(output).unwrap();
    (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), outcome)
}

#[test]
fn each_line_has_its_answer_in_order() {
    let input = br#"{"text":"HELLO","source":"user"}
{"text":"hello"}
{"text":"HEllo","source":"tool","id":7}
{"text":"HEllo\nthere"}"#;
    let (answers, outcome) = answers(true, input);
    let told: Vec<_> = answers
        .iter()
        .map(|answer| (answer["label"].as_str().unwrap(), answer["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [("shouting", "block"), ("calm", "allow"), ("shouting", "block"), ("calm", "allow")]
    );
    assert!((0.98..0.99).contains(&answers[0]["score"].as_f64().unwrap()));
    assert_eq!(outcome, Outcome::Clean);
}

#[test]
fn a_bad_line_is_answered_and_the_rest_goes_on() {
    let input = b"{\"text\":\"a\"}\nnonsense\n\n{\"text\":1}\n{\"text\":\"a\",\"source\":\"mail\"}\n{\"text\":\"\xff\"}\n{\"text\":\"b\"}\n";
    let (answers, outcome) = answers(true, input);
    assert_eq!(answers.len(), 7);
    let failed: Vec<_> = answers.iter().filter_map(|answer| answer["line"].as_u64()).collect();
    assert_eq!(failed, [2, 3, 4, 5, 6]);
    assert_eq!(answers[4]["error"], "`mail` is no source: user, document, tool or system");
    assert_eq!(answers[6]["verdict"], "allow");
    assert_eq!(outcome, Outcome::Found);
}

#[test]
fn a_disguise_does_not_help() {
    let (answers, _) = answers(false, "ＳＨＯＵＴＩＮＧ\nｑｕｉｅｔ".as_bytes());
    let verdicts: Vec<_> =
        answers.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["block", "allow"]);
}

#[test]
fn plain_lines_are_texts_of_a_user() {
    let (answers, outcome) = answers(false, b"SHOUT\r\n\nquiet {\"text\"");
    let verdicts: Vec<_> =
        answers.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["block", "allow", "allow"]);
    assert_eq!(outcome, Outcome::Clean);
}

#[test]
fn a_line_is_answered_before_the_next_is_read() {
    struct Slow<'a> {
        lines: Vec<&'static [u8]>,
        written: &'a std::cell::Cell<usize>,
    }
    impl io::Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let left = self.lines.len();
            assert_eq!(
                self.written.get(),
                2 - left,
                "a line was read before the last was answered"
            );
            let Some(line) = self.lines.pop() else { return Ok(0) };
            into[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }
    struct Counted<'a>(&'a std::cell::Cell<usize>);
    impl Write for Counted<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + bytes.split(|byte| *byte == b'\n').count() - 1);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let written = std::cell::Cell::new(0);
    let input = io::BufReader::new(Slow { lines: vec![b"two\n", b"one\n"], written: &written });
    let classifier = classifier();
    let judge = line::Judge::new(&classifier, Threshold::Score(0.5), Threshold::Score(0.9));
    stream(&judge, false, input, Counted(&written)).unwrap();
    assert_eq!(written.get(), 2);
}

#[test]
fn a_folder_is_a_model_and_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, weights) = manifest();
    let name = folder.path().to_str().unwrap();
    let problem = |name: &str| model::load(name).expect_err("there is no model").to_string();
    assert!(problem(name).starts_with(&format!("no model is called `{name}`")));
    fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    assert!(problem(name).ends_with("`linear.bin` is named in the manifest and missing"));
    fs::write(folder.path().join("linear.bin"), weights).unwrap();
    assert_eq!(model::load(name).unwrap().manifest().name, "shouting");
}

#[test]
fn thresholds_are_scores_or_shares() {
    assert_eq!(threshold("0.5"), Ok(Threshold::Score(0.5)));
    assert_eq!(threshold("5%"), Ok(Threshold::Share(OperatingPoint::OneIn20)));
    assert!(threshold("2%").is_err() && threshold("1.5").is_err() && threshold("nan").is_err());
}
