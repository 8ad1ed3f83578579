//! The chief of the ledger's shards: adds them up, watches the rules, sends what is to be sent.
//!
//! It learns the configuration from the isolates that run it, as text, and keeps it over restarts.

use tollhouse_core::{
    alert::{self, Board, History, Letter, Outbox, Signals, Situation},
    config::{
        self, Loaded, Source,
        valid::{Config, Mlflow, Otlp, Receiver},
    },
    ledger::{Column, Day, UsageRow, group, to_csv, to_json},
    metrics::{Aggregate, Format},
    pool::probe,
    telemetry,
    units::{DurationMs, UnixMs},
};
use worker::{Method, Request, RequestInit, Response, Result, State};

use super::{
    Ledger, admin, post,
    probes::Board as Probes,
    shard::{Export, ExportAsked},
    text_response,
};
use crate::{clock::read as now, env, glue, isolate, objects::rows::Rows};

/// With nobody to tell, the alarm only lets old usage go.
const SELDOM: DurationMs = DurationMs::from_secs(3600);
/// A refused configuration is old news after this, or once another one was taken up.
const REJECTED_HOLDS: DurationMs = DurationMs::from_secs(3600);
/// Between an alarm and the next there is at least this.
const SOONEST: DurationMs = DurationMs(500);

/// Keys of the chief's rows.
const CONFIG: &str = "c:config";
const BOARD: &str = "c:board";
const OUTBOX: &str = "c:outbox";
const BEGAN: &str = "c:began";
const REJECTED: &str = "c:rejected";
const SHARDS: &str = "c:shards";
const SIGNALS: &str = "c:signals";

/// What the chief knows beside the counts.
#[derive(Debug)]
pub(super) struct Chief {
    pub(super) rows: Rows,
    loaded: Option<Loaded>,
    history: History,
    board: Board,
    outbox: Outbox,
    began: UnixMs,
    /// When a configuration was refused, and why.
    rejected: Option<(UnixMs, String)>,
    /// The most shards that there ever were: what they hold still counts.
    shards: u32,
    looked_at: UnixMs,
    metrics_at: UnixMs,
    pub(super) probes: Probes,
}

impl Chief {
    pub(super) fn open(state: &State) -> Result<Self> {
        let rows = Rows::open(state)?;
        admin::table(&rows)?;
        let text = |key| rows.get(key).map(Option::unwrap_or_default);
        let (began, history) = begin(&rows)?;
        let rejected = text(REJECTED)?;
        let rejected = rejected
            .split_once('\n')
            .and_then(|(at, problems)| Some((UnixMs(at.parse().ok()?), problems.to_owned())));
        let mut chief = Self {
            loaded: load(&text(CONFIG)?),
            history,
            board: Board::restore(&text(BOARD)?),
            outbox: Outbox::restore(&text(OUTBOX)?),
            began,
            rejected,
            shards: text(SHARDS)?.parse().unwrap_or(1),
            looked_at: UnixMs(0),
            metrics_at: UnixMs(0),
            probes: Probes::default(),
            rows,
        };
        chief.grow();
        Ok(chief)
    }

    /// An isolate has taken up this configuration; whether it is news.
    pub(super) fn configure(&mut self, text: &str) -> Result<bool> {
        let is_known = self.loaded.as_ref().is_some_and(|loaded| loaded.source().text == text);
        if is_known {
            return Ok(false);
        }
        let loaded = load(text);
        let is_news = loaded.is_some();
        if let Some(loaded) = loaded {
            self.loaded = Some(loaded);
            self.rejected = None;
            self.grow();
            self.rows.write([
                (CONFIG.to_owned(), Some(text.to_owned())),
                (SHARDS.to_owned(), Some(self.shards.to_string())),
                (REJECTED.to_owned(), None),
            ])?;
        }
        Ok(is_news)
    }

    /// An isolate has refused a configuration, for these reasons.
    pub(super) fn rejected(&mut self, problems: &str) -> Result<()> {
        self.rejected = Some((now(), problems.to_owned()));
        self.looked_at = UnixMs(0);
        self.rows.write([(REJECTED.to_owned(), Some(format!("{}\n{problems}", now().0)))])
    }

    /// The configuration in force.
    pub(super) const fn loaded(&self) -> Option<&Loaded> {
        self.loaded.as_ref()
    }

    /// The tracking server, where there is one.
    pub(super) fn mlflow(&self) -> Option<&Mlflow> {
        self.config()?.mlflow.as_ref()
    }

    /// Its valid form.
    pub(super) fn config(&self) -> Option<&Config> {
        self.loaded.as_ref().map(|loaded| &loaded.config)
    }

    /// When the ledger began, what is wrong, and which configuration was refused when.
    pub(super) fn standing(&self) -> (UnixMs, &Board, Option<(UnixMs, &str)>) {
        let rejected = self.rejected.as_ref().map(|(at, problems)| (*at, problems.as_str()));
        (self.began, &self.board, rejected)
    }

    fn grow(&mut self) {
        let configured = self.config().map_or(1, |config| config.telemetry.ledger_shards);
        self.shards = self.shards.max(configured);
    }

    fn otlp(&self) -> Option<(&Otlp, DurationMs)> {
        let otlp = self.config()?.telemetry.otlp.as_ref()?;
        Some((otlp, otlp.metrics_every?))
    }

    /// How often replicas are asked whether they are ready, where they are at all.
    pub(super) fn probes_every(&self) -> Option<DurationMs> {
        probe::every(self.config()?)
    }

    /// How replicas stand, where they are asked.
    pub(super) fn replicas(&self) -> Vec<probe::Replica> {
        let config = self.config();
        config.map(|config| probe::replicas(config, self.probes.reports())).unwrap_or_default()
    }

    /// Whether the rules are to be looked at.
    fn is_watching(&self, now: UnixMs) -> Option<&Config> {
        self.config().filter(|config| now.since(self.looked_at) >= config.alerts.every)
    }

    /// The first day that is kept.
    fn keep_from(&self, now: UnixMs) -> Option<Day> {
        let days = self.config()?.telemetry.retention_days;
        Some(Day(Day::of(now).0.saturating_sub(days)))
    }

    /// When there is something to do again.
    fn next(&self, now: UnixMs) -> UnixMs {
        let every = match self.config() {
            Some(config) => config.alerts.every,
            None => SELDOM,
        };
        let watching = self.looked_at.plus(every).max(now);
        let metrics = self.otlp().map(|(_, every)| self.metrics_at.plus(every));
        let probes = self.probes_every().map(|every| self.probes.next(every));
        let first = metrics.into_iter().chain(probes).chain(self.outbox.due_at()).min();
        first.map_or(watching, |first| first.min(watching)).max(now.plus(SOONEST))
    }

    /// Holds the rules against what is known, and writes letters for what is news.
    fn watch(&mut self, aggregate: &Aggregate, usage: &[UsageRow], now: UnixMs) -> Result<()> {
        let Some(loaded) = &self.loaded else { return Ok(()) };
        let config = &loaded.config;
        self.looked_at = now;
        let signals = Signals::read(aggregate, now);
        self.rows.write([(SIGNALS.to_owned(), Some(format!("{}\n{}", now.0, signals.row())))])?;
        self.history.push(now, signals);
        self.rejected.take_if(|(at, _)| now.since(*at) > REJECTED_HOLDS);
        let spends = alert::spends(config, usage, now);
        let rejected = self.rejected.as_ref().map(|(_, problems)| problems.as_str());
        let situation = Situation { history: &self.history, spends: &spends, rejected };
        let events = self.board.update(alert::evaluate(&config.alerts.rules, situation), now);
        for event in &events {
            glue::log(&alert::log_line(event));
            for receiver in &config.alerts.receivers {
                let body = alert::body(receiver.kind, event, Letter::KEY);
                self.outbox.put(&receiver.name, body, now);
            }
        }
        self.rows.write([(BOARD.to_owned(), Some(self.board.row()))])?;
        self.keep_outbox()
    }

    fn keep_outbox(&self) -> Result<()> {
        self.rows.write([(OUTBOX.to_owned(), Some(self.outbox.row()))])
    }

    /// The letters that are due, each with its receiver; those of receivers that are configured no
    /// more are thrown away.
    fn letters(&mut self, now: UnixMs) -> Vec<(Receiver, Letter)> {
        let due = self.outbox.due(now);
        let receivers = self.config().map_or(&[][..], |config| &config.alerts.receivers);
        let find = |letter: Letter| {
            let receiver = receivers.iter().find(|receiver| receiver.name == letter.receiver)?;
            Some((receiver.clone(), letter))
        };
        due.into_iter().filter_map(find).collect()
    }
}

impl Ledger {
    /// Everything that the alarm is for.
    pub(super) async fn tick(&self) -> Result<()> {
        let at = now();
        let probed = self.probe().await;
        let done = self.look(at).await;
        self.send_letters(at).await?;
        let tracked = self.track().await;
        self.arm().await?;
        done.and(tracked).and(probed)
    }

    /// Sets the alarm for when there is something to do.
    pub(super) async fn arm(&self) -> Result<()> {
        let at = now();
        let (next, mlflow) =
            self.with_chief(|chief| Ok((chief.next(at), chief.mlflow().cloned())))?;
        let tracked = match mlflow {
            Some(mlflow) => Some(self.with_track(|track| Ok(track.next(&mlflow)))?),
            None => None,
        };
        let next = tracked.map_or(next, |tracked| tracked.max(at.plus(SOONEST)).min(next));
        let offset = i64::try_from(next.since(at).0).unwrap_or(i64::MAX);
        self.state.storage().set_alarm(offset).await
    }

    pub(super) async fn metrics(&self, accept: &str) -> Result<Response> {
        let format = Format::accepted(accept);
        let usage_from = Some(ExportAsked::NO_USAGE.to_owned());
        let asked = ExportAsked { counts: true, usage_from, ..Default::default() };
        let (mut aggregate, _) = self.gather(&asked).await?;
        self.add_budgets(&mut aggregate).await?;
        self.with_track(|track| track.show(&mut aggregate))?;
        aggregate.set_replicas(self.with_chief(|chief| Ok(chief.replicas()))?);
        text_response(&aggregate.render(now(), format), format.content_type())
    }

    /// The query is `group_by=key,model&format=json&from=2026-11-01&to=2026-11-30`.
    pub(super) async fn usage(&self, query: &str) -> Result<Response> {
        let value = |name| admin::value(query, name);
        let names = value("group_by").replace("%2C", ",");
        let columns = names.split(',').filter(|name| !name.is_empty()).map(Column::named);
        let Some(columns) = columns.collect::<Option<Vec<Column>>>() else {
            let problem = "`group_by` takes day, key, model and target, parted by commas";
            return Response::error(problem, 400);
        };
        let (Ok(from), Ok(to)) = (day(value("from")), day(value("to"))) else {
            return Response::error("`from` and `to` are days, as 2026-11-30", 400);
        };
        let asked =
            ExportAsked { usage_from: from.map(|day| day.to_string()), ..Default::default() };
        let (_, rows) = self.gather(&asked).await?;
        let rows = rows.into_iter().filter(|row| to.is_none_or(|to| row.day <= to));
        let groups = group(rows, &columns);
        match value("format") {
            "" | "json" => text_response(&to_json(&groups, &columns), "application/json"),
            "csv" => text_response(&to_csv(&groups, &columns), "text/csv; charset=utf-8"),
            _ => Response::error("`format` is json or csv", 400),
        }
    }

    /// Looks at the rules, and sends metrics, where it is time for either.
    async fn look(&self, at: UnixMs) -> Result<()> {
        let (watches, metrics, keep_from) = self.with_chief(|chief| {
            let metrics = chief.otlp().filter(|(_, every)| at.since(chief.metrics_at) >= *every);
            let metrics = metrics.map(|(otlp, _)| otlp.clone());
            Ok((chief.is_watching(at).is_some(), metrics, chief.keep_from(at)))
        })?;
        let tracks = self.tracks(at)?;
        if !watches && metrics.is_none() && !tracks {
            return Ok(());
        }
        // The longest period of a budget is a month.
        let month = Day(Day::of(at).0.saturating_sub(31)).to_string();
        let asked = ExportAsked {
            usage_from: Some(month),
            counts: true,
            keep_from: keep_from.map(|day| day.to_string()),
            ..Default::default()
        };
        let (mut aggregate, usage) = self.gather(&asked).await?;
        if watches {
            self.with_chief(|chief| chief.watch(&aggregate, &usage, at))?;
        }
        if tracks {
            self.with_chief(|chief| {
                self.with_track(|track| track.plan(chief, &mut aggregate, at))
            })?;
        }
        if let Some(day) = keep_from {
            let moment = UnixMs(u64::from(day.0).saturating_mul(86_400_000));
            self.with_track(|track| track.forget_before(moment))?;
        }
        if let Some(otlp) = metrics {
            self.with_chief(|chief| {
                chief.metrics_at = at;
                let spends = chief.config().map(|config| alert::spends(config, &usage, at));
                aggregate.set_budgets(&spends.unwrap_or_default());
                aggregate.set_replicas(chief.replicas());
                Ok(())
            })?;
            let began = self.with_chief(|chief| Ok(chief.began))?;
            // Sums lose nothing: those that are not taken now are in the next ones.
            if !post::metrics(&otlp, telemetry::metrics(&aggregate, began, at)).await {
                glue::log(r#"{"level":"warn","event":"otlp_metrics_not_taken"}"#);
            }
        }
        Ok(())
    }

    /// Whether it is time to see what is known of experiments.
    fn tracks(&self, at: UnixMs) -> Result<bool> {
        let mlflow = self.with_chief(|chief| Ok(chief.mlflow().cloned()))?;
        mlflow.map_or(Ok(false), |mlflow| self.with_track(|track| Ok(track.is_due(&mlflow, at))))
    }

    async fn send_letters(&self, at: UnixMs) -> Result<()> {
        for (receiver, letter) in self.with_chief(|chief| Ok(chief.letters(at)))? {
            if post::letter(&receiver, &letter).await {
                continue;
            }
            let line = serde_json::json!({
                "level": "warn", "event": "alert_not_taken", "receiver": receiver.name,
            });
            glue::log(&line.to_string());
            self.with_chief(|chief| {
                chief.outbox.put_back(letter, now());
                Ok(())
            })?;
        }
        self.with_chief(|chief| chief.keep_outbox())
    }

    /// Says how budgets stand, where there are any.
    pub(super) async fn add_budgets(&self, aggregate: &mut Aggregate) -> Result<()> {
        let at = now();
        let has_budgets = self.with_chief(|chief| {
            Ok(chief.config().is_some_and(|config| !alert::spends(config, &[], at).is_empty()))
        })?;
        if !has_budgets {
            return Ok(());
        }
        let month = Day(Day::of(at).0.saturating_sub(31)).to_string();
        let asked = ExportAsked { usage_from: Some(month), ..Default::default() };
        let (_, usage) = self.gather(&asked).await?;
        self.with_chief(|chief| {
            let spends = chief.config().map(|config| alert::spends(config, &usage, at));
            aggregate.set_budgets(&spends.unwrap_or_default());
            Ok(())
        })
    }

    /// What all shards hold, added up.
    async fn gather(&self, asked: &ExportAsked) -> Result<(Aggregate, Vec<UsageRow>)> {
        Ok(Export::join(self.exports(asked).await?))
    }

    /// What each shard holds.
    pub(super) async fn exports(&self, asked: &ExportAsked) -> Result<Vec<Export>> {
        let mut exports = vec![self.with_shard(|shard| shard.export_for(asked))?];
        let shards = self.with_chief(|chief| Ok(chief.shards))?;
        let question = serde_json::to_string(asked)?;
        for shard in 1..shards {
            let namespace = self.env.durable_object("LEDGER")?;
            let stub = namespace.id_from_name(&isolate::shard_name(shard))?.get_stub()?;
            let mut init = RequestInit::new();
            init.with_method(Method::Post).with_body(Some(question.as_str().into()));
            let request = Request::new_with_init("https://ledger/export", &init)?;
            exports.push(stub.fetch_with_request(request).await?.json::<Export>().await?);
        }
        Ok(exports)
    }
}

/// When the ledger began, and what was known when its rules were looked at last: what came after
/// that is news, also to an object that was restarted. In a ledger that begins now, everything is.
fn begin(rows: &Rows) -> Result<(UnixMs, History)> {
    let mut history = History::default();
    if let Some(began) = rows.get(BEGAN)?.and_then(|text| text.parse().ok()) {
        let last = rows.get(SIGNALS)?.unwrap_or_default();
        if let Some((at, signals)) = last.split_once('\n')
            && let Ok(at) = at.parse()
        {
            history.push(UnixMs(at), Signals::restore(signals));
        }
        return Ok((UnixMs(began), history));
    }
    if rows.all()?.is_empty() {
        history.push(now(), Signals::default());
    }
    rows.write([(BEGAN.to_owned(), Some(now().0.to_string()))])?;
    Ok((now(), history))
}

fn load(text: &str) -> Option<Loaded> {
    if text.is_empty() {
        return None;
    }
    config::load(Source { name: "the isolates' configuration", text }, &env::overrides(), now())
        .ok()
}

/// No day where the text is empty.
fn day(text: &str) -> std::result::Result<Option<Day>, ()> {
    match text {
        "" => Ok(None),
        text => Day::parse(text).map(Some).ok_or(()),
    }
}
