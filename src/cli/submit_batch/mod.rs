//! `submit-batch DIR --rpc-url URL`: many loans in one transaction, or as few as there may be.

mod aggregate;
mod turn;

pub(super) use aggregate::{place, proof_in};

use super::{
    failure::{CliError, Failure},
    output::Console,
    send::SendArguments,
    submit::{self, Evidence},
};
use crate::{
    artifact::{ProofFile, aggregate::AggregateFile},
    chain::{
        Account, Chain, ChainError,
        batch::{Batch, BatchProof, ItemResult},
        parts::{Part, Parts},
        settle::{self, LoanRequest},
    },
    error::ExitCode,
    proof::Purpose,
};
use alloy::primitives::{Address, Bytes, U256};
use clap::Args;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Gas of an item whose score one proof for all has shown: attestation, permit, nullifier, loan, transfer, and as much again.
pub(super) const GAS_PER_PROVEN_ITEM: u64 = 500_000;

/// The most that an item may take where --gas-per-item does not say more: a verification takes a tenth, and all items get what the
/// dearest one takes.
const MOST_GAS_PER_ITEM: u64 = 4_000_000;

/// Open many loans in one transaction, or in as few as their gas allows.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder with a folder for each loan, which holds attestation.json, permit.json (unless the sender borrows), and without
    /// --proof or --aggregate proof.json
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// One proof for all, of a model for batches of this size, by the sender, in the order of the folders' names
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// One aggregate of the borrowers' own proofs, as `aggregate` wrote it; slots of other loans, and empty ones, are left as they are
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    aggregate: Option<PathBuf>,
    /// Gas that each loan gets; by a simulation of each, and half as much again, when absent
    #[arg(long, value_name = "GAS")]
    gas_per_item: Option<u64>,
    /// The pool: loans of any other are refused; on a local chain that of the first loan when absent
    #[arg(long, value_name = "ADDRESS")]
    pool: Option<Address>,
    /// Open none where one is refused; all of them are in one transaction then
    #[arg(long)]
    all_or_nothing: bool,
    #[command(flatten)]
    send: SendArguments,
}

/// Loans that are sent, by their folders' names.
pub(super) type Items = Vec<(String, LoanRequest)>;

/// What shows the scores, from its file.
enum Scores {
    Each,
    Together(ProofFile),
    Aggregated(AggregateFile),
}

impl Scores {
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        Ok(match (&arguments.proof, &arguments.aggregate) {
            (Some(path), _) => Self::Together(ProofFile::load_for(Purpose::Chain, path)?),
            (None, Some(path)) => Self::Aggregated(AggregateFile::load_for(Purpose::Chain, path)?),
            (None, None) => Self::Each,
        })
    }
}

/// Simulates, and with `--broadcast` sends. Loans that are open already are left out, as far as one proof for all allows it. Exit code 1
/// where one is refused.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    let names = submit::names(&arguments.folder)?;
    let scores = Scores::read(&arguments)?;
    let (together, own_proofs) = (matches!(scores, Scores::Together(_)), matches!(scores, Scores::Each));
    let chain = arguments.send.connect(None).await?;
    submit::require_pool(arguments.pool, &arguments.send, &chain)?;
    let sender = arguments.send.sender(&chain)?;
    if arguments.send.broadcast {
        chain.settled(sender.address).await?;
    }
    // One proof is over all of them, in their order: there nothing can be left out.
    let strict = together || arguments.all_or_nothing;
    let (mut items, mut refused) = (Vec::new(), BTreeMap::new());
    let mut pool = arguments.pool;
    for name in names {
        let request = request(&arguments.folder.join(&name), own_proofs, &chain).await;
        match request.and_then(|request| of_the_pool(&mut pool, request)) {
            Ok(request) => items.push((name, request)),
            Err(failure) if strict || failure.retryable() => return Err(failure),
            Err(failure) => {
                refused.insert(name, failure.to_string());
            }
        }
    }
    let borrowers: BTreeMap<String, Address> =
        items.iter().map(|(name, request)| (name.clone(), request.attestation.subject)).collect();
    let mut open = Vec::new();
    for (_, request) in &items {
        open.push(request.is_open(&chain).await?);
    }
    let none_left = open.iter().all(|open| *open);
    if !together {
        let mut open = open.into_iter();
        items.retain(|_| !open.next().unwrap_or_default());
    }
    let gas = match arguments.gas_per_item {
        Some(gas) => gas,
        None if own_proofs => gas_per_item(&mut items, &mut refused, sender.address, strict, &chain).await?,
        None => GAS_PER_PROVEN_ITEM,
    };
    let proof = match scores {
        Scores::Each => {
            // A borrower's loans are opened in the order of their nonces only.
            items.sort_by_key(|(_, request)| request.nonce);
            BatchProof::Each
        }
        Scores::Together(file) => of_all(file, &items, sender.address, &chain)?,
        Scores::Aggregated(file) => {
            let (placed, slots) = place(&file, &arguments.folder, items, &mut refused, strict, &chain).await?;
            items = placed;
            proof_in(file, slots)
        }
    };
    tell(&refused, console);
    if none_left || items.is_empty() {
        let value = json!({ "broadcast": arguments.send.broadcast, "sent": false, "items": rows(&refused) });
        console.result("submit-batch", &value, "nothing to send: the loans are open already, or refused")?;
        return Ok(if refused.is_empty() { ExitCode::Ok } else { ExitCode::No });
    }
    let batch = batch(&arguments, proof, &items, gas)?;
    let names: Vec<String> = items.into_iter().map(|(name, _)| name).collect();
    let Parts { parts, mut alone } = batch.split(&chain, sender.address, &names).await?;
    if parts.is_empty()
        && let Some((_, error)) = alone.pop_first()
    {
        return Err(error.into());
    }
    let alone = alone.into_iter().map(|(at, error)| (names[at].clone(), error.to_string())).collect();
    tell(&alone, console);
    refused.extend(alone);
    let behind = refused.keys().filter_map(|name| borrowers.get(name)).copied().collect();
    let run = Run { batch: &batch, names: &names, refused, behind };
    match arguments.send.broadcast {
        true => run.send(&parts, &chain, sender.account()?, console).await,
        false => run.simulated(&parts, console),
    }
}

fn tell(refused: &BTreeMap<String, String>, console: &Console) {
    for (name, reason) in refused {
        console.note(format!("{name}: left out: {reason}"));
    }
}

/// What is to be sent, and what is left out.
struct Run<'a> {
    batch: &'a Batch,
    names: &'a [String],
    refused: BTreeMap<String, String>,
    /// Borrowers of loans that are left out.
    behind: BTreeSet<Address>,
}

impl Run<'_> {
    fn names(&self, loans: &[usize]) -> Vec<&str> {
        loans.iter().map(|&at| self.names[at].as_str()).collect()
    }

    fn borrower(&self, at: usize) -> Address {
        self.batch.requests[at].attestation.subject
    }

    /// The next nonce of each borrower of these loans who may lack one.
    async fn next_nonces(
        &self,
        loans: &[usize],
        behind: &BTreeSet<Address>,
        chain: &Chain,
    ) -> Result<BTreeMap<Address, U256>, ChainError> {
        let mut next = BTreeMap::new();
        for borrower in loans.iter().map(|&at| self.borrower(at)).filter(|borrower| behind.contains(borrower)) {
            next.insert(borrower, settle::next_nonce(chain, self.batch.lending, borrower).await?);
        }
        Ok(next)
    }

    fn simulated(&self, parts: &[Part], console: &Console) -> Result<ExitCode, Failure> {
        let plans = || parts.iter().map(|part| part.simulation);
        let of = |part: &Part| {
            let Part { simulation: plan, loans } = part;
            json!({ "items": self.names(loans), "gas": plan.gas, "maxCostWei": plan.max_cost.to_string() })
        };
        let transactions: Vec<_> = parts.iter().map(of).collect();
        let (gas, cost): (u64, U256) = (plans().map(|plan| plan.gas).sum(), plans().map(|plan| plan.max_cost).sum());
        let (names, gas_per_item): (Vec<&str>, _) =
            (parts.iter().flat_map(|part| self.names(&part.loans)).collect(), self.batch.gas_per_item);
        let value = json!({
            "broadcast": false, "gas": gas, "maxCostWei": cost.to_string(), "gasPerItem": gas_per_item, "transactions": transactions,
            "items": names, "refused": self.refused,
        });
        let how = if parts.len() == 1 { "one transaction".to_owned() } else { format!("{} transactions", parts.len()) };
        let human =
            format!("{} loans in {how}, {gas_per_item} gas for each, about {gas} in all; add --broadcast to send", names.len());
        console.result("submit-batch", &value, &human)?;
        Ok(if self.refused.is_empty() { ExitCode::Ok } else { ExitCode::No })
    }

    /// One transaction after the other: whenever this ends, the next run finds on the chain which loans are open, and what is under way is
    /// one transaction, which it waits for. Behind a borrower's loan that was refused or left out the pool takes no later one: those are held back.
    async fn send(&self, parts: &[Part], chain: &Chain, account: &Account, console: &Console) -> Result<ExitCode, Failure> {
        let (mut rows, mut transactions, mut gas, mut lines) = (rows(&self.refused), Vec::new(), 0, Vec::new());
        let (mut refused, mut behind) = (self.refused.len(), self.behind.clone());
        for part in parts {
            let next = self.next_nonces(&part.loans, &behind, chain).await?;
            let (loans, held) = turn::held_back(part.loans.iter().map(|&at| (at, &self.batch.requests[at])), next);
            for &at in &held {
                let why = format!("held back: an earlier loan of {} was refused or left out", self.borrower(at));
                console.note(format!("{}: {why}", self.names[at]));
                rows.insert(self.names[at].clone(), json!({ "outcome": "refused", "reason": why }));
            }
            refused += held.len();
            if loans.is_empty() {
                continue;
            }
            let names = self.names(&loans);
            // One proof over all of them goes as a whole.
            let share = self.batch.part(&loans);
            let (results, mined) = share.as_ref().unwrap_or(self.batch).open(chain, account).await?;
            let of_refused = loans.iter().zip(&results).filter(|(_, result)| matches!(result, ItemResult::Refused(_)));
            behind.extend(of_refused.map(|(at, _)| self.borrower(*at)));
            let told: Vec<String> = names.iter().zip(&results).map(|(name, result)| line(name, result)).collect();
            let of = format!("transaction {}, {} gas", mined.tx, mined.gas_used);
            if parts.len() > 1 {
                // Should a later one fail, this is all that is heard of it.
                console.note(format!("{} of {}: {of}: {}", transactions.len() + 1, parts.len(), told.join(", ")));
            }
            rows.extend(names.iter().zip(&results).map(|(name, result)| ((*name).to_owned(), row(result))));
            refused += results.iter().filter(|result| matches!(result, ItemResult::Refused(_))).count();
            gas += mined.gas_used;
            transactions.push(json!({ "tx": mined.tx, "block": mined.block, "gasUsed": mined.gas_used, "items": names }));
            lines.extend(told.into_iter().chain([of]));
        }
        let value = json!({
            "broadcast": true, "sent": true, "transactions": transactions, "gasUsed": gas, "refused": refused, "items": rows,
        });
        console.result("submit-batch", &value, &lines.join("\n"))?;
        Ok(if refused == 0 { ExitCode::Ok } else { ExitCode::No })
    }
}

fn rows(refused: &BTreeMap<String, String>) -> serde_json::Map<String, serde_json::Value> {
    refused.iter().map(|(name, reason)| (name.clone(), json!({ "outcome": "refused", "reason": reason }))).collect()
}

/// Whoever hands in papers must not choose which contract the sender calls.
fn of_the_pool(pool: &mut Option<Address>, request: LoanRequest) -> Result<LoanRequest, Failure> {
    let (expected, got) = (*pool.get_or_insert(request.lending), request.lending);
    match got == expected {
        true => Ok(request),
        false => Err(CliError::Conflict(format!("it is for the pool {got}, expected {expected}; --pool names another")).into()),
    }
}

/// What the dearest item takes by a simulation, and half as much again. One that takes too much is left out: it would shrink the batch for
/// all.
async fn gas_per_item(
    items: &mut Items,
    refused: &mut BTreeMap<String, String>,
    sender: Address,
    strict: bool,
    chain: &Chain,
) -> Result<u64, Failure> {
    let (mut most, mut kept) = (0, Vec::new());
    for (name, request) in items.drain(..) {
        let gas = match settle::simulate_loan(chain, sender, &request).await {
            Ok(plan) => plan.gas,
            // The batch tells it in its place.
            Err(error) if error.revert().is_some() => 0,
            Err(ChainError::GasLimit { .. } | ChainError::CostTooHigh { .. }) => u64::MAX,
            Err(error) => return Err(error.into()),
        };
        if gas > MOST_GAS_PER_ITEM / 3 * 2 {
            let text = format!("{name} takes {gas} gas; send it by itself, or say --gas-per-item");
            if strict {
                return Err(CliError::Conflict(text).into());
            }
            refused.insert(name, text);
            continue;
        }
        most = most.max(gas);
        kept.push((name, request));
    }
    *items = kept;
    Ok(most.saturating_add(most / 2).max(GAS_PER_PROVEN_ITEM))
}

async fn request(folder: &Path, own_proof: bool, chain: &Chain) -> Result<LoanRequest, Failure> {
    let attestation = submit::plain(folder, "attestation.json")?;
    let permit = Some(submit::plain(folder, "permit.json")?).filter(|path| path.exists());
    if own_proof {
        return Evidence::read(&submit::plain(folder, "proof.json")?, &attestation, permit.as_deref())?
            .request(chain, 0, None)
            .await;
    }
    let how = "each borrower makes one with `zkml-evm permit`: it names tier, amount, nonce and expiry";
    let permit = permit.ok_or(CliError::Missing { what: "a loan's permit.json", how })?;
    let attestation = super::prove::read_attestation(&attestation)?;
    submit::permitted_request(&submit::read_permit(&permit)?, attestation, Bytes::new(), chain)
}

/// The sender's proof over all inputs.
fn of_all(file: ProofFile, items: &[(String, LoanRequest)], sender: Address, chain: &Chain) -> Result<BatchProof, Failure> {
    let conflict = |text: String| Failure::from(CliError::Conflict(text));
    let context = file.context.ok_or_else(|| conflict("the proof is bound to a bare context".to_owned()))?;
    submit::on_this_chain("the proof", context.chain_id, chain)?;
    let (pool, by) = (context.consumer, context.subject);
    if let Some((_, request)) = items.iter().find(|(_, request)| (pool, by) != (request.lending, sender)) {
        let lending = request.lending;
        return Err(conflict(format!("the proof is {by}'s for the pool {pool}, expected {sender}'s for {lending}")));
    }
    Ok(BatchProof::Together { expiry: context.expiry, proof: file.proof })
}

fn batch(arguments: &Arguments, proof: BatchProof, items: &[(String, LoanRequest)], gas_per_item: u64) -> Result<Batch, Failure> {
    let none = || CliError::Conflict(format!("{} holds no loan", arguments.folder.display()));
    let lending = items.first().ok_or_else(none)?.1.lending;
    let requests = items.iter().map(|(_, request)| request.clone()).collect();
    Ok(Batch { lending, requests, proof, gas_per_item, all_or_nothing: arguments.all_or_nothing })
}

fn row(result: &ItemResult) -> serde_json::Value {
    match result {
        ItemResult::Opened { id, amount, nullifier } => {
            json!({ "outcome": "settled", "loanId": id.to_string(), "amount": amount.to_string(), "nullifier": nullifier })
        }
        ItemResult::Refused(revert) => json!({ "outcome": "refused", "reason": revert.to_string() }),
    }
}

fn line(name: &str, result: &ItemResult) -> String {
    match result {
        ItemResult::Opened { id, amount, .. } => format!("{name}: loan {id} of {amount}"),
        ItemResult::Refused(revert) => format!("{name}: refused with {revert}"),
    }
}
