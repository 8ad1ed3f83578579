//! `tollhouse-lint.toml`: severities, paths, attestations. Unknown keys are refused with the nearest name that exists.

use crate::rules::{Rules, Severity};
use globset::{Glob, GlobSet, GlobSetBuilder};
use toml::{Table, Value};

/// What a rule is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is not asked.
    Off,
    /// It weighs this much.
    At(Severity),
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not TOML.
    #[error("{0}")]
    Syntax(String),
    /// A key nobody knows.
    #[error("`{key}` in {place} is not a key{hint}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it stands in.
        place: String,
        /// The nearest key, as a clause of the sentence.
        hint: String,
    },
    /// A rule nobody knows.
    #[error("`{id}` is not a rule{hint}")]
    UnknownRule {
        /// The id.
        id: String,
        /// The nearest rule, as a clause of the sentence.
        hint: String,
    },
    /// A value of the wrong kind.
    #[error("`{key}` {reason}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong with its value.
        reason: String,
    },
}

#[derive(Clone, Debug)]
struct Override {
    paths: GlobSet,
    levels: Vec<(String, Level)>,
}

/// Evidence that lives outside the code.
#[derive(Clone, Debug)]
pub(crate) struct Attestation {
    pub(crate) rule: String,
    pub(crate) reason: String,
    /// The last day it holds, `YYYY-MM-DD`.
    pub(crate) until: String,
}

/// A run's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    exclude: GlobSet,
    levels: Vec<(String, Level)>,
    overrides: Vec<Override>,
    pub(crate) attestations: Vec<Attestation>,
    /// The least severity that fails a run, where the file says so.
    pub fail_on: Option<Severity>,
    /// Only these rules or clauses, where any are named.
    pub select: Vec<String>,
    /// Not these rules or clauses.
    pub ignore: Vec<String>,
    /// Today, as `YYYY-MM-DD`: retired models and attestations are judged by it.
    pub today: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            exclude: GlobSet::empty(),
            levels: Vec::new(),
            overrides: Vec::new(),
            attestations: Vec::new(),
            fail_on: None,
            select: Vec::new(),
            ignore: Vec::new(),
            today: "2026-11-01".to_owned(),
        }
    }
}

const TOP: &[&str] = &["exclude", "fail_on", "rules", "override", "attest"];

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// The first thing in it that cannot be meant.
    pub fn read(text: &str, rules: &Rules) -> Result<Self, SettingsError> {
        let table: Table = toml::from_str(text)
            .map_err(|error: toml::de::Error| SettingsError::Syntax(error.to_string()))?;
        known_keys(&table, TOP, "the file")?;
        let mut settings =
            Self { exclude: globs(table.get("exclude"), "exclude")?, ..Self::default() };
        settings.fail_on =
            table.get("fail_on").map(|value| severity("fail_on", value)).transpose()?;
        if let Some(levels) = table.get("rules") {
            settings.levels = self::levels(levels, rules)?;
        }
        for part in array(table.get("override")) {
            known_keys(part, &["paths", "rules"], "[[override]]")?;
            let paths = globs(part.get("paths"), "paths")?;
            let levels = part
                .get("rules")
                .map(|value| levels(value, rules))
                .transpose()?
                .unwrap_or_default();
            settings.overrides.push(Override { paths, levels });
        }
        for part in array(table.get("attest")) {
            settings.attestations.push(attestation(part, rules)?);
        }
        Ok(settings)
    }

    /// Whether a path is left out.
    pub fn excludes(&self, path: &str) -> bool {
        self.exclude.is_match(path)
    }

    /// What a rule is set to for a path; nothing where its default holds.
    pub(crate) fn level(&self, rule: &str, path: &str) -> Option<Level> {
        let find = |levels: &[(String, Level)]| {
            levels.iter().rev().find(|(id, _)| id == rule).map(|(_, level)| *level)
        };
        let local = self
            .overrides
            .iter()
            .rev()
            .filter(|of| of.paths.is_match(path))
            .find_map(|of| find(&of.levels));
        local.or_else(|| find(&self.levels))
    }

    /// Whether a rule is asked at all, by the command line.
    pub(crate) fn selects(&self, id: &str, clause: &str) -> bool {
        let named = |list: &[String]| {
            list.iter().any(|name| {
                name == id
                    || name == clause
                    || clause.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        (self.select.is_empty() || named(&self.select)) && !named(&self.ignore)
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn known_keys(table: &Table, known: &[&str], place: &str) -> Result<(), SettingsError> {
    let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let scored = known.iter().map(|name| (strsim::jaro_winkler(name, key), *name));
    let nearest = scored
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name);
    Err(SettingsError::UnknownKey {
        key: key.clone(),
        place: place.to_owned(),
        hint: hint(nearest),
    })
}

fn array(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn wrong(key: &str, reason: impl Into<String>) -> SettingsError {
    SettingsError::Value { key: key.to_owned(), reason: reason.into() }
}

fn globs(value: Option<&Value>, key: &str) -> Result<GlobSet, SettingsError> {
    let mut set = GlobSetBuilder::new();
    for pattern in value
        .map(|value| value.as_array().ok_or_else(|| wrong(key, "is not a list of globs")))
        .transpose()?
        .into_iter()
        .flatten()
    {
        let pattern = pattern.as_str().ok_or_else(|| wrong(key, "is not a list of globs"))?;
        set.add(
            Glob::new(pattern).map_err(|error| {
                wrong(key, format!("holds a glob that cannot be read: {error}"))
            })?,
        );
    }
    set.build().map_err(|error| wrong(key, error.to_string()))
}

fn severity(key: &str, value: &Value) -> Result<Severity, SettingsError> {
    match value.as_str() {
        Some("info") => Ok(Severity::Info),
        Some("warn") => Ok(Severity::Warn),
        Some("deny") => Ok(Severity::Deny),
        _ => Err(wrong(
            key,
            format!(
                "is {}, not `info`, `warn` or `deny`",
                value.as_str().unwrap_or("of another kind")
            ),
        )),
    }
}

fn rule_id(id: &str, rules: &Rules) -> Result<String, SettingsError> {
    match rules.get(id) {
        Some(rule) => Ok(rule.id.clone()),
        None => {
            Err(SettingsError::UnknownRule { id: id.to_owned(), hint: hint(rules.nearest(id)) })
        }
    }
}

fn levels(value: &Value, rules: &Rules) -> Result<Vec<(String, Level)>, SettingsError> {
    let table = value.as_table().ok_or_else(|| wrong("rules", "is not a table of rules"))?;
    let level = |(id, value): (&String, &Value)| {
        let id = rule_id(id, rules)?;
        let level = if value.as_str() == Some("off") {
            Level::Off
        } else {
            Level::At(severity(&id, value)?)
        };
        Ok((id, level))
    };
    table.iter().map(level).collect()
}

fn attestation(part: &Table, rules: &Rules) -> Result<Attestation, SettingsError> {
    known_keys(part, &["rule", "reason", "until"], "[[attest]]")?;
    let text = |key: &str| {
        part.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
    };
    let rule =
        rule_id(&text("rule").ok_or_else(|| wrong("rule", "is missing in [[attest]]"))?, rules)?;
    let reason = text("reason").ok_or_else(|| wrong("reason", "is missing in [[attest]]"))?;
    let until = text("until")
        .ok_or_else(|| wrong("until", "is missing in [[attest]]: a date, YYYY-MM-DD"))?;
    let dated = until.len() == 10
        && until
            .chars()
            .enumerate()
            .all(|(at, c)| if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() });
    if !dated {
        return Err(wrong("until", format!("is \"{until}\", not a date like 2027-01-31")));
    }
    Ok(Attestation { rule, reason, until })
}
