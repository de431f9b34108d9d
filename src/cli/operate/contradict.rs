//! `contradict --artifacts DIR --proof FILE --proof FILE --rpc-url URL`: the circuit breaker.

use super::{SendArguments, act};
use crate::{
    artifact::{Folder, ProofFile},
    chain::{Action, action::Shown, registry::label},
    cli::{
        chains::{RecordArguments, address},
        failure::{CliError, Failure},
        output::Console,
    },
    proof::Purpose,
};
use alloy::primitives::Address;
use clap::Args;
use std::path::PathBuf;

/// Stop a model for good by two valid proofs that contradict each other.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    send: SendArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// The model's artifact folder: both proofs are checked with it first
    #[arg(long, value_name = "DIR")]
    artifacts: PathBuf,
    /// A proof file; two of them
    #[arg(long, value_name = "FILE", required = true)]
    proof: Vec<PathBuf>,
    /// The router, when it is not in the record
    #[arg(long, value_name = "ADDRESS")]
    router: Option<Address>,
}

/// The router compares the two, and says what is missing to a contradiction.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let [first, second] = &arguments.proof[..] else {
        let text = format!("a contradiction takes two proofs, {} is given", arguments.proof.len());
        return Err(CliError::Conflict(text).into());
    };
    let prover = Folder::open_to_prove(&arguments.artifacts)?.prover()?;
    let show = |path: &PathBuf| -> Result<Shown, Failure> {
        let file = ProofFile::load_for(Purpose::Chain, path)?;
        prover.verify(&file)?;
        Ok(Shown { inputs: file.integers(), proof: file.proof })
    };
    let proofs = Box::new([show(first)?, show(second)?]);
    let chain = arguments.send.connect(None).await?;
    let router = address(&arguments.record.view(&chain)?, label::ROUTER, arguments.router)?;
    let action = Action::Contradict { router, model_id: prover.facts.model_id, proofs };
    act("contradict", action, &arguments.send, &chain, console).await
}
