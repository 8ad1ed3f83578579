//! Many callers at once, faults of every kind, streams, and callers who vanish: afterwards nothing
//! is missing from any account, nothing is held back, and memory has stopped growing.

pub mod books;
pub mod caller;
pub mod kind;
pub mod memory;
pub mod upstream;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use self::{
    books::{ASKED_TOO_EARLY, Client, REQUESTS, Table, of_log, of_metrics, of_provider},
    caller::{World, read},
    memory::{Part, Sample, growth},
    upstream::Upstream,
};
use crate::{
    client::{Reply, get, post},
    keys::caller,
    workerd::{Options, Workerd},
};

/// The limits of the key whose callers leave: enough for all of them at once, and used up in seconds
/// if what they had reserved did not come back.
const HELD_REQUESTS: u64 = 60_000;
const HELD_TOKENS: u64 = 400_000;
/// What the longest request of all leaves of it.
const SPARE_TOKENS: u64 = 200;

/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How to soak.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How long callers call.
    pub length: Duration,
    /// How many call at once.
    pub callers: usize,
    /// Over how many isolates they are spread.
    pub isolates: usize,
    /// Between two lines about the memory.
    pub interval: Duration,
}

/// What a soak has found.
#[derive(Debug)]
pub struct Outcome {
    /// The accounts.
    pub table: Table,
    /// The memory over time.
    pub samples: Vec<Sample>,
    /// What is not as it should be, memory aside.
    pub problems: Vec<String>,
}

impl Outcome {
    /// The parts of memory that were still growing after the warm-up, and how fast, in MiB a minute;
    /// a run of minutes can tell.
    pub fn leaks(&self) -> impl Iterator<Item = (Part, f64)> {
        let grown = Part::ALL.into_iter().map(|part| (part, growth(&self.samples, part)));
        grown.filter(|(part, growth)| *growth > part.limit())
    }
}

/// Soaks the gateway.
///
/// # Errors
/// When it cannot be started, and when an answer is neither whole nor an error.
pub fn run(plan: Plan) -> Result<Outcome> {
    let upstream = Upstream::start()?;
    let options = Options { probed: true, ..Options::with_config(config(&upstream.base_url())) };
    let gateway = Workerd::start(&options.isolates(plan.isolates))?;
    let (client, calls) = (Client::default(), AtomicU64::new(0));
    let world = World { gateway, isolates: plan.isolates, upstream, client, calls };
    let samples = load(&world, plan)?;
    let mut problems = Vec::new();
    if let Err(error) = everything_is_free(&world) {
        problems.push(format!("{error:#}"));
    }
    let log = settled_log(&world)?;
    let (logged, others) = of_log(&log);
    if let Some(line) = others.first() {
        problems.push(format!("{} lines of the log are about no request: {line}", others.len()));
    }
    let metrics = settled_metrics(&world)?;
    let provider = of_provider(world.upstream.calls(), world.upstream.tokens());
    let accounts = [world.client.account(), logged, of_metrics(&metrics), provider];
    let table = Table { accounts };
    problems.extend(table.differences().into_iter().map(|line| format!("accounts differ: {line}")));
    let held = table.line_of("failed with token_limit_exceeded") - table.line_of(ASKED_TOO_EARLY);
    if held > 0 {
        problems.push(format!("{held} calls found the tokens of callers who left still taken"));
    }
    Ok(Outcome { table, samples, problems })
}

fn config(base_url: &str) -> String {
    let plenty = "limits = { requests_per_minute = 10000000, tokens_per_minute = 1000000000 }";
    let held = format!(
        "limits = {{ requests_per_minute = {HELD_REQUESTS}, tokens_per_minute = {HELD_TOKENS} }}"
    );
    format!(
        r#"
version = 1
[auth]
mode = "keys"
{}{}{}
[breaker]
failures = 50
open_ms = 1000
[telemetry]
flush_ms = 1000
[limits]
lease_ms = 2000
[defaults]
bounds = {{ max_tokens = [1, 10000000] }}
retry = {{ max_attempts = 3, base_delay_ms = 20, max_delay_ms = 100, budget = 1.0 }}
timeout = {{ connect_ms = 10000, first_token_ms = 20000, idle_ms = 3000, reply_ms = 20000, total_ms = 60000 }}
cache = {{ enabled = false }}
[providers.p0]
kind = "openai"
base_url = "{base_url}"
[providers.p1]
kind = "openai"
base_url = "{base_url}"
[models.m]
targets = [{{ provider = "p0", model = "m", price = {{ input = 1.0, output = 2.0 }} }}]
[models.dead]
targets = [{{ provider = "p1", model = "m" }}]
[models.cached]
targets = [{{ provider = "p0", model = "m" }}]
cache = {{ enabled = true }}
"#,
        caller("soak", plenty),
        caller("held", &held),
        caller("scarce", "limits = { requests_per_minute = 30 }"),
    )
}

/// Lets the callers call, and looks at the memory meanwhile.
fn load(world: &World, plan: Plan) -> Result<Vec<Sample>> {
    let began = Instant::now();
    let until = began + plan.length;
    thread::scope(|scope| {
        let callers: Vec<_> =
            (0..plan.callers).map(|_| scope.spawn(|| world.call_until(until))).collect();
        let mut samples: Vec<Sample> = Vec::new();
        let mut told = began;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            // Only time shows what memory does in time.
            thread::sleep(left.min(LOOK_EVERY));
            let sample = Sample::take(&world.gateway, plan.isolates, began)?;
            samples.push(sample);
            if told.elapsed() >= plan.interval {
                told = Instant::now();
                eprintln!("{sample}, {:>8} calls", world.calls.load(Ordering::Relaxed));
            }
        }
        for caller in callers {
            caller.join().map_err(|_| anyhow!("a caller panicked"))??;
        }
        Ok(samples)
    })
}

/// What callers who left had reserved is free: one request that needs all of it is served, and of the
/// requests none is held back.
fn everything_is_free(world: &World) -> Result<()> {
    let url = format!("{}/v1/chat/completions", world.gateway.url());
    let all = json!({
        "model": "m",
        "max_tokens": HELD_TOKENS - SPARE_TOKENS,
        "messages": [{"role": "user", "content": "call 0 of kind Well."}],
    });
    let tokens = |reply: &Reply| reply.status == 200;
    let all_requests = (HELD_REQUESTS - 1).to_string();
    let requests = |reply: &Reply| {
        reply.header("x-ratelimit-remaining-requests") == Some(all_requests.as_str())
    };
    eventually("the whole token limit is free again", || ask(world, &url, &all), tokens)?;
    let little = json!({
        "model": "m",
        "max_tokens": 1,
        "messages": [{"role": "user", "content": "call 0 of kind Well."}],
    });
    eventually("the whole request limit is free again", || ask(world, &url, &little), requests)
}

fn ask(world: &World, url: &str, body: &serde_json::Value) -> Result<Reply> {
    let reply = post(url, "held-key", body)?;
    world.client.note_apart(&read(&reply)?);
    Ok(reply)
}

/// Waits for a full bucket, which takes a minute at most.
fn eventually(
    what: &str,
    mut ask: impl FnMut() -> Result<Reply>,
    holds: impl Fn(&Reply) -> bool,
) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(70);
    loop {
        let reply = ask()?;
        if holds(&reply) {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(anyhow!("it is not so that {what}: {:?} {}", reply.headers, reply.text()));
        }
        // The platform's clock refills the bucket.
        thread::sleep(Duration::from_secs(2));
    }
}

/// The log, once it has a line for every call or no more come.
fn settled_log(world: &World) -> Result<String> {
    settled(|| {
        let log = world.gateway.log();
        let lines = log.matches("\"event\":\"request\"").count() as u64;
        Ok((lines >= world.client.account().get(REQUESTS), log))
    })
}

/// The metrics, once every call is in them or no more come.
fn settled_metrics(world: &World) -> Result<String> {
    settled(|| {
        let text = get(&format!("{}/metrics", world.gateway.url()), "")?.text();
        let counted = of_metrics(&text).get(REQUESTS);
        Ok((counted >= world.client.account().get(REQUESTS), text))
    })
}

/// Looks every second until `look` says that it is complete, at most half a minute.
fn settled(mut look: impl FnMut() -> Result<(bool, String)>) -> Result<String> {
    let mut last = None;
    for _ in 0..30 {
        let (complete, text) = look()?;
        if complete {
            return Ok(text);
        }
        last = Some(text);
        // Another process hands over what it has counted.
        thread::sleep(Duration::from_secs(1));
    }
    last.context("nothing was looked at")
}
