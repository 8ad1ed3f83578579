//! The models that come with the crate, embedded by name.

use crate::{Classifier, Files, LoadError};

/// Name, manifest, files by name.
type Shipped = (&'static str, &'static str, &'static [(&'static str, &'static [u8])]);

static SHIPPED: &[Shipped] = &include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The names of the shipped models, sorted.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, ..)| *name)
}

/// The manifest and the files of a shipped model; `None` if there is none of that name.
pub fn shipped_parts(name: &str) -> Option<(&'static str, Files)> {
    let (_, manifest, files) = SHIPPED.iter().find(|(shipped, ..)| *shipped == name)?;
    let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), (*bytes).into()));
    Some((manifest, files.collect()))
}

/// Loads a shipped model; `None` if there is none of that name.
///
/// # Errors
/// Every [`LoadError`], as a folder's model has; a shipped model loads (a test says so).
pub fn shipped(name: &str) -> Option<Result<Classifier, LoadError>> {
    let (manifest, files) = shipped_parts(name)?;
    Some(Classifier::load(manifest, files))
}

#[cfg(test)]
mod tests;
