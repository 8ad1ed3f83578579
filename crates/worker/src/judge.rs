//! The classifiers of this isolate as the core's guards ask them.

use std::sync::Arc;

use tollhouse_classify::{Classifier, OperatingPoint, Scores, Source as Origin, Verdict};
use tollhouse_core::guard::{
    Source,
    judge::{About, Judge, Judgement, NoJudgement, Tokenized},
    normal::views,
};

use crate::models;

/// How many digits of a model's digest stand in logs.
const SHOWN_DIGITS: usize = 12;

/// Asks the embedded models.
#[derive(Debug)]
pub(crate) struct EdgeJudge;

impl Judge for EdgeJudge {
    fn knows(&self, model: &str) -> bool {
        models::named(model).is_some()
    }

    fn about(&self, model: &str) -> Option<About> {
        let classifier = models::named(model)?;
        let labels = classifier.labels().map(|_| 1.0).collect();
        let guilty = Scores { labels, score: 1.0, core_ran: false };
        Some(About {
            window: u64::try_from(classifier.manifest().window_points()).unwrap_or(u64::MAX),
            label: classifier.label(&guilty, Verdict::Block).into(),
            otherwise: negative(&classifier),
        })
    }

    fn judge(&self, model: &str, text: &str, source: Source) -> Result<Judgement, NoJudgement> {
        let classifier = models::named(model).ok_or(NoJudgement)?;
        let source = origin(source);
        let others = views(text);
        let all = std::iter::once(text).chain(others.iter().map(|view| view.text.as_str()));
        let scores =
            classifier.highest(all, source).map_err(|_| NoJudgement)?.ok_or(NoJudgement)?;
        let points = [OperatingPoint::OneIn1000, OperatingPoint::OneIn100, OperatingPoint::OneIn20];
        let digest = classifier.digest();
        Ok(Judgement {
            score: scores.score,
            label: classifier.label(&scores, Verdict::Block).into(),
            otherwise: negative(&classifier),
            points: points.map(|point| classifier.threshold(point, source)),
            digest: digest.get(..SHOWN_DIGITS).unwrap_or(digest).into(),
            calibration: classifier.manifest().calibration.as_str().into(),
        })
    }

    fn tokens(&self, model: &str, text: &str) -> Option<Tokenized> {
        let (ids, padding) = models::named(model)?.tokens(text).ok()??;
        let ids = ids.into_iter().map(|id| u64::try_from(id).ok()).collect::<Option<_>>()?;
        Some(Tokenized { ids, padding: u64::try_from(padding).ok()? })
    }
}

fn negative(classifier: &Classifier) -> Arc<str> {
    classifier.manifest().negative.as_str().into()
}

const fn origin(source: Source) -> Origin {
    match source {
        Source::User => Origin::User,
        Source::Document => Origin::Document,
        Source::Tool => Origin::Tool,
        Source::System => Origin::System,
    }
}
