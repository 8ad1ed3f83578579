//! The object alone, spoken to in its own wire form.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::*;
use crate::rate::tests::plans::assert_no_window_exceeds;

const NOW: UnixMs = UnixMs(1_700_000_000_000);

fn say(limiter: &mut Limiter, message: &Value, now: UnixMs) -> Value {
    let answer = limiter.handle(message.to_string().as_bytes(), now).unwrap();
    serde_json::from_slice(&answer).unwrap()
}

fn ask(bucket: &str, limit: u64, need: u64) -> Value {
    json!({ "seq": 7, "life": 10_000, "asks": { bucket: { "limit": limit, "need": need } } })
}

fn lease(answer: &Value, bucket: &str) -> Option<(u64, u64)> {
    let lease = answer["buckets"][bucket]["outcome"].get("Lease")?;
    Some((lease["id"].as_u64()?, lease["size"].as_u64()?))
}

fn available(limiter: &Limiter, now: UnixMs) -> u64 {
    limiter.overview(now).iter().map(|(_, (_, available, _))| available).sum()
}

#[test]
fn an_answer_names_the_message_and_the_lease() {
    let mut limiter = Limiter::default();
    let answer = say(&mut limiter, &ask("r", 60, 2), NOW);
    assert_eq!(answer["seq"], 7);
    assert_eq!(lease(&answer, "r"), Some((NOW.0 + 1, 2)));
    assert_eq!(answer["buckets"]["r"]["held"], 2);
}

#[test]
fn messages_that_are_not_ours_change_nothing() {
    let mut limiter = Limiter::default();
    say(&mut limiter, &ask("r", 60, 2), NOW);
    limiter.changed_rows();
    let before = limiter.clone();
    let above = ask("r", 60, 61).to_string();
    for message in [&b""[..], b"null", b"{", b"{\"seq\":-1}", b"\xff", above.as_bytes()] {
        assert!(limiter.handle(message, NOW).is_err());
        assert_eq!(limiter, before);
        assert_eq!(limiter.changed_rows(), []);
    }
}

#[test]
fn only_what_changed_is_written() {
    let mut limiter = Limiter::default();
    say(&mut limiter, &ask("r", 60, 1), NOW);
    say(&mut limiter, &ask("t", 60, 1), NOW);
    limiter.changed_rows();
    say(&mut limiter, &ask("t", 60, 1), NOW);
    let names: Vec<_> = limiter.changed_rows().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["group", "bucket:t"]);
    assert_eq!(limiter.changed_rows(), []);
}

#[test]
fn rows_that_cannot_be_read_are_named() {
    for (row, text) in [("bucket:r", "{}"), ("group", "7"), ("other", "{}")] {
        let problem = Limiter::restore([(row.to_owned(), text.to_owned())]).unwrap_err();
        assert_eq!(problem.row, row);
    }
}

#[test]
fn a_lease_that_expires_counts_as_spent() {
    let mut limiter = Limiter::default();
    say(&mut limiter, &ask("r", 60, 40), NOW);
    // 20 were left, and no more fit beside the lease; nothing of its 40 comes back.
    let expired = NOW.plus(DurationMs(10_000));
    assert_eq!(limiter.overview(expired), [("r".to_owned(), (60, 20, 0))]);
    let later = expired.plus(DurationMs(10_000));
    assert_eq!(limiter.overview(later), [("r".to_owned(), (60, 30, 0))]);
}

#[test]
fn the_wait_counts_leases_that_expire_on_the_way() {
    let mut limiter = Limiter::default();
    say(&mut limiter, &ask("r", 60, 50), NOW);
    let answer = say(&mut limiter, &ask("r", 60, 30), NOW);
    // 10 are there. Beside a lease of 50 there is no room for more, until it expires.
    assert_eq!(answer["buckets"]["r"]["outcome"]["Dry"]["wait"], 30_000);
    assert_eq!(
        lease(&say(&mut limiter, &ask("r", 60, 30), NOW.plus(DurationMs(29_999))), "r"),
        None
    );
    assert!(
        lease(&say(&mut limiter, &ask("r", 60, 30), NOW.plus(DurationMs(30_000))), "r").is_some()
    );
}

#[test]
fn an_object_that_lost_its_rows_gives_out_no_old_numbers() {
    let mut limiter = Limiter::default();
    let (old, _) = lease(&say(&mut limiter, &ask("r", 60, 1), NOW), "r").unwrap();
    let mut anew = Limiter::default();
    let later = NOW.plus(DurationMs(60_000));
    let (new, _) = lease(&say(&mut anew, &ask("r", 60, 1), later), "r").unwrap();
    assert!(new > old);
}

fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0u64..2000, 1 => 0u64..60_000]
}

proptest! {
    #[test]
    fn a_question_that_is_declined_takes_nothing(
        asks in vec((1u64..40, 1u64..40, 0u64..20, 0u64..20, 0u64..3000), 1..60),
    ) {
        let mut limiter = Limiter::default();
        let mut now = NOW;
        for (first, second, also, want, pause) in asks {
            now = now.plus(DurationMs(pause));
            let before: Vec<_> = limiter.overview(now);
            let line = |need| json!({ "limit": 40, "need": need, "also": also, "want": want });
            let message = json!({
                "seq": 1, "life": 5000, "asks": { "a": line(first), "b": line(second) },
            });
            let answer = say(&mut limiter, &message, now);
            match (lease(&answer, "a"), lease(&answer, "b")) {
                (Some((_, a)), Some((_, b))) => {
                    prop_assert!(first <= a && a <= first + also + want);
                    prop_assert!(second <= b && b <= second + also + want);
                }
                (None, None) if before.is_empty() => prop_assert!(false, "a full bucket declined"),
                (None, None) => prop_assert_eq!(limiter.overview(now), before),
                half => prop_assert!(false, "half a lease: {:?}", half),
            }
        }
    }

    /// However often, late and inconsistently a lease is accounted for, no more than its size comes
    /// back of it.
    #[test]
    fn a_lease_is_credited_at_most_once(
        size in 1u64..100, said in vec((0u64..300, 0u64..100, 0u64..40_000), 1..30),
    ) {
        let mut limiter = Limiter::default();
        // Others have used much, so that there is room for any refund.
        let (others, _) = lease(&say(&mut limiter, &ask("t", 10_000, 9000), NOW), "t").unwrap();
        say(&mut limiter, &json!({ "seq": 2, "life": 1, "said": [{ "b": "t", "l": others }] }), NOW);
        let before = available(&limiter, NOW);
        let (id, _) = lease(&say(&mut limiter, &ask("t", 10_000, size), NOW), "t").unwrap();
        let mut now = NOW;
        for (unused, open, pause) in said {
            let account = json!({ "b": "t", "l": id, "u": unused, "r": open });
            say(&mut limiter, &json!({ "seq": 3, "life": 1, "said": [account] }), now);
            let refilled = 10_000 * now.since(NOW).0 / 60_000 + 1;
            prop_assert!(available(&limiter, now) <= before + refilled);
            now = now.plus(DurationMs(pause / 30));
        }
    }

    /// Refunds that come late make room for no more than there would have been had their pieces
    /// never been taken: what was used in the end fits an ideal bucket.
    #[test]
    fn late_refunds_never_lift_the_limit(
        calls in vec((1u64..=100, 0u64..=100, 0u64..150, pause()), 2..40),
    ) {
        let mut limiter = Limiter::default();
        let mut now = NOW;
        let mut running: Vec<(usize, u64, u64, u64)> = Vec::new();
        let mut used: Vec<(u64, u64)> = Vec::new();
        for (need, percent, lasts, pause) in calls {
            if let Some((id, _)) = lease(&say(&mut limiter, &ask("t", 100, need), now), "t") {
                let account = json!({ "b": "t", "l": id, "r": need });
                say(&mut limiter, &json!({ "seq": 2, "life": 1, "said": [account] }), now);
                running.push((used.len(), id, need * percent / 100, now.0 + lasts * 1000));
                used.push((now.0, need));
            }
            now = now.plus(DurationMs(pause));
            running.retain(|(index, id, unused, until)| {
                if *until <= now.0 {
                    let account = json!({ "b": "t", "l": id, "u": unused });
                    say(&mut limiter, &json!({ "seq": 3, "life": 1, "said": [account] }), now);
                    used[*index].1 -= unused;
                }
                now.0 < *until
            });
        }
        assert_no_window_exceeds(100, &used, 0, "t");
    }

    #[test]
    fn a_debit_counts_once_however_often_it_is_said(
        over in 1u64..5000, times in 1usize..5, open in 1u64..10,
    ) {
        let mut limiter = Limiter::default();
        let (id, _) = lease(&say(&mut limiter, &ask("t", 10_000, 10), NOW), "t").unwrap();
        for _ in 0..times {
            let account = json!({ "b": "t", "l": id, "o": over, "r": open });
            say(&mut limiter, &json!({ "seq": 3, "life": 1, "said": [account] }), NOW);
        }
        prop_assert_eq!(available(&limiter, NOW), 10_000 - 10 - over);
    }
}
