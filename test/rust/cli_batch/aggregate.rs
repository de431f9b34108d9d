//! Loans by one aggregate of the borrowers' own proofs: the credit model, the real outer circuit, its verifier and the pool on an anvil.

use crate::chain_support::proxy;
use crate::cli_support::{Run, copy, project, run_in};
use alloy::primitives::Bytes;
use serde_json::{Value, json};
use std::{fs, path::Path};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zkml_evm::{
    artifact::aggregate::AggregateFile,
    chain::{
        Account, AccountSource, Chain, ChainTarget, Password, Patience,
        anvil::AnvilProcess,
        batch::{Batch, BatchProof, ItemResult},
        embedded::Hardfork,
        permit::Permit,
        settle::LoanRequest,
    },
};

/// Development accounts.
pub const BORROWERS: [(&str, &str, &str); 3] = [
    ("alice", "2", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
    ("bob", "3", "0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
    ("carol", "4", "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
];
const ATTESTOR: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
pub const RELAYER: usize = 5;

/// A node, and a folder in which the verbs run.
pub struct Place {
    anvil: AnvilProcess,
    pub work: TempDir,
}

impl Place {
    /// On an anvil of its own.
    pub fn new(runtime: &Runtime) -> Self {
        let anvil = runtime.block_on(AnvilProcess::start(None, Hardfork::Osaka)).unwrap();
        Self { anvil, work: tempfile::tempdir().unwrap() }
    }

    pub fn url(&self) -> &str {
        self.anvil.url()
    }

    pub fn verb(&self, arguments: &[&str]) -> Run {
        run_in(self.work.path(), &[&["--json"], arguments].concat())
    }

    pub fn on_chain(&self, arguments: &[&str]) -> Run {
        self.verb(&[arguments, &["--rpc-url", self.anvil.url()]].concat())
    }

    /// As the owner of everything.
    pub fn owner(&self, arguments: &[&str]) -> Run {
        self.on_chain(&[arguments, &["--dev-account", "0"]].concat())
    }

    pub fn submit(&self, folder: &str, aggregate: &str, more: &[&str]) -> Run {
        let relayer = RELAYER.to_string();
        self.on_chain(&[&["submit-batch", folder, "--aggregate", aggregate, "--dev-account", &relayer], more].concat())
    }

    /// The credit model with its settlement, registered, and money in the pool; returns registry, pool and policy. What is registered is
    /// active so many seconds later.
    pub fn settlement(&self, delay: &str) -> [String; 3] {
        let credit = |name: &str| project("examples/credit").join(name).to_str().unwrap().to_owned();
        let [model, data, schema] = ["credit_mlp.onnx", "calibration.json", "credit_schema.json"].map(credit);
        let root = project("");
        let here = ["--project", root.to_str().unwrap()];
        let generate = ["gen-verifier", &model, "--calibration", &data, "--schema", &schema, "--objective", "gas", "--out", "a"];
        self.verb(&[&generate[..], &here].concat()).result();
        let deployed = self
            .owner(&[&["deploy", "--artifacts", "a", "--activation-delay", delay, "--broadcast"], &here[..]].concat())
            .result();
        let terms = ["--attestor", ATTESTOR, "--probability", "0.75", "--amount", "5000", "--fund", "20000", "--broadcast"];
        let registered = self.owner(&[&["register", "--artifacts", "a"], &terms[..]].concat()).result();
        let address = |label: &str| deployed["contracts"][label]["address"].as_str().unwrap().to_owned();
        [address("InputAttestation"), address("LendingThreshold"), registered["policyId"].as_str().unwrap().to_owned()]
    }

    /// A borrower's folder: attestation, a proof for aggregation, and a permit, for the loan of this nonce.
    pub fn papers(&self, [registry, lending, policy]: &[String; 3], (name, account, subject): (&str, &str, &str), nonce: &str) {
        let input = project("examples/credit/applicants/alice.json");
        let folder = format!("loans/{name}");
        let attest = ["attest", "--artifacts", "a", "--input", input.to_str().unwrap(), "--subject", subject, "--out", &folder];
        self.verb(
            &[&attest[..], &["--registry", registry, "--chain-id", "31337", "--dev-account", "1", "--valid-for", "864000"]]
                .concat(),
        )
        .result();
        let file = |name: &str| format!("{folder}/{name}.json");
        let [opening, attestation, proof, permit, loan] = ["opening", "attestation", "proof", "permit", "loan"].map(file);
        let prove = ["prove", "--artifacts", "a", "--opening", &opening, "--attestation", &attestation, "--for", "aggregation"];
        let call =
            ["--consumer", lending, "--policy", policy, "--nonce", nonce, "--expiry", "4000000000", "--probability", "0.75"];
        self.verb(&[&prove[..], &call, &["--out", &proof]].concat()).result();
        let by = ["--attestation", &attestation, "--amount", "5000", "--dev-account", account, "--out", &permit, "--loan", &loan];
        self.verb(&[&["permit", "--proof", &proof], &by[..]].concat()).result();
    }

    fn aggregate(&self, borrowers: &[&str], out: &str) {
        let proofs: Vec<String> = borrowers.iter().map(|name| format!("loans/{name}/proof.json")).collect();
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        self.verb(&[&["aggregate"], &proofs[..], &["--artifacts", "agg", "--out", out]].concat()).result();
        self.verb(&["verify", "--artifacts", "agg", "--proof", out]).result();
    }

    /// A folder with these borrowers' papers.
    pub fn folder(&self, name: &str, borrowers: &[&str]) {
        borrowers.iter().for_each(|borrower| copy(&self.path(&format!("loans/{borrower}")), &self.path(name).join(borrower)));
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.work.path().join(name)
    }

    /// A request of anvil's own.
    pub fn ask(&self, method: &str, parameters: Value) -> Value {
        let answer = proxy::ask(self.url(), method, parameters);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// What is scheduled becomes active.
    fn pass_an_hour(&self) {
        self.ask("evm_increaseTime", json!([3_601]));
        self.ask("evm_mine", json!([]));
    }
}

#[test]
fn two_loans_by_one_aggregate_and_one_beside_an_empty_slot() {
    let runtime = Runtime::new().unwrap();
    let place = Place::new(&runtime);
    let settlement = place.settlement("3600");
    let generate = ["gen-verifier", "a", "--aggregate", "2", "--out", "agg"];
    assert_eq!(place.verb(&[&generate[..], &["--max-memory", "500MB"]].concat()).refused(), (4, "circuit/memory".into()));
    place.verb(&[&generate[..], &["--max-memory", "2GB"]].concat()).result();
    assert_eq!(place.verb(&["inspect", "agg"]).result()["manifest"]["slots"].as_array().map(Vec::len), Some(2));
    assert_eq!(place.verb(&["inspect", "agg", "--candidates"]).refused(), (2, "usage/conflict".into()));
    // Bob's turn comes when a loan of his is open, or he gives it up.
    BORROWERS.into_iter().zip(["0", "1", "0"]).for_each(|(borrower, nonce)| place.papers(&settlement, borrower, nonce));
    place.aggregate(&["alice", "bob"], "two.json");
    place.folder("pair", &["alice", "bob"]);
    crate::split::a_group_waits_for_its_model(&place, &settlement[1], &runtime);
    place.pass_an_hour();
    the_verifier_is_deployed_and_registered(&place);
    what_is_for_another_use_is_refused(&place);
    what_was_changed_is_refused(&place);
    whose_proof_is_in_no_slot_is_named(&place);
    crate::turn::a_loan_goes_when_its_turn_comes(&place, &settlement[1], &runtime);
    place.gives_up_a_nonce(&settlement[1], BORROWERS[1].2);

    assert_eq!(place.submit("pair", "two.json", &[]).result()["items"], json!(["alice", "bob"]));
    crate::split::two_loans_that_do_not_fit_in_one_transaction(&place, &runtime);
    crate::split::a_group_of_two_transactions(&place, &settlement[1], &runtime);
    crate::turn::what_was_not_signed_binds_nobody(&place, &settlement[1], &runtime);
    crate::turn::what_is_under_way_for_a_borrower_comes_first(&place, &settlement[1], &runtime);
    crate::split::what_the_block_refused_is_not_sent_again(&place, &settlement[1], &runtime);
    crate::split::what_reverted_is_decided_anew(&place, &settlement[1], &runtime);
    crate::turn::what_lost_its_nonce_is_decided_anew(&place, &settlement[1], &runtime);
    crate::turn::what_a_block_refused_for_now_goes_again(&place, &settlement[1], &runtime);
    crate::split::what_failed_is_tried_again_once(&place, &settlement[1], &runtime);
    let done = place.submit("pair", "two.json", &["--broadcast"]).result();
    println!("two loans by an aggregate: {} gas", done["gasUsed"]);
    assert!(done["gasUsed"].as_u64().unwrap() < 850_000, "{done}");
    for name in ["alice", "bob"] {
        assert_eq!(done["items"][name]["outcome"], "settled", "{done}");
    }
    assert_eq!(place.submit("pair", "two.json", &["--broadcast"]).result()["sent"], false, "they are open");
    runtime.block_on(the_contract_opens_none_twice(&place));

    // Alice's and Bob's are open: Carol's alone goes, beside a slot with nothing in it.
    crate::submit::the_process_sends_and_is_killed(&place, &settlement[1], &runtime);
    crate::turn::what_concerns_one_group_stops_no_other(&place, &settlement[1], &runtime);
    place.folder("all", &["alice", "bob", "carol"]);
    assert_eq!(place.submit("all", "two.json", &["--broadcast"]).result()["sent"], false, "all three are open");
    assert_eq!(place.on_chain(&["deployments", "check", "--artifacts", "agg"]).result()["differ"], 0);
}

/// Dry, sent, and again; nothing of it for what belongs to models; an auditor finds the same code.
fn the_verifier_is_deployed_and_registered(place: &Place) {
    let deploy = ["deploy", "--artifacts", "agg"];
    let register = ["register", "--artifacts", "agg"];
    let broadcast = |arguments: &[&str]| place.owner(&[arguments, &["--broadcast"]].concat());
    assert_eq!(place.owner(&register).refused(), (5, "chain/no-contract".into()), "it is not deployed");
    assert_eq!(place.owner(&deploy).result()["steps"].as_array().map(Vec::len), Some(1), "the verifier alone");
    let nobody = format!("0x{:040x}", 0xaa);
    assert_eq!(place.owner(&[&deploy[..], &["--token", &nobody]].concat()).refused(), (2, "usage/conflict".into()));
    for odd in [&["--attestor", ATTESTOR][..], &["--probability", "0.75", "--amount", "1"], &["--fund", "1"], &["--epoch", "1"]] {
        assert_eq!(place.owner(&[&register[..], odd].concat()).refused(), (2, "usage/conflict".into()), "{odd:?}");
    }
    let deployed = broadcast(&deploy).result();
    let contracts = deployed["contracts"].as_object().unwrap();
    let (label, verifier) = contracts.iter().find(|(label, _)| label.starts_with("AggregateVerifier-")).unwrap();
    assert_eq!((verifier["name"].as_str(), contracts.len()), (Some("AggregateVerifier"), 6), "{deployed}");
    assert_eq!(broadcast(&deploy).result(), deployed, "nothing is deployed twice");
    let compare = |address: &Value| place.on_chain(&["verify-contract", "agg", "--address", address.as_str().unwrap()]);
    assert_eq!(compare(&verifier["address"]).result()["aggregateId"], verifier["modelId"]);
    assert_eq!(compare(&contracts["InferenceRouter"]["address"]).code, 1);

    let check = |more: &[&str]| {
        let done = place.on_chain(&[&["deployments", "check"], more].concat()).json()["result"]["findings"].clone();
        let differ = done.as_array().unwrap().iter().filter(|finding| finding["ok"] == false).cloned();
        differ.map(|finding| format!("{} {}", finding["label"], finding["what"]).replace('"', "")).collect::<Vec<_>>()
    };
    assert_eq!(check(&[]), [format!("{label} state")], "it is not registered");
    assert_eq!(
        place.owner(&[&register[..], &["--remake-from", "agg"]].concat()).refused(),
        (2, "artifact/slots".into()),
        "the model is not among them"
    );
    let dry = place.owner(&[&register[..], &["--remake-from", "a"]].concat()).result();
    assert_eq!(dry["remade"], true, "{dry}");
    assert_eq!((&dry["state"], dry["slots"][1]["state"].as_str()), (&json!("Unset"), Some("Active")), "{dry}");
    let done = broadcast(&register).result();
    assert_eq!((&done["state"], done["aggregate"].is_string()), (&json!("Scheduled"), true), "{done}");
    place.pass_an_hour();
    assert_eq!(broadcast(&register).result()["aggregate"], "already so");
    assert!(check(&["--artifacts", "agg"]).is_empty());
    assert_eq!(check(&["--artifacts", "agg", "--family", "another"]), [format!("{label} registered family")]);
    a_verifier_that_the_keys_do_not_give_is_refused(place);
}

/// The folder's own contract is compared with the one that its keys give, and not used.
fn a_verifier_that_the_keys_do_not_give_is_refused(place: &Place) {
    use zkml_evm::artifact::{
        aggregate::AggregateManifest,
        manifest::{FileEntry, sha256},
    };
    copy(&place.path("agg"), &place.path("forged"));
    let path = place.path("forged/AggregateVerifier.json");
    let mut contract: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    // It stops, whatever it is asked.
    contract["bytecode"]["object"] = "0x6001600c60003960016000f300".into();
    fs::write(&path, contract.to_string()).unwrap();
    let attempt = || place.owner(&["deploy", "--artifacts", "forged"]).refused();
    assert_eq!(attempt(), (2, "artifact/length".into()));
    let at = place.path("forged/manifest.json");
    let mut manifest = AggregateManifest::parse(&fs::read_to_string(&at).unwrap(), &at).unwrap();
    let bytes = fs::read(&path).unwrap();
    let entry = FileEntry { sha256: sha256(&bytes), bytes: bytes.len() as u64 };
    manifest.files.insert("AggregateVerifier.json".into(), entry);
    let sealed = AggregateManifest::new(manifest.facts, manifest.contract, manifest.files);
    fs::write(&at, serde_json::to_string(&sealed).unwrap()).unwrap();
    assert_eq!(attempt(), (2, "artifact/rebuilt".into()));
}

/// An aggregate for a contract goes into no aggregate, and one that says it is for aggregation to no contract; and neither is the other.
fn what_is_for_another_use_is_refused(place: &Place) {
    let attempt = |proof: &str| place.verb(&["aggregate", proof, "--artifacts", "agg", "--out", "none.json"]).refused();
    assert_eq!(attempt("two.json"), (2, "artifact/purpose".into()));
    changed(place, &|file| (file["for"], file["version"]) = (json!("aggregation"), json!(2)));
    assert_eq!(attempt("changed.json"), (2, "artifact/slots".into()), "it has no slot for itself");
    let verify = ["verify", "--artifacts", "agg", "--proof", "changed.json"];
    assert_eq!(place.verb(&verify).refused(), (1, "proof/invalid".into()), "the transcript is the other one");
    assert_eq!(place.submit("pair", "changed.json", &[]).refused(), (2, "artifact/purpose".into()));
    changed(place, &|file| file["for"] = json!("aggregation"));
    assert_eq!(place.verb(&verify).refused(), (2, "artifact/malformed".into()), "its version says another use");
}

/// A copy of an aggregate with something changed.
fn changed(place: &Place, change: &dyn Fn(&mut Value)) {
    let mut file: Value = serde_json::from_str(&fs::read_to_string(place.path("two.json")).unwrap()).unwrap();
    change(&mut file);
    fs::write(place.path("changed.json"), file.to_string()).unwrap();
}

/// A byte of the proof, in the accumulator, a point and the last value; a public input; slots exchanged; another aggregate's id.
fn what_was_changed_is_refused(place: &Place) {
    let refused = |error: &str| {
        let native = place.verb(&["verify", "--artifacts", "agg", "--proof", "changed.json"]);
        assert_ne!(native.code, 0, "{}", native.stdout);
        let run = place.submit("pair", "changed.json", &["--broadcast"]);
        assert_eq!(run.refused(), (1, "chain/reverted".into()), "{}", run.stdout);
        assert!(run.stdout.contains(error), "{error}: {}", run.stdout);
        run.stderr
    };
    let proof = |file: &mut Value, at: usize| {
        let mut bytes = file["proof"].as_str().unwrap().parse::<Bytes>().unwrap().to_vec();
        let at = if at < bytes.len() { at } else { bytes.len() - 1 };
        bytes[at] ^= 1;
        file["proof"] = json!(Bytes::from(bytes));
    };
    for at in [31, 128 + 31] {
        changed(place, &|file| proof(file, at));
        refused("PointNotOnCurve");
    }
    changed(place, &|file| proof(file, usize::MAX));
    refused("PointNotOnCurve");
    changed(place, &|file| file["aggregateId"] = json!(format!("0x{:064x}", 5)));
    refused("ModelNotActive");
    // Bob's slot says another threshold: his loan has no slot, and Alice's goes with a proof that does not hold.
    changed(place, &|file| file["slots"][1]["publicInputs"][2] = json!(format!("0x{:064x}", 5)));
    let notes = refused("PairingFailed");
    assert!(notes.contains("bob") && notes.contains("threshold"), "{notes}");
    let strict = place.submit("pair", "changed.json", &["--all-or-nothing"]);
    assert_eq!(strict.refused(), (2, "usage/conflict".into()));
    assert!(strict.stdout.contains("bob"), "{}", strict.stdout);
    // Each loan in the other's slot, and in its own with the other's proof.
    changed(place, &|file| file["slots"].as_array_mut().unwrap().swap(0, 1));
    refused("PairingFailed");
    // The same words in all, and another end of the first statement.
    changed(place, &|file| {
        let slots = file["slots"].as_array_mut().unwrap();
        slots.iter_mut().for_each(|slot| drop(slot.as_object_mut().unwrap().remove("context")));
        let word = slots[0]["publicInputs"].as_array_mut().unwrap().pop().unwrap();
        slots[1]["publicInputs"].as_array_mut().unwrap().insert(0, word);
    });
    let native = place.verb(&["verify", "--artifacts", "agg", "--proof", "changed.json"]);
    assert_eq!(native.refused(), (1, "proof/invalid".into()));
}

fn whose_proof_is_in_no_slot_is_named(place: &Place) {
    place.folder("stranger", &["alice", "carol"]);
    let run = place.submit("stranger", "two.json", &[]);
    let result = run.json()["result"].clone();
    assert_eq!((run.code, &result["items"]), (1, &json!(["alice"])), "{result}");
    assert!(result["refused"]["carol"].as_str().unwrap().contains("no slot of two.json"), "{result}");
    fs::remove_dir_all(place.path("stranger/alice")).unwrap();
    let run = place.submit("stranger", "two.json", &["--broadcast"]);
    assert_eq!((run.code, &run.json()["result"]["sent"]), (1, &json!(false)), "{}", run.stdout);
    // The same loan in two folders.
    copy(&place.path("loans/alice"), &place.path("stranger/alice"));
    copy(&place.path("loans/alice"), &place.path("stranger/twin"));
    let result = place.submit("stranger", "two.json", &[]).json()["result"].clone();
    assert!(result["refused"]["twin"].as_str().unwrap().contains("alice"), "{result}");
    fs::remove_file(place.path("stranger/alice/permit.json")).unwrap();
    assert!(place.submit("stranger", "two.json", &[]).stdout.contains("permit.json"));
}

fn request(folder: &Path) -> LoanRequest {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let permit = Permit::parse(&read("permit.json"), folder).unwrap();
    permit.request(serde_json::from_str(&read("attestation.json")).unwrap(), Bytes::new()).unwrap()
}

/// The client leaves out what is open; the contract refuses it by itself.
async fn the_contract_opens_none_twice(place: &Place) {
    let target = ChainTarget::Rpc { url: place.anvil.url().to_owned() };
    let chain: Chain = target.connect(None, Patience::default()).await.unwrap();
    let account: Account = AccountSource::Development(RELAYER).unlock(&Password::Ask, true).unwrap();
    let file = AggregateFile::load(&place.path("two.json")).unwrap();
    let requests: Vec<LoanRequest> = ["alice", "bob"].map(|name| request(&place.path("pair").join(name))).into();
    let proof =
        BatchProof::Aggregate { id: file.aggregate_id, statements: vec![Vec::new(); 2], slots: vec![0, 1], proof: file.proof };
    let lending = requests[0].lending;
    let batch = Batch { lending, requests, proof, gas_per_item: 500_000, all_or_nothing: false };
    let (results, _) = batch.open(&chain, &account).await.unwrap();
    for result in results {
        assert!(matches!(&result, ItemResult::Refused(revert) if revert.name == "NullifierSpent"), "{result:?}");
    }
}
