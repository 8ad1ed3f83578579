//! `Cargo.lock`: which version of each package was chosen.

use semver::Version;
use std::collections::BTreeMap;

/// Versions by package name, ascending.
#[derive(Debug, Default)]
pub(crate) struct Lock {
    versions: BTreeMap<String, Vec<Version>>,
}

impl Lock {
    /// Reads a lock file; whatever cannot be read is left out.
    pub(crate) fn read(text: &str) -> Self {
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        let mut lock = Self::default();
        for package in table.get("package").and_then(toml::Value::as_array).into_iter().flatten() {
            let field = |key: &str| package.get(key).and_then(toml::Value::as_str);
            if let (Some(name), Some(version)) = (field("name"), field("version"))
                && let Ok(version) = Version::parse(version)
            {
                lock.versions.entry(name.to_owned()).or_default().push(version);
            }
        }
        lock.versions.values_mut().for_each(|versions| versions.sort());
        lock
    }

    /// The newest locked version of a package that satisfies `wanted`.
    pub(crate) fn version(
        &self,
        package: &str,
        wanted: Option<&semver::VersionReq>,
    ) -> Option<&Version> {
        let versions = self.versions.get(package)?;
        versions.iter().rev().find(|version| wanted.is_none_or(|wanted| wanted.matches(version)))
    }
}
