//! `tollhouse lint`: finds files, reads them in parallel, runs the linter once, prints what it found.
//!
//! Exit status: 0 clean, 1 findings at or above `--fail-on`, 2 the tool failed.

mod args;
mod cache;
mod configure;
mod discover;
mod fix;
mod models;
mod read;
mod text;

pub(crate) use args::LintArgs;

use args::{FailOn, Format};
use cache::{Cache, Key};
use configure::Read;
use indicatif::ProgressBar;
use read::{By, Sources};
use std::io::IsTerminal;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use tollhouse_lint::{Baseline, Files, Finding, Linter, Report, Settings, Severity};

/// A recursive parser needs room; the pages are taken only when they are touched.
const STACK: usize = 256 << 20;
/// A run over this many files is long enough to say how far it is.
const LONG: usize = 500;

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
    /// The linter itself.
    #[error("the linter failed; the message above says where, please report it")]
    Fault,
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
struct Run<'a> {
    args: &'a LintArgs,
    linter: Linter,
    settings: Read<Settings>,
    root: PathBuf,
    paths: Vec<PathBuf>,
    cache: Option<Cache>,
}

/// Runs the command and returns its exit status.
pub(crate) fn lint(args: &LintArgs) -> Result<u8, LintError> {
    let threads = args.threads.unwrap_or(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build();
    let pool =
        pool.map_err(|error| LintError::Usage(format!("threads cannot be started: {error}")))?;
    // A fault of the linter's own is status 2 like any other failure; the panic has said where.
    catch_unwind(AssertUnwindSafe(|| pool.install(|| whole(args)))).unwrap_or(Err(LintError::Fault))
}

fn whole(args: &LintArgs) -> Result<u8, LintError> {
    let run = Run::prepare(args)?;
    if let Some(place) = &args.explain_roles {
        return run.explain_roles(place);
    }
    let report = run.report(configure::baseline(args)?.as_ref());
    if args.write_baseline {
        return run.write_baseline(&report);
    }
    if args.fix || args.diff {
        fix::apply(&run.root, &report.findings, args.diff)?;
    }
    if args.fix {
        return Ok(run.status(&fix::left(&report.findings)));
    }
    if !args.diff {
        run.print(&report);
    }
    Ok(run.status(&report.findings))
}

impl<'a> Run<'a> {
    fn prepare(args: &'a LintArgs) -> Result<Self, LintError> {
        let mut linter = Linter::new()?;
        let folder = args.rules.as_deref().map(discover::rule_files).transpose()?;
        for path in folder.unwrap_or_default() {
            let text = std::fs::read_to_string(&path).map_err(|e| LintError::file(&path, e))?;
            linter.add_rule(&path.to_string_lossy(), &text)?;
        }
        let (root, paths) = discover::root(&args.paths)?;
        let settings = configure::settings(args, &linter, &root)?;
        let folder =
            args.cache_dir.clone().or_else(|| cache::usual_folder(|of| std::env::var_os(of)));
        let cache = folder.filter(|_| !args.no_cache).map(Cache::at);
        Ok(Self { args, linter, settings, root, paths, cache })
    }

    fn report(&self, baseline: Option<&Read<Baseline>>) -> Report {
        let sources = self.sources();
        let settings = &self.settings;
        let held = baseline.map(|of| (of.path.as_str(), &of.value));
        let Some(cache) = &self.cache else {
            return self.linter.run(self.facts(sources), &settings.value, held);
        };
        let against = baseline.map_or("", |of| &of.text);
        let place = baseline.map_or("", |of| &of.path);
        let key = Key::of([
            &b"report"[..],
            &self.linter.identity(),
            settings.text.as_bytes(),
            place.as_bytes(),
            against.as_bytes(),
            &[u8::from(self.args.whole)],
            sources.key().bytes(),
        ]);
        if let Some(known) = cache.get(key).and_then(|record| Report::from_record(&record)) {
            return known;
        }
        let report = self.linter.run(self.facts(sources), &settings.value, held);
        if let Some(record) = report.to_record() {
            cache.put(key, &record);
        }
        cache.tidy(key);
        report
    }

    fn sources(&self) -> Sources {
        Sources::read(&self.root, discover::files(&self.root, &self.paths, &self.settings.value))
    }

    fn facts(&self, sources: Sources) -> Files {
        let long = sources.count() >= LONG && std::io::stderr().is_terminal();
        let bar = if long { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let by = By { whole: self.args.whole, cache: self.cache.as_ref(), bar };
        sources.facts(&self.linter, &by)
    }

    fn write_baseline(&self, report: &Report) -> Result<u8, LintError> {
        let named = self.args.baseline.clone();
        let path = named.unwrap_or_else(|| self.root.join("tollhouse-baseline.json"));
        std::fs::write(&path, Baseline::of(&report.findings).write())
            .map_err(|e| LintError::file(&path, e))?;
        anstream::eprintln!("wrote {}", path.display());
        Ok(0)
    }

    fn explain_roles(&self, place: &str) -> Result<u8, LintError> {
        let usage = || LintError::Usage(format!("`{place}` is not a place; write PATH:LINE"));
        let (path, line) = place.rsplit_once(':').ok_or_else(usage)?;
        let line = line.parse().map_err(|_| usage())?;
        let path = path.replace('\\', "/");
        let files = self.facts(self.sources());
        let told = self.linter.explain_roles(files, path.trim_start_matches("./"), line);
        anstream::print!("{told}");
        Ok(0)
    }

    fn print(&self, report: &Report) {
        let out = match self.args.format {
            Format::Text => {
                text::render(&self.root, report, self.linter.rules(), self.args.statistics)
            }
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

    fn status(&self, findings: &[Finding]) -> u8 {
        let least = match self.args.fail_on {
            Some(FailOn::Deny) => Severity::Deny,
            Some(FailOn::Warn) => Severity::Warn,
            Some(FailOn::Info) => Severity::Info,
            None => self.settings.value.fail_on.unwrap_or(Severity::Warn),
        };
        u8::from(findings.iter().any(|of| of.suppressed.is_none() && of.severity >= least))
    }
}
