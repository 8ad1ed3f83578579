//! Counts as real numbers.

/// A count as a real number; exact below 2^53, and no text is longer.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) const fn real(count: usize) -> f64 {
    count as f64
}
