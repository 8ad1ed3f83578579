//! What a classifier says of a text, and what a guard makes of it.

use std::{fmt, sync::Arc};

use super::Source;
use crate::config::valid::{OperatingPoint, Threshold};

/// Classifiers, as far as the platform has them.
pub trait Judge: fmt::Debug {
    /// Whether there is a classifier of that name.
    fn knows(&self, model: &str) -> bool;

    /// What the classifier `model` says of itself; `None` where there is none of that name.
    fn about(&self, model: &str) -> Option<About>;

    /// What the classifier `model` says of `text`; its views are judged too, and the worst counts.
    ///
    /// # Errors
    /// [`NoJudgement`]: there is no such classifier, or it failed.
    fn judge(&self, model: &str, text: &str, source: Source) -> Result<Judgement, NoJudgement>;

    /// `text` as ids of the tokenizer that the classifier `model` has; `None` where it has none.
    fn tokens(&self, model: &str, text: &str) -> Option<Tokenized>;
}

/// A text as the ids of a tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokenized {
    /// The ids, special ones included; as many as the text has, however long it is.
    pub ids: Vec<u64>,
    /// What shorter texts are filled up with.
    pub padding: u64,
}

/// What a classifier says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Code points of a text that it reads in one window.
    pub window: u64,
    /// What a text is called from the threshold on: `injection`.
    pub label: Arc<str>,
    /// What it is called below: `benign`.
    pub otherwise: Arc<str>,
}

/// Nothing can be said of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the classifier could not judge")]
pub struct NoJudgement;

/// What a classifier says of one text.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// 0 to 1.
    pub score: f64,
    /// What the text is called from the threshold on: `injection`.
    pub label: Arc<str>,
    /// What it is called below: `benign`.
    pub otherwise: Arc<str>,
    /// The scores from which 0.1 %, 1 % and 5 % of harmless texts of this source are found guilty.
    pub points: [f64; 3],
    /// The first digits of the digest over the model's files.
    pub digest: Arc<str>,
    /// The version of its calibration.
    pub calibration: Arc<str>,
}

/// What a score means to a guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Below the threshold, and what may be in doubt.
    Light,
    /// Below the threshold, and at or above the point at which 5 % of harmless texts are found guilty.
    Doubtful,
    /// At the threshold or above.
    Heavy,
}

impl Judgement {
    /// The score that `threshold` stands for here.
    pub fn threshold(&self, threshold: Threshold) -> f64 {
        let [thousand, hundred, twenty] = self.points;
        match threshold {
            Threshold::Score(score) => score,
            Threshold::At(OperatingPoint::OneInAThousand) => thousand,
            Threshold::At(OperatingPoint::OneInAHundred) => hundred,
            Threshold::At(OperatingPoint::OneInTwenty) => twenty,
        }
    }

    /// What the score means under `threshold`. A score that is no number is heavy.
    pub fn weigh(&self, threshold: Threshold) -> Weight {
        let [.., twenty] = self.points;
        if self.score < self.threshold(threshold) {
            if self.score < twenty { Weight::Light } else { Weight::Doubtful }
        } else {
            Weight::Heavy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(score: f64) -> Judgement {
        Judgement {
            score,
            label: "injection".into(),
            otherwise: "benign".into(),
            points: [0.9, 0.7, 0.4],
            digest: "d".into(),
            calibration: "c".into(),
        }
    }

    #[test]
    fn a_score_weighs_by_the_operating_point() {
        let strict = Threshold::At(OperatingPoint::OneInAThousand);
        let usual = Threshold::At(OperatingPoint::OneInAHundred);
        for (score, by_strict, by_usual) in [
            (0.39, Weight::Light, Weight::Light),
            (0.4, Weight::Doubtful, Weight::Doubtful),
            (0.7, Weight::Doubtful, Weight::Heavy),
            (0.9, Weight::Heavy, Weight::Heavy),
            (f64::NAN, Weight::Heavy, Weight::Heavy),
        ] {
            assert_eq!(judged(score).weigh(strict), by_strict, "{score}");
            assert_eq!(judged(score).weigh(usual), by_usual, "{score}");
        }
        assert_eq!(judged(0.3).weigh(Threshold::Score(0.2)), Weight::Heavy);
    }
}
