//! A run's settings, from its file, the command line and the calendar; and the baseline it is held against.

use super::{LintArgs, LintError};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tollhouse_lint::{Baseline, Linter, Settings};

/// A file that has a say in the outcome: as it was read, and what it means.
pub(super) struct Read<T> {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) value: T,
}

/// The baseline to hold findings against; none while a new one is written.
pub(super) fn baseline(args: &LintArgs) -> Result<Option<Read<Baseline>>, LintError> {
    let Some(path) = args.baseline.as_ref().filter(|_| !args.write_baseline) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path).map_err(|e| LintError::file(path, e))?;
    let path = path.display().to_string();
    match Baseline::read(&text) {
        Ok(value) => Ok(Some(Read { path, text, value })),
        Err(reason) => Err(LintError::Baseline { path, reason }),
    }
}

/// The settings of a run; their text is what the file says and what the command line adds to it.
pub(super) fn settings(
    args: &LintArgs,
    linter: &Linter,
    root: &Path,
) -> Result<Read<Settings>, LintError> {
    let default = root.join("tollhouse-lint.toml");
    let file = args.config.clone().or_else(|| default.is_file().then_some(default));
    let (path, text) = match &file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| LintError::file(path, e))?;
            (path.display().to_string(), text)
        }
        None => Default::default(),
    };
    let mut value = match Settings::read(&text, linter.rules()) {
        Ok(settings) => settings,
        Err(error) => return Err(LintError::Settings { path, error }),
    };
    for name in args.select.iter().chain(&args.ignore) {
        known(name, linter)?;
    }
    value.select.clone_from(&args.select);
    value.ignore.clone_from(&args.ignore);
    value.today = args.as_of.clone().unwrap_or_else(today);
    let text = format!("{text}\0{:?}\0{:?}\0{}", value.select, value.ignore, value.today);
    Ok(Read { path, text, value })
}

/// Whether a name is a rule's, a clause's, or the first part of a clause's.
fn known(name: &str, linter: &Linter) -> Result<(), LintError> {
    let clause =
        |id: &str| id == name || id.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let clauses = linter.clauses();
    if name == "tool"
        || linter.rules().get(name).is_some()
        || clauses.iter().any(|of| clause(&of.id))
    {
        return Ok(());
    }
    let near = linter.rules().nearest(name);
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(LintError::Usage(format!("`{name}` is neither a rule nor a clause{hint}")))
}

/// Today's date in UTC, by the civil-from-days formula (Hinnant, "chrono-compatible low-level date algorithms").
fn today() -> String {
    #[expect(clippy::disallowed_methods, reason = "the command is where the clock is read")]
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let z = seconds / 86_400 + 719_468;
    let (era, day) = (z / 146_097, z % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}
