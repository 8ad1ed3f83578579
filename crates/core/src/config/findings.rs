//! Collects what is found, wherever it is found, and sorts it by place at the end.

use std::{cell::RefCell, collections::BTreeMap};

use super::{
    problem::{Place, Position, Problem, Rule, Severity},
    tree::{Node, Origin, Path, Value},
};

/// What was found, before its place is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) rule: Rule,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// Where it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Spot {
    /// Bytes of the text, by start and end.
    Text(usize, usize),
    /// The variable of this name.
    Variable(String),
}

/// Everything found so far.
///
/// The same thing at the same place is one finding, as inherited values are looked at once for each
/// heir; the first path stands.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: RefCell<BTreeMap<(Spot, Found), String>>,
}

/// Findings about one tree, reported by path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notes<'a> {
    pub(crate) tree: &'a Node,
    pub(crate) findings: &'a Findings,
}

impl Found {
    pub(crate) fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Findings {
    pub(crate) fn push(&self, spot: Spot, path: String, found: Found) {
        self.found.borrow_mut().entry((spot, found)).or_insert(path);
    }

    /// Whether the configuration is refused.
    pub(crate) fn has_errors(&self) -> bool {
        let is_error = |(_, found): &(Spot, Found)| found.rule.severity() == Severity::Error;
        self.found.borrow().keys().any(is_error)
    }

    /// Problems in the order of the text, those of variables last.
    pub(crate) fn into_problems(self, text: &str) -> Vec<Problem> {
        let lines = Lines::of(text);
        let problem = |((spot, Found { rule, message, help }), path)| {
            let place = lines.place(spot);
            Problem { rule, path, place, message, help }
        };
        self.found.into_inner().into_iter().map(problem).collect()
    }
}

impl Notes<'_> {
    /// Records something about the value at `path`.
    pub(crate) fn at_value(&self, path: &Path<'_>, found: Found) {
        self.findings.push(self.spot(path, false), path.to_string(), found);
    }

    /// Records something about the key at `path`.
    pub(crate) fn at_key(&self, path: &Path<'_>, found: Found) {
        self.findings.push(self.spot(path, true), path.to_string(), found);
    }

    /// Records that nothing stands at `path`, unless something does that could not be read.
    pub(crate) fn missing(&self, path: &Path<'_>, help: impl Into<String>) {
        if self.tree.at(path).is_none() {
            let message = format!("`{}` is missing", path.name());
            self.at_value(path, Found::new(Rule::Missing, message).help(help));
        }
    }

    /// Whether somebody wrote the value at `path`, here or where it is inherited from.
    pub(crate) fn is_written(&self, path: &Path<'_>) -> bool {
        self.tree.at(path).is_some_and(Node::is_written)
    }

    fn spot(&self, path: &Path<'_>, key_wanted: bool) -> Spot {
        let Some((node, exact)) = self.tree.written_at(path) else {
            return Spot::Text(0, 0);
        };
        match &node.origin {
            Origin::Variable { name, .. } => Spot::Variable(name.clone()),
            Origin::Text { key, value } => {
                let is_table = matches!(node.value, Value::Table(_));
                let span = if is_table || (key_wanted && exact) { key } else { value };
                Spot::Text(span.start, span.end)
            }
            Origin::Prices | Origin::Default => Spot::Text(0, 0),
        }
    }
}

/// Where each line of a text begins.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The line and column of a byte.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    fn place(&self, spot: Spot) -> Place {
        match spot {
            Spot::Variable(name) => Place::Variable(name),
            Spot::Text(start, end) => Place::Text {
                span: start..end,
                start: self.position(start),
                end: self.position(end),
            },
        }
    }
}
