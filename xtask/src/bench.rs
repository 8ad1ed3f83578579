//! Builds the Worker as it is deployed and measures it against a JavaScript pass-through; or the linter, against
//! parsing alone.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{
    build::{self, Profile},
    setup,
};

/// Prints ratios, and the size of what is deployed.
pub(crate) fn run(sh: &Shell, names: &[String]) -> Result<()> {
    if names == ["lint"] {
        return lint(sh);
    }
    build::run(sh, Profile::Release)?;
    setup::say("measuring, a few minutes; other work on this machine blurs it");
    cmd!(sh, "cargo run --quiet --package tollhouse-tests --bin bench -- {names...}")
        .quiet()
        .run()?;
    Ok(())
}

fn lint(sh: &Shell) -> Result<()> {
    setup::say("measuring the linter; ast-grep and semgrep take part where they are installed");
    cmd!(sh, "cargo bench --quiet --package tollhouse --bench lint").quiet().run()?;
    Ok(())
}
