//! Days in the life of an on-call engineer.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Board, Event, Finding, History, Letter, Outbox, Phase, Rule, Severity, Signals, Situation,
    Spend, body, evaluate, log_line, spends,
};
use crate::{
    budget::Scope,
    config::{
        self, Source,
        valid::{AlertRules, Budget, Config, Period, ReceiverKind},
    },
    ledger::{Counts, Day, UsageRow},
    metrics::{Aggregate, Delta, IsolateId, Registry},
    record::{
        Attempt, BreakerEvent, BreakerState, CacheResult, Endpoint, GuardAction, GuardDecision,
        GuardStage, Record, RequestId, sample,
    },
    refusal::Code,
    units::{DurationMs, MicroUsd, UnixMs},
};

const NOON: UnixMs = UnixMs(1_795_348_800_000);

fn rules() -> AlertRules {
    let source = Source { name: "default", text: config::default_toml() };
    config::load(source, &[], NOON).unwrap().config.alerts.rules
}

/// A gateway whose calls are counted as an isolate does.
struct Gateway {
    registry: Registry,
    aggregate: Aggregate,
    history: History,
    now: UnixMs,
}

impl Gateway {
    fn new() -> Self {
        let registry = Registry::new(IsolateId::new(1));
        let mut gateway = Self {
            registry,
            aggregate: Aggregate::default(),
            history: History::default(),
            now: NOON,
        };
        gateway.look();
        gateway
    }

    fn call(&mut self, change: impl FnOnce(&mut Record)) {
        let mut record = Record::new(RequestId::new(7), self.now, Endpoint::ChatCompletions);
        record.model = Some(sample::model("fast"));
        record.status = 200;
        record.cache = CacheResult::Miss;
        change(&mut record);
        self.registry.observe(&record);
    }

    fn fail(&mut self, code: Code) {
        self.call(|record| {
            let attempt = Attempt {
                target: sample::target("openai", "gpt-4o-mini"),
                began: record.started,
                status: None,
                failure: Some(code),
                took: DurationMs(1),
                first_chunk: None,
                usage: None,
                cost: None,
            };
            record.attempts.push(attempt);
            record.code = Some(code);
            record.status = code.facts().status;
        });
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now.plus(DurationMs::from_secs(seconds));
    }

    /// Counts are handed over and read.
    fn look(&mut self) {
        self.registry.cut(self.now);
        let pending: Vec<_> =
            self.registry.pending().map(|(number, bytes)| (number, bytes.to_vec())).collect();
        for (number, bytes) in pending {
            self.aggregate.merge(&Delta::decode(&bytes).unwrap(), self.now);
            self.registry.confirm(number);
        }
        self.history.push(self.now, Signals::read(&self.aggregate, self.now));
    }

    fn found(&mut self) -> Vec<(Rule, String)> {
        self.look();
        let situation = Situation { history: &self.history, spends: &[], rejected: None };
        let found = evaluate(&rules(), situation);
        found.into_iter().map(|finding| (finding.rule, finding.subject)).collect()
    }
}

fn one(rule: Rule, subject: &str) -> Vec<(Rule, String)> {
    vec![(rule, subject.to_owned())]
}

#[test]
fn a_model_whose_calls_fail_is_found_and_forgotten_when_they_succeed() {
    let mut gateway = Gateway::new();
    gateway.pass(60);
    for n in 0..40 {
        if n % 10 == 0 { gateway.fail(Code::UpstreamError) } else { gateway.call(|_| {}) }
    }
    assert_eq!(gateway.found(), one(Rule::ErrorShare, "fast"));
    gateway.pass(400);
    for _ in 0..40 {
        gateway.call(|_| {});
    }
    assert_eq!(gateway.found(), []);
}

#[test]
fn what_callers_do_wrong_and_what_is_too_few_is_no_trouble() {
    let mut gateway = Gateway::new();
    gateway.pass(60);
    for _ in 0..100 {
        gateway.call(|record| {
            record.code = Some(Code::InvalidValue);
            record.status = 400;
        });
    }
    assert_eq!(gateway.found(), []);
    let mut quiet = Gateway::new();
    quiet.pass(60);
    for _ in 0..3 {
        quiet.fail(Code::UpstreamTimeout);
    }
    assert_eq!(quiet.found(), []);
}

#[test]
fn a_provider_that_answers_nothing_is_down_and_one_answer_ends_it() {
    let mut gateway = Gateway::new();
    gateway.pass(60);
    for _ in 0..6 {
        gateway.fail(Code::UpstreamUnreachable);
    }
    assert_eq!(gateway.found(), one(Rule::ProviderDown, "openai"));
    gateway.fail(Code::UpstreamRejected);
    gateway.pass(30);
    assert_eq!(gateway.found(), [], "a refusal is an answer");
}

#[test]
fn slow_answers_are_found_and_quick_replies_from_the_cache_do_not_hide_them() {
    let mut gateway = Gateway::new();
    gateway.pass(60);
    for n in 0..30 {
        let took = if n % 10 == 0 { 70_000 } else { 900 };
        gateway.call(|record| record.timings.total = DurationMs(took));
    }
    for _ in 0..1000 {
        gateway.call(|record| record.cache = CacheResult::Hit);
    }
    assert_eq!(gateway.found(), one(Rule::Latency, "fast"));
}

#[test]
fn a_resting_target_is_found_while_it_rests() {
    let mut gateway = Gateway::new();
    gateway.pass(60);
    let event = |state| {
        let target = sample::target("openai", "gpt-4o-mini");
        move |record: &mut Record| {
            let at = record.started;
            record.breaker_events.push(BreakerEvent { target, at, state });
        }
    };
    gateway.call(event(BreakerState::Open));
    assert_eq!(gateway.found(), one(Rule::BreakerOpen, "openai/gpt-4o-mini"));
    gateway.pass(30);
    gateway.call(event(BreakerState::Closed));
    assert_eq!(gateway.found(), []);
}

#[test]
fn a_guard_that_acts_far_more_than_usual_is_found() {
    let mut gateway = Gateway::new();
    let act = |record: &mut Record| {
        record.guards.push(GuardDecision {
            guard: Arc::from("injection"),
            stage: GuardStage::Input,
            label: Arc::from("injection"),
            action: GuardAction::Block,
            evidence: None,
        });
    };
    // Two acts a minute for an hour.
    for _ in 0..60 {
        gateway.pass(60);
        gateway.call(act);
        gateway.call(act);
        assert_eq!(gateway.found(), []);
    }
    gateway.pass(60);
    for _ in 0..80 {
        gateway.call(act);
    }
    assert_eq!(gateway.found(), one(Rule::GuardSpike, "injection"));
}

fn budgeted() -> Config {
    let text = format!(
        "[[auth.keys]]\nid = \"a\"\nsha256 = \"{}\"\nteam = \"web\"\nbudget = {{ usd = 1.0, per = \"day\" }}\n\
         [[auth.keys]]\nid = \"b\"\nsha256 = \"{}\"\nteam = \"web\"\n\
         [teams.web]\nbudget = {{ usd = 2.0, per = \"month\" }}\n\
         [providers.mock]\nkind = \"mock\"\n\
         [models.fast]\ntargets = [{{ provider = \"mock\", model = \"gpt-4o-mini\" }}]\nbudget = {{ usd = 4.0, per = \"week\" }}\n",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "8f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    );
    let source = Source { name: "t", text: &text };
    config::load(source, &[], NOON).unwrap_or_else(|report| panic!("{report}")).config
}

fn usage(day: &str, key: &str, cost: u64) -> UsageRow {
    let counts = Counts { cost_micro_usd: cost, ..Counts::default() };
    let (key, model, target) = (key.to_owned(), "fast".to_owned(), "mock/gpt-4o-mini".to_owned());
    UsageRow { day: Day::parse(day).unwrap(), key, model, target, counts }
}

#[test]
fn a_budget_counts_its_members_in_its_own_period() {
    // NOON is on Sunday, 22 November 2026.
    let rows = [
        usage("2026-11-22", "a", 600_000),
        usage("2026-11-16", "b", 300_000),
        usage("2026-11-15", "b", 100_000),
        usage("2026-10-31", "a", 5_000_000),
        usage("2026-11-22", "stranger", 7),
    ];
    let spent: Vec<_> = spends(&budgeted(), &rows, NOON)
        .into_iter()
        .map(|spend| (spend.scope, spend.name, spend.spent.0))
        .collect();
    let expected = [
        (Scope::Key, "a", 600_000),
        (Scope::Team, "web", 1_000_000),
        (Scope::Model, "fast", 900_007),
    ];
    assert_eq!(spent, expected.map(|(scope, name, spent)| (scope, name.to_owned(), spent)));
}

#[test]
fn each_share_of_a_budget_is_told_once() {
    let budget = Budget { limit: MicroUsd(1000), per: Period::Day, cheaper: None };
    let spend = |spent| Spend {
        scope: Scope::Key,
        name: "a".to_owned(),
        budget: budget.clone(),
        spent: MicroUsd(spent),
    };
    let mut board = Board::default();
    let history = History::default();
    let mut told = Vec::new();
    for spent in [0, 499, 500, 600, 801, 999, 1000, 1200] {
        let spends = [spend(spent)];
        let situation = Situation { history: &history, spends: &spends, rejected: None };
        let events = board.update(evaluate(&rules(), situation), NOON);
        told.extend(events.into_iter().map(|event| (spent, event.finding.subject)));
    }
    let expected = [(500, "key a 50 %"), (801, "key a 80 %"), (1000, "key a 100 %")];
    assert_eq!(told, expected.map(|(spent, subject)| (spent, subject.to_owned())));
}

#[test]
fn a_refused_configuration_is_told_with_its_problems() {
    let history = History::default();
    let situation =
        Situation { history: &history, spends: &[], rejected: Some("line 2: no key `modelz`") };
    let found = evaluate(&rules(), situation);
    assert_eq!(found[0].rule, Rule::ConfigRejected);
    assert!(found[0].summary.contains("modelz"));
}

fn finding(subject: &str) -> Finding {
    Finding {
        rule: Rule::ErrorShare,
        subject: subject.to_owned(),
        severity: Severity::Critical,
        summary: format!("3 of 20 calls to {subject} failed <now>"),
    }
}

#[test]
fn a_trouble_that_lasts_is_told_once_and_its_end_too() {
    let mut board = Board::default();
    let phases =
        |events: Vec<Event>| events.into_iter().map(|event| event.phase).collect::<Vec<_>>();
    assert_eq!(phases(board.update(vec![finding("fast")], NOON)), [Phase::Firing]);
    assert_eq!(phases(board.update(vec![finding("fast")], NOON)), []);
    assert_eq!(phases(board.update(vec![], NOON)), [], "it may come back at once");
    assert_eq!(phases(board.update(vec![finding("fast")], NOON)), []);
    assert_eq!(phases(board.update(vec![], NOON)), []);
    board = Board::restore(&board.row());
    let ended = board.update(vec![], NOON.plus(DurationMs(9)));
    assert_eq!((ended[0].phase, ended[0].since), (Phase::Resolved, NOON));
    assert!(board.is_clear());
}

proptest! {
    #[test]
    fn beginnings_and_ends_take_turns_and_the_board_survives_restarts(
        rounds in prop::collection::vec((any::<[bool; 3]>(), any::<bool>()), 0..40),
    ) {
        let mut board = Board::default();
        let mut firing = [false; 3];
        for (troubles, restart) in rounds {
            let found = (0..3).filter(|n| troubles[*n]).map(|n| finding(&n.to_string())).collect();
            for event in board.update(found, NOON) {
                let n: usize = event.finding.subject.parse().unwrap();
                prop_assert_eq!(firing[n], event.phase == Phase::Resolved);
                firing[n] = event.phase == Phase::Firing;
            }
            for n in 0..3 {
                prop_assert!(firing[n] || !troubles[n]);
            }
            if restart {
                let again = Board::restore(&board.row());
                prop_assert_eq!(&again, &board);
                board = again;
            }
        }
    }

    #[test]
    fn letters_to_one_receiver_arrive_in_order_and_none_is_lost_within_a_day(
        taken in prop::collection::vec(any::<bool>(), 1..60),
    ) {
        let mut outbox = Outbox::default();
        let mut now = NOON;
        for n in 0..5 {
            outbox.put("pager", n.to_string(), now);
        }
        let mut arrived = Vec::new();
        for taken in taken.iter().chain(&[true; 5]) {
            let Some(due) = outbox.due_at() else { break };
            now = now.max(due);
            for letter in outbox.due(now) {
                if *taken { arrived.push(letter.body) } else { outbox.put_back(letter, now) }
            }
            outbox = Outbox::restore(&outbox.row());
        }
        prop_assert_eq!(arrived, ["0", "1", "2", "3", "4"]);
        prop_assert_eq!(outbox, Outbox::default());
    }
}

#[test]
fn a_letter_that_nobody_takes_waits_longer_each_time_and_is_given_up_after_a_day() {
    let mut outbox = Outbox::default();
    outbox.put("pager", String::new(), NOON);
    let mut now = NOON;
    let mut pauses = Vec::new();
    while let Some(due) = outbox.due_at() {
        pauses.push(due.since(now).0 / 1000);
        now = due;
        for letter in outbox.due(now) {
            outbox.put_back(letter, now);
        }
    }
    assert_eq!(pauses[..6], [0, 2, 4, 8, 16, 32]);
    assert!(now.since(NOON) >= DurationMs::from_secs(24 * 3600));
    assert!(pauses.iter().all(|pause| *pause <= 900));
}

#[test]
fn an_outbox_is_bounded() {
    let mut outbox = Outbox::default();
    for n in 0..2000 {
        outbox.put("pager", n.to_string(), NOON);
    }
    let due = outbox.due(NOON);
    assert_eq!((due.len(), due[0].body.as_str()), (500, "1500"));
}

fn event(phase: Phase) -> Event {
    Event { phase, finding: finding("fast"), since: NOON, at: NOON.plus(DurationMs(60_000)) }
}

#[test]
fn receivers_are_told_in_their_own_words() {
    let read = |kind, phase| -> Value {
        serde_json::from_str(&body(kind, &event(phase), Letter::KEY)).unwrap()
    };
    let plain = read(ReceiverKind::Json, Phase::Firing);
    assert_eq!(plain["status"], "firing");
    assert_eq!(plain["key"], "error_share fast");
    let slack = read(ReceiverKind::Slack, Phase::Resolved);
    let text = slack["text"].as_str().unwrap();
    assert!(text.contains("resolved") && text.contains("failed &lt;now&gt;"), "{text}");
    let (trigger, resolve) = (
        read(ReceiverKind::PagerDuty, Phase::Firing),
        read(ReceiverKind::PagerDuty, Phase::Resolved),
    );
    assert_eq!(
        (&trigger["event_action"], &resolve["event_action"]),
        (&json!("trigger"), &json!("resolve"))
    );
    assert_eq!(trigger["dedup_key"], resolve["dedup_key"]);
    assert_eq!(trigger["routing_key"], Letter::KEY);
    assert_eq!(trigger["payload"]["severity"], "critical");
    assert!(log_line(&event(Phase::Firing)).contains("\"event\":\"alert\""));
}
