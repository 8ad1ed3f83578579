//! Verdicts: where a score lies among the thresholds of its source.

use crate::{
    manifest::{Points, Thresholds},
    source::Source,
};

/// A share of benign texts that a threshold (wrongly) catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperatingPoint {
    /// 0.1 %.
    OneIn1000,
    /// 1 %.
    OneIn100,
    /// 5 %.
    OneIn20,
}

impl OperatingPoint {
    /// As manifests and configurations write it: `0.1%`, `1%` or `5%`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "0.1%" => Some(Self::OneIn1000),
            "1%" => Some(Self::OneIn100),
            "5%" => Some(Self::OneIn20),
            _ => None,
        }
    }
}

/// What to do about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Below the 1 % threshold.
    Allow,
    /// From the 1 % threshold on.
    Flag,
    /// From the 0.1 % threshold on.
    Block,
}

impl Verdict {
    /// In lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Block => "block",
        }
    }
}

impl Thresholds {
    pub(crate) fn at(&self, point: OperatingPoint, source: Source) -> f64 {
        let points: &Points = self.sources.get(&source).unwrap_or(&self.default);
        match point {
            OperatingPoint::OneIn1000 => points.thousandth,
            OperatingPoint::OneIn100 => points.hundredth,
            OperatingPoint::OneIn20 => points.twentieth,
        }
    }

    pub(crate) fn verdict(&self, score: f64, source: Source) -> Verdict {
        if score >= self.at(OperatingPoint::OneIn1000, source) {
            Verdict::Block
        } else if score >= self.at(OperatingPoint::OneIn100, source) {
            Verdict::Flag
        } else {
            Verdict::Allow
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_source_with_thresholds_of_its_own_is_judged_by_them() {
        let points = |thousandth, hundredth, twentieth| Points { thousandth, hundredth, twentieth };
        let thresholds = Thresholds {
            default: points(0.9, 0.7, 0.5),
            sources: BTreeMap::from([(Source::Tool, points(0.6, 0.4, 0.2))]),
        };
        for (score, user, tool) in [
            (0.3, Verdict::Allow, Verdict::Allow),
            (0.4, Verdict::Allow, Verdict::Flag),
            (0.7, Verdict::Flag, Verdict::Block),
            (0.9, Verdict::Block, Verdict::Block),
        ] {
            assert_eq!(thresholds.verdict(score, Source::User), user, "user at {score}");
            assert_eq!(thresholds.verdict(score, Source::Tool), tool, "tool at {score}");
        }
    }

    #[test]
    fn operating_points_are_read_as_they_are_written() {
        assert_eq!(OperatingPoint::parse("0.1%"), Some(OperatingPoint::OneIn1000));
        assert_eq!(OperatingPoint::parse("2%"), None);
    }
}
