//! Builds the Worker as it is deployed and measures it against a JavaScript pass-through; measures
//! the classifiers against onnxruntime, and the linter against parsing alone.

mod classify;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{
    build::{self, Profile},
    setup,
};

const GATEWAY: &str = "gateway";
const CLASSIFY: &str = "classify";
const LINT: &str = "lint";

/// Prints ratios, and the size of what is deployed; of the named sections and cases only, if any are named.
pub(crate) fn run(sh: &Shell, names: &[String]) -> Result<()> {
    let (sections, cases): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| [GATEWAY, CLASSIFY, LINT].contains(&name.as_str()));
    let is_named = |section: &str| sections.iter().any(|name| *name == section);
    let all = names.is_empty();
    if all || is_named(GATEWAY) {
        gateway(sh, &[])?;
    } else if !cases.is_empty() {
        gateway(sh, &cases)?;
    }
    if all || is_named(CLASSIFY) {
        classify::run(sh)?;
    }
    if all || is_named(LINT) {
        lint(sh)?;
    }
    Ok(())
}

fn gateway(sh: &Shell, cases: &[&String]) -> Result<()> {
    build::run(sh, Profile::Release)?;
    setup::say("measuring, a few minutes; other work on this machine blurs it");
    cmd!(sh, "cargo run --quiet --package tollhouse-tests --bin bench -- {cases...}")
        .quiet()
        .run()?;
    Ok(())
}

fn lint(sh: &Shell) -> Result<()> {
    setup::say("measuring the linter; ast-grep and semgrep take part where they are installed");
    cmd!(sh, "cargo bench --quiet --package tollhouse --bench lint").quiet().run()?;
    Ok(())
}
