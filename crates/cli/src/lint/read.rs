//! Reading and parsing in parallel, each file guarded from the next.
//!
//! Packages that touch no model are lexed, not parsed; small workspaces are parsed whole, so that a file that does not
//! parse is always found there.

use super::LintError;
use super::discover::Found;
use rayon::prelude::*;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tollhouse_lint::{FileFacts, Files, Linter, collect, lexed};

/// A recursive parser needs room; the pages are taken only when they are touched.
const STACK: usize = 256 << 20;
/// Up to this much source is parsed whether it touches models or not.
const WHOLE: usize = 2 << 20;
/// A file beyond this is generated; it is lexed.
const HUGE: usize = 8 << 20;

/// Reads everything that was found.
pub(super) fn files(
    root: &Path,
    found: Found,
    linter: &Linter,
    threads: Option<usize>,
) -> Result<Files, LintError> {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).stack_size(STACK).build();
    let pool =
        pool.map_err(|error| LintError::Usage(format!("threads cannot be started: {error}")))?;
    Ok(pool.install(|| all(root, found, linter)))
}

fn all(root: &Path, found: Found, linter: &Linter) -> Files {
    let texts = |paths: Vec<String>| -> Vec<(String, String)> {
        paths
            .into_par_iter()
            .filter_map(|path| Some((text(root, &path)?, path)))
            .map(|(text, path)| (path, text))
            .collect()
    };
    let (manifests, locks, sources) =
        (texts(found.manifests), texts(found.locks), texts(found.rust));
    let parsed = worth_parsing(linter, &manifests, &sources);
    let rust = sources
        .into_par_iter()
        .zip(parsed)
        .map(|((path, text), parse)| (facts(&path, &text, parse), text))
        .collect();
    Files { rust, manifests, locks }
}

/// A file's text; bytes that are no text are replaced, a file that vanished is left out.
fn text(root: &Path, path: &str) -> Option<String> {
    let bytes = std::fs::read(root.join(path)).ok()?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// Which files to parse: those of packages that touch models, or all of a small workspace.
fn worth_parsing(
    linter: &Linter,
    manifests: &[(String, String)],
    sources: &[(String, String)],
) -> Vec<bool> {
    let total: usize = sources.iter().map(|(_, text)| text.len()).sum();
    if total <= WHOLE {
        return vec![true; sources.len()];
    }
    let folders: HashSet<&str> = manifests.iter().map(|(path, _)| folder(path)).collect();
    let package = |path: &str| -> String {
        let mut at = folder(path);
        while !at.is_empty() && !folders.contains(at) {
            at = folder(at);
        }
        at.to_owned()
    };
    let holds = |(path, text): &(String, String)| linter.touches(text).then(|| package(path));
    let touched: HashSet<String> = sources.par_iter().filter_map(holds).collect();
    let declared = manifests
        .iter()
        .filter(|(_, text)| linter.touches(text))
        .map(|(path, _)| folder(path).to_owned());
    let touched: HashSet<String> =
        touched.into_iter().chain(declared.filter(|at| !at.is_empty())).collect();
    sources.par_iter().map(|(path, _)| touched.contains(&package(path))).collect()
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn facts(path: &str, text: &str, parse: bool) -> FileFacts {
    if !parse || text.len() > HUGE {
        return lexed(path, text);
    }
    catch_unwind(AssertUnwindSafe(|| collect(path, text))).unwrap_or_else(|_| lexed(path, text))
}
