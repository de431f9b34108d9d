//! `verify-contract DIR --address ADDRESS`: the auditor's command.
//!
//! The verifier is rendered and compiled from the folder's keys and SRS; its code's hash must be that of the code on chain. Who does not trust
//! the folder makes one: `gen-verifier` from the model, the schema and the SRS gives the same keys.

use super::{chains::ChainArguments, failure::Failure, output::Console, project::find_or_here};
use crate::{
    artifact::{Folder, aggregate::AggregateFolder, verifier::Family},
    error::ExitCode,
    proof::Srs,
    verifier::{Compiled, Compiler},
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
    /// The code that it calls.
    family: Option<Family>,
}

fn of_model(folder: &Path, compiler: &Compiler) -> Result<Made, Failure> {
    let folder = Folder::open_to_prove(folder)?;
    let prover = folder.prover()?;
    let made = prover.compile(compiler, folder.is_split())?;
    Ok(Made { what: "model", id: prover.facts.model_id, srs: prover.srs, compiled: made.compiled, family: made.family })
}

fn of_aggregate(folder: &Path, compiler: &Compiler) -> Result<Made, Failure> {
    let aggregator = AggregateFolder::open(folder)?.aggregator()?;
    let compiled = compiler.compile_aggregate(&aggregator.solidity()?)?;
    Ok(Made { what: "aggregate", id: aggregator.id(), srs: aggregator.srs, compiled, family: None })
}

/// Renders, compiles, compares; sends nothing. Exit code 1 where the code is another.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let compiler = Compiler::find(arguments.solc.as_deref(), &find_or_here(None))?;
    let Made { what, id, srs, compiled, family } = match AggregateFolder::is_one(&arguments.folder) {
        true => of_aggregate(&arguments.folder, &compiler)?,
        false => of_model(&arguments.folder, &compiler)?,
    };
    let expected = keccak256(&compiled.runtime);
    let chain = arguments.chain.connect(None, None).await?;
    let code = chain.code("reading the contract's code", arguments.address).await?;
    let (got, own) = (keccak256(&code), code.as_ref() == compiled.runtime.as_slice());
    // The model's contract names the family's code by address and hash; that it is there is left to see.
    let shared = match &family {
        Some(family) => Some(chain.code("reading the code of the family", family.place.address).await?),
        None => None,
    };
    let called =
        family.as_ref().zip(shared.as_ref()).is_none_or(|(family, code)| code.as_ref() == family.compiled.runtime.as_slice());
    let same = own && called;
    // What the code holds of the ceremony, by itself: another model's verifier may have it too.
    let same_srs = srs.is_in(shared.as_ref().filter(|_| own).unwrap_or(&code));
    let verdict = match (own, code.is_empty(), same_srs) {
        (true, ..) if !called => "the contract is this model's, and the family's code that it calls is not there".to_owned(),
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
    if let (Some(family), Some(code)) = (&family, &shared) {
        value["family"] = json!({
            "familyId": family.place.id, "address": family.place.address, "expected": family.place.codehash,
            "got": keccak256(code), "codeBytes": code.len(), "same": called,
        });
    }
    let mut lines = vec![
        (what, id.to_string()),
        ("SRS", srs.provenance.to_string()),
        ("solc", compiler.version()),
        ("expected", format!("{expected} ({} bytes)", compiled.runtime.len())),
        ("on chain", format!("{got} ({} bytes)", code.len())),
    ];
    if let Some(family) = &family {
        let place = family.place;
        lines
            .push(("family", format!("{} at {}, {}", place.id, place.address, if called { "as expected" } else { "not there" })));
    }
    let text = lines.iter().map(|(name, value)| format!("{name:<10} {value}")).collect::<Vec<_>>().join("\n");
    console.result("verify-contract", &value, &format!("{text}\n{verdict}"))?;
    Ok(if same { ExitCode::Ok } else { ExitCode::No })
}
