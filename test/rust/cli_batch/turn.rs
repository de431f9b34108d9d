//! Whose turn it is, what binds, and what stops whom: groups of loans on their way to the pool.

use super::{
    aggregate::{BORROWERS, Place, RELAYER},
    split::{DEAR, texts, until},
    submit::Watched,
};
use crate::{
    chain_support::proxy::{self, Say},
    cli_support::copy,
};
use serde_json::{Value, json};
use std::{fs, path::Path};
use tokio::runtime::Runtime;

/// `cancelNonce()`.
const CANCEL: &str = "0x76c131b0";

impl Place {
    pub fn gives_up_a_nonce(&self, pool: &str, borrower: &str) {
        self.ask("eth_sendTransaction", json!([{ "from": borrower, "to": pool, "data": CANCEL }]));
    }
}

impl Watched<'_> {
    /// The files that the group's signed transactions opened loans by, and how many there are.
    fn opened(&self) -> (Vec<String>, usize) {
        let settled = self.settled();
        let sent = settled["transactions"].as_array().unwrap();
        let files = sent.iter().flat_map(|sent| sent["files"].as_array().unwrap()).map(|file| {
            let (_, name) = file.as_str().unwrap().split_once('.').unwrap();
            name.to_owned()
        });
        assert!(
            sent.iter().flat_map(|sent| sent["loans"].as_array().unwrap()).all(|loan| loan["outcome"] == "settled"),
            "{settled}"
        );
        (files.collect(), sent.len())
    }
}

/// Bob's loan has the nonce 1, and the pool expects 0: Alice's goes, and his when its turn comes, in a transaction of its own.
pub fn a_loan_goes_when_its_turn_comes(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let here = place.group_of_two("turn");
        let options = place.options(place.url(), pool, &[]);
        let run = here.watch(&texts(&options));
        assert_eq!((run.code, runtime.block_on(place.sent())), (1, before + 1), "{}", run.stderr);
        let state = here.state();
        let (name, why) = state["loans"].as_object().unwrap().iter().next().unwrap();
        assert_eq!((&state["state"], state["loans"].as_object().unwrap().len()), (&json!("waits"), 1), "{state}");
        assert!(name.ends_with(".bob") && why.as_str().unwrap().contains("NonceMismatch"), "{state}");
        assert!(!here.progress().2, "the group is not settled");
        assert_eq!(here.watch(&texts(&options)).code, 1);
        assert_eq!(runtime.block_on(place.sent()), before + 1, "it costs nothing while it waits");
        // Nor where nobody may ask as the pool asks itself.
        let by_the_pool = pool.to_lowercase();
        let strict = proxy::before(place.url(), move |method, parameters| {
            let from = parameters[0]["from"].as_str().unwrap_or_default().to_lowercase();
            if method == "eth_call" && from == by_the_pool { Say::Error("the sender has code") } else { Say::Same }
        });
        assert_eq!(here.watch(&texts(&place.options(&strict, pool, &[]))).code, 1);
        let state = here.state().to_string();
        assert!(
            state.contains("waits") && state.contains("the borrower's next nonce in the pool is 0, the loan's is 1"),
            "{state}"
        );
        assert_eq!(runtime.block_on(place.sent()), before + 1);

        place.gives_up_a_nonce(pool, BORROWERS[1].2);
        here.watch(&texts(&options)).result();
        assert_eq!(here.opened(), (vec!["alice".to_owned(), "bob".to_owned()], 2));
        assert_eq!(runtime.block_on(place.sent()), before + 2);
    });
}

/// A node that fails between the decision and the signature: the next run decides anew, by its own options.
pub fn what_was_not_signed_binds_nobody(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let here = place.group_of_two("unsigned");
        let failing = proxy::before(place.url(), |method, _| match method {
            "eth_getTransactionCount" => Say::Error("the database is gone"),
            _ => Say::Same,
        });
        let run = here.watch(&texts(&place.options(&failing, pool, &DEAR)));
        assert!(run.stdout.contains("the database is gone"), "{}", run.stdout);
        assert_eq!((here.progress(), here.entries().len()), ((1, 1, false), 1), "it is decided, and nothing is signed");
        let decided = || -> Value {
            let mut files = fs::read_dir(here.group("done")).unwrap().map(|entry| entry.unwrap().path());
            let path = files.find(|path| path.to_string_lossy().ends_with(".sending.json")).unwrap();
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        assert_eq!(decided()["transactions"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            here.json("submission.json")["lastError"]["message"].as_str().map(|text| text.contains("database")),
            Some(true)
        );

        here.watch(&texts(&place.options(place.url(), pool, &[]))).result();
        assert_eq!((here.opened().1, runtime.block_on(place.sent())), (1, before + 1), "one transaction holds both");
        assert_eq!(decided()["transactions"].as_array().map(Vec::len), Some(1));
    });
}

/// The same loans in another folder, with another transaction for them under way in the same journal: that one comes first, and nothing is sent
/// beside it.
pub fn what_is_under_way_for_a_borrower_comes_first(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let before = runtime.block_on(place.sent());
        let (first, second) = (place.group_of_two("first"), place.group_of_two("second"));
        first.killed_when_signed(&texts(&place.options(place.url(), pool, &[])));
        let journal = first.journal();
        let more = ["--gas-per-item", "600000", "--journal", journal.to_str().unwrap()];
        let options = place.options(place.url(), pool, &more);
        let run = second.watch(&texts(&options));
        let state = second.state();
        assert_eq!((run.code, &state["code"]), (1, &json!("chain/held-back")), "{state}");
        assert_eq!(runtime.block_on(place.sent()), before + 1, "what was under way, and nothing else");
        second.watch(&texts(&options)).result();
        let settled = second.settled();
        assert_eq!(
            (&settled["transactions"], settled["alreadyOpen"].as_array().map(Vec::len)),
            (&json!([]), Some(2)),
            "{settled}"
        );
        first.watch(&texts(&place.options(place.url(), pool, &[]))).result();
        assert_eq!((first.opened().1, runtime.block_on(place.sent())), (1, before + 1));
    });
}

/// A stranger's transaction takes the nonce of what is signed: it is told, nothing goes unasked, and the next run puts it together anew.
pub fn what_lost_its_nonce_is_decided_anew(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let here = place.group_of_two("lost");
        let options = place.options(place.url(), pool, &[]);
        here.killed_when_signed(&texts(&options));
        let before = runtime.block_on(place.sent()) + 1;
        let relayer = zkml_evm::chain::dev_accounts::addresses().nth(RELAYER).unwrap();
        place.ask("eth_sendTransaction", json!([{ "from": relayer, "to": relayer, "value": "0x1" }]));
        until(|| runtime.block_on(place.sent()) == before);
        let run = here.watch(&texts(&options));
        let state = here.state();
        assert_eq!((run.code, &state["state"], &state["code"]), (1, &json!("refused"), &json!("chain/lost-nonce")), "{state}");
        assert_eq!(runtime.block_on(place.sent()), before);
        here.watch(&texts(&options)).result();
        assert_eq!((here.opened().1, runtime.block_on(place.sent())), (1, before + 1));
    });
}

/// Money for one of two loans by the time that the block comes: the other goes when there is more, in a transaction of its own.
pub fn what_a_block_refused_for_now_goes_again(place: &Place, pool: &str, runtime: &Runtime) {
    place.apart(|| {
        let here = place.group_of_two("poor");
        let options = place.options(place.url(), pool, &[]);
        let raw = here.killed_when_signed(&texts(&options));
        let before = runtime.block_on(place.sent());
        let lender = zkml_evm::chain::dev_accounts::addresses().next().unwrap();
        // `token()`, `balanceOf(pool)`, `transfer(to, amount)`.
        let call = |to: &str, data: String| place.ask("eth_call", json!([{ "to": to, "data": data }, "latest"]));
        let word = |text: &str| format!("{:0>64}", text.trim_start_matches("0x").to_lowercase());
        let token = format!("0x{}", &call(pool, "0xfc0c546a".into()).as_str().unwrap()[26..]);
        let balance = || {
            let balance = call(&token, format!("0x70a08231{}", word(pool)));
            u128::from_str_radix(&balance.as_str().unwrap()[34..], 16).unwrap()
        };
        let full = balance();
        let most = full * 11 / 20;
        let pays = |from: &str, to: &str| {
            let data = format!("0xa9059cbb{}{most:064x}", word(to));
            place.ask("anvil_impersonateAccount", json!([from]));
            place.ask("anvil_setBalance", json!([from, "0xde0b6b3a7640000"]));
            place.ask("eth_sendTransaction", json!([{ "from": from, "to": token, "data": data }]));
        };
        let lender = lender.to_string();
        pays(pool, &lender);
        until(|| balance() == full - most);
        place.ask("eth_sendRawTransaction", json!([raw]));
        until(|| runtime.block_on(place.sent()) == before + 1);
        for _ in 0..2 {
            let run = here.watch(&texts(&options));
            let state = here.state();
            assert_eq!((run.code, &state["state"], here.progress().2), (1, &json!("waits"), false), "{state}");
            let (name, why) = state["loans"].as_object().unwrap().iter().next().unwrap();
            assert!(name.ends_with(".bob") && why.as_str().unwrap().contains("InsufficientLiquidity"), "{state}");
        }
        assert_eq!(runtime.block_on(place.sent()), before + 1, "it costs nothing while it waits");

        let poor = balance();
        pays(&lender, pool);
        until(|| balance() == poor + most);
        here.watch(&texts(&options)).result();
        let settled = here.settled();
        let outcomes = |at: usize| -> Vec<&str> {
            let loans = settled["transactions"][at]["loans"].as_array().unwrap();
            loans.iter().map(|loan| loan["outcome"].as_str().unwrap()).collect()
        };
        assert_eq!((outcomes(0), outcomes(1)), (vec!["settled", "refused"], vec!["settled"]), "{settled}");
        assert_eq!(runtime.block_on(place.sent()), before + 2);
        let status = here.json("submission.json");
        assert_eq!(status["settled"], json!({ "groups": 1, "loansOpen": 2, "loansRefused": 0 }), "{status}");
    });
}

/// Two groups whose loans are open, and one of them without papers meanwhile; files of one that cannot be read, and a status that cannot be
/// written.
pub fn what_concerns_one_group_stops_no_other(place: &Place, pool: &str, runtime: &Runtime) {
    let before = runtime.block_on(place.sent());
    let here = place.group_of_two("several");
    let pair = here.group("done");
    let carols = Watched { place, folder: "watched" }.group("done");
    let carol = here.path("done").join(carols.file_name().unwrap());
    copy(&carols, &carol);
    let options = place.options(place.url(), pool, &[]);
    let settled = |group: &Path| group.join("settled.json");
    let pending = |group: &Path| here.json("submission.json")["pending"][group.file_name().unwrap().to_str().unwrap()].clone();

    // What it says is of no format; what it says is of another chain; it is no file.
    for wrong in [json!({ "chainId": 31337, "pool": pool, "transactions": [] }), json!([])] {
        fs::write(settled(&carol), wrong.to_string()).unwrap();
        let run = here.watch(&texts(&options));
        assert_eq!((run.code, settled(&pair).exists()), (1, true), "{}", run.stderr);
        let state = pending(&carol);
        assert_eq!((&state["state"], &state["code"]), (&json!("unreadable"), &json!("service/damaged")), "{state}");
        fs::remove_file(settled(&pair)).unwrap();
    }
    fs::remove_file(settled(&carol)).unwrap();
    fs::create_dir(settled(&carol)).unwrap();
    let run = here.watch(&texts(&options));
    assert_eq!((run.code, settled(&pair).exists(), &pending(&carol)["code"]), (1, true, &json!("service/io")), "{}", run.stderr);
    fs::remove_dir(settled(&carol)).unwrap();
    here.watch(&texts(&options)).result();
    let mut elsewhere: Value = serde_json::from_str(&fs::read_to_string(settled(&carol)).unwrap()).unwrap();
    elsewhere["genesis"] = json!(format!("0x{:064x}", 5));
    fs::write(settled(&carol), elsewhere.to_string()).unwrap();

    // How they stand cannot be written, and they are settled all the same.
    fs::remove_file(here.path("submission.json")).unwrap();
    fs::create_dir_all(here.path("submission.json/taken")).unwrap();
    fs::remove_file(settled(&pair)).unwrap();
    let run = here.watch(&texts(&options));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("how the groups stand is not written") && settled(&pair).exists(), "{}", run.stderr);
    let again: Value = serde_json::from_str(&fs::read_to_string(settled(&carol)).unwrap()).unwrap();
    assert_ne!(again["genesis"], elsewhere["genesis"], "what is said of another chain counts for nothing");
    fs::remove_dir_all(here.path("submission.json")).unwrap();

    // A group whose proofs came without papers is somebody else's.
    for name in ["alice", "bob"] {
        let mut files = fs::read_dir(&pair).unwrap().map(|entry| entry.unwrap().path());
        let file = files.find(|path| path.to_string_lossy().ends_with(&format!(".{name}"))).unwrap();
        fs::copy(place.path(&format!("loans/{name}/proof.json")), file).unwrap();
    }
    fs::remove_file(settled(&pair)).unwrap();
    here.watch(&texts(&options)).result();
    assert_eq!((pending(&pair), settled(&pair).exists()), (json!({ "state": "noPapers" }), false));
    assert_eq!(runtime.block_on(place.sent()), before, "nothing was to be sent");
}
