//! Neither splits nor order, duplicates, losses and restarts change what is counted.

use super::*;

/// Records with the isolate that serves each and whether it reports after it.
fn any_traffic() -> impl Strategy<Value = Vec<(Record, usize, bool)>> {
    prop::collection::vec((any_record(), 0_usize..4, any::<bool>()), 0..24)
}

/// The deltas of four isolates that serve this traffic.
fn deltas_of(traffic: &[(Record, usize, bool)]) -> Vec<Delta> {
    let mut isolates: Vec<_> = (0..4).map(|number| isolate(number + 1)).collect();
    let mut all = Vec::new();
    let mut now = EVENING;
    let mut send = |registry: &mut Registry, now| {
        registry.cut(now);
        for delta in deltas(registry) {
            registry.confirm(delta.sequence());
            all.push(delta);
        }
    };
    for (record, place, reports) in traffic {
        now = now.plus(DurationMs(1));
        isolates[*place].observe(record);
        if *reports {
            send(&mut isolates[*place], now);
        }
    }
    for registry in &mut isolates {
        send(registry, now);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn however_records_are_split_over_isolates_and_deltas_the_counts_are_the_same(
        traffic in any_traffic(),
    ) {
        let records: Vec<_> = traffic.iter().map(|(record, ..)| record.clone()).collect();
        prop_assume!(!records.is_empty());
        let mut whole = merged(&[delta_of(9, &records)]);
        let mut split = merged(&deltas_of(&traffic));
        prop_assert_eq!(everything(&mut split), everything(&mut whole));
    }

    #[test]
    fn neither_order_nor_duplicates_nor_restarts_change_anything(
        traffic in any_traffic(),
        journey in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..60),
    ) {
        let sent = deltas_of(&traffic);
        let mut straight = merged(&sent);
        let mut straight_stored = Stored::default();
        straight_stored.take(&mut straight);

        let mut crooked = Aggregate::default();
        let mut stored = Stored::default();
        let wanderers = journey.iter().filter(|_| !sent.is_empty());
        let detours = wanderers.map(|(index, restart)| (&sent[index.index(sent.len())], *restart));
        for (delta, restart) in detours.chain(sent.iter().rev().map(|delta| (delta, false))) {
            crooked.merge(delta, EVENING);
            if restart {
                stored.take(&mut crooked);
                crooked = stored.restore();
            }
        }
        stored.take(&mut crooked);

        for now in [EVENING, EVENING.plus(LATER)] {
            for format in [Format::Prometheus, Format::OpenMetrics] {
                prop_assert_eq!(crooked.render(now, format), straight.render(now, format));
                prop_assert_eq!(stored.restore().render(now, format), straight.render(now, format));
            }
        }
        prop_assert_eq!(stored.usage(), straight_stored.usage());
    }

    #[test]
    fn what_is_not_stored_is_as_if_it_had_not_arrived(
        traffic in any_traffic(), lost in any::<prop::sample::Index>(),
    ) {
        let sent = deltas_of(&traffic);
        prop_assume!(!sent.is_empty());
        let lost = lost.index(sent.len());
        let (mut aggregate, mut stored) = (Aggregate::default(), Stored::default());
        for (place, delta) in sent.iter().enumerate() {
            aggregate.merge(delta, EVENING);
            if place == lost {
                // The object dies before its transaction; the isolate, unanswered, sends again.
                aggregate = stored.restore();
                aggregate.merge(delta, EVENING);
            }
            stored.take(&mut aggregate);
        }
        let mut straight = merged(&sent);
        let (text, usage) = everything(&mut straight);
        prop_assert_eq!(stored.restore().render(EVENING.plus(LATER), Format::Prometheus), text);
        prop_assert_eq!(stored.usage(), usage);
    }

    #[test]
    fn a_delta_is_read_as_it_was_written(traffic in any_traffic()) {
        for delta in deltas_of(&traffic) {
            prop_assert_eq!(Delta::decode(&delta.encode()).unwrap(), delta);
        }
    }

    #[test]
    fn any_bytes_are_a_delta_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Delta::decode(&bytes).is_err());
    }

    #[test]
    fn ledger_and_metrics_agree_on_money(records in prop::collection::vec(any_record(), 1..20)) {
        let records: Vec<_> =
            records.into_iter().filter(|record| record.endpoint.operation().is_some()).collect();
        prop_assume!(!records.is_empty());
        let mut aggregate = merged(&[delta_of(1, &records)]);
        let mut stored = Stored::default();
        stored.take(&mut aggregate);
        let booked: u64 = stored.usage.iter().map(|row| row.counts.cost_micro_usd).sum();
        let spent: u64 = records.iter().filter_map(Record::billed_cost).map(|cost| cost.0).sum();
        let cost = stored.rows.iter().filter(|((_, key), _)| key.starts_with("tollhouse_cost_usd"));
        let counted: u64 = cost.map(|(_, value)| value.parse::<u64>().unwrap()).sum();
        prop_assert_eq!((booked, counted), (spent, spent));
    }
}
