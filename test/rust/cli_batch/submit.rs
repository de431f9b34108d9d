//! The process that aggregates, sending too: killed while it sends, nothing is lost or sent twice.

use super::aggregate::{Place, RELAYER};
use crate::chain_support::proxy::{self, Say};
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

fn sender() -> Address {
    dev_accounts::addresses().nth(RELAYER).unwrap()
}

/// A folder that is watched, with one group in it.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    pub place: &'a Place,
    pub folder: &'a str,
}

impl Place {
    pub fn sending(&self, url: &str, pool: &str) -> [String; 6] {
        ["--submit", pool, "--rpc-url", url, "--dev-account", &RELAYER.to_string()].map(str::to_owned)
    }

    /// How many transactions the relayer has in blocks.
    pub async fn sent(&self) -> u64 {
        let target = ChainTarget::Rpc { url: self.url().to_owned() };
        let chain = target.connect(None, Patience::default()).await.unwrap();
        chain.provider().get_transaction_count(sender()).await.unwrap()
    }
}

impl Watched<'_> {
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path(self.folder).join(name)
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    pub fn watch(&self, more: &[&str]) -> crate::cli_support::Run {
        self.place.verb(&[&["aggregate", "--watch", self.folder, "--artifacts", "agg", "--once"], more].concat())
    }

    /// The one group of these.
    pub fn group(&self, of: &str) -> PathBuf {
        fs::read_dir(self.path(of)).unwrap().next().unwrap().unwrap().path()
    }

    pub fn journal(&self) -> PathBuf {
        self.path(&format!("31337-{}.journal", sender()))
    }

    /// How much was decided, lines of the journal, and whether the group is settled.
    pub fn progress(&self) -> (usize, usize, bool) {
        let lines = fs::read(self.journal()).map_or(0, |bytes| bytes.iter().filter(|&&byte| byte == b'\n').count());
        let names = fs::read_dir(self.group("done")).unwrap().map(|entry| entry.unwrap().file_name());
        let decided = names.filter(|name| name.to_string_lossy().ends_with(".sending.json")).count();
        (decided, lines, self.group("done").join("settled.json").exists())
    }

    pub fn settled(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.group("done").join("settled.json")).unwrap()).unwrap()
    }

    pub fn spawned(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
        command.current_dir(self.place.work.path()).args(["aggregate", "--watch", self.folder, "--artifacts", "agg"]);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Kills it by -9 each time that it has written something down, or a moment later, until the group is settled; how many times. Its
    /// options are another set each time.
    pub fn killed_as_it_goes(&self, options: &[&[&str]]) -> usize {
        let mut random = rand::thread_rng();
        for kills in 0..20 {
            let before = self.progress();
            if before.2 {
                return kills;
            }
            let (mut child, start) = (self.spawned(options[kills % options.len()]), Instant::now());
            while self.progress() == before {
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
}

impl Watched<'_> {
    /// Somebody changes what was decided; the file, and what it said.
    fn somebody_decides_twice(&self) -> (PathBuf, String) {
        let mut files = fs::read_dir(self.group("done")).unwrap().map(|entry| entry.unwrap().path());
        let path = files.find(|path| path.to_string_lossy().ends_with(".sending.json")).unwrap();
        let honest = fs::read_to_string(&path).unwrap();
        let mut changed: Value = serde_json::from_str(&honest).unwrap();
        let twice = changed["transactions"][0].clone();
        changed["transactions"].as_array_mut().unwrap().push(twice);
        fs::write(&path, changed.to_string()).unwrap();
        (path, honest)
    }
}

/// Carol's loan file goes in, and one of hers with Alice's papers.
pub fn the_process_sends_and_is_killed(place: &Place, pool: &str, runtime: &Runtime) {
    let here = Watched { place, folder: "watched" };
    fs::create_dir_all(here.path("incoming")).unwrap();
    let loan = fs::read_to_string(place.path("loans/carol/loan.json")).unwrap();
    fs::write(here.path("incoming/carol"), &loan).unwrap();
    let others: Value = serde_json::from_str(&fs::read_to_string(place.path("loans/alice/loan.json")).unwrap()).unwrap();
    let mut forged: Value = serde_json::from_str(&loan).unwrap();
    forged["permit"] = others["permit"].clone();
    fs::write(here.path("incoming/forged"), forged.to_string()).unwrap();
    let run = here.watch(&[]);
    assert_eq!((run.code, run.json()["result"]["groups"].as_u64()), (1, Some(1)), "{}", run.stdout);
    assert!(here.json("refused/forged.reason.json").to_string().contains("service/papers"));

    let options = place.sending(place.url(), pool);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let before = runtime.block_on(place.sent());
    let dry = here.watch(&options);
    assert_eq!((dry.code, &dry.json()["result"]["settled"]), (1, &json!(false)), "{}", dry.stdout);
    assert!(dry.stderr.contains("wouldSettle"), "{}", dry.stderr);
    let elsewhere = place.sending(place.url(), &format!("0x{:040x}", 7));
    let elsewhere: Vec<&str> = elsewhere.iter().map(String::as_str).chain(["--broadcast"]).collect();
    assert!(here.watch(&elsewhere).stderr.contains("it is for the pool"), "whoever hands in papers chooses no contract");
    assert_eq!(
        (runtime.block_on(place.sent()), here.progress()),
        (before, (0, 0, false)),
        "nothing is sent, and nothing decided"
    );

    let broadcast = [&options[..], &["--broadcast"]].concat();
    let kills = here.killed_as_it_goes(&[&broadcast]);
    here.watch(&broadcast).result();
    assert!(kills >= 2, "{kills} kills");
    assert_eq!(runtime.block_on(place.sent()), before + 1, "one transaction");
    let settled = here.settled();
    let sent = &settled["transactions"][0];
    assert_eq!((&sent["outcome"], &sent["loans"][0]["outcome"]), (&json!("batch"), &json!("settled")), "{settled}");
    assert!(sent["files"][0].as_str().unwrap().ends_with(".carol"), "{settled}");
    println!("one loan beside an empty slot, by the process: {} gas, {kills} kills", sent["gasUsed"]);

    // What became of it is known from the journal, and without that from the chain, once it is deep enough.
    fs::remove_file(here.group("done").join("settled.json")).unwrap();
    here.watch(&broadcast).result();
    assert_eq!(here.settled(), settled);
    fs::remove_file(here.group("done").join("settled.json")).unwrap();
    let honest = here.somebody_decides_twice();
    let run = here.watch(&broadcast);
    assert!(run.code == 1 && run.stderr.contains("comes twice"), "{}", run.stderr);
    fs::write(honest.0, honest.1).unwrap();
    fs::remove_file(here.journal()).unwrap();
    let shallow = here.watch(&[&broadcast[..], &["--confirmations", "5000"]].concat());
    assert_eq!((shallow.code, here.progress().2), (1, false), "{}", shallow.stderr);
    let pending = here.json("submission.json")["pending"].to_string();
    assert!(pending.contains("not deep enough") && pending.contains("waits"), "{pending}");
    let pruned = proxy::before(place.url(), |method, parameters| match (method, &parameters[1]) {
        ("eth_call", Value::String(at)) if at.starts_with("0x") => Say::Error("missing trie node"),
        _ => Say::Same,
    });
    let pruned = place.sending(&pruned, pool);
    let run = here.watch(&pruned.iter().map(String::as_str).chain(["--broadcast"]).collect::<Vec<_>>());
    let pending = here.json("submission.json")["pending"].to_string();
    assert_eq!((run.code, here.progress().2), (1, false), "{}", run.stderr);
    assert!(pending.contains("missing trie node") && pending.contains("waits"), "{pending}");
    here.watch(&broadcast).result();
    let open = here.settled();
    assert_eq!((&open["transactions"], open["alreadyOpen"].as_array().map(Vec::len)), (&json!([]), Some(1)), "{open}");
    assert_eq!(runtime.block_on(place.sent()), before + 1);
    let status = here.json("submission.json");
    assert_eq!((&status["settled"]["groups"], &status["pending"]), (&json!(1), &json!({})), "{status}");
}
