//! `register --artifacts DIR --rpc-url URL`.

use super::{
    chains::address,
    failure::{CliError, Failure},
    gen_verifier::ThresholdArguments,
    model::ModelArguments,
    output::Console,
};
use crate::{
    artifact::Folder,
    chain::{
        Account, Chain, ChainError, Registry, audit,
        bindings::IInferenceRouter::Registration,
        registry::label,
        settle::{self, PolicyTerms, Tier},
    },
    quant::ThresholdScale,
};
use alloy::primitives::{Address, B256, U256, keccak256};
use clap::Args;
use serde_json::{Value, json};

/// Approve a model on the router, and set up lending with it.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The router, when it is not in the record
    #[arg(long, value_name = "ADDRESS")]
    router: Option<Address>,
    /// Put this attestor on the registry's list
    #[arg(long, value_name = "ADDRESS")]
    attestor: Option<Address>,
    /// List the attestor again though it was retired or removed
    #[arg(long, requires = "attestor")]
    relist: bool,
    /// The family that the model is the next version of; the ONNX file's name when absent
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    #[command(flatten)]
    threshold: ThresholdArguments,
    /// Most that a loan pays out, in the token's smallest unit; with a threshold this adds a policy
    #[arg(long, value_name = "UNITS")]
    amount: Option<U256>,
    /// Interest per year, in hundredths of a percent
    #[arg(long, value_name = "RATE", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000))]
    rate: u32,
    /// Most principal that may be owed under the policy; unbounded when absent
    #[arg(long, value_name = "UNITS")]
    cap: Option<U256>,
    /// Most principal that one borrower may owe in the pool; unbounded when absent
    #[arg(long, value_name = "UNITS")]
    borrower_limit: Option<U256>,
    /// Seconds of an epoch: one loan per subject, schema and epoch
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    epoch: u64,
    /// Fill the pool up to this many of the token's smallest unit; on a local chain the mock token is minted for it
    #[arg(long, value_name = "UNITS")]
    fund: Option<U256>,
}

/// What a run is about.
struct Plan {
    model_id: B256,
    schema_id: B256,
    router: Address,
    registration: Registration,
    policy: Option<PolicyTerms>,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (folder, chain) = arguments.model.open().await?;
    let registry = arguments.model.record.view(&chain)?;
    let plan = plan(&arguments, &folder, &chain, &registry, console).await?;
    if !arguments.model.send.broadcast {
        let known = settle::model(&chain, plan.router, plan.model_id).await?;
        let form = audit::form(&plan.registration.statement);
        let attestor = match arguments.attestor {
            Some(attestor) => Some(attestor_plan(&arguments, &chain, &registry, attestor, plan.schema_id).await?),
            None => None,
        };
        let value = json!({
            "broadcast": false, "modelId": plan.model_id, "router": plan.router, "verifier": plan.registration.verifier,
            "codehash": plan.registration.codehash, "familyId": plan.registration.familyId,
            "state": format!("{:?}", known.state), "form": form, "attestor": attestor,
        });
        let human = format!(
            "model     {}\nstate     {:?}\nrouter    {}\nverifier  {}\ncodehash  {}\nform      {form}\n{}dry run on chain {}: add --broadcast to send",
            plan.model_id,
            known.state,
            plan.router,
            plan.registration.verifier,
            plan.registration.codehash,
            attestor.map(|what| format!("attestor  {what}\n")).unwrap_or_default(),
            chain.id()
        );
        return console.result("register", &value, &human);
    }
    let account = arguments.model.send.account.unlock(chain.is_local())?;
    let done = send(&arguments, &chain, &registry, &account, &plan).await?;
    let lines: Vec<String> = done.iter().map(|(what, value)| format!("{what:<10} {}", plain(value))).collect();
    let value: serde_json::Map<String, Value> = done.into_iter().map(|(what, value)| (what.to_owned(), value)).collect();
    console.result("register", &value, &lines.join("\n"))
}

/// What would happen to the attestor's place on the list.
async fn attestor_plan(
    arguments: &Arguments,
    chain: &Chain,
    registry: &Registry,
    attestor: Address,
    schema_id: B256,
) -> Result<String, Failure> {
    let standing = settle::standing(chain, address(registry, label::ATTESTATIONS, None)?, attestor, schema_id).await?;
    let done = if standing.to_list(attestor, schema_id, arguments.relist)? { ": would be listed" } else { "" };
    Ok(format!("{attestor}: {}{done}", standing.describe()))
}

async fn plan(
    arguments: &Arguments,
    folder: &Folder,
    chain: &Chain,
    registry: &Registry,
    console: &Console,
) -> Result<Plan, Failure> {
    let facts = &folder.manifest.facts;
    let router = address(registry, label::ROUTER, arguments.router)?;
    // Not from the record: the address is a function of creation code that we made ourselves, so what lies there is what that
    // code made.
    let verifier = arguments.model.verifier(folder, console).await?.address();
    let what = "reading the verifier's code";
    let code = chain.code(what, verifier).await?;
    if code.is_empty() {
        return Err(ChainError::NoContract { what: what.into(), address: verifier }.into());
    }
    let codehash = keccak256(&code);
    let policy = match (arguments.threshold.text(), arguments.amount) {
        (Some(text), Some(limit)) => {
            let threshold = text.integer(&ThresholdScale::of(&folder.program)?)?;
            let tier = Tier { threshold, limit, rate: arguments.rate };
            let terms = PolicyTerms::of_one_tier(facts.model_id, facts.schema_id, arguments.epoch, tier);
            let (cap, borrower_limit) = (arguments.cap, arguments.borrower_limit);
            Some(PolicyTerms {
                cap: cap.unwrap_or(terms.cap),
                borrower_limit: borrower_limit.unwrap_or(terms.borrower_limit),
                ..terms
            })
        }
        (Some(_), None) => return Err(CliError::Missing { what: "the policy's amount", how: "give --amount" }.into()),
        (None, Some(_)) => {
            let how = "give --threshold or --probability";
            return Err(CliError::Missing { what: "the policy's threshold", how }.into());
        }
        (None, None) => None,
    };
    let family = arguments.family.as_deref().unwrap_or(&facts.model_file);
    let registration = facts.registration(family, verifier, codehash);
    Ok(Plan { model_id: facts.model_id, schema_id: facts.schema_id, router, registration, policy })
}

async fn send(
    arguments: &Arguments,
    chain: &Chain,
    registry: &Registry,
    account: &Account,
    plan: &Plan,
) -> Result<Vec<(&'static str, Value)>, Failure> {
    // What an interrupted run sent counts: it is waited for, not sent again.
    chain.settled(account.address()).await?;
    let mut done = vec![("modelId", json!(plan.model_id))];
    let mined = settle::register_model(chain, account, plan.router, plan.model_id, &plan.registration).await?;
    done.push(("model", transaction(mined.map(|m| m.tx))));
    let known = settle::model(chain, plan.router, plan.model_id).await?;
    done.push(("state", json!(format!("{:?}", known.state))));
    done.push(("activatesAt", json!(known.activatesAt)));
    if let Some(attestor) = arguments.attestor {
        let attestations = address(registry, label::ATTESTATIONS, None)?;
        let mined = settle::list_attestor(chain, account, attestations, attestor, plan.schema_id, arguments.relist).await?;
        done.push(("attestor", transaction(mined.map(|m| m.tx))));
    }
    if let Some(terms) = &plan.policy {
        let (policy_id, mined) = settle::add_policy(chain, account, address(registry, label::LENDING, None)?, terms).await?;
        done.push(("policyId", json!(policy_id)));
        done.push(("policy", transaction(mined.map(|m| m.tx))));
        done.extend(terms.tiers.first().map(|tier| ("threshold", json!(tier.threshold.to_string()))));
    }
    if let Some(amount) = arguments.fund {
        let lending = address(registry, label::LENDING, None)?;
        let mint = chain.is_local() && registry.get(label::TOKEN).is_some();
        let received = settle::fill(chain, account, lending, amount, mint).await?;
        done.push(("funded", received.map_or(json!("already so"), |received| json!(received.to_string()))));
    }
    Ok(done)
}

fn transaction(tx: Option<B256>) -> Value {
    tx.map_or(json!("already so"), |tx| json!(tx))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
