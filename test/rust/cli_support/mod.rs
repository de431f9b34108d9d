//! Runs the real binary, and makes one small artifact folder that all tests share.

#![allow(dead_code)]

use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};
use tempfile::TempDir;
use zkml_evm::{
    artifact::{
        Manifest,
        manifest::{Facts, FileEntry, sha256},
    },
    chain::anvil,
};

/// The credit example has twelve features; these tests take a model with five and one layer.
pub const MODEL: &str = "test/fixtures/onnx/linear.onnx";
pub const DATA: &str = "test/fixtures/cli/linear.json";

/// A path below the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a run of the binary left.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output: Output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// The one JSON document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }

    /// The result of a successful `--json` run.
    pub fn result(&self) -> Value {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        let document = self.json();
        assert_eq!(document["version"], 1);
        document["result"].clone()
    }

    /// Exit code and error code of a refused `--json` run.
    pub fn refused(&self) -> (i32, String) {
        let document = self.json();
        assert_eq!(document["version"], 1);
        let error = &document["error"];
        assert!(error["message"].as_str().is_some_and(|m| !m.is_empty()), "{document}");
        assert!(error["hint"].is_string() && error["retryable"].is_boolean(), "{document}");
        (self.code, error["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// Runs the binary in a folder.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Run {
    run_with(folder, &[], arguments)
}

/// Runs the binary in a folder with more in its environment.
pub fn run_with(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
    Run::of(command.current_dir(folder).envs(environment.iter().copied()).args(arguments))
}

/// An anvil that is not a local chain by its id; ended when it is dropped.
pub struct Public(Child);

impl Public {
    pub fn start(more: &[&str]) -> (Self, String) {
        let mut command = Command::new(anvil::locate(None).unwrap());
        command.args(["--port", "0", "--chain-id", "4242"]).args(more).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let listening = lines.find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned));
        // It ends when it can no longer print.
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), format!("http://{}", listening.unwrap()))
    }
}

impl Drop for Public {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the binary in the project's root with `--json`.
pub fn run(arguments: &[&str]) -> Run {
    run_in(&project(""), &[&["--json"], arguments].concat())
}

/// Compiles [`MODEL`] into `out`.
pub fn generate(out: &Path, more: &[&str]) -> Run {
    let out = out.to_str().unwrap();
    run(&[&["gen-verifier", MODEL, "--calibration", DATA, "--out", out], more].concat())
}

/// A folder that lives as long as the tests, with `artifacts`, an input, and `alice/` as `attest` makes it.
pub fn shared() -> &'static Path {
    static SHARED: OnceLock<TempDir> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            generate(&folder.path().join("artifacts"), &["--no-compile"]).result();
            let input = r#"{"features": {"x0": 0.5, "x1": -0.25, "x2": 0.125, "x3": 0, "x4": 0.75}}"#;
            std::fs::write(folder.path().join("input.json"), input).unwrap();
            attest(folder.path(), "input.json", "alice").result();
            folder
        })
        .path()
}

/// Attests an input in `folder`.
pub fn attest(folder: &Path, input: &str, out: &str) -> Run {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [artifacts, input, out] = [path("artifacts"), path(input), path(out)];
    let subject = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    let registry = "0x00000000000000000000000000000000000000aa";
    run(&[
        "attest",
        "--artifacts",
        &artifacts,
        "--input",
        &input,
        "--subject",
        subject,
        "--registry",
        registry,
        "--chain-id",
        "31337",
        "--dev-account",
        "1",
        "--out",
        &out,
    ])
}

/// Proves with the shared opening and a context of 7; `more` names what differs.
pub fn prove(folder: &Path, out: &Path, more: &[&str]) -> Run {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let [artifacts, opening] = [path("artifacts"), path("alice/opening.json")];
    let context = format!("0x{:064x}", 7);
    let fixed =
        ["prove", "--artifacts", &artifacts, "--opening", &opening, "--context", &context, "--out", out.to_str().unwrap()];
    run(&[&fixed, more].concat())
}

/// Checks a proof file against the shared artifacts.
pub fn verify(folder: &Path, proof: &Path) -> Run {
    run(&["verify", "--artifacts", folder.join("artifacts").to_str().unwrap(), "--proof", proof.to_str().unwrap()])
}

/// A copy of a folder of plain files.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, target).unwrap()),
        }
    }
}

/// Writes a folder's manifest anew, as somebody does who exchanged files: every checksum is right again.
pub fn reseal(folder: &Path, change: impl FnOnce(&mut Facts)) {
    let update = |files: &mut BTreeMap<String, FileEntry>| {
        for (name, entry) in files {
            let bytes = std::fs::read(folder.join(name)).unwrap();
            *entry = FileEntry { sha256: sha256(&bytes), bytes: bytes.len() as u64 };
        }
    };
    relist(folder, update, change);
}

/// Changes what a folder's manifest says, and its own checksum with it.
pub fn relist(folder: &Path, files: impl FnOnce(&mut BTreeMap<String, FileEntry>), facts: impl FnOnce(&mut Facts)) {
    let path = folder.join("manifest.json");
    let mut manifest = Manifest::parse(&std::fs::read_to_string(&path).unwrap(), &path).unwrap();
    files(&mut manifest.files);
    facts(&mut manifest.facts);
    let sealed = Manifest::new(manifest.facts, manifest.contract, manifest.files);
    std::fs::write(path, serde_json::to_string_pretty(&sealed).unwrap()).unwrap();
}
