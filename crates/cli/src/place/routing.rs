//! Placement in the gateway's configuration: put there with its comments kept, or held against it.
//!
//! A classifier's placement is `[classifiers.NAME]`; a heavy model is served by a target at a provider with
//! `placement = "gpu"`, under `[models.NAME]`.

use std::{fs, path::Path, time::SystemTime};

use tollhouse_core::{
    config::{self, Config, Loaded, Source},
    placement::{Format, Verdict, cascade},
    units::UnixMs,
};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, value};

use super::{Failure, Placed};
use tollhouse_core::config::valid::Placement;

/// Where the configuration and the models disagree, a line each.
pub(super) fn check(path: &Path, placed: &[Placed]) -> Result<Vec<String>, Failure> {
    let text = read(path)?;
    let config = valid(path, &text)?;
    Ok(placed.iter().filter_map(|model| disagreement(&config, model)).collect())
}

/// Puts the routing into the configuration; what already says the same is left alone.
pub(super) fn write(path: &Path, placed: &[Placed], gpu: Option<&str>) -> Result<(), Failure> {
    let text = read(path)?;
    let failed = |problem: String| Failure::Config { path: path.display().to_string(), problem };
    let mut document: DocumentMut =
        text.parse().map_err(|problem: toml_edit::TomlError| failed(problem.to_string()))?;
    let known = valid(path, &text);
    for model in placed {
        if known.as_ref().is_ok_and(|config| disagreement(config, model).is_none()) {
            continue;
        }
        match model.decision.verdict {
            Verdict::Edge => to_edge(&mut document, &model.name).map_err(failed)?,
            Verdict::Gpu => to_gpu(&mut document, model, gpu).map_err(failed)?,
        }
    }
    let written = document.to_string();
    // What would be refused is never written.
    let config = valid(path, &written)?;
    if let Some(problem) = placed.iter().find_map(|model| disagreement(&config, model)) {
        return Err(failed(problem));
    }
    if written != text {
        fs::write(path, written).map_err(|problem| failed(problem.to_string()))?;
    }
    Ok(())
}

/// What the configuration says of a model and its cost does not.
fn disagreement(config: &Config, model: &Placed) -> Option<String> {
    let Placed { name, decision, profile, .. } = model;
    let reason = decision.reasons.first().map(ToString::to_string).unwrap_or_default();
    let placed = config.classifiers.get(name).map(|classifier| &classifier.placed);
    let is_classifier = profile.format == Format::Manifest;
    match decision.verdict {
        Verdict::Edge => match placed {
            Some(cascade::Placed::Edge | cascade::Placed::Auto(_)) => None,
            // A classifier that nobody places judges at the edge.
            None if is_classifier => None,
            Some(cascade::Placed::Gpu) => {
                Some(format!("`classifiers.{name}` is on the GPU, its cost says edge: {reason}"))
            }
            None => Some(format!("`classifiers.{name}` is missing, its cost says edge: {reason}")),
        },
        Verdict::Gpu if is_classifier || placed.is_some() => match placed {
            Some(cascade::Placed::Gpu) => None,
            Some(cascade::Placed::Edge | cascade::Placed::Auto(_)) | None => {
                Some(format!("`classifiers.{name}` is at the edge, its cost says gpu: {reason}"))
            }
        },
        Verdict::Gpu if runs_on_gpu(config, name) => None,
        Verdict::Gpu => Some(format!(
            "no target of `models.{name}` is at a provider with `placement = \"gpu\"`, its cost says gpu: {reason}"
        )),
    }
}

fn runs_on_gpu(config: &Config, name: &str) -> bool {
    let is_gpu = |placement| match placement {
        Placement::Gpu => true,
        Placement::Api | Placement::Edge => false,
    };
    config
        .models
        .get(name)
        .is_some_and(|model| model.targets.iter().any(|target| is_gpu(target.provider.placement)))
}

fn to_edge(document: &mut DocumentMut, name: &str) -> Result<(), String> {
    let entry = entry(document, "classifiers", name)?;
    // Where a model on the GPU is named, it goes on judging what is in doubt.
    let word = if entry.contains_key("gpu") { "auto" } else { "edge" };
    put(entry, "placement", word);
    Ok(())
}

fn to_gpu(document: &mut DocumentMut, model: &Placed, gpu: Option<&str>) -> Result<(), String> {
    let name = model.name.as_str();
    let is_classifier = model.profile.format == Format::Manifest
        || document.get("classifiers").and_then(|named| named.get(name)).is_some();
    let mut to = name.to_owned();
    if is_classifier {
        let entry = entry(document, "classifiers", name)?;
        put(entry, "placement", "gpu");
        match entry.get("gpu").and_then(Item::as_str) {
            Some(known) => to = known.to_owned(),
            None => put(entry, "gpu", name),
        }
    }
    let has_model = document.get("models").and_then(|named| named.get(&to)).is_some();
    if is_classifier && has_model {
        return Ok(());
    }
    let provider = provider(document, gpu)?;
    let targets = entry(document, "models", &to)?.entry("targets").or_insert(value(Array::new()));
    let target = InlineTable::from_iter([("provider", provider.as_str()), ("model", to.as_str())]);
    if let Some(list) = targets.as_array_mut() {
        list.push(target);
    } else if let Some(tables) = targets.as_array_of_tables_mut() {
        tables.push(target.into_table());
    } else {
        return Err(format!("`models.{to}.targets` is no list"));
    }
    Ok(())
}

/// Changes a value and leaves what stands around it.
fn put(table: &mut dyn toml_edit::TableLike, key: &str, word: &str) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(known) => {
            let decor = known.decor().clone();
            *known = word.into();
            *known.decor_mut() = decor;
        }
        None => {
            table.insert(key, value(word));
        }
    }
}

/// `[section.name]`, made where it is not there.
fn entry<'a>(
    document: &'a mut DocumentMut,
    section: &str,
    name: &str,
) -> Result<&'a mut dyn toml_edit::TableLike, String> {
    let above = document.entry(section).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let above = above.as_table_like_mut().ok_or_else(|| format!("`{section}` is no table"))?;
    let item = above.entry(name).or_insert(Item::Table(Table::new()));
    item.as_table_like_mut().ok_or_else(|| format!("`{section}.{name}` is no table"))
}

/// The provider that heavy models go to.
fn provider(document: &DocumentMut, named: Option<&str>) -> Result<String, String> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    let providers = document.get("providers").and_then(Item::as_table_like);
    let mut on_gpu = providers
        .into_iter()
        .flat_map(|table| table.iter())
        .filter(|(_, provider)| provider.get("placement").and_then(Item::as_str) == Some("gpu"));
    match (on_gpu.next(), on_gpu.next()) {
        (Some((name, _)), None) => Ok(name.to_owned()),
        (None, _) => {
            Err("no provider has `placement = \"gpu\"`; add one, or name it with --gpu".into())
        }
        (Some(_), Some(_)) => {
            Err("several providers have `placement = \"gpu\"`; name one with --gpu".into())
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|problem| Failure::Config {
        path: path.display().to_string(),
        problem: format!("cannot read it: {problem}"),
    })
}

#[expect(clippy::disallowed_methods, reason = "the command is where the clock is read")]
fn valid(path: &Path, text: &str) -> Result<Config, Failure> {
    let name = path.display().to_string();
    let today = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let today = UnixMs(u64::try_from(today.as_millis()).unwrap_or(u64::MAX));
    let loaded: Result<Loaded, _> = config::load(Source { name: &name, text }, &[], today);
    loaded
        .map(|loaded| loaded.config)
        .map_err(|report| Failure::Config { path: name.clone(), problem: report.to_string() })
}
