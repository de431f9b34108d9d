//! `submit --many DIR --artifacts DIR --rpc-url URL`.

use super::{Arguments, Evidence, names, plain};
use crate::{
    artifact::{Folder, Prover, proof_file::read_small},
    chain::{
        Chain, ChainError,
        item::{BatchedLoan, Item, Outcome, is_of_the_item},
        journal::Journal,
        many::Campaign,
        opening::Opening,
    },
    cli::{
        blocking,
        failure::{CliError, Failure},
        output::{Console, table},
        send::ether,
    },
    error::ExitCode,
};
use alloy::primitives::{Address, B256, U256, keccak256};
use clap::Args;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where many loans are, and how they go out.
#[derive(Clone, Debug, Args)]
pub struct ManyArguments {
    /// Open a loan for each folder in this one that holds proof.json, attestation.json and, unless the sender borrows, permit.json
    #[arg(long, value_name = "DIR", conflicts_with_all = ["proof", "attestation"], requires = "artifacts")]
    pub many: Option<PathBuf>,
    /// The artifact folder of the proofs' model, with which each is checked before it is sent; once for each model
    #[arg(long, value_name = "DIR", requires = "many")]
    artifacts: Vec<PathBuf>,
    /// The pool: loans of any other are refused; on a local chain that of the first loan when absent
    #[arg(long, value_name = "ADDRESS", requires = "many")]
    pool: Option<Address>,
    /// Most transactions in flight
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Sign nothing more when all that the run has sent may cost more than this; no limit when absent
    #[arg(long, value_name = "ETHER", requires = "many", value_parser = ether)]
    max_total: Option<U256>,
    /// Try again what an earlier run sent and what failed on the chain, which costs gas again
    #[arg(long, requires = "many")]
    retry_failed: bool,
    /// The journal; in the folder when absent, one for each chain and account
    #[arg(long, value_name = "FILE", requires = "many")]
    journal: Option<PathBuf>,
}

type Outcomes = BTreeMap<String, Outcome>;

pub(super) async fn run(arguments: &Arguments, folder: &Path, console: &Console) -> Result<ExitCode, Failure> {
    let many = &arguments.many;
    let provers = provers(&many.artifacts)?;
    let names = names(folder)?;
    let chain = arguments.send.connect(None).await?;
    super::require_pool(many.pool, &arguments.send, &chain)?;
    let sender = arguments.send.sender(&chain)?;
    // The journal first: another run over it, or a damaged one, ends this one before anything is looked at.
    let path = many.journal.clone().unwrap_or_else(|| folder.join(format!("{}-{}.journal", chain.id(), sender.address)));
    let journal = match arguments.send.broadcast {
        true => Some(Journal::open(&path, chain.id(), chain.genesis().await?, sender.account()?.address())?),
        false => None,
    };
    let (items, mut outcomes) = read(arguments, folder, names, &provers, &chain).await?;
    let items = of_one_pool(items, many.pool, &mut outcomes);
    for (name, outcome) in &outcomes {
        console.note(line(name, outcome));
    }
    let Some(journal) = journal else { return dry_run(&chain, sender.address, &items, outcomes, console).await };
    let mut tell = |name: &str, outcome: &Outcome| console.note(line(name, outcome));
    let account = sender.account()?;
    let below = if many.retry_failed { journal.end() } else { 0 };
    let campaign = Campaign::new(&chain, account, journal, usize::from(many.concurrency), &mut tell);
    outcomes.extend(campaign.retrying(below).limited(many.max_total).run(items).await?);
    report(&chain, Some(&path), &outcomes, console)
}

fn provers(folders: &[PathBuf]) -> Result<BTreeMap<B256, Arc<Prover>>, Failure> {
    let open = |path: &PathBuf| {
        let prover = Folder::open_to_prove(path)?.prover()?;
        Ok((prover.facts.model_id, Arc::new(prover)))
    };
    folders.iter().map(open).collect()
}

/// Loans of one pool: whoever hands in papers must not choose which contract the sender calls.
fn of_one_pool(items: Vec<Item>, pool: Option<Address>, outcomes: &mut Outcomes) -> Vec<Item> {
    let Some(pool) = pool.or(items.first().map(|item| item.opening.pool())) else { return items };
    let (good, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.opening.pool() == pool);
    for item in others {
        let text = format!("it is for the pool {}, expected {pool}; --pool names another", item.opening.pool());
        outcomes.insert(item.name, Outcome::refused(&CliError::Conflict(text)));
    }
    good
}

/// The items that may be sent, and what is wrong with the others.
async fn read(
    arguments: &Arguments,
    folder: &Path,
    names: Vec<String>,
    provers: &BTreeMap<B256, Arc<Prover>>,
    chain: &Chain,
) -> Result<(Vec<Item>, Outcomes), Failure> {
    let (mut items, mut outcomes) = (Vec::new(), Outcomes::new());
    for name in names {
        match item(arguments, &folder.join(&name), &name, provers, chain).await {
            Ok(item) => items.push(item),
            // A node that does not answer says nothing about the item.
            Err(failure) if failure.retryable() => return Err(failure),
            Err(failure) => {
                outcomes.insert(name, Outcome::refused(&*failure));
            }
        }
    }
    Ok((items, outcomes))
}

/// Reads one item, and checks its proof without the chain.
async fn item(
    arguments: &Arguments,
    folder: &Path,
    name: &str,
    provers: &BTreeMap<B256, Arc<Prover>>,
    chain: &Chain,
) -> Result<Item, Failure> {
    let permit = Some(plain(folder, "permit.json")?).filter(|path| path.exists());
    let proof = plain(folder, "proof.json")?;
    let evidence = Evidence::read(&proof, &plain(folder, "attestation.json")?, permit.as_deref())?;
    let digest = keccak256(read_small(&proof)?);
    let model = evidence.proof.model_id;
    let unknown = || CliError::Conflict(format!("the proof is of model {model}, of which no artifact folder is given"));
    let prover = Arc::clone(provers.get(&model).ok_or_else(unknown)?);
    let evidence = blocking(move || prover.verify(&evidence.proof).map(|()| evidence).map_err(Failure::from)).await?;
    let request = evidence.request(chain, arguments.tier, arguments.amount).await?;
    Ok(Item { name: name.to_owned(), proof: digest, opening: Opening::Loan(Box::new(request)) })
}

/// What would be sent.
async fn dry_run(
    chain: &Chain,
    from: Address,
    items: &[Item],
    outcomes: Outcomes,
    console: &Console,
) -> Result<ExitCode, Failure> {
    let mut rows: BTreeMap<String, Value> = outcomes.iter().map(|(name, outcome)| (name.clone(), json!(outcome))).collect();
    let mut seen: BTreeMap<B256, &str> = BTreeMap::new();
    let mut good = outcomes.is_empty();
    for item in items {
        let row = match seen.get(&item.digest()) {
            Some(of) => json!(Outcome::Duplicate { of: (*of).to_owned() }),
            None => match look(chain, from, item).await {
                Ok(row) => row,
                Err(error) if is_of_the_item(&error) => {
                    good = false;
                    json!(Outcome::refused(&error))
                }
                Err(error) => return Err(error.into()),
            },
        };
        seen.entry(item.digest()).or_insert(&item.name);
        rows.insert(item.name.clone(), row);
    }
    let mut table = table(["item", "outcome", "gas"]);
    for (name, row) in &rows {
        table.add_row([name.as_str(), row["outcome"].as_str().unwrap_or_default(), &row["gas"].to_string().replace("null", "")]);
    }
    let value = json!({ "broadcast": false, "chainId": chain.id(), "items": rows });
    console.result("submit", &value, &format!("{table}\ndry run on chain {}: add --broadcast to send", chain.id()))?;
    Ok(if good { ExitCode::Ok } else { ExitCode::No })
}

async fn look(chain: &Chain, from: Address, item: &Item) -> Result<Value, ChainError> {
    if item.opening.is_open(chain).await? {
        return Ok(json!(Outcome::AlreadyOpen));
    }
    let plan = chain.simulate(from, &item.opening.call()).await?;
    Ok(json!({ "outcome": "wouldSettle", "gas": plan.gas, "maxCostWei": plan.max_cost.to_string() }))
}

fn report(chain: &Chain, journal: Option<&Path>, outcomes: &Outcomes, console: &Console) -> Result<ExitCode, Failure> {
    let bad: Vec<String> = outcomes.iter().filter(|(_, o)| !o.is_good()).map(|(name, o)| line(name, o)).collect();
    let settled = outcomes.values().filter(|outcome| matches!(outcome, Outcome::Settled { .. })).count();
    let value = json!({
        "broadcast": true, "chainId": chain.id(), "journal": journal, "settled": settled, "refused": bad.len(),
        "items": outcomes,
    });
    let rest = outcomes.len() - settled - bad.len();
    let head = format!("{settled} loans open, {rest} were open already or came twice, {} not opened", bad.len());
    console.result("submit", &value, &[vec![head], bad.clone()].concat().join("\n"))?;
    Ok(if bad.is_empty() { ExitCode::Ok } else { ExitCode::No })
}

/// What became of an item, for people.
pub(in crate::cli) fn line(name: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Batch { loans, tx, .. } => {
            let open = loans.iter().filter(|loan| matches!(loan, BatchedLoan::Settled { .. })).count();
            format!("{name}: {open} of {} loans open, transaction {tx}", loans.len())
        }
        Outcome::Settled { borrower, amount, tx, .. } => format!("{name}: {amount} to {borrower}, transaction {tx}"),
        Outcome::AlreadyOpen => format!("{name}: its loan is open already"),
        Outcome::Duplicate { of } => format!("{name}: the same as {of}"),
        Outcome::Refused { code, reason } => format!("{name}: refused [{code}]: {reason}"),
        Outcome::Failed { tx, reason } => format!("{name}: transaction {tx} failed: {reason}"),
    }
}
