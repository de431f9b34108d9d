//! The verbs of operators and borrowers on contracts that run: one transaction on one contract each, a dry run unless `--broadcast`, and nothing sent where it is so already.

pub mod attestor;
pub mod cancel_nonce;
pub mod contradict;
pub mod deprecate;
pub mod freeze;
pub mod pause;
pub mod repay;
pub mod retire_policy;
pub mod revoke;

use super::{
    chains::{RecordArguments, address},
    failure::Failure,
    output::Console,
    send::{SendArguments, Sender},
};
use crate::{
    artifact::Folder,
    chain::{Action, Chain, registry::label},
};
use alloy::primitives::{Address, B256};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// A model on a router.
#[derive(Clone, Debug, Args)]
pub struct ModelOnRouter {
    #[command(flatten)]
    send: SendArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// The model's id
    #[arg(long, value_name = "HEX", required_unless_present = "artifacts", conflicts_with = "artifacts")]
    model: Option<B256>,
    /// The model's artifact folder
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// The router, when it is not in the record
    #[arg(long, value_name = "ADDRESS")]
    router: Option<Address>,
}

impl ModelOnRouter {
    async fn open(&self) -> Result<(Chain, Address, B256), Failure> {
        let model = match (self.model, &self.artifacts) {
            (Some(id), _) => id,
            (None, Some(folder)) => Folder::open(folder)?.manifest.facts.model_id,
            (None, None) => {
                return Err(super::CliError::Missing { what: "the model", how: "give --model or --artifacts" }.into());
            }
        };
        let chain = self.send.connect(None).await?;
        let router = address(&self.record.view(&chain)?, label::ROUTER, self.router)?;
        Ok((chain, router, model))
    }
}

/// A lending pool.
#[derive(Clone, Debug, Args)]
pub struct Pool {
    #[command(flatten)]
    send: SendArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// The LendingThreshold contract, when it is not in the record
    #[arg(long, value_name = "ADDRESS")]
    pool: Option<Address>,
}

impl Pool {
    async fn open(&self) -> Result<(Chain, Address), Failure> {
        let chain = self.send.connect(None).await?;
        let pool = address(&self.record.view(&chain)?, label::LENDING, self.pool)?;
        Ok((chain, pool))
    }
}

/// Says, or with `--broadcast` does, what the verb is for.
async fn act(verb: &str, action: Action, send: &SendArguments, chain: &Chain, console: &Console) -> Result<(), Failure> {
    let sender = send.sender(chain)?;
    act_as(verb, action, &sender, send.broadcast, chain, console).await
}

async fn act_as(
    verb: &str,
    action: Action,
    sender: &Sender,
    broadcast: bool,
    chain: &Chain,
    console: &Console,
) -> Result<(), Failure> {
    let call = action.call();
    if broadcast {
        let mined = action.run(chain, sender.account()?).await?;
        let value = json!({
            "broadcast": true, "chainId": chain.id(), "contract": call.to, "sent": mined.is_some(),
            "tx": mined.map(|m| m.tx), "block": mined.and_then(|m| m.block), "gasUsed": mined.map(|m| m.gas_used),
        });
        let human = match mined {
            Some(mined) => format!("{}: transaction {}, {} gas", call.what, mined.tx, mined.gas_used),
            None => format!("{}: already so, nothing was sent", call.what),
        };
        return console.result(verb, &value, &human);
    }
    let simulation = match action.is_done(chain).await? {
        true => None,
        false => Some(chain.simulate(sender.address, &call).await?),
    };
    let value = json!({
        "broadcast": false, "chainId": chain.id(), "contract": call.to, "calldata": call.data, "needed": simulation.is_some(),
        "gas": simulation.map(|s| s.gas), "maxCostWei": simulation.map(|s| s.max_cost.to_string()),
    });
    let human = match simulation {
        Some(simulation) => {
            let what = format!("{} at {}: about {} gas", call.what, call.to, simulation.gas);
            format!("{what}\ncalldata {}\ndry run on chain {}: add --broadcast to send", call.data, chain.id())
        }
        None => format!("{} at {}: already so", call.what, call.to),
    };
    console.result(verb, &value, &human)
}
