//! Runs a stage as a process of its own and says what it cost, from the kernel's own account of that process.

use crate::{mode::Mode, stage::Stage};
use serde::Serialize;
use std::{
    error::Error,
    io::{self, Read},
    mem::MaybeUninit,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::Instant,
};

/// Medians over the runs of one stage.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    /// User and system, all threads and descendants, the whole process.
    pub cpu_seconds: f64,
    /// The same without starting and reading files.
    pub cpu_seconds_loaded: f64,
    pub wall_seconds: f64,
    /// Resident memory.
    pub peak_rss_kib: f64,
}

/// Every stage with its cost, in their order.
pub fn all(mode: Mode, folder: &Path, runs: u32) -> Result<Vec<(Stage, Cost)>, Box<dyn Error>> {
    Stage::ALL
        .into_iter()
        .map(|stage| {
            eprintln!("{}: {} (median of {runs})", mode.name(), stage.name());
            let all = (0..runs).map(|_| one(stage, mode, folder)).collect::<Result<Vec<_>, _>>()?;
            let median = |of: fn(&Cost) -> f64| {
                let mut values: Vec<f64> = all.iter().map(of).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            let cost = Cost {
                cpu_seconds: median(|c| c.cpu_seconds),
                cpu_seconds_loaded: median(|c| c.cpu_seconds_loaded),
                wall_seconds: median(|c| c.wall_seconds),
                peak_rss_kib: median(|c| c.peak_rss_kib),
            };
            Ok((stage, cost))
        })
        .collect()
}

fn one(stage: Stage, mode: Mode, folder: &Path) -> Result<Cost, Box<dyn Error>> {
    let start = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["stage", stage.name(), mode.name()])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut said)?;
    }
    let (status, usage) = wait(child.id())?;
    let wall_seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{} of {} failed: {status}", stage.name(), mode.name()).into());
    }
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1024.0 } else { 1.0 };
    Ok(Cost {
        cpu_seconds: seconds(&usage),
        cpu_seconds_loaded: said.trim().parse()?,
        wall_seconds,
        peak_rss_kib: usage.ru_maxrss as f64 / unit,
    })
}

/// CPU seconds of this process and of the children that it has waited for.
pub fn cpu_seconds() -> f64 {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .into_iter()
        .map(|who| {
            let mut usage = MaybeUninit::<libc::rusage>::zeroed();
            // SAFETY: the kernel fills the struct that it is handed; all zeros is a valid rusage too.
            let usage = unsafe {
                libc::getrusage(who, usage.as_mut_ptr());
                usage.assume_init()
            };
            seconds(&usage)
        })
        .sum()
}

fn seconds(usage: &libc::rusage) -> f64 {
    let time = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// std's own `wait` gives no resource usage.
fn wait(id: u32) -> io::Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live values of the right type; the child is ours and nobody else waits for it.
    let (waited, usage) = unsafe {
        let waited = libc::wait4(id as libc::pid_t, &mut status, 0, usage.as_mut_ptr());
        (waited, usage.assume_init())
    };
    if waited < 0 { Err(io::Error::last_os_error()) } else { Ok((ExitStatus::from_raw(status), usage)) }
}
