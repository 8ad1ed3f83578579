//! `[classifiers.…]`

use super::{ClassifierPlacement, Pair, Real, Whole};

raw! {
    /// Where the texts for one classifier are judged: at the edge, on a GPU, or by both.
    RawClassifier {
        /// Who judges; `tollhouse place --write` puts here what the model's cost says.
        placement: ClassifierPlacement,
        /// The model of `[models]` on the GPU, which answers `safe` or `unsafe`; for `gpu` and `auto`.
        gpu: String,
        /// `auto`: longer texts go to the GPU, in code points; without it, what the edge model reads in one window.
        max_chars: Whole<1, 1_000_000_000>,
        /// `auto`: where a call brings more texts than this, each message of a chat being one, all of them go to the GPU, six at a time.
        max_batch: Whole<1, 256>,
        /// `auto`: where the edge's score is from the first to the second of these, the GPU decides; without it, between the points at which 5 % and 0.1 % of harmless texts are found guilty.
        uncertain: Pair<Real<0, 1>>,
        /// Whether the edge's answer stands where the GPU gives none.
        fallback: bool,
    }
}
