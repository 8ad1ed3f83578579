//! Questions to the ledger: rows added up by any choice of day, key, model and target.

use std::collections::BTreeMap;

use super::{Counts, UsageRow};

/// What rows can be grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    /// The UTC day.
    Day,
    /// The caller's key id.
    Key,
    /// The model as callers name it.
    Model,
    /// The target, as `provider/model`.
    Target,
}

/// Rows that agree in the columns asked for, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The values of those columns, in the order asked for.
    pub by: Vec<String>,
    /// The sums.
    pub counts: Counts,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 4] = [Self::Day, Self::Key, Self::Model, Self::Target];

    /// The column's name, in the query and in the answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Key => "key",
            Self::Model => "model",
            Self::Target => "target",
        }
    }

    /// The column of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    fn value(self, row: &UsageRow) -> String {
        match self {
            Self::Day => row.day.to_string(),
            Self::Key => row.key.clone(),
            Self::Model => row.model.clone(),
            Self::Target => row.target.clone(),
        }
    }
}

/// Adds up `rows` by these columns; groups are sorted by their values. No column gives one group of
/// everything, and no row gives no group.
pub fn group(rows: impl IntoIterator<Item = UsageRow>, by: &[Column]) -> Vec<Group> {
    let mut groups: BTreeMap<Vec<String>, Counts> = BTreeMap::new();
    for row in rows {
        let values = by.iter().map(|column| column.value(&row)).collect();
        groups.entry(values).or_default().add(&row.counts);
    }
    groups.into_iter().map(|(by, counts)| Group { by, counts }).collect()
}
