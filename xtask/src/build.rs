//! Builds the Worker: Rust to WebAssembly, its JavaScript side bundled into one module beside it.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};
use xshell::{Shell, cmd};

use crate::setup;

const OUT: &str = "crates/worker/build";

/// How much the compiler tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What is deployed: slow to build, fast and small to run.
    Release,
    /// For `dev` and tests: built in seconds once its dependencies are.
    Quick,
}

impl Profile {
    /// `--quick` or `TOLLHOUSE_BUILD=quick` asks for the quick one.
    pub(crate) fn choose(arguments: &[String]) -> Result<Self> {
        match arguments {
            [] if std::env::var("TOLLHOUSE_BUILD").is_ok_and(|value| value == "quick") => {
                Ok(Self::Quick)
            }
            [] => Ok(Self::Release),
            [flag] if flag == "--quick" => Ok(Self::Quick),
            _ => bail!("`build` takes `--quick` or nothing, not {arguments:?}"),
        }
    }

    const fn cargo_name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Quick => "quick",
        }
    }
}

/// Leaves `index.js` and `index_bg.wasm` in crates/worker/build.
pub(crate) fn run(sh: &Shell, profile: Profile) -> Result<()> {
    setup::wasm_target(sh)?;
    setup::npm_packages(sh)?;
    let bindgen = setup::wasm_bindgen(sh)?;

    let name = profile.cargo_name();
    setup::say(format!("compiling the Worker ({name})"));
    // What the tests run in WebAssembly beside the Worker: built with it, the two share their
    // dependencies, which take minutes.
    let beside: &[&str] = match profile {
        Profile::Release => &[],
        Profile::Quick => &["--package", "tollhouse-classify", "--example", "brought_wasm"],
    };
    cmd!(
        sh,
        "cargo build --package tollhouse-worker --lib {beside...} --target wasm32-unknown-unknown
        --profile {name}"
    )
    .quiet()
    .run()?;

    let stage = Path::new(OUT).join("stage");
    sh.remove_path(&stage)?;
    sh.create_dir(&stage)?;
    let wasm = format!("target/wasm32-unknown-unknown/{name}/tollhouse_worker.wasm");
    cmd!(
        sh,
        "{bindgen} {wasm} --target web --out-dir {stage} --out-name rust --no-typescript
        --omit-default-module-path --experimental-reset-state-function"
    )
    .quiet()
    .run()?;
    name_imports_once(sh, &stage.join("rust.js"))?;
    for file in ["entry.js", "ops.js"] {
        sh.copy_file(Path::new("crates/worker/glue").join(file), &stage)?;
    }
    bundle(sh, &stage)?;
    let built = stage.join("rust_bg.wasm");
    let out = Path::new(OUT).join("index_bg.wasm");
    match profile {
        Profile::Release => optimise(sh, &built, &out)?,
        Profile::Quick => sh.copy_file(&built, &out)?,
    }
    sh.remove_path(&stage)?;
    report(&out)
}

/// wasm-bindgen lists a module once for functions that it wraps and once for those that it does not;
/// both lines mean the same module, and bundlers warn of the second.
fn name_imports_once(sh: &Shell, glue: &Path) -> Result<()> {
    let text = sh.read_file(glue)?;
    let mut seen = false;
    let mut is_repeated = |line: &&str| {
        let names_it = line.trim_start().starts_with("\"./ops.js\": import");
        names_it && std::mem::replace(&mut seen, true)
    };
    let kept: Vec<&str> = text.lines().filter(|line| !is_repeated(line)).collect();
    sh.write_file(glue, kept.join("\n"))?;
    Ok(())
}

fn bundle(sh: &Shell, stage: &Path) -> Result<()> {
    let entry = stage.join("entry.js");
    cmd!(
        sh,
        "node_modules/.bin/esbuild {entry} --bundle --format=esm --target=es2022 --outfile={OUT}/index.js
        --external:cloudflare:* --external:*.wasm --log-level=warning"
    )
    .quiet()
    .run()
    .context("esbuild could not bundle the Worker's JavaScript")
}

fn optimise(sh: &Shell, input: &Path, output: &Path) -> Result<()> {
    setup::say("optimising the WebAssembly");
    cmd!(
        sh,
        "node_modules/.bin/wasm-opt {input} -o {output} -O2 --enable-simd --enable-bulk-memory
        --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals
        --enable-reference-types --enable-multivalue"
    )
    .quiet()
    .run()
    .context("wasm-opt failed")
}

fn report(wasm: &Path) -> Result<()> {
    let bytes = fs::read(wasm)?;
    let packed = gzipped(&bytes)?;
    setup::say(format!(
        "{}: {} KiB, {} KiB gzipped",
        wasm.display(),
        bytes.len().div_ceil(1024),
        packed.div_ceil(1024)
    ));
    Ok(())
}

/// The length of `bytes` after gzip at its best.
pub(crate) fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
