//! Classifiers: native, in workerd, and the same graph under onnxruntime, in one run.

use std::path::Path;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::setup;

/// Where onnxruntime is installed: it is large, and nothing else needs it.
const RUNTIMES: &str = "target/onnxruntime";
const MODEL: &str = "crates/classify/models/prompt-injection";

/// Prints microseconds a text, sizes, and what the first request costs.
pub(super) fn run(sh: &Shell) -> Result<()> {
    setup::wasm_target(sh)?;
    setup::npm_packages(sh)?;
    runtimes(sh)?;
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
    cmd!(
        sh,
        "node_modules/.bin/node tests/harness/classify.mjs {MODEL} {native} {wasm} {RUNTIMES}"
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
