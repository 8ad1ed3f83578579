//! Models that lie beside the code: measured where the code names them.

use super::cache::Key;
use crate::place;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tollhouse_core::placement::{Format, Limits, Profile};
use tollhouse_lint::ModelFile;

/// A model that the code names.
pub(super) struct Beside {
    /// Relative to the folder linted.
    path: String,
    place: PathBuf,
    bytes: u64,
    changed: Option<SystemTime>,
}

/// Those of `paths` whose file name stands in a source file.
pub(super) fn named(root: &Path, paths: Vec<String>, rust: &[(String, String)]) -> Vec<Beside> {
    let is_named = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        rust.par_iter().any(|(_, text)| text.contains(name))
    };
    paths
        .into_iter()
        .filter(|path| is_named(path))
        .filter_map(|path| {
            let place = root.join(&path);
            let metadata = std::fs::metadata(&place).ok()?;
            let (bytes, changed) = (metadata.len(), metadata.modified().ok());
            Some(Beside { path, place, bytes, changed })
        })
        .collect()
}

impl Beside {
    /// What changes whenever the file does: its length and the time of its last change.
    pub(super) fn key(&self) -> Key {
        let since = self.changed.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        let since = since.map_or(0, |since| since.as_nanos());
        Key::of([self.path.as_bytes(), &self.bytes.to_le_bytes(), &since.to_le_bytes()])
    }

    /// The model, measured; `None` where it cannot be.
    pub(super) fn measured(&self) -> Option<ModelFile> {
        let profile = if self.bytes > Limits::WORKERS.bytes {
            self.by_size()
        } else {
            place::profile(self.place.to_str()?)?
        };
        Some(ModelFile { path: self.path.clone(), profile })
    }

    /// A file too large for any Worker need not be read to know it.
    fn by_size(&self) -> Profile {
        Profile {
            format: Format::Onnx,
            parameters: 0,
            bytes: self.bytes,
            macs_per_token: 0,
            lookups_per_token: 0,
            window: 1,
            peak_memory: self.bytes,
            unsupported: Vec::new(),
            refused: None,
        }
    }
}
