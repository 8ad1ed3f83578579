//! Everything that must hold before a change lands, each step named, and one line at the end.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{
    build::{self, Profile},
    setup::{self, say},
};

/// Where tests write a line for each check they had to leave out, and how to get it.
const SKIPS: &str = "target/skipped-tests.txt";

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
}

/// Runs every step, also after one has failed.
pub(crate) fn run(sh: &Shell, arguments: &[String]) -> Result<()> {
    sh.create_dir("target")?;
    sh.write_file(SKIPS, "")?;
    let mut tally = Tally::default();
    if let [filter] = arguments {
        prepare(sh)?;
        tally.cargo_test(&["--workspace", filter])?;
        return tally.finish();
    }
    if !arguments.is_empty() {
        bail!("`test` takes one filter or nothing");
    }
    tally.step("formatting", || run_quietly(sh, "cargo", &["fmt", "--all", "--check"]));
    tally.step("clippy", || {
        run_quietly(
            sh,
            "cargo",
            &["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"],
        )
    });
    tally.step("documentation", || {
        let _env = sh.push_env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links");
        run_quietly(
            sh,
            "cargo",
            &["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"],
        )
    });
    tally.step("the linter over this workspace", || {
        run_quietly(sh, "cargo", &["run", "--quiet", "--package", "tollhouse", "--", "lint", "."])
    });
    tally.step("licences, sources and bans of dependencies", || deny(sh));
    tally.step("the tools and the Worker's build", || prepare(sh));
    tally.step("classifiers in WebAssembly", || classifiers_in_wasm(sh));
    tally.step("wrangler deploy --dry-run", || deploy_dry_run(sh));
    say("unit, property, snapshot and end-to-end tests");
    tally.cargo_test(&["--workspace"])?;
    tally.finish()
}

impl Tally {
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) {
        say(name);
        match run() {
            Ok(()) => self.passed += 1,
            Err(error) => {
                eprintln!("FAILED {name}: {error:#}");
                self.failed += 1;
                self.failures.push(name.to_owned());
            }
        }
    }

    /// Runs `cargo test`, passing its output on and adding up its results.
    fn cargo_test(&mut self, arguments: &[&str]) -> Result<()> {
        let mut child = Command::new("cargo")
            .args(["test", "--no-fail-fast", "--quiet"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            if line.starts_with("test result:") {
                self.passed += number_before(&line, " passed");
                self.failed += number_before(&line, " failed");
            }
        }
        if !child.wait()?.success() {
            self.failures.push("cargo test".to_owned());
            self.failed = self.failed.max(1);
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let skips = fs::read_to_string(SKIPS).unwrap_or_default();
        let skipped: Vec<&str> = skips.lines().collect();
        for skip in &skipped {
            println!("SKIPPED {skip}");
        }
        println!("{} passed, {} failed, {} skipped", self.passed, self.failed, skipped.len());
        if self.failures.is_empty() {
            return Ok(());
        }
        bail!("failed: {}", self.failures.join(", "))
    }
}

/// What the end-to-end tests stand on: npm packages, the Python SDK, the Worker.
fn prepare(sh: &Shell) -> Result<()> {
    build::run(sh, Profile::Quick)?;
    setup::python_packages(sh)?;
    setup::model_servers(sh);
    Ok(())
}

/// The same graphs and tokenizers as in the crate's own tests, compiled as the Worker is.
fn classifiers_in_wasm(sh: &Shell) -> Result<()> {
    let node = setup::node()?;
    let wasm = "target/wasm32-unknown-unknown/quick/examples/brought_wasm.wasm";
    let models = "crates/classify/tests/brought";
    cmd!(sh, "{node} tests/harness/brought.mjs {wasm} {models}").quiet().run()?;
    Ok(())
}

fn deploy_dry_run(sh: &Shell) -> Result<()> {
    let node = setup::node()?;
    let _build = sh.push_env("TOLLHOUSE_BUILD", "quick");
    let _metrics = sh.push_env("WRANGLER_SEND_METRICS", "false");
    let out = Path::new("target/deploy-dry-run");
    cmd!(
        sh,
        "{node} --no-warnings node_modules/wrangler/bin/wrangler.js deploy --dry-run --outdir {out}"
    )
    .quiet()
    .ignore_stdout()
    .run()?;
    Ok(())
}

/// The advisory database is fetched over the network, so only that part may be out of reach.
fn deny(sh: &Shell) -> Result<()> {
    setup::cargo_deny(sh)?;
    run_quietly(
        sh,
        "cargo",
        &["deny", "--log-level", "error", "check", "bans", "licenses", "sources"],
    )?;
    let advisories = cmd!(sh, "cargo deny --log-level error check advisories")
        .quiet()
        .ignore_status()
        .output()?;
    if advisories.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&advisories.stderr).into_owned();
    if text.contains("failed to fetch advisory database")
        || text.contains("failed to load advisory database")
    {
        let line =
            "cargo deny check advisories: the RustSec database could not be fetched (network)\n";
        fs::write(SKIPS, fs::read_to_string(SKIPS).unwrap_or_default() + line)?;
        return Ok(());
    }
    bail!("{text}")
}

fn run_quietly(sh: &Shell, program: &str, arguments: &[&str]) -> Result<()> {
    cmd!(sh, "{program} {arguments...}").quiet().run()?;
    Ok(())
}

fn number_before(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}
