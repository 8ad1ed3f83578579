//! Lays defaults under what was written: built-in ones, the `[defaults]` of the configuration under
//! each model, and what the price table knows under each target.

use super::{
    hosts,
    tree::{Node, Origin, Table, Value, parse_toml},
};
use crate::{
    price::{
        PicoUsdPerToken,
        table::{self, ModelFacts},
    },
    units::Tokens,
};

const BASE: &str = include_str!("base.toml");

/// What a model takes from `[defaults]`.
const INHERITED: [&str; 8] =
    ["params", "bounds", "retry", "timeout", "cache", "limits", "deprecated", "recovery"];

/// The built-in defaults, and what each entry of a list or table starts from.
pub(crate) struct Base {
    pub(crate) root: Node,
    pub(crate) each: Node,
}

impl Base {
    /// Reads `base.toml`.
    pub(crate) fn read() -> Self {
        let (mut root, _) = parse_toml(BASE);
        root.set_origin(&Origin::Default);
        let each = root.table_mut().and_then(|table| table.remove("each"));
        Self { root, each: each.unwrap_or_else(empty) }
    }
}

/// Completes `root` in place; what was written stays as it is.
pub(crate) fn complete(root: &mut Node) {
    let Base { root: base, each } = Base::read();
    root.fill(&base);
    let Some(table) = root.table_mut() else {
        return;
    };
    if let Some(auth) = table.get_mut("auth") {
        complete_keys(auth, &each);
    }
    for provider in entries(table.get_mut("providers")) {
        complete_provider(provider, &each);
    }
    for team in entries(table.get_mut("teams")) {
        complete_budget(team, &each);
    }
    let otlp =
        table.get_mut("telemetry").and_then(|telemetry| telemetry.table_mut()?.get_mut("otlp"));
    if let Some(otlp) = otlp {
        fill_from(otlp, &each, "otlp");
    }
    if let Some(mlflow) = table.get_mut("mlflow") {
        fill_from(mlflow, &each, "mlflow");
    }
    for classifier in entries(table.get_mut("classifiers")) {
        fill_from(classifier, &each, "classifier");
    }
    let mut experiments = table.remove("experiments");
    for experiment in entries(experiments.as_mut()) {
        let variants = experiment.table_mut().and_then(|table| table.get_mut("variants"));
        for variant in entries(variants) {
            fill_from(variant, &each, "variant");
            complete_targets(variant, table, &each);
        }
    }
    if let Some(experiments) = experiments {
        table.insert("experiments".to_owned(), experiments);
    }
    let mut models = table.remove("models");
    for model in entries(models.as_mut()) {
        complete_model(model, table, &each);
    }
    if let Some(models) = models {
        table.insert("models".to_owned(), models);
    }
}

fn complete_keys(auth: &mut Node, each: &Node) {
    let keys = auth.table_mut().and_then(|auth| auth.get_mut("keys")?.list_mut());
    for key in keys.into_iter().flatten() {
        fill_from(key, each, "key");
        complete_budget(key, each);
    }
}

fn complete_budget(owner: &mut Node, each: &Node) {
    if let Some(budget) = owner.table_mut().and_then(|owner| owner.get_mut("budget")) {
        fill_from(budget, each, "budget");
    }
}

fn complete_provider(provider: &mut Node, each: &Node) {
    let kind = provider.table().and_then(|table| table.get("kind")?.text()).map(str::to_owned);
    if let Some(kind @ ("openai" | "oip" | "mock")) = kind.as_deref() {
        fill_from(provider, each, kind);
    }
    if let Some(pool) = provider.table_mut().and_then(|provider| provider.get_mut("pool")) {
        fill_from(pool, each, "pool");
    }
    let faults = provider.table_mut().and_then(|table| table.get_mut("faults")?.list_mut());
    for fault in faults.into_iter().flatten() {
        fill_from(fault, each, "fault");
    }
}

fn complete_model(model: &mut Node, root: &Table, each: &Node) {
    if let Some(defaults) = root.get("defaults").and_then(Node::table) {
        for key in INHERITED {
            inherit(model, defaults, key);
        }
    }
    fill_from(model, each, "model");
    complete_budget(model, each);
    complete_targets(model, root, each);
}

fn complete_targets(owner: &mut Node, root: &Table, each: &Node) {
    let targets = owner.table_mut().and_then(|owner| owner.get_mut("targets")?.list_mut());
    for target in targets.into_iter().flatten() {
        complete_target(target, root.get("providers"));
        fill_from(target, each, "target");
        if let Some(tensors) = target.table_mut().and_then(|target| target.get_mut("tensors")) {
            fill_from(tensors, each, "tensors");
        }
    }
}

fn inherit(model: &mut Node, defaults: &Table, key: &str) {
    if let (Some(model), Some(default)) = (model.table_mut(), defaults.get(key)) {
        match model.get_mut(key) {
            Some(present) => present.fill(default),
            None => drop(model.insert(key.to_owned(), default.clone())),
        }
    }
}

/// Fills in what is known of the provider and of the model there.
fn complete_target(target: &mut Node, providers: Option<&Node>) {
    let Some(table) = target.table_mut() else {
        return;
    };
    let name = table.get("provider").and_then(Node::text);
    let provider = name.and_then(|name| providers?.table()?.get(name)?.table());
    let (Some(provider), Some(model)) = (provider, table.get("model").and_then(Node::text)) else {
        return;
    };
    let known = known(provider, model);
    if known.stream_usage == Some(false) {
        insert(table, "stream_usage", Value::Bool(false));
    }
    if let Some(prefill) = known.prefill {
        insert(table, "prefill", Value::Text(prefill.to_owned()));
    }
    if let Some(facts) = known.facts {
        insert_facts(table, &facts);
    }
}

struct Known {
    facts: Option<ModelFacts>,
    stream_usage: Option<bool>,
    prefill: Option<&'static str>,
}

/// Who bills a call decides which prices hold: a known host's own, on an unknown one OpenAI's by the
/// names of OpenAI's models, on hardware of one's own none. The mock costs what it stands in for, but
/// is never retired.
fn known(provider: &Table, model: &str) -> Known {
    let text = |key| provider.get(key).and_then(Node::text);
    match (text("kind"), text("placement")) {
        (Some("openai"), Some("api")) => {
            let host = text("base_url").and_then(hosts::of_url);
            let prices = host.map_or("openai", |host| host.prices);
            Known {
                facts: table::find(prices, model),
                stream_usage: host.map(|host| host.stream_usage),
                prefill: host.map(|host| host.prefill),
            }
        }
        (Some("mock"), _) => {
            let facts = table::find_first(model).map(|facts| ModelFacts {
                retires: None,
                successor: None,
                ..facts
            });
            Known { facts, stream_usage: None, prefill: None }
        }
        _ => Known { facts: None, stream_usage: None, prefill: None },
    }
}

fn insert_facts(target: &mut Table, facts: &ModelFacts) {
    if let Some(price) = facts.price {
        let usd = |price: PicoUsdPerToken| Value::Float(price.usd_per_million());
        let mut table = Table::new();
        insert(&mut table, "input", usd(price.input));
        insert(&mut table, "cached_input", usd(price.cached_input));
        insert(&mut table, "cache_write", usd(price.cache_write));
        insert(&mut table, "output", usd(price.output));
        insert(target, "price", Value::Table(table));
    }
    let tokens = |tokens: Tokens| i64::try_from(tokens.0).ok().map(Value::Int);
    insert_some(target, "context", facts.context.and_then(tokens));
    insert_some(target, "max_output", facts.max_output.and_then(tokens));
    insert(target, "max_completion_tokens", Value::Bool(facts.max_completion_tokens));
    insert(target, "sampling", Value::Bool(facts.sampling));
    // A date of the operator's own comes with a successor of their own.
    if !target.contains_key("retires") {
        insert_some(target, "retires", facts.retires.clone().map(Value::Text));
        insert_some(target, "successor", facts.successor.clone().map(Value::Text));
    }
}

fn insert_some(table: &mut Table, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        insert(table, key, value);
    }
}

fn insert(table: &mut Table, key: &str, value: Value) {
    table.entry(key.to_owned()).or_insert_with(|| Node::new(value, Origin::Prices));
}

fn fill_from(node: &mut Node, each: &Node, name: &str) {
    if let Some(lower) = each.table().and_then(|each| each.get(name)) {
        node.fill(lower);
    }
}

fn entries(node: Option<&mut Node>) -> impl Iterator<Item = &mut Node> {
    node.and_then(Node::table_mut).into_iter().flat_map(|table| table.values_mut())
}

fn empty() -> Node {
    Node::new(Value::Table(Table::new()), Origin::Default)
}
