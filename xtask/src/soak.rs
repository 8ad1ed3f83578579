//! Lets many callers call the Worker while its providers fail, for minutes, and adds up afterwards.

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{
    build::{self, Profile},
    setup,
};

/// Fails where a call is lost, a limit held back, or memory not flat.
pub(crate) fn run(sh: &Shell, arguments: &[String]) -> Result<()> {
    build::run(sh, Profile::choose(&[])?)?;
    setup::say("soaking, a few minutes");
    cmd!(sh, "cargo run --quiet --package tollhouse-tests --bin soak -- {arguments...}")
        .quiet()
        .run()
        .context("the gateway has not come through clean")
}
