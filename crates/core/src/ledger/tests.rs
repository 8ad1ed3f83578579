use proptest::prelude::*;

use super::{Column, Counts, Day, Group, UsageRow, group, to_csv, to_json};

fn row(day: u32, key: &str, model: &str, requests: u64) -> UsageRow {
    let counts = Counts { requests, cost_micro_usd: requests * 150, ..Counts::default() };
    UsageRow {
        day: Day(day),
        key: key.to_owned(),
        model: model.to_owned(),
        target: "openai/gpt-4o-mini".to_owned(),
        counts,
    }
}

fn rows() -> Vec<UsageRow> {
    vec![
        row(20_779, "team-b", "fast", 1),
        row(20_779, "a", "fast", 2),
        row(20_780, "a", "smart", 4),
    ]
}

#[test]
fn rows_add_up_by_the_columns_asked_for_in_their_order() {
    let groups = group(rows(), &[Column::Model, Column::Key]);
    let seen: Vec<_> =
        groups.iter().map(|group| (group.by.join("/"), group.counts.requests)).collect();
    let expected = [("fast/a", 2), ("fast/team-b", 1), ("smart/a", 4)];
    assert_eq!(seen, expected.map(|(by, requests)| (by.to_owned(), requests)));
}

#[test]
fn without_a_column_everything_is_one_group_and_nothing_is_none() {
    let groups = group(rows(), &[]);
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].counts.requests, 7);
    assert_eq!(group([], &[]), vec![]);
}

#[test]
fn the_answer_in_csv() {
    let by = [Column::Day, Column::Key];
    insta::assert_snapshot!(to_csv(&group(rows(), &by), &by).replace("\r\n", "\n"));
}

#[test]
fn the_answer_in_json_has_money_as_integers_and_as_dollars() {
    let by = [Column::Key];
    let answer: serde_json::Value =
        serde_json::from_str(&to_json(&group(rows(), &by), &by)).unwrap();
    assert_eq!(answer["group_by"], serde_json::json!(["key"]));
    assert_eq!(answer["rows"][0]["key"], "a");
    assert_eq!(answer["rows"][0]["requests"], 6);
    assert_eq!(answer["rows"][0]["cost_micro_usd"], 900);
    assert_eq!(answer["rows"][0]["cost_usd"], 0.0009);
}

#[test]
fn a_name_cannot_break_out_of_its_cell_or_be_a_formula() {
    let by = [Column::Key];
    let cell = |value: &str| {
        let group = Group { by: vec![value.to_owned()], counts: Counts::default() };
        let csv = to_csv(&[group], &by);
        csv.strip_suffix(",0,0,0,0,0,0,0,0,0,0,0,0.000000\r\n")
            .and_then(|text| text.split_once("\r\n"))
            .map(|(_, cell)| cell.to_owned())
            .unwrap()
    };
    assert_eq!(cell("a,b"), "\"a,b\"");
    assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
    assert_eq!(cell("=1+1"), "'=1+1");
}

#[test]
fn columns_are_known_by_their_names() {
    assert!(Column::ALL.iter().all(|column| Column::named(column.name()) == Some(*column)));
    assert_eq!(Column::named("cost"), None);
}

proptest! {
    #[test]
    fn no_grouping_loses_or_doubles_anything(
        rows in prop::collection::vec((0_u32..3, "[ab]", "[mn]", 0_u64..1000), 0..20),
        by in prop::sample::subsequence(Column::ALL.to_vec(), 0..=4),
    ) {
        let rows: Vec<_> = rows.iter().map(|(day, key, model, n)| row(*day, key, model, *n)).collect();
        let total = rows.iter().map(|row| row.counts.cost_micro_usd).sum::<u64>();
        let groups = group(rows, &by);
        prop_assert_eq!(groups.iter().map(|group| group.counts.cost_micro_usd).sum::<u64>(), total);
        prop_assert!(groups.is_sorted_by(|a, b| a.by < b.by));
    }
}
