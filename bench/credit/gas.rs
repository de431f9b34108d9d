//! Gas on the embedded chain: deploying a verifier, and one transaction that does nothing but verify.

use alloy::primitives::{Bytes, U256};
use alloy::providers::Provider;
use serde::Serialize;
use std::error::Error;
use zkml_evm::chain::{
    AccountSource, Call, Chain, ChainTarget, Deployment, Password, Patience, Registry,
    deploy::{self, DeployItem},
};

/// Whole transactions, under today's mainnet rules.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Gas {
    pub deploy: u64,
    pub verify: u64,
}

/// Deploys `creation` on a fresh chain and sends it `calldata`.
///
/// # Errors
/// A revert of either, with its reason.
pub async fn measure(name: &str, creation: Bytes, runtime_size: usize, calldata: Bytes) -> Result<Gas, Box<dyn Error>> {
    let chain = ChainTarget::embedded().connect(None, Patience::default()).await?;
    let account = AccountSource::Development(0).unlock(&Password::Ask, chain.is_local())?;
    let item = DeployItem::new(name, creation, runtime_size);
    let mut registry = Registry::in_memory(chain.id());
    let deployed = deploy::execute(&chain, &account, &[item], &mut registry, false, |_, _| {}).await?;
    let deployed = deployed.first().ok_or("nothing was deployed")?;
    let call = Call { what: format!("verifying with {name}"), to: deployed.address, data: calldata, value: U256::ZERO };
    let verify = chain.send(&account, &call).await?.gas_used;
    Ok(Gas { deploy: gas_of(&chain, deployed).await?, verify })
}

async fn gas_of(chain: &Chain, deployed: &Deployment) -> Result<u64, Box<dyn Error>> {
    let tx = deployed.tx.ok_or("the deployment has no transaction")?;
    let receipt = chain.provider().get_transaction_receipt(tx).await?.ok_or("the deployment has no receipt")?;
    Ok(receipt.gas_used)
}
