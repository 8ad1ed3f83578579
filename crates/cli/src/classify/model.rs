//! Where a model comes from: it is shipped, or in a folder.

use std::{fs, io, path::Path};

use tollhouse_classify::{Classifier, Files, LoadError, Manifest, shipped, shipped_names};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Neither shipped nor a folder.
    #[error("no model is called `{name}`: shipped are {shipped}; a folder needs a `manifest.toml`")]
    Unknown { name: String, shipped: String },
    /// A file of the folder cannot be read.
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: io::Error },
    /// The model is not sound.
    #[error("cannot load `{name}`: {source}")]
    Load { name: String, source: LoadError },
}

/// Loads the shipped model of that name, else the one in that folder.
pub(crate) fn load(name: &str) -> Result<Classifier, Failure> {
    let Some(loaded) = shipped(name) else { return folder(name) };
    loaded.map_err(|source| Failure::Load { name: name.to_owned(), source })
}

fn folder(name: &str) -> Result<Classifier, Failure> {
    let folder = Path::new(name);
    if !folder.join("manifest.toml").is_file() {
        let shipped = shipped_names().collect::<Vec<_>>().join(", ");
        return Err(Failure::Unknown { name: name.to_owned(), shipped });
    }
    let unsound = |source| Failure::Load { name: name.to_owned(), source };
    let text = String::from_utf8_lossy(&read(&folder.join("manifest.toml"))?).into_owned();
    let mut files = Files::new();
    for file in Manifest::parse(&text).map_err(unsound)?.files() {
        // One that is missing is told by the loader, with the manifest's name for it.
        if folder.join(file).is_file() {
            files.insert(file.to_owned(), read(&folder.join(file))?.into());
        }
    }
    Classifier::load(&text, files).map_err(unsound)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::Read { path: path.display().to_string(), source })
}
