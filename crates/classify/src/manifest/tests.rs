//! What a manifest may say, and how it is told what it may not.

use super::*;

const GOOD: &str = include_str!("../../tests/linear-only.toml");

fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from} is not in the example");
    let changed = GOOD.replacen(from, to, 1);
    Manifest::parse(&changed).expect_err("the changed manifest is accepted").to_string()
}

#[test]
fn a_good_manifest_is_read() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!(manifest.name, "example");
    assert_eq!(manifest.labels().collect::<Vec<_>>(), ["injection"]);
    assert_eq!(manifest.files().collect::<Vec<_>>(), ["linear.bin"]);
    assert_eq!(manifest.trained_on[0].rows, Some(546));
}

#[test]
fn every_problem_is_named_by_its_key() {
    for (from, to, wanted) in [
        ("format = 1", "format = 2", "`format` is 2, this reads 1"),
        ("positive = true", "positive = false", "`labels` has none that is positive"),
        ("window = 2048", "window = 0", "`linear.window` is 0, wanted is 1 to 65536"),
        (
            "stride = 1024",
            "stride = 4096",
            "`linear.stride` is 4096, wanted is 1 to the window, 2048",
        ),
        ("buckets = 4096", "buckets = 5000", "`linear.tables[0].buckets` is 5000"),
        ("max = 5", "max = 9", "`linear.tables[0].min` to max is 2 to 9"),
        ("user = [-1.2]", "user = [1, 2]", "`linear.bias.user` has 2 numbers for 1 labels"),
        ("user = [-1.2]", "user = [nan]", "`linear.bias.user` is not finite"),
        ("user = [-1.2]", "", "`linear.bias.user` is missing"),
        ("\"1%\" = 0.9", "\"1%\" = 0.999", "`thresholds.default` must lie within 0 to 1"),
        ("[thresholds.tool]", "[thresholds.toll]", "`thresholds.toll` is neither"),
        ("linear = { slope", "core = { slope", "`labels[0].linear` is missing"),
        ("\"sigmoid\"", "\"softmax\"", "`calibration.activation` is softmax"),
        ("file = \"linear.bin\"", "file = \"other.bin\"", "`linear.file` is `other.bin`, which"),
        (
            "[linear.dense]\n",
            "[gate]\nlow = 0\nhigh = 1\n[linear.dense]\n",
            "`gate` stands between",
        ),
        ("\"linear.bin\" = \"", "\"../linear.bin\" = \"", "`files` names `../linear.bin`"),
        ("name = \"example\"", "nmae = \"example\"", "nmae"),
        ("unit = \"char\"", "unit = \"skip\"", "`linear.tables[0].min` and max of skip must be 2"),
        ("knots = [[-4.0, -5.0]", "knots = [[-4.0, 5.0]", "`labels[0].knots` must be two or more"),
    ] {
        let problem = refused(from, to);
        assert!(problem.contains(wanted), "{to}: {problem}");
    }
}
