//! Finds the tools a task needs and installs those that are missing, saying so.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// The workspace's folder.
pub(crate) fn root() -> Result<PathBuf> {
    let here =
        env::var("CARGO_MANIFEST_DIR").map_or_else(|_| env::current_dir(), |dir| Ok(dir.into()))?;
    here.ancestors()
        .find(|dir| dir.join("wrangler.toml").exists())
        .map(Path::to_path_buf)
        .with_context(|| format!("no wrangler.toml above {}", here.display()))
}

/// Says what is being done.
pub(crate) fn say(what: impl AsRef<str>) {
    eprintln!("==> {}", what.as_ref());
}

/// The WebAssembly target of the pinned toolchain.
pub(crate) fn wasm_target(sh: &Shell) -> Result<()> {
    let sysroot = cmd!(sh, "rustc --print sysroot").quiet().read()?;
    if Path::new(&sysroot).join("lib/rustlib/wasm32-unknown-unknown").exists() {
        return Ok(());
    }
    say("installing the wasm32-unknown-unknown target");
    cmd!(sh, "rustup target add wasm32-unknown-unknown").quiet().run().context(
        "the wasm32-unknown-unknown target is missing; install it with `rustup target add wasm32-unknown-unknown`",
    )
}

/// The wasm-bindgen command of the version that Cargo.lock names.
pub(crate) fn wasm_bindgen(sh: &Shell) -> Result<PathBuf> {
    let version = locked_version(sh, "wasm-bindgen")?;
    let is_it = |program: &Path| {
        let output = cmd!(sh, "{program} --version").quiet().ignore_stderr().read();
        output.is_ok_and(|text| text.trim().ends_with(&version))
    };
    let installed = tools_dir()?.join(format!("wasm-bindgen-{version}"));
    let candidates = [PathBuf::from("wasm-bindgen"), installed.join("bin/wasm-bindgen")];
    if let Some(found) = candidates.iter().find(|program| is_it(program)) {
        return Ok(found.clone());
    }
    say(format!("installing wasm-bindgen {version} (two to three minutes, once)"));
    cmd!(sh, "cargo install wasm-bindgen-cli --version {version} --root {installed}")
        .quiet()
        .run()?;
    Ok(installed.join("bin/wasm-bindgen"))
}

/// The npm packages of `package-lock.json`, Node 22 among them.
pub(crate) fn npm_packages(sh: &Shell) -> Result<()> {
    let lock = sh.read_file("package-lock.json")?;
    let stamp = Path::new("node_modules/.tollhouse-lock");
    if fs::read_to_string(stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    if cmd!(sh, "npm --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
        bail!("npm is missing: install Node.js 20 or later");
    }
    say("installing npm packages (wrangler, workerd, esbuild, binaryen, Node 22)");
    cmd!(sh, "npm ci --no-audit --no-fund --loglevel=error").quiet().run()?;
    sh.write_file(stamp, lock)?;
    Ok(())
}

/// Node 22, which wrangler needs, from `node_modules`.
pub(crate) fn node() -> Result<PathBuf> {
    let node = root()?.join("node_modules/.bin/node");
    if node.exists() { Ok(node) } else { bail!("{} is missing", node.display()) }
}

/// The Python packages of the tests: each list in a folder of its own, as they want other versions of
/// the same things.
pub(crate) fn python_packages(sh: &Shell) -> Result<()> {
    python_folder(sh, "tests/requirements.txt", ".venv", "openai")?;
    python_folder(sh, "tests/mlflow.txt", ".venv-mlflow", "an MLflow server")
}

/// The model servers of tests/requirements-servers.txt. They are large and not for every platform:
/// tests that need them are skipped, by name, where they cannot be had.
pub(crate) fn model_servers(sh: &Shell) {
    let list = "tests/requirements-servers.txt";
    let installed = python_folder(sh, list, ".venv-servers", "MLServer and llama.cpp");
    if let Err(error) = installed {
        say(format!("model servers cannot be installed, so tests of them are skipped: {error:#}"));
    }
}

/// A folder with its own Python and the packages of a list.
pub(crate) fn python_folder(sh: &Shell, list: &str, folder: &str, what: &str) -> Result<()> {
    let wanted = sh.read_file(list)?;
    let stamp = Path::new(folder).join(".tollhouse-requirements");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(format!("installing Python packages ({what}) into {folder}"));
    cmd!(sh, "python3 -m venv {folder}")
        .quiet()
        .run()
        .context("Python 3.10 or later with venv is needed: install python3 and python3-venv")?;
    let python = Path::new(folder).join("bin/python");
    cmd!(sh, "{python} -m pip install --quiet --requirement {list}").quiet().run()?;
    sh.write_file(stamp, wanted)?;
    Ok(())
}

/// The command `cargo deny`.
pub(crate) fn cargo_deny(sh: &Shell) -> Result<()> {
    if cmd!(sh, "cargo deny --version").quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        return Ok(());
    }
    say("installing cargo-deny (three to four minutes, once)");
    cmd!(sh, "cargo install cargo-deny --version 0.20.2 --no-default-features").quiet().run()?;
    Ok(())
}

/// A folder that outlives builds, for tools this project installs.
pub(crate) fn tools_dir() -> Result<PathBuf> {
    if let Some(cache) = env::var_os("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(cache).join("tollhouse"));
    }
    let home = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"));
    Ok(PathBuf::from(home.context("neither HOME nor XDG_CACHE_HOME is set")?)
        .join(".cache/tollhouse"))
}

fn locked_version(sh: &Shell, package: &str) -> Result<String> {
    let lock: toml::Table = toml::from_str(&sh.read_file("Cargo.lock")?)?;
    lock.get("package")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package))
        .and_then(|entry| entry.get("version").and_then(toml::Value::as_str))
        .map(str::to_owned)
        .with_context(|| format!("{package} is not in Cargo.lock"))
}
