//! Which files to read: what `.gitignore` leaves, without build output; manifests and lock files on the way.

use super::LintError;
use ignore::WalkBuilder;
use std::path::{Path, PathBuf};
use tollhouse_lint::Settings;

/// The files of a run, relative to its root, sorted.
#[derive(Default)]
pub(super) struct Found {
    pub(super) rust: Vec<String>,
    pub(super) manifests: Vec<String>,
    pub(super) locks: Vec<String>,
    pub(super) models: Vec<String>,
}

/// How the names of models end that can be measured.
const MODELS: [&str; 4] = [".onnx", ".nnef.tar", ".safetensors", ".gguf"];

/// The folder that findings are relative to, and the paths to walk.
pub(super) fn root(paths: &[PathBuf]) -> Result<(PathBuf, Vec<PathBuf>), LintError> {
    for path in paths {
        if let Err(error) = path.metadata() {
            return Err(LintError::file(path, error));
        }
    }
    match paths {
        [] => Ok((PathBuf::from("."), vec![PathBuf::from(".")])),
        [only] if only.is_dir() => Ok((only.clone(), vec![only.clone()])),
        [only] => Ok((manifest_folder(only), vec![only.clone()])),
        many => Ok((PathBuf::from("."), many.to_vec())),
    }
}

/// The nearest folder above a file with a manifest in it, else the file's own.
fn manifest_folder(file: &Path) -> PathBuf {
    let own =
        file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    own.ancestors().find(|folder| folder.join("Cargo.toml").is_file()).unwrap_or(own).to_path_buf()
}

/// Walks the paths.
pub(super) fn files(root: &Path, paths: &[PathBuf], settings: &Settings) -> Found {
    let mut found = Found::default();
    let Some((first, rest)) = paths.split_first() else { return found };
    let mut walk = WalkBuilder::new(first);
    for path in rest {
        walk.add(path);
    }
    walk.hidden(true).follow_links(false).require_git(false);
    walk.filter_entry(|entry| entry.depth() == 0 || !is_build_output(entry.path()));
    for entry in walk.build().flatten() {
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        if let Some(path) = relative(root, entry.path()).filter(|path| !settings.excludes(path)) {
            found.take(path);
        }
    }
    if paths.iter().any(|path| path.is_file()) {
        found.above(root);
    }
    for list in [&mut found.rust, &mut found.manifests, &mut found.locks, &mut found.models] {
        list.sort();
        list.dedup();
    }
    found
}

impl Found {
    fn take(&mut self, path: String) {
        match path.rsplit('/').next() {
            Some("Cargo.toml") => self.manifests.push(path),
            Some("Cargo.lock") => self.locks.push(path),
            Some(name) if Path::new(name).extension().is_some_and(|ext| ext == "rs") => {
                self.rust.push(path);
            }
            Some(name) if MODELS.iter().any(|ending| name.ends_with(ending)) => {
                self.models.push(path);
            }
            _ => {}
        }
    }

    /// A file named alone still belongs to its package.
    fn above(&mut self, root: &Path) {
        for name in ["Cargo.toml", "Cargo.lock"] {
            if root.join(name).is_file() {
                self.take(name.to_owned());
            }
        }
    }
}

/// Cargo's target folder: its tag file says so.
fn is_build_output(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "target" || name == "node_modules")
        && path.is_dir()
        && !path.join("Cargo.toml").exists()
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let inner = path.strip_prefix(root).or_else(|_| path.strip_prefix(".")).unwrap_or(path);
    let text = inner.to_str()?.replace('\\', "/");
    Some(text.trim_start_matches("./").to_owned())
}

/// The rule files of a folder, sorted.
pub(super) fn rule_files(folder: &Path) -> Result<Vec<PathBuf>, LintError> {
    let entries = std::fs::read_dir(folder).map_err(|e| LintError::file(folder, e))?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    found.sort();
    Ok(found)
}
