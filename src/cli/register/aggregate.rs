//! `register` of an aggregate: its verifier with the router, and nothing else.

use super::Arguments;
use crate::{
    artifact::aggregate::AggregateFolder,
    chain::{Chain, aggregates, bindings::IAggregateRouter::AggregateRegistration, registry::label, settle},
    cli::{
        aggregate, blocking,
        chains::address,
        failure::{CliError, Failure},
        model::Subject,
        output::Console,
    },
};
use alloy::primitives::{Address, B256, keccak256};
use serde_json::{Value, json};

pub(super) async fn run(
    arguments: &Arguments,
    subject: &Subject,
    folder: &AggregateFolder,
    chain: &Chain,
    console: &Console,
) -> Result<(), Failure> {
    refuse_what_models_take(arguments)?;
    let (remade, from, console_of) = (folder.clone(), arguments.remake_from.clone(), *console);
    blocking(move || aggregate::remake(&remade, &from, &console_of)).await?;
    let router = address(&arguments.model.record.view(chain)?, label::ROUTER, arguments.router)?;
    let (verifier, codehash) = arguments.model.deployed(subject, chain, console).await?;
    let family = keccak256(arguments.family.as_deref().unwrap_or(aggregate::FAMILY));
    let registration = AggregateRegistration { familyId: family, verifier, codehash };
    let id = folder.manifest.facts.aggregate_id;
    let broadcast = arguments.model.send.broadcast;
    let mut sent = None;
    if broadcast {
        let account = arguments.model.send.account.unlock(chain.is_local())?;
        // What an interrupted run sent counts: it is waited for, not sent again.
        chain.settled(account.address()).await?;
        sent = aggregates::register(chain, &account, router, id, &registration).await?;
    }
    let known = settle::model(chain, router, id).await?;
    let slots = slots(folder, chain, router).await?;
    let mut value = json!({
        "broadcast": broadcast, "aggregateId": id, "router": router, "verifier": verifier, "codehash": codehash, "familyId": family,
        "state": format!("{:?}", known.state), "activatesAt": known.activatesAt, "remade": !arguments.remake_from.is_empty(),
        "slots": slots.iter().map(|(model_id, state)| json!({ "modelId": model_id, "state": state })).collect::<Value>(),
    });
    let end = match (broadcast, sent) {
        (false, _) => format!("dry run on chain {}: add --broadcast to send", chain.id()),
        (true, mined) => {
            value["aggregate"] = mined.map_or(json!("already so"), |mined| json!(mined.tx));
            mined.map_or("already registered".to_owned(), |mined| format!("transaction {}", mined.tx))
        }
    };
    let slots: Vec<String> =
        slots.iter().enumerate().map(|(at, (model, state))| format!("slot {at:<4} model {model}, {state}")).collect();
    let human = format!(
        "aggregate {id}\nstate     {:?}\nrouter    {router}\nverifier  {verifier}\ncodehash  {codehash}\n{}\n{end}",
        known.state,
        slots.join("\n")
    );
    console.result("register", &value, &human)
}

/// The model of each slot, and what the router says of it: one that is not active there takes nothing.
async fn slots(folder: &AggregateFolder, chain: &Chain, router: Address) -> Result<Vec<(B256, String)>, Failure> {
    let mut slots: Vec<(B256, String)> = Vec::new();
    for slot in &folder.manifest.facts.slots {
        let known = slots.iter().find(|(model_id, _)| *model_id == slot.model_id).cloned();
        slots.push(match known {
            Some(known) => known,
            None => (slot.model_id, format!("{:?}", settle::model(chain, router, slot.model_id).await?.state)),
        });
    }
    Ok(slots)
}

/// Attestors, policies and money belong to the models in the slots.
fn refuse_what_models_take(arguments: &Arguments) -> Result<(), CliError> {
    let given = [
        ("--pool", arguments.pool.is_some()),
        ("--token", arguments.token.is_some()),
        ("--attestor", arguments.attestor.is_some()),
        ("--relist", arguments.relist),
        ("--source", arguments.source.is_some()),
        ("--threshold", !arguments.threshold.is_empty()),
        ("--probability", !arguments.probability.is_empty()),
        ("--amount", !arguments.amount.is_empty()),
        ("--rate", !arguments.rate.is_empty()),
        ("--cap", arguments.cap.is_some()),
        ("--borrower-limit", arguments.borrower_limit.is_some()),
        ("--epoch", arguments.epoch.is_some()),
        ("--fund", arguments.fund.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => {
            Err(CliError::Conflict(format!("{option} is for a model, and this is an aggregate: register its models with it")))
        }
        None => Ok(()),
    }
}
