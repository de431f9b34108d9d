//! `permit --proof FILE --attestation FILE --amount UNITS --account BORROWER`: a borrower lets somebody else send the loan.

use super::{
    accounts::AccountArguments,
    failure::{CliError, Failure},
    output::Console,
    prove::read_attestation,
};
use crate::{
    artifact::ProofFile,
    chain::{attest::Context, embedded::LOCAL_CHAIN_ID, permit::Permit, settle::LoanRequest},
    proof::{Purpose, artifact::write_bytes},
    service::LoanFile,
};
use alloy::primitives::{Address, B256, Bytes, U256};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Let somebody else send your loan's transaction: sign its terms, as the borrower. Needs no chain.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The attestation
    #[arg(long, value_name = "FILE")]
    attestation: PathBuf,
    /// The proof; its context names pool, policy, nonce and expiry
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pool", "policy", "nonce", "expiry"])]
    proof: Option<PathBuf>,
    /// The LendingThreshold contract, where somebody else makes the proof
    #[arg(long, value_name = "ADDRESS")]
    pool: Option<Address>,
    /// The policy's id
    #[arg(long, value_name = "HEX")]
    policy: Option<B256>,
    /// Your nonce in the pool
    #[arg(long, value_name = "N")]
    nonce: Option<U256>,
    /// Unix seconds up to which the permit may be used
    #[arg(long, value_name = "SECONDS")]
    expiry: Option<u64>,
    /// The policy's tier, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    tier: u8,
    /// What to borrow, in the token's smallest unit
    #[arg(long, value_name = "UNITS")]
    amount: U256,
    #[command(flatten)]
    account: AccountArguments,
    /// Write proof, attestation and permit as one file too, for a process that aggregates and sends (`aggregate --watch --submit`)
    #[arg(long, value_name = "FILE", requires = "proof")]
    loan: Option<PathBuf>,
    /// The permit to write
    #[arg(long, value_name = "FILE", default_value = "permit.json")]
    out: PathBuf,
}

/// Signs; nothing is asked of a chain.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let attestation = read_attestation(&arguments.attestation)?;
    let (chain_id, subject) = (attestation.chain_id, attestation.subject);
    let (lending, policy_id, nonce, expiry) = call(arguments, chain_id, subject)?;
    let borrower = arguments.account.unlock(chain_id == LOCAL_CHAIN_ID)?;
    if borrower.address() != subject {
        let text = format!("the attestation is about {subject}, the signing account is {}", borrower.address());
        return Err(CliError::Conflict(text).into());
    }
    let (tier, amount) = (arguments.tier, arguments.amount);
    let proof = Bytes::new();
    let request = LoanRequest { lending, policy_id, tier, amount, attestation, nonce, expiry, proof, permit: None };
    let permit = Permit::sign(&borrower, chain_id, &request)?;
    if let (Some(path), Some(proof)) = (&arguments.loan, &arguments.proof) {
        let loan = LoanFile::new(ProofFile::load_for(Purpose::Aggregation, proof)?, request.attestation.clone(), permit.clone())?;
        write(path, &loan)?;
    }
    write(&arguments.out, &permit)?;
    let human = format!(
        "permit    {}\nborrower  {subject}\npool      {lending} on chain {chain_id}\npolicy    {policy_id}, tier {tier}\namount    {amount}\nnonce     {nonce}, until {expiry}",
        arguments.out.display()
    );
    console.result("permit", &serde_json::json!({ "file": arguments.out, "permit": permit, "loan": arguments.loan }), &human)
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CliError::Crashed(e.to_string()))?;
    Ok(write_bytes(path, (text + "\n").as_bytes(), false)?)
}

/// Pool, policy, nonce and expiry.
fn call(arguments: &Arguments, chain_id: u64, subject: Address) -> Result<(Address, B256, U256, u64), Failure> {
    let missing = |what| CliError::Missing { what, how: "give --proof, or --pool --policy --nonce --expiry" };
    let Some(path) = &arguments.proof else {
        let pool = arguments.pool.ok_or(missing("--pool"))?;
        let policy = arguments.policy.ok_or(missing("--policy"))?;
        let nonce = arguments.nonce.ok_or(missing("--nonce"))?;
        return Ok((pool, policy, nonce, arguments.expiry.ok_or(missing("--expiry"))?));
    };
    match ProofFile::load(path)?.context {
        Some(Context { chain_id: id, subject: of, .. }) if (id, of) != (chain_id, subject) => {
            let text = format!("the proof is {of}'s on chain {id}, the attestation {subject}'s on chain {chain_id}");
            Err(CliError::Conflict(text).into())
        }
        Some(context) => Ok((context.consumer, context.policy_id, context.nonce, context.expiry)),
        None => Err(CliError::Conflict(format!("{} is bound to a bare context", path.display())).into()),
    }
}
