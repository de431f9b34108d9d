//! `status --rpc-url URL`.

use super::{
    chains::{ChainArguments, RecordArguments},
    failure::Failure,
    output::{Console, table},
};
use crate::chain::{Chain, Deployment, registry::label, settle};
use alloy::primitives::{Address, keccak256};
use clap::Args;
use serde_json::json;

/// What is deployed on a chain, and in which state.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    chain: ChainArguments,
    #[command(flatten)]
    record: RecordArguments,
}

/// Compares the record with the chain; sends nothing.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let chain = arguments.chain.connect(None, None).await?;
    let registry = arguments.record.view(&chain)?;
    let router = registry.get(label::ROUTER).map(|d| d.address);
    let mut table = table(["contract", "address", "code", "model"]);
    let mut rows = Vec::new();
    for (label, deployment) in registry.contracts() {
        let (code, model) = state(&chain, deployment, router).await?;
        table.add_row([label, &deployment.address.to_string(), code, &model]);
        rows.push(json!({ "label": label, "deployment": deployment, "code": code, "model": model }));
    }
    let value = json!({ "chainId": chain.id(), "endpoint": chain.endpoint(), "local": chain.is_local(), "contracts": rows });
    let human = match rows.is_empty() {
        true => format!("chain {} at {}: nothing is recorded", chain.id(), chain.endpoint()),
        false => format!("chain {} at {}\n{table}", chain.id(), chain.endpoint()),
    };
    console.result("status", &value, &human)
}

/// The code's state, and for a verifier the router's word on its model.
async fn state(chain: &Chain, deployment: &Deployment, router: Option<Address>) -> Result<(&'static str, String), Failure> {
    let code = chain.code("reading the contract's code", deployment.address).await?;
    let state = match (code.is_empty(), deployment.codehash) {
        (true, None) => "under way",
        (true, Some(_)) => "gone",
        (false, Some(expected)) if keccak256(&code) != expected => "changed",
        (false, _) => "as recorded",
    };
    let model = match (deployment.model_id, router) {
        (Some(model_id), Some(router)) => format!("{:?}", settle::model(chain, router, model_id).await?.state),
        _ => String::new(),
    };
    Ok((state, model))
}
