//! The Foundry scripts as an operator runs them: forge, a broadcast to a real anvil, and the client to see what came of it. Both keep one
//! record, and each finds what the other has deployed.

mod chain_support;
mod credit_support;
mod schema_support;

use alloy::{
    network::TransactionBuilder,
    primitives::{Address, B256, Bytes, U256, keccak256},
    providers::Provider,
    rpc::types::TransactionRequest,
};
use chain_support::{connect, dev};
use credit_support::golden::{FORGE, ForgeProof, read};
use credit_support::in_project;
use serde_json::{Value, json};
use std::{path::Path, process::Command};
use zkml_evm::{
    chain::{
        Chain, ChainTarget, Governance, Registry, audit,
        bindings::IInferenceRouter::State,
        deploy::{self, DeployItem, Step},
        registry::label,
        settle,
    },
    cli::contracts::{Contracts, Settings},
    verifier::Compiler,
};

/// Private key of development account 0, which everybody knows: the scripts' broadcaster.
const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/// Runs a script against `chain` and returns what it created: (contract's name, address), in order. `deployments` is the record's folder,
/// below the project, where scripts may write.
fn script(chain: &Chain, deployments: &Path, file: &str, settings: &[(&str, String)]) -> Vec<(String, Address)> {
    let records = tempfile::tempdir().unwrap();
    let records = records.path();
    let mut command = Command::new(in_project("node_modules/.bin/forge"));
    // Settings of whoever runs the tests must not reach the script.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ZKML_")) {
        command.env_remove(name);
    }
    let output = command
        .current_dir(in_project(""))
        .args(["script", &format!("script/{file}"), "--broadcast", "--private-key", KEY])
        .args(["--rpc-url", chain.anvil_url().expect("an anvil of our own")])
        .env("FOUNDRY_BROADCAST", records)
        .env("ZKML_DEPLOYMENTS", deployments.strip_prefix(in_project("")).expect("below the project"))
        .envs(settings.iter().map(|(name, value)| (*name, value)))
        .output()
        .expect("forge: run `npm ci`");
    let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{file}: {said}");
    let record = records.join(file).join("31337").join("run-latest.json");
    // Nothing was sent: there is no file.
    let Ok(record) = std::fs::read_to_string(record) else { return Vec::new() };
    let record: Value = serde_json::from_str(&record).expect(&said);
    let created = |tx: &Value| {
        let address = tx["contractAddress"].as_str()?.parse().ok()?;
        (tx["transactionType"] == "CREATE2").then(|| (tx["contractName"].as_str().unwrap_or_default().to_owned(), address))
    };
    record["transactions"].as_array().expect("transactions").iter().filter_map(created).collect()
}

/// The codehash that the verifier will have when `from` creates it next: run by the node, not copied from a deployed contract.
async fn codehash_of(chain: &Chain, from: Address, creation: &Bytes) -> B256 {
    let request = TransactionRequest::default().from(from).input(creation.clone().into()).into_create();
    keccak256(chain.provider().call(request).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_register_and_freeze_against_anvil() {
    let golden: ForgeProof = read(FORGE);
    let chain = connect(ChainTarget::anvil()).await;
    let place = in_project("cache_forge/deployments");
    std::fs::create_dir_all(&place).unwrap();
    let folder = tempfile::tempdir_in(place).unwrap();
    let deployments = folder.path();
    let config = [("ZKML_CONFIG", "script/config/local.json".to_owned())];

    let contracts = script(&chain, deployments, "Deploy.s.sol", &config);
    let names: Vec<&str> = contracts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["InferenceRouter", "InputAttestation", "MockERC20", "LendingThreshold"]);
    let router = contracts[0].1;
    assert_eq!(script(&chain, deployments, "Deploy.s.sol", &config), [], "what is there is not deployed again");
    the_client_finds_it_all(&chain, deployments, &golden).await;
    assert_eq!(settle::model(&chain, router, golden.model_id).await.unwrap().state, State::Unset);

    // The verifier as gen-verifier leaves it below out/, where the script may read.
    let out = in_project("out/golden");
    std::fs::create_dir_all(&out).unwrap();
    let artifact = json!({ "abi": [], "bytecode": { "object": golden.creation_code } });
    std::fs::write(out.join("InferenceVerifier.json"), artifact.to_string()).unwrap();
    let codehash = codehash_of(&chain, dev(0).address(), &golden.creation_code).await;
    // The router is the recorded one.
    let settings = [
        ("ZKML_MODEL_ID", golden.model_id.to_string()),
        ("ZKML_CODEHASH", codehash.to_string()),
        ("ZKML_INPUT_MODE", "0".to_owned()),
        ("ZKML_OUTPUT_MODE", "2".to_owned()),
        ("ZKML_VERIFIER_ARTIFACT", "out/golden/InferenceVerifier.json".to_owned()),
    ];
    let created = script(&chain, deployments, "RegisterModel.s.sol", &settings);
    std::fs::remove_dir_all(&out).unwrap();
    let registry = Registry::view(deployments, chain.id()).unwrap();
    let recorded = registry.get(&label::verifier(&golden.model_id)).expect("the verifier's entry");
    assert_eq!((recorded.address, recorded.codehash), (created[0].1, Some(codehash)));
    assert_eq!(recorded.model_id, Some(golden.model_id));

    let model = settle::model(&chain, router, golden.model_id).await.unwrap();
    assert_eq!((model.state, model.verifier, model.codehash), (State::Active, created[0].1, codehash));
    let inputs: Vec<U256> = golden.public_inputs.iter().map(|word| (*word).into()).collect();
    settle::verify_inference(&chain, router, golden.model_id, &inputs, &golden.proof).await.unwrap();
    let mut changed = inputs.clone();
    changed[2] += U256::from(1);
    let error = settle::verify_inference(&chain, router, golden.model_id, &changed, &golden.proof).await.unwrap_err();
    assert_eq!(error.revert().map(|revert| revert.root().name.as_str()), Some("PairingFailed"));

    let freeze = [("ZKML_MODEL_ID", golden.model_id.to_string())];
    script(&chain, deployments, "FreezeModel.s.sol", &freeze);
    assert_eq!(settle::model(&chain, router, golden.model_id).await.unwrap().state, State::Frozen);
    let error = settle::verify_inference(&chain, router, golden.model_id, &inputs, &golden.proof).await.unwrap_err();
    assert_eq!(error.revert().map(|revert| revert.root().name.as_str()), Some("ModelNotActive"));
}

/// The scripts' entries agree with the chain, and the client, compiling for itself, comes to the same addresses.
async fn the_client_finds_it_all(chain: &Chain, deployments: &Path, golden: &ForgeProof) {
    let registry = Registry::view(deployments, chain.id()).unwrap();
    let findings = audit::audit(chain, &registry, audit::Expected::default(), &[]).await.unwrap();
    assert!(findings.len() > 4 && findings.iter().all(|finding| finding.ok), "{findings:?}");
    // The record says who decides, and the client's own would say the same.
    let governance = |delay| Some(Governance { owner: dev(0).address(), guardian: dev(1).address(), delay });
    for (label, delay) in [(label::ROUTER, Some(0)), (label::ATTESTATIONS, None), (label::LENDING, None)] {
        assert_eq!(registry.get(label).map(|entry| entry.governance), Some(governance(delay)), "{label}");
    }
    let record = std::fs::read_to_string(deployments.join("31337.json")).unwrap();
    let record: Value = serde_json::from_str(&record).unwrap();
    assert!(schema_support::fits(&record), "{record}");

    let compiler = Compiler::find(None, &in_project("")).unwrap();
    let contracts = Contracts::compile(&compiler, &in_project("")).map_err(|e| e.to_string()).unwrap();
    // As script/config/local.json has it.
    let settings = Settings { owner: dev(0).address(), guardian: dev(1).address(), token: None, activation_delay: 0 };
    let verifier = DeployItem::new("InferenceVerifier", golden.creation_code.clone(), 0);
    let (items, _) = contracts.items(verifier, &settings);
    let plan = deploy::plan(chain, dev(0).address(), &items, &registry, false).await.unwrap();
    for (label, address, step) in plan.steps.iter().filter(|(label, ..)| label != "InferenceVerifier") {
        assert!(matches!(step, Step::Present { .. }), "{label} at {address}: {step:?}");
    }
    assert_eq!(plan.steps.len(), 5);
}
