//! `cargo xtask dev`, as a developer uses it who edits while it runs.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use tollhouse_tests::{client::call, wait::eventually_within, workerd::root};

/// `cargo xtask dev` and what it starts; all of it ends when dropped.
struct Dev {
    child: Child,
    url: String,
}

impl Dev {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let child = Command::new(cargo)
            .args(["xtask", "dev", "--port", &port.to_string()])
            .current_dir(root().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let dev = Self { child, url: format!("http://127.0.0.1:{port}") };
        eventually_within(Duration::from_mins(5), "the gateway", || dev.answers());
        dev
    }

    fn answers(&self) -> bool {
        let url = format!("{}/health/live", self.url);
        call("GET", &url, &[], &[]).is_ok_and(|reply| reply.status == 200)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).status();
        let _ = self.child.wait();
    }
}

fn written(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|of| of.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[test]
fn dev_builds_once_for_an_edit_and_answers_again() {
    let dev = Dev::start();
    let root = root().unwrap();
    let built = root.join("crates/worker/build/index_bg.wasm");
    let before = written(&built);

    // An edit that changes nothing, of a file that no other crate is compiled from.
    let edited = root.join("crates/worker/glue/entry.js");
    fs::write(&edited, fs::read(&edited).unwrap()).unwrap();
    eventually_within(Duration::from_mins(2), "a build", || written(&built) > before);

    // A build that sets off the next one does so within a second.
    thread::sleep(Duration::from_secs(3));
    let after = written(&built);
    thread::sleep(Duration::from_secs(5));
    assert_eq!(written(&built), after, "builds go on though nothing is edited");
    assert!(dev.answers(), "the gateway does not answer after an edit");
}
