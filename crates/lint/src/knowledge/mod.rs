//! What is known of other people's crates: which path plays which role, by version.
//!
//! The knowledge itself is data (`rules/knowledge/*.toml`); here it is read and asked. A path matches a fact when it
//! ends in the fact's segments, so modules in between do not matter unless the fact names them.

mod endpoints;
mod raw;
mod role;

pub(crate) use endpoints::Endpoints;
pub(crate) use raw::{CrateKind, Fact};
pub(crate) use role::{Role, Roles};

use crate::facts::Name;
use crate::manifest::Dependency;
use raw::{Mark, RawCrate};
use rustc_hash::FxHashMap as HashMap;

/// Everything known, by library name.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    crates: Vec<Known>,
    by_lib: HashMap<String, usize>,
    by_package: HashMap<String, usize>,
    names: HashMap<Name, Roles>,
    anywhere: HashMap<Name, Vec<(String, String, Fact)>>,
    derives: Vec<(String, Roles)>,
    attributes: Vec<(String, Roles)>,
    /// Hosts and paths of hosted models, and models that are gone.
    pub(crate) endpoints: Endpoints,
}

/// One crate.
#[derive(Debug)]
pub(crate) struct Known {
    /// The name code knows it by.
    pub(crate) lib: String,
    pub(crate) package: String,
    pub(crate) kind: CrateKind,
    /// Roles that depending on the crate at all is evidence of.
    pub(crate) present: Roles,
    /// The features that are on unless the manifest turns the default ones off.
    default: Vec<String>,
    facts: HashMap<Name, Vec<Fact>>,
}

/// A knowledge file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("knowledge file {file}: {reason}")]
pub struct KnowledgeError {
    file: String,
    reason: String,
}

impl Known {
    /// Every role that something in it plays.
    pub(crate) fn roles(&self) -> Roles {
        let all = self.facts.values().flatten();
        all.fold(Roles::default(), |all, fact| all.with(fact.roles))
    }
}

impl Knowledge {
    /// Reads knowledge files, given as names and texts.
    pub(crate) fn read<'a>(
        files: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, KnowledgeError> {
        let mut all = Self::default();
        for (file, text) in files {
            let fail = |reason: String| KnowledgeError { file: file.to_owned(), reason };
            if file.ends_with("endpoints.toml") {
                all.endpoints = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
                continue;
            }
            let raw: RawCrate = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
            all.add(raw).map_err(fail)?;
        }
        Ok(all)
    }

    fn add(&mut self, raw: RawCrate) -> Result<(), String> {
        let at = self.crates.len();
        let lib = raw.lib.clone().unwrap_or_else(|| raw.package.replace('-', "_"));
        let mut libs = vec![lib.clone()];
        libs.extend(raw.forks.iter().map(|fork| fork.replace('-', "_")));
        for lib in libs {
            self.by_lib.insert(lib, at);
        }
        for package in raw.forks.iter().chain([&raw.package]) {
            self.by_package.insert(package.clone(), at);
        }
        let mut known = Known {
            lib,
            package: raw.package.clone(),
            kind: raw.kind,
            present: raw.present.iter().copied().collect(),
            default: raw.default.clone(),
            facts: HashMap::default(),
        };
        self.derives.extend(raw.derive.iter().flat_map(Mark::each));
        self.attributes.extend(raw.attribute.iter().flat_map(Mark::each));
        for fact in raw.facts()? {
            if let Some(last) = fact.path.last() {
                let roles = self.names.entry(last.clone()).or_default();
                *roles = roles.with(fact.roles);
                if fact.anywhere || fact.of_trait.is_some() {
                    let entry = (known.package.clone(), known.lib.clone(), fact.clone());
                    self.anywhere.entry(last.clone()).or_default().push(entry);
                }
                known.facts.entry(last.clone()).or_default().push(fact);
            }
        }
        self.crates.push(known);
        Ok(())
    }

    /// The crate behind a library name.
    pub(crate) fn lib(&self, lib: &str) -> Option<&Known> {
        self.by_lib.get(lib).and_then(|at| self.crates.get(*at))
    }

    /// The crate behind a package name.
    pub(crate) fn package(&self, package: &str) -> Option<&Known> {
        self.by_package.get(package).and_then(|at| self.crates.get(*at))
    }

    /// Whether something of this name plays a role, in any crate.
    pub(crate) fn plays(&self, name: &str, role: Role) -> bool {
        self.names.get(name).is_some_and(|roles| roles.has(role))
    }

    /// Whether any crate knows something of this name.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The names of all packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &str> {
        self.by_package.keys().map(String::as_str)
    }

    /// Facts whose name alone tells, with package and library.
    pub(crate) fn anywhere(&self, name: &str) -> &[(String, String, Fact)] {
        self.anywhere.get(name).map_or(&[], Vec::as_slice)
    }

    /// The fact about a full path (`reqwest::blocking::Client::new`), most specific first.
    pub(crate) fn fact(&self, path: &[Name], dependency: Option<&Dependency>) -> Option<&Fact> {
        let (lib, rest) = path.split_first()?;
        let known = self.lib(lib)?;
        let candidates = known.facts.get(rest.last()?)?;
        let fits = candidates.iter().filter(|fact| {
            ends_with(rest, &fact.path) && fact.holds_for(dependency, &known.default)
        });
        fits.max_by_key(|fact| fact.path.len())
    }

    /// What a derive is evidence of, by its last segment, whichever crate it comes from.
    pub(crate) fn derive(&self, name: &str) -> Roles {
        let known = self.derives.iter().filter(|(word, _)| word == name);
        known.fold(Roles::default(), |all, (_, roles)| all.with(*roles))
    }

    /// What an attribute is evidence of, by the words in it.
    pub(crate) fn attribute(&self, text: &str) -> Roles {
        let known = self.attributes.iter().filter(|(word, _)| text.contains(word.as_str()));
        known.fold(Roles::default(), |all, (_, roles)| all.with(*roles))
    }

    /// Whether a glob import of `path` may bring in `name`.
    pub(crate) fn exports(&self, path: &[Name], name: &str) -> bool {
        let Some(known) = path.first().and_then(|lib| self.lib(lib)) else { return false };
        known.facts.values().flatten().any(|fact| {
            let at = if fact.path.len() > 1 { fact.path.len() - 2 } else { 0 };
            fact.path.get(at).is_some_and(|segment| segment == name)
                || fact
                    .returns
                    .as_ref()
                    .is_some_and(|returns| returns.last().is_some_and(|last| last == name))
        })
    }
}

fn ends_with(path: &[Name], tail: &[Name]) -> bool {
    let fits = |(have, want): (&Name, &Name)| want == "*" || have == want;
    path.len() >= tail.len() && path.iter().rev().zip(tail.iter().rev()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Lock, Manifest};
    use semver::Version;

    fn knowledge(text: &str) -> Knowledge {
        let Ok(known) = Knowledge::read([("some.toml", text)].into_iter()) else { unreachable!() };
        known
    }

    fn path(of: &str) -> Vec<Name> {
        of.split("::").map(Name::new).collect()
    }

    #[test]
    fn a_fact_holds_in_its_range_and_for_an_unknown_version_if_it_holds_for_recent_ones() {
        let known = knowledge(
            r#"
            package = "some"
            kind = "model-client"
            fact = [
              { path = ["Audio::speech"], roles = ["model-call"], versions = "<0.31" },
              { path = ["Audio::speech"], returns = "Speech", versions = ">=0.31" },
            ]"#,
        );
        let calls = |version: Option<Version>| {
            let dependency = Dependency { version, ..Dependency::default() };
            let fact = known.fact(&path("some::Audio::speech"), Some(&dependency));
            fact.is_some_and(|fact| fact.roles.has(Role::ModelCall))
        };
        assert!(calls(Some(Version::new(0, 30, 1))));
        assert!(!calls(Some(Version::new(0, 36, 0))));
        assert!(!calls(None));
    }

    #[test]
    fn modules_in_between_do_not_matter_unless_the_fact_names_them() {
        let known = knowledge(
            r#"
            package = "some"
            kind = "http"
            fact = [
              { path = ["Client::new"], roles = ["client"] },
              { path = ["blocking::Client::new"], roles = ["client", "blocking"] },
            ]"#,
        );
        let blocks = |of: &str| known.fact(&path(of), None).map(|f| f.roles.has(Role::Blocking));
        assert_eq!(blocks("some::net::Client::new"), Some(false));
        assert_eq!(blocks("some::blocking::Client::new"), Some(true));
        assert_eq!(blocks("other::Client::new"), None);
    }

    fn depended_on(manifest: &str) -> Dependency {
        let mut read = Manifest::read("Cargo.toml", manifest);
        read.settle(None, &Lock::default());
        let Some(first) = read.dependencies.first() else { unreachable!() };
        first.clone()
    }

    #[test]
    fn a_fact_holds_with_the_features_that_the_manifest_turns_on() {
        let known = knowledge(
            r#"
            package = "some"
            kind = "support"
            default = ["std"]
            fact = [
              { path = ["warn"], roles = ["log"], without = ["off"] },
              { path = ["retry"], roles = ["retry"], features = ["std"] },
            ]"#,
        );
        let holds = |manifest: &str| {
            let of = depended_on(manifest);
            ["warn", "retry"]
                .map(|name| known.fact(&path(&format!("some::{name}")), Some(&of)).is_some())
        };
        assert_eq!(holds("dependencies.some = '1'"), [true, true]);
        assert_eq!(holds("[dependencies.some]\nversion = '1'\nfeatures = ['off']"), [false, true]);
        assert_eq!(
            holds("[dependencies.some]\nversion = '1'\ndefault-features = false"),
            [true, false]
        );
        let switched = "features.quiet = ['some?/off']\n[dependencies]\nsome = '1'";
        assert_eq!(holds(switched), [false, true]);
    }

    #[test]
    fn a_member_adds_to_the_features_of_its_workspace() {
        let root = Manifest::read(
            "Cargo.toml",
            "[workspace.dependencies]\nsome = { version = '1', default-features = false, features = ['a'] }",
        );
        let mut member = Manifest::read(
            "m/Cargo.toml",
            "[dependencies]\nsome = { workspace = true, features = ['b'] }",
        );
        member.settle(Some(&root), &Lock::default());
        let Some(of) = member.dependencies.first() else { unreachable!() };
        let default = ["std".to_owned()];
        assert_eq!(
            ["a", "b", "std"].map(|name| of.features.has(name, &default)),
            [true, true, false]
        );
    }

    #[test]
    fn derives_and_attributes_tell_whichever_crate_they_come_from() {
        let known = knowledge(
            r#"
            package = "some"
            kind = "support"
            derive = [{ words = ["Validate"], roles = ["validate"] }]
            attribute = [{ words = ["default"], roles = ["defaults"] }]"#,
        );
        assert!(known.derive("Validate").has(Role::Validate));
        assert!(known.derive("Debug").is_empty());
        assert!(known.attribute("serde(default = \"five\")").has(Role::Defaults));
        assert!(known.attribute("serde(rename = \"x\")").is_empty());
    }
}
