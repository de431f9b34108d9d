//! `status --rpc-url URL`, and `status --watch` to go on.

use super::{
    chains::{ChainArguments, RecordArguments},
    failure::Failure,
    output::{Console, table},
};
use crate::{
    chain::{
        Chain, Deployment, Registry,
        follow::{Follower, News, Subjects},
        registry::label,
        settle,
    },
    error::Explain,
};
use alloy::primitives::{Address, B256, keccak256};
use clap::Args;
use serde_json::json;
use std::time::Duration;

/// What is deployed on a chain, and in which state.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    chain: ChainArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// Go on: tell each event of the recorded contracts and each change of models and pool, until interrupted; with --json one
    /// document to a line
    #[arg(long)]
    watch: bool,
    /// Seconds between two looks; 4 when absent, and less on a local chain
    #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    poll: Option<u64>,
    /// The router to watch, when it is not in the record
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    router: Option<Address>,
    /// The pool to watch, when it is not in the record
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    pool: Option<Address>,
    /// A model to watch besides the recorded ones; any number of them
    #[arg(long, value_name = "HEX", requires = "watch")]
    model: Vec<B256>,
}

/// Compares the record with the chain; sends nothing.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let chain = arguments.chain.connect(None, None).await?;
    let registry = arguments.record.view(&chain)?;
    if arguments.watch {
        return watch(&arguments, &chain, &registry, console).await;
    }
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

/// Until Ctrl-C, or an error that another try does not mend.
async fn watch(arguments: &Arguments, chain: &Chain, registry: &Registry, console: &Console) -> Result<(), Failure> {
    let pause = arguments.poll.map_or_else(|| chain.longest_pause(), Duration::from_secs);
    let mut follower = Follower::new(chain, subjects(arguments, registry));
    loop {
        match follower.poll().await {
            Ok(news) => {
                for news in news {
                    console.result("status", &news, &line(&news))?;
                }
            }
            Err(error) if error.retryable() => console.warn(error.to_string()),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
    }
}

/// What the record holds, and what is named besides.
fn subjects(arguments: &Arguments, registry: &Registry) -> Subjects {
    let recorded = |label: &str| registry.get(label).map(|deployment| deployment.address);
    let router = arguments.router.or_else(|| recorded(label::ROUTER));
    let pool = arguments.pool.or_else(|| recorded(label::LENDING));
    let mut contracts: Vec<(String, Address)> =
        registry.contracts().map(|(label, deployment)| (label.to_owned(), deployment.address)).collect();
    for (label, address) in [(label::ROUTER, router), (label::LENDING, pool)] {
        contracts.extend(address.filter(|a| contracts.iter().all(|(_, known)| known != a)).map(|a| (label.to_owned(), a)));
    }
    let mut models: Vec<B256> = registry.contracts().filter_map(|(_, deployment)| deployment.model_id).collect();
    models.extend(&arguments.model);
    Subjects { contracts, router, models, pool }
}

fn line(news: &News) -> String {
    match news {
        News::Reorganised { block } => format!("reorganised from block {block} on"),
        News::Happened { block, contract, event, .. } => format!("block {block}  {contract}  {event}"),
        News::State { block, models, pool } => {
            let models = models.iter().map(|model| format!("model {} {}", model.model_id, model.state));
            let pool = pool.iter().map(|pool| {
                let paused = if pool.paused { "paused" } else { "open" };
                format!("pool {} {paused}, {} to lend, {} loans", pool.pool, pool.liquidity, pool.loans)
            });
            models.chain(pool).map(|what| format!("block {block}  {what}")).collect::<Vec<_>>().join("\n")
        }
    }
}
