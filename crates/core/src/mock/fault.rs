//! Which configured fault a call plays.
//!
//! Calls are counted by the provider, from 1; nothing is remembered between them. How often a fault
//! has played already follows from the count alone.

use crate::config::valid::MockFault;

/// The fault to play on call number `ordinal`, if any: the first in order whose turn it is and that
/// has not played `times` times before.
///
/// A fault that never comes to its turn because an earlier one always plays has not played.
pub(super) fn due(faults: &[MockFault], ordinal: u64) -> Option<&MockFault> {
    let mut players: Vec<_> = faults.iter().map(|fault| Player::new(fault, ordinal)).collect();
    let mut call = 1;
    // With every limited fault used up, the past no longer matters.
    while call < ordinal && players.iter().any(Player::can_run_out) {
        if let Some(player) = players.iter_mut().find(|player| player.plays(call)) {
            player.left = player.left.map(|left| left - 1);
        }
        call += 1;
    }
    players.into_iter().find(|player| player.plays(ordinal)).map(|player| player.fault)
}

struct Player<'f> {
    fault: &'f MockFault,
    /// How many more times it plays; `None` when it cannot run out before the call asked about.
    left: Option<u64>,
}

impl<'f> Player<'f> {
    fn new(fault: &'f MockFault, ordinal: u64) -> Self {
        let turns = ordinal.checked_div(fault.every).unwrap_or_default();
        Self { fault, left: fault.times.filter(|times| *times < turns) }
    }

    fn can_run_out(&self) -> bool {
        self.left.is_some_and(|left| left > 0)
    }

    fn plays(&self, call: u64) -> bool {
        let has_turn = self.fault.every > 0 && call.is_multiple_of(self.fault.every);
        has_turn && self.left != Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::valid::MockEffect;

    fn fault(every: u64, times: Option<u64>, status: u16) -> MockFault {
        MockFault { every, times, effect: MockEffect::Status { status, retry_after: None } }
    }

    fn statuses(faults: &[MockFault], calls: u64) -> Vec<u16> {
        let status = |ordinal| match due(faults, ordinal).map(|fault| &fault.effect) {
            Some(MockEffect::Status { status, .. }) => *status,
            Some(_) => unreachable!("only statuses are configured"),
            None => 200,
        };
        (1..=calls).map(status).collect()
    }

    #[test]
    fn a_fault_plays_on_every_nth_call_and_as_often_as_configured() {
        assert_eq!(statuses(&[fault(2, None, 500)], 5), [200, 500, 200, 500, 200]);
        assert_eq!(statuses(&[fault(2, Some(1), 500)], 5), [200, 500, 200, 200, 200]);
    }

    #[test]
    fn faults_one_after_another_each_play_in_full() {
        let faults = [fault(1, Some(2), 500), fault(1, Some(1), 429)];
        assert_eq!(statuses(&faults, 5), [500, 500, 429, 200, 200]);
    }

    #[test]
    fn the_first_of_two_faults_with_the_same_turn_plays_and_the_other_is_not_used_up() {
        let faults = [fault(2, None, 500), fault(3, Some(2), 429)];
        assert_eq!(statuses(&faults, 10), [200, 500, 429, 500, 200, 500, 200, 500, 429, 500]);
    }

    #[test]
    fn a_fault_without_turns_never_plays() {
        assert_eq!(statuses(&[fault(0, None, 500), fault(1, Some(0), 500)], 3), [200; 3]);
    }

    #[test]
    fn the_billionth_call_is_told_as_quickly_as_the_first() {
        let faults =
            [fault(1, Some(3), 500), fault(2, Some(5), 429), fault(1_000_000_000, None, 503)];
        assert_eq!(due(&faults, 1_000_000_000), Some(&faults[2]));
    }
}
