//! `cargo xtask bench`: what a request costs in the gateway, as a ratio to a JavaScript pass-through.

#![expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tollhouse_tests::{
    bench::{
        cpu,
        load::{self, Shot},
        upstream,
    },
    keys::caller,
    workerd::{Options, Workerd},
};

/// Rounds of each case; each round sends this many requests over each connection.
const ROUNDS: usize = 9;
const REQUESTS: usize = 250;
const CONNECTIONS: usize = 4;
/// Requests of a round, one after the other, whose first byte is timed.
const ALONE: usize = 60;

/// The bucket of one request a minute lets one through now and then.
const REFUSED: &[u16] = &[429, 200];

struct Case {
    name: &'static str,
    shot: Shot,
    floor: &'static str,
    budget: Option<f64>,
}

#[derive(Default)]
struct Rounds {
    cpu: Vec<f64>,
    first_byte: Vec<f64>,
}

fn main() -> Result<()> {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let origin = upstream::start()?;
    let options =
        Options { config: Some(config(&origin)), floor: Some(origin), ..Options::default() };
    let gateway = Workerd::start(&options)?;
    let pid = gateway.workerd_pid()?;
    let cases = cases(&gateway)?;
    if let [word, name] = wanted.as_slice()
        && word == "profile"
    {
        return profile(&cases, name, pid);
    }
    for name in &wanted {
        anyhow::ensure!(
            cases.iter().any(|case| case.name.contains(name.as_str())),
            "no case is called {name:?}; there are {}",
            cases.iter().map(|case| case.name).collect::<Vec<_>>().join(", ")
        );
    }
    let mut results: Vec<Rounds> = cases.iter().map(|_| Rounds::default()).collect();
    eprintln!("{ROUNDS} interleaved rounds of {} requests each", REQUESTS * CONNECTIONS);
    for round in 0..=ROUNDS {
        eprintln!("round {round}: {:.0} MiB", cpu::resident_mib(pid)?);
        for (case, result) in cases.iter().zip(&mut results) {
            let floor_only = case.floor.is_empty();
            let chosen =
                wanted.is_empty() || wanted.iter().any(|name| case.name.contains(name.as_str()));
            if !floor_only && !chosen {
                continue;
            }
            let before = cpu::used_micros(pid)?;
            load::fire(&case.shot, CONNECTIONS, REQUESTS)?;
            let used = cpu::used_micros(pid)? - before;
            // With one caller: with several, what is measured is how long they queue for the CPU.
            let measured = load::fire(&case.shot, 1, ALONE)?;
            if round > 0 {
                result.cpu.push(used / (REQUESTS * CONNECTIONS) as f64);
                result.first_byte.extend(measured.first_byte.iter().map(Duration::as_secs_f64));
            }
        }
    }
    report(&cases, &mut results, pid)
}

/// Fires one case for half a minute, so that a profiler can be attached to workerd.
fn profile(cases: &[Case], name: &str, pid: u32) -> Result<()> {
    let case = cases.iter().find(|case| case.name == name).context("no case has that name")?;
    println!("{name}: workerd is process {pid}");
    let began = Instant::now();
    let before = cpu::used_micros(pid)?;
    let mut requests = 0;
    while began.elapsed() < Duration::from_secs(30) {
        load::fire(&case.shot, CONNECTIONS, REQUESTS)?;
        requests += REQUESTS * CONNECTIONS;
    }
    println!("{:.1} µs of CPU a request", (cpu::used_micros(pid)? - before) / requests as f64);
    Ok(())
}

fn config(origin: &str) -> String {
    let bench = caller(
        "bench",
        "limits = { requests_per_minute = 100000000, tokens_per_minute = 100000000000 }",
    );
    let spent = caller("spent", "limits = { requests_per_minute = 1 }");
    format!(
        r#"
version = 1
[auth]
mode = "keys"
{bench}{spent}[providers.local]
kind = "openai"
base_url = "{origin}/v1"
placement = "gpu"
[models.fast]
targets = [{{ provider = "local", model = "upstream-model" }}]
limits = {{ requests_per_minute = 100000000, tokens_per_minute = 100000000000 }}
cache = {{ enabled = false }}
[models.cached]
targets = [{{ provider = "local", model = "upstream-model" }}]
"#
    )
}

fn cases(gateway: &Workerd) -> Result<Vec<Case>> {
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    let floor = host(gateway.floor().context("no pass-through")?);
    let gate = host(gateway.url());
    let shot = |host: &str, key: &str, model: &str, stream: bool, expect: &'static [u16]| Shot {
        host: host.into(),
        path: "/v1/chat/completions".into(),
        headers: format!("authorization: Bearer {key}\r\nuser-agent: bench\r\naccept: */*\r\n"),
        body: body(model, stream),
        expect,
    };
    let case = |name, shot, floor, budget| Case { name, shot, floor, budget };
    Ok(vec![
        case("floor", shot(&floor, "bench-key", "fast", false, &[200]), "", None),
        case("floor, streamed", shot(&floor, "bench-key", "fast", true, &[200]), "", None),
        case("proxied", shot(&gate, "bench-key", "fast", false, &[200]), "floor", Some(1.5)),
        case(
            "streamed",
            shot(&gate, "bench-key", "fast", true, &[200]),
            "floor, streamed",
            Some(1.5),
        ),
        case("cache hit", shot(&gate, "bench-key", "cached", false, &[200]), "floor", Some(0.7)),
        case("refused by limit", shot(&gate, "spent-key", "fast", false, REFUSED), "floor", None),
    ])
}

/// About two kilobytes, as a chat with some history is.
fn body(model: &str, stream: bool) -> String {
    let text = "The quick brown fox jumps over the lazy dog and goes on its way. ".repeat(8);
    format!(
        r#"{{"model":"{model}","stream":{stream},"temperature":0.1,"max_tokens":200,"messages":[
{{"role":"system","content":"You are a helpful assistant."}},{{"role":"user","content":"{text}"}},
{{"role":"assistant","content":"{text}"}},{{"role":"user","content":"{text}"}}]}}"#
    )
    .replace("\"stream\":false,", "")
}

fn report(cases: &[Case], results: &mut [Rounds], pid: u32) -> Result<()> {
    let medians: Vec<(f64, f64)> = results
        .iter_mut()
        .map(|result| (median(&mut result.cpu), median(&mut result.first_byte)))
        .collect();
    println!(
        "{:<20} {:>12} {:>8} {:>8}  {:>16}",
        "case", "CPU µs/req", "ratio", "budget", "first byte, ms"
    );
    for (case, (cpu, first)) in cases.iter().zip(&medians) {
        if cpu.is_nan() {
            continue;
        }
        let floor =
            cases.iter().position(|other| other.name == case.floor).and_then(|at| medians.get(at));
        let ratio = floor.map_or(String::new(), |floor| format!("{:.2}", cpu / floor.0));
        let budget = case.budget.map_or(String::new(), |budget| format!("{budget:.2}"));
        let added =
            floor.map_or(String::new(), |floor| format!(" (+{:.2})", (first - floor.1) * 1e3));
        println!(
            "{:<20} {cpu:>12.1} {ratio:>8} {budget:>8}  {:>8.2}{added}",
            case.name,
            first * 1e3
        );
    }
    println!("memory of workerd after all rounds: {:.0} MiB", cpu::resident_mib(pid)?);
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
