//! A model's files, and that they are the ones its manifest was written for.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write};

use sha2::{Digest, Sha256};

use crate::{error::LoadError, manifest::Manifest};

/// A model's files by name, the manifest apart.
pub type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// SHA-256 in lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Compares every file that the manifest names with its digest there.
pub(crate) fn check(manifest: &Manifest, files: &Files) -> Result<(), LoadError> {
    for (name, stated) in &manifest.files {
        let bytes = files.get(name).ok_or_else(|| LoadError::Missing(name.clone()))?;
        let found = sha256(bytes);
        if found != *stated {
            return Err(LoadError::Digest { file: name.clone(), stated: stated.clone(), found });
        }
    }
    Ok(())
}

/// Takes a file out; the manifest's check has seen that it is named, [`check`] that it is there.
pub(crate) fn take(files: &mut Files, name: &str) -> Result<Cow<'static, [u8]>, LoadError> {
    files.remove(name).ok_or_else(|| LoadError::Missing(name.to_owned()))
}
