//! Runs the gateway locally, under the workerd that Cloudflare runs.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use xshell::Shell;

use crate::{
    build::{self, Profile},
    setup,
};

/// The secret that opens the operators' page.
const ADMIN_KEY: &str = "TOLLHOUSE_ADMIN_KEY";

struct Options {
    port: u16,
    config: Option<String>,
}

/// Builds, starts `wrangler dev`, and prints a line to try when it answers.
pub(crate) fn run(sh: &Shell, arguments: &[String]) -> Result<()> {
    let options = read(arguments)?;
    build::run(sh, Profile::Quick)?;

    setup::say("starting workerd; stop it with Ctrl-C");
    let mut wrangler = Command::new(setup::node()?);
    wrangler
        .args(["--no-warnings", "node_modules/wrangler/bin/wrangler.js", "dev"])
        .args(["--ip", "127.0.0.1", "--port", &options.port.to_string()])
        .args(["--show-interactive-dev-session=false", "--log-level", "warn"])
        .env("TOLLHOUSE_BUILD", "quick")
        .env("WRANGLER_SEND_METRICS", "false")
        // What it would ask Cloudflare for, where the caller is, is not used.
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .current_dir(setup::root()?);
    let admin_key = admin_key()?;
    if let Some(key) = &admin_key {
        wrangler.arg("--var").arg(format!("{ADMIN_KEY}:{key}"));
    }
    if let Some(text) = &options.config {
        wrangler.arg("--var").arg(format!("TOLLHOUSE_CONFIG:{text}"));
    }
    let mut child = wrangler.spawn().context("wrangler could not be started")?;
    wait_for(&mut child, options.port)?;
    print_greeting(&options);
    if let Some(key) = admin_key {
        println!(
            "Look at it: http://127.0.0.1:{}/admin\nThe key, for this run alone: {key}\n",
            options.port
        );
    }
    let status = child.wait()?;
    ensure!(status.success() || status.code().is_none(), "wrangler ended with {status}");
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process starts; there is nothing to wait on but its port"
)]
fn wait_for(child: &mut Child, port: u16) -> Result<()> {
    while !answers(port) {
        if let Some(status) = child.try_wait()? {
            bail!("wrangler ended before the gateway answered ({status})");
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn read(arguments: &[String]) -> Result<Options> {
    let mut options = Options { port: 8787, config: None };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().with_context(|| format!("`{flag}` needs a value"))?;
        match flag.as_str() {
            "--port" => {
                options.port = value.parse().with_context(|| format!("`{value}` is no port"))?;
            }
            "--config" => {
                options.config = Some(
                    fs::read_to_string(value)
                        .with_context(|| format!("`{value}` cannot be read"))?,
                );
            }
            _ => bail!("`dev` takes --port and --config, not `{flag}`"),
        }
    }
    Ok(options)
}

/// A key nobody else knows, unless `.dev.vars` has one.
fn admin_key() -> Result<Option<String>> {
    let own = fs::read_to_string(setup::root()?.join(".dev.vars")).unwrap_or_default();
    if own.contains(ADMIN_KEY) {
        return Ok(None);
    }
    // Each state is seeded by the system.
    let random = || RandomState::new().hash_one(ADMIN_KEY);
    Ok(Some(format!("{:016x}{:016x}", random(), random())))
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let request = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut reply = [0; 12];
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_exact(&mut reply).is_ok()
        && reply.starts_with(b"HTTP/1.1 200")
}

fn print_greeting(options: &Options) {
    let port = options.port;
    println!("\nTollhouse is ready on http://127.0.0.1:{port}");
    if options.config.is_some() {
        println!("Its models: curl http://127.0.0.1:{port}/v1/models");
        return;
    }
    println!(
        "Try it:\n\n  curl http://127.0.0.1:{port}/v1/chat/completions -H 'content-type: application/json' \\\n    \
         -d '{{\"model\":\"mock\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n"
    );
}
