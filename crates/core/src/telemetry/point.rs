//! Usage as data points for Cloudflare's Analytics Engine.
//!
//! A delta gives one point for each of its rows of usage, so that the dataset grows with keys and
//! models rather than with requests. Blobs: key, model, target, day. Doubles: requests, errors,
//! cache hits, prompt tokens, completion tokens, US dollars. Index: the key, by which it samples.

use crate::{ledger::UsageRow, metrics::Delta};

/// One data point.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPoint {
    /// What the dataset is sampled by, at most 96 bytes.
    pub index: String,
    /// Texts: key, model, target, day.
    pub blobs: [String; 4],
    /// Numbers: requests, errors, cache hits, prompt tokens, completion tokens, US dollars.
    pub doubles: [f64; 6],
}

/// As many points as one invocation may write.
const MOST: usize = 250;

/// The points of what `delta` booked.
pub fn data_points(delta: &Delta) -> Vec<DataPoint> {
    delta.usage_rows().into_iter().take(MOST).map(|row| data_point(&row)).collect()
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the dataset has doubles")]
fn data_point(row: &UsageRow) -> DataPoint {
    let counts = row.counts;
    let mut index = row.key.clone();
    index.truncate(index.floor_char_boundary(96));
    DataPoint {
        index,
        blobs: [row.key.clone(), row.model.clone(), row.target.clone(), row.day.to_string()],
        doubles: [
            counts.requests as f64,
            counts.errors as f64,
            counts.cache_hits as f64,
            counts.prompt_tokens as f64,
            counts.completion_tokens as f64,
            counts.cost_micro_usd as f64 / 1_000_000.0,
        ],
    }
}
