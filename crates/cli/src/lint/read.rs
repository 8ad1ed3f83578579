//! Reading and parsing in parallel, each file guarded from the next.
//!
//! Packages that touch no model are lexed, not parsed; small workspaces are parsed whole, so that a file that does not
//! parse is always found there. What was parsed before comes from the cache.

use super::cache::{Cache, Key};
use super::discover::Found;
use super::models::{self, Beside};
use indicatif::ProgressBar;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tollhouse_lint::{FileFacts, Files, Linter, Traces, collect, given_up, lexed};

/// Up to this much source is parsed whether it touches models or not.
const WHOLE: usize = 2 << 20;
/// A file beyond this is generated; it is lexed.
const HUGE: usize = 8 << 20;
/// A file below this is parsed sooner than its facts are found.
const SMALL: usize = 1 << 10;

/// A file's path, relative to the folder linted, and its text.
type Source = (String, String);

/// Every file of a run, read.
pub(super) struct Sources {
    manifests: Vec<Source>,
    locks: Vec<Source>,
    rust: Vec<Source>,
    models: Vec<Beside>,
}

impl Sources {
    /// Reads what was found; bytes that are no text are replaced, files that vanished are left out.
    pub(super) fn read(root: &Path, found: Found) -> Self {
        let read = |paths: Vec<String>| -> Vec<Source> {
            paths
                .into_par_iter()
                .filter_map(|path| Some((text(root, &path)?, path)))
                .map(|(text, path)| (path, text))
                .collect()
        };
        let rust = read(found.rust);
        let models = models::named(root, found.models, &rust);
        Self { manifests: read(found.manifests), locks: read(found.locks), rust, models }
    }

    /// How many Rust files there are.
    pub(super) fn count(&self) -> usize {
        self.rust.len()
    }

    /// A key over every path and every byte.
    pub(super) fn key(&self) -> Key {
        let all = [&self.manifests, &self.locks, &self.rust];
        let keys: Vec<Key> = all
            .into_par_iter()
            .flatten()
            .map(|(path, text)| Key::of([path.as_bytes(), text.as_bytes()]))
            .collect();
        let models: Vec<Key> = self.models.iter().map(Beside::key).collect();
        Key::of(keys.iter().chain(&models).map(Key::bytes))
    }

    /// The facts of every file.
    pub(super) fn facts(mut self, linter: &Linter, by: &By<'_>) -> Files {
        by.bar.set_length(self.rust.len().try_into().unwrap_or(u64::MAX));
        let folders = if by.whole { None } else { worth_parsing(linter, &self) };
        if let Some(folders) = &folders {
            self.locks.retain(|(path, _)| folders.locks(path));
        }
        let identity = linter.identity();
        let facts = |(path, text): Source| {
            let parse = folders.as_ref().is_none_or(|folders| folders.parses(&path));
            let facts = match by.cache.filter(|_| text.len() > SMALL) {
                Some(cache) if parse => remembered(cache, &identity, &path, &text),
                Some(_) | None => facts(&path, &text, parse),
            };
            by.bar.inc(1);
            (facts, text)
        };
        // The largest first: a syntax tree takes many times its text, and is gone before the facts of the rest pile up.
        self.rust.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        // One at a time: the first quarter of the files is most of the work.
        let files = self.rust.into_par_iter().with_max_len(1);
        let mut rust: Vec<_> = files.map(facts).collect();
        rust.sort_by(|(a, _), (b, _)| a.path().cmp(b.path()));
        by.bar.finish_and_clear();
        let models = self.models.iter().filter_map(Beside::measured).collect();
        Files { rust, manifests: self.manifests, locks: self.locks, models }
    }
}

/// How facts are come by.
pub(super) struct By<'b> {
    /// Whether packages that touch no model are parsed too.
    pub(super) whole: bool,
    /// Where facts are remembered.
    pub(super) cache: Option<&'b Cache>,
    /// Where it is shown how far the run is.
    pub(super) bar: ProgressBar,
}

fn text(root: &Path, path: &str) -> Option<String> {
    let bytes = std::fs::read(root.join(path)).ok()?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The folders of the packages to parse: those that touch models, or all of a small workspace.
fn worth_parsing(linter: &Linter, sources: &Sources) -> Option<Folders> {
    let total: usize = sources.rust.iter().map(|(_, text)| text.len()).sum();
    if total <= WHOLE {
        return None;
    }
    let packages = sources.manifests.iter().map(|(path, _)| folder(path).to_owned()).collect();
    let traces: Vec<(&str, Traces)> =
        sources.rust.par_iter().map(|(path, text)| (path.as_str(), linter.traces(text))).collect();
    let mut of_folder: BTreeMap<String, Traces> = BTreeMap::new();
    for (path, traces) in traces.into_iter().filter(|(_, traces)| !traces.is_empty()) {
        let all = of_folder.entry(nearest(&packages, path).to_owned()).or_default();
        *all = all.with(traces);
    }
    let worth = linter.worth_parsing(&sources.manifests, &of_folder);
    Some(Folders { packages, worth })
}

/// The folders of packages, and of those that are worth parsing.
struct Folders {
    packages: HashSet<String>,
    worth: BTreeSet<String>,
}

impl Folders {
    fn parses(&self, path: &str) -> bool {
        self.worth.contains(nearest(&self.packages, path))
    }

    /// Whether a lock file chooses versions for a package that is parsed.
    fn locks(&self, lock: &str) -> bool {
        let above = folder(lock);
        let under = |at: &String| {
            at.strip_prefix(above)
                .is_some_and(|rest| rest.is_empty() || above.is_empty() || rest.starts_with('/'))
        };
        self.worth.iter().filter(|at| !at.is_empty() || above.is_empty()).any(under)
    }
}

/// The nearest of `folders` above a path, else the root.
fn nearest<'p>(folders: &HashSet<String>, path: &'p str) -> &'p str {
    let mut at = folder(path);
    while !at.is_empty() && !folders.contains(at) {
        at = folder(at);
    }
    at
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The facts of a file that is parsed, from the cache or into it.
fn remembered(cache: &Cache, identity: &[u8], path: &str, text: &str) -> FileFacts {
    let key = Key::of([&b"facts"[..], identity, path.as_bytes(), text.as_bytes()]);
    if let Some(known) = cache.get(key).and_then(|record| FileFacts::from_record(&record)) {
        return known;
    }
    let facts = facts(path, text, true);
    if let Some(record) = facts.to_record() {
        cache.put(key, &record);
    }
    facts
}

fn facts(path: &str, text: &str, parse: bool) -> FileFacts {
    if !parse || text.len() > HUGE {
        return lexed(path, text);
    }
    catch_unwind(AssertUnwindSafe(|| collect(path, text))).unwrap_or_else(|_| given_up(path, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_and_is_gone_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("here.rs"), "fn f() {}").unwrap();
        std::fs::create_dir(folder.path().join("folder.rs")).unwrap();
        let rust = ["folder.rs", "gone.rs", "here.rs"].map(str::to_owned).into();
        let manifests = vec!["Cargo.toml".to_owned()];
        let found = Found { rust, manifests, ..Found::default() };
        let sources = Sources::read(folder.path(), found);
        let expected = vec![("here.rs".to_owned(), "fn f() {}".to_owned())];
        assert_eq!((sources.rust, sources.manifests), (expected, Vec::new()));
    }
}
