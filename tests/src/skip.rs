//! Tests that need a program which may be missing say so instead of passing in silence.

use std::{fs::OpenOptions, io::Write, path::PathBuf, process::Command};

/// Where `program` is; when it is nowhere, notes that `test` was left out and how to get it.
///
/// `cargo xtask test` prints the notes and counts them as skipped.
pub fn program_or_skip(program: &str, test: &str, how_to_get: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    if found.is_none() {
        note(&format!("{test}: {program} is missing; {how_to_get}"));
    }
    found
}

fn note(line: &str) {
    eprintln!("SKIPPED {line}");
    let Ok(root) = crate::workerd::root() else { return };
    let file =
        OpenOptions::new().append(true).create(true).open(root.join("target/skipped-tests.txt"));
    if let Ok(mut file) = file {
        let _ = writeln!(file, "{line}");
    }
}

/// The Python that has the packages of `tests/requirements-servers.txt`; where it is missing, notes
/// that `test` was left out and how to get it.
pub fn server_python_or_skip(test: &str) -> Option<PathBuf> {
    let python = crate::workerd::root().ok()?.join(".venv-servers/bin/python");
    let works = Command::new(&python)
        .args(["-c", "import gguf, mlserver, mlserver_sklearn, xllamacpp"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        note(&format!(
            "{test}: the packages of tests/requirements-servers.txt are missing; `cargo xtask test` \
             installs them into .venv-servers where they can be had"
        ));
    }
    works.then_some(python)
}
