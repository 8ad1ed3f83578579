//! Classifiers: native, in workerd, and the same graphs under onnxruntime, in one run.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::setup;

/// Where onnxruntime is installed: it is large, and nothing else needs it.
const RUNTIMES: &str = "target/onnxruntime";
/// Python and its ONNX packages, and the model that they write.
const PYTHON: &str = "target/onnx";
const SPEED: &str = "target/speed-models";
const SHIPPED: &str = "crates/classify/models";

/// Prints microseconds a text, sizes, and what the first request costs.
pub(super) fn run(sh: &Shell) -> Result<()> {
    setup::wasm_target(sh)?;
    setup::npm_packages(sh)?;
    runtimes(sh)?;
    transformer(sh)?;
    let _models = sh.push_env("TOLLHOUSE_MODELS", SPEED);
    let host = cmd!(sh, "rustc --print host-tuple").quiet().read()?;
    setup::say("compiling the classifier, native and to WebAssembly (release)");
    for target in [host.as_str(), "wasm32-unknown-unknown"] {
        let example = if target.starts_with("wasm") { "speed_wasm" } else { "speed" };
        cmd!(
            sh,
            "cargo build --quiet --package tollhouse-classify --example {example} --target {target}
            --release"
        )
        .quiet()
        .run()?;
    }
    setup::say("measuring, about a minute; other work on this machine blurs it");
    let native = format!("target/{host}/release/examples/speed");
    let wasm = "target/wasm32-unknown-unknown/release/examples/speed_wasm.wasm";
    let models = folders(sh)?;
    cmd!(
        sh,
        "node_modules/.bin/node tests/harness/classify.mjs {native} {wasm} {RUNTIMES} {models...}"
    )
    .quiet()
    .run()?;
    Ok(())
}

fn runtimes(sh: &Shell) -> Result<()> {
    if Path::new(RUNTIMES).join("node_modules/onnxruntime-web").exists() {
        return Ok(());
    }
    setup::say("installing onnxruntime-node and onnxruntime-web");
    sh.create_dir(RUNTIMES)?;
    sh.write_file(Path::new(RUNTIMES).join("package.json"), "{\"private\":true}\n")?;
    // The script would fetch its GPU provider from another host.
    cmd!(sh, "npm install --prefix {RUNTIMES} --no-fund --no-audit --ignore-scripts onnxruntime-node onnxruntime-web")
        .quiet()
        .run()
        .context("onnxruntime could not be installed from npm")
}

/// A transformer as large as the time at the edge allows, because no shipped model has a graph.
fn transformer(sh: &Shell) -> Result<()> {
    let brought = "crates/classify/tests/brought";
    setup::python_folder(sh, &format!("{brought}/requirements.txt"), PYTHON, "ONNX")?;
    cmd!(sh, "{PYTHON}/bin/python {brought}/make.py --speed {SPEED}/transformer").quiet().run()?;
    Ok(())
}

/// The folders of the models that are embedded, sorted by name.
fn folders(sh: &Shell) -> Result<Vec<PathBuf>> {
    let mut found = sh.read_dir(SHIPPED)?;
    found.append(&mut sh.read_dir(SPEED)?);
    found.retain(|folder| folder.join("manifest.toml").is_file());
    found.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    Ok(found)
}
