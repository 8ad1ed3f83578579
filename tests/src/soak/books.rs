//! Four accounts of the same calls, and whether they agree to the last one: the callers', the
//! log's, the ledger's and the provider's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::caller::End;

/// Names of lines that more than one account fills in.
pub const REQUESTS: &str = "requests";
const LEFT: &str = "callers who left";
const HITS: &str = "answers from the cache";
const ATTEMPTS: &str = "calls to the provider";
const REPORTED: &str = "tokens the provider reported";
const BILLED: &str = "tokens counted";
const ESTIMATED: &str = "calls with estimated tokens";
const COST: &str = "cost in micro-dollars";

/// Calls for the whole limit that came before the bucket was full again.
pub const ASKED_TOO_EARLY: &str = "asked for all tokens too early";

/// One account: numbers by the name of what they count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account(BTreeMap<String, u64>);

impl Account {
    fn add(&mut self, line: impl Into<String>, number: u64) {
        *self.0.entry(line.into()).or_default() += number;
    }

    /// The number of a line, 0 where there is none.
    pub fn get(&self, line: &str) -> u64 {
        self.0.get(line).copied().unwrap_or(0)
    }
}

/// The callers' account.
#[derive(Debug, Default)]
pub struct Client(Mutex<Account>);

impl Client {
    /// A call has ended.
    pub fn note(&self, end: &End) {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        account.add(REQUESTS, 1);
        match end {
            End::Answered { hit } => account.add(HITS, u64::from(*hit)),
            End::Failed(code) => account.add(coded(code), 1),
            End::Left => {
                account.add(LEFT, 1);
                account.add(coded("client_closed_request"), 1);
            }
        }
    }

    /// A call has ended that was made to see whether another could be made: a refusal is its answer.
    pub fn note_apart(&self, end: &End) {
        self.note(end);
        if *end == End::Failed("token_limit_exceeded".into()) {
            let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            account.add(ASKED_TOO_EARLY, 1);
        }
    }

    /// The account so far.
    pub fn account(&self) -> Account {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn coded(code: &str) -> String {
    format!("failed with {code}")
}

/// What the provider says.
pub fn of_provider(calls: u64, tokens: u64) -> Account {
    let mut account = Account::default();
    account.add(ATTEMPTS, calls);
    account.add(REPORTED, tokens);
    account
}

/// What the log says, and its lines that are about no request.
pub fn of_log(log: &str) -> (Account, Vec<&str>) {
    let mut account = Account::default();
    let mut others = Vec::new();
    for line in log.lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(value) if value["event"] == "request" => add_line(&mut account, &value),
            // Under so many faults alerts are as they should be; they have tests of their own.
            Ok(value) if value["event"] == "alert" => {}
            Ok(_) | Err(_) => others.push(line),
        }
    }
    (account, others)
}

fn add_line(account: &mut Account, line: &Value) {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    account.add(REQUESTS, 1);
    if let Some(code) = line["code"].as_str() {
        account.add(coded(code), 1);
    }
    account.add(LEFT, u64::from(line["client_left"] == true));
    account.add(HITS, u64::from(line["cache"] == "hit"));
    account.add(ATTEMPTS, line["attempts"].as_array().map_or(0, |all| all.len() as u64));
    for usage in bills(line) {
        let tokens = number(&usage["prompt"]) + number(&usage["completion"]);
        account.add(BILLED, tokens);
        if usage["estimated"] == true {
            account.add(ESTIMATED, 1);
        } else {
            account.add(REPORTED, tokens);
        }
    }
    account.add(COST, micros(line["cost_usd"].as_f64().unwrap_or(0.0)));
}

/// The usage of every call to a provider that will be billed, or the request's where only one is.
fn bills(line: &Value) -> Vec<&Value> {
    let attempts = line["attempts"].as_array().into_iter().flatten();
    let bills: Vec<_> =
        attempts.map(|attempt| &attempt["usage"]).filter(|usage| usage.is_object()).collect();
    if bills.len() > 1 { bills } else { vec![&line["usage"]] }
}

/// What the ledger says, in Prometheus' text.
pub fn of_metrics(text: &str) -> Account {
    let mut account = Account::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let (family, labels) = series.split_once('{').unwrap_or((series, ""));
        let value: f64 = value.parse().unwrap_or(0.0);
        let count = whole(value);
        match family {
            "tollhouse_requests_total" => account.add(REQUESTS, count),
            "tollhouse_errors_total" => {
                account.add(coded(label(labels, "code").unwrap_or_default()), count);
            }
            "tollhouse_clients_left_total" => account.add(LEFT, count),
            "tollhouse_cache_results_total" if label(labels, "result") == Some("hit") => {
                account.add(HITS, count);
            }
            "tollhouse_attempts_total" => account.add(ATTEMPTS, count),
            "tollhouse_tokens_total" => account.add(BILLED, count),
            "tollhouse_estimated_usage_requests_total" => account.add(ESTIMATED, count),
            "tollhouse_cost_usd_total" => account.add(COST, micros(value)),
            _ => {}
        }
    }
    account
}

fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

fn micros(dollars: f64) -> u64 {
    whole(dollars * 1e6)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole, not negative and far below 2^53"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// The accounts side by side.
#[derive(Debug)]
pub struct Table {
    /// Of the callers, the log, the ledger and the provider.
    pub accounts: [Account; 4],
}

impl Table {
    /// What each account calls its own: the others know nothing of it.
    const KNOWS: [&[&str]; 4] = [
        &[REQUESTS, LEFT, HITS, ASKED_TOO_EARLY],
        &[REQUESTS, LEFT, HITS, ATTEMPTS, REPORTED, BILLED, ESTIMATED, COST],
        &[REQUESTS, LEFT, HITS, ATTEMPTS, BILLED, ESTIMATED, COST],
        &[ATTEMPTS, REPORTED],
    ];

    /// Every line with what each account says of it, where it says something.
    pub fn lines(&self) -> impl Iterator<Item = (&str, [Option<u64>; 4])> {
        let names: BTreeSet<&str> =
            self.accounts.iter().flat_map(|account| account.0.keys()).map(String::as_str).collect();
        names.into_iter().map(|name| (name, self.line(name)))
    }

    fn line(&self, name: &str) -> [Option<u64>; 4] {
        let failure = name.starts_with("failed with ");
        let mut numbers = [None; 4];
        for (index, account) in self.accounts.iter().enumerate() {
            let knows = (failure && index < 3)
                || Self::KNOWS.get(index).is_some_and(|lines| lines.contains(&name));
            if let (true, Some(place)) = (knows, numbers.get_mut(index)) {
                *place = Some(account.get(name));
            }
        }
        numbers
    }

    /// What the callers say of a line.
    pub fn line_of(&self, name: &str) -> u64 {
        let [callers, ..] = &self.accounts;
        callers.get(name)
    }

    /// The lines on which the accounts differ.
    pub fn differences(&self) -> Vec<&str> {
        let differs = |numbers: &[Option<u64>; 4]| {
            numbers.iter().flatten().collect::<BTreeSet<_>>().len() > 1
        };
        self.lines().filter(|(_, numbers)| differs(numbers)).map(|(name, _)| name).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differences = self.differences();
        writeln!(
            f,
            "{:<44} {:>10} {:>10} {:>10} {:>10}",
            "", "callers", "log", "ledger", "provider"
        )?;
        for (name, numbers) in self.lines() {
            let [client, log, ledger, provider] =
                numbers.map(|number| number.map_or(String::new(), |number| number.to_string()));
            let mark = if differences.contains(&name) { "  differ" } else { "" };
            writeln!(f, "{name:<44} {client:>10} {log:>10} {ledger:>10} {provider:>10}{mark}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_that_one_account_misses_is_a_difference() {
        let client = Client::default();
        client.note(&End::Failed("upstream_error".into()));
        client.note(&End::Answered { hit: false });
        let line =
            |code: &str| format!("{{\"event\":\"request\",\"code\":{code},\"attempts\":[{{}}]}}\n");
        let log = line("null") + &line("\"upstream_error\"");
        let metrics = "tollhouse_requests_total{a=\"b\"} 2\n\
                       tollhouse_errors_total{code=\"upstream_error\"} 1\n\
                       tollhouse_attempts_total{} 2\n";
        let table = |log: &str| Table {
            accounts: [client.account(), of_log(log).0, of_metrics(metrics), of_provider(2, 0)],
        };
        assert_eq!(table(&log).differences(), Vec::<&str>::new(), "{}", table(&log));
        let missed = table(&line("null"));
        assert_eq!(
            missed.differences(),
            ["calls to the provider", "failed with upstream_error", "requests"]
        );
    }
}
