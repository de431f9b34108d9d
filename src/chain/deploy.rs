//! Deploying: plan, simulate, broadcast, confirm, record. The same contract is never deployed twice.
//!
//! Addresses come from the deterministic deployer (CREATE2), so they are a function of salt and creation code: what sits
//! at such an address was put there by exactly that creation code. A run that was interrupted finds what is there, waits for
//! what is under way (its hash was recorded before it was sent), and goes on with the rest.

use super::embedded::{CREATE2_FACTORY, CREATE2_FACTORY_CODEHASH};
use super::error::ChainError;
use super::provider::Chain;
use super::registry::{Deployment, Governance, INSECURE_DEV, Registry};
use super::send::{Call, Signed, Simulation};
use super::signer::Account;
use alloy::network::TransactionBuilder;
use alloy::primitives::{Address, B256, Bytes, TxHash, U256, address, bytes, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use serde_json::Value;
use std::sync::Arc;

/// EIP-170: bytes of code at one address.
pub const RUNTIME_LIMIT: usize = crate::verifier::solc::MAX_RUNTIME;
/// EIP-3860: bytes of creation code.
pub const CREATION_LIMIT: usize = 49_152;

/// The one-time account that puts the deterministic deployer on a chain, and its signed transaction.
const FACTORY_MAKER: Address = address!("3fAB184622Dc19b6109349B94811493BF2a45362");
const FACTORY_TX: Bytes = bytes!(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222"
);
/// What that transaction costs: 100,000 gas at 100 gwei, in wei.
const FACTORY_COST: U256 = U256::from_limbs([10_000_000_000_000_000, 0, 0, 0]);

/// A contract to deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployItem {
    /// The label in the record; the contract's name, made longer where a chain holds several of a kind.
    pub label: String,
    /// The contract's name.
    pub name: String,
    /// Creation code with its constructor arguments.
    pub creation: Bytes,
    /// Bytes of code that it leaves on chain.
    pub runtime_size: usize,
    /// The model that a verifier is for, or the aggregate.
    pub model_id: Option<B256>,
    /// Of a verifier: [`INSECURE_DEV`], or the ceremony's hash.
    pub srs: Option<String>,
    /// keccak256 of the code that must be on chain in the end, where it is known beforehand.
    pub expected_codehash: Option<B256>,
    /// What a block explorer verifies it by; kept beside the record.
    pub source: Option<Source>,
    /// Of what has an owner: its constructor's arguments that say who decides.
    pub governance: Option<Governance>,
}

/// Where a contract's code comes from, as block explorers ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// solc's standard JSON: sources and settings, shared by all contracts of one run of the compiler.
    pub input: Arc<Value>,
    /// Its file and name, `contracts/InferenceRouter.sol:InferenceRouter`.
    pub contract: String,
    /// The compiler's version.
    pub compiler: String,
    /// Constructor arguments, ABI-encoded.
    pub arguments: Bytes,
}

/// What a run would do with one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is there.
    Present { codehash: B256 },
    /// A transaction for it was sent and is not mined yet.
    UnderWay { tx: TxHash },
    /// It will be deployed, for about this much gas; unknown where its constructor needs a contract that comes before it.
    Missing { gas: Option<u64> },
}

/// What a run would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether the deterministic deployer has to be put there first.
    pub needs_factory: bool,
    /// Label, address and step of each contract, in the order of the run.
    pub steps: Vec<(String, Address, Step)>,
    /// Most wei that the simulated transactions can cost.
    pub max_cost: U256,
}

impl DeployItem {
    /// A contract without model or SRS.
    pub fn new(name: &str, creation: Bytes, runtime_size: usize) -> Self {
        Self {
            label: name.to_owned(),
            name: name.to_owned(),
            creation,
            runtime_size,
            model_id: None,
            srs: None,
            expected_codehash: None,
            source: None,
            governance: None,
        }
    }

    /// Where it will be, on every chain.
    pub fn address(&self) -> Address {
        CREATE2_FACTORY.create2(salt(), keccak256(&self.creation))
    }

    fn call(&self) -> Call {
        let data = [salt().as_slice(), &self.creation].concat().into();
        Call { what: format!("deploying {}", self.label), to: CREATE2_FACTORY, data, value: U256::ZERO, spare_gas: 0 }
    }

    fn check_sizes(&self) -> Result<(), ChainError> {
        let sizes = [("its code", self.runtime_size, RUNTIME_LIMIT), ("its creation code", self.creation.len(), CREATION_LIMIT)];
        match sizes.into_iter().find(|(_, size, limit)| size > limit) {
            Some((what, size, limit)) => Err(ChainError::CodeTooLarge { name: self.label.clone(), what, size, limit }),
            None => Ok(()),
        }
    }

    fn deployment(&self) -> Deployment {
        Deployment {
            name: self.name.clone(),
            address: self.address(),
            codehash: None,
            model_id: self.model_id,
            srs: self.srs.clone(),
            tx: None,
            block: None,
            governance: self.governance,
        }
    }
}

/// The salt of everything that this version deploys.
fn salt() -> B256 {
    keccak256("zkml-evm.deploy.v1")
}

/// Refuses to put a verifier made with a development SRS where value may be at stake: whoever made that SRS can forge proofs.
///
/// # Errors
/// [`ChainError::InsecureSrs`] unless the chain is local, the provenance is a ceremony's, or `allow` is set.
pub fn refuse_insecure(chain: &Chain, what: &str, provenance: &str, allow: bool) -> Result<(), ChainError> {
    match allow || chain.is_local() || provenance != INSECURE_DEV {
        true => Ok(()),
        false => Err(ChainError::InsecureSrs { what: what.to_owned(), provenance: provenance.to_owned(), chain_id: chain.id() }),
    }
}

/// The dry run: what [`execute`] would do, without sending anything.
///
/// # Errors
/// As [`execute`], apart from those of sending.
pub async fn plan(
    chain: &Chain,
    from: Address,
    items: &[DeployItem],
    registry: &Registry,
    allow_insecure: bool,
) -> Result<Plan, ChainError> {
    check(chain, items, registry, allow_insecure)?;
    let mut plan = Plan { needs_factory: !has_factory(chain).await?, steps: Vec::new(), max_cost: U256::ZERO };
    let mut earlier_missing = plan.needs_factory;
    for item in items {
        let step = match look(chain, item, registry).await? {
            Step::Missing { .. } => {
                let simulated = if plan.needs_factory { None } else { estimate(chain, from, item, earlier_missing).await? };
                earlier_missing = true;
                plan.max_cost += simulated.map_or(U256::ZERO, |simulation| simulation.max_cost);
                Step::Missing { gas: simulated.map(|simulation| simulation.gas) }
            }
            step => step,
        };
        plan.steps.push((item.label.clone(), item.address(), step));
    }
    Ok(plan)
}

/// Deploys what is not there yet, in order, and records all of it. `progress` hears of each contract when its step begins.
///
/// # Errors
/// [`ChainError::InsecureSrs`], [`ChainError::CodeTooLarge`] and [`ChainError::LabelTaken`] before anything is sent; [`ChainError::CodehashMismatch`];
/// [`ChainError::NoFactory`] on a public chain without the deployer; [`ChainError::Reverted`] with the constructor's error;
/// [`ChainError::UnderWay`] where an earlier transaction of the account is not mined in time; those of sending. What was deployed before the error stays recorded.
pub async fn execute(
    chain: &Chain,
    account: &Account,
    items: &[DeployItem],
    registry: &mut Registry,
    allow_insecure: bool,
    mut progress: impl FnMut(&DeployItem, &Step),
) -> Result<Vec<Deployment>, ChainError> {
    check(chain, items, registry, allow_insecure)?;
    // The record knows the newest transaction of a nonce, and any of them may be mined: what is under way is waited for first, and
    // what is at the addresses then decides.
    chain.settled(account.address()).await?;
    ensure_factory(chain, account).await?;
    let mut done = Vec::new();
    for item in items {
        let step = look(chain, item, registry).await?;
        progress(item, &step);
        let receipt = match step {
            Step::Present { .. } => None,
            Step::UnderWay { tx } => Some(chain.confirm(&item.call().what, tx).await?),
            Step::Missing { .. } => Some(deploy(chain, account, item, registry).await?),
        };
        done.push(record(chain, item, registry, receipt).await?);
    }
    Ok(done)
}

fn check(chain: &Chain, items: &[DeployItem], registry: &Registry, allow_insecure: bool) -> Result<(), ChainError> {
    for item in items {
        item.check_sizes()?;
        // A label holds 32 bits of the model id, which somebody can search for: nothing is written over another model's entry.
        let known = registry.get(&item.label).and_then(|known| known.model_id);
        if let (Some(expected), Some(got)) = (item.model_id, known)
            && expected != got
        {
            return Err(ChainError::LabelTaken { label: item.label.clone(), expected, got });
        }
        if let Some(srs) = &item.srs {
            refuse_insecure(chain, &item.label, srs, allow_insecure)?;
        }
    }
    Ok(())
}

/// What is at a contract's address, or on its way there.
async fn look(chain: &Chain, item: &DeployItem, registry: &Registry) -> Result<Step, ChainError> {
    let what = item.call().what;
    let code = chain.code(&what, item.address()).await?;
    let known = registry.get(&item.label).filter(|known| known.address == item.address());
    if !code.is_empty() {
        let codehash = keccak256(&code);
        let expected = item.expected_codehash.or_else(|| known.and_then(|known| known.codehash));
        return match expected {
            Some(expected) if expected != codehash => {
                Err(ChainError::CodehashMismatch { name: item.label.clone(), address: item.address(), expected, got: codehash })
            }
            _ => Ok(Step::Present { codehash }),
        };
    }
    // A recorded hash that the node does not know is from a chain that was reset, or was never sent.
    if let Some(tx) = known.and_then(|known| known.tx) {
        let found = chain.provider().get_transaction_by_hash(tx).await.map_err(|e| chain.explain(&what, e))?;
        if found.is_some_and(|found| found.block_number.is_none()) {
            return Ok(Step::UnderWay { tx });
        }
    }
    Ok(Step::Missing { gas: None })
}

/// Simulates one deployment. Where it fails and an earlier contract is still missing, the failure proves nothing.
async fn estimate(
    chain: &Chain,
    from: Address,
    item: &DeployItem,
    earlier_missing: bool,
) -> Result<Option<Simulation>, ChainError> {
    match chain.simulate(from, &item.call()).await {
        Ok(simulation) => Ok(Some(simulation)),
        Err(ChainError::Reverted { .. }) if earlier_missing => Ok(None),
        Err(error) => Err(constructor_error(chain, from, item, error).await),
    }
}

async fn deploy(
    chain: &Chain,
    account: &Account,
    item: &DeployItem,
    registry: &mut Registry,
) -> Result<TransactionReceipt, ChainError> {
    let signed = match chain.prepare(account, &item.call()).await {
        Ok(signed) => signed,
        Err(error) => return Err(constructor_error(chain, account.address(), item, error).await),
    };
    registry.put(&item.label, Deployment { tx: Some(signed.hash()), ..item.deployment() })?;
    let replaced = |raised: &Signed| registry.put(&item.label, Deployment { tx: Some(raised.hash()), ..item.deployment() });
    chain.carry(account, signed, replaced).await
}

/// Reads what is on chain now into the record.
async fn record(
    chain: &Chain,
    item: &DeployItem,
    registry: &mut Registry,
    receipt: Option<TransactionReceipt>,
) -> Result<Deployment, ChainError> {
    let codehash = match look(chain, item, registry).await? {
        Step::Present { codehash } => codehash,
        _ => return Err(ChainError::NoContract { what: item.call().what, address: item.address() }),
    };
    let known = registry.get(&item.label).filter(|known| known.address == item.address()).cloned();
    let base = known.unwrap_or_else(|| item.deployment());
    let receipt = match (receipt, base.tx) {
        // An earlier run's transaction: the newest of its nonce is recorded, and another one may have been mined.
        (None, Some(tx)) if base.block.is_none() => chain.receipt_of_any(&item.call().what, &[tx]).await?,
        (receipt, _) => receipt,
    };
    let found = receipt.map(|receipt| (Some(receipt.transaction_hash), receipt.block_number));
    let (tx, block) = found.unwrap_or((base.tx.filter(|_| base.block.is_some()), base.block));
    let deployment = Deployment { codehash: Some(codehash), tx, block, ..item.deployment() };
    if let Some(source) = &item.source {
        registry.keep(&item.label, item.address(), source)?;
    }
    registry.put(&item.label, deployment.clone())?;
    Ok(deployment)
}

/// The deployer swallows the reason of a constructor that reverts: creating the contract directly, in a call, brings it.
async fn constructor_error(chain: &Chain, from: Address, item: &DeployItem, error: ChainError) -> ChainError {
    match &error {
        ChainError::Reverted { revert, .. } if revert.data.is_empty() => {}
        _ => return error,
    }
    let direct = TransactionRequest::default().from(from).input(item.creation.clone().into());
    match chain.provider().call(direct.into_create()).await.map_err(|e| chain.explain(&item.call().what, e)) {
        Err(ChainError::Reverted { what, revert, tx }) if !revert.data.is_empty() => ChainError::Reverted { what, revert, tx },
        _ => error,
    }
}

async fn has_factory(chain: &Chain) -> Result<bool, ChainError> {
    let code = chain.code("looking for the deterministic deployer", CREATE2_FACTORY).await?;
    match keccak256(&code) {
        CREATE2_FACTORY_CODEHASH => Ok(true),
        _ if !code.is_empty() => Err(ChainError::CodehashMismatch {
            name: "the deterministic deployer".to_owned(),
            address: CREATE2_FACTORY,
            expected: CREATE2_FACTORY_CODEHASH,
            got: keccak256(&code),
        }),
        _ if !chain.is_local() => Err(ChainError::NoFactory { chain_id: chain.id(), factory: CREATE2_FACTORY }),
        _ => Ok(false),
    }
}

/// Puts the deterministic deployer on a local chain, the way it came to every other: by its one-time account.
async fn ensure_factory(chain: &Chain, account: &Account) -> Result<(), ChainError> {
    if has_factory(chain).await? {
        return Ok(());
    }
    let what = "putting the deterministic deployer on the chain";
    chain.send(account, &Call::transfer(what, FACTORY_MAKER, FACTORY_COST)).await?;
    let pending = chain.provider().send_raw_transaction(&FACTORY_TX).await.map_err(|e| chain.explain(what, e))?;
    chain.confirm(what, *pending.tx_hash()).await?;
    match has_factory(chain).await? {
        true => Ok(()),
        false => Err(ChainError::NoFactory { chain_id: chain.id(), factory: CREATE2_FACTORY }),
    }
}
