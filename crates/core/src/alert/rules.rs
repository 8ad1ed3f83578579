//! The rules: what is wrong at the moment.

use super::{History, Rule, Severity};
use crate::{
    budget::{Scope, Span},
    config::valid::{
        AlertRules, Auth, Budget, Config, ErrorShare, GuardSpike, ProviderDown, SlowAnswers,
    },
    ledger::{Day, UsageRow},
    metrics::Family,
    units::{DurationMs, MicroUsd, UnixMs},
};

/// One trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Rule,
    /// Of what: a model, a target, a provider, a budget. With the rule it names the trouble.
    pub subject: String,
    /// How soon somebody should look.
    pub severity: Severity,
    /// One sentence with the numbers.
    pub summary: String,
}

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Signals up to now.
    pub history: &'a History,
    /// Every budget and what of it is spent.
    pub spends: &'a [Spend],
    /// What is wrong with a configuration that was refused, while it is.
    pub rejected: Option<&'a str>,
}

/// A budget in its current period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Whose.
    pub scope: Scope,
    /// The key's, the team's or the model's name.
    pub name: String,
    /// The budget.
    pub budget: Budget,
    /// What calls have cost in the period.
    pub spent: MicroUsd,
}

/// Guards are compared with this time.
const BEFORE: DurationMs = DurationMs::from_secs(3600);

/// Everything that is wrong.
pub fn evaluate(rules: &AlertRules, situation: Situation<'_>) -> Vec<Finding> {
    let Situation { history, spends, rejected } = situation;
    let mut found = Vec::new();
    if let Some(rule) = rules.error_share {
        error_share(rule, history, &mut found);
    }
    if let Some(rule) = rules.latency {
        latency(rule, history, &mut found);
    }
    if let Some(rule) = rules.provider_down {
        provider_down(rule, history, &mut found);
    }
    if let Some(rule) = rules.guard_spike {
        guard_spike(rule, history, &mut found);
    }
    if let (true, Some((_, newest))) = (rules.breaker_open, history.newest()) {
        found.extend(newest.resting.iter().map(|target| Finding {
            rule: Rule::BreakerOpen,
            subject: target.clone(),
            severity: Severity::Warning,
            summary: format!("{target} has failed repeatedly and is being rested"),
        }));
    }
    for share in &rules.budget_shares {
        found.extend(spends.iter().filter_map(|spend| budget_share(*share, spend)));
    }
    if let (true, Some(problems)) = (rules.config_rejected, rejected) {
        found.push(Finding {
            rule: Rule::ConfigRejected,
            subject: "configuration".to_owned(),
            severity: Severity::Critical,
            summary: format!("a configuration was refused, the last good one goes on: {problems}"),
        });
    }
    found
}

fn error_share(rule: ErrorShare, history: &History, found: &mut Vec<Finding>) {
    for (model, (calls, failed)) in history.window(rule.window).calls {
        if calls >= rule.at_least && ratio(failed, calls) > rule.above {
            found.push(Finding {
                rule: Rule::ErrorShare,
                severity: Severity::Critical,
                summary: format!(
                    "{failed} of {calls} calls to {model} failed in {}, above {}",
                    span(rule.window),
                    percent(rule.above)
                ),
                subject: model,
            });
        }
    }
}

fn latency(rule: SlowAnswers, history: &History, found: &mut Vec<Finding>) {
    let boundaries = Family::RequestDuration.boundaries().unwrap_or_default();
    for (model, counts) in history.window(rule.window).lengths {
        let calls: u64 = counts.iter().sum();
        if calls < rule.at_least {
            continue;
        }
        let found_length = quantile(boundaries, &counts, rule.quantile);
        if found_length > float(rule.above.0) {
            found.push(Finding {
                rule: Rule::Latency,
                severity: Severity::Warning,
                summary: format!(
                    "{} of {calls} calls to {model} took up to {found_length:.0} ms in {}, above {} ms",
                    percent(rule.quantile),
                    span(rule.window),
                    rule.above.0
                ),
                subject: model,
            });
        }
    }
}

/// The quantile of values of which only their buckets are known, as Prometheus' `histogram_quantile`
/// estimates it: evenly spread within a bucket, and at most the last boundary.
fn quantile(boundaries: &[u64], counts: &[u64], quantile: f64) -> f64 {
    let rank = quantile * float(counts.iter().sum());
    let (mut below, mut start) = (0_u64, 0_u64);
    for (end, count) in boundaries.iter().zip(counts) {
        let up_to = below.saturating_add(*count);
        if float(up_to) >= rank && *count > 0 {
            let share = (rank - float(below)) / float(*count);
            return float(start) + float(end.saturating_sub(start)) * share;
        }
        (below, start) = (up_to, *end);
    }
    float(start)
}

fn provider_down(rule: ProviderDown, history: &History, found: &mut Vec<Finding>) {
    for (provider, (answered, failed)) in history.window(rule.window).attempts {
        if answered == 0 && failed >= rule.at_least {
            found.push(Finding {
                rule: Rule::ProviderDown,
                severity: Severity::Critical,
                summary: format!(
                    "{provider} answered none of {failed} calls in {}",
                    span(rule.window)
                ),
                subject: provider,
            });
        }
    }
}

fn guard_spike(rule: GuardSpike, history: &History, found: &mut Vec<Finding>) {
    let (before, length) = history.window_before(rule.window, BEFORE);
    for (guard, acts) in history.window(rule.window).acts {
        let usual = before.acts.get(&guard).copied().unwrap_or(0);
        let usual = float(usual) * ratio(rule.window.0, length.0.max(rule.window.0));
        if acts >= rule.at_least && float(acts) > rule.times * usual {
            found.push(Finding {
                rule: Rule::GuardSpike,
                severity: Severity::Warning,
                summary: format!(
                    "{guard} acted {acts} times in {}, {usual:.1} times is usual",
                    span(rule.window)
                ),
                subject: guard,
            });
        }
    }
}

fn budget_share(share: f64, spend: &Spend) -> Option<Finding> {
    let Spend { scope, name, budget, spent } = spend;
    if ratio(spent.0, budget.limit.0) < share {
        return None;
    }
    let (scope, period) = (scope.name(), budget.per.name());
    let severity = if share < 1.0 { Severity::Warning } else { Severity::Critical };
    Some(Finding {
        rule: Rule::BudgetShare,
        subject: format!("{scope} {name} {}", percent(share)),
        severity,
        summary: format!(
            "{scope} {name} has spent {spent} of {} USD a {period}, {} or more",
            budget.limit,
            percent(share)
        ),
    })
}

/// Every budget of `config`, and what `usage` says is spent of it in the period of `now`.
pub fn spends(config: &Config, usage: &[UsageRow], now: UnixMs) -> Vec<Spend> {
    let keys = match &config.auth {
        Auth::Open => &[],
        Auth::Keys(keys) => keys.as_slice(),
    };
    let member = |team: &str, key: &str| {
        keys.iter().any(|known| known.id == key && known.team.as_deref() == Some(team))
    };
    let mut spends = Vec::new();
    for (key, budget) in keys.iter().filter_map(|key| Some((key, key.budget.as_ref()?))) {
        let spent = sum(usage, budget, now, |row| row.key == key.id);
        spends.push(Spend {
            scope: Scope::Key,
            name: key.id.clone(),
            budget: budget.clone(),
            spent,
        });
    }
    for (name, budget) in
        config.teams.iter().filter_map(|(name, team)| Some((name, team.budget.as_ref()?)))
    {
        let spent = sum(usage, budget, now, |row| member(name, &row.key));
        spends.push(Spend {
            scope: Scope::Team,
            name: name.clone(),
            budget: budget.clone(),
            spent,
        });
    }
    for (name, budget) in
        config.models.iter().filter_map(|(name, model)| Some((name, model.budget.as_ref()?)))
    {
        let spent = sum(usage, budget, now, |row| row.model == *name);
        spends.push(Spend {
            scope: Scope::Model,
            name: name.clone(),
            budget: budget.clone(),
            spent,
        });
    }
    spends
}

fn sum(
    usage: &[UsageRow],
    budget: &Budget,
    now: UnixMs,
    covers: impl Fn(&UsageRow) -> bool,
) -> MicroUsd {
    let span = Span::of(budget.per, now);
    let days = Day::of(span.start)..Day::of(span.end);
    let rows = usage.iter().filter(|row| days.contains(&row.day) && covers(row));
    rows.fold(MicroUsd(0), |sum, row| sum.saturating_add(MicroUsd(row.counts.cost_micro_usd)))
}

fn span(length: DurationMs) -> String {
    match length.0 / 1000 {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1000.0).round() / 10.0)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a share needs no more")]
const fn float(number: u64) -> f64 {
    number as f64
}
