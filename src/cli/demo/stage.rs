//! Step 4: a chain with everything on it, open for business.

use super::{PROBABILITY, Places};
use crate::{
    artifact::{Package, ProofFile},
    chain::{
        Account, AccountSource, Call, Chain, Password, Registry, attestors,
        bindings::IProofVerifier,
        deploy,
        settle::{self, OpenLoan, PolicyTerms, Tier},
    },
    cli::{
        blocking,
        contracts::{Addresses, Contracts, Settings, verifier_item},
        failure::{CliError, Failure},
        output::Console,
    },
    verifier::Compiler,
};
use alloy::{
    primitives::{B256, U256},
    providers::Provider,
};
use serde::Serialize;

/// Development accounts, by their parts in the story.
const LENDER: usize = 0;
pub(super) const ATTESTOR: usize = 1;
pub(super) const ALICE: usize = 2;
pub(super) const BOB: usize = 3;
pub(super) const MALLORY: usize = 4;

/// 5,000 demo dollars, in millionths.
const LOAN: u64 = 5_000_000_000;

/// Interest per year, in hundredths of a percent.
const RATE: u32 = 800;

/// A chain ready for borrowers.
pub(super) struct Stage {
    pub chain: Chain,
    pub addresses: Addresses,
    pub policy_id: B256,
    pub threshold: i128,
    /// What the policy's one tier lends.
    pub amount: U256,
    /// Gas of all deployments; those found already there cost nothing.
    pub deploy_gas: u64,
}

impl Stage {
    /// A development account.
    pub fn account(&self, index: usize) -> Result<Account, Failure> {
        Ok(AccountSource::Development(index).unlock(&Password::Ask, self.chain.is_local())?)
    }
}

/// Compiles the settlement contracts from the project's sources.
pub(super) async fn compile(places: &Places, compiler: Compiler) -> Result<Contracts, Failure> {
    let root = places.root.clone();
    blocking(move || Contracts::compile(&compiler, &root)).await
}

/// Deploys, registers the model, lists the attestor, funds the pool, adds the policy.
pub(super) async fn build(
    chain: Chain,
    contracts: &Contracts,
    package: &Package,
    places: &Places,
    console: &Console,
) -> Result<Stage, Failure> {
    let lender = AccountSource::Development(LENDER).unlock(&Password::Ask, chain.is_local())?;
    let facts = &package.prover.facts;
    let contract = package.contract.as_ref().ok_or(CliError::Crashed("the verifier was not compiled".into()))?;
    let settings = Settings { owner: lender.address(), guardian: lender.address(), token: None, activation_delay: 0 };
    let (items, addresses) = contracts.items(verifier_item(contract, facts.model_id, &facts.srs), &settings);
    console.note(format!("   chain {} at {}", chain.id(), chain.endpoint()));
    let mut registry = match chain.is_ephemeral() {
        true => Registry::in_memory(chain.id()),
        false => Registry::open(&places.out.join("deployments"), chain.id())?,
    };
    let tell = |item: &deploy::DeployItem, _: &deploy::Step| console.note(format!("   {:<26} {}", item.label, item.address()));
    let deployed = deploy::execute(&chain, &lender, &items, &mut registry, false, tell).await?;
    let deploy_gas = deployment_gas(&chain, &deployed).await?;
    let codehash = deployed.first().and_then(|d| d.codehash).unwrap_or_default();

    let registration = facts.registration(&facts.model_file, addresses.verifier, codehash);
    settle::register_model(&chain, &lender, addresses.router, facts.model_id, &registration).await?;
    let attestor = AccountSource::Development(ATTESTOR).unlock(&Password::Ask, chain.is_local())?;
    attestors::list_attestor(&chain, &lender, addresses.attestations, attestor.address(), facts.schema_id, false).await?;
    let (terms, tier) = terms(&chain, package).await?;
    // Enough for two loans: what is refused later is refused for its own reason, not for an empty pool.
    let pool = tier.limit * U256::from(2);
    settle::mint(&chain, &lender, addresses.token, lender.address(), pool).await?;
    settle::fund(&chain, &lender, addresses.lending, pool).await?;
    let (policy_id, _) = settle::add_policy(&chain, &lender, addresses.lending, &terms).await?;
    console.note(format!("   policy: lend at probability >= {PROBABILITY}, that is a score integer >= {}", tier.threshold));
    Ok(Stage { chain, addresses, policy_id, threshold: tier.threshold, amount: tier.limit, deploy_gas })
}

/// The policy. Its amount differs from run to run below one dollar, so that each run on a lasting chain has a policy of its own.
async fn terms(chain: &Chain, package: &Package) -> Result<(PolicyTerms, Tier), Failure> {
    let facts = &package.prover.facts;
    let threshold = package.prover.threshold_scale()?.from_probability(PROBABILITY)?;
    let limit = U256::from(LOAN + chain.timestamp().await? % 1_000_000);
    let tier = Tier { threshold, limit, rate: RATE };
    Ok((PolicyTerms::of_one_tier(facts.model_id, facts.schema_id, 86_400, tier), tier))
}

async fn deployment_gas(chain: &Chain, deployed: &[crate::chain::Deployment]) -> Result<u64, Failure> {
    let mut gas = 0;
    for tx in deployed.iter().filter_map(|d| d.tx) {
        let what = "reading a deployment's receipt";
        let receipt = chain.provider().get_transaction_receipt(tx).await.map_err(|e| chain.explain(what, e))?;
        gas += receipt.map_or(0, |receipt| receipt.gas_used);
    }
    Ok(gas)
}

/// Gas, as the chain counts it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Costs {
    /// All contracts together.
    pub deploy: u64,
    /// A transaction that only verifies the proof.
    pub verify: u64,
    /// The transaction that opened the loan.
    pub settle: u64,
}

impl Costs {
    pub async fn of(stage: &Stage, proof: &ProofFile, loan: &OpenLoan) -> Result<Self, Failure> {
        let call = IProofVerifier::verifyProofCall { publicInputs: proof.integers(), proof: proof.proof.clone() };
        let call = Call::new("verifying the proof", stage.addresses.verifier, &call);
        let verify = stage.chain.simulate(stage.account(LENDER)?.address(), &call).await?.gas;
        Ok(Self { deploy: stage.deploy_gas, verify, settle: loan.mined.gas_used })
    }
}
