//! From the manifest as written to the valid one: the first problem is reported.

use std::collections::BTreeMap;

use super::{
    Activation, Blend, CorePlan, Gate, HashedPlan, Label, LinearPlan, Manifest, Points, Stages,
    TablePlan, Thresholds, TokenPlan, Trained, View,
    raw::{
        RawCore, RawGate, RawLabel, RawLine, RawLinear, RawManifest, RawTable, RawThresholds,
        RawTokens, Unit,
    },
};
use crate::{error::LoadError, score::Line, source::Source, windows::Cut};

/// The one format there is.
const FORMAT: u32 = 1;
const LONGEST_NGRAM: usize = 8;
const LONGEST_WINDOW: usize = 1 << 16;
const LONGEST_CORE_WINDOW: usize = 512;
const MOST_WINDOWS: usize = 64;
const MOST_LABELS: usize = 64;

pub(super) fn manifest(raw: RawManifest) -> Result<Manifest, LoadError> {
    require(raw.format == FORMAT, "format", || format!("is {}, this reads {FORMAT}", raw.format))?;
    require(!raw.name.is_empty(), "name", || "is empty".into())?;
    let count = raw.labels.len();
    require((1..=MOST_LABELS).contains(&count), "labels", || {
        format!("are {count}, wanted are 1 to {MOST_LABELS}")
    })?;
    require(raw.labels.iter().any(|label| label.positive), "labels", || {
        "has none that is positive".into()
    })?;
    digests(&raw.files)?;
    let (labels, stages) = stages(raw.linear, raw.core, raw.gate, raw.labels, &raw.files)?;
    let activation = raw.calibration.activation;
    let core_only = matches!(stages, Stages::Core(_));
    require(activation == Activation::Sigmoid || core_only, "calibration.activation", || {
        "is softmax, which takes a core and no linear stage".into()
    })?;
    Ok(Manifest {
        name: raw.name,
        version: raw.version,
        licence: raw.licence,
        task: raw.task,
        negative: raw.negative,
        calibration: raw.calibration.version,
        calibration_texts: raw.calibration.texts,
        trained_on: raw
            .sources
            .into_iter()
            .map(|from| Trained { name: from.name, licence: from.licence, rows: from.rows })
            .collect(),
        files: raw.files,
        labels,
        activation,
        stages,
        thresholds: thresholds(&raw.thresholds)?,
    })
}

fn require(holds: bool, key: &str, problem: impl FnOnce() -> String) -> Result<(), LoadError> {
    if holds { Ok(()) } else { Err(LoadError::manifest(key, problem())) }
}

fn digests(files: &BTreeMap<String, String>) -> Result<(), LoadError> {
    for (name, digest) in files {
        let plain = !name.contains(['/', '\\']) && !name.starts_with('.') && !name.is_empty();
        require(plain, "files", || format!("names `{name}`, which is no plain file name"))?;
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        require(digest.len() == 64 && digest.bytes().all(hex), &format!("files.{name}"), || {
            "is no SHA-256 in lower-case hex".into()
        })?;
    }
    Ok(())
}

fn stages(
    linear: Option<RawLinear>,
    core: Option<RawCore>,
    gate: Option<RawGate>,
    labels: Vec<RawLabel>,
    files: &BTreeMap<String, String>,
) -> Result<(Vec<Label>, Stages), LoadError> {
    let count = labels.len();
    let linear = linear.map(|linear| self::linear(linear, count, files)).transpose()?;
    let core = core.map(|core| self::core(core, count, files)).transpose()?;
    let stages = match (linear, core, gate) {
        (Some(linear), Some(core), Some(gate)) => {
            Stages::Gated(linear, core, self::gate(&gate, &labels)?)
        }
        (Some(_), Some(_), None) => {
            return Err(LoadError::manifest("gate", "is missing: there are two stages"));
        }
        (_, _, Some(_)) => {
            return Err(LoadError::manifest("gate", "stands between two stages, here is one"));
        }
        (Some(linear), None, None) => Stages::Linear(linear),
        (None, Some(core), None) => Stages::Core(core),
        (None, None, None) => {
            return Err(LoadError::manifest("linear", "is missing, and so is `core`"));
        }
    };
    let labels = labels
        .into_iter()
        .enumerate()
        .map(|(at, label)| self::label(at, label, &stages))
        .collect::<Result<_, _>>()?;
    Ok((labels, stages))
}

fn named(file: &str, key: &str, files: &BTreeMap<String, String>) -> Result<(), LoadError> {
    require(files.contains_key(file), key, || format!("is `{file}`, which `files` does not name"))
}

fn finite(numbers: &[f64], key: &str) -> Result<(), LoadError> {
    require(numbers.iter().all(|number| number.is_finite()), key, || "is not finite".into())
}

fn per_label(numbers: &[f64], count: usize, key: &str) -> Result<(), LoadError> {
    finite(numbers, key)?;
    require(numbers.len() == count, key, || {
        format!("has {} numbers for {count} labels", numbers.len())
    })
}

fn cut(window: usize, stride: usize, most: usize, key: &str) -> Result<Cut, LoadError> {
    require((1..=most).contains(&window), &format!("{key}.window"), || {
        format!("is {window}, wanted is 1 to {most}")
    })?;
    require((1..=window).contains(&stride), &format!("{key}.stride"), || {
        format!("is {stride}, wanted is 1 to the window, {window}")
    })?;
    Ok(Cut { window, stride })
}

fn linear(
    raw: RawLinear,
    count: usize,
    files: &BTreeMap<String, String>,
) -> Result<LinearPlan, LoadError> {
    named(&raw.file, "linear.file", files)?;
    for source in Source::ALL {
        let key = format!("linear.bias.{}", source.name());
        let bias = raw.bias.get(&source).ok_or_else(|| LoadError::manifest(&key, "is missing"))?;
        per_label(bias, count, &key)?;
    }
    for weights in raw.dense.values() {
        per_label(weights, count, "linear.dense")?;
    }
    require(!raw.tables.is_empty(), "linear.tables", || "is empty".into())?;
    let tables = raw
        .tables
        .into_iter()
        .enumerate()
        .map(|(at, table)| self::table(at, table, raw.scale))
        .collect::<Result<_, _>>()?;
    Ok(LinearPlan {
        file: raw.file,
        cut: cut(raw.window, raw.stride, LONGEST_WINDOW, "linear")?,
        weighting: raw.tf,
        bias: raw.bias,
        tables,
        dense: raw.dense,
    })
}

fn table(at: usize, raw: RawTable, scale: Option<f64>) -> Result<TablePlan, LoadError> {
    let key = |field: &str| format!("linear.tables[{at}].{field}");
    let range = 1 <= raw.min && raw.min <= raw.max && raw.max <= LONGEST_NGRAM;
    require(range, &key("min"), || {
        format!("to max is {} to {}, wanted is within 1 to {LONGEST_NGRAM}", raw.min, raw.max)
    })?;
    require(raw.unit != Unit::Skip || (raw.min, raw.max) == (2, 2), &key("min"), || {
        "and max of skip must be 2".into()
    })?;
    let fits = raw.buckets.is_power_of_two() && (1 << 8..=1 << 20).contains(&raw.buckets);
    require(fits, &key("buckets"), || {
        format!("is {}, wanted is a power of two from 256 to 1048576", raw.buckets)
    })?;
    let scale = raw.scale.or(scale);
    let scale = scale.ok_or_else(|| LoadError::manifest(key("scale"), "is missing"))?;
    finite(&[scale], &key("scale"))?;
    Ok(TablePlan {
        unit: raw.unit,
        min: raw.min,
        max: raw.max,
        buckets: raw.buckets,
        seed: raw.seed,
        scale,
        sources: raw.sources.unwrap_or_else(|| Source::ALL.to_vec()),
    })
}

fn core(
    raw: RawCore,
    count: usize,
    files: &BTreeMap<String, String>,
) -> Result<CorePlan, LoadError> {
    named(&raw.file, "core.file", files)?;
    let cut = cut(raw.window, raw.stride, LONGEST_CORE_WINDOW, "core")?;
    let lengths = raw.buckets.unwrap_or_else(|| vec![cut.window]);
    let rising = lengths.is_sorted_by(|one, next| one < next) && !lengths.contains(&0);
    require(rising && lengths.last() == Some(&cut.window), "core.buckets", || {
        format!("must rise and end with the window, {}", cut.window)
    })?;
    require((1..=MOST_WINDOWS).contains(&raw.max_windows), "core.max_windows", || {
        format!("is {}, wanted is 1 to {MOST_WINDOWS}", raw.max_windows)
    })?;
    let columns = raw.columns.unwrap_or_else(|| (0..count).collect());
    require(columns.len() == count, "core.columns", || {
        format!("has {} columns for {count} labels", columns.len())
    })?;
    Ok(CorePlan {
        file: raw.file,
        cut,
        max_windows: raw.max_windows,
        lengths,
        ids: raw.inputs.ids,
        mask: raw.inputs.mask,
        types: raw.inputs.types,
        output: raw.output,
        columns,
        tokens: tokens(raw.tokens, cut, files)?,
    })
}

fn tokens(
    raw: RawTokens,
    cut: Cut,
    files: &BTreeMap<String, String>,
) -> Result<TokenPlan, LoadError> {
    match raw {
        RawTokens::HuggingFace { file } => {
            named(&file, "core.tokens.file", files)?;
            Ok(TokenPlan::HuggingFace { file })
        }
        RawTokens::Hashed { unit, vocabulary, views, source } => {
            require(vocabulary > 5, "core.tokens.vocabulary", || {
                format!("is {vocabulary}, five ids are taken")
            })?;
            require(!source || cut.stride < cut.window, "core.stride", || {
                "leaves no room for the source's id".into()
            })?;
            require((1..=8).contains(&views.len()), "core.tokens.views", || {
                format!("are {}, wanted are 1 to 8", views.len())
            })?;
            let views = views.iter().map(|view| self::view(view)).collect::<Result<_, _>>()?;
            Ok(TokenPlan::Hashed(HashedPlan { unit, vocabulary, views, source }))
        }
    }
}

fn view(name: &str) -> Result<View, LoadError> {
    let length =
        |digits: &str| digits.parse::<usize>().ok().filter(|length| (1..=8).contains(length));
    let view = if name == "word" {
        Some(View::Word)
    } else if let Some(digits) = name.strip_prefix("prefix") {
        length(digits).map(View::Prefix)
    } else if let Some(digits) = name.strip_prefix("suffix") {
        length(digits).map(View::Suffix)
    } else {
        None
    };
    view.ok_or_else(|| {
        let problem =
            format!("has `{name}`, wanted is word, prefixN or suffixN with N from 1 to 8");
        LoadError::manifest("core.tokens.views", problem)
    })
}

fn gate(raw: &RawGate, labels: &[RawLabel]) -> Result<Gate, LoadError> {
    require(raw.low <= raw.high, "gate.low", || format!("is {}, high is {}", raw.low, raw.high))?;
    let blends = labels.iter().enumerate().map(|(at, label)| {
        let key = format!("labels[{at}].both");
        let raw = label.both.as_ref().ok_or_else(|| LoadError::manifest(&key, "is missing"))?;
        finite(&[raw.linear, raw.core, raw.intercept], &key)?;
        Ok(Blend { linear: raw.linear, core: raw.core, intercept: raw.intercept })
    });
    Ok(Gate { low: raw.low, high: raw.high, blends: blends.collect::<Result<_, _>>()? })
}

fn label(at: usize, raw: RawLabel, stages: &Stages) -> Result<Label, LoadError> {
    let (key, alone) = match stages {
        Stages::Linear(_) | Stages::Gated(..) => (format!("labels[{at}].linear"), raw.linear),
        Stages::Core(_) => (format!("labels[{at}].core"), raw.core),
    };
    let alone = alone.as_ref().ok_or_else(|| LoadError::manifest(&key, "is missing"))?;
    Ok(Label {
        name: raw.name,
        positive: raw.positive,
        alone: line(alone, &key)?,
        knots: knots(raw.knots, at)?,
    })
}

fn line(raw: &RawLine, key: &str) -> Result<Line, LoadError> {
    finite(&[raw.slope, raw.intercept], key)?;
    Ok(Line { slope: raw.slope, intercept: raw.intercept })
}

fn knots(raw: Option<Vec<[f64; 2]>>, at: usize) -> Result<Vec<[f64; 2]>, LoadError> {
    let Some(knots) = raw else { return Ok(Vec::new()) };
    let key = format!("labels[{at}].knots");
    finite(knots.as_flattened(), &key)?;
    let rising = knots.is_sorted_by(|[x, y], [next_x, next_y]| x < next_x && y < next_y);
    require(knots.len() >= 2 && rising, &key, || "must be two or more that rise strictly".into())?;
    Ok(knots)
}

fn thresholds(raw: &BTreeMap<String, RawThresholds>) -> Result<Thresholds, LoadError> {
    let mut default = None;
    let mut sources = BTreeMap::new();
    for (name, raw) in raw {
        let key = format!("thresholds.{name}");
        let points = points(raw, &key)?;
        if name == "default" {
            default = Some(points);
            continue;
        }
        let source: Source = name.parse().map_err(|_| {
            LoadError::manifest(&key, "is neither `default` nor user, document, tool or system")
        })?;
        sources.insert(source, points);
    }
    let default = default.ok_or_else(|| LoadError::manifest("thresholds.default", "is missing"))?;
    Ok(Thresholds { default, sources })
}

fn points(raw: &RawThresholds, key: &str) -> Result<Points, LoadError> {
    let falling = [raw.thousandth, raw.hundredth, raw.twentieth];
    let within = falling.iter().all(|score| (0.0..=1.0).contains(score));
    require(within && falling.is_sorted_by(|one, next| one >= next), key, || {
        "must lie within 0 to 1 and fall from 0.1% to 5%".into()
    })?;
    Ok(Points { thousandth: raw.thousandth, hundredth: raw.hundredth, twentieth: raw.twentieth })
}
