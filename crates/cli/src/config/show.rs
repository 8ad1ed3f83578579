//! `tollhouse config show`

use tollhouse_core::config::show;

use super::{Format, Input, Loading, check, load, print};
use crate::{Failure, Outcome};

pub(super) fn run(input: &Input) -> Result<Outcome, Failure> {
    let Loading { name, text, result } = load(input)?;
    match result {
        Ok(loaded) => match input.format {
            Format::Text => print(&show::text(&loaded)),
            Format::Json => print(&format!("{:#}\n", show::json(&loaded))),
        },
        Err(report) => {
            anstream::eprint!("{}", check::in_text(&name, &text, &report.problems));
            Ok(Outcome::Found)
        }
    }
}
