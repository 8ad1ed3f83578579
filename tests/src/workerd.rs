//! The built gateway under real workerd, started by `harness/workerd.mjs`.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use crate::client;

/// How to start the gateway.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The configuration, as TOML; none is the embedded default.
    pub config: Option<String>,
    /// Variables and secrets.
    pub bindings: BTreeMap<String, String>,
    /// How many isolates share the Durable Objects and KV; 0 and 1 are one.
    pub isolates: usize,
    /// Where the JavaScript pass-through sends its calls; none starts no pass-through.
    pub floor: Option<String>,
    /// A folder that keeps KV and Durable Objects over a restart.
    pub persist: Option<PathBuf>,
    /// Keys of the KV namespace `CONFIG`, written before the first request.
    pub stored_config: Option<String>,
    /// Whether the tests' own pages stand before the Worker's, see [`Workerd::probe`], and garbage is
    /// collected at every chance, so that resident memory tells what is really held.
    pub probed: bool,
    /// What the object `LIMITER` does instead of its work.
    pub limiter: Option<Outage>,
    /// Whether the files of the operators' page are deployed.
    pub page: bool,
    /// Whether a dataset of Analytics Engine is bound, whose points are lines of the log.
    pub dataset: bool,
}

/// Each collection is of everything, and comes after a mebibyte or so. Left to itself, V8 keeps
/// hundreds of mebibytes of requests and streams that nobody holds, because it counts only the few
/// bytes that stand for each of them on its own heap; Miniflare's own isolates do so too.
const EAGER_GC: &str = "--gc-global --max-semi-space-size=1";

/// How an object is out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It answers every call with an exception.
    Failing,
    /// It answers none.
    Silent,
}

/// What can be seen of an isolate from outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The linear memory of its Rust instance, in bytes.
    pub wasm_bytes: u64,
    /// How many Rust instances it has started.
    pub instances: u64,
}

impl Options {
    /// The gateway with this configuration.
    pub fn with_config(config: impl Into<String>) -> Self {
        Self { config: Some(config.into()), ..Self::default() }
    }

    /// Sets a variable or secret.
    pub fn binding(mut self, name: &str, value: &str) -> Self {
        self.bindings.insert(name.into(), value.into());
        self
    }

    /// Starts this many isolates.
    pub fn isolates(mut self, count: usize) -> Self {
        self.isolates = count;
        self
    }
}

/// A running gateway; it stops when dropped.
#[derive(Debug)]
pub struct Workerd {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    urls: Vec<String>,
    floor: Option<String>,
    log: PathBuf,
}

impl Workerd {
    /// Starts the gateway that `cargo xtask build` left in crates/worker/build.
    ///
    /// # Errors
    /// Says what is missing when the build, Node or workerd is.
    pub fn start(options: &Options) -> Result<Self> {
        let root = root()?;
        ensure!(
            root.join("crates/worker/build/index_bg.wasm").exists(),
            "the Worker is not built: run `cargo xtask build --quick`"
        );
        let log = log_file(&root)?;
        let mut child = Command::new(root.join("node_modules/.bin/node"))
            .arg("--no-warnings")
            .arg(root.join("tests/harness/workerd.mjs"))
            .env("MINIFLARE_WORKERD_V8_FLAGS", if options.probed { EAGER_GC } else { "" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("node could not be started: run `cargo xtask test` once, which installs it")?;
        let stdin = child.stdin.take().context("no stdin")?;
        let answers = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut pipes = (stdin, answers);
        let hello = exchange(&mut pipes, &start_message(options, &log))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            child,
            pipes: Mutex::new(pipes),
            urls: hello["gateways"].as_array().into_iter().flatten().filter_map(text).collect(),
            floor: text(&hello["floor"]),
            log,
        })
    }

    /// The first isolate's address, without a slash at its end.
    pub fn url(&self) -> &str {
        self.isolate(0)
    }

    /// The address of isolate `index`.
    pub fn isolate(&self, index: usize) -> &str {
        self.urls.get(index).map_or("", String::as_str)
    }

    /// The pass-through's address.
    pub fn floor(&self) -> Option<&str> {
        self.floor.as_deref()
    }

    /// What isolate `index` is made of at the moment; it must have been started `probed`.
    ///
    /// # Errors
    /// When there is no such page.
    pub fn probe(&self, index: usize) -> Result<Probe> {
        let told = client::get(&format!("{}/__probe", self.isolate(index)), "")?.json();
        let number = |name: &str| told[name].as_u64().with_context(|| format!("no {name}: {told}"));
        Ok(Probe { wasm_bytes: number("wasm_bytes")?, instances: number("instances")? })
    }

    /// Makes the next entry into isolate `index` end in a trap; it must have been started `probed`.
    ///
    /// # Errors
    /// When there is no such page.
    pub fn trap(&self, index: usize) -> Result<()> {
        let reply = client::get(&format!("{}/__trap", self.isolate(index)), "")?;
        ensure!(reply.status == 200, "no trap was set: {}", reply.status);
        Ok(())
    }

    /// Everything the gateway has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Writes a KV value.
    ///
    /// # Errors
    /// Those of the harness.
    pub fn put(&self, binding: &str, key: &str, value: &str) -> Result<()> {
        self.command(&json!({"do": "put", "binding": binding, "key": key, "value": value}))
            .map(drop)
    }

    /// Everything in a KV namespace, values in base64.
    ///
    /// # Errors
    /// Those of the harness.
    pub fn dump(&self, binding: &str) -> Result<Value> {
        self.command(&json!({"do": "dump", "binding": binding}))
            .map(|reply| reply["entries"].clone())
    }

    /// The process id of workerd itself, a child of the harness.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn workerd_pid(&self) -> Result<u32> {
        let parent = self.child.id().to_string();
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            let parent_of_it = after_name.split_whitespace().nth(1);
            if parent_of_it == Some(parent.as_str()) && stat.contains("(workerd)") {
                return Ok(pid);
            }
        }
        Err(anyhow!("no workerd below process {parent}"))
    }

    fn command(&self, message: &Value) -> Result<Value> {
        let mut pipes = self.pipes.lock().map_err(|_| anyhow!("the harness is broken"))?;
        let reply = exchange(&mut pipes, message)?;
        ensure!(reply.get("error").is_none(), "the harness answered {reply}");
        Ok(reply)
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        let pid = self.workerd_pid();
        // The harness goes first, so that it cannot start another workerd.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Ok(pid) = pid {
            let _ = Command::new("kill").arg("-9").arg(pid.to_string()).status();
        }
    }
}

/// The workspace's folder.
///
/// # Errors
/// When the tests were moved out of it.
pub fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).context("the tests have no folder above them")
}

fn start_message(options: &Options, log: &Path) -> Value {
    let mut bindings = options.bindings.clone();
    if let Some(config) = &options.config {
        bindings.insert("TOLLHOUSE_CONFIG".into(), config.clone());
    }
    json!({
        "bindings": bindings,
        "isolates": options.isolates.max(1),
        "floor": options.floor,
        "persist": options.persist,
        "log": log,
        "probed": options.probed,
        "page": options.page,
        "dataset": options.dataset,
        "limiter": options.limiter.map(|outage| match outage {
            Outage::Failing => "failing",
            Outage::Silent => "silent",
        }),
        "kv": options.stored_config.as_ref().map(|text| json!({"CONFIG": {"tollhouse.toml": text}})),
    })
}

fn exchange(pipes: &mut (ChildStdin, BufReader<ChildStdout>), message: &Value) -> Result<Value> {
    writeln!(pipes.0, "{message}")?;
    pipes.0.flush()?;
    let mut line = String::new();
    pipes.1.read_line(&mut line)?;
    serde_json::from_str(&line).with_context(|| format!("the harness said {line:?}"))
}

fn log_file(root: &Path) -> Result<PathBuf> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = root.join("target/workerd-logs");
    fs::create_dir_all(&folder)?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Ok(folder.join(format!("{}-{number}.log", std::process::id())))
}
