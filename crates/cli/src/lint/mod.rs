//! `tollhouse lint`: finds files, reads them in parallel, runs the linter once, prints what it found.
//!
//! Exit status: 0 clean, 1 findings at or above `--fail-on`, 2 the tool failed.

mod args;
mod discover;
mod fix;
mod read;
mod text;

pub(crate) use args::LintArgs;

use args::{FailOn, Format};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tollhouse_lint::{Baseline, Finding, Linter, Report, Settings, Severity};

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LintError {
    /// The rules or the knowledge.
    #[error(transparent)]
    Load(#[from] tollhouse_lint::LoadError),
    /// A rule of one's own.
    #[error(transparent)]
    Rule(#[from] tollhouse_lint::RuleError),
    /// The configuration file.
    #[error("{path}: {error}")]
    Settings { path: String, error: tollhouse_lint::SettingsError },
    /// The baseline.
    #[error("{path}: {reason}")]
    Baseline { path: String, reason: String },
    /// A name on the command line.
    #[error("{0}")]
    Usage(String),
    /// A file that must be readable or writable.
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
}

impl LintError {
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        Self::File { path: path.display().to_string(), error }
    }
}

/// A linter set up as the arguments say.
pub(crate) struct Run {
    linter: Linter,
    settings: Settings,
    root: PathBuf,
    paths: Vec<PathBuf>,
}

/// Runs the command and returns its exit status.
pub(crate) fn lint(args: &LintArgs) -> Result<u8, LintError> {
    let run = Run::prepare(args)?;
    if let Some(place) = &args.explain_roles {
        return run.explain_roles(place, args.threads);
    }
    let baseline_path = args.baseline.clone();
    let baseline = baseline(args)?;
    let report = run.report(args, baseline.as_ref())?;
    if args.write_baseline {
        let path = baseline_path.unwrap_or_else(|| run.root.join("tollhouse-baseline.json"));
        std::fs::write(&path, Baseline::of(&report.findings).write())
            .map_err(|e| LintError::file(&path, e))?;
        anstream::eprintln!("wrote {}", path.display());
        return Ok(0);
    }
    if args.fix || args.diff {
        fix::apply(&run.root, &report.findings, args.diff)?;
        if args.fix {
            return Ok(run.status(args, &fix::left(&report.findings)));
        }
    }
    run.print(args, &report);
    Ok(run.status(args, &report.findings))
}

impl Run {
    fn prepare(args: &LintArgs) -> Result<Self, LintError> {
        let mut linter = Linter::new()?;
        if let Some(folder) = &args.rules {
            for path in discover::rule_files(folder)? {
                let text = std::fs::read_to_string(&path).map_err(|e| LintError::file(&path, e))?;
                linter.add_rule(&path.to_string_lossy(), &text)?;
            }
        }
        let (root, paths) = discover::root(&args.paths)?;
        let settings = settings(args, &linter, &root)?;
        Ok(Self { linter, settings, root, paths })
    }

    fn report(
        &self,
        args: &LintArgs,
        baseline: Option<&(String, Baseline)>,
    ) -> Result<Report, LintError> {
        let files = self.files(args.threads)?;
        Ok(self.linter.run(
            files,
            &self.settings,
            baseline.map(|(path, baseline)| (path.as_str(), baseline)),
        ))
    }

    fn files(&self, threads: Option<usize>) -> Result<tollhouse_lint::Files, LintError> {
        let found = discover::files(&self.root, &self.paths, &self.settings);
        read::files(&self.root, found, &self.linter, threads)
    }

    fn explain_roles(&self, place: &str, threads: Option<usize>) -> Result<u8, LintError> {
        let usage = || LintError::Usage(format!("`{place}` is not a place; write PATH:LINE"));
        let (path, line) = place.rsplit_once(':').ok_or_else(usage)?;
        let line = line.parse().map_err(|_| usage())?;
        let files = self.files(threads)?;
        let path = path.replace('\\', "/");
        anstream::print!(
            "{}",
            self.linter.explain_roles(files, path.trim_start_matches("./"), line)
        );
        Ok(0)
    }

    fn print(&self, args: &LintArgs, report: &Report) {
        let out = match args.format {
            Format::Text => text::render(&self.root, report, self.linter.rules(), args.statistics),
            Format::Json => tollhouse_lint::json_lines(&report.findings),
            Format::Sarif => tollhouse_lint::sarif(
                &report.findings,
                self.linter.rules(),
                env!("CARGO_PKG_VERSION"),
            ),
            Format::Github => tollhouse_lint::github(&report.findings),
        };
        anstream::print!("{out}");
    }

    fn status(&self, args: &LintArgs, findings: &[Finding]) -> u8 {
        let least = match args.fail_on {
            Some(FailOn::Deny) => Severity::Deny,
            Some(FailOn::Warn) => Severity::Warn,
            Some(FailOn::Info) => Severity::Info,
            None => self.settings.fail_on.unwrap_or(Severity::Warn),
        };
        u8::from(findings.iter().any(|of| of.suppressed.is_none() && of.severity >= least))
    }
}

/// The baseline to hold findings against; none while a new one is written.
fn baseline(args: &LintArgs) -> Result<Option<(String, Baseline)>, LintError> {
    let Some(path) = args.baseline.as_ref().filter(|_| !args.write_baseline) else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path).map_err(|e| LintError::file(path, e))?;
    let fail = |reason| LintError::Baseline { path: path.display().to_string(), reason };
    Ok(Some((path.display().to_string(), Baseline::read(&text).map_err(fail)?)))
}

fn settings(args: &LintArgs, linter: &Linter, root: &Path) -> Result<Settings, LintError> {
    let default = root.join("tollhouse-lint.toml");
    let path = args.config.clone().or_else(|| default.is_file().then_some(default));
    let mut settings = match &path {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| LintError::file(path, e))?;
            let fail = |error| LintError::Settings { path: path.display().to_string(), error };
            Settings::read(&text, linter.rules()).map_err(fail)?
        }
        None => Settings::default(),
    };
    for name in args.select.iter().chain(&args.ignore) {
        let clause = |id: &str| {
            id == name || id.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        if linter.rules().get(name).is_none()
            && !linter.clauses().iter().any(|of| clause(&of.id))
            && name != "tool"
        {
            let hint = linter
                .rules()
                .nearest(name)
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(LintError::Usage(format!("`{name}` is neither a rule nor a clause{hint}")));
        }
    }
    settings.select.clone_from(&args.select);
    settings.ignore.clone_from(&args.ignore);
    settings.today = args.as_of.clone().unwrap_or_else(today);
    Ok(settings)
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
