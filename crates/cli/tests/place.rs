//! `tollhouse place` as it is typed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

const TRANSFORMER: &str = "crates/classify/tests/brought/wordpiece";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn place(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tollhouse"))
        .arg("place")
        .args(arguments)
        .env_clear()
        .current_dir(root())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn rows(output: &Output) -> Vec<Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A safetensors file of one matrix of so many f16 numbers; what is not the header is a hole.
fn heavy(folder: &Path, name: &str) -> String {
    let (rows, columns) = (32_000_u64, 4_096_u64);
    let bytes = rows * columns * 2;
    let header =
        json!({ "w": { "dtype": "F16", "shape": [rows, columns], "data_offsets": [0, bytes] } });
    let header = header.to_string();
    let length = u64::try_from(header.len()).unwrap();
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(&length.to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + length + bytes).unwrap();
    path.display().to_string()
}

#[test]
fn a_shipped_classifier_and_a_small_transformer_belong_to_the_edge() {
    let graph = format!("{TRANSFORMER}/core.onnx");
    let output = place(&["prompt-injection", TRANSFORMER, &graph]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for told in [
        "prompt-injection: edge (prompt-injection)\n",
        "  format                manifest\n",
        "  parameters            458,752\n",
        "  look-ups a token ",
        "wordpiece: edge (wordpiece)\n",
        "core.onnx: edge (core)\n",
        "  unsupported operators none\n",
        " (by graph)\n",
        "  because               a full window takes ",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[test]
fn a_large_matrix_is_for_the_gpu_and_the_reasons_name_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let model = heavy(folder.path(), "head.safetensors");
    let output = place(&["--json", &model]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let row = rows(&output).remove(0);
    assert_eq!((&row["verdict"], &row["name"]), (&json!("gpu"), &json!("head")));
    assert_eq!((&row["parameters"], &row["counted_by"]), (&json!(131_072_000), &json!("weights")));
    let codes: Vec<&Value> =
        row["reasons"].as_array().unwrap().iter().map(|reason| &reason["code"]).collect();
    for code in ["memory", "bytes", "cpu"] {
        assert!(codes.contains(&&json!(code)), "{code}: {codes:?}");
    }
    assert!(row["edge_ms"].as_f64().unwrap() > row["limits"]["cpu_ms"].as_f64().unwrap());
}

#[test]
fn files_that_lie_are_told_by_code_and_the_others_are_still_placed() {
    let folder = tempfile::tempdir().unwrap();
    let lie = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let many_tensors = [&b"GGUF"[..], &3_u32.to_le_bytes(), &(1_u64 << 60).to_le_bytes(), &[0; 8]];
    let beyond = json!({ "w": { "dtype": "F32", "shape": [25_000_000_000_u64], "data_offsets": [0, 100_000_000_000_u64] } });
    let beyond = beyond.to_string();
    let length = u64::try_from(beyond.len()).unwrap().to_le_bytes();
    for (name, bytes, code) in [
        ("endless.safetensors", u64::MAX.to_le_bytes().to_vec(), "absurd-length"),
        ("cut.safetensors", [&999_u64.to_le_bytes()[..], b"{"].concat(), "truncated"),
        ("hundred-gigabytes.safetensors", [&length[..], beyond.as_bytes()].concat(), "truncated"),
        ("many.gguf", many_tensors.concat(), "absurd-length"),
        ("cut.gguf", b"GGUF".to_vec(), "truncated"),
        ("noise.onnx", vec![0xff; 64], "malformed"),
        ("letter.txt", b"Dear sir or madam".to_vec(), "unknown-format"),
        ("empty.bin", Vec::new(), "unknown-format"),
    ] {
        let path = lie(name, &bytes);
        let output = place(&["--json", &path, "prompt-injection"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stdout(&output));
        let rows = rows(&output);
        assert_eq!(rows[0]["error"]["code"], code, "{name}: {}", rows[0]);
        assert_eq!(rows[1]["verdict"], "edge", "{name}");
        assert!(stderr(&output).contains(&format!("error[{code}]: {path}: ")), "{name}");
    }
    let nothing = place(&["no/such/model.onnx"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(stderr(&nothing).contains("error[unreadable]"), "{}", stderr(&nothing));
}

const CONFIG: &str = r#"# Ours.
version = 1
[auth]
mode = "open"
[providers.box]                # in the cellar
kind = "openai"
base_url = "http://127.0.0.1:9000/v1"
placement = "gpu"
[providers.api]
kind = "openai"
base_url = "https://api.example.com/v1"
[models.fast]
targets = [{ provider = "api", model = "fast" }]
"#;

fn config(folder: &Path, text: &str) -> (PathBuf, String) {
    let path = folder.join("tollhouse.toml");
    fs::write(&path, text).unwrap();
    let name = path.display().to_string();
    (path, name)
}

#[test]
fn routing_is_written_into_the_configuration_and_checked_against_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = heavy(folder.path(), "guard.safetensors");
    let (path, config) = config(folder.path(), CONFIG);

    let missing = place(&[&model, "prompt-injection", "--check", &config]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("`models.guard`"), "{}", stderr(&missing));

    let written = place(&[&model, "prompt-injection", "--write", &config]);
    assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# Ours.\n") && text.contains("# in the cellar"), "{text}");
    let table: toml::Table = toml::from_str(&text).unwrap();
    let target = &table["models"]["guard"]["targets"][0];
    assert_eq!(target["provider"].as_str(), Some("box"));

    let agreed = place(&[&model, "prompt-injection", "--check", &config]);
    assert_eq!(agreed.status.code(), Some(0), "{}", stderr(&agreed));
    assert_eq!(place(&[&model, "--write", &config]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), text, "what agrees is left alone");

    fs::write(&path, text.replace("provider = \"box\"", "provider = \"api\"")).unwrap();
    let moved = place(&[&model, "--check", &config]);
    assert_eq!(moved.status.code(), Some(1));
    assert!(stderr(&moved).contains("its cost says gpu"), "{}", stderr(&moved));
}

#[test]
fn a_classifier_that_is_too_slow_for_the_edge_moves_to_the_gpu_and_back_to_both() {
    let folder = tempfile::tempdir().unwrap();
    let (path, config) = config(folder.path(), CONFIG);
    let table = || toml::from_str::<toml::Table>(&fs::read_to_string(&path).unwrap()).unwrap();
    let slow = ["prompt-injection", "--cpu-ms", "0.000001"];
    let of = |to: &str| place(&[&slow[..], &[to, &config]].concat());

    let missing = of("--check");
    assert_eq!(missing.status.code(), Some(1));
    let told = stderr(&missing);
    assert!(
        told.contains("`classifiers.prompt-injection` is at the edge, its cost says gpu"),
        "{told}"
    );

    let written = of("--write");
    assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
    let classifier = &table()["classifiers"]["prompt-injection"];
    assert_eq!(classifier["placement"].as_str(), Some("gpu"));
    let judge = classifier["gpu"].as_str().unwrap();
    let target = &table()["models"][judge]["targets"][0];
    assert_eq!(target["provider"].as_str(), Some("box"), "a model that is not there is made");
    assert!(fs::read_to_string(&path).unwrap().contains("# in the cellar"));
    assert_eq!(of("--check").status.code(), Some(0));

    let back = place(&["prompt-injection", "--write", &config]);
    assert_eq!(back.status.code(), Some(0), "{}", stderr(&back));
    let classifier = &table()["classifiers"]["prompt-injection"];
    assert_eq!(
        classifier["placement"].as_str(),
        Some("auto"),
        "the GPU stays for what is in doubt"
    );
    assert_eq!(place(&["prompt-injection", "--check", &config]).status.code(), Some(0));
}

#[test]
fn a_classifier_goes_to_the_model_that_the_configuration_has_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "{CONFIG}[models.judge]\ntargets = [{{ provider = \"box\", model = \"guard\" }}]\n\
         [classifiers.prompt-injection]\nplacement = \"auto\" # for now\ngpu = \"judge\"\n"
    );
    let (path, config) = config(folder.path(), &text);
    let output = place(&["prompt-injection", "--cpu-ms", "0.000001", "--write", &config]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = text.replace("\"auto\" # for now", "\"gpu\" # for now");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn what_cannot_be_written_right_is_not_written_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let model = heavy(folder.path(), "guard.safetensors");
    let twice = CONFIG.replace("[providers.api]", "[providers.api]\nplacement = \"gpu\"");
    let none = CONFIG.replace("placement = \"gpu\"\n", "");
    for (text, told) in
        [(twice.as_str(), "--gpu"), (none.as_str(), "--gpu"), ("version = ", "TOML")]
    {
        let (path, config) = config(folder.path(), text);
        let output = place(&[&model, "--write", &config]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(told), "{told}: {}", stderr(&output));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let (_, config) = config(folder.path(), &twice);
    assert_eq!(place(&[&model, "--write", &config, "--gpu", "box"]).status.code(), Some(0));
}

#[test]
fn a_machine_that_is_measured_is_what_the_estimate_rests_on() {
    let output = place(&["--calibrate", "--json", "prompt-injection"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let row = rows(&output).remove(0);
    let calibration = &row["calibration"];
    assert_eq!(calibration["measured_here"], true);
    let ratio = calibration["native_macs_per_ms"].as_f64().unwrap()
        / calibration["edge_macs_per_ms"].as_f64().unwrap();
    assert!((ratio - calibration["wasm_ratio"].as_f64().unwrap()).abs() < 1e-6, "{ratio}");
    let told = stdout(&place(&["--calibrate", "prompt-injection"]));
    assert!(told.contains("multiply-adds a ms native"), "{told}");
}

#[test]
fn the_linter_names_the_gpu_route_of_a_heavy_model_in_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nworker = \"0.8\"\n");
    write("src/lib.rs", "static GUARD: &[u8] = include_bytes!(\"../models/guard.safetensors\");\n");
    fs::create_dir_all(folder.path().join("models")).unwrap();
    let lint = || {
        Command::new(env!("CARGO_BIN_EXE_tollhouse"))
            .args(["lint", "--format", "json", "--cache-dir", "cache"])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    assert_eq!(lint().status.code(), Some(0));
    heavy(&folder.path().join("models"), "guard.safetensors");
    // The model alone is new, and what was remembered of the folder does not hold any more.
    let output = lint();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let finding = rows(&output).remove(0);
    assert_eq!(
        (&finding["rule"], &finding["clause"]),
        (&json!("heavy-model-at-edge"), &json!("C6.2"))
    );
    assert_eq!((&finding["path"], &finding["line"]), (&json!("src/lib.rs"), &json!(1)));
    let told = finding["message"].as_str().unwrap();
    assert!(told.contains("`models/guard.safetensors`") && told.contains("262."), "{told}");
    assert!(finding["help"].as_str().unwrap().contains("placement = \"gpu\""), "{finding}");
}
