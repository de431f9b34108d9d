//! `deploy --artifacts DIR --rpc-url URL`.

use super::{
    blocking,
    contracts::{Contracts, Settings},
    failure::{CliError, Failure},
    model::ModelArguments,
    output::Console,
    project,
};
use crate::{
    chain::{
        Chain,
        deploy::{self, DeployItem, Step},
        governance,
    },
    verifier::Compiler,
};
use alloy::primitives::Address;
use clap::Args;

/// Put verifier and settlement contracts on a chain.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Deploy the verifier alone, as is always done for an aggregate
    #[arg(long)]
    verifier_only: bool,
    /// Owner of router, registry and pool, on a public chain a timelock or multisig; the signing account when absent
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<Address>,
    /// May freeze models, remove attestors and pause besides the owner; needed on a public chain
    #[arg(long, value_name = "ADDRESS")]
    guardian: Option<Address>,
    /// The token that is lent; on a local chain a worthless one is deployed when absent
    #[arg(long, value_name = "ADDRESS")]
    token: Option<Address>,
    /// Seconds between a model's registration and its first verification; when absent a day, and none on a local chain
    #[arg(long, value_name = "SECONDS")]
    activation_delay: Option<u32>,
    /// Accept a public chain without guardian, with a plain account as owner, or with an activation delay below a day
    #[arg(long)]
    allow_unguarded: bool,
}

/// Plans, and with `--broadcast` deploys what is not there yet.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let model = &arguments.model;
    let (subject, chain) = model.open().await?;
    let alone = arguments.verifier_only || subject.is_aggregate();
    if subject.is_aggregate() {
        refuse_settlement(&arguments)?;
    }
    if arguments.token.is_none() && !alone && !chain.is_local() {
        return Err(CliError::Missing { what: "the token to lend", how: "give --token ADDRESS, or --verifier-only" }.into());
    }
    let sender = model.send.sender(&chain)?;
    let delay = arguments.activation_delay.unwrap_or(if chain.is_local() { 0 } else { governance::LEAST_DELAY });
    if !alone {
        let (owner, guardian) = (arguments.owner.unwrap_or(sender.address), arguments.guardian.unwrap_or_default());
        governance::refuse_unguarded(&chain, owner, guardian, delay, arguments.allow_unguarded).await?;
    }
    let verifier = model.verifier(&subject, console).await?;
    let mut items = match alone {
        true => vec![verifier.own],
        false => items(&arguments, verifier.own, sender.address, delay, console).await?,
    };
    // Before all else: the verifier's constructor looks for it.
    items.splice(0..0, verifier.family);

    if !model.send.broadcast {
        let registry = model.record.view(&chain)?;
        let plan = deploy::plan(&chain, sender.address, &items, &registry, model.allow_insecure_srs).await?;
        return dry_run(&chain, &plan, console);
    }
    let mut registry = model.record.open(&chain, console)?;
    let progress = |item: &DeployItem, step: &Step| console.note(describe(&item.label, item.address(), step));
    deploy::execute(&chain, sender.account()?, &items, &mut registry, model.allow_insecure_srs, progress).await?;
    let deployed: std::collections::BTreeMap<_, _> = registry.contracts().collect();
    let lines: Vec<String> = deployed.iter().map(|(label, d)| format!("{label:<28} {}", d.address)).collect();
    let value = serde_json::json!({ "broadcast": true, "chainId": chain.id(), "contracts": deployed });
    console.result("deploy", &value, &lines.join("\n"))
}

/// An aggregate's verifier goes beside a settlement that is there.
fn refuse_settlement(arguments: &Arguments) -> Result<(), CliError> {
    let given = [
        ("--owner", arguments.owner.is_some()),
        ("--guardian", arguments.guardian.is_some()),
        ("--token", arguments.token.is_some()),
        ("--activation-delay", arguments.activation_delay.is_some()),
        ("--allow-unguarded", arguments.allow_unguarded),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            Err(CliError::Conflict(format!("{option} is for a settlement: of an aggregate the verifier alone is deployed")))
        }
        None => Ok(()),
    }
}

async fn items(
    arguments: &Arguments,
    verifier: DeployItem,
    deployer: Address,
    activation_delay: u32,
    console: &Console,
) -> Result<Vec<DeployItem>, Failure> {
    let root = project::find(arguments.model.project.as_deref())?;
    let solc = arguments.model.solc.clone();
    let progress = console.progress("compiling the contracts");
    let contracts = blocking(move || Contracts::compile(&Compiler::find(solc.as_deref(), &root)?, &root)).await?;
    drop(progress);
    let settings = Settings {
        owner: arguments.owner.unwrap_or(deployer),
        guardian: arguments.guardian.unwrap_or_default(),
        token: arguments.token,
        activation_delay,
    };
    Ok(contracts.items(verifier, &settings).0)
}

fn dry_run(chain: &Chain, plan: &deploy::Plan, console: &Console) -> Result<(), Failure> {
    let lines: Vec<String> = plan.steps.iter().map(|(label, address, step)| describe(label, *address, step)).collect();
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|(label, address, step)| serde_json::json!({ "label": label, "address": address, "step": step_name(step) }))
        .collect();
    let value = serde_json::json!({
        "broadcast": false, "chainId": chain.id(), "needsFactory": plan.needs_factory, "steps": steps,
        "maxCostWei": plan.max_cost.to_string(),
    });
    let human = format!("{}\ndry run on chain {}: add --broadcast to send", lines.join("\n"), chain.id());
    console.result("deploy", &value, &human)
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Present { .. } => "present",
        Step::UnderWay { .. } => "under-way",
        Step::Missing { .. } => "deploy",
    }
}

fn describe(label: &str, address: Address, step: &Step) -> String {
    let what = match step {
        Step::Present { .. } => "is there".to_owned(),
        Step::UnderWay { tx } => format!("is under way ({tx})"),
        Step::Missing { gas: Some(gas) } => format!("deploy, about {gas} gas"),
        Step::Missing { gas: None } => "deploy".to_owned(),
    };
    format!("{label:<28} {address}  {what}")
}
