//! `verify --artifacts DIR --proof FILE`.

use super::{aggregate, failure::Failure, output::Console};
use crate::artifact::{Folder, ProofFile};
use clap::Args;
use std::path::PathBuf;

/// Check a proof, without a chain.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder
    #[arg(long, value_name = "DIR")]
    artifacts: PathBuf,
    /// The proof file
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
}

/// Strict verification; what the contracts add (context, attestation, replay) is theirs to check.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    if aggregate::is_aggregate(&arguments.artifacts) {
        return aggregate::verify(&arguments.artifacts, &arguments.proof, console);
    }
    let proof = ProofFile::load(&arguments.proof)?;
    let prover = Folder::open_to_prove(&arguments.artifacts)?.prover()?;
    prover.verify(&proof)?;
    if prover.srs.provenance.is_insecure() {
        console.warn("the keys come from a development SRS: this proof could have been forged");
    }
    let statement = prover.statement_of(&proof);
    let width = statement.iter().map(|(name, _)| name.len()).fold(16, usize::max);
    let lines: Vec<String> = statement.iter().map(|(name, value)| format!("{name:<width$} {value}")).collect();
    let value = serde_json::json!({ "valid": true, "for": proof.purpose, "modelId": proof.model_id, "srs": prover.facts.srs });
    console.result("verify", &value, &format!("valid for {}\n{}", proof.purpose, lines.join("\n")))
}
