//! `submit --proof FILE --attestation FILE --rpc-url URL`.

use super::{failure::CliError, failure::Failure, output::Console, prove::read_attestation, send::SendArguments};
use crate::{
    artifact::ProofFile,
    chain::{
        Chain,
        settle::{self, LoanRequest},
    },
};
use alloy::primitives::{Address, B256, U256};
use clap::Args;
use std::path::PathBuf;

/// Open a loan with a proof and an attestation.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The proof file; its context names the pool, the policy and the borrower
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
    /// The attestation
    #[arg(long, value_name = "FILE")]
    attestation: PathBuf,
    /// The policy's tier, from 0; the proof must be for its threshold
    #[arg(long, value_name = "N", default_value_t = 0)]
    tier: u8,
    /// What to borrow, in the token's smallest unit; the tier's limit when absent
    #[arg(long, value_name = "UNITS")]
    amount: Option<U256>,
    #[command(flatten)]
    send: SendArguments,
}

/// Simulates, and with `--broadcast` sends.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let proof = ProofFile::load(&arguments.proof)?;
    let attestation = read_attestation(&arguments.attestation)?;
    let Some(context) = proof.context else {
        let text = format!("{} is bound to a bare context: no call is known that it belongs to", arguments.proof.display());
        return Err(CliError::Conflict(text).into());
    };
    let chain = arguments.send.connect(None).await?;
    if chain.id() != context.chain_id {
        let text = format!("the proof is for chain {}, this is chain {}", context.chain_id, chain.id());
        return Err(CliError::Conflict(text).into());
    }
    let sender = arguments.send.sender(&chain)?;
    let amount = match arguments.amount {
        Some(amount) => amount,
        None => limit(&chain, context.consumer, context.policy_id, arguments.tier).await?,
    };
    let request = LoanRequest {
        lending: context.consumer,
        policy_id: context.policy_id,
        tier: arguments.tier,
        amount,
        attestation,
        nonce: context.nonce,
        expiry: context.expiry,
        proof: proof.proof.clone(),
    };
    if !arguments.send.broadcast {
        let simulation = settle::simulate_loan(&chain, sender.address, &request).await?;
        let value =
            serde_json::json!({ "broadcast": false, "gas": simulation.gas, "maxCostWei": simulation.max_cost.to_string() });
        let human = format!("the loan would open, for about {} gas; add --broadcast to send", simulation.gas);
        return console.result("submit", &value, &human);
    }
    // An interrupted run may have sent it: what is under way is waited for, and a second one then refused before it is sent.
    chain.settled(sender.address).await?;
    let loan = settle::open_loan(&chain, sender.account()?, &request).await?;
    let value = serde_json::json!({
        "broadcast": true, "loanId": loan.id.to_string(), "borrower": loan.borrower, "amount": loan.amount.to_string(),
        "nullifier": loan.nullifier, "tx": loan.mined.tx, "block": loan.mined.block, "gasUsed": loan.mined.gas_used,
    });
    let human = format!(
        "loan {} of {} to {}\ntransaction {}, {} gas",
        loan.id, loan.amount, loan.borrower, loan.mined.tx, loan.mined.gas_used
    );
    console.result("submit", &value, &human)
}

/// The most that a tier of the policy lends.
async fn limit(chain: &Chain, lending: Address, policy_id: B256, tier: u8) -> Result<U256, Failure> {
    let policy = settle::policy(chain, lending, policy_id).await?;
    let limit = policy.terms.tiers.get(usize::from(tier)).map(|tier| tier.limit);
    let none = || {
        CliError::Conflict(format!("policy {policy_id} of {lending} has {} tiers, none is tier {tier}", policy.terms.tiers.len()))
    };
    Ok(limit.ok_or_else(none)?)
}
