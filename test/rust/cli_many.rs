//! `submit --many` against a real anvil, with real proofs: whatever happens to the process or to the chain, each loan is opened once.

mod chain_support;
mod cli_support;
mod loan_support;

use alloy::primitives::{Address, B256, U256, hex, keccak256, utils::format_ether};
use alloy::providers::Provider;
use chain_support::{
    dev,
    proxy::{self, Say},
};
use cli_support::run_in;
use loan_support::{AMOUNT, LOANS, RELAYER, Yard, artifacts, borrower, loans};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use zkml_evm::chain::{Action, Call, embedded::Hardfork, journal::Journal, settle};

fn journal_of(folder: &Path) -> PathBuf {
    folder.join(format!("31337-{}.journal", dev(RELAYER).address()))
}

fn lines(folder: &Path) -> usize {
    fs::read(journal_of(folder)).map_or(0, |bytes| bytes.iter().filter(|&&byte| byte == b'\n').count())
}

fn outcome<'a>(result: &'a Value, item: &str) -> &'a str {
    result["items"][item]["outcome"].as_str().unwrap_or_else(|| panic!("{item}: {result}"))
}

/// Killed twenty times, at any time or right after something was written down, while blocks come when they like.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_nothing_is_lost_or_sent_twice() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), LOANS);
    let yard = Yard::new(Hardfork::Osaka).await;
    yard.ask("evm_setAutomine", json!([false])).await;
    let options = ["--broadcast", "--concurrency", "3"];
    let (mut running, mut written) = (0, 0);
    for _ in 0..20 {
        let mut child = yard.spawn(work.path(), &options);
        let (before, start) = (lines(work.path()), Instant::now());
        // Half of the kills follow a new line of the journal by next to nothing: the moments around signing and sending.
        let (more, at) = (random.gen_range(1..4), Duration::from_millis(random.gen_range(0..900)));
        let on_line = random.gen_bool(0.5);
        let patience = if on_line { Duration::from_millis(2_000) } else { at };
        // Three at most come down with a block: the last run has something left to do.
        let may_mine = yard.sent().await + 3 < LOANS as u64;
        let mine_at = (may_mine && random.gen_bool(0.4)).then(|| at / 2);
        let mut mined = false;
        while start.elapsed() < patience && !(on_line && lines(work.path()) >= before + more) {
            if mine_at.is_some_and(|at| !mined && start.elapsed() >= at) {
                yard.mine().await;
                mined = true;
            }
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
        tokio::time::sleep(Duration::from_micros(random.gen_range(0..4_000))).await;
        running += i32::from(child.try_wait().unwrap().is_none());
        written += usize::from(lines(work.path()) > before);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(running, 20, "each was killed while it ran");
    println!("{written} of 20 had written something; {} loans were in a block", yard.sent().await);
    assert!(written >= 4, "and some of them had begun to send");
    assert!(yard.sent().await < LOANS as u64, "the last run has something left to do");
    yard.ask("evm_setAutomine", json!([true])).await;
    yard.mine().await;
    let result = yard.submit(work.path(), &options).result();
    assert_eq!(result["settled"], LOANS, "{result}");
    yard.assert_settled_once(LOANS, LOANS as u64).await;
    // And again: it is all there, and nothing is sent.
    assert_eq!(yard.submit(work.path(), &options).result()["settled"], LOANS);
    assert_eq!(yard.sent().await, LOANS as u64);
}

/// Good ones among all kinds of others: the good ones are settled, the others are named.
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_item_stops_no_other() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 6);
    let edit = |item: &str, file: &str, change: &dyn Fn(&mut Value)| {
        let path = folder.join(item).join(file);
        let mut json: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut json);
        fs::write(path, json.to_string()).unwrap();
    };
    // One bit of a proof; a permit for more; no permit; no proof; the same again; what is no item.
    edit("loan-01", "proof.json", &|json| {
        let proof = json["proof"].as_str().unwrap();
        let last = if proof.ends_with('0') { "1" } else { "0" };
        json["proof"] = format!("{}{last}", &proof[..proof.len() - 1]).into();
    });
    edit("loan-02", "permit.json", &|json| json["amount"] = format!("{:#x}", AMOUNT - 1).into());
    fs::remove_file(folder.join("loan-03/permit.json")).unwrap();
    fs::remove_file(folder.join("loan-04/proof.json")).unwrap();
    cli_support::copy(&folder.join("loan-00"), &folder.join("zz-twin"));
    fs::create_dir(folder.join(".hidden")).unwrap();
    fs::write(folder.join("notes.txt"), "not an item").unwrap();

    let yard = Yard::new(Hardfork::Osaka).await;
    let dry = yard.submit(folder, &[]);
    assert_eq!((dry.code, yard.sent().await), (1, 0), "a dry run sends nothing: {}", dry.stdout);
    let dry = dry.json()["result"].clone();
    assert_eq!(outcome(&dry, "loan-00"), "wouldSettle");
    assert!(dry["items"]["loan-05"]["gas"].as_u64().unwrap() > 100_000, "{dry}");
    assert!(!journal_of(folder).exists(), "a dry run begins no journal");

    // The sender says which contract is called.
    let nowhere = format!("0x{:040x}", 0xaa);
    let other = yard.submit(folder, &["--broadcast", "--pool", &nowhere]).json()["result"].clone();
    assert!(other["items"]["loan-00"]["reason"].as_str().unwrap().contains("--pool"), "{other}");
    assert_eq!((other["settled"].as_u64(), yard.sent().await), (Some(0), 0), "{other}");

    let done = yard.submit(folder, &["--broadcast"]);
    let result = done.json()["result"].clone();
    assert_eq!(done.code, 1, "{result}");
    let refused = |item: &str| {
        assert_eq!(outcome(&result, item), "refused", "{result}");
        let item = &result["items"][item];
        format!("{} {}", item["code"].as_str().unwrap(), item["reason"].as_str().unwrap())
    };
    assert!(refused("loan-01").starts_with("proof/"), "{result}");
    assert!(refused("loan-02").contains("InvalidPermit"), "{result}");
    assert!(refused("loan-03").contains("SubjectMismatch"), "{result}");
    assert!(refused("loan-04").starts_with("artifact/"), "{result}");
    assert_eq!((outcome(&result, "loan-00"), outcome(&result, "loan-05")), ("settled", "settled"));
    assert_eq!((outcome(&result, "zz-twin"), &result["items"]["zz-twin"]["of"]), ("duplicate", &json!("loan-00")));
    assert_eq!(result["items"].as_object().map(|items| items.len()), Some(7), "{result}");
    assert_eq!(yard.sent().await, 2);

    // Without its journal, another run finds on the chain what is there.
    fs::remove_file(journal_of(folder)).unwrap();
    let again = yard.submit(folder, &["--broadcast"]).json()["result"].clone();
    assert_eq!((outcome(&again, "loan-00"), outcome(&again, "zz-twin")), ("alreadyOpen", "duplicate"), "{again}");
    assert_eq!(yard.sent().await, 2);
    // A model that is not named.
    let bare = yard.submit(folder, &["--broadcast", "--artifacts", folder.join("loan-00").to_str().unwrap()]);
    assert_eq!(bare.code, 2, "{}", bare.stdout);
}

/// Signed and written down, and then killed before it was sent: the very same transaction is sent. A stranger's transaction with the
/// nonce: another one is signed, once ours can no longer be mined.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_is_sent_as_it_is_or_given_up() {
    let work = tempfile::tempdir().unwrap();
    let yard = Yard::new(Hardfork::Osaka).await;
    loans(work.path(), 2);
    yard.ask("evm_setAutomine", json!([false])).await;
    let held = yard.submit(work.path(), &["--broadcast", "--timeout", "1"]);
    assert_eq!(held.refused(), (5, "chain/not-mined".into()));
    assert_eq!(lines(work.path()), 3);
    let written = |folder: &Path| -> Vec<String> {
        let text = fs::read_to_string(journal_of(folder)).unwrap();
        let entries = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(&line[65..]).unwrap());
        entries.filter(|entry| entry["event"] == "signed").map(|entry| entry["tx"].as_str().unwrap().to_owned()).collect()
    };
    let signed = written(work.path());
    // The node forgets both, and a stranger gets nonce 0.
    yard.ask("anvil_dropAllTransactions", json!([])).await;
    let before = yard.chain.provider().get_transaction_count(dev(RELAYER).address()).pending().await.unwrap();
    assert_eq!(before, 0, "as if they had never been sent");
    let pay = Call::transfer("paying", Address::repeat_byte(1), U256::ONE);
    yard.ask("evm_setAutomine", json!([true])).await;
    yard.chain.send(&dev(RELAYER), &pay).await.unwrap();
    let result = yard.submit(work.path(), &["--broadcast"]).result();
    assert_eq!(result["settled"], 2, "{result}");
    yard.assert_settled_once(2, 3).await;
    let mined = ["loan-00", "loan-01"].map(|item| result["items"][item]["tx"].as_str().unwrap());
    assert_eq!(mined[1], signed[1], "the second one went out as it was");
    assert!(!signed.contains(&mined[0].to_owned()), "the first one's nonce was used");
    assert_eq!(written(work.path()).len(), 3);
}

/// Something else sends by the account: it is told, and nothing is signed behind what may never be mined.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_used_elsewhere_is_told() {
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    yard.ask("evm_setAutomine", json!([false])).await;
    let pay = Call::transfer("paying", Address::repeat_byte(1), U256::ONE);
    let strangers = yard.chain.prepare(&dev(RELAYER), &pay).await.unwrap();
    let _pending = yard.chain.provider().send_raw_transaction(&strangers.encoded()).await.unwrap();
    assert_eq!(yard.submit(work.path(), &["--broadcast"]).refused(), (5, "chain/used-elsewhere".into()));
    assert_eq!(lines(work.path()), 1, "nothing is signed");
    yard.ask("evm_setAutomine", json!([true])).await;
    yard.mine().await;
    assert_eq!(yard.submit(work.path(), &["--broadcast"]).result()["settled"], 2);
    yard.assert_settled_once(2, 3).await;
}

fn entries(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(journal_of(folder)).unwrap();
    text.lines().map(|line| serde_json::from_str(&line[65..]).unwrap()).collect()
}

/// A node that will never take one of them: its nonce goes to a transfer of nothing, the others are mined, and no later run is held up.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_node_never_takes_holds_nobody_up() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 3);
    let mut yard = Yard::new(Hardfork::Osaka).await;
    let direct = yard.url.clone();
    let poison = std::sync::Mutex::new(None);
    yard.url = proxy::before(&direct, move |method, parameters| {
        // The first loan that comes, each time that it comes.
        let raw = parameters[0].as_str().unwrap_or_default().to_owned();
        let is_it = |raw: String| *poison.lock().unwrap().get_or_insert(raw.clone()) == raw;
        match method {
            "eth_sendRawTransaction" if raw.len() > 1_000 && is_it(raw) => Say::Error("exceeds block gas limit"),
            _ => Say::Same,
        }
    });
    let run = yard.submit(folder, &["--broadcast"]);
    let result = run.json()["result"].clone();
    assert_eq!((run.code, outcome(&result, "loan-00"), &result["settled"]), (1, "refused", &json!(2)), "{result}");
    assert_eq!(result["items"]["loan-00"]["code"], "chain/gas-limit", "{result}");
    assert_eq!((yard.sent().await, yard.balance(0).await), (3, U256::ZERO), "one nonce went to nothing");
    // It is not tried again by itself, and then it is.
    yard.url = direct;
    let again = yard.submit(folder, &["--broadcast"]).json()["result"].clone();
    assert_eq!((outcome(&again, "loan-00"), yard.sent().await), ("failed", 3), "{again}");
    let retried = yard.submit(folder, &["--broadcast", "--retry-failed"]).result();
    assert_eq!(retried["settled"], 3, "{retried}");
    yard.assert_settled_once(3, 4).await;
}

/// The node takes the replacements, its answers are lost, and it says that it knows none of them: they are in the journal and are found.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_whose_answer_is_lost() {
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), 1);
    let mut yard = Yard::new(Hardfork::Osaka).await;
    yard.ask("evm_setAutomine", json!([false])).await;
    let sent = AtomicUsize::new(0);
    yard.url = proxy::before(&yard.url, move |method, _| match method {
        "eth_sendRawTransaction" if sent.fetch_add(1, Ordering::SeqCst) > 0 => Say::Lost,
        "eth_getTransactionByHash" => Say::Result(Value::Null),
        _ => Say::Same,
    });
    let mut child = Ended(yard.spawn(work.path(), &["--broadcast", "--replace-after", "1", "--timeout", "60"]));
    let start = Instant::now();
    while lines(work.path()) < 3 {
        assert!(start.elapsed() < Duration::from_secs(60) && child.0.try_wait().unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    yard.mine().await;
    assert!(child.0.wait().unwrap().success());
    yard.assert_settled_once(1, 1).await;
    let entries = entries(work.path());
    assert_eq!((&entries[1]["event"], &entries[2]["event"]), (&json!("signed"), &json!("signed")));
    let last = entries.last().unwrap();
    assert_eq!(last["event"], "mined", "{last}");
    assert_ne!(last["tx"], entries[1]["tx"], "a replacement was mined");
}

/// The papers change while their transaction is under way: the borrower gets one loan, and it is said by which papers.
#[tokio::test(flavor = "multi_thread")]
async fn papers_that_change_between_runs() {
    use std::os::unix::fs::PermissionsExt;
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    yard.ask("evm_setAutomine", json!([false])).await;
    assert_eq!(yard.submit(folder, &["--broadcast", "--timeout", "1"]).refused(), (5, "chain/not-mined".into()));
    let keys = tempfile::tempdir().unwrap();
    let key = borrower(0).to_bytes();
    eth_keystore::encrypt_key(keys.path(), &mut rand::thread_rng(), key, "open sesame", Some("borrower")).unwrap();
    fs::write(keys.path().join("password"), "open sesame").unwrap();
    fs::set_permissions(keys.path().join("password"), fs::Permissions::from_mode(0o600)).unwrap();
    let item = folder.join("loan-00");
    fs::remove_file(item.join("permit.json")).unwrap();
    let papers = ["--proof", "proof.json", "--attestation", "attestation.json", "--out", "permit.json"];
    let [keystore, password] = ["borrower", "password"].map(|name| keys.path().join(name).to_str().unwrap().to_owned());
    let signs = ["--amount", "200", "--keystore", &keystore, "--password-file", &password];
    run_in(&item, &[&["--json", "permit"], &papers[..], &signs].concat()).result();

    let child = yard.spawn(folder, &["--broadcast"]);
    // What was under way and what is handed over again: while it waits for a block, nothing more is signed.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lines(folder), 3);
    yard.ask("evm_setAutomine", json!([true])).await;
    yard.mine().await;
    assert!(Ended(child).0.wait().unwrap().success());
    yard.assert_settled_once(2, 2).await;
    let result = yard.submit(folder, &["--broadcast"]).result();
    assert_eq!(outcome(&result, "loan-00"), "alreadyOpen", "{result}");
    assert_eq!(outcome(&result, "loan-00 (with earlier papers)"), "settled", "{result}");
    assert_eq!(yard.sent().await, 2);
}

/// Runs the binary where no file can grow beyond so many bytes.
fn on_a_full_disk(arguments: &[String], bytes: usize) -> cli_support::Run {
    use std::os::unix::process::CommandExt;
    let bytes = bytes as libc::rlim_t;
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
    command.args(arguments);
    unsafe {
        command.pre_exec(move || {
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    cli_support::Run::of(&mut command)
}

/// What cannot be written down is not sent, and nothing is written behind half a line.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_sends_nothing() {
    let (work, more) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    loans(work.path(), 1);
    loans(more.path(), 3);
    fs::remove_dir_all(more.path().join("loan-00")).unwrap();
    let yard = Yard::new(Hardfork::Osaka).await;
    let sent = async || yard.chain.provider().get_transaction_count(dev(RELAYER).address()).pending().await.unwrap();
    let refused = |folder: &Path, bytes: usize| {
        let run = on_a_full_disk(&yard.arguments(folder, &["--broadcast", "--concurrency", "2"]), bytes);
        assert_eq!(run.refused(), (4, "chain/file".into()));
        assert_eq!(fs::metadata(journal_of(folder)).unwrap().len(), bytes as u64, "a torn line");
    };
    // Room for the head and half a transaction.
    refused(work.path(), 2_000);
    assert_eq!((lines(work.path()), sent().await), (1, 0));
    assert_eq!(yard.submit(work.path(), &["--broadcast"]).result()["settled"], 1);
    // For the head, a transaction, and half of another: the first one is sent and mined, and its end is not written behind the torn line.
    let text = fs::read_to_string(journal_of(work.path())).unwrap();
    let sizes: Vec<usize> = text.lines().map(|line| line.len() + 1).collect();
    refused(more.path(), sizes[0] + sizes[1] * 3 / 2);
    assert_eq!((lines(more.path()), sent().await), (2, 2));
    assert_eq!(yard.submit(more.path(), &["--broadcast"]).result()["settled"], 2);
    yard.assert_settled_once(3, 3).await;
}

/// All that a run has sent, at its dearest or as it came, and what it would send next.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_costs_no_more_than_it_may() {
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    let dry = yard.submit(work.path(), &[]).result();
    let most: u64 = dry["items"]["loan-00"]["maxCostWei"].as_str().unwrap().parse().unwrap();
    let limit = format_ether(U256::from(most / 20 * 21));
    let run = yard.submit(work.path(), &["--broadcast", "--concurrency", "2", "--max-total", &limit]);
    assert_eq!(run.refused(), (1, "chain/run-too-dear".into()));
    assert_eq!(yard.sent().await, 1);
    let limit = format_ether(U256::from(most * 3));
    assert_eq!(yard.submit(work.path(), &["--broadcast", "--max-total", &limit]).result()["settled"], 2);
    yard.assert_settled_once(2, 2).await;
}

/// The base fee rises above what was offered. Without `--replace-after` the run waits; with it, each is replaced, within the ceiling.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stuck_is_replaced_within_the_ceiling() {
    const GWEI: u64 = 1_000_000_000;
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), 3);
    let yard = Yard::new(Hardfork::Osaka).await;
    let dear = |gwei: u64| json!([format!("{:#x}", gwei * GWEI)]);
    yard.ask("evm_setAutomine", json!([false])).await;
    let first = yard.submit(work.path(), &["--broadcast", "--timeout", "1", "--gas-price", "3gwei"]);
    assert_eq!(first.refused(), (5, "chain/not-mined".into()));
    yard.ask("anvil_setNextBlockBaseFeePerGas", dear(50)).await;
    yard.mine().await;
    assert_eq!(yard.sent().await, 0, "nobody takes them at this price");
    // The ceiling forbids it: nothing is signed anew.
    let held = ["--broadcast", "--timeout", "4", "--replace-after", "1", "--max-fee", "3.1"];
    let before = lines(work.path());
    assert_eq!(yard.submit(work.path(), &held).refused(), (5, "chain/not-mined".into()));
    assert_eq!(lines(work.path()), before);
    let options = ["--broadcast", "--timeout", "60", "--replace-after", "1", "--max-fee", "500"];
    let mut child = yard.spawn(work.path(), &options);
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60));
        yard.ask("anvil_setNextBlockBaseFeePerGas", dear(50)).await;
        yard.mine().await;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert!(child.wait().unwrap().success());
    yard.assert_settled_once(3, 3).await;
    assert!(lines(work.path()) >= before + 6, "three replacements and three ends");
}

/// A reorganisation throws the loans out while they are waited for: they are handed over again, and counted where they end up.
#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_while_waiting() {
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), 3);
    let yard = Yard::new(Hardfork::Osaka).await;
    yard.ask("evm_setAutomine", json!([false])).await;
    let mut child = yard.spawn(work.path(), &["--broadcast", "--confirmations", "4"]);
    let start = Instant::now();
    while yard.sent().await < 3 {
        assert!(start.elapsed() < Duration::from_secs(30));
        yard.mine().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let deep = yard.chain.provider().get_block_number().await.unwrap();
    yard.ask("anvil_reorg", json!([3, []])).await;
    assert!(yard.sent().await < 3, "thrown out at block {deep}");
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(300)).await;
        yard.mine().await;
    }
    assert!(child.wait().unwrap().success());
    yard.assert_settled_once(3, 3).await;
}

/// A journal with these lines, as somebody makes it who knows how.
fn summed(entries: &[&Value]) -> Vec<u8> {
    let (mut sum, mut bytes) = (B256::ZERO, Vec::new());
    for entry in entries {
        let text = entry.to_string();
        sum = keccak256([sum.as_slice(), text.as_bytes()].concat());
        bytes.extend(format!("{} {text}\n", hex::encode(sum)).into_bytes());
    }
    bytes
}

/// What is no journal, is another's, or was changed is refused before anything is sent; a torn end is taken away.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_checked() {
    let work = tempfile::tempdir().unwrap();
    let (folder, path) = (work.path(), journal_of(work.path()));
    loans(folder, 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    let submit = || yard.submit(folder, &["--broadcast"]);
    assert_eq!(submit().result()["settled"], 2);
    let honest = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..honest.len()).filter(|&i| honest[i] == b'\n').map(|i| i + 1).collect();
    assert_eq!(ends.len(), 5, "its head, two signed, two mined");
    let flipped = |at: usize| {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        bytes
    };
    let without = |line: usize| [&honest[..ends[line - 1]], &honest[ends[line]..]].concat();
    let genesis = yard.chain.genesis().await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = other.path().join("journal");
    drop(Journal::open(&stranger, 31_337, genesis, dev(1).address()).unwrap());
    let stranger = fs::read(stranger).unwrap();
    let cases = [
        (b"hello".to_vec(), "chain/journal-foreign"),
        (b"hello\n".to_vec(), "chain/journal-foreign"),
        (stranger, "chain/journal-foreign"),
        (flipped(3), "chain/journal-foreign"),
        (flipped(ends[0] + 3), "chain/journal-damaged"),
        (flipped(ends[1] - 9), "chain/journal-damaged"),
        (flipped(ends[4] - 2), "chain/journal-damaged"),
        (without(1), "chain/journal-damaged"),
        (without(3), "chain/journal-damaged"),
        ([&honest[..], &honest[ends[3]..]].concat(), "chain/journal-damaged"),
    ];
    for (i, (bytes, code)) in cases.iter().enumerate() {
        fs::write(&path, bytes).unwrap();
        assert_eq!(submit().refused(), (2, (*code).into()), "case {i}");
        assert_eq!(&fs::read(&path).unwrap(), bytes, "case {i}: it is not touched");
    }
    // Well-formed, with right checksums, and not what the account has signed: another's loan, or nothing.
    let written = entries(folder);
    let (one, two) = (&written[1], &written[2]);
    let swapped = |part: &str| {
        let mut entry = one.clone();
        entry[part] = two[part].clone();
        entry
    };
    for (i, entry) in [swapped("digest"), swapped("raw"), swapped("tx"), swapped("nonce")].iter().enumerate() {
        fs::write(&path, summed(&[&written[0], entry, two])).unwrap();
        assert_eq!(submit().refused(), (2, "chain/journal-damaged".into()), "entry {i}");
    }
    fs::write(&path, summed(&[&written[0], one, two])).unwrap();
    assert_eq!(submit().result()["settled"], 2, "the checksums were right");
    // Cut anywhere: what is left of the last line is taken away, and the chain says the rest.
    for cut in [0, 30, 64, ends[0], ends[0] + 500, ends[2], ends[3] + 1, ends[4] - 1] {
        fs::write(&path, &honest[..cut]).unwrap();
        let result = submit().result();
        let good = ["loan-00", "loan-01"].map(|item| outcome(&result, item).to_owned());
        assert!(good.iter().all(|outcome| matches!(outcome.as_str(), "settled" | "alreadyOpen")), "cut at {cut}: {result}");
        assert_eq!(submit().result()["items"].as_object().map(|items| items.len()), Some(2), "cut at {cut}");
    }
    assert_eq!(yard.sent().await, 2);
    // Two processes cannot write one journal.
    let _open = Journal::open(&path, 31_337, genesis, dev(RELAYER).address()).unwrap();
    assert_eq!(submit().refused(), (5, "chain/journal-busy".into()));
    // A node that was started anew is another chain.
    let anew = Yard::new(Hardfork::Osaka).await;
    drop(_open);
    assert_eq!(anew.submit(folder, &["--broadcast"]).refused(), (2, "chain/journal-foreign".into()));
}

/// The same under both sets of rules that a chain may have today.
#[tokio::test(flavor = "multi_thread")]
async fn loans_settle_under_prague_and_osaka() {
    for hardfork in [Hardfork::Prague, Hardfork::Osaka] {
        let work = tempfile::tempdir().unwrap();
        loans(work.path(), 3);
        let yard = Yard::new(hardfork).await;
        assert_eq!(yard.submit(work.path(), &["--broadcast"]).result()["settled"], 3, "{hardfork:?}");
        yard.assert_settled_once(3, 3).await;
    }
}

/// A borrower signs a permit with a keystore, and anybody sends the loan by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_permit_lets_somebody_else_send() {
    use std::os::unix::fs::PermissionsExt;
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    let key = borrower(0).to_bytes();
    eth_keystore::encrypt_key(folder, &mut rand::thread_rng(), key, "open sesame", Some("borrower")).unwrap();
    fs::write(folder.join("password"), "open sesame").unwrap();
    fs::set_permissions(folder.join("password"), fs::Permissions::from_mode(0o600)).unwrap();
    let verb = |arguments: &[&str]| run_in(folder, &[&["--json"], arguments].concat());
    let papers = ["--proof", "loan-00/proof.json", "--attestation", "loan-00/attestation.json"];
    let signs = ["--keystore", "borrower", "--password-file", "password"];
    let permit = [&["permit", "--amount", "200", "--out", "mine.json"], &papers[..], &signs].concat();
    let made = verb(&permit).result();
    assert_eq!(made["permit"]["borrower"], json!(borrower(0).address()), "{made}");
    // Without the proof, word for word the same.
    let text = fs::read_to_string(folder.join("loan-00/permit.json")).unwrap();
    let theirs: Value = serde_json::from_str(&text).unwrap();
    let call = ["pool", "policy", "nonce", "expiry"].map(|part| {
        let value = &theirs[match part {
            "pool" => "lending",
            "policy" => "policyId",
            other => other,
        }];
        [format!("--{part}"), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
    });
    let call: Vec<&str> = call.iter().flatten().map(String::as_str).collect();
    let bare = [&["permit", "--amount", "200", "--out", "same.json", "--attestation", papers[3]], &call[..], &signs].concat();
    assert_eq!(verb(&bare).result()["permit"], made["permit"]);
    let stranger = ["permit", "--amount", "200", "--attestation", "loan-01/attestation.json", "--proof", "loan-01/proof.json"];
    assert_eq!(verb(&[&stranger[..], &signs].concat()).refused(), (2, "usage/conflict".into()));
    assert_eq!(verb(&[&stranger[..5], &signs].concat()).refused(), (2, "usage/missing".into()));

    let relayer = RELAYER.to_string();
    let by = ["--rpc-url", &yard.url, "--dev-account", &relayer];
    let submit = |permit: &str, more: &[&str]| verb(&[&["submit", "--permit", permit], &papers[..], &by, more].concat());
    assert_eq!(submit("loan-01/permit.json", &[]).refused(), (2, "usage/conflict".into()));
    assert_eq!(submit("loan-00/proof.json", &[]).refused(), (2, "chain/permit-foreign".into()));
    assert_eq!(submit("mine.json", &["--amount", "250"]).refused(), (2, "usage/arguments".into()), "the permit says how much");
    assert!(submit("mine.json", &[]).result()["gas"].as_u64().unwrap() > 100_000);
    let loan = submit("mine.json", &["--broadcast"]).result();
    assert_eq!((loan["amount"].as_str(), loan["borrower"].as_str()), (Some("200"), made["permit"]["borrower"].as_str()));
    assert_eq!(yard.balance(0).await, U256::from(200));
    let pool = yard.places.lending.to_string();
    let id = loan["loanId"].as_str().unwrap();
    settle::mint(&yard.chain, &dev(0), yard.places.token, dev(RELAYER).address(), U256::from(1_000)).await.unwrap();
    let repay = |more: &[&str]| verb(&[&["repay", "--loan", id, "--pool", &pool], &by[..], more].concat()).result();
    let dry = repay(&[]);
    assert_eq!((dry["needed"].as_bool(), dry["principal"].as_str()), (Some(true), Some("200")), "{dry}");
    assert_eq!(repay(&["--broadcast"])["left"], "0");
    assert_eq!((repay(&["--broadcast"])["sent"].as_bool(), repay(&[])["needed"].as_bool()), (Some(false), Some(false)));
    // The nonce is used: there is nothing to take back.
    let cancel = [&["cancel-nonce", "--nonce", "0", "--pool", &pool, "--rpc-url", &yard.url], &signs[..]].concat();
    assert_eq!(verb(&cancel).result()["needed"], false);
}

/// One transaction for all, each item for itself; and what is open already is left out.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_one_transaction() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 4);
    let yard = Yard::new(Hardfork::Osaka).await;
    let relayer = RELAYER.to_string();
    let by = [folder.to_str().unwrap(), "--rpc-url", &yard.url, "--dev-account", &relayer];
    let batch = |more: &[&str]| run_in(folder, &[&["--json", "submit-batch"], &by[..], more].concat());
    let path = folder.join("loan-02/permit.json");
    let honest = fs::read_to_string(&path).unwrap();
    let mut permit: Value = serde_json::from_str(&honest).unwrap();
    permit["amount"] = "0x1".into();
    fs::write(&path, permit.to_string()).unwrap();

    let dry = batch(&[]).result();
    assert_eq!((dry["items"].as_array().map(Vec::len), yard.sent().await), (Some(4), 0), "{dry}");
    // A wallet that burns gas, what is no item, another pool: each is left out, and the others go.
    let burns = format!("{:x}", borrower(1).address());
    let dear = proxy::before(&yard.url, move |method, parameters| match method {
        "eth_estimateGas" if parameters[0].to_string().to_lowercase().contains(&burns) => Say::Result("0x1000000".into()),
        _ => Say::Same,
    });
    fs::create_dir(folder.join("zz-empty")).unwrap();
    let left = run_in(folder, &["--json", "submit-batch", by[0], "--rpc-url", &dear, "--dev-account", &relayer]);
    let result = left.json()["result"].clone();
    assert_eq!((left.code, &result["items"]), (1, &json!(["loan-00", "loan-02", "loan-03"])), "{result}");
    assert!(result["gasPerItem"].as_u64().unwrap() < 2_000_000, "{result}");
    let why = |item: &str| result["refused"][item].as_str().unwrap();
    assert!(why("loan-01").contains("16777216 gas") && !why("zz-empty").is_empty(), "{result}");
    assert_eq!(batch(&["--all-or-nothing"]).refused().0, 4, "there nothing is left out");
    let nowhere = format!("0x{:040x}", 0xaa);
    let none = batch(&["--broadcast", "--pool", &nowhere]);
    assert_eq!((none.code, none.json()["result"]["sent"].as_bool(), yard.sent().await), (1, Some(false), 0), "{}", none.stdout);
    fs::remove_dir(folder.join("zz-empty")).unwrap();
    let strict = batch(&["--all-or-nothing"]);
    assert_eq!(strict.refused(), (1, "chain/reverted".into()));
    assert!(strict.stdout.contains("InvalidPermit"), "{}", strict.stdout);
    let done = batch(&["--broadcast"]);
    let result = done.json()["result"].clone();
    assert_eq!((done.code, &result["refused"]), (1, &json!(1)), "{result}");
    assert_eq!((outcome(&result, "loan-00"), outcome(&result, "loan-03")), ("settled", "settled"));
    assert!(result["items"]["loan-02"]["reason"].as_str().unwrap().contains("InvalidPermit"), "{result}");
    fs::write(&path, honest).unwrap();
    let rest = batch(&["--broadcast"]).result();
    assert_eq!(rest["items"].as_object().map(|items| items.len()), Some(1), "only the one that is not open: {rest}");
    assert_eq!(batch(&["--broadcast"]).result()["sent"], false);
    yard.assert_settled_once(4, 2).await;
}

/// More loans than a transaction holds at this gas: as few transactions as hold them, one after the other; killed between two of them, the next
/// run sends what is not open, whatever gas it gives.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_several_transactions() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 7);
    let yard = Yard::new(Hardfork::Osaka).await;
    let relayer = RELAYER.to_string();
    let by = ["--json", "submit-batch", folder.to_str().unwrap(), "--rpc-url", &yard.url, "--dev-account", &relayer];
    let batch = |more: &[&str]| run_in(folder, &[&by[..], more].concat());
    let dear = ["--gas-per-item", "5000000"];
    let items = |of: &Value| of["transactions"].as_array().unwrap().iter().map(|sent| sent["items"].clone()).collect::<Vec<_>>();
    let dry = batch(&dear).result();
    let expected = [json!(["loan-00", "loan-01", "loan-02"]), json!(["loan-03", "loan-04", "loan-05"]), json!(["loan-06"])];
    assert_eq!(items(&dry), expected, "{dry}");
    assert_eq!(dry["gas"], dry["transactions"].as_array().unwrap().iter().map(|sent| sent["gas"].as_u64().unwrap()).sum::<u64>());
    assert_eq!(batch(&[&dear[..], &["--all-or-nothing"]].concat()).refused(), (2, "chain/undivided".into()));
    let alone = batch(&["--gas-per-item", "17000000"]);
    assert_eq!(alone.refused(), (5, "chain/gas-limit".into()));
    assert!(alone.stdout.contains("opening the loan of loan-00"), "{}", alone.stdout);

    yard.ask("evm_setAutomine", json!([false])).await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
    let mut child = command.args(by).args(dear).arg("--broadcast").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let pending = || async { yard.chain.provider().get_transaction_count(dev(RELAYER).address()).pending().await.unwrap() };
    let start = Instant::now();
    while pending().await < 2 {
        assert!(start.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "it sends one after the other");
        if pending().await == 1 {
            yard.mine().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    yard.mine().await;
    yard.ask("evm_setAutomine", json!([true])).await;
    let open = yard.balance(5).await;
    assert_eq!((open, yard.balance(6).await), (U256::from(AMOUNT), U256::ZERO), "two of three");
    let rest = batch(&["--gas-per-item", "2000000", "--broadcast"]).result();
    assert_eq!(items(&rest), [json!(["loan-06"])], "{rest}");
    yard.assert_settled_once(7, 3).await;
}

/// Borrowers whose wallets agree in the estimate and burn all their gas in the block cost their own loans and nobody else's: all but the last
/// do, and the transaction has what it promised them and no more.
#[tokio::test(flavor = "multi_thread")]
async fn wallets_that_turn_dear_block_nobody() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 4);
    let yard = Yard::new(Hardfork::Osaka).await;
    let node = yard.url.clone();
    let turning = proxy::before(&yard.url, move |method, _| {
        if method == "eth_sendRawTransaction" {
            for wallet in (0..3).map(|i| borrower(i).address()) {
                // INVALID: the wallet's answer to any signature.
                assert!(proxy::ask(&node, "anvil_setCode", json!([wallet, "0xfe"])).get("error").is_none());
            }
        }
        Say::Same
    });
    let relayer = RELAYER.to_string();
    let by = ["--json", "submit-batch", folder.to_str().unwrap(), "--rpc-url", &turning, "--dev-account", &relayer];
    let batch = |more: &[&str]| run_in(folder, &[&by[..], more].concat());
    let more = batch(&["--gas-per-item", "17000000"]);
    assert_eq!(more.refused().1, "chain/gas-limit", "more than a transaction has is told before it is sent");
    let done = batch(&["--broadcast", "--gas-per-item", "2000000"]);
    let result = done.json()["result"].clone();
    assert_eq!((done.code, &result["refused"]), (1, &json!(3)), "{result}");
    for wallet in ["loan-00", "loan-01", "loan-02"] {
        assert!(result["items"][wallet]["reason"].as_str().unwrap().contains("InvalidPermit"), "{result}");
    }
    assert_eq!(outcome(&result, "loan-03"), "settled", "{result}");
    // Three times 2,000,000 are burnt, of a limit that has little more than that and what the last one takes.
    assert!((6_000_000..8_600_000).contains(&result["gasUsed"].as_u64().unwrap()), "{result}");

    // Away from local chains the papers choose no contract.
    let public = proxy::before(&yard.url, |method, _| match method {
        "eth_chainId" => Say::Result("0x2105".into()),
        _ => Say::Same,
    });
    let fixed = ["--rpc-url", &public, "--broadcast", "--keystore", "none"];
    let one = run_in(folder, &[&["--json", "submit-batch", folder.to_str().unwrap()], &fixed[..]].concat());
    assert_eq!(one.refused(), (2, "usage/missing".into()), "{}", one.stdout);
    assert!(one.stdout.contains("--pool"), "{}", one.stdout);
}

/// A borrower's second loan is in a transaction behind the first one's, which the block refuses: it is not sent, and the others are.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_refused_loan_none_of_the_borrower_goes() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    loans(folder, 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    yard.second_loan(0, &folder.join("second")).await;
    let (node, wallet) = (yard.url.clone(), borrower(0).address());
    let turning = proxy::before(&yard.url, move |method, _| {
        if method == "eth_sendRawTransaction" {
            assert!(proxy::ask(&node, "anvil_setCode", json!([wallet, "0xfe"])).get("error").is_none());
        }
        Say::Same
    });
    let relayer = RELAYER.to_string();
    let batch = |url: &str| {
        let fixed = ["--json", "submit-batch", folder.to_str().unwrap(), "--gas-per-item", "10000000", "--broadcast"];
        run_in(folder, &[&fixed[..], &["--rpc-url", url, "--dev-account", &relayer]].concat())
    };
    let done = batch(&turning);
    let result = done.json()["result"].clone();
    assert_eq!((done.code, yard.sent().await, &result["refused"]), (1, 2, &json!(2)), "{result}");
    assert_eq!((outcome(&result, "loan-00"), outcome(&result, "loan-01")), ("refused", "settled"), "{result}");
    assert!(result["items"]["second"]["reason"].as_str().unwrap().contains("held back"), "{result}");
    // When the wallet signs again, both go, in their order.
    yard.ask("anvil_setCode", json!([wallet, "0x"])).await;
    let rest = batch(&yard.url).result();
    assert_eq!((outcome(&rest, "loan-00"), outcome(&rest, "second"), yard.sent().await), ("settled", "settled", 4), "{rest}");
    assert_eq!(yard.balance(0).await, U256::from(2 * AMOUNT));
}

/// One real proof for two borrowers, by the one who sends it.
#[tokio::test(flavor = "multi_thread")]
async fn one_proof_opens_loans_together() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let yard = Yard::new(Hardfork::Osaka).await;
    yard.batch_of_two(folder).await;
    let batch = |by: &str, more: &[&str]| {
        let fixed = ["--json", "submit-batch", folder.to_str().unwrap(), "--proof", "batch.json", "--rpc-url", &yard.url];
        run_in(folder, &[&fixed[..], &["--dev-account", by], more].concat())
    };
    let relayer = RELAYER.to_string();
    assert_eq!(batch("6", &["--broadcast"]).refused(), (2, "usage/conflict".into()), "the proof is the relayer's");
    assert!(batch(&relayer, &[]).result()["gas"].as_u64().unwrap() > 200_000);
    let done = batch(&relayer, &["--broadcast"]).result();
    assert_eq!((outcome(&done, "loan-00"), outcome(&done, "loan-01")), ("settled", "settled"), "{done}");
    assert_eq!(batch(&relayer, &["--broadcast"]).result()["sent"], false);
    yard.assert_settled_once(2, 1).await;
}

/// Two proofs of a model whose honest proofs may differ contradict nothing.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_determined_can_contradict() {
    let work = tempfile::tempdir().unwrap();
    loans(work.path(), 2);
    let yard = Yard::new(Hardfork::Osaka).await;
    let (artifacts, router) = (artifacts(), yard.places.router.to_string());
    let fixed = ["--json", "contradict", "--artifacts", artifacts.to_str().unwrap(), "--router", &router];
    let by = ["--rpc-url", &yard.url, "--dev-account", "7", "--proof", "loan-00/proof.json"];
    let contradict = |more: &[&str]| run_in(work.path(), &[&fixed[..], &by, more].concat());
    let refused = contradict(&["--proof", "loan-01/proof.json"]);
    assert_eq!(refused.refused(), (1, "chain/reverted".into()));
    assert!(refused.stdout.contains("StatementNotDeterministic"), "{}", refused.stdout);
    assert_eq!(contradict(&[]).refused(), (2, "usage/conflict".into()));
}

/// Ends with the test, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Each event and each change, as it comes; a reorganisation is told; Ctrl-C ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_is_watched() {
    let yard = Yard::new(Hardfork::Osaka).await;
    let work = tempfile::tempdir().unwrap();
    let [router, pool] = [yard.places.router, yard.places.lending].map(|address| address.to_string());
    let model = loan_support::model_id().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
    command.current_dir(work.path()).args(["--json", "status", "--watch", "--poll", "1", "--rpc-url", &yard.url]);
    command.args(["--router", &router, "--pool", &pool, "--model", &model]);
    let mut child = Ended(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let (said, heard) = std::sync::mpsc::channel();
    let out = BufReader::new(child.0.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(|line| drop(said.send(line))));
    let next = || -> Value {
        let line = heard.recv_timeout(Duration::from_secs(20)).expect("something is told");
        let document: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&document["version"], &document["verb"]), (&json!(1), &json!("status")), "{line}");
        document["result"].clone()
    };
    let first = next();
    assert_eq!((&first["news"], &first["models"][0]["state"]), (&json!("state"), &json!("Active")), "{first}");
    assert_eq!((&first["pool"]["paused"], &first["pool"]["liquidity"]), (&json!(false), &json!("1000000")), "{first}");

    let lending = yard.places.lending;
    Action::Pause { lending }.run(&yard.chain, &dev(0)).await.unwrap().unwrap();
    let event = next();
    assert_eq!((&event["event"], &event["contract"]), (&json!("Paused"), &json!("LendingThreshold")), "{event}");
    assert_eq!(event["arguments"]["account"], json!(dev(0).address().to_string()), "{event}");
    assert_eq!(next()["pool"]["paused"], true);
    // The block with the pause is replaced by an empty one.
    yard.ask("anvil_reorg", json!([1, []])).await;
    let told = [next(), next()];
    assert_eq!((&told[0]["news"], &told[0]["block"]), (&json!("reorganised"), &event["block"]), "{told:?}");
    assert_eq!((&told[1]["news"], &told[1]["pool"]["paused"]), (&json!("state"), &json!(false)), "{told:?}");
    Action::Freeze { router: yard.places.router, model_id: loan_support::model_id() }.run(&yard.chain, &dev(0)).await.unwrap();
    let told = [next(), next()];
    assert_eq!((&told[0]["event"], &told[0]["arguments"]["modelId"]), (&json!("ModelFrozen"), &json!(model)), "{told:?}");
    assert_eq!(told[1]["models"][0]["state"], "Frozen", "{told:?}");

    assert_eq!(unsafe { libc::kill(child.0.id() as i32, libc::SIGINT) }, 0);
    assert_eq!(child.0.wait().unwrap().code(), Some(130));
    let last: Value = serde_json::from_str(&heard.recv_timeout(Duration::from_secs(5)).unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "interrupted", "{last}");
}

/// A stuck transaction of a process that is gone: its fees are raised, once it is known by its hash.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_run_left_is_replaced() {
    let yard = Yard::new(Hardfork::Osaka).await;
    let work = tempfile::tempdir().unwrap();
    yard.ask("evm_setAutomine", json!([false])).await;
    let call = Call::transfer("paying", Address::repeat_byte(3), U256::from(9));
    let relayer = dev(RELAYER);
    let signed = yard.chain.prepare(&relayer, &call).await.unwrap();
    let _pending = yard.chain.provider().send_raw_transaction(&signed.encoded()).await.unwrap();
    let tx = signed.hash().to_string();
    let (mine, theirs) = (RELAYER.to_string(), "3");
    let replace = |tx: &str, by: &str, more: &[&str]| {
        let fixed = ["--json", "replace", tx, "--rpc-url", &yard.url, "--dev-account", by];
        run_in(work.path(), &[&fixed[..], more].concat())
    };
    assert_eq!(replace(&tx, &mine, &[]).result()["maxFeePerGas"], signed.max_fee_per_gas().to_string());
    assert_eq!(replace(&tx, theirs, &["--broadcast"]).refused(), (5, "chain/malformed-answer".into()));
    let none = format!("0x{}", "12".repeat(32));
    assert_eq!(replace(&none, &mine, &["--broadcast"]).refused(), (5, "chain/no-transaction".into()));
    let cheap = ["--broadcast", "--max-fee", "0.000000001"];
    assert_eq!(replace(&tx, &mine, &cheap).refused(), (1, "chain/fee-too-high".into()));
    let held = replace(&tx, &mine, &["--broadcast", "--timeout", "1"]);
    assert_eq!(held.refused(), (5, "chain/not-mined".into()));
    yard.mine().await;
    assert_eq!(yard.sent().await, 1);
    assert!(yard.chain.provider().get_transaction_receipt(signed.hash()).await.unwrap().is_none(), "the raised one was mined");
    assert_eq!(yard.chain.provider().get_balance(Address::repeat_byte(3)).await.unwrap(), U256::from(9));
}
