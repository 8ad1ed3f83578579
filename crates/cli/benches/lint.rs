//! `cargo xtask bench lint`: the linter over real source against parsing alone, as ratios within one run.
//!
//! The source is a sample of the crates that this workspace is built from, or of the folders in `LINT_BENCH_DIR`. Every contender
//! reads the same files on one thread where not said otherwise. Contenders take turns; a ratio is to parsing in the same
//! round, in processor seconds, and the median of all rounds counts, because a machine's speed changes from one second to
//! the next by more than what is measured. Memory is the greatest a process held.
//!
//! Code that calls models has more to be asked about: of a folder full of crates that do, `LINT_BENCH_DIR` tells.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails where it stands"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "bytes and ticks are far below 2^53"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;
/// Rounds of the other tools, which are slower.
const OF_OTHERS: usize = 3;
/// Enough source to drown a process's start.
const SAMPLE: u64 = 40 << 20;
/// The kernel counts a process's time in hundredths of a second (`USER_HZ`, fixed on Linux).
const TICKS: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, paths)) if first == "parse-alone" => parse_alone(paths),
        Some(_) | None => compare(),
    }
}

/// The floor: every file read and parsed with the positions of its tokens, nothing looked at.
fn parse_alone(paths: &[String]) {
    let paths = paths.to_vec();
    let work = move || {
        let parsed = paths.iter().flat_map(|path| sources(Path::new(path))).filter(|(path, _)| {
            let text =
                String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
            let parsed = syn::parse_file(&text).is_ok();
            proc_macro2::extra::invalidate_current_thread_spans();
            parsed
        });
        println!("{}", parsed.count());
    };
    std::thread::Builder::new().stack_size(256 << 20).spawn(work).unwrap().join().unwrap();
}

fn sources(at: &Path) -> Vec<(PathBuf, u64)> {
    let files = ignore::WalkBuilder::new(at).require_git(false).build().flatten();
    let rust = files.filter(|of| of.path().extension().is_some_and(|ext| ext == "rs"));
    rust.filter_map(|of| Some((of.path().to_path_buf(), of.metadata().ok()?.len()))).collect()
}

fn size(package: &Path) -> u64 {
    sources(package).iter().map(|(_, size)| size).sum()
}

/// What this workspace is built from, as far as it lies in the registry.
fn built_from() -> Vec<PathBuf> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock: toml::Table = std::fs::read_to_string(lock).unwrap().parse().unwrap();
    let named: BTreeSet<String> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| format!("{}-{}", of["name"].as_str().unwrap(), of["version"].as_str().unwrap()))
        .collect();
    let is_named = |at: &PathBuf| named.contains(&*at.file_name().unwrap().to_string_lossy());
    let home = PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cargo/registry/src");
    packages(&home).into_iter().filter(is_named).collect()
}

/// Packages, and how many bytes of Rust they hold.
fn weighed(packages: Vec<PathBuf>) -> (Vec<String>, u64) {
    let bytes = packages.iter().map(|at| size(at)).sum();
    (packages.into_iter().map(|at| at.display().to_string()).collect(), bytes)
}

/// Every package in a folder, or in the folders there, sorted.
fn packages(root: &Path) -> Vec<PathBuf> {
    let folders = |at: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(at).into_iter().flatten().flatten().map(|of| of.path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut packages = folders(root);
    if !packages.iter().any(|at| at.join("Cargo.toml").is_file()) {
        packages = packages.iter().flat_map(|registry| folders(registry)).collect();
    }
    packages.sort();
    packages
}

/// Whole packages, evenly spread, until there is enough; and how many bytes of Rust they hold.
fn sample() -> (Vec<String>, u64) {
    let packages = std::env::var_os("LINT_BENCH_DIR")
        .map_or_else(built_from, |root| packages(Path::new(&root)));
    let stride = (packages.len() / 100).max(1);
    let (mut chosen, mut bytes) = (Vec::new(), 0);
    for first in 0..stride {
        for package in packages.iter().skip(first).step_by(stride) {
            if bytes >= SAMPLE {
                return (chosen, bytes);
            }
            bytes += size(package);
            chosen.push(package.display().to_string());
        }
    }
    (chosen, bytes)
}

/// What one run took.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    wall: f64,
    peak: u64,
}

/// Processor seconds of every child that has ended.
fn spent() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    // `cutime` and `cstime` are fields 16 and 17 of proc(5), the third is the first after the name.
    let field = |at: usize| fields.get(at - 3).and_then(|text| text.parse::<f64>().ok());
    (field(16).unwrap_or_default() + field(17).unwrap_or_default()) / TICKS
}

fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() << 10
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and waits for a process"
)]
fn cost(command: &mut Command) -> Option<Cost> {
    let (before, started) = (spent(), std::time::Instant::now());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let mut most = 0;
    while child.try_wait().ok()?.is_none() {
        most = most.max(peak(child.id()));
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(Cost { seconds: spent() - before, wall: started.elapsed().as_secs_f64(), peak: most })
}

struct Contender {
    name: &'static str,
    command: Box<dyn Fn() -> Command>,
    /// How much Rust it reads.
    bytes: u64,
    rounds: usize,
}

fn contenders(sample: &(Vec<String>, u64), kept: &Path) -> Vec<Contender> {
    let (packages, bytes) = (&sample.0, sample.1);
    let (dependencies, theirs) = weighed(built_from());
    let run = |name, program: &str, arguments: &[&str], last: &[String]| {
        let program = program.to_owned();
        let all: Vec<String> =
            arguments.iter().map(|of| (*of).to_owned()).chain(last.to_vec()).collect();
        let command = move || {
            let mut command = Command::new(&program);
            command.args(&all);
            command
        };
        Contender { name, command: Box::new(command), bytes, rounds: ROUNDS }
    };
    let own = std::env::current_exe().unwrap().display().to_string();
    let lint = env!("CARGO_BIN_EXE_tollhouse");
    let kept = kept.display().to_string();
    let sieved = ["lint", "--no-cache", "--threads", "1"];
    vec![
        run("parsing alone", &own, &["parse-alone"], packages),
        run(
            "every package, all rules",
            lint,
            &["lint", "--whole", "--no-cache", "--threads", "1"],
            packages,
        ),
        run(
            "every package, two threads",
            lint,
            &["lint", "--whole", "--no-cache", "--threads", "2"],
            packages,
        ),
        run("sieved, all rules", lint, &sieved, packages),
        run(
            "sieved, nothing changed",
            lint,
            &["lint", "--cache-dir", &kept, "--threads", "1"],
            packages,
        ),
        Contender {
            bytes: theirs,
            ..run("sieved, few touch a model", lint, &sieved, &dependencies)
        },
        Contender {
            rounds: OF_OTHERS,
            ..run(
                "ast-grep, one pattern",
                "ast-grep",
                &["run", "--lang", "rust", "--pattern", "$A.unwrap()", "--threads", "1"],
                packages,
            )
        },
        Contender {
            rounds: OF_OTHERS,
            ..run(
                "semgrep, one pattern",
                "semgrep",
                &[
                    "--lang",
                    "rust",
                    "-e",
                    "$A.unwrap()",
                    "-j",
                    "1",
                    "--metrics",
                    "off",
                    "--disable-version-check",
                    "--no-git-ignore",
                    "--quiet",
                ],
                packages,
            )
        },
    ]
}

fn compare() {
    let sample = sample();
    let kept = std::env::temp_dir().join(format!("tollhouse-bench-{}", std::process::id()));
    let contenders = contenders(&sample, &kept);
    // The cache is filled before anything is measured.
    let _filled = cost(&mut (contenders[4].command)());
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); contenders.len()];
    for round in 0..ROUNDS {
        for (contender, costs) in contenders.iter().zip(&mut costs) {
            if round < contender.rounds {
                costs.extend(cost(&mut (contender.command)()));
            }
        }
    }
    drop(std::fs::remove_dir_all(kept));
    println!(
        "lint: {} packages, {:.1} MB of Rust, medians of {ROUNDS} rounds, of {OF_OTHERS} for other tools",
        sample.0.len(),
        sample.1 as f64 / 1e6
    );
    println!(
        "{:<28} {:>7} {:>7} {:>7} {:>8} {:>8}",
        "", "cpu s", "MB/s", "wall s", "ratio", "memory"
    );
    for (contender, all) in contenders.iter().zip(&costs) {
        if all.is_empty() {
            println!("{:<28} not installed", contender.name);
            continue;
        }
        let bytes = contender.bytes as f64;
        let seconds = median(all.iter().map(|cost| cost.seconds));
        let floors = costs[0].iter().map(|floor| floor.seconds / sample.1 as f64);
        let ratio =
            median(all.iter().zip(floors).map(|(cost, floor)| cost.seconds / bytes / floor));
        println!(
            "{:<28} {seconds:>7.2} {:>7.1} {:>7.2} {ratio:>7.2}x {:>7.1}x",
            contender.name,
            bytes / 1e6 / seconds,
            median(all.iter().map(|cost| cost.wall)),
            all.iter().map(|cost| cost.peak).max().unwrap_or_default() as f64 / bytes
        );
    }
    println!(
        "ratio: to parsing alone of as much source, budget 1.3 for every package; where few touch a model, 80 MB/s; \
         memory: to the source read, budget 10"
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
