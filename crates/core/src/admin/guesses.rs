//! Wrong keys by the address they came from: a few may be mistyped, more are guesses.
//!
//! Each isolate counts for itself. The key's own length is what keeps it safe; this keeps logs and
//! processors free of whoever tries words.

use std::{collections::HashMap, net::Ipv6Addr};

use crate::units::{DurationMs, UnixMs};

/// How many wrong keys an address may send at once.
const AT_ONCE: u64 = 10;
/// How long until it may send another.
const EACH: DurationMs = DurationMs::from_secs(6);
/// How many addresses are remembered.
const ADDRESSES: usize = 512;

/// Wrong keys by address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guesses {
    /// When an address that sent wrong keys is as good as any other again.
    forgiven: HashMap<String, UnixMs>,
}

impl Guesses {
    /// How long an address has to wait until a key of it is looked at; `None` where it need not.
    pub fn wait(&self, address: &str, now: UnixMs) -> Option<DurationMs> {
        let forgiven = self.forgiven.get(&network(address))?;
        let room = DurationMs(EACH.0 * (AT_ONCE - 1));
        Some(forgiven.since(now.plus(room))).filter(|wait| wait.0 > 0)
    }

    /// A wrong key came from this address.
    pub fn wrong(&mut self, address: &str, now: UnixMs) {
        let network = network(address);
        if !self.forgiven.contains_key(&network) {
            self.make_room(now);
        }
        let forgiven = self.forgiven.entry(network).or_default();
        *forgiven = (*forgiven).max(now).plus(EACH);
    }

    /// Forgets the forgiven, and if there are none the one that is nearest to it.
    fn make_room(&mut self, now: UnixMs) {
        if self.forgiven.len() < ADDRESSES {
            return;
        }
        self.forgiven.retain(|_, forgiven| *forgiven > now);
        if self.forgiven.len() < ADDRESSES {
            return;
        }
        let nearest = self.forgiven.iter().min_by_key(|(_, forgiven)| **forgiven);
        if let Some(nearest) = nearest.map(|(network, _)| network.clone()) {
            self.forgiven.remove(&nearest);
        }
    }
}

/// Of an address of IPv6 the part that one customer is given; of others all of it.
fn network(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::")
        }
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: UnixMs = UnixMs(1_795_348_800_000);

    fn guess(guesses: &mut Guesses, address: &str, times: u64) {
        for _ in 0..times {
            guesses.wrong(address, NOON);
        }
    }

    #[test]
    fn ten_wrong_keys_are_looked_at_and_the_next_has_to_wait() {
        let mut guesses = Guesses::default();
        guess(&mut guesses, "192.0.2.1", AT_ONCE - 1);
        assert_eq!(guesses.wait("192.0.2.1", NOON), None);
        guess(&mut guesses, "192.0.2.1", 1);
        assert_eq!(guesses.wait("192.0.2.1", NOON), Some(EACH));
        assert_eq!(guesses.wait("192.0.2.1", NOON.plus(EACH)), None);
        assert_eq!(guesses.wait("192.0.2.2", NOON), None, "another address");
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let mut guesses = Guesses::default();
        guess(&mut guesses, "2001:db8:1:2::1", AT_ONCE);
        assert!(guesses.wait("2001:db8:1:2:ffff::9", NOON).is_some());
        assert_eq!(guesses.wait("2001:db8:1:3::1", NOON), None);
    }

    proptest! {
        #[test]
        fn no_address_sends_more_than_its_share_and_memory_is_bounded(
            sent in prop::collection::vec((0_u64..2000, 0_u16..700), 0..3000),
        ) {
            let mut guesses = Guesses::default();
            let (mut now, mut looked_at) = (NOON, HashMap::<u16, u64>::new());
            for (pause, address) in sent {
                now = now.plus(DurationMs(pause));
                let text = address.to_string();
                if guesses.wait(&text, now).is_none() {
                    guesses.wrong(&text, now);
                    *looked_at.entry(address).or_default() += 1;
                }
                prop_assert!(guesses.forgiven.len() <= ADDRESSES);
            }
            let most = AT_ONCE + now.since(NOON).0 / EACH.0;
            prop_assert!(looked_at.values().all(|count| *count <= most), "{:?}", looked_at);
        }
    }
}
