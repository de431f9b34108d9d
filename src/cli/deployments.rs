//! `deployments check --rpc-url URL`.

use super::{
    chains::{ChainArguments, RecordArguments},
    failure::Failure,
    output::{Console, table},
};
use crate::{
    chain::audit::{self, Finding},
    error::ExitCode,
};
use alloy::primitives::Address;
use clap::{Args, Subcommand};
use serde_json::json;

/// The record of what is deployed.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compare every entry with the chain: code, owners, wiring, the router's word on every model; exit code 1 where something differs
    Check(CheckArguments),
}

#[derive(Debug, Args)]
struct CheckArguments {
    #[command(flatten)]
    chain: ChainArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// Who should own router, registry and pool
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Address>,
}

/// Compares; sends nothing.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let What::Check(arguments) = arguments.what;
    let chain = arguments.chain.connect(None, None).await?;
    let registry = arguments.record.view(&chain)?;
    let findings = audit::audit(&chain, &registry, arguments.owner).await?;
    let differ = findings.iter().filter(|finding| !finding.ok).count();
    let mut table = table(["contract", "what", "", "is", "should be"]);
    for Finding { label, what, expected, got, ok } in &findings {
        let mark = if *ok { "ok" } else { "DIFFERS" };
        let should = if *ok { "" } else { expected.as_str() };
        table.add_row([label.as_str(), what, mark, got, should]);
    }
    let value = json!({ "chainId": chain.id(), "findings": findings, "differ": differ });
    let human = match findings.is_empty() {
        true => format!("chain {} at {}: nothing is recorded", chain.id(), chain.endpoint()),
        false => format!("{table}\n{} comparisons, {differ} differ", findings.len()),
    };
    console.result("deployments check", &value, &human)?;
    Ok(if differ == 0 { ExitCode::Ok } else { ExitCode::No })
}
