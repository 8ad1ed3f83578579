//! Where a classifier's texts are judged.

use crate::placement::cascade::Placed;

/// How the texts for one classifier are shared out.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    /// Who judges which text.
    pub placed: Placed,
    /// The model on the GPU, a name in [`super::Config::models`]; always there unless the edge judges
    /// everything.
    pub gpu: Option<String>,
    /// Whether the edge's answer stands where the GPU gives none.
    pub fallback: bool,
}
