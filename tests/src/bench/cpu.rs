//! CPU time of a process, in microseconds, as Linux counts it.

use std::fs;

use anyhow::{Context, Result};

/// User and system time that process `pid` has used since it started, in microseconds.
///
/// Read from `/proc/PID/schedstat` of every thread, which counts in nanoseconds where
/// `/proc/PID/stat` counts in hundredths of a second.
///
/// # Errors
/// When the process is gone or the kernel keeps no such statistics.
pub fn used_micros(pid: u32) -> Result<f64> {
    let mut nanos = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        nanos += text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
    }
    (nanos > 0).then(|| nanos as f64 / 1000.0).context("the kernel keeps no schedstat")
}

/// Resident memory of process `pid`, in MiB.
///
/// # Errors
/// When the process is gone.
pub fn resident_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}
