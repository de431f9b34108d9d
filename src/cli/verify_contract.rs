//! `verify-contract DIR --address ADDRESS`: the auditor's command.
//!
//! The verifier is rendered and compiled from the folder's keys and SRS; its code's hash must be that of the code on chain. Who does not trust
//! the folder makes one: `gen-verifier` from the model, the schema and the SRS gives the same keys.

use super::{chains::ChainArguments, failure::Failure, output::Console, project::find_or_here};
use crate::{
    artifact::Folder,
    error::ExitCode,
    proof::model_id::model_id_with,
    verifier::{Compiler, render},
};
use alloy::primitives::{Address, keccak256};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// Compares a contract on a chain with the verifier of an artifact folder.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The contract
    #[arg(long, value_name = "ADDRESS")]
    address: Address,
    #[command(flatten)]
    chain: ChainArguments,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE")]
    solc: Option<PathBuf>,
}

/// Renders, compiles, compares; sends nothing. Exit code 1 where the code is another.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let folder = Folder::open(&arguments.folder)?;
    let compiler = Compiler::find(arguments.solc.as_deref(), &find_or_here(None))?;
    let prover = folder.prover()?;
    let id = model_id_with(&prover.program, &prover.keys, &prover.srs, prover.facts.model_commitment)?;
    let compiled =
        compiler.compile_verifier(&render(&prover.program, &prover.keys, &prover.srs, id, prover.facts.model_commitment)?)?;
    let expected = keccak256(&compiled.runtime);
    let chain = arguments.chain.connect(None, None).await?;
    let code = chain.code("reading the contract's code", arguments.address).await?;
    let (got, same) = (keccak256(&code), code.as_ref() == compiled.runtime.as_slice());
    // What the code holds of the ceremony, by itself: another model's verifier may have it too.
    let same_srs = prover.srs.is_in(&code);
    let verdict = match (same, code.is_empty(), same_srs) {
        (true, ..) => "the contract is this model's verifier",
        (_, true, _) => "there is no contract at this address",
        (.., true) => "the contract is another, with the s·g2 of this SRS",
        (.., false) => "the contract is another, and the s·g2 of this SRS is not in it",
    };
    let value = json!({
        "address": arguments.address, "chainId": chain.id(), "modelId": id, "srs": prover.srs.provenance.to_string(),
        "solc": compiler.version(), "expected": expected, "got": got, "codeBytes": code.len(), "same": same,
        "sameSrs": same_srs,
    });
    let lines = [
        ("model id", id.to_string()),
        ("SRS", prover.srs.provenance.to_string()),
        ("solc", compiler.version()),
        ("expected", format!("{expected} ({} bytes)", compiled.runtime.len())),
        ("on chain", format!("{got} ({} bytes)", code.len())),
    ];
    let text = lines.map(|(name, value)| format!("{name:<10} {value}")).join("\n");
    console.result("verify-contract", &value, &format!("{text}\n{verdict}"))?;
    Ok(if same { ExitCode::Ok } else { ExitCode::No })
}
