//! Builds the Worker as it is deployed and measures it against a JavaScript pass-through; measures
//! the classifiers against onnxruntime.

mod classify;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{
    build::{self, Profile},
    setup,
};

/// The section that needs no gateway.
const CLASSIFY: &str = "classify";

/// Prints ratios, and the size of what is deployed; of the named cases only, if any are named.
pub(crate) fn run(sh: &Shell, names: &[String]) -> Result<()> {
    let (sections, cases): (Vec<_>, Vec<_>) = names.iter().partition(|name| *name == CLASSIFY);
    let all = names.is_empty();
    if all || !cases.is_empty() {
        gateway(sh, &cases)?;
    }
    if all || !sections.is_empty() {
        classify::run(sh)?;
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
