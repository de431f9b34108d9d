//! Machines that fail the user: full disks, folders that cannot be written, runs that are killed, and chains where all of it costs money.

#![cfg(unix)]

mod cli_support;

use alloy::primitives::Address;
use alloy::providers::Provider;
use cli_support::{DATA, MODEL, Public, Run, generate, project, run, run_in, run_with, shared};
use serde_json::Value;
use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use zkml_evm::chain::{Chain, ChainTarget, Patience, anvil::AnvilProcess, embedded::Hardfork};

/// The binary under a shell that limits the size of files to `blocks` of 512 bytes, so that writes fail as on a full disk.
fn on_a_full_disk(blocks: u32, folder: &Path, arguments: &[&str]) -> Run {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_zkml-evm"), "--json"]).args(arguments).current_dir(folder);
    Run::of(&mut command)
}

fn entries(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let work = tempfile::tempdir().unwrap();
    let [model, data] = [MODEL, DATA].map(|file| project(file).to_str().unwrap().to_owned());
    let generate = ["gen-verifier", &model, "--calibration", &data, "--no-compile", "--out", "a"];
    // From nothing at all to all but the proving key.
    for blocks in [0, 1, 8, 64] {
        let refused = on_a_full_disk(blocks, work.path(), &generate);
        assert_eq!(refused.refused(), (4, "proof/io".into()), "{blocks}");
        assert!(entries(work.path()).is_empty(), "{blocks}: {:?}", entries(work.path()));
    }
    let artifacts = shared().join("artifacts");
    let opening = shared().join("alice/opening.json");
    let context = format!("0x{:064x}", 7);
    let [artifacts, opening] = [artifacts.to_str().unwrap(), opening.to_str().unwrap()];
    let prove = ["prove", "--artifacts", artifacts, "--opening", opening, "--context", &context, "--threshold", "-1"];
    assert_eq!(on_a_full_disk(1, work.path(), &prove).refused(), (4, "proof/io".into()));
    let input = shared().join("input.json");
    let attest = ["attest", "--artifacts", artifacts, "--input", input.to_str().unwrap(), "--chain-id", "31337"];
    let subject = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
    let attest = [&attest[..], &["--subject", subject, "--registry", subject, "--dev-account", "1", "--out", "."]].concat();
    assert_eq!(on_a_full_disk(0, work.path(), &attest).refused(), (4, "proof/io".into()));
    assert!(entries(work.path()).is_empty(), "{:?}", entries(work.path()));
}

/// A result that cannot be printed is a failure, not a success in silence.
#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_is_told() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
    command.args(["inspect", shared().join("artifacts").to_str().unwrap()]).stdout(full);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("environment/output"));
}

/// Nobody: root may write everywhere, so a test that runs as root gives its rights up, with a copy of the binary that nobody can reach.
fn as_nobody(work: &Path, arguments: &[&str]) -> Run {
    let binary = work.join("zkml-evm");
    fs::copy(env!("CARGO_BIN_EXE_zkml-evm"), &binary).unwrap();
    let mut command = Command::new(&binary);
    command.arg("--json").args(arguments).current_dir(work);
    // SAFETY: geteuid has no conditions.
    if unsafe { libc::geteuid() } == 0 {
        command.uid(65_534).gid(65_534);
    }
    Run::of(&mut command)
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_the_long_work() {
    let work = tempfile::tempdir().unwrap();
    fs::set_permissions(work.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for (name, from) in [("m.onnx", MODEL), ("d.json", DATA)] {
        fs::copy(project(from), work.path().join(name)).unwrap();
        fs::set_permissions(work.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let locked = work.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let generate = ["gen-verifier", "m.onnx", "--calibration", "d.json", "--no-compile", "--out", "locked/a"];
    let refused = as_nobody(work.path(), &generate);
    assert_eq!(refused.refused(), (4, "artifact/io".into()), "{}", refused.stdout);
    assert!(refused.stdout.contains("locked") && !refused.stderr.contains("plan:"), "{}{}", refused.stdout, refused.stderr);
    assert!(entries(&locked).is_empty());
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A node for one test, and the client that looks at it from outside.
struct Node {
    runtime: tokio::runtime::Runtime,
    anvil: AnvilProcess,
    chain: Chain,
}

impl Node {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let anvil = runtime.block_on(AnvilProcess::start(None, Hardfork::Osaka)).unwrap();
        let target = ChainTarget::Rpc { url: anvil.url().to_owned() };
        let chain = runtime.block_on(target.connect(None, Patience::default())).unwrap();
        Self { runtime, anvil, chain }
    }

    fn ask(&self, method: &'static str, parameters: Value) -> Value {
        self.runtime.block_on(self.chain.provider().raw_request(method.into(), parameters)).unwrap()
    }

    /// Transactions of development account 0: mined, and with those that wait.
    fn sent(&self) -> (u64, u64) {
        let owner = dev_account(0);
        let count = || self.chain.provider().get_transaction_count(owner);
        self.runtime.block_on(async { (count().await.unwrap(), count().pending().await.unwrap()) })
    }
}

fn dev_account(index: usize) -> Address {
    zkml_evm::chain::AccountSource::Development(index).unlock(&zkml_evm::chain::Password::Ask, true).unwrap().address()
}

/// Ends the process with the test, however that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a verb on a node that mines only when it is told to, and kills it the moment that its next transaction is on its way. A
/// transaction that the run before left is mined a while after the start, so that it is still on its way when the verb looks.
fn kill_at_the_next_transaction(node: &Node, folder: &Path, arguments: &[&str]) {
    let (_, before) = node.sent();
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Killed(command.spawn().unwrap());
    let (start, mut mined) = (Instant::now(), false);
    while node.sent().1 == before {
        assert!(start.elapsed() < Duration::from_secs(240), "nothing is sent after transaction {before}");
        assert!(running.0.try_wait().unwrap().is_none(), "it ended before it was killed, after transaction {before}");
        if !mined && start.elapsed() > Duration::from_secs(5) {
            node.ask("evm_mine", serde_json::json!([]));
            mined = true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(running);
    assert_eq!(node.sent(), (before, before + 1), "killed with one transaction on its way");
}

/// The worst that can happen to an operator, eight times: killed with a transaction on its way.
#[test]
fn runs_that_are_killed_go_on_and_send_nothing_twice() {
    let work = tempfile::tempdir().unwrap();
    generate(&work.path().join("a"), &[]).result();
    let node = Node::start();
    let root = project("");
    let fixed = ["--artifacts", "a", "--dev-account", "0", "--broadcast", "--rpc-url", node.anvil.url()];
    let fixed = [&fixed[..], &["--project", root.to_str().unwrap()]].concat();
    let deploy = [&["--json", "deploy"], &fixed[..]].concat();
    node.ask("evm_setAutomine", serde_json::json!([false]));
    for _ in 0..2 {
        kill_at_the_next_transaction(&node, work.path(), &deploy);
    }
    node.ask("evm_mine", serde_json::json!([]));
    node.ask("evm_setAutomine", serde_json::json!([true]));
    let done = run_in(work.path(), &deploy).result();
    assert_eq!(done["contracts"].as_object().map(|c| c.len()), Some(5), "{done}");
    assert!(done["contracts"].as_object().unwrap().values().all(|c| c["tx"].is_string() && c["codehash"].is_string()), "{done}");
    assert_eq!(node.sent(), (5, 5), "five contracts, five transactions");

    let attestor = dev_account(1).to_string();
    let terms = ["--attestor", &attestor, "--threshold", "0.5", "--amount", "5", "--fund", "10"];
    let register = [&["--json", "register"], &fixed[..], &terms].concat();
    node.ask("evm_setAutomine", serde_json::json!([false]));
    // Model, attestor, policy, minting, approval, payment.
    for _ in 0..6 {
        kill_at_the_next_transaction(&node, work.path(), &register);
    }
    node.ask("evm_mine", serde_json::json!([]));
    node.ask("evm_setAutomine", serde_json::json!([true]));
    let done = run_in(work.path(), &register).result();
    for part in ["model", "attestor", "policy", "funded"] {
        assert_eq!(done[part], "already so", "{done}");
    }
    assert_eq!(node.sent(), (11, 11), "and six more");
}

/// What cannot be recorded is not sent: a run after it would not know.
#[test]
fn nothing_is_sent_that_cannot_be_recorded() {
    let work = tempfile::tempdir().unwrap();
    generate(&work.path().join("a"), &[]).result();
    let node = Node::start();
    fs::write(work.path().join("occupied"), "").unwrap();
    let root = project("");
    let deploy =
        ["deploy", "--artifacts", "a", "--verifier-only", "--dev-account", "0", "--rpc-url", node.anvil.url(), "--broadcast"];
    let deploy = [&deploy[..], &["--project", root.to_str().unwrap()]].concat();
    let refused = run_in(work.path(), &[&["--json"], &deploy[..], &["--deployments", "occupied"]].concat());
    assert_eq!(refused.refused(), (4, "chain/file".into()), "{}", refused.stdout);
    let refused = on_a_full_disk(0, work.path(), &deploy);
    assert_eq!(refused.refused(), (4, "chain/file".into()), "{}", refused.stdout);
    assert_eq!(node.sent(), (0, 0));
    assert!(!work.path().join("deployments/31337.json").exists());
}

/// Development account 0 as a keystore of foundry's: on a public test chain its balance is as good as any.
fn keystores(home: &Path) {
    let folder = home.join("keystores");
    fs::create_dir_all(&folder).unwrap();
    let key = alloy::hex::decode("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
    eth_keystore::encrypt_key(&folder, &mut rand::thread_rng(), key, "correct horse", Some("operator")).unwrap();
    for (name, text, mode) in [("good", "correct horse\n", 0o600), ("wrong", "battery", 0o600), ("open", "correct horse", 0o644)]
    {
        fs::write(home.join(name), text).unwrap();
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Where value is at stake: no development account, keystores by name and by file, and no fee beyond the ceilings.
#[test]
fn a_public_chain_takes_keystores_and_keeps_to_the_ceilings() {
    let work = tempfile::tempdir().unwrap();
    let home = work.path();
    generate(&home.join("a"), &[]).result();
    keystores(home);
    // 600 gwei: twice that and a tip is offered, which the next blocks may take.
    let (_anvil, url) = Public::start(&["--block-base-fee-per-gas", "600000000000"]);
    let root = project("");
    let fixed =
        ["--json", "deploy", "--artifacts", "a", "--verifier-only", "--allow-insecure-srs", "--broadcast", "--rpc-url", &url];
    let deploy = |more: &[&str]| {
        let arguments = [&fixed[..], &["--project", root.to_str().unwrap()], more].concat();
        run_with(home, &[("FOUNDRY_DIR", home.to_str().unwrap())], &arguments)
    };
    let named = ["--account", "operator", "--password-file"];
    assert_eq!(deploy(&[&named[..], &["wrong"]].concat()).refused(), (2, "chain/wrong-password".into()));
    assert_eq!(deploy(&[&named[..], &["open"]].concat()).refused(), (4, "chain/password-file-open".into()));
    assert_eq!(deploy(&["--account", "operator"]).refused(), (4, "chain/no-password".into()));
    assert_eq!(deploy(&["--account", "nobody", "--password-file", "good"]).refused(), (4, "chain/keystore".into()));

    let dear = deploy(&[&named[..], &["good"]].concat());
    assert_eq!(dear.refused(), (1, "chain/fee-too-high".into()));
    assert!(dear.stdout.contains("500.0") && dear.stdout.contains("--max-fee"), "{}", dear.stdout);
    let dear = deploy(&[&named[..], &["good", "--max-fee", "5000"]].concat());
    assert_eq!(dear.refused(), (1, "chain/cost-too-high".into()));
    assert!(!home.join("deployments/4242.json").exists(), "nothing was sent, nothing is recorded");
    let tip = deploy(&[&named[..], &["good", "--gas-price", "1gwei", "--priority-gas-price", "2gwei"]].concat());
    assert_eq!(tip.refused(), (2, "usage/conflict".into()));
    let low = deploy(&[&named[..], &["good", "--legacy", "--gas-price", "1gwei"]].concat());
    assert_eq!(low.refused(), (5, "chain/underpriced".into()), "{}", low.stdout);
    for bad in [
        ["--gas-price", "1parsec"],
        ["--confirmations", "0"],
        ["--max-fee", "-1"],
        ["--max-fee", "lots"],
        ["--max-cost", "1e400"],
    ] {
        assert_eq!(deploy(&[&named[..], &["good"], &bad].concat()).refused(), (2, "usage/arguments".into()), "{bad:?}");
    }
    let sent = deploy(&[&named[..], &["good", "--max-fee", "5000", "--max-cost", "50.5"]].concat()).result();
    // By file, and nothing left to pay for: no ceiling is in the way.
    let found = deploy(&["--keystore", "keystores/operator", "--password-file", "good"]).result();
    assert_eq!(sent["contracts"], found["contracts"]);
    let record: Value = serde_json::from_str(&fs::read_to_string(home.join("deployments/4242.json")).unwrap()).unwrap();
    let verifier = record["contracts"].as_object().unwrap().values().next().unwrap();
    assert_eq!(verifier["srs"], "insecure-dev");
    assert_eq!(run(&["status", "--rpc-url", &url, "--deployments", home.join("deployments").to_str().unwrap()]).code, 0);
}
