//! The core: an ONNX graph over overlapping windows of tokens, the highest window counts.
//!
//! The graph is rebuilt in tract's terms for each length that windows are padded to, so that short
//! texts cost less, and every shape is known when it is optimised.

pub(crate) mod graph;
mod hashed;
mod huggingface;
mod node;
pub mod operators;
pub(crate) mod prelude;
pub(crate) mod proto;
pub(crate) mod tensors;

use graph::{Graph, MEMORY_LIMIT, Padded};
use huggingface::HuggingFace;
use prost::Message;

use crate::{
    digest::{self, Files},
    error::{LoadError, RunError},
    fold::Folded,
    manifest::{CorePlan, HashedPlan, TokenPlan},
    source::Source,
    windows::Cut,
};

/// The core with its graphs, one a length.
#[derive(Debug)]
pub(crate) struct Core {
    plan: CorePlan,
    encoder: Encoder,
    /// By length, rising.
    graphs: Vec<Graph>,
}

#[derive(Debug)]
enum Encoder {
    Hashed(HashedPlan),
    HuggingFace(Box<HuggingFace>),
}

/// A text as ids, and what stands around them in every window.
struct Encoded<'a> {
    ids: Vec<i64>,
    /// Ids in a row.
    width: usize,
    before: Vec<i64>,
    after: &'a [i64],
    padding: i64,
}

impl Core {
    pub(crate) fn load(plan: CorePlan, files: &mut Files) -> Result<Self, LoadError> {
        let encoder = match &plan.tokens {
            TokenPlan::Hashed(hashed) => Encoder::Hashed(hashed.clone()),
            TokenPlan::HuggingFace { file } => {
                let bytes = digest::take(files, file)?;
                Encoder::HuggingFace(Box::new(HuggingFace::load(file, &bytes)?))
            }
        };
        let bytes = digest::take(files, &plan.file)?;
        let graphs = graphs(&bytes, &plan, encoder.width())?;
        Ok(Self { plan, encoder, graphs })
    }

    /// The logits of each label, highest over the windows. `hints` are what another stage thinks of
    /// equal parts of the text: where there are too many windows, those it likes most are judged.
    pub(crate) fn judge(
        &self,
        text: &str,
        folded: &Folded,
        source: Source,
        hints: &[f64],
    ) -> Result<Vec<f64>, RunError> {
        let encoded = self.encode(text, folded, source)?;
        let rows = encoded.ids.len() / encoded.width;
        let around = (encoded.before.len() + encoded.after.len()) / encoded.width;
        let room = self.plan.cut.window.saturating_sub(around).max(1);
        let cut = Cut { window: room, stride: self.plan.cut.stride.min(room) };
        let mut logits = vec![f64::NEG_INFINITY; self.plan.columns.len()];
        for range in chosen(cut, rows, self.plan.max_windows, hints) {
            let range = range.start * encoded.width..range.end * encoded.width;
            let columns = self.run(&encoded, encoded.ids.get(range).unwrap_or_default())?;
            for (highest, column) in logits.iter_mut().zip(&self.plan.columns) {
                let logit = columns.get(*column).copied().unwrap_or(f64::NAN);
                // `max` would forget that a logit was no number.
                *highest = if logit.is_nan() { logit } else { highest.max(logit) };
            }
        }
        Ok(logits)
    }

    /// The whole text as ids, special ones included, and the id that short texts are filled up with;
    /// `None` where ids are no tokenizer's.
    pub(crate) fn tokens(&self, text: &str) -> Result<Option<(Vec<i64>, i64)>, RunError> {
        let Encoder::HuggingFace(tokenizer) = &self.encoder else { return Ok(None) };
        let ids = tokenizer.ids(text)?;
        let ids = [tokenizer.before.as_slice(), &ids, &tokenizer.after].concat();
        Ok(Some((ids, tokenizer.padding)))
    }

    /// The ids of the first window without its padding, for comparison with a trainer's.
    #[cfg(test)]
    pub(crate) fn first_window(
        &self,
        text: &str,
        folded: &Folded,
        source: Source,
    ) -> Result<(Vec<i64>, usize), RunError> {
        let encoded = self.encode(text, folded, source)?;
        let around = encoded.before.len() + encoded.after.len();
        let room = self.plan.cut.window * encoded.width - around;
        let content = encoded.ids.get(..room).unwrap_or(&encoded.ids);
        Ok(([encoded.before.as_slice(), content, encoded.after].concat(), encoded.width))
    }

    fn encode(&self, text: &str, folded: &Folded, source: Source) -> Result<Encoded<'_>, RunError> {
        Ok(match &self.encoder {
            Encoder::Hashed(plan) => {
                let width = plan.views.len();
                let before = if plan.source { vec![source.id(); width] } else { Vec::new() };
                Encoded { ids: hashed::ids(plan, folded), width, before, after: &[], padding: 0 }
            }
            Encoder::HuggingFace(tokenizer) => Encoded {
                ids: tokenizer.ids(text)?,
                width: 1,
                before: tokenizer.before.clone(),
                after: &tokenizer.after,
                padding: tokenizer.padding,
            },
        })
    }

    fn run(&self, encoded: &Encoded<'_>, content: &[i64]) -> Result<Vec<f64>, RunError> {
        let mut ids = [encoded.before.as_slice(), content, encoded.after].concat();
        let used = ids.len() / encoded.width;
        let graph = self.graphs.iter().find(|graph| used <= graph.length);
        let graph = graph.or(self.graphs.last());
        let graph = graph.ok_or_else(|| RunError::Graph("there is none".into()))?;
        ids.resize(graph.length * encoded.width, encoded.padding);
        let window = Padded { ids, width: encoded.width, used };
        graph.run(&window).map_err(|error| RunError::Graph(format!("{error:#}")))
    }
}

impl Encoder {
    fn width(&self) -> usize {
        match self {
            Self::Hashed(plan) => plan.views.len(),
            Self::HuggingFace(_) => 1,
        }
    }
}

fn graphs(bytes: &[u8], plan: &CorePlan, width: usize) -> Result<Vec<Graph>, LoadError> {
    let file = || plan.file.clone();
    let problem = |problem: String| LoadError::Graph { file: file(), problem };
    let model = proto::Model::decode(bytes).map_err(|error| problem(error.to_string()))?;
    graph::check_opset(&model).map_err(|error| problem(format!("{error:#}")))?;
    let graph = model.graph.ok_or_else(|| problem("there is no graph in it".into()))?;
    let operators = operators::unknown(&graph);
    if !operators.is_empty() {
        return Err(LoadError::Operators { file: file(), operators });
    }
    let mut graphs = Vec::new();
    let mut memory = 0;
    for length in &plan.lengths {
        let graph = Graph::prepare(&graph, plan, *length, width);
        let graph = graph.map_err(|error| problem(format!("{error:#}")))?;
        memory += graph.memory();
        graphs.push(graph);
        if memory > MEMORY_LIMIT {
            return Err(LoadError::Memory { file: file(), found: memory, limit: MEMORY_LIMIT });
        }
    }
    Ok(graphs)
}

/// The windows to judge, at most `most`: all of them in order, else those that lie where `hints` are
/// highest, else the first and the last ones.
fn chosen(
    cut: Cut,
    rows: usize,
    most: usize,
    hints: &[f64],
) -> impl Iterator<Item = std::ops::Range<usize>> {
    let count = cut.count(rows);
    let mut order: Vec<usize> = (0..count).collect();
    if count > most {
        if hints.is_empty() {
            let first = most.div_ceil(2);
            order = (0..first).chain(count - (most - first)..count).collect();
        } else {
            // Sorted by hint, best first; equal ones keep their order.
            let hint = |window: &usize| hint(hints, *window, count);
            order.sort_by(|one, other| hint(other).total_cmp(&hint(one)));
            order.truncate(most);
        }
    }
    let last = rows.saturating_sub(cut.window);
    order.into_iter().map(move |window| {
        let start = (window * cut.stride).min(last);
        start..rows.min(start + cut.window)
    })
}

/// The hint for the part of the text in which a window's middle lies.
fn hint(hints: &[f64], window: usize, windows: usize) -> f64 {
    let middle = (2 * window + 1) * hints.len() / (2 * windows.max(1));
    hints.get(middle).copied().unwrap_or(f64::NEG_INFINITY)
}

#[cfg(test)]
mod tests;
