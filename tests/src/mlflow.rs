//! A real MLflow server with an SQLite store, and MLflow's own client to read it with.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{client::get, wait::eventually_within, workerd::root};

/// A tracking server; what it keeps outlives it, until [`Server::stop`] and [`Server::start_again`].
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts a server with an empty store.
    ///
    /// # Errors
    /// When it does not come up; `cargo xtask test` installs it.
    pub fn start(name: &str) -> Result<Self> {
        let folder = root()?.join(format!("target/scratch/mlflow-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut server = Self { folder, port, child: None };
        server.start_again()?;
        Ok(server)
    }

    /// Starts it over what it kept, at the same address.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&mut self) -> Result<()> {
        let log = File::create(self.folder.join("log"))?;
        let program = root()?.join(".venv-mlflow/bin/mlflow");
        let child = Command::new(&program)
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port"])
            .arg(self.port.to_string())
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}/store.db", self.folder.display()))
            .arg("--artifacts-destination")
            .arg(self.folder.join("files"))
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .stdout(log.try_clone()?)
            .stderr(log)
            // Its workers end with it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        self.child = Some(child);
        let url = format!("{}/health", self.url());
        eventually_within(Duration::from_mins(2), "the MLflow server", || {
            get(&url, "").is_ok_and(|reply| reply.status == 200)
        });
        Ok(())
    }

    /// Ends it; what it kept stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = format!("-{}", child.id());
            let _ = Command::new("kill").args(["-9", "--", &group]).status();
            let _ = child.wait();
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What MLflow's own client finds: by experiment its `runs` and `traces`.
    ///
    /// # Errors
    /// When the client fails.
    pub fn read(&self) -> Result<Value> {
        let root = root()?;
        let output = Command::new(root.join(".venv-mlflow/bin/python"))
            .arg(root.join("tests/sdk/mlflow_read.py"))
            .env("TRACKING_URI", self.url())
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
