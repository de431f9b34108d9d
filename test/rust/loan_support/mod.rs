//! A pool with a real verifier on an anvil, and real proofs of a tiny model for it: made once for all tests of a file. The contracts'
//! addresses are the same on every chain, so the proofs are too.

#![allow(dead_code)]

use crate::chain_support::{compiled, dev, router_item};
use crate::cli_support::{Run, generate, run_in};
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider;
use alloy::signers::{SignerSync, local::PrivateKeySigner};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;
use zkml_evm::artifact::{Binding, Folder, Opening, ProofFile, Prover};
use zkml_evm::chain::attest::{Context, SignedAttestation};
use zkml_evm::chain::attestors;
use zkml_evm::chain::bindings::IInputAttestation::Attestation;
use zkml_evm::chain::deploy::{self, DeployItem};
use zkml_evm::chain::embedded::Hardfork;
use zkml_evm::chain::permit::{self, Permit};
use zkml_evm::chain::settle::{self, LoanRequest, PolicyTerms, Tier, policy_id};
use zkml_evm::chain::{Chain, ChainTarget, Patience, Registry};
use zkml_evm::circuit::Item;
use zkml_evm::cli::contracts::verifier_item;
use zkml_evm::proof::Purpose;
use zkml_evm::quant::{ThresholdScale, input};

pub const LOANS: usize = 16;
pub const AMOUNT: u64 = 250;
/// The development account that sends for the borrowers.
pub const RELAYER: usize = 5;
const INPUT: &str = r#"{"features": {"x0": 0.5, "x1": -0.25, "x2": 0.125, "x3": 0, "x4": 0.75}}"#;
const LOCAL: u64 = 31_337;

/// The contracts.
#[derive(Clone, Copy)]
pub struct Places {
    pub router: Address,
    pub attestations: Address,
    pub token: Address,
    pub lending: Address,
    pub policy: B256,
}

struct Shared {
    folder: TempDir,
    prover: Prover,
    items: Vec<DeployItem>,
    places: Places,
    terms: PolicyTerms,
    threshold: i128,
}

/// The artifact folder.
pub fn artifacts() -> PathBuf {
    shared().folder.path().join("artifacts")
}

/// A copy of the first loans' folders, `loan-00` and so on.
pub fn loans(into: &Path, count: usize) {
    for i in 0..count {
        let name = format!("loan-{i:02}");
        let from = shared().folder.path().join("loans").join(&name);
        crate::cli_support::copy(&from, &into.join(name));
    }
}

pub fn model_id() -> B256 {
    shared().prover.facts.model_id
}

pub fn borrower(i: usize) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&keccak256(format!("borrower {i}"))).unwrap()
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("artifacts");
        generate(&artifacts, &[]).result();
        let opened = Folder::open(&artifacts).unwrap();
        let prover = opened.prover().unwrap();
        let verifier = verifier_item(&opened.contract().unwrap(), prover.facts.model_id, "insecure-dev");
        let threshold = ThresholdScale::of(&prover.program).unwrap().from_value("-1").unwrap();
        let tier = Tier { threshold, limit: U256::from(AMOUNT), rate: 500 };
        let terms = PolicyTerms::of_one_tier(prover.facts.model_id, prover.facts.schema_id, 86_400, tier);
        let (items, places) = items(verifier, &terms);
        let shared = Shared { folder, prover, items, places, terms, threshold };
        for i in 0..LOANS {
            loan(&shared, i, shared.places.policy, 0).save(&shared.folder.path().join(format!("loans/loan-{i:02}")));
        }
        shared
    })
}

fn items(verifier: DeployItem, terms: &PolicyTerms) -> (Vec<DeployItem>, Places) {
    let admin = dev(0).address();
    let attestation = compiled("InputAttestation", "InputAttestation");
    let token = compiled("MockERC20", "MockERC20");
    let lending = compiled("LendingThreshold", "LendingThreshold");
    let router = router_item(admin);
    let registry = DeployItem::new(&attestation.name, attestation.with_args(&(admin, admin)), attestation.runtime_size);
    let arguments = ("Test dollar".to_owned(), "TUSD".to_owned(), U256::from(6));
    let token = DeployItem::new(&token.name, token.with_args(&arguments), token.runtime_size);
    let arguments = (admin, admin, token.address(), router.address(), registry.address());
    let lending = DeployItem::new(&lending.name, lending.with_args(&arguments), lending.runtime_size);
    let places = Places {
        router: router.address(),
        attestations: registry.address(),
        token: token.address(),
        lending: lending.address(),
        policy: policy_id(lending.address(), terms),
    };
    (vec![verifier, router, registry, token, lending], places)
}

/// One borrower's papers.
pub struct Papers {
    pub attestation: SignedAttestation,
    pub proof: ProofFile,
    pub permit: Permit,
}

impl Papers {
    pub fn save(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        self.proof.save(&folder.join("proof.json")).unwrap();
        fs::write(folder.join("attestation.json"), serde_json::to_string(&self.attestation).unwrap()).unwrap();
        fs::write(folder.join("permit.json"), serde_json::to_string(&self.permit).unwrap()).unwrap();
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// An attestation about the one input, and what opens it.
fn attested(shared: &Shared, i: usize) -> (SignedAttestation, Opening) {
    let row = input::one(&shared.prover.schema, INPUT).unwrap();
    let opening = Opening::fresh(&shared.prover.schema, &row).unwrap();
    let statement = Attestation {
        subject: borrower(i).address(),
        inputCommitment: opening.input_commitment,
        schemaId: shared.prover.facts.schema_id,
        issuedAt: now() - 60,
        expiresAt: now() + 86_400,
    };
    (SignedAttestation::sign(&dev(1), LOCAL, shared.places.attestations, &statement).unwrap(), opening)
}

fn permitted(i: usize, lending: Address, policy_id: B256, nonce: U256, attestation: &SignedAttestation, expiry: u64) -> Permit {
    let (tier, amount, attestation) = (0, U256::from(AMOUNT), attestation.clone());
    let (proof, permit) = (Bytes::new(), None);
    let request = LoanRequest { lending, policy_id, tier, amount, attestation, nonce, expiry, proof, permit };
    let signature = borrower(i).sign_hash_sync(&permit::digest(LOCAL, &request)).unwrap();
    Permit::new(LOCAL, &request, Bytes::copy_from_slice(&signature.as_bytes()))
}

fn loan(shared: &Shared, i: usize, policy_id: B256, nonce: u64) -> Papers {
    let nonce = U256::from(nonce);
    let (places, facts) = (&shared.places, &shared.prover.facts);
    let (attestation, opening) = attested(shared, i);
    let expiry = now() + 86_400;
    let context = Context {
        chain_id: LOCAL,
        consumer: places.lending,
        subject: attestation.subject,
        model_id: facts.model_id,
        policy_id,
        nonce,
        expiry,
    };
    let (row, salt) = (opening.row(), Some(opening.salt().unwrap()));
    let proof = shared.prover.prove(&row, Binding::Call(context), salt, Some(shared.threshold)).unwrap();
    let permit = permitted(i, places.lending, policy_id, nonce, &attestation, expiry);
    Papers { attestation, proof, permit }
}

/// An anvil with everything on it and money in the pool.
pub struct Yard {
    pub chain: Chain,
    pub url: String,
    pub places: Places,
}

impl Yard {
    pub async fn new(hardfork: Hardfork) -> Self {
        let shared = shared();
        let chain = ChainTarget::Anvil { binary: None, hardfork }.connect(None, Patience::default()).await.unwrap();
        let mut registry = Registry::in_memory(chain.id());
        let done = deploy::execute(&chain, &dev(0), &shared.items, &mut registry, false, |_, _| {}).await.unwrap();
        let (facts, places) = (&shared.prover.facts, shared.places);
        let registration = facts.registration("family", done[0].address, done[0].codehash.unwrap());
        settle::register_model(&chain, &dev(0), places.router, facts.model_id, &registration).await.unwrap();
        let (by, schema) = (dev(1).address(), facts.schema_id);
        attestors::list_attestor(&chain, &dev(0), places.attestations, by, schema, false).await.unwrap();
        settle::add_policy(&chain, &dev(0), places.lending, &shared.terms).await.unwrap();
        settle::fill(&chain, &dev(0), places.lending, None, U256::from(1_000_000), true).await.unwrap();
        let url = chain.anvil_url().unwrap().to_owned();
        Self { chain, url, places }
    }

    /// A borrower's second loan, under a policy of its own.
    pub async fn second_loan(&self, i: usize, folder: &Path) {
        let terms = PolicyTerms { cap: U256::from(1_000_000), ..shared().terms.clone() };
        let (policy, _) = settle::add_policy(&self.chain, &dev(0), self.places.lending, &terms).await.unwrap();
        loan(shared(), i, policy, 1).save(folder);
    }

    /// Loans of a model for batches of two: both borrowers' folders, and the relayer's one proof in `batch.json`.
    pub async fn batch_of_two(&self, folder: &Path) {
        let (shared, places) = (shared(), self.places);
        let artifacts = tempfile::tempdir().unwrap();
        let path = artifacts.path().join("batch");
        generate(&path, &["--batch", "2"]).result();
        let opened = Folder::open(&path).unwrap();
        let prover = opened.prover().unwrap();
        let facts = &prover.facts;
        let item = verifier_item(&opened.contract().unwrap(), facts.model_id, "insecure-dev");
        let mut registry = Registry::in_memory(LOCAL);
        let done = deploy::execute(&self.chain, &dev(0), &[item], &mut registry, false, |_, _| {}).await.unwrap();
        let registration = facts.registration("batch", done[0].address, done[0].codehash.unwrap());
        settle::register_model(&self.chain, &dev(0), places.router, facts.model_id, &registration).await.unwrap();
        let terms = PolicyTerms { model_id: facts.model_id, ..shared.terms.clone() };
        let (policy_id, _) = settle::add_policy(&self.chain, &dev(0), places.lending, &terms).await.unwrap();
        let (expiry, relayer) = (now() + 3_600, dev(RELAYER).address());
        let mut items = Vec::new();
        for i in 0..2 {
            let (attestation, opening) = attested(shared, i);
            let permit = permitted(i, places.lending, policy_id, U256::ZERO, &attestation, expiry);
            let (values, salt) = (opening.row(), Some(opening.salt().unwrap()));
            items.push(Item { values, salt, threshold: Some(shared.threshold) });
            let folder = folder.join(format!("loan-{i:02}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("attestation.json"), serde_json::to_string(&attestation).unwrap()).unwrap();
            fs::write(folder.join("permit.json"), serde_json::to_string(&permit).unwrap()).unwrap();
        }
        let next = settle::next_context(&self.chain, places.lending, relayer, policy_id, facts.model_id, expiry).await.unwrap();
        let proof = prover.prove_items(Purpose::Chain, &items, Binding::Call(next), None, &|_| ()).unwrap();
        proof.save(&folder.join("batch.json")).unwrap();
    }

    /// A request of anvil's own.
    pub async fn ask(&self, method: &'static str, parameters: serde_json::Value) -> serde_json::Value {
        self.chain.provider().raw_request(method.into(), parameters).await.unwrap()
    }

    pub async fn mine(&self) {
        self.ask("evm_mine", serde_json::json!([])).await;
    }

    /// `submit --many` in a folder.
    pub fn arguments(&self, folder: &Path, more: &[&str]) -> Vec<String> {
        let (artifacts, relayer) = (artifacts(), RELAYER.to_string());
        let fixed = ["--json", "submit", "--many", folder.to_str().unwrap(), "--artifacts", artifacts.to_str().unwrap()];
        let by = ["--rpc-url", &self.url, "--dev-account", &relayer];
        [&fixed[..], &by[..], more].concat().into_iter().map(str::to_owned).collect()
    }

    pub fn submit(&self, folder: &Path, more: &[&str]) -> Run {
        let arguments = self.arguments(folder, more);
        run_in(folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub fn spawn(&self, folder: &Path, more: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkml-evm"));
        command.args(self.arguments(folder, more)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub async fn sent(&self) -> u64 {
        self.chain.provider().get_transaction_count(dev(RELAYER).address()).await.unwrap()
    }

    pub async fn balance(&self, i: usize) -> U256 {
        settle::balance(&self.chain, self.places.token, borrower(i).address()).await.unwrap()
    }

    /// Each of the first borrowers has one loan, and the sender sent exactly so many transactions, none of which failed.
    pub async fn assert_settled_once(&self, loans: usize, sent: u64) {
        for i in 0..loans {
            assert_eq!(self.balance(i).await, U256::from(AMOUNT), "borrower {i}");
        }
        assert_eq!(self.sent().await, sent, "nothing is sent twice");
        let last = self.chain.provider().get_block_number().await.unwrap();
        for number in 0..=last {
            for receipt in self.chain.provider().get_block_receipts(number.into()).await.unwrap().unwrap() {
                assert!(receipt.status(), "{receipt:?}");
            }
        }
    }
}
