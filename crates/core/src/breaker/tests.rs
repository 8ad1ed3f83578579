//! When a target is rested, and what brings it back.

use proptest::prelude::*;

use super::*;

const POLICY: BreakerPolicy = BreakerPolicy { failures: 3, open: DurationMs(1000) };
const WITHIN: DurationMs = DurationMs(5000);

impl Breakers {
    fn try_admit(&mut self, now: u64) -> Result<Pass, DurationMs> {
        self.admit("t", UnixMs(now), WITHIN)
    }

    fn tell(&mut self, pass: Pass, verdict: Verdict, now: u64) -> Option<BreakerState> {
        self.report("t", pass, verdict, UnixMs(now))
    }

    fn call(&mut self, verdict: Verdict, now: u64) -> Option<BreakerState> {
        let pass = self.try_admit(now).unwrap();
        self.tell(pass, verdict, now)
    }
}

/// Open from 0 to 1000.
fn opened() -> Breakers {
    let mut breakers = Breakers::new(POLICY);
    let states = [0; 3].map(|now| breakers.call(Verdict::Broken, now));
    assert_eq!(states, [None, None, Some(BreakerState::Open)]);
    breakers
}

#[test]
fn only_failures_in_a_row_open_it() {
    let mut breakers = Breakers::new(POLICY);
    for _ in 0..9 {
        breakers.call(Verdict::Broken, 0);
        breakers.call(Verdict::Broken, 0);
        breakers.call(Verdict::Well, 0);
    }
    assert!(breakers.try_admit(0).is_ok());
    assert_eq!(opened().try_admit(400), Err(DurationMs(600)));
    assert_eq!(opened().try_admit(999), Err(DurationMs(1)));
}

#[test]
fn refused_requests_and_busy_targets_neither_open_it_nor_make_up_for_failures() {
    let mut breakers = Breakers::new(POLICY);
    for _ in 0..9 {
        assert_eq!(breakers.call(Verdict::Answered, 0), None);
        assert_eq!(breakers.call(Verdict::Unknown, 0), None);
    }
    breakers.call(Verdict::Broken, 0);
    breakers.call(Verdict::Answered, 0);
    breakers.call(Verdict::Broken, 0);
    breakers.call(Verdict::Unknown, 0);
    assert_eq!(breakers.call(Verdict::Broken, 0), Some(BreakerState::Open));
}

#[test]
fn after_its_rest_one_probe_goes_through_and_decides() {
    let mut breakers = opened();
    let probe = breakers.try_admit(1000).unwrap();
    assert!(probe.is_probe());
    assert_eq!(breakers.unwell().collect::<Vec<_>>(), [("t", BreakerState::HalfOpen)]);
    assert_eq!(breakers.try_admit(1000), Err(PROBING));
    assert_eq!(breakers.tell(probe, Verdict::Broken, 1100), Some(BreakerState::Open));
    assert_eq!(breakers.try_admit(2099), Err(DurationMs(1)));
    assert_eq!(breakers.call(Verdict::Well, 2100), Some(BreakerState::Closed));
    assert!(!breakers.try_admit(2100).unwrap().is_probe());
    assert_eq!(breakers.unwell().count(), 0);
}

#[test]
fn a_probe_whose_request_is_refused_shows_that_the_target_is_back() {
    assert_eq!(opened().call(Verdict::Answered, 1000), Some(BreakerState::Closed));
}

#[test]
fn a_probe_whose_caller_left_makes_room_for_another() {
    let mut breakers = opened();
    assert_eq!(breakers.call(Verdict::Unknown, 1500), Some(BreakerState::Open));
    assert!(breakers.try_admit(1500).unwrap().is_probe());
}

#[test]
fn a_probe_that_never_reports_back_is_given_up_and_no_longer_listened_to() {
    let mut breakers = opened();
    let lost = breakers.try_admit(1000).unwrap();
    assert!(breakers.try_admit(5999).is_err());
    let second = breakers.try_admit(6000).unwrap();
    assert_eq!(breakers.tell(lost, Verdict::Broken, 6001), None);
    assert_eq!(breakers.tell(second, Verdict::Well, 6002), Some(BreakerState::Closed));
}

#[test]
fn a_late_probe_still_counts_while_no_other_is_out() {
    let mut breakers = opened();
    let late = breakers.try_admit(1000).unwrap();
    assert_eq!(breakers.tell(late, Verdict::Well, 9000), Some(BreakerState::Closed));
}

#[test]
fn calls_from_before_it_opened_neither_close_it_nor_stand_for_the_probe() {
    let mut breakers = Breakers::new(POLICY);
    let mut early: Vec<_> = (0..6).map(|_| breakers.try_admit(0).unwrap()).collect();
    for pass in early.drain(..3) {
        breakers.tell(pass, Verdict::Broken, 10);
    }
    let mut early = early.into_iter();
    assert_eq!(breakers.tell(early.next().unwrap(), Verdict::Well, 20), None);
    assert_eq!(breakers.try_admit(20), Err(DurationMs(990)));
    let probe = breakers.try_admit(1010).unwrap();
    assert_eq!(breakers.tell(early.next().unwrap(), Verdict::Unknown, 1020), None);
    assert!(breakers.try_admit(1020).is_err());
    assert_eq!(breakers.tell(early.next().unwrap(), Verdict::Broken, 1030), None);
    assert_eq!(breakers.tell(probe, Verdict::Well, 1040), Some(BreakerState::Closed));
}

#[test]
fn targets_fail_alone() {
    let mut breakers = opened();
    assert!(breakers.admit("other", UnixMs(0), WITHIN).is_ok());
    assert!(breakers.try_admit(0).is_err());
}

const VERDICTS: [Verdict; 4] =
    [Verdict::Well, Verdict::Answered, Verdict::Broken, Verdict::Unknown];

proptest! {
    /// Calls begin, end in any order, and are lost.
    #[test]
    fn one_probe_at_a_time_never_during_the_rest_and_never_wedged(
        steps in prop::collection::vec((0..6_usize, any::<prop::sample::Index>(), 0..800_u64), 0..120),
    ) {
        let mut breakers = Breakers::new(POLICY);
        let (mut now, mut out) = (0, Vec::new());
        // Until when the last probe may be out, and until when the target rests.
        let (mut probing, mut resting) = (0, 0);
        for (step, which, pause) in steps {
            now += pause;
            match VERDICTS.get(step) {
                None => if let Ok(pass) = breakers.try_admit(now) {
                    prop_assert!(now >= resting, "let through while resting");
                    if pass.is_probe() {
                        prop_assert!(now >= probing, "a second probe");
                        probing = now + WITHIN.0;
                    }
                    out.push(pass);
                },
                Some(verdict) if !out.is_empty() => {
                    let pass = out.swap_remove(which.index(out.len()));
                    match breakers.tell(pass, *verdict, now) {
                        Some(BreakerState::Open) if *verdict == Verdict::Broken => {
                            (probing, resting) = (0, now + POLICY.open.0);
                        }
                        Some(BreakerState::Open | BreakerState::Closed) => probing = 0,
                        Some(BreakerState::HalfOpen) => prop_assert!(false, "by a report"),
                        None => {}
                    }
                }
                Some(_) => {}
            }
        }
        prop_assert!(breakers.try_admit(now + WITHIN.0.max(POLICY.open.0)).is_ok());
    }
}
