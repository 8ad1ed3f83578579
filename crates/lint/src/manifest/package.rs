//! One `Cargo.toml`, read leniently: what is malformed is left out, never an error.

use super::{Lock, folder, join};
use crate::text::Span;
use semver::{Version, VersionReq};
use std::collections::{BTreeSet, HashMap};
use toml::{Table, Value};

/// What a source root is compiled into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    /// The library.
    Lib,
    /// A program.
    Bin,
    /// An integration test, a benchmark or an example.
    TestLike,
    /// A build script.
    Build,
}

/// A source root named by the manifest.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: TargetKind,
    /// Path relative to the folder linted.
    pub(crate) path: String,
}

/// A dependency.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency {
    /// The name code knows it by.
    pub(crate) alias: String,
    /// The package's own name.
    pub(crate) package: String,
    /// The version in use: from the lock file, else the least the requirement allows.
    pub(crate) version: Option<Version>,
    /// Whether it is there for tests only.
    pub(crate) dev: bool,
    /// Its folder, where the manifest says that it lies in one.
    pub(crate) folder: Option<String>,
    /// What the manifest says of its features.
    pub(crate) features: Features,
}

/// Which features of a dependency are on, as far as one manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    named: BTreeSet<String>,
    without_default: bool,
}

impl Features {
    /// Whether a feature is on, given those that are by default.
    pub(crate) fn has(&self, feature: &str, default: &[String]) -> bool {
        let by_default = !self.without_default && default.iter().any(|of| of == feature);
        by_default || self.named.contains(feature)
    }

    /// Reads what is written beside a dependency's version.
    fn read(value: &Value) -> Self {
        let named = value.get("features").and_then(Value::as_array).into_iter().flatten();
        let default = ["default-features", "default_features"]
            .into_iter()
            .find_map(|key| value.get(key)?.as_bool());
        Self {
            named: named.filter_map(Value::as_str).map(str::to_owned).collect(),
            without_default: default == Some(false),
        }
    }
}

/// A package's manifest, or a workspace's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    /// Path of the file.
    pub(crate) path: String,
    /// Its text, for the places findings point at.
    pub(crate) text: String,
    /// The package's name; absent for a workspace root without a package.
    pub(crate) name: Option<String>,
    /// The library's name in code.
    pub(crate) lib: String,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
    /// Where in `dependencies` a name of the code's stands.
    by_alias: HashMap<String, usize>,
    /// Roots the manifest names itself.
    pub(crate) targets: Vec<Target>,
    /// Why the file could not be read as TOML, and where.
    pub(crate) broken: Option<(String, Span)>,
    table: Table,
}

impl Manifest {
    /// Reads one manifest; dependencies are joined later, by [`Manifest::settle`].
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let (table, broken) = match toml::from_str::<Table>(text) {
            Ok(table) => (table, None),
            Err(error) => {
                let span =
                    error.span().map(|range| Span::new(range.start, range.end)).unwrap_or_default();
                (Table::new(), Some((error.message().to_owned(), span)))
            }
        };
        let name = table
            .get("package")
            .and_then(|p| p.get("name"))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let lib = table.get("lib").and_then(|lib| lib.get("name")).and_then(Value::as_str);
        let lib = lib.or(name.as_deref()).unwrap_or_default().replace('-', "_");
        let mut manifest = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            name,
            lib,
            broken,
            table,
            ..Self::default()
        };
        manifest.targets = manifest.named_targets();
        manifest
    }

    /// The folder the manifest stands in.
    pub(crate) fn folder(&self) -> &str {
        folder(&self.path)
    }

    /// Where a finding about the whole package points: its name.
    pub(crate) fn place(&self) -> Span {
        let package = self.text.find("[package]").unwrap_or(0);
        let tail = self.text.get(package..).unwrap_or_default();
        let at = tail.find("\nname").map_or(package, |found| package + found + 1);
        let end = self
            .text
            .get(at..)
            .and_then(|rest| rest.find('\n'))
            .map_or(self.text.len(), |n| at + n);
        Span::new(at, end)
    }

    fn named_targets(&self) -> Vec<Target> {
        let mut found = Vec::new();
        let path_of = |value: &Value| value.get("path").and_then(Value::as_str).map(str::to_owned);
        if let Some(path) = self.table.get("lib").and_then(path_of) {
            found.push((TargetKind::Lib, path));
        }
        let kinds = [
            ("bin", TargetKind::Bin),
            ("test", TargetKind::TestLike),
            ("bench", TargetKind::TestLike),
            ("example", TargetKind::TestLike),
        ];
        for (key, kind) in kinds {
            let entries = self.table.get(key).and_then(Value::as_array).into_iter().flatten();
            found.extend(entries.filter_map(path_of).map(|path| (kind, path)));
        }
        found
            .into_iter()
            .map(|(kind, path)| Target { kind, path: join(self.folder(), &path) })
            .collect()
    }

    /// Reads the dependencies, with what the workspace's root says of inherited ones and what the lock file chose.
    pub(crate) fn settle(&mut self, root: Option<&Manifest>, lock: &Lock) {
        let mut tables: Vec<(&Table, bool)> = Vec::new();
        let push = |holder: &'_ Table, found: &mut Vec<(Table, bool)>| {
            for (key, dev) in [
                ("dependencies", false),
                ("build-dependencies", true),
                ("dev-dependencies", true),
                ("dev_dependencies", true),
            ] {
                if let Some(table) = holder.get(key).and_then(Value::as_table) {
                    found.push((table.clone(), dev));
                }
            }
        };
        let mut owned = Vec::new();
        push(&self.table, &mut owned);
        for target in
            self.table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values)
        {
            if let Some(target) = target.as_table() {
                push(target, &mut owned);
            }
        }
        tables.extend(owned.iter().map(|(table, dev)| (table, *dev)));
        let mut found = Vec::new();
        for (table, dev) in tables {
            found.extend(
                table
                    .iter()
                    .map(|(alias, value)| self.dependency_of(alias, value, dev, root, lock)),
            );
        }
        // The first of several wins: what the package needs goes before what its tests need.
        self.by_alias =
            found.iter().enumerate().rev().map(|(at, of)| (of.alias.clone(), at)).collect();
        self.dependencies = found;
    }

    /// The `[workspace.dependencies]` table.
    pub(crate) fn workspace_dependencies(&self) -> Option<&Table> {
        self.table.get("workspace")?.get("dependencies")?.as_table()
    }

    /// Whether this manifest is a workspace's root.
    pub(crate) fn is_workspace(&self) -> bool {
        self.table.contains_key("workspace")
    }

    fn dependency_of(
        &self,
        alias: &str,
        value: &Value,
        dev: bool,
        root: Option<&Manifest>,
        lock: &Lock,
    ) -> Dependency {
        let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
        let shared = root
            .filter(|_| inherited)
            .and_then(|root| Some((root, root.workspace_dependencies()?.get(alias)?)));
        let own = Features::read(value);
        let (by, value) = shared.unwrap_or((self, value));
        let mut features = Features::read(value);
        // What a workspace turns on or off for all, a member may only add to.
        features.named.extend(own.named);
        features.named.extend(self.switched_on(alias));
        let package = value.get("package").and_then(Value::as_str).unwrap_or(alias);
        let wanted = value.as_str().or_else(|| value.get("version").and_then(Value::as_str));
        let wanted = wanted.and_then(|text| VersionReq::parse(text).ok());
        let locked =
            lock.version(package, wanted.as_ref()).or_else(|| lock.version(package, None)).cloned();
        Dependency {
            alias: alias.replace('-', "_"),
            package: package.to_owned(),
            version: locked.or_else(|| wanted.as_ref().and_then(least)),
            dev,
            folder: value.get("path").and_then(Value::as_str).map(|path| join(by.folder(), path)),
            features,
        }
    }

    /// Features of a dependency that a feature of the package itself turns on: `gpu = ["candle-core/cuda"]`. Whether that
    /// one is on is decided by whoever builds, so all of them may be.
    fn switched_on(&self, alias: &str) -> BTreeSet<String> {
        let own = self.table.get("features").and_then(Value::as_table);
        let listed = own.into_iter().flat_map(Table::values).filter_map(Value::as_array).flatten();
        let of_alias = listed.filter_map(Value::as_str).filter_map(|entry| {
            let (of, feature) = entry.split_once('/')?;
            (of.trim_end_matches('?') == alias).then(|| feature.to_owned())
        });
        of_alias.collect()
    }

    /// The dependency known in code as `ident`.
    pub(crate) fn dependency(&self, ident: &str) -> Option<&Dependency> {
        self.dependencies.get(*self.by_alias.get(ident)?)
    }
}

/// The least version a requirement names.
fn least(wanted: &VersionReq) -> Option<Version> {
    let first = wanted.comparators.first()?;
    Some(Version::new(first.major, first.minor.unwrap_or(0), first.patch.unwrap_or(0)))
}
