//! Which configuration is in force, and when its source is looked at again.
//!
//! The first that is good is adopted; later a changed one takes its place when it is good too, and is
//! reported once when it is not: the last good one goes on. With no good one, every call is refused.

use std::rc::Rc;

use super::{Loaded, Report, Source, load};
use crate::{
    health::ConfigState,
    units::{DurationMs, UnixMs},
};

/// From this age on a configuration is looked at again beside the requests.
pub const LOOK_AFTER: DurationMs = DurationMs(20_000);
/// From this age on a request waits until it has been looked at: a change is in force within a
/// minute, of which KV may take the rest.
pub const WAIT_AFTER: DurationMs = DurationMs(40_000);

/// Whether the source must be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Not yet.
    Fresh,
    /// Beside the requests.
    Aging,
    /// Before the next request.
    Stale,
}

/// What came of offering a text.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is the one that was looked at last.
    Unchanged,
    /// It is in force from now on.
    Adopted,
    /// It is refused, for reasons that were not known before.
    Rejected(Report),
}

/// The configuration in force, and the one that was offered last.
#[derive(Debug, Default)]
pub struct Keeper {
    current: Option<Rc<Loaded>>,
    /// The text that was offered last, and what is wrong with it if it was refused.
    offered: Option<(String, Option<Report>)>,
    looked_at: UnixMs,
}

impl Keeper {
    /// Whether the source must be looked at, at `now`.
    pub fn freshness(&self, now: UnixMs) -> Freshness {
        let age = now.since(self.looked_at);
        if self.offered.is_none() || age >= WAIT_AFTER {
            Freshness::Stale
        } else if age >= LOOK_AFTER {
            Freshness::Aging
        } else {
            Freshness::Fresh
        }
    }

    /// Someone has set out to look: until it is back, others need not.
    pub const fn looking(&mut self, now: UnixMs) {
        self.looked_at = now;
    }

    /// Takes up what the source holds.
    pub fn offer(
        &mut self,
        source: Source<'_>,
        overrides: &[(String, String)],
        now: UnixMs,
    ) -> Offer {
        self.looked_at = now;
        if self.offered.as_ref().is_some_and(|(text, _)| text == source.text) {
            return Offer::Unchanged;
        }
        match load(source, overrides, now) {
            Ok(loaded) => {
                self.current = Some(Rc::new(loaded));
                self.offered = Some((source.text.to_owned(), None));
                Offer::Adopted
            }
            Err(report) => {
                self.offered = Some((source.text.to_owned(), Some(report.clone())));
                Offer::Rejected(report)
            }
        }
    }

    /// The configuration in force.
    pub const fn current(&self) -> Option<&Rc<Loaded>> {
        self.current.as_ref()
    }

    /// What `/health/ready` says of it.
    pub fn state(&self) -> ConfigState {
        let problems = self.offered.as_ref().and_then(|(_, report)| report.as_ref()).map(lines);
        match (&self.current, problems) {
            (None, problems) => ConfigState::Refused { problems: problems.unwrap_or_default() },
            (Some(loaded), Some(problems)) => {
                ConfigState::LastGood { digest: loaded.config.digest, problems }
            }
            (Some(loaded), None) => ConfigState::Current {
                digest: loaded.config.digest,
                warnings: loaded.warnings.iter().map(|problem| problem.message.clone()).collect(),
            },
        }
    }
}

/// One line a problem.
pub fn lines(report: &Report) -> Vec<String> {
    report.problems.iter().map(|problem| problem.line(&report.source_name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::default_toml;

    fn source(text: &str) -> Source<'_> {
        Source { name: "test.toml", text }
    }

    #[test]
    fn a_broken_change_is_reported_once_and_the_last_good_one_goes_on() {
        let mut keeper = Keeper::default();
        assert_eq!(keeper.freshness(UnixMs(1)), Freshness::Stale);
        assert_eq!(keeper.offer(source(default_toml()), &[], UnixMs(1)), Offer::Adopted);
        let digest = keeper.current().unwrap().config.digest;
        assert!(matches!(keeper.offer(source("[modelz]"), &[], UnixMs(2)), Offer::Rejected(_)));
        assert_eq!(keeper.offer(source("[modelz]"), &[], UnixMs(3)), Offer::Unchanged);
        assert_eq!(keeper.current().unwrap().config.digest, digest);
        assert!(matches!(keeper.state(), ConfigState::LastGood { .. }));
        assert_eq!(keeper.offer(source(default_toml()), &[], UnixMs(4)), Offer::Adopted);
        assert!(matches!(keeper.state(), ConfigState::Current { .. }));
    }

    #[test]
    fn with_no_good_one_there_is_none() {
        let mut keeper = Keeper::default();
        keeper.offer(source("[modelz]"), &[], UnixMs(1));
        assert!(keeper.current().is_none());
        assert!(
            matches!(keeper.state(), ConfigState::Refused { problems } if !problems.is_empty())
        );
    }

    #[test]
    fn a_source_is_looked_at_again_as_it_ages() {
        let mut keeper = Keeper::default();
        keeper.offer(source(default_toml()), &[], UnixMs(0));
        let at = |ms| keeper.freshness(UnixMs(ms));
        assert_eq!(
            [at(19_999), at(20_000), at(40_000)],
            [Freshness::Fresh, Freshness::Aging, Freshness::Stale]
        );
    }
}
