//! `verify-contract DIR --address ADDRESS`: the auditor's command.
//!
//! The verifier is rendered and compiled from the folder's keys and SRS; its code's hash must be that of the code on chain. Who does not trust
//! the folder makes one: `gen-verifier` from the model, the schema and the SRS gives the same keys.

use super::{chains::ChainArguments, failure::Failure, output::Console, project::find_or_here};
use crate::{
    artifact::{Folder, aggregate::AggregateFolder},
    error::ExitCode,
    proof::{Srs, model_id::model_id_with},
    verifier::{Compiled, Compiler, render},
};
use alloy::primitives::{Address, B256, keccak256};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Compares a contract on a chain with the verifier of an artifact folder.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder, of a model or of an aggregate
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

/// A verifier made anew.
struct Made {
    /// A model's or an aggregate's.
    what: &'static str,
    id: B256,
    srs: Srs,
    compiled: Compiled,
}

fn of_model(folder: &Path, compiler: &Compiler) -> Result<Made, Failure> {
    let prover = Folder::open_to_prove(folder)?.prover()?;
    let commitment = prover.facts.model_commitment;
    let id = model_id_with(&prover.program, &prover.keys, &prover.srs, commitment)?;
    let compiled = compiler.compile_verifier(&render(&prover.program, &prover.keys, &prover.srs, id, commitment)?)?;
    Ok(Made { what: "model", id, srs: prover.srs, compiled })
}

fn of_aggregate(folder: &Path, compiler: &Compiler) -> Result<Made, Failure> {
    let aggregator = AggregateFolder::open(folder)?.aggregator()?;
    let compiled = compiler.compile_aggregate(&aggregator.solidity()?)?;
    Ok(Made { what: "aggregate", id: aggregator.id(), srs: aggregator.srs, compiled })
}

/// Renders, compiles, compares; sends nothing. Exit code 1 where the code is another.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let compiler = Compiler::find(arguments.solc.as_deref(), &find_or_here(None))?;
    let Made { what, id, srs, compiled } = match AggregateFolder::is_one(&arguments.folder) {
        true => of_aggregate(&arguments.folder, &compiler)?,
        false => of_model(&arguments.folder, &compiler)?,
    };
    let expected = keccak256(&compiled.runtime);
    let chain = arguments.chain.connect(None, None).await?;
    let code = chain.code("reading the contract's code", arguments.address).await?;
    let (got, same) = (keccak256(&code), code.as_ref() == compiled.runtime.as_slice());
    // What the code holds of the ceremony, by itself: another model's verifier may have it too.
    let same_srs = srs.is_in(&code);
    let verdict = match (same, code.is_empty(), same_srs) {
        (true, ..) => format!("the contract is this {what}'s verifier"),
        (_, true, _) => "there is no contract at this address".to_owned(),
        (.., true) => "the contract is another, with the s·g2 of this SRS".to_owned(),
        (.., false) => "the contract is another, and the s·g2 of this SRS is not in it".to_owned(),
    };
    let mut value = json!({
        "address": arguments.address, "chainId": chain.id(), "srs": srs.provenance.to_string(),
        "solc": compiler.version(), "expected": expected, "got": got, "codeBytes": code.len(), "same": same,
        "sameSrs": same_srs,
    });
    value[format!("{what}Id")] = json!(id);
    let lines = [
        (what, id.to_string()),
        ("SRS", srs.provenance.to_string()),
        ("solc", compiler.version()),
        ("expected", format!("{expected} ({} bytes)", compiled.runtime.len())),
        ("on chain", format!("{got} ({} bytes)", code.len())),
    ];
    let text = lines.map(|(name, value)| format!("{name:<10} {value}")).join("\n");
    console.result("verify-contract", &value, &format!("{text}\n{verdict}"))?;
    Ok(if same { ExitCode::Ok } else { ExitCode::No })
}
