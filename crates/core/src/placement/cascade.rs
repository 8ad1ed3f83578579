//! Which of two classifiers judges a text: the one at the edge, or the larger one on the GPU.
//!
//! With `placement = "auto"` the edge answers where it can be sure. A text that is too long for it, one
//! of too many at once, and one whose score falls into the uncertain band go to the GPU. This module
//! decides; who asks whom is the pipeline's to do.

/// How the texts for one classifier are shared out.
#[derive(Debug, Clone, PartialEq)]
pub enum Placed {
    /// The edge judges everything.
    Edge,
    /// The GPU judges everything.
    Gpu,
    /// The edge judges what it can be sure of.
    Auto(Shares),
}

/// What the edge may judge where both may.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// The longest text, in code points; `None` is what the edge model reads in one window.
    pub max_chars: Option<u64>,
    /// The most texts of one call.
    pub max_batch: u64,
    /// Scores from the first up to and with the second are uncertain, 0 to 1; `None` is what lies between
    /// the points at which 5 % and 0.1 % of harmless texts are found guilty.
    pub uncertain: Option<(f64, f64)>,
}

/// Who judges a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The edge, and its score stands.
    Edge,
    /// The edge first; [`Shares::is_certain`] says whether its score stands.
    EdgeFirst,
    /// The GPU alone.
    Gpu(Why),
}

/// Why a text is judged where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The configuration says that it judges all of them.
    Configured,
    /// The text is longer than the edge may judge.
    Length,
    /// There are more texts than the edge may judge.
    Batch,
    /// The edge's score is in the uncertain band.
    Uncertain,
    /// The edge could not judge.
    EdgeFailed,
    /// The GPU gave no answer, so the edge judges after all.
    GpuFailed,
}

impl Why {
    /// Its name in headers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Length => "length",
            Self::Batch => "batch",
            Self::Uncertain => "uncertain",
            Self::EdgeFailed => "edge-failed",
            Self::GpuFailed => "gpu-failed",
        }
    }
}

impl Placed {
    /// Who judges a text of `chars` code points, one of `batch`; `window` is how many of them the edge
    /// model reads at once, where that is known.
    pub fn way(&self, chars: u64, batch: u64, window: Option<u64>) -> Way {
        match self {
            Self::Edge => Way::Edge,
            Self::Gpu => Way::Gpu(Why::Configured),
            Self::Auto(shares) if batch > shares.max_batch => Way::Gpu(Why::Batch),
            Self::Auto(shares) => match shares.max_chars.or(window) {
                Some(most) if chars > most => Way::Gpu(Why::Length),
                Some(_) | None => Way::EdgeFirst,
            },
        }
    }
}

impl Shares {
    /// Whether the edge's score stands; one that is no number does not. `points` are the scores from which
    /// 0.1 %, 1 % and 5 % of harmless texts are found guilty.
    pub fn is_certain(&self, score: f64, points: [f64; 3]) -> bool {
        let [thousand, _, twenty] = points;
        let (low, high) = self.uncertain.unwrap_or((twenty, thousand));
        score < low || high < score
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHARES: Shares = Shares { max_chars: None, max_batch: 4, uncertain: Some((0.25, 0.75)) };
    const POINTS: [f64; 3] = [0.9, 0.7, 0.4];

    #[test]
    fn the_edge_judges_short_texts_that_are_few() {
        let auto = Placed::Auto(SHARES);
        for (chars, batch, window, expected) in [
            (10, 1, Some(10), Way::EdgeFirst),
            (11, 1, Some(10), Way::Gpu(Why::Length)),
            (1_000_000, 4, None, Way::EdgeFirst),
            (1, 5, Some(10), Way::Gpu(Why::Batch)),
        ] {
            assert_eq!(auto.way(chars, batch, window), expected, "{chars} {batch}");
        }
        let shorter = Placed::Auto(Shares { max_chars: Some(5), ..SHARES });
        assert_eq!(shorter.way(6, 1, Some(10)), Way::Gpu(Why::Length));
    }

    #[test]
    fn a_fixed_placement_looks_at_nothing() {
        assert_eq!(Placed::Edge.way(u64::MAX, u64::MAX, Some(1)), Way::Edge);
        assert_eq!(Placed::Gpu.way(0, 0, None), Way::Gpu(Why::Configured));
    }

    #[test]
    fn a_score_that_is_no_number_is_not_certain() {
        assert!(!SHARES.is_certain(f64::NAN, POINTS));
        assert!(!SHARES.is_certain(0.25, POINTS) && !SHARES.is_certain(0.75, POINTS));
        assert!(SHARES.is_certain(0.249, POINTS) && SHARES.is_certain(0.751, POINTS));
    }

    #[test]
    fn what_is_uncertain_is_the_calibrations_to_say_unless_it_is_configured() {
        let calibrated = Shares { uncertain: None, ..SHARES };
        assert!(calibrated.is_certain(0.39, POINTS) && calibrated.is_certain(0.91, POINTS));
        assert!(!calibrated.is_certain(0.4, POINTS) && !calibrated.is_certain(0.9, POINTS));
    }

    proptest! {
        #[test]
        fn a_longer_text_never_comes_back_to_the_edge(
            chars in 0_u64..5_000, more in 0_u64..5_000, batch in 1_u64..9, window in 1_u64..5_000,
        ) {
            let auto = Placed::Auto(SHARES);
            if let Way::Gpu(_) = auto.way(chars, batch, Some(window)) {
                prop_assert!(matches!(auto.way(chars + more, batch, Some(window)), Way::Gpu(_)));
            }
        }

        #[test]
        fn a_wider_band_is_never_surer(score in 0.0_f64..=1.0, low in 0.0_f64..0.5, high in 0.5_f64..=1.0) {
            let wide = Shares { uncertain: Some((low / 2.0, high)), ..SHARES };
            let narrow = Shares { uncertain: Some((low, high)), ..SHARES };
            prop_assert!(!wide.is_certain(score, POINTS) || narrow.is_certain(score, POINTS));
        }
    }
}
