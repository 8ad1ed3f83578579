//! Groups of the ledger as JSON and CSV. Money is written twice in JSON: exact micro-dollars and
//! dollars, both as numbers; CSV has dollars with six decimals in a last column.

use serde_json::{Map, Value, json};

use super::{Column, Counts, Group};
use crate::{gather::Gather, units::MicroUsd};

/// `{"group_by":["key"],"rows":[{"key":"team-a","requests":3,…,"cost_micro_usd":150,"cost_usd":0.00015}]}`.
///
/// A group whose price is unknown in part has `unpriced` above zero: its cost is a lower bound.
pub fn to_json(groups: &[Group], by: &[Column]) -> String {
    let names: Vec<_> = by.iter().map(|column| column.name()).collect();
    let rows: Vec<_> = groups.iter().map(|group| object(group, by)).collect();
    json!({ "group_by": names, "rows": rows }).to_string()
}

/// A header and a row for each group, as RFC 4180 has it: lines end in CR LF.
pub fn to_csv(groups: &[Group], by: &[Column]) -> String {
    let columns = by.iter().map(|column| column.name()).chain(Counts::NAMES).chain(["cost_usd"]);
    let mut text = columns.collect::<Vec<_>>().join(",");
    text.push_str("\r\n");
    for group in groups {
        let names = group.by.iter().map(|value| field(value));
        let numbers = group.counts.numbers().map(|number| number.to_string());
        let cells: Vec<_> = names.chain(numbers).chain([dollars(group).to_string()]).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn object(group: &Group, by: &[Column]) -> Value {
    let names = by.iter().zip(&group.by).map(|(column, value)| (column.name(), json!(value)));
    let numbers = Counts::NAMES.into_iter().zip(group.counts.numbers().map(Value::from));
    let cost = ("cost_usd", dollars_number(group));
    let fields = names.chain(numbers).chain([cost]);
    Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).gather::<Map<_, _>>())
}

fn dollars(group: &Group) -> MicroUsd {
    MicroUsd(group.counts.cost_micro_usd)
}

/// Dollars as a JSON number: exact to the micro-dollar below nine thousand million dollars.
fn dollars_number(group: &Group) -> Value {
    dollars(group).to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// A field, quoted where it must be. One that a spreadsheet would run as a formula is written with a
/// leading apostrophe, which spreadsheets take for "text".
fn field(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if formula { format!("'{value}") } else { value.to_owned() };
    if safe.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}
