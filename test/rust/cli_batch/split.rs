//! A group's loans in more than one transaction, and what becomes of it when options, blocks or nodes change between two runs.

use super::{
    aggregate::{BORROWERS, Place},
    submit::Watched,
};
use crate::{
    chain_support::proxy::{self, Say},
    cli_support::copy,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// A transaction has 16.7 million: two such loans take two.
pub const DEAR: [&str; 2] = ["--gas-per-item", "8300000"];
/// Calls of a pool's owner.
const PAUSE: &str = "0x8456cb59";
const UNPAUSE: &str = "0x3f4ba83a";

/// Calls it until it says so.
pub fn until(mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(120), "it never comes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Place {
    /// What a test does to the chain is taken back.
    pub fn apart(&self, test: impl FnOnce()) {
        let snapshot = self.ask("evm_snapshot", json!([]));
        test();
        assert_eq!(self.ask("evm_revert", json!([snapshot])), true);
    }

    pub fn options(&self, url: &str, pool: &str, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|option| (*option).to_owned());
        self.sending(url, pool).into_iter().chain(["--broadcast".to_owned()]).chain(more).collect()
    }

    /// A copy of the folder with Alice's and Bob's group, whose aggregate is made.
    pub fn group_of_two(&self, folder: &'static str) -> Watched<'_> {
        copy(&self.path("two"), &self.path(folder));
        Watched { place: self, folder }
    }

    /// The pool's owner pauses it, or lets it go on.
    fn by_the_owner(url: &str, pool: &str, call: &str) {
        let owner = zkml_evm::chain::dev_accounts::addresses().next().unwrap();
        let answer = proxy::ask(url, "eth_sendTransaction", json!([{ "from": owner, "to": pool, "data": call }]));
        assert!(answer.get("error").is_none(), "{answer}");
    }
}

impl Watched<'_> {
    pub fn entries(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.journal()).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line.get(65..)?).ok()).collect()
    }

    /// Killed when it has signed its transaction, which no block has and the node forgets; the transaction.
    pub fn killed_when_signed(&self, options: &[&str]) -> Value {
        self.place.ask("evm_setAutomine", json!([false]));
        let mut child = self.spawned(options);
        until(|| self.entries().len() > 1);
        child.kill().unwrap();
        child.wait().unwrap();
        self.place.ask("anvil_dropAllTransactions", json!([]));
        self.place.ask("evm_setAutomine", json!([true]));
        self.entries()[1]["raw"].clone()
    }

    pub fn state(&self) -> Value {
        let status = self.json("submission.json");
        status["pending"].as_object().unwrap().values().next().cloned().unwrap_or_default()
    }
}

pub fn texts(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

/// Killed while it proves Alice's and Bob's proofs, it finds their aggregate and goes on. Their model is registered, and not active yet.
pub fn a_group_waits_for_its_model(place: &Place, pool: &str, runtime: &Runtime) {
    let here = Watched { place, folder: "two" };
    fs::create_dir_all(here.path("incoming")).unwrap();
    for name in ["alice", "bob"] {
        fs::copy(place.path(&format!("loans/{name}/loan.json")), here.path("incoming").join(name)).unwrap();
    }
    let mut child = here.spawned(&["--once"]);
    let begun = || {
        fs::read_dir(here.path("groups")).is_ok_and(|mut groups| groups.any(|of| of.unwrap().path().join("group.json").exists()))
    };
    until(begun);
    child.kill().unwrap();
    child.wait().unwrap();
    fs::copy(place.path("two.json"), here.group("groups").join("aggregate.json")).unwrap();
    assert_eq!(here.watch(&[]).result()["groups"], 1);

    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let here = place.group_of_two("waits");
        let run = here.watch(&texts(&place.options(place.url(), pool, &[])));
        assert_eq!((run.code, &run.json()["result"]["settled"]), (1, &json!(false)), "{}", run.stdout);
        let state = here.state();
        assert_eq!(state["state"], "waits", "{state}");
        let loans = state["loans"].as_object().unwrap();
        assert!(loans.len() == 2 && loans.values().all(|why| why.as_str().unwrap().contains("Scheduled")), "{state}");
        assert_eq!((runtime.block_on(place.sent()), here.progress()), (before, (0, 0, false)), "it costs nothing");
    });
}

pub fn two_loans_that_do_not_fit_in_one_transaction(place: &Place, runtime: &Runtime) {
    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let submit = |more: &[&str]| place.submit("pair", "two.json", more);
        let dry = submit(&DEAR).result();
        let items =
            |of: &Value| of["transactions"].as_array().unwrap().iter().map(|sent| sent["items"].clone()).collect::<Vec<_>>();
        assert_eq!((items(&dry), &dry["items"]), (vec![json!(["alice"]), json!(["bob"])], &json!(["alice", "bob"])), "{dry}");
        let strict = submit(&[&DEAR[..], &["--all-or-nothing", "--broadcast"]].concat());
        assert_eq!(strict.refused(), (2, "chain/undivided".into()), "{}", strict.stdout);
        let alone = submit(&["--gas-per-item", "17000000", "--broadcast"]);
        assert_eq!(alone.refused(), (5, "chain/gas-limit".into()), "{}", alone.stdout);
        assert!(alone.stdout.contains("opening the loan of alice"), "{}", alone.stdout);
        assert_eq!(runtime.block_on(place.sent()), before, "nothing is sent");

        let done = submit(&[&DEAR[..], &["--broadcast"]].concat()).result();
        assert_eq!(items(&done), [json!(["alice"]), json!(["bob"])], "{done}");
        let gas = |at: usize| done["transactions"][at]["gasUsed"].as_u64().unwrap();
        assert_eq!(done["gasUsed"], gas(0) + gas(1), "{done}");
        println!("two loans by an aggregate in two transactions: {} and {} gas", gas(0), gas(1));
        assert!(["alice", "bob"].iter().all(|name| done["items"][name]["outcome"] == "settled"), "{done}");
        assert_eq!(runtime.block_on(place.sent()), before + 2);
        assert_eq!(submit(&[&DEAR[..], &["--broadcast"]].concat()).result()["sent"], false);
    });
}

/// Killed again and again, with other options each time: what was signed stays as it was, what was not is decided anew, and each loan is opened
/// once.
pub fn a_group_of_two_transactions(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let here = place.group_of_two("split");
        let [dear, plain] = [&DEAR[..], &[]].map(|more| place.options(place.url(), pool, more));
        let [dear, plain] = [&dear, &plain].map(|options| texts(options));
        let dry: Vec<&str> = dear.iter().copied().filter(|option| *option != "--broadcast").collect();
        assert_eq!(here.watch(&dry).code, 1);
        let state = here.state();
        assert_eq!(
            (&state["state"], state["transactions"].as_array().map(Vec::len)),
            (&json!("wouldSettle"), Some(2)),
            "{state}"
        );
        assert_eq!(here.progress(), (0, 0, false), "a dry run decides nothing");

        let kills = here.killed_as_it_goes(&[&dear, &plain]);
        here.watch(&plain).result();
        assert!(kills >= 2, "{kills} kills");
        let sent = runtime.block_on(place.sent()) - before;
        let digests: BTreeSet<String> =
            here.entries().iter().filter_map(|entry| Some(entry["digest"].as_str()?.to_owned())).collect();
        let settled = here.settled();
        let transactions = settled["transactions"].as_array().unwrap();
        assert_eq!((digests.len() as u64, transactions.len() as u64), (sent, sent), "nothing is sent twice: {settled}");
        println!("two loans in {sent} transactions after {kills} kills");
        let loans: Vec<&Value> = transactions.iter().flat_map(|sent| sent["loans"].as_array().unwrap()).collect();
        assert!(loans.len() == 2 && loans.iter().all(|loan| loan["outcome"] == "settled"), "{settled}");
        let files: Vec<&str> =
            transactions.iter().flat_map(|sent| sent["files"].as_array().unwrap()).map(|name| name.as_str().unwrap()).collect();
        assert!(files[0].ends_with(".alice") && files[1].ends_with(".bob"), "{settled}");
        let status = here.json("submission.json");
        assert_eq!(status["settled"], json!({ "groups": 1, "loansOpen": 2, "loansRefused": 0 }), "{status}");
    });
}

/// A loan that was good when it was signed, bad in the block and good again: what is settled is settled, whatever gas the next run would give.
pub fn what_the_block_refused_is_not_sent_again(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let here = place.group_of_two("block");
        let options = place.options(place.url(), pool, &[]);
        let raw = here.killed_when_signed(&texts(&options));
        // INVALID: what Bob's wallet says to any signature.
        let bob = BORROWERS[1].2;
        place.ask("anvil_setCode", json!([bob, "0xfe"]));
        place.ask("eth_sendRawTransaction", json!([raw]));
        // The node answers before the block is there.
        until(|| runtime.block_on(place.sent()) > before);
        place.ask("anvil_setCode", json!([bob, "0x"]));
        let run = here.watch(&texts(&place.options(place.url(), pool, &["--gas-per-item", "600000"])));
        assert_eq!((run.code, runtime.block_on(place.sent())), (1, before + 1), "one transaction: {}", run.stderr);
        let settled = here.settled();
        let loans = &settled["transactions"][0]["loans"];
        assert_eq!((&loans[0]["outcome"], &loans[1]["outcome"]), (&json!("settled"), &json!("refused")), "{settled}");
        let rest = place.submit("pair", "two.json", &["--broadcast"]).result();
        assert_eq!((&rest["items"]["bob"]["outcome"], &rest["items"]["alice"]), (&json!("settled"), &Value::Null), "{rest}");
    });
}

/// What reverted as a whole is tried again without what the pool would refuse by now.
pub fn what_reverted_is_decided_anew(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let here = place.group_of_two("reverted");
        let raw = here.killed_when_signed(&texts(&place.options(place.url(), pool, &[])));
        Place::by_the_owner(place.url(), pool, PAUSE);
        let before = runtime.block_on(place.sent()) + 1;
        place.ask("eth_sendRawTransaction", json!([raw]));
        until(|| runtime.block_on(place.sent()) == before);
        Place::by_the_owner(place.url(), pool, UNPAUSE);
        place.ask("anvil_setCode", json!([BORROWERS[1].2, "0xfe"]));
        // The journal does not say yet that it reverted: the first run finds that out.
        assert_eq!(here.watch(&texts(&place.options(place.url(), pool, &[]))).code, 1);
        assert_eq!((&here.state()["state"], runtime.block_on(place.sent())), (&json!("failed"), before));
        let run = here.watch(&texts(&place.options(place.url(), pool, &["--retry-failed"])));
        let settled = here.settled();
        let sent = &settled["transactions"];
        assert_eq!((run.code, sent.as_array().map(Vec::len), runtime.block_on(place.sent())), (1, Some(1), before + 1));
        assert_eq!((&sent[0]["loans"][0]["outcome"], sent[0]["files"].as_array().map(Vec::len)), (&json!("settled"), Some(1)));
        assert_eq!(settled["leftOut"].as_object().map(serde_json::Map::len), Some(1), "{settled}");
    });
}

/// `--retry-failed` sends what an earlier run sent in vain once, also where it fails again and the node then fails too.
pub fn what_failed_is_tried_again_once(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let here = place.group_of_two("failed");
        let options = place.options(place.url(), pool, &[]);
        let raw = here.killed_when_signed(&texts(&options));
        Place::by_the_owner(place.url(), pool, PAUSE);
        let before = runtime.block_on(place.sent()) + 1;
        place.ask("eth_sendRawTransaction", json!([raw]));
        until(|| runtime.block_on(place.sent()) == before);
        Place::by_the_owner(place.url(), pool, UNPAUSE);
        assert_eq!(here.watch(&texts(&options)).code, 1);
        assert_eq!((&here.state()["state"], runtime.block_on(place.sent())), (&json!("failed"), before));

        // Paused in the one block that has it; then an answer is lost.
        let (stage, node, lending) = (AtomicU8::new(0), place.url().to_owned(), pool.to_owned());
        let turning = proxy::before(place.url(), move |method, _| match (method, stage.load(Ordering::SeqCst)) {
            ("eth_sendRawTransaction", 0) => {
                Place::by_the_owner(&node, &lending, PAUSE);
                stage.store(1, Ordering::SeqCst);
                Say::Same
            }
            ("eth_getTransactionReceipt", 1) => {
                Place::by_the_owner(&node, &lending, UNPAUSE);
                stage.store(2, Ordering::SeqCst);
                Say::Error("the database is gone")
            }
            _ => Say::Same,
        });
        let mut child = here.spawned(&texts(&place.options(&turning, pool, &["--retry-failed"])));
        let status = || -> Value {
            fs::read(here.path("submission.json")).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
        };
        until(|| status()["lastError"]["message"].as_str().is_some_and(|message| message.contains("the database is gone")));
        until(|| matches!(here.state()["state"].as_str(), Some("failed") | None));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!((&here.state()["state"], runtime.block_on(place.sent())), (&json!("failed"), before + 1), "once");
    });
}
