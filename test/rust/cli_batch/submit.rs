//! The process that aggregates, sending too: killed while it sends, nothing is lost or sent twice.

use super::aggregate::{Place, RELAYER};
use alloy::{primitives::Address, providers::Provider};
use rand::Rng;
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use zkml_evm::chain::{ChainTarget, Patience, dev_accounts};

const FOLDER: &str = "watched";

fn sender() -> Address {
    dev_accounts::addresses().nth(RELAYER).unwrap()
}

impl Place {
    fn watch(&self, more: &[&str]) -> crate::cli_support::Run {
        self.verb(&[&["aggregate", "--watch", FOLDER, "--artifacts", "agg", "--once"], more].concat())
    }

    fn sending(&self, pool: &str) -> [String; 6] {
        ["--submit", pool, "--rpc-url", self.url(), "--dev-account", &RELAYER.to_string()].map(str::to_owned)
    }

    fn group(&self) -> PathBuf {
        let mut groups = fs::read_dir(self.path(FOLDER).join("done")).unwrap();
        groups.next().unwrap().unwrap().path()
    }

    fn journal(&self) -> PathBuf {
        self.path(FOLDER).join(format!("31337-{}.journal", sender()))
    }

    /// Lines of the journal, and whether the group is settled.
    fn progress(&self) -> (usize, bool) {
        let lines = fs::read(self.journal()).map_or(0, |bytes| bytes.iter().filter(|&&byte| byte == b'\n').count());
        (lines, self.group().join("settled.json").exists())
    }

    fn settled(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.group().join("settled.json")).unwrap()).unwrap()
    }

    async fn sent(&self) -> u64 {
        let target = ChainTarget::Rpc { url: self.url().to_owned() };
        let chain = target.connect(None, Patience::default()).await.unwrap();
        chain.provider().get_transaction_count(sender()).await.unwrap()
    }

    fn spawned(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
        command.current_dir(self.work.path()).args(["aggregate", "--watch", FOLDER, "--artifacts", "agg"]).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// Carol's loan file goes in, and one of hers with Alice's papers.
pub fn the_process_sends_and_is_killed(place: &Place, pool: &str, runtime: &Runtime) {
    let incoming = place.path(FOLDER).join("incoming");
    fs::create_dir_all(&incoming).unwrap();
    let loan = fs::read_to_string(place.path("loans/carol/loan.json")).unwrap();
    fs::write(incoming.join("carol"), &loan).unwrap();
    let others: Value = serde_json::from_str(&fs::read_to_string(place.path("loans/alice/loan.json")).unwrap()).unwrap();
    let mut forged: Value = serde_json::from_str(&loan).unwrap();
    forged["permit"] = others["permit"].clone();
    fs::write(incoming.join("forged"), forged.to_string()).unwrap();
    let run = place.watch(&[]);
    assert_eq!((run.code, run.json()["result"]["groups"].as_u64()), (1, Some(1)), "{}", run.stdout);
    let reason = fs::read_to_string(place.path(FOLDER).join("refused/forged.reason.json")).unwrap();
    assert!(reason.contains("service/papers"), "{reason}");

    let options = place.sending(pool);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let before = runtime.block_on(place.sent());
    let dry = place.watch(&options);
    assert_eq!((dry.code, &dry.json()["result"]["settled"]), (1, &json!(false)), "{}", dry.stdout);
    assert!(dry.stderr.contains("wouldSettle"), "{}", dry.stderr);
    let elsewhere = place.sending(&format!("0x{:040x}", 7));
    let elsewhere: Vec<&str> = elsewhere.iter().map(String::as_str).chain(["--broadcast"]).collect();
    assert!(place.watch(&elsewhere).stderr.contains("it is for the pool"), "whoever hands in papers chooses no contract");
    assert_eq!((runtime.block_on(place.sent()), place.progress().1), (before, false));

    let broadcast = [&options[..], &["--broadcast"]].concat();
    let kills = killed_as_it_goes(place, &broadcast);
    place.watch(&broadcast).result();
    assert!(kills >= 2, "{kills} kills");
    assert_eq!(runtime.block_on(place.sent()), before + 1, "one transaction");
    let settled = place.settled();
    assert_eq!((&settled["outcome"], &settled["loans"][0]["outcome"]), (&json!("batch"), &json!("settled")), "{settled}");
    println!("one loan beside an empty slot, by the process: {} gas, {kills} kills", settled["gasUsed"]);

    // What became of it is known from the journal, and without that from the chain.
    fs::remove_file(place.group().join("settled.json")).unwrap();
    place.watch(&broadcast).result();
    assert_eq!(place.settled(), settled);
    fs::remove_file(place.group().join("settled.json")).unwrap();
    fs::remove_file(place.journal()).unwrap();
    place.watch(&broadcast).result();
    assert_eq!(place.settled()["outcome"], "alreadyOpen");
    assert_eq!(runtime.block_on(place.sent()), before + 1);
    let status = fs::read_to_string(place.path(FOLDER).join("submission.json")).unwrap();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["settled"]["groups"], &status["pending"]), (&json!(1), &json!({})), "{status}");
}

/// Kills it by -9 each time that it has written something down, or a moment later, until the group is settled; how many times.
fn killed_as_it_goes(place: &Place, broadcast: &[&str]) -> usize {
    let mut random = rand::thread_rng();
    for kills in 0..20 {
        let before = place.progress();
        if before.1 {
            return kills;
        }
        let (mut child, start) = (place.spawned(broadcast), Instant::now());
        while place.progress() == before {
            assert!(
                child.try_wait().unwrap().is_none() && start.elapsed() < Duration::from_secs(300),
                "nothing moves: {before:?}"
            );
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(random.gen_range(0..3_000)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    panic!("not settled after twenty runs");
}
