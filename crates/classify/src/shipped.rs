//! The models that come with the crate, embedded by name.

use crate::{Classifier, Files, LoadError};

/// Name, manifest, the same as JSON, files by name.
type Shipped = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static [u8])]);

static SHIPPED: &[Shipped] = &include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The names of the shipped models, sorted.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, ..)| *name)
}

/// The manifest and the files of a shipped model; `None` if there is none of that name.
pub fn shipped_parts(name: &str) -> Option<(&'static str, Files)> {
    let (_, manifest, _, files) = find(name)?;
    Some((manifest, copied(files)))
}

/// Loads a shipped model; `None` if there is none of that name.
///
/// # Errors
/// Every [`LoadError`], as a folder's model has; a shipped model loads (a test says so).
pub fn shipped(name: &str) -> Option<Result<Classifier, LoadError>> {
    let (_, manifest, json, files) = find(name)?;
    Some(Classifier::load_shipped(manifest, json, copied(files)))
}

fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|(shipped, ..)| *shipped == name)
}

fn copied(files: &[(&str, &'static [u8])]) -> Files {
    let mut all = Files::new();
    for (name, bytes) in files {
        all.insert((*name).to_owned(), (*bytes).into());
    }
    all
}

#[cfg(test)]
mod tests;
