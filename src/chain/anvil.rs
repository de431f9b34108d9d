//! A real anvil: found, started on a free port, and ended with the guard that holds it.

use super::embedded::Hardfork;
use super::error::ChainError;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long anvil may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running anvil; dropping it ends the process.
#[derive(Debug)]
pub struct AnvilProcess {
    child: Child,
    url: String,
}

impl AnvilProcess {
    /// Starts anvil on a port that the system chooses.
    ///
    /// # Errors
    /// [`ChainError::AnvilMissing`] where there is none, [`ChainError::AnvilFailed`] where it does not come up.
    pub async fn start(explicit: Option<&Path>, hardfork: Hardfork) -> Result<Self, ChainError> {
        let path = locate(explicit)?;
        let failed = |reason: String| ChainError::AnvilFailed { path: path.clone(), reason };
        let rules: &[&str] = match hardfork {
            Hardfork::Prague => &["--hardfork", "prague"],
            // anvil leaves the cap on a transaction's gas out unless asked.
            Hardfork::Osaka => &["--hardfork", "osaka", "--enable-tx-gas-limit"],
        };
        let mut child = Command::new(&path)
            .args(["--host", "127.0.0.1", "--port", "0"])
            .args(rules)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let (found, port) = oneshot::channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || watch(stdout, found));
        }
        let mut process = Self { child, url: String::new() };
        match tokio::time::timeout(START_TIMEOUT, port).await {
            Ok(Ok(port)) => process.url = format!("http://127.0.0.1:{port}"),
            Ok(Err(_)) => return Err(failed(process.last_words())),
            Err(_) => return Err(failed(format!("no listening port after {} s", START_TIMEOUT.as_secs()))),
        }
        Ok(process)
    }

    /// Its RPC address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a process that ended early wrote to standard error.
    fn last_words(&mut self) -> String {
        let mut text = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            // What cannot be read adds nothing to the error.
            let _ = stderr.take(2_000).read_to_string(&mut text);
        }
        match text.trim() {
            "" => "it ended without a word".to_owned(),
            words => words.to_owned(),
        }
    }
}

impl Drop for AnvilProcess {
    fn drop(&mut self) {
        // Already gone is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads anvil's output to its end, or it would die of a closed pipe; reports the port when it is named.
fn watch(stdout: impl Read, found: oneshot::Sender<u16>) {
    let mut found = Some(found);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Some(address) = line.strip_prefix("Listening on ") else { continue };
        let port = address.rsplit(':').next().and_then(|port| port.trim().parse().ok());
        if let (Some(port), Some(found)) = (port, found.take()) {
            // Nobody waits any more when the start timed out.
            let _ = found.send(port);
        }
    }
}

/// Where anvil is: the given path, `node_modules` here or above, `PATH`, foundry's own folder; in this order.
pub fn locate(explicit: Option<&Path>) -> Result<PathBuf, ChainError> {
    if let Some(path) = explicit {
        return match path.is_file() {
            true => Ok(path.to_owned()),
            false => Err(ChainError::AnvilMissing { looked: path.display().to_string() }),
        };
    }
    let program = format!("anvil{}", std::env::consts::EXE_SUFFIX);
    let package = Path::new("node_modules").join("@foundry-rs").join(package_name()).join("bin").join(&program);
    let here = std::env::current_dir().unwrap_or_default();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::home_dir().unwrap_or_default();
    let mut places = here
        .ancestors()
        .map(|folder| folder.join(&package))
        .chain(std::env::split_paths(&on_path).map(|folder| folder.join(&program)));
    places
        .find(|path| path.is_file())
        .or_else(|| Some(home.join(".foundry").join("bin").join(&program)).filter(|path| path.is_file()))
        .ok_or_else(|| ChainError::AnvilMissing { looked: format!("{} here and above, PATH, ~/.foundry/bin", package.display()) })
}

/// The npm package that holds anvil for this machine.
fn package_name() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("anvil-{system}-{machine}")
}
