//! Deployments: addresses, dry runs, resuming, and everything that must not be deployed.

mod chain_support;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider;
use chain_support::proxy::{self, Say};
use chain_support::{compiled, connect, dev, router_item, tiny_verifier};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zkml_evm::chain::audit::{self, Expected};
use zkml_evm::chain::deploy::{self, DeployItem, Step};
use zkml_evm::chain::embedded::EmbeddedOptions;
use zkml_evm::chain::governance;
use zkml_evm::chain::keystore::Password;
use zkml_evm::chain::{AccountSource, Chain, ChainError, ChainTarget, Governance, Patience, Registry, anvil};
use zkml_evm::error::{ExitCode, Explain};

on_both!(
    who_decides_is_compared,
    plan_then_deploy_then_nothing,
    a_half_done_run_goes_on,
    a_constructor_says_why,
    foreign_code_is_refused
);

fn items() -> Vec<DeployItem> {
    let attestation = compiled("InputAttestation", "InputAttestation");
    let attestation = DeployItem::new(
        "InputAttestation",
        attestation.with_args(&(dev(0).address(), dev(0).address())),
        attestation.runtime_size,
    );
    vec![tiny_verifier(), router_item(dev(0).address()), attestation]
}

async fn run(
    chain: &Chain,
    items: &[DeployItem],
    registry: &mut Registry,
) -> Result<Vec<zkml_evm::chain::Deployment>, ChainError> {
    deploy::execute(chain, &dev(0), items, registry, false, |_, _| {}).await
}

async fn plan_then_deploy_then_nothing(chain: Chain) {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(folder.path(), chain.id()).unwrap();
    let plan = deploy::plan(&chain, dev(0).address(), &items(), &registry, false).await.unwrap();
    assert!(plan.steps.iter().all(|(_, _, step)| matches!(step, Step::Missing { gas: Some(_) })), "{plan:?}");
    assert!(plan.max_cost > U256::ZERO);
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 0, "a dry run sends nothing");

    let done = run(&chain, &items(), &mut registry).await.unwrap();
    for ((_, planned, _), deployment) in plan.steps.iter().zip(&done) {
        assert_eq!(*planned, deployment.address);
        let code = chain.provider().get_code_at(deployment.address).await.unwrap();
        assert_eq!(deployment.codehash, Some(keccak256(&code)));
        assert!(deployment.tx.is_some() && deployment.block.is_some());
    }
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 3);
    drop(registry);

    let mut registry = Registry::open(folder.path(), chain.id()).unwrap();
    assert_eq!(registry.get("InferenceVerifier"), Some(&done[0]));
    assert_eq!(registry.get("InferenceVerifier").unwrap().srs.as_deref(), Some("insecure-dev"));
    assert_eq!(run(&chain, &items(), &mut registry).await.unwrap(), done);
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 3, "nothing is deployed twice");
    // A record that was lost is made again from the chain.
    let mut fresh = Registry::in_memory(chain.id());
    let found = run(&chain, &items(), &mut fresh).await.unwrap();
    assert_eq!(found[1].codehash, done[1].codehash);
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 3);
}

/// Owner, guardian, delays and a timelock's roles, against the record and against what somebody names.
async fn who_decides_is_compared(chain: Chain) {
    let [decider, guardian] = [dev(1).address(), dev(2).address()];
    let timelock = compiled("GuardedTimelock", "GuardedTimelock");
    let governance = |owner, delay| Some(Governance { owner, guardian, delay });
    let creation = timelock.with_args(&(U256::from(100), decider, guardian));
    let timelock = DeployItem {
        governance: governance(decider, Some(100)),
        ..DeployItem::new("GuardedTimelock", creation, timelock.runtime_size)
    };
    let router = compiled("InferenceRouter", "InferenceRouter");
    let creation = router.with_args(&(timelock.address(), guardian, 7_u32));
    let router = DeployItem {
        governance: governance(timelock.address(), Some(7)),
        ..DeployItem::new("InferenceRouter", creation, router.runtime_size)
    };
    let mut registry = Registry::in_memory(chain.id());
    let done = run(&chain, &[timelock, router], &mut registry).await.unwrap();
    let differ = async |registry: &Registry, expected: Expected| {
        let findings = audit::audit(&chain, registry, expected, &[]).await.unwrap();
        assert!(findings.len() >= 14, "{findings:?}");
        let differ = findings.into_iter().filter(|finding| !finding.ok);
        differ.map(|finding| format!("{} {}", finding.label, finding.what)).collect::<Vec<_>>()
    };
    assert!(differ(&registry, Expected::default()).await.is_empty());
    let other = Expected { owner: Some(decider), guardian: Some(Address::ZERO) };
    assert_eq!(differ(&registry, other).await, ["InferenceRouter owner", "InferenceRouter guardian"]);

    let changed = |i: usize, change: fn(&mut Governance)| {
        let mut governance = done[i].governance.unwrap();
        change(&mut governance);
        zkml_evm::chain::Deployment { governance: Some(governance), ..done[i].clone() }
    };
    registry.put("InferenceRouter", changed(1, |g| (g.owner, g.delay) = (Address::ZERO, Some(8)))).unwrap();
    assert_eq!(differ(&registry, Expected::default()).await, ["InferenceRouter owner", "InferenceRouter activation delay"]);
    registry.put("InferenceRouter", done[1].clone()).unwrap();
    registry.put("GuardedTimelock", changed(0, |g| g.delay = Some(99))).unwrap();
    assert_eq!(differ(&registry, Expected::default()).await, ["GuardedTimelock delay"]);
    registry.put("GuardedTimelock", changed(0, |g| std::mem::swap(&mut g.owner, &mut g.guardian))).unwrap();
    let roles = ["decider schedules", "decider executes", "decider cancels", "guardian cancels", "guardian schedules"];
    assert_eq!(differ(&registry, Expected::default()).await, roles.map(|role| format!("GuardedTimelock {role}")));
}

async fn a_half_done_run_goes_on(chain: Chain) {
    let mut registry = Registry::in_memory(chain.id());
    run(&chain, &items()[..1], &mut registry).await.unwrap();
    let mut steps = Vec::new();
    deploy::execute(&chain, &dev(0), &items(), &mut registry, false, |_, step| steps.push(step.clone())).await.unwrap();
    assert!(matches!(steps[..], [Step::Present { .. }, Step::Missing { .. }, Step::Missing { .. }]), "{steps:?}");
    assert_eq!(chain.provider().get_transaction_count(dev(0).address()).await.unwrap(), 3);
}

async fn a_constructor_says_why(chain: Chain) {
    let error = run(&chain, &[router_item(Address::ZERO)], &mut Registry::in_memory(chain.id())).await.unwrap_err();
    assert_eq!(error.revert().unwrap().to_string(), format!("OwnableInvalidOwner(owner={})", Address::ZERO));
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 0);
}

async fn foreign_code_is_refused(chain: Chain) {
    let mut registry = Registry::in_memory(chain.id());
    let done = run(&chain, &items()[..1], &mut registry).await.unwrap();
    let other = DeployItem { expected_codehash: Some(B256::repeat_byte(1)), ..tiny_verifier() };
    let error = run(&chain, &[other], &mut registry).await.unwrap_err();
    assert!(matches!(error, ChainError::CodehashMismatch { .. }), "{error}");
    let forged = zkml_evm::chain::Deployment { codehash: Some(B256::repeat_byte(2)), ..done[0].clone() };
    registry.put("InferenceVerifier", forged).unwrap();
    let error = run(&chain, &items()[..1], &mut registry).await.unwrap_err();
    assert!(matches!(error, ChainError::CodehashMismatch { .. }), "{error}");
    // Another model whose id begins alike: its entry stays.
    let other = zkml_evm::chain::Deployment { model_id: Some(B256::repeat_byte(9)), ..done[0].clone() };
    registry.put("InferenceVerifier", other.clone()).unwrap();
    let error = run(&chain, &items()[..1], &mut registry).await.unwrap_err();
    assert!(matches!(error, ChainError::LabelTaken { got, .. } if got == B256::repeat_byte(9)), "{error}");
    assert_eq!(registry.get("InferenceVerifier"), Some(&other));
}

/// The worst moment to be interrupted: the transaction is sent, and not mined.
#[tokio::test(flavor = "multi_thread")]
async fn a_sent_transaction_is_waited_for() {
    let impatient = Patience { confirm: Duration::from_millis(300), ..Patience::default() };
    let chain = ChainTarget::anvil().connect(None, impatient).await.unwrap();
    let _: serde_json::Value = chain.provider().raw_request("evm_setAutomine".into(), [false]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Registry::open(folder.path(), chain.id()).unwrap();
    let error = run(&chain, &items()[..1], &mut registry).await.unwrap_err();
    let ChainError::NotMined { tx, .. } = error else { panic!("{error}") };
    assert!(error.retryable());
    drop(registry);

    let mut registry = Registry::open(folder.path(), chain.id()).unwrap();
    assert_eq!(registry.get("InferenceVerifier").unwrap().tx, Some(tx), "the hash is on disk");
    let plan = deploy::plan(&chain, dev(0).address(), &items()[..1], &registry, false).await.unwrap();
    assert_eq!(plan.steps[0].2, Step::UnderWay { tx });
    let error = run(&chain, &items()[..1], &mut registry).await.unwrap_err();
    assert!(matches!(error, ChainError::UnderWay { count: 1, .. }), "{error}");

    let _: serde_json::Value = chain.provider().raw_request("evm_setAutomine".into(), [true]).await.unwrap();
    let _: serde_json::Value = chain.provider().raw_request("evm_mine".into(), ()).await.unwrap();
    let done = run(&chain, &items()[..1], &mut registry).await.unwrap();
    assert_eq!(done[0].tx, Some(tx));
    assert_eq!(chain.provider().get_transaction_count(dev(0).address()).await.unwrap(), 1, "one transaction only");
}

/// The record knows a replacement that the node never took; the transaction before it is mined. Nothing is deployed again.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_was_recorded_and_never_sent() {
    let impatient = Patience { confirm: Duration::from_millis(900), ..Patience::default() };
    let anvil = ChainTarget::anvil().connect(None, impatient).await.unwrap();
    let _: serde_json::Value = anvil.provider().raw_request("evm_setAutomine".into(), [false]).await.unwrap();
    let sent = AtomicUsize::new(0);
    let url = proxy::before(anvil.anvil_url().unwrap(), move |method, _| match method {
        "eth_sendRawTransaction" if sent.fetch_add(1, Ordering::SeqCst) > 0 => Say::Error("replacement transaction underpriced"),
        _ => Say::Same,
    });
    let chain = ChainTarget::Rpc { url }.connect(None, impatient).await.unwrap();
    let chain = chain.replacing(Some(Duration::from_millis(200)));
    let mut registry = Registry::in_memory(chain.id());
    let error = run(&chain, &items()[..1], &mut registry).await.unwrap_err();
    assert!(matches!(error, ChainError::NotMined { .. }), "{error}");
    let recorded = registry.get("InferenceVerifier").unwrap().tx.unwrap();
    assert!(chain.provider().get_transaction_by_hash(recorded).await.unwrap().is_none(), "the newest one was never taken");

    let mine = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let _: serde_json::Value = anvil.provider().raw_request("evm_mine".into(), ()).await.unwrap();
    };
    let items = items();
    let (done, ()) = tokio::join!(run(&anvil, &items[..1], &mut registry), mine);
    assert_eq!(done.unwrap()[0].tx, None, "the record names no transaction that did not happen");
    assert_eq!(chain.provider().get_transaction_count(dev(0).address()).pending().await.unwrap(), 1, "one transaction only");
}

/// The record is of a chain that was reset: the contracts are not there, and are deployed.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_chain_is_deployed_to_again() {
    let mut registry = Registry::in_memory(31_337);
    for _ in 0..2 {
        let chain = connect(ChainTarget::embedded()).await;
        run(&chain, &items()[..1], &mut registry).await.unwrap();
        assert_eq!(chain.provider().get_block_number().await.unwrap(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployer_is_put_on_a_local_chain_without_it() {
    let options = EmbeddedOptions { create2_factory: false, ..EmbeddedOptions::default() };
    let chain = connect(ChainTarget::Embedded(options)).await;
    let registry = Registry::in_memory(chain.id());
    let plan = deploy::plan(&chain, dev(0).address(), &items(), &registry, false).await.unwrap();
    assert!(plan.needs_factory);
    let with = connect(ChainTarget::embedded()).await;
    let here = run(&chain, &items()[..1], &mut Registry::in_memory(chain.id())).await.unwrap();
    let there = run(&with, &items()[..1], &mut Registry::in_memory(chain.id())).await.unwrap();
    assert_eq!(here[0].address, there[0].address);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_above_the_limits_is_refused_before_anything() {
    let chain = connect(ChainTarget::embedded()).await;
    let wide = DeployItem { runtime_size: deploy::RUNTIME_LIMIT + 1, ..tiny_verifier() };
    let long = DeployItem { creation: Bytes::from(vec![0; deploy::CREATION_LIMIT + 1]), ..tiny_verifier() };
    for item in [wide, long] {
        let error = run(&chain, &[tiny_verifier(), item], &mut Registry::in_memory(chain.id())).await.unwrap_err();
        assert!(matches!(error, ChainError::CodeTooLarge { .. }), "{error}");
    }
    assert_eq!(chain.provider().get_block_number().await.unwrap(), 0);
}

/// Ends the process with the test, however that ends.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A node on this machine whose chain id is a public chain's: a fork, or a tunnel. It counts as public.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_chain_refuses_development_keys_and_srs() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = std::process::Command::new(anvil::locate(None).unwrap());
    command.args(["--chain-id", "1", "--silent", "--port", &port.to_string()]).stdout(Stdio::null());
    let _anvil = Killed(command.spawn().unwrap());
    let target = ChainTarget::Rpc { url: format!("http://127.0.0.1:{port}") };
    let mut tries = 0;
    let chain = loop {
        match target.connect(Some(1), Patience::default()).await {
            Ok(chain) => break chain,
            Err(error) if error.retryable() && tries < 100 => tries += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(!chain.is_local());
    let error = AccountSource::Development(0).unlock(&Password::Ask, chain.is_local()).unwrap_err();
    assert!(matches!(error, ChainError::DevAccountRefused { index: 0 }), "{error}");

    let registry = Registry::in_memory(1);
    let error = deploy::plan(&chain, dev(0).address(), &items(), &registry, false).await.unwrap_err();
    assert!(matches!(error, ChainError::InsecureSrs { chain_id: 1, .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::No);
    assert!(error.hint().contains("srs import"));
    // Knowingly, or with a ceremony's SRS, it goes.
    deploy::plan(&chain, dev(0).address(), &items(), &registry, true).await.unwrap();
    let ceremony = DeployItem { srs: Some("ceremony:0xabc".into()), ..tiny_verifier() };
    deploy::plan(&chain, dev(0).address(), &[ceremony], &registry, false).await.unwrap();
    nobody_decides_alone(&chain).await;
}

/// As the script: no plain owner, also with a delegation, no missing guardian, no short delay.
async fn nobody_decides_alone(chain: &Chain) {
    let [plain, delegated, contract, guardian] = [1, 2, 3, 4].map(Address::repeat_byte);
    let designator = Bytes::from([&[0xef, 0x01, 0x00][..], contract.as_slice()].concat());
    for (account, code) in [(delegated, designator), (contract, Bytes::from([0]))] {
        let _: serde_json::Value = chain.provider().raw_request("anvil_setCode".into(), (account, code)).await.unwrap();
    }
    let day = governance::LEAST_DELAY;
    let cases = [
        (plain, guardian, day, "the owner"),
        (delegated, guardian, day, "the owner"),
        (contract, Address::ZERO, day, "the guardian"),
        (contract, contract, day, "the guardian"),
        (contract, guardian, day - 1, "the activation delay"),
    ];
    for (owner, guardian, delay, refused) in cases {
        let error = governance::refuse_unguarded(chain, owner, guardian, delay, false).await.unwrap_err();
        assert!(matches!(error, ChainError::Unguarded { chain_id: 1, what, .. } if what == refused), "{error}");
        assert_eq!(error.exit_code(), ExitCode::No);
        governance::refuse_unguarded(chain, owner, guardian, delay, true).await.unwrap();
    }
    governance::refuse_unguarded(chain, contract, guardian, day, false).await.unwrap();
}
