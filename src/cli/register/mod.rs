//! `register --artifacts DIR --rpc-url URL`.

mod aggregate;

use super::{
    chains::address,
    failure::{CliError, Failure},
    model::{ModelArguments, Subject},
    output::Console,
};
use crate::{
    artifact::{Folder, compile::ThresholdText},
    chain::{
        Account, Chain, Registry, attestors, audit,
        bindings::IInferenceRouter::Registration,
        registry::label,
        settle::{self, PolicyTerms, Tier},
    },
    quant::ThresholdScale,
};
use alloy::primitives::{Address, B256, U256};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Seconds of an epoch where nothing else is said.
const DAY: u64 = 86_400;

/// Approve a model on the router, and set up lending with it; or approve an aggregate.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The router, when it is not in the record
    #[arg(long, value_name = "ADDRESS")]
    router: Option<Address>,
    /// The pool, when it is not in the record; to fund one on a public chain it is named in any case
    #[arg(long, value_name = "ADDRESS")]
    pool: Option<Address>,
    /// The token that the pool lends; to fund one on a public chain it is named
    #[arg(long, value_name = "ADDRESS", requires = "fund")]
    token: Option<Address>,
    /// Put this attestor on the registry's list
    #[arg(long, value_name = "ADDRESS")]
    attestor: Option<Address>,
    /// List the attestor or source again though it was retired or removed
    #[arg(long)]
    relist: bool,
    /// Make an aggregate's keys anew out of these folders, of its models and of the aggregates below it, and register it only if they are
    /// the same
    #[arg(long, value_name = "DIR", num_args = 1..)]
    remake_from: Vec<PathBuf>,
    /// The family that the model is the next version of; the ONNX file's name when absent, of an aggregate `aggregate`
    #[arg(long, value_name = "NAME")]
    family: Option<String>,
    /// Put this contract on the registry's list: a source that looks attestations up, such as an EasAttestationSource
    #[arg(long, value_name = "ADDRESS", conflicts_with = "attestor")]
    source: Option<Address>,
    /// A tier's threshold, in the score's own unit; given again with --amount and --rate for each further tier, in rising order
    #[arg(long, value_name = "SCORE", conflicts_with = "probability", allow_negative_numbers = true)]
    threshold: Vec<String>,
    /// A tier's threshold as a probability, for models that end in a Sigmoid; once for each tier
    #[arg(long, value_name = "P")]
    probability: Vec<String>,
    /// Most that a loan of the tier pays out, in the token's smallest unit; with a threshold this adds a policy
    #[arg(long, value_name = "UNITS")]
    amount: Vec<U256>,
    /// The tier's interest per year, in hundredths of a percent; none when absent
    #[arg(long, value_name = "RATE", value_parser = clap::value_parser!(u32).range(..=10_000))]
    rate: Vec<u32>,
    /// Most principal that may be owed under the policy; unbounded when absent
    #[arg(long, value_name = "UNITS")]
    cap: Option<U256>,
    /// Most principal that one borrower may owe in the pool; unbounded when absent
    #[arg(long, value_name = "UNITS")]
    borrower_limit: Option<U256>,
    /// Seconds of an epoch: one loan per subject, schema and epoch; a day when absent
    #[arg(long, value_name = "SECONDS")]
    epoch: Option<u64>,
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
    let (subject, chain) = arguments.model.open().await?;
    let folder = match &subject {
        Subject::Model(folder) => folder,
        Subject::Aggregate(folder) => return aggregate::run(&arguments, &subject, folder, &chain, console).await,
    };
    if !arguments.remake_from.is_empty() {
        return Err(CliError::Conflict("--remake-from is for an aggregate, and this is a model".into()).into());
    }
    if arguments.fund.is_some() && !chain.is_local() && (arguments.pool.is_none() || arguments.token.is_none()) {
        // Who gets tokens is nothing to take from a file.
        let how = "give --pool ADDRESS and --token ADDRESS besides --fund";
        return Err(CliError::Missing { what: "the pool to fund and its token", how }.into());
    }
    let registry = arguments.model.record.view(&chain)?;
    let plan = plan(&arguments, &subject, folder, &chain, &registry, console).await?;
    if !arguments.model.send.broadcast {
        let known = settle::model(&chain, plan.router, plan.model_id).await?;
        let form = audit::form(&plan.registration.statement);
        let attestor = match arguments.attestor.or(arguments.source) {
            Some(attestor) => Some(attestor_plan(&arguments, &chain, &registry, attestor, plan.schema_id).await?),
            None => None,
        };
        let policy = match &plan.policy {
            Some(terms) => Some(settle::policy_id(address(&registry, label::LENDING, arguments.pool)?, terms)),
            None => None,
        };
        let pool = arguments.pool.or_else(|| registry.get(label::LENDING).map(|known| known.address));
        let attestations = registry.get(label::ATTESTATIONS).map(|known| known.address);
        let fund = arguments.fund.map(|amount| amount.to_string());
        let value = json!({
            "broadcast": false, "pool": pool, "attestations": attestations, "fund": fund, "token": arguments.token, "modelId": plan.model_id, "router": plan.router, "verifier": plan.registration.verifier,
            "codehash": plan.registration.codehash, "familyId": plan.registration.familyId,
            "state": format!("{:?}", known.state), "form": form, "attestor": attestor, "policyId": policy,
        });
        let shown = |address: Option<Address>| address.map_or_else(|| "not in the record".to_owned(), |a| a.to_string());
        let human = format!(
            "model     {}\nstate     {:?}\nrouter    {}\npool      {}\nregistry  {}\n{}verifier  {}\ncodehash  {}\nform      {form}\n{}dry run on chain {}: add --broadcast to send",
            plan.model_id,
            known.state,
            plan.router,
            shown(pool),
            shown(attestations),
            fund.map(|amount| format!("fund      up to {amount}\n")).unwrap_or_default(),
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
    let standing = attestors::standing(chain, address(registry, label::ATTESTATIONS, None)?, attestor, schema_id).await?;
    let list = match arguments.source {
        Some(_) => standing.to_list_source(attestor, schema_id, arguments.relist)?,
        None => standing.to_list(attestor, schema_id, arguments.relist)?,
    };
    let done = if list { ": would be listed" } else { "" };
    Ok(format!("{attestor}: {}{done}", standing.describe()))
}

async fn plan(
    arguments: &Arguments,
    subject: &Subject,
    folder: &Folder,
    chain: &Chain,
    registry: &Registry,
    console: &Console,
) -> Result<Plan, Failure> {
    let facts = &folder.manifest.facts;
    let router = address(registry, label::ROUTER, arguments.router)?;
    let (verifier, codehash) = arguments.model.deployed(subject, chain, console).await?;
    let tiers = tiers(arguments, folder)?;
    let policy = (!tiers.is_empty()).then(|| {
        let first = Tier { threshold: 0, limit: U256::ZERO, rate: 0 };
        let terms = PolicyTerms::of_one_tier(facts.model_id, facts.schema_id, arguments.epoch.unwrap_or(DAY), first);
        PolicyTerms {
            cap: arguments.cap.unwrap_or(terms.cap),
            borrower_limit: arguments.borrower_limit.unwrap_or(terms.borrower_limit),
            tiers,
            ..terms
        }
    });
    let family = arguments.family.as_deref().unwrap_or(&facts.model_file);
    let registration = facts.registration(family, verifier, codehash);
    Ok(Plan { model_id: facts.model_id, schema_id: facts.schema_id, router, registration, policy })
}

/// The policy's tiers: thresholds and amounts pair up in the order in which they are given, and so do rates where there are any.
fn tiers(arguments: &Arguments, folder: &Folder) -> Result<Vec<Tier>, Failure> {
    let values = arguments.threshold.iter().cloned().map(ThresholdText::Value);
    let texts: Vec<_> = values.chain(arguments.probability.iter().cloned().map(ThresholdText::Probability)).collect();
    let (thresholds, amounts, rates) = (texts.len(), arguments.amount.len(), arguments.rate.len());
    match (thresholds, amounts) {
        (0, 0) if rates == 0 => return Ok(Vec::new()),
        (0, _) => {
            let how = "give --threshold or --probability";
            return Err(CliError::Missing { what: "the policy's threshold", how }.into());
        }
        (_, 0) => return Err(CliError::Missing { what: "the policy's amount", how: "give --amount" }.into()),
        _ if thresholds != amounts || (rates != 0 && rates != amounts) => {
            let text = format!("a tier has a threshold, an amount and a rate: {thresholds}, {amounts} and {rates} are given");
            return Err(CliError::Conflict(text).into());
        }
        _ => {}
    }
    let scale = ThresholdScale::of(&folder.program)?;
    let tier = |(i, text): (usize, &ThresholdText)| {
        let (limit, rate) = (arguments.amount.get(i).copied(), arguments.rate.get(i).copied());
        Ok(Tier { threshold: text.integer(&scale)?, limit: limit.unwrap_or_default(), rate: rate.unwrap_or_default() })
    };
    let tiers: Vec<Tier> = texts.iter().enumerate().map(tier).collect::<Result<_, Failure>>()?;
    match tiers.windows(2).position(|pair| pair[0].threshold >= pair[1].threshold) {
        Some(i) => Err(CliError::Conflict(format!("tier {}'s threshold is not above tier {i}'s", i + 1)).into()),
        None => Ok(tiers),
    }
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
        let mined = attestors::list_attestor(chain, account, attestations, attestor, plan.schema_id, arguments.relist).await?;
        done.push(("attestor", transaction(mined.map(|m| m.tx))));
    }
    if let Some(source) = arguments.source {
        let attestations = address(registry, label::ATTESTATIONS, None)?;
        let mined = attestors::list_source(chain, account, attestations, source, plan.schema_id, arguments.relist).await?;
        done.push(("source", transaction(mined.map(|m| m.tx))));
    }
    if let Some(terms) = &plan.policy {
        let (policy_id, mined) =
            settle::add_policy(chain, account, address(registry, label::LENDING, arguments.pool)?, terms).await?;
        done.push(("policyId", json!(policy_id)));
        done.push(("policy", transaction(mined.map(|m| m.tx))));
        done.extend(terms.tiers.first().map(|tier| ("threshold", json!(tier.threshold.to_string()))));
        let tiers = terms
            .tiers
            .iter()
            .map(|tier| json!({ "threshold": tier.threshold.to_string(), "limit": tier.limit.to_string(), "rate": tier.rate }));
        done.push(("tiers", tiers.collect()));
    }
    if let Some(amount) = arguments.fund {
        let lending = address(registry, label::LENDING, arguments.pool)?;
        let mint = chain.is_local() && registry.get(label::TOKEN).is_some();
        let received = settle::fill(chain, account, lending, arguments.token, amount, mint).await?;
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
