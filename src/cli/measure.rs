//! CPU time and memory of a step, as the system counts them.

use serde::Serialize;
use std::time::Instant;

/// What a step cost.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Seconds of CPU, all threads, and child processes that ended in the step.
    pub cpu_seconds: f64,
    /// Seconds on the clock.
    pub wall_seconds: f64,
    /// Most memory that this process held during the step, in MB (10^6 bytes).
    pub peak_mb: f64,
}

/// A running measurement.
#[derive(Debug)]
pub struct Meter {
    cpu: f64,
    start: Instant,
}

impl Meter {
    /// Starts measuring.
    pub fn start() -> Self {
        reset_peak();
        Self { cpu: cpu_seconds(), start: Instant::now() }
    }

    /// Ends measuring.
    pub fn stop(self) -> Cost {
        Cost { cpu_seconds: cpu_seconds() - self.cpu, wall_seconds: self.start.elapsed().as_secs_f64(), peak_mb: peak_mb() }
    }
}

fn usage(who: libc::c_int) -> libc::rusage {
    // SAFETY: rusage is plain numbers, for which zero is valid, and getrusage writes only into it.
    unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        // It fails only for a wrong `who`; zeros then.
        libc::getrusage(who, &mut usage);
        usage
    }
}

/// CPU seconds of this process and of the children that it has waited for.
pub(super) fn cpu_seconds() -> f64 {
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].into_iter().map(usage).map(|u| seconds(u.ru_utime) + seconds(u.ru_stime)).sum()
}

/// Linux forgets the high-water mark when told to; elsewhere it only grows.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<f64>().ok());
    match kib {
        Some(kib) => kib * 1024.0 / 1e6,
        // macOS counts bytes, the others kibibytes.
        None if cfg!(target_os = "macos") => usage(libc::RUSAGE_SELF).ru_maxrss as f64 / 1e6,
        None => usage(libc::RUSAGE_SELF).ru_maxrss as f64 * 1024.0 / 1e6,
    }
}
