//! A knowledge file as written.

use super::{Role, Roles};
use crate::facts::Name;
use crate::manifest::Dependency;
use semver::{Version, VersionReq};
use serde::Deserialize;

/// What a crate is to this linter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CrateKind {
    /// A client of hosted models.
    ModelClient,
    /// Runs models itself.
    Inference,
    /// Sends HTTP requests.
    Http,
    /// Serves HTTP.
    Server,
    /// Everything else.
    Support,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCrate {
    pub(super) package: String,
    pub(super) lib: Option<String>,
    #[serde(default)]
    pub(super) forks: Vec<String>,
    pub(super) kind: CrateKind,
    #[serde(default)]
    pub(super) present: Vec<Role>,
    /// The features that are on where the manifest does not say `default-features = false`.
    #[serde(default)]
    pub(super) default: Vec<String>,
    #[serde(default)]
    pub(super) derive: Vec<Mark>,
    #[serde(default)]
    pub(super) attribute: Vec<Mark>,
    #[serde(default)]
    fact: Vec<RawFact>,
}

/// What a derive, or a word inside an attribute, is evidence of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    pub(super) words: Vec<String>,
    pub(super) roles: Vec<Role>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFact {
    path: Vec<String>,
    #[serde(default)]
    roles: Vec<Role>,
    #[serde(default)]
    gives: Vec<Role>,
    returns: Option<String>,
    arg: Option<usize>,
    #[serde(default)]
    anywhere: bool,
    of_trait: Option<String>,
    value: Option<String>,
    versions: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    source: String,
}

/// What is known of one path.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// The segments it ends in.
    pub(crate) path: Vec<Name>,
    /// The roles it plays.
    pub(crate) roles: Roles,
    /// Roles that come with it by default: a client that retries on its own.
    pub(crate) gives: Roles,
    /// The type it returns, relative to the crate.
    pub(crate) returns: Option<Vec<Name>>,
    /// Which argument carries the value a `set-…` role sets.
    pub(crate) arg: usize,
    /// Whether its name alone tells, where the crate is a dependency.
    pub(crate) anywhere: bool,
    /// The trait whose import in a file tells as much, whatever the receiver's type.
    pub(crate) of_trait: Option<Name>,
    /// The text a constant stands for.
    pub(crate) value: Option<String>,
    /// How this is known.
    pub(crate) source: String,
    versions: Option<VersionReq>,
    /// Features of the crate that must be on, all of them.
    features: Vec<String>,
    /// Features of the crate that must be off, all of them.
    without: Vec<String>,
}

impl Fact {
    /// Whether it holds for a crate as it is depended on. An unknown version is taken to be a recent one, and unknown
    /// features to be the default ones.
    pub(super) fn holds_for(&self, dependency: Option<&Dependency>, default: &[String]) -> bool {
        let newest = Version::new(u64::from(u16::MAX), 0, 0);
        let version = dependency.and_then(|of| of.version.as_ref()).unwrap_or(&newest);
        let on = |feature: &String| match dependency {
            Some(of) => of.features.has(feature, default),
            None => default.contains(feature),
        };
        self.versions.as_ref().is_none_or(|wanted| wanted.matches(version))
            && self.features.iter().all(on)
            && !self.without.iter().any(on)
    }
}

impl Mark {
    /// Each word with the roles.
    pub(super) fn each(&self) -> impl Iterator<Item = (String, Roles)> {
        let roles: Roles = self.roles.iter().copied().collect();
        self.words.iter().map(move |word| (word.clone(), roles))
    }
}

impl RawCrate {
    pub(super) fn facts(self) -> Result<Vec<Fact>, String> {
        let mut found = Vec::new();
        for raw in self.fact {
            let versions = raw
                .versions
                .as_deref()
                .map(VersionReq::parse)
                .transpose()
                .map_err(|e| e.to_string())?;
            for path in &raw.path {
                found.push(Fact {
                    path: segments(path),
                    roles: raw.roles.iter().copied().collect(),
                    gives: raw.gives.iter().copied().collect(),
                    returns: raw.returns.as_deref().map(segments),
                    arg: raw.arg.unwrap_or(0),
                    anywhere: raw.anywhere,
                    of_trait: raw.of_trait.as_deref().map(Name::new),
                    value: raw.value.clone(),
                    source: raw.source.clone(),
                    versions: versions.clone(),
                    features: raw.features.clone(),
                    without: raw.without.clone(),
                });
            }
        }
        Ok(found)
    }
}

fn segments(path: &str) -> Vec<Name> {
    path.split("::").map(Name::new).collect()
}
