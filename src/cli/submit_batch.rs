//! `submit-batch DIR --rpc-url URL`: many loans in one transaction.

use super::{
    failure::{CliError, Failure},
    output::Console,
    send::SendArguments,
    submit::{self, Evidence},
};
use crate::{
    artifact::ProofFile,
    chain::{
        Chain,
        batch::{Batch, ItemResult},
        settle::{self, LoanRequest},
    },
    error::ExitCode,
};
use alloy::primitives::{Address, Bytes};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Gas of an item whose score one proof for all has shown: attestation, permit, nullifier, loan, transfer, and as much again.
const GAS_PER_PROVEN_ITEM: u64 = 500_000;

/// Open many loans in one transaction.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder with a folder for each loan, which holds attestation.json, permit.json (unless the sender borrows), and without
    /// --proof proof.json
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// One proof for all, of a model for batches of this size, by the sender, in the order of the folders' names
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Gas that each loan gets; by a simulation of each, and half as much again, when absent
    #[arg(long, value_name = "GAS")]
    gas_per_item: Option<u64>,
    /// Open none where one is refused
    #[arg(long)]
    all_or_nothing: bool,
    #[command(flatten)]
    send: SendArguments,
}

/// Simulates, and with `--broadcast` sends. Loans that are open already are left out, as far as one proof for all allows it. Exit code 1
/// where one is refused.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let names = submit::names(&arguments.folder)?;
    let together = arguments.proof.as_deref().map(ProofFile::load).transpose()?;
    let chain = arguments.send.connect(None).await?;
    let sender = arguments.send.sender(&chain)?;
    if arguments.send.broadcast {
        chain.settled(sender.address).await?;
    }
    let mut items = Vec::new();
    for name in names {
        let request = request(&arguments.folder.join(&name), together.is_some(), &chain).await?;
        items.push((name, request));
    }
    let mut open = Vec::new();
    for (_, request) in &items {
        open.push(request.is_open(&chain).await?);
    }
    if open.iter().all(|open| *open) {
        let value = json!({ "broadcast": arguments.send.broadcast, "sent": false, "items": {} });
        console.result("submit-batch", &value, "all loans are open already, nothing to send")?;
        return Ok(ExitCode::Ok);
    }
    if together.is_none() {
        let mut open = open.into_iter();
        items.retain(|_| !open.next().unwrap_or_default());
    }
    let batch = batch(&arguments, together, &items, sender.address, &chain).await?;
    if !arguments.send.broadcast {
        let simulation = chain.simulate(sender.address, &batch.call()).await?;
        let names: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
        let value = json!({
            "broadcast": false, "gas": simulation.gas, "maxCostWei": simulation.max_cost.to_string(), "gasPerItem": batch.gas_per_item,
            "items": names,
        });
        let human = format!(
            "{} loans in one transaction, {} gas for each, about {} in all; add --broadcast to send",
            names.len(),
            batch.gas_per_item,
            simulation.gas
        );
        console.result("submit-batch", &value, &human)?;
        return Ok(ExitCode::Ok);
    }
    let (results, mined) = batch.open(&chain, sender.account()?).await?;
    let refused = results.iter().filter(|result| matches!(result, ItemResult::Refused(_))).count();
    let rows: serde_json::Map<_, _> = items.iter().zip(&results).map(|((name, _), result)| (name.clone(), row(result))).collect();
    let lines: Vec<String> = items.iter().zip(&results).map(|((name, _), result)| line(name, result)).collect();
    let value = json!({
        "broadcast": true, "sent": true, "tx": mined.tx, "block": mined.block, "gasUsed": mined.gas_used, "refused": refused, "items": rows,
    });
    let human = format!("{}\ntransaction {}, {} gas", lines.join("\n"), mined.tx, mined.gas_used);
    console.result("submit-batch", &value, &human)?;
    Ok(if refused == 0 { ExitCode::Ok } else { ExitCode::No })
}

async fn request(folder: &Path, together: bool, chain: &Chain) -> Result<LoanRequest, Failure> {
    let attestation = folder.join("attestation.json");
    let permit = Some(folder.join("permit.json")).filter(|path| path.exists());
    if !together {
        return Evidence::read(&folder.join("proof.json"), &attestation, permit.as_deref())?.request(chain, 0, None).await;
    }
    let how = "each borrower makes one with `zkml-evm permit`: it names tier, amount, nonce and expiry";
    let permit = permit.ok_or(CliError::Missing { what: "a loan's permit.json", how })?;
    let attestation = super::prove::read_attestation(&attestation)?;
    submit::permitted_request(&submit::read_permit(&permit)?, attestation, Bytes::new(), chain)
}

async fn batch(
    arguments: &Arguments,
    together: Option<ProofFile>,
    items: &[(String, LoanRequest)],
    sender: Address,
    chain: &Chain,
) -> Result<Batch, Failure> {
    let conflict = |text: String| Failure::from(CliError::Conflict(text));
    let (_, first) = items.first().ok_or_else(|| conflict(format!("{} holds no loan", arguments.folder.display())))?;
    let lending = first.lending;
    if let Some((name, other)) = items.iter().find(|(_, request)| request.lending != lending) {
        return Err(conflict(format!("{name} is for the pool {}, expected {lending}", other.lending)));
    }
    let gas_per_item = match (arguments.gas_per_item, &together) {
        (Some(gas), _) => gas,
        (None, Some(_)) => GAS_PER_PROVEN_ITEM,
        (None, None) => {
            let mut most = 0;
            for (_, request) in items {
                match settle::simulate_loan(chain, sender, request).await {
                    Ok(plan) => most = most.max(plan.gas),
                    // The batch tells it in its place.
                    Err(error) if error.revert().is_some() => {}
                    Err(error) => return Err(error.into()),
                }
            }
            most.saturating_add(most / 2).max(GAS_PER_PROVEN_ITEM)
        }
    };
    let proof = match together {
        None => None,
        Some(file) => {
            let bare = || conflict("the proof is bound to a bare context".to_owned());
            let context = file.context.ok_or_else(bare)?;
            submit::on_this_chain("the proof", context.chain_id, chain)?;
            if (context.consumer, context.subject) != (lending, sender) {
                let (pool, by) = (context.consumer, context.subject);
                return Err(conflict(format!("the proof is {by}'s for the pool {pool}, expected {sender}'s for {lending}")));
            }
            Some((context.expiry, file.proof))
        }
    };
    let requests = items.iter().map(|(_, request)| request.clone()).collect();
    Ok(Batch { lending, requests, proof, gas_per_item, all_or_nothing: arguments.all_or_nothing })
}

fn row(result: &ItemResult) -> serde_json::Value {
    match result {
        ItemResult::Opened { id, amount, nullifier } => {
            json!({ "outcome": "settled", "loanId": id.to_string(), "amount": amount.to_string(), "nullifier": nullifier })
        }
        ItemResult::Refused(revert) => json!({ "outcome": "refused", "reason": revert.to_string() }),
    }
}

fn line(name: &str, result: &ItemResult) -> String {
    match result {
        ItemResult::Opened { id, amount, .. } => format!("{name}: loan {id} of {amount}"),
        ItemResult::Refused(revert) => format!("{name}: refused with {revert}"),
    }
}
