//! `Cargo.toml` and `Cargo.lock`, as far as names, features and versions matter here.

mod lock;
mod package;

pub(crate) use lock::Lock;
pub(crate) use package::{Dependency, Manifest, TargetKind};

/// The folder part of a path; empty for a file at the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Joins a folder and a relative path, folding `.` and `..`.
pub(crate) fn join(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
