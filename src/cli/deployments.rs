//! `deployments check --rpc-url URL`.

use super::{
    aggregate,
    chains::{ChainArguments, RecordArguments},
    failure::Failure,
    output::{Console, table},
};
use crate::{
    artifact::{Folder, aggregate::AggregateFolder},
    chain::{
        aggregates::Slot,
        audit::{self, Approved, Content, Expected, Finding},
    },
    error::ExitCode,
};
use alloy::primitives::{Address, keccak256};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::{Path, PathBuf};

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
    /// Who should own router, registry and pool; the recorded owner when absent
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Address>,
    /// Who should be their guardian, zero for nobody; the recorded one when absent
    #[arg(long, value_name = "ADDRESS")]
    guardian: Option<Address>,
    /// The artifact folder of a recorded model or aggregate: the router's form or slots, and family, are compared with it
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// Its family; what `register` takes when absent
    #[arg(long, value_name = "NAME", requires = "artifacts")]
    family: Option<String>,
}

/// Compares; sends nothing.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let What::Check(arguments) = arguments.what;
    let chain = arguments.chain.connect(None, None).await?;
    let registry = arguments.record.view(&chain)?;
    let approved = match &arguments.artifacts {
        Some(path) => vec![approved(path, arguments.family.as_deref())?],
        None => Vec::new(),
    };
    let expected = Expected { owner: arguments.owner, guardian: arguments.guardian };
    let findings = audit::audit(&chain, &registry, expected, &approved).await?;
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

/// What the router should say of a folder's model or aggregate.
fn approved(folder: &Path, family: Option<&str>) -> Result<Approved, Failure> {
    if AggregateFolder::is_one(folder) {
        let facts = AggregateFolder::open(folder)?.manifest.facts;
        let slots = facts.slots.iter().map(|slot| Slot { model_id: slot.model_id, size: slot.statement.len() }).collect();
        let family_id = keccak256(family.unwrap_or(aggregate::FAMILY));
        return Ok(Approved { id: facts.aggregate_id, family_id, content: Content::Slots(slots) });
    }
    let facts = Folder::open(folder)?.manifest.facts;
    let family_id = keccak256(family.unwrap_or(&facts.model_file));
    Ok(Approved { id: facts.model_id, family_id, content: Content::Statement(facts.form()) })
}
