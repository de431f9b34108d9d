//! `doctor`: one line per thing that the verbs need, with the mend.

use super::{
    chains::{self, ChainArguments},
    failure::Failure,
    output::Console,
    project,
};
use crate::{
    artifact::{ArtifactError, Folder},
    circuit::Memory,
    error::{ExitCode, Explain},
    proof::Provenance,
    verifier::Compiler,
};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Free disk space below which writing artifacts may fail, in bytes.
const DISK: u64 = 1 << 30;

/// What this machine has and lacks.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    chain: ChainArguments,
    /// An artifact folder to check memory and SRS against
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE")]
    solc: Option<PathBuf>,
    /// The checkout with contracts/ and tools/
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    ok: bool,
    /// Whether the demo and the main verbs fail without it.
    needed: bool,
    what: String,
    mend: String,
}

impl Finding {
    fn new(name: &'static str, needed: bool, found: Result<String, (String, String)>) -> Self {
        let ok = found.is_ok();
        let (what, mend) = found.map_or_else(|bad| bad, |what| (what, String::new()));
        Self { name, ok, needed, what, mend }
    }

    fn line(&self) -> String {
        let mark = match (self.ok, self.needed) {
            (true, _) => "ok     ",
            (false, true) => "MISSING",
            (false, false) => "missing",
        };
        let mend = if self.mend.is_empty() { String::new() } else { format!("; {}", self.mend) };
        format!("{mark}  {:<9} {}{mend}", self.name, self.what)
    }
}

/// Looks at everything; exit code 4 where something needed is missing.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let root = project::find_or_here(arguments.project.as_deref());
    let folder = arguments.artifacts.as_deref().map(Folder::open).transpose()?;
    let mut findings = vec![
        Finding::new("solc", true, explained(Compiler::find(arguments.solc.as_deref(), &root).map(|c| c.describe()))),
        Finding::new("contracts", true, explained(project::find(arguments.project.as_deref()).map(|p| p.display().to_string()))),
        Finding::new(
            "node",
            false,
            program("node", &root, "install Node.js 20 or newer; the bundled solc, forge and anvil need it"),
        ),
        Finding::new(
            "forge",
            false,
            program("forge", &root, "run `npm ci`, or install foundry; only the Solidity tests need it"),
        ),
        Finding::new("anvil", false, explained(chains::anvil(&root).map(|p| p.display().to_string()))),
        memory(folder.as_ref()),
        disk(),
        srs(folder.as_ref()),
    ];
    if arguments.chain.chain.is_some() || arguments.chain.rpc_url.is_some() {
        let chain = arguments.chain.connect(None, arguments.project.as_deref()).await;
        let found = chain.map(|chain| format!("chain {} at {}", chain.id(), chain.endpoint()));
        findings.push(Finding::new("rpc", true, found.map_err(|e| (e.to_string(), e.hint()))));
    }
    let lines: Vec<String> = findings.iter().map(Finding::line).collect();
    console.result("doctor", &findings, &lines.join("\n"))?;
    let missing = findings.iter().any(|f| f.needed && !f.ok);
    Ok(if missing { ExitCode::Environment } else { ExitCode::Ok })
}

fn explained<E: Explain>(found: Result<String, E>) -> Result<String, (String, String)> {
    found.map_err(|e| (e.to_string(), e.hint()))
}

/// A program in node_modules or on PATH.
fn program(name: &str, root: &Path, mend: &str) -> Result<String, (String, String)> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(&file)).collect::<Vec<_>>();
    let found = project::bundled(root, name).into_iter().chain(on_path).find(|p| p.is_file());
    found.map(|p| p.display().to_string()).ok_or_else(|| ("not found".into(), mend.into()))
}

/// Free memory against the circuit.
fn memory(folder: Option<&Folder>) -> Finding {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let free =
        line.and_then(|l| l.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<u64>().ok()).map(|kib| kib * 1024);
    let needed = folder.map(|folder| Memory::of(&folder.manifest.facts.plan).proof);
    let mb = |bytes: u64| bytes / 1_000_000;
    let found = match (free, needed) {
        (None, _) => Ok("this system does not say how much is free".into()),
        (Some(free), None) => Ok(format!("{} MB free", mb(free))),
        (Some(free), Some(needed)) if free < needed => {
            let what = format!("{} MB free, proving takes about {} MB", mb(free), mb(needed));
            Err((what, "close other programs, or use a smaller model".into()))
        }
        (Some(free), Some(needed)) => Ok(format!("{} MB free, proving takes about {} MB", mb(free), mb(needed))),
    };
    Finding::new("memory", true, found)
}

fn disk() -> Finding {
    let found = match fs4::available_space(".") {
        Err(e) => Err((format!("the free space here is not known: {e}"), "check the folder".into())),
        Ok(free) if free < DISK => Err((format!("{} MB free here", free / 1_000_000), "free at least 1 GB".into())),
        Ok(free) => Ok(format!("{} MB free here", free / 1_000_000)),
    };
    Finding::new("disk", true, found)
}

fn srs(folder: Option<&Folder>) -> Finding {
    let found = match folder.map(checked_srs) {
        None => Ok("generated for development unless one is given (insecure-dev: local chains only)".into()),
        Some(Err(e)) => Err((e.to_string(), e.hint())),
        Some(Ok(srs)) if srs.is_insecure() => Err((
            format!("{srs}: anybody can forge proofs for these keys"),
            "use it on local chains only, or make keys with `gen-verifier --srs`".into(),
        )),
        Some(Ok(srs)) => Ok(format!("{srs}, consistent powers of one secret")),
    };
    Finding::new("SRS", false, found)
}

/// Reading the keys checks the SRS's label, and that it is the model's.
fn checked_srs(folder: &Folder) -> Result<Provenance, ArtifactError> {
    let prover = folder.prover()?;
    prover.srs.check()?;
    Ok(prover.srs.provenance)
}
