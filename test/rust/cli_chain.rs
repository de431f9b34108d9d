//! The whole road through the binary, with real contracts on a chain. Needs solc and anvil (`npm ci`).

mod cli_support;
mod schema_support;

use alloy::primitives::{Address, B256};
use cli_support::{DATA, MODEL, Public, Run, copy, generate, project, reseal, run, run_in};
use serde_json::Value;
use std::path::Path;
use zkml_evm::chain::{ChainTarget, Patience, anvil::AnvilProcess, audit, embedded::Hardfork, settle};

/// From the credit model to a settled loan, with every refusal.
#[test]
fn demo_on_the_embedded_chain() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("demo");
    let root = project("");
    let done =
        run_in(work.path(), &["--json", "demo", "--out", out.to_str().unwrap(), "--project", root.to_str().unwrap()]).result();
    let errors: Vec<&str> = done["refusals"].as_array().unwrap().iter().filter_map(|r| r["error"].as_str()).collect();
    assert_eq!(errors, ["circuit/below-threshold", "SubjectMismatch", "NullifierSpent", "proof/invalid", "PairingFailed"]);
    assert!(done["k"].as_u64().unwrap() <= 10);
    assert!(done["gas"]["verify"].as_u64().unwrap() <= 450_000, "{done}");
    assert!(done["gas"]["settle"].as_u64().unwrap() <= 560_000, "{done}");
    let prove = done["steps"].as_array().unwrap().iter().find(|s| s["name"] == "prove").unwrap();
    // Of the demo's own process, chain and contracts included; `make bench` measures the prover alone.
    assert!(prove["cost"]["peakMb"].as_f64().unwrap() <= 60.0, "{done}");
    let proof = out.join("alice/proof.json");
    let checked = run(&["verify", "--artifacts", out.join("artifacts").to_str().unwrap(), "--proof", proof.to_str().unwrap()]);
    assert_eq!(checked.result()["valid"], true);
    every_verb_on_a_chain(&out, work.path());
}

/// The same verbs one by one on the demo's artifacts: a dry run each, since an embedded chain ends with its command.
fn every_verb_on_a_chain(out: &Path, folder: &Path) {
    let artifacts = out.join("artifacts");
    let fixed = ["--artifacts", artifacts.to_str().unwrap(), "--chain", "embedded", "--dev-account", "0"];
    let root = project("");
    let deploy = [&["--json", "deploy"], &fixed[..], &["--project", root.to_str().unwrap()]].concat();
    let dry = run_in(folder, &deploy).result();
    assert_eq!((dry["broadcast"].as_bool(), dry["steps"].as_array().map(Vec::len)), (Some(false), Some(5)));
    let sent = run_in(folder, &[&deploy[..], &["--broadcast"]].concat()).result();
    assert_eq!(sent["contracts"].as_object().map(|c| c.len()), Some(5));
    assert!(!folder.join("deployments").exists(), "an embedded chain is not recorded");
    let register = run_in(folder, &[&["--json", "register"], &fixed[..]].concat());
    assert_eq!(register.refused(), (2, "usage/conflict".into()));
    let [proof, attestation] = ["proof", "attestation"].map(|n| out.join(format!("alice/{n}.json")).to_str().unwrap().to_owned());
    let submit =
        ["--json", "submit", "--proof", &proof, "--attestation", &attestation, "--chain", "embedded", "--dev-account", "2"];
    assert_eq!(run_in(folder, &submit).refused(), (5, "chain/no-contract".into()));
}

/// The credit model's.
const FORM: &str = "Committed input, Threshold output, 1 outputs";

/// The form of a model's statement as the router keeps it.
async fn registered_form(url: &str, router: Address, model_id: B256) -> String {
    let chain = ChainTarget::Rpc { url: url.to_owned() }.connect(None, Patience::default()).await.unwrap();
    audit::form(&settle::model(&chain, router, model_id).await.unwrap().statement)
}

const ALICE: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const ATTESTOR: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/// The tour: a stranger's own folder, one verb after the other, on a node that lasts.
#[test]
fn the_tour_on_anvil() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let anvil = runtime.block_on(AnvilProcess::start(None, Hardfork::Osaka)).unwrap();
    let work = tempfile::tempdir().unwrap();
    let rpc = ["--rpc-url", anvil.url()];
    let verb = |arguments: &[&str]| -> Run { run_in(work.path(), &[&["--json"], arguments].concat()) };
    let credit = |name: &str| project("examples/credit").join(name).to_str().unwrap().to_owned();
    let [model, data, schema, input] =
        ["credit_mlp.onnx", "calibration.json", "credit_schema.json", "applicants/alice.json"].map(credit);
    let root = project("");
    let here = ["--project", root.to_str().unwrap()];

    verb(&[&["gen-verifier", &model, "--calibration", &data, "--schema", &schema, "--out", "a"], &here[..]].concat()).result();
    let deploy = [&["deploy", "--artifacts", "a", "--dev-account", "0"], &rpc[..], &here[..]].concat();
    assert_eq!(verb(&deploy).result()["broadcast"], false);
    let deployed = verb(&[&deploy[..], &["--broadcast"]].concat()).result();
    explorers_can_verify(work.path(), &deployed);
    an_auditor_can_compare(&deployed, &|address| verb(&[&["verify-contract", "a", "--address", address], &rpc[..]].concat()));
    let again = verb(&[&deploy[..], &["--broadcast"]].concat()).result();
    assert_eq!(deployed["contracts"], again["contracts"], "nothing is deployed twice");
    let address = |label: &str| deployed["contracts"][label]["address"].as_str().unwrap().to_owned();
    let (registry, lending) = (address("InputAttestation"), address("LendingThreshold"));

    let register = [&["register", "--artifacts", "a", "--dev-account", "0"], &rpc[..]].concat();
    let with_attestor = [&register[..], &["--attestor", ATTESTOR]].concat();
    let dry = verb(&with_attestor).result();
    assert_eq!((dry["state"].as_str(), dry["form"].as_str()), (Some("Unset"), Some(FORM)));
    assert_eq!(dry["attestor"], format!("{ATTESTOR}: it was never listed: would be listed"));
    let tier = |p, amount, rate| ["--probability", p, "--amount", amount, "--rate", rate];
    let tiers = [tier("0.75", "5000", "800"), tier("0.9", "8000", "300")].concat();
    let falling = [tier("0.9", "5000", "800"), tier("0.75", "8000", "300")].concat();
    for odd in [&tiers[..8], &[&tiers[..], &["--rate", "1"]].concat(), &falling] {
        assert_eq!(verb(&[&register[..], odd].concat()).refused(), (2, "usage/conflict".into()), "{odd:?}");
    }
    let terms = [&["--attestor", ATTESTOR, "--fund", "20000", "--broadcast"], &tiers[..]].concat();
    let planned = verb(&[&register[..], &tiers].concat()).result()["policyId"].clone();
    let registered = verb(&[&register[..], &terms].concat()).result();
    assert_eq!(registered["policyId"], planned, "the dry run names the policy");
    assert_eq!(registered["tiers"][1]["limit"], "8000", "{registered}");
    let policy = registered["policyId"].as_str().unwrap();
    assert_eq!(verb(&with_attestor).result()["attestor"], format!("{ATTESTOR}: it is listed"));
    let again = verb(&[&register[..], &terms].concat()).result();
    let sent = ["model", "attestor", "policy", "funded"].map(|part| again[part].as_str().unwrap().to_owned());
    assert_eq!(sent, ["already so"; 4], "registering twice sends nothing twice");
    assert_eq!(again["policyId"], registered["policyId"]);
    let status = verb(&[&["status"], &rpc[..]].concat()).result();
    assert!(status["contracts"].as_array().unwrap().iter().any(|c| c["model"] == "Active"), "{status}");

    let model_id = registered["modelId"].as_str().unwrap().parse().unwrap();
    let form = runtime.block_on(registered_form(anvil.url(), address("InferenceRouter").parse().unwrap(), model_id));
    assert_eq!(form, FORM, "the router has the form that the dry run showed");
    every_statement_of_the_record_is_compared(work.path(), anvil.url());

    let attest =
        ["attest", "--artifacts", "a", "--input", &input, "--subject", ALICE, "--registry", &registry, "--chain-id", "31337"];
    verb(&[&attest[..], &["--dev-account", "1", "--out", "alice"]].concat()).result();
    let fixed = ["prove", "--artifacts", "a", "--opening", "alice/opening.json", "--attestation", "alice/attestation.json"];
    let call = ["--consumer", &lending, "--policy", policy, "--nonce", "0", "--expiry", "4000000000", "--probability", "0.75"];
    verb(&[&fixed[..], &call].concat()).result();
    let submit = [&["submit", "--proof", "proof.json", "--attestation", "alice/attestation.json"], &rpc[..]].concat();
    let send = |account: &str, more: &[&str]| verb(&[&submit[..], &["--dev-account", account], more].concat());
    assert!(send("2", &[]).result()["gas"].as_u64().unwrap() > 0);
    let thief = send("4", &["--broadcast"]);
    assert_eq!(thief.refused(), (1, "chain/reverted".into()));
    assert!(thief.stdout.contains("SubjectMismatch"), "{}", thief.stdout);
    let settled = send("2", &["--broadcast"]).result();
    assert_eq!(settled["amount"], "5000");
    let events = settled["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["NullifierUsed", "LoanOpened"], "{settled}");
    assert_eq!(events[0]["contract"], events[1]["contract"]);
    assert_eq!(events[1]["arguments"]["loanId"], settled["loanId"]);
    assert!(send("2", &["--broadcast"]).stdout.contains("NullifierSpent"));
    ends(&|arguments| verb(&[arguments, &rpc[..]].concat()), policy);
}

/// `verify-contract`: the verifier is the one that the folder's keys give; another contract, and none, are not.
fn an_auditor_can_compare(deployed: &Value, compare: &dyn Fn(&str) -> Run) {
    let nobody = format!("0x{:040x}", 0xaa);
    let contracts = deployed["contracts"].as_object().unwrap();
    for (label, deployment) in contracts {
        let done = compare(deployment["address"].as_str().unwrap());
        let right = label.starts_with("InferenceVerifier");
        let result = &done.json()["result"];
        assert_eq!((done.code, &result["same"]), (i32::from(!right), &Value::from(right)), "{label}: {result}");
        assert_eq!(result["sameSrs"], right, "{label}: only a verifier holds s·g2");
        assert_eq!(result["got"], deployment["codehash"], "{label}");
    }
    assert!(contracts.keys().any(|label| label.starts_with("InferenceVerifier")));
    assert_eq!(compare(&nobody).json()["result"]["codeBytes"], 0);
    assert_eq!(compare(&nobody).code, 1);
}

/// What is kept beside each deployment compiles to exactly what was sent, by solc alone.
fn explorers_can_verify(folder: &Path, deployed: &Value) {
    use alloy::primitives::{Bytes, address, keccak256};
    for (label, deployment) in deployed["contracts"].as_object().unwrap() {
        let path = |kind: &str| folder.join(format!("deployments/31337/{label}.{kind}"));
        let read = |kind: &str| std::fs::read_to_string(path(kind)).unwrap();
        let rest: Value = serde_json::from_str(&read("verify.json")).unwrap();
        assert_eq!(rest["address"], deployment["address"], "{label}");
        assert!(rest["compilerVersion"].as_str().unwrap().starts_with("v0.8."), "{rest}");
        let solc = std::process::Command::new(project("tools/solc"))
            .args(["--standard-json", path("standard-json").to_str().unwrap()])
            .output();
        let output: Value = serde_json::from_slice(&solc.unwrap().stdout).unwrap();
        let (file, name) = rest["contract"].as_str().unwrap().split_once(':').unwrap();
        let code = output["contracts"][file][name]["evm"]["bytecode"]["object"].as_str().unwrap();
        let arguments: Bytes = rest["constructorArguments"].as_str().unwrap().parse().unwrap();
        let creation = [alloy::hex::decode(code).unwrap(), arguments.to_vec()].concat();
        let factory = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
        let salt: B256 = keccak256("zkml-evm.deploy.v1");
        let address: Address = rest["address"].as_str().unwrap().parse().unwrap();
        assert_eq!(address, factory.create2(salt, keccak256(creation)), "{label}");
    }
}

/// `deployments check`: all agrees; then a wrong owner, and a record that was edited in each of its parts.
fn every_statement_of_the_record_is_compared(folder: &Path, url: &str) {
    let check = |more: &[&str]| {
        let done = run_in(folder, &[&["--json", "deployments", "check", "--rpc-url", url], more].concat());
        let result = done.json()["result"].clone();
        let differ = result["findings"].as_array().unwrap().iter().filter(|f| f["ok"] == false);
        let differ: Vec<String> =
            differ.map(|f| format!("{} {}", f["label"].as_str().unwrap(), f["what"].as_str().unwrap())).collect();
        assert_eq!(result["differ"].as_u64().unwrap() as usize, differ.len());
        assert_eq!(done.code, if differ.is_empty() { 0 } else { 1 }, "{result}");
        differ
    };
    assert!(check(&[]).is_empty());
    assert!(check(&["--owner", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"]).is_empty());
    let owned = ["InferenceRouter owner", "InputAttestation owner", "LendingThreshold owner"];
    assert_eq!(check(&["--owner", ALICE]), owned);
    let guarded = owned.map(|part| part.replace("owner", "guardian"));
    assert_eq!(check(&["--guardian", ALICE]), guarded);
    assert!(check(&["--artifacts", "a"]).is_empty());
    let family = check(&["--artifacts", "a", "--family", "another"]);
    assert!(matches!(&family[..], [one] if one.ends_with(" registered family")), "{family:?}");

    let path = folder.join("deployments/31337.json");
    let honest = std::fs::read_to_string(&path).unwrap();
    let record: Value = serde_json::from_str(&honest).unwrap();
    assert!(schema_support::fits(&record), "{record}");
    schema_support::refuses_what_is_not(&record);
    let edited = |change: &dyn Fn(&mut Value)| {
        let mut record: Value = serde_json::from_str(&honest).unwrap();
        change(&mut record["contracts"]);
        std::fs::write(&path, record.to_string()).unwrap();
        let differ = check(&[]);
        std::fs::write(&path, &honest).unwrap();
        differ
    };
    let contracts: Value = serde_json::from_str(&honest).unwrap();
    let verifier = contracts["contracts"].as_object().unwrap().keys().find(|k| k.starts_with("InferenceVerifier")).unwrap();
    let wrong_hash = format!("0x{}", "11".repeat(32));
    let part = |what: &str| format!("{verifier} {what}");
    assert_eq!(edited(&|c| c["MockERC20"]["codehash"] = wrong_hash.clone().into()), ["MockERC20 codehash"]);
    assert_eq!(edited(&|c| c["MockERC20"]["address"] = ALICE.into()), ["LendingThreshold token", "MockERC20 codehash"]);
    let differ = edited(&|c| c[verifier]["codehash"] = wrong_hash.clone().into());
    assert_eq!(differ, [part("codehash"), part("registered codehash")]);
    assert_eq!(edited(&|c| c[verifier]["modelId"] = wrong_hash.clone().into()), [part("state")]);
    let router_is = |field: &str, value: Value| edited(&|c| c["InferenceRouter"]["governance"][field] = value.clone());
    assert_eq!(router_is("owner", ALICE.into()), ["InferenceRouter owner"]);
    assert_eq!(router_is("guardian", ALICE.into()), ["InferenceRouter guardian"]);
    assert_eq!(router_is("delay", 5.into()), ["InferenceRouter activation delay"]);
    // Another contract in the verifier's place.
    let router = contracts["contracts"]["InferenceRouter"]["address"].clone();
    assert_eq!(edited(&|c| c[verifier]["address"] = router.clone()), [part("codehash"), part("interface")]);
}

/// How an operator ends what was begun: each verb dry, sent, and sent again, which sends nothing.
fn ends(verb: &dyn Fn(&[&str]) -> Run, policy: &str) {
    let revoke = ["revoke", "--attestation", "alice/attestation.json"];
    let attestor = ["--attestor", ATTESTOR, "--artifacts", "a"];
    let retire = [&["retire-attestor", "--accepted-until", "4000000000"], &attestor[..]].concat();
    let remove = [&["remove-attestor"], &attestor[..]].concat();
    let steps: [(&[&str], &str, &str); 8] = [
        (&["pause"], "0", "NotOwnerOrGuardian"),
        (&["unpause"], "0", "OwnableUnauthorizedAccount"),
        (&["retire-policy", "--policy", policy], "0", "OwnableUnauthorizedAccount"),
        (&revoke, "1", "NotOwnerOrGuardian"),
        (&retire, "0", "NotOwnerOrGuardian"),
        (&remove, "0", "NotOwnerOrGuardian"),
        (&["deprecate", "--artifacts", "a", "--until", "4000000000"], "0", "OwnableUnauthorizedAccount"),
        (&["freeze", "--artifacts", "a"], "0", "NotOwnerOrGuardian"),
    ];
    for (arguments, by, refused) in steps {
        let run = |by: &str, more: &[&str]| verb(&[arguments, &["--dev-account", by], more].concat());
        let thief = run("4", &["--broadcast"]);
        assert_eq!(thief.refused(), (1, "chain/reverted".into()), "{arguments:?}: {}", thief.stdout);
        assert!(thief.stdout.contains(refused), "{arguments:?}: {}", thief.stdout);
        let dry = run(by, &[]).result();
        assert_eq!((dry["broadcast"].as_bool(), dry["needed"].as_bool()), (Some(false), Some(true)), "{arguments:?}");
        assert!(dry["gas"].as_u64().unwrap() > 21_000 && dry["calldata"].is_string(), "{arguments:?}: {dry}");
        assert_eq!(run(by, &["--broadcast"]).result()["sent"], true, "{arguments:?}");
        assert_eq!(run(by, &["--broadcast"]).result()["sent"], false, "{arguments:?}");
        assert_eq!(run(by, &[]).result()["needed"], false, "{arguments:?}");
    }
    let refused = verb(&["pause", "--from", ALICE]);
    assert!(refused.stdout.contains("NotOwnerOrGuardian"), "{}", refused.stdout);
    let elsewhere = verb(&["pause", "--from", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"]).result();
    assert_eq!(elsewhere["calldata"], "0x8456cb59", "for an owner whose key is elsewhere");
    assert_eq!(verb(&["pause", "--from", ALICE, "--broadcast"]).refused(), (2, "usage/arguments".into()));
    let owner = verb(&[&revoke[..], &["--dev-account", "0"]].concat()).result();
    assert_eq!(owner["needed"], false, "the owner sees the attestor's revocation");
    assert_eq!(
        verb(&["pause", "--pool", "0x00000000000000000000000000000000000000aa", "--dev-account", "0"]).refused().1,
        "chain/no-contract"
    );
    let status = verb(&["status"]).result();
    assert!(status["contracts"].as_array().unwrap().iter().any(|c| c["model"] == "Frozen"), "{status}");
    assert_eq!(verb(&["deployments", "check"]).code, 1, "a frozen model is not as it should be");
}

/// Two models of one form: the code that they share is deployed once, and each verifier is the auditor's own.
#[test]
fn two_models_of_one_family_share_their_code() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let anvil = runtime.block_on(AnvilProcess::start(None, Hardfork::Osaka)).unwrap();
    let work = tempfile::tempdir().unwrap();
    let (rpc, root) = (["--rpc-url", anvil.url()], project(""));
    let here = ["--project", root.to_str().unwrap()];
    let verb = |arguments: &[&str]| -> Run { run_in(work.path(), &[&["--json"], arguments].concat()) };
    // The same layer, one weight changed from -0.953 to -0.875.
    let mut other = std::fs::read(project(MODEL)).unwrap();
    let at = other.windows(3).position(|bytes| bytes == b"wJ\x14").unwrap() + 5;
    assert_eq!(std::mem::replace(&mut other[at], 0x60), 0x74);
    let models = ["first.onnx", "second.onnx"];
    std::fs::copy(project(MODEL), work.path().join(models[0])).unwrap();
    std::fs::write(work.path().join(models[1]), other).unwrap();
    let data = project(DATA);
    let made = models.map(|model| {
        let out = &model[..model.len() - 5];
        let generate = ["gen-verifier", model, "--calibration", data.to_str().unwrap(), "--split-key", "--out", out];
        verb(&[&generate, &here[..]].concat()).result()["manifest"].clone()
    });
    assert_eq!(made[0]["contract"]["family"], made[1]["contract"]["family"]);
    assert_ne!(made[0]["modelId"], made[1]["modelId"]);
    let source = |folder: &str| std::fs::read(work.path().join(folder).join("FamilyVerifier.sol")).unwrap();
    assert_eq!(source("first"), source("second"));

    let deploy = |folder, more: &[&str]| {
        verb(&[&["deploy", "--artifacts", folder, "--dev-account", "0"], &rpc[..], &here[..], more].concat()).result()
    };
    deploy("first", &["--broadcast"]);
    let dry = deploy("second", &["--verifier-only"]);
    let steps: Vec<&str> = dry["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["present", "deploy"], "{dry}");
    let deployed = deploy("second", &["--verifier-only", "--broadcast"])["contracts"].clone();
    let contracts = deployed.as_object().unwrap();
    let named = |name: &str| contracts.values().filter(|c| c["name"] == name).count();
    assert_eq!((named("FamilyVerifier"), named("InferenceVerifier")), (1, 2), "{deployed}");
    let address = |model: &Value| {
        let found = contracts.values().find(|c| c["modelId"] == model["modelId"]).unwrap();
        found["address"].as_str().unwrap().to_owned()
    };
    let compare = |folder: &str, address: &str| verb(&[&["verify-contract", folder, "--address", address], &rpc[..]].concat());
    for (folder, model) in ["first", "second"].into_iter().zip(&made) {
        let compared = compare(folder, &address(model)).result();
        assert_eq!((&compared["same"], &compared["family"]["same"]), (&true.into(), &true.into()), "{compared}");
    }
    let other = compare("first", &address(&made[1]));
    assert_eq!((other.code, &other.json()["result"]["same"]), (1, &false.into()));

    for folder in ["first", "second"] {
        verb(&[&["register", "--artifacts", folder, "--dev-account", "0", "--broadcast"], &rpc[..]].concat()).result();
    }
    let checked = verb(&[&["deployments", "check"], &rpc[..]].concat()).result();
    assert_eq!(checked["differ"], 0, "{checked}");
    let gas = verb(&["gas", "first"]).result()["gas"].clone();
    assert!(gas["sharedCodeBytes"].as_u64() > gas["codeBytes"].as_u64(), "{gas}");

    // A family's code that the keys do not give is not deployed.
    let path = work.path().join("second/FamilyVerifier.sol");
    let source = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, source.replacen("mulmod", "addmod", 1)).unwrap();
    reseal(&work.path().join("second"), |_| ());
    let refused =
        verb(&[&["deploy", "--artifacts", "second", "--dev-account", "0", "--verifier-only"], &rpc[..], &here[..]].concat());
    assert_eq!(refused.refused().1, "artifact/rebuilt");
}

#[test]
fn demo_on_anvil() {
    let work = tempfile::tempdir().unwrap();
    let root = project("");
    let done = run_in(work.path(), &["--json", "demo", "--chain", "anvil", "--project", root.to_str().unwrap()]).result();
    let steps: Vec<&Value> = done["steps"].as_array().unwrap().iter().collect();
    assert_eq!(steps.len(), 7);
}

/// The demo on a node that somebody else runs, with a record that lasts.
#[test]
fn demo_on_a_running_node() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let anvil = runtime.block_on(AnvilProcess::start(None, Hardfork::Osaka)).unwrap();
    let work = tempfile::tempdir().unwrap();
    let root = project("");
    let demo = ["--json", "demo", "--rpc-url", anvil.url(), "--project", root.to_str().unwrap()];
    let done = run_in(work.path(), &demo).result();
    assert_eq!(done["refusals"].as_array().map(Vec::len), Some(5), "{done}");
    let record = std::fs::read_to_string(work.path().join("zkml-demo/deployments/31337.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["contracts"].as_object().map(|c| c.len()), Some(5), "{record}");
}

#[test]
fn a_public_chain_takes_no_development_srs_and_no_development_account() {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("a");
    let out = out.to_str().unwrap();
    let data = ["--calibration", "test/fixtures/cli/linear.json"];
    run(&[&["gen-verifier", "test/fixtures/onnx/linear.onnx", "--out", out], &data[..]].concat()).result();
    let (_anvil, url) = Public::start(&[]);
    let deploy = ["deploy", "--artifacts", out, "--rpc-url", &url, "--dev-account", "0", "--verifier-only", "--broadcast"];
    assert_eq!(run(&deploy).refused(), (1, "chain/insecure-srs".into()));
    let allowed = run(&[&deploy[..], &["--allow-insecure-srs"]].concat());
    assert_eq!(allowed.refused(), (2, "chain/dev-account-refused".into()));
    // The settlement: an owner that is a plain account, and nobody to stop it.
    let whole = ["deploy", "--artifacts", out, "--rpc-url", &url, "--from", ALICE, "--allow-insecure-srs", "--token", ALICE];
    assert_eq!(run(&whole).refused(), (1, "chain/unguarded".into()));
    assert_eq!(run(&[&whole[..], &["--allow-unguarded"]].concat()).result()["broadcast"], false);
    // Who gets tokens is not taken from the record.
    let fund = ["register", "--artifacts", out, "--rpc-url", &url, "--from", ALICE, "--allow-insecure-srs", "--fund", "10"];
    assert_eq!(run(&fund).refused(), (2, "usage/missing".into()));
    assert_eq!(run(&[&fund[..], &["--pool", ALICE]].concat()).refused(), (2, "usage/missing".into()));
    let expecting = run(&["status", "--rpc-url", &url, "--expect-chain-id", "1"]);
    assert_eq!(expecting.refused(), (5, "chain/wrong-chain".into()));
}

/// The folder as another version of the tool would have made it.
fn made_by(folder: &Path, tool: &str) {
    use zkml_evm::artifact::{Manifest, manifest::sha256};
    let path = folder.join("InferenceVerifier.sol");
    let source = std::fs::read_to_string(&path).unwrap();
    let this = concat!("zkml-evm ", env!("CARGO_PKG_VERSION"));
    assert!(source.contains(this));
    std::fs::write(path, source.replacen(this, &format!("zkml-evm {tool}"), 1)).unwrap();
    reseal(folder, |_| {});
    let path = folder.join("manifest.json");
    let manifest = Manifest::parse(&std::fs::read_to_string(&path).unwrap(), &path).unwrap();
    let manifest = Manifest { tool: tool.to_owned(), checksum: Default::default(), ..manifest };
    let checksum = sha256(&serde_json::to_vec(&manifest).unwrap());
    std::fs::write(path, serde_json::to_string(&Manifest { checksum, ..manifest }).unwrap()).unwrap();
}

/// Checksums say nothing against somebody who writes them: what goes on chain follows from the keys, or does not go.
#[test]
fn a_verifier_that_the_keys_do_not_give_is_refused() {
    let work = tempfile::tempdir().unwrap();
    let honest = work.path().join("honest");
    generate(&honest, &[]).result();
    let folder = work.path().join("folder");
    let router = format!("0x{:040x}", 0xaa);
    let attempt = |verb: &str| {
        let fixed = [verb, "--artifacts", folder.to_str().unwrap(), "--chain", "embedded", "--dev-account", "0"];
        let more: &[&str] = if verb == "deploy" { &["--verifier-only"] } else { &["--router", &router] };
        run(&[&fixed, more, &["--broadcast"]].concat())
    };
    let refused = |name: &str, code: &str, change: &dyn Fn(&Path)| {
        copy(&honest, &folder);
        change(&folder);
        for verb in ["deploy", "register"] {
            let got = attempt(verb);
            assert_eq!(got.refused(), (2, code.into()), "{verb}: {}", got.stdout);
            assert!(got.stdout.contains(name), "{verb}: {}", got.stdout);
        }
    };
    let with_contract = |folder: &Path, change: &dyn Fn(&mut Value)| {
        let path = folder.join("InferenceVerifier.json");
        let mut contract: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut contract);
        std::fs::write(path, contract.to_string()).unwrap();
        reseal(folder, |_| {});
    };
    // Code that accepts everything: it stops, whatever it is asked.
    let accepts = |contract: &mut Value| contract["bytecode"]["object"] = "0x6001600c60003960016000f300".into();
    refused("InferenceVerifier.json", "artifact/rebuilt", &|folder| with_contract(folder, &accepts));
    refused("0.8.24", "artifact/other-compiler", &|folder| {
        with_contract(folder, &|contract| {
            accepts(contract);
            contract["solc"] = "0.8.24+commit.e11b9ed9".into();
        });
    });
    refused("InferenceVerifier.sol", "artifact/rebuilt", &|folder| {
        let path = folder.join("InferenceVerifier.sol");
        let source = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, source + "contract Surplus {}\n").unwrap();
        reseal(folder, |_| {});
    });
    refused("InferenceVerifier.sol", "artifact/rebuilt", &|folder| made_by(folder, "0.1.0\ncontract Surplus {}"));
    // The development SRS under the name of a ceremony, in the file and in the manifest.
    refused("srs.bin", "proof/srs-relabelled", &|folder| {
        use zkml_evm::proof::{Provenance, Srs};
        let path = folder.join("srs.bin");
        let srs = Srs { provenance: Provenance::Ceremony("0xabc".into()), ..Srs::load(&path).unwrap() };
        srs.save(&path).unwrap();
        reseal(folder, |facts| facts.srs = "ceremony 0xabc".into());
    });
    copy(&honest, &folder);
    assert_eq!(attempt("deploy").result()["broadcast"], true);
    // A version is named in a comment: another one gives the same code.
    made_by(&folder, "0.1.99");
    assert_eq!(attempt("deploy").result()["broadcast"], true);
}
