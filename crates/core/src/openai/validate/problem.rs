//! What is wrong with a request, gathered, and told in one refusal.

use crate::openai::json::path;
use crate::refusal::{Code, Refusal};

/// How many problems one refusal spells out; the rest are counted.
const MOST_TOLD: usize = 16;

/// Where a value stands, as a chain up to the body; rendered only when something is wrong there.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Body,
    Key(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    pub(super) const BODY: Self = Self { parent: None, step: Step::Body };

    pub(super) const fn key(&'p self, key: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) const fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    fn render(&self) -> String {
        let mut rendered = self.parent.map(Self::render).unwrap_or_default();
        match self.step {
            Step::Body => {}
            Step::Key(key) => path::push_key(&mut rendered, key),
            Step::Index(index) => path::push_index(&mut rendered, index),
        }
        rendered
    }
}

/// Problems in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Problems {
    told: Vec<Problem>,
    untold: usize,
}

#[derive(Debug)]
struct Problem {
    code: Code,
    param: String,
    /// What follows the field's name: ``must be a string, not null``.
    what: String,
}

impl Problems {
    /// Adds one; `what` follows the field's name and is not asked for once enough is told.
    pub(super) fn add(&mut self, code: Code, at: &At<'_>, what: impl FnOnce() -> String) {
        if self.told.len() == MOST_TOLD {
            self.untold += 1;
            return;
        }
        self.told.push(Problem { code, param: at.render(), what: what() });
    }

    /// The refusal that names them all: code and `param` are the first one's.
    pub(super) fn refusal(self) -> Option<Refusal> {
        let first = self.told.first()?;
        let told = self.told.iter().map(|problem| format!("`{}` {}", problem.param, problem.what));
        let untold = (self.untold > 0).then(|| format!("and {} more", self.untold));
        let message = told.chain(untold).collect::<Vec<_>>().join("; ");
        Some(Refusal::new(first.code, message).at(first.param.clone()))
    }
}
