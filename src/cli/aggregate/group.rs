//! A group's loans on their way to a pool: which go in which transaction, and what became of each.

use super::again::{Refused, refused_for_now};
use super::turn::{Placed, Turns, in_turn};
use crate::{
    artifact::{aggregate::AggregateFile, proof_file::read_small},
    chain::{
        Chain, ChainError,
        batch::Batch,
        item::{Item, Outcome},
        journal::Journal,
        opening::Opening,
        parts::Parts,
        refusal::{Refusal, refusal},
        settle::{self, LoanRequest, Standing},
    },
    cli::{
        failure::{CliError, Failure},
        submit_batch::{Items, place, proof_in},
    },
    error::Explain,
    service::{Destination, Done, Sending, Sent, ServiceError, Settled, SlotLoan},
};
use alloy::primitives::{Address, B256, keccak256};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Where loans go, from whom, and with how much gas.
pub struct Target {
    /// The chain.
    pub chain: Chain,
    /// The pool on it.
    pub to: Destination,
    /// The account that sends.
    pub sender: Address,
    /// Gas that each loan gets.
    pub gas_per_item: u64,
    /// The aggregate, and the longest file, of the folder that is watched.
    pub watched: (B256, usize),
}

/// What a group's folder holds.
pub struct Papered {
    /// The group.
    pub done: Done,
    file: AggregateFile,
    /// keccak256 of the aggregate's file.
    proof: B256,
    /// Its loans by their files, in the order of their slots.
    loans: Vec<(String, Result<LoanRequest, String>)>,
    sending: Sending,
}

/// What the groups of one pass have in common.
pub struct Pass<'a> {
    /// Knows what was signed; where there is none, nothing was.
    pub journal: Option<&'a Journal>,
    /// What reverted with a lower nonce is tried again.
    pub retry_below: u64,
    /// By groups and files: what a block refused for what may pass.
    pub refused: &'a BTreeMap<String, BTreeMap<String, Refused>>,
    /// Whose turn it is.
    pub turns: Turns,
}

/// What there is to send of a group.
pub enum Prepared {
    /// Nothing now, but perhaps later: its state.
    Later(Value, Rest),
    /// Transactions, or none where the loans are open.
    Now(Ready),
}

/// A group of which it is decided what goes in which transaction.
pub struct Ready {
    /// The group.
    pub done: Done,
    /// What is decided.
    pub sending: Sending,
    /// The transactions.
    pub items: Vec<Item>,
    /// The other loans.
    pub rest: Rest,
}

/// A group's loans that are in none of its transactions, by their files.
#[derive(Clone, Debug, Default)]
pub struct Rest {
    /// Those that are open.
    pub already_open: BTreeSet<String>,
    /// Those that the pool would refuse for good, or that do not fit, with why.
    pub left_out: BTreeMap<String, String>,
    /// Those that time may heal, with what they wait for.
    pub waiting: BTreeMap<String, String>,
}

/// What is said of a loan now.
enum Look {
    Goes,
    IsOpen,
    Waits(String),
    /// It waits, and its whole group with it.
    AllWait(String),
    Refused(String),
}

impl Rest {
    /// The state, and which loans wait or are left out.
    pub fn with(&self, mut state: Value) -> Value {
        for (what, loans) in [("loans", &self.waiting), ("leftOut", &self.left_out)] {
            if !loans.is_empty() {
                state[what] = json!(loans);
            }
        }
        state
    }

    /// The state of a group with loans that wait; nothing where there are none.
    pub fn waits(&self) -> Option<Value> {
        (!self.waiting.is_empty()).then(|| self.with(json!({ "state": "waits" })))
    }
}

impl Target {
    /// What a group's folder holds; nothing where none of its proofs came with papers.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn read(&self, done: Done) -> Result<Option<Papered>, ServiceError> {
        let file = done.aggregate()?;
        let papers = done.papers(self.watched.0, self.watched.1)?;
        if papers.is_empty() {
            return Ok(None);
        }
        let loans = papers.into_iter().map(|(name, papers)| (name, papers.request())).collect();
        let (proof, sending) = (keccak256(read_small(&file.path)?), done.sending(self.to)?);
        Ok(Some(Papered { done, file, proof, loans, sending }))
    }

    /// A group's transactions: those that were decided on before and signed and may have opened loans, byte for byte; and for the other loans, of which nothing binds,
    /// those that stand in its slots and that the pool would open now.
    ///
    /// # Errors
    /// A node that does not answer; a decision that is not of these files.
    pub async fn prepare(&self, mut group: Papered, pass: &mut Pass<'_>) -> Result<Prepared, Failure> {
        let signed: Vec<bool> = match pass.journal {
            Some(journal) => self.items(&group)?.iter().map(|item| journal.binds(&item.digest(), pass.retry_below)).collect(),
            None => Vec::new(),
        };
        let mut of_share = signed.into_iter();
        group.sending.transactions.retain(|_| of_share.next().unwrap_or_default());
        let refused = pass.refused.get(&group.done.id);
        let is_decided = |name: &String| {
            let refused = refused.and_then(|loans| loans.get(name)).map_or(0, |refused| refused.tries);
            group.sending.tries(name) > refused
        };
        let (mut rest, mut undecided) = (Rest::default(), Items::new());
        for (name, request) in group.loans.iter().filter(|(name, _)| !is_decided(name)) {
            let refused = match request {
                Ok(request) if request.lending == self.to.pool => {
                    undecided.push((name.clone(), request.clone()));
                    continue;
                }
                Ok(request) => format!("it is for the pool {}, expected {}", request.lending, self.to.pool),
                Err(what) => what.clone(),
            };
            rest.left_out.insert(name.clone(), refused);
        }
        let error = self.decide(undecided, &mut group, &mut rest, &mut pass.turns).await?;
        if group.sending.transactions.is_empty() {
            let refused = || (!rest.left_out.is_empty()).then(|| rest.with(json!({ "state": "refused" })));
            let state = match &error {
                Some(error) => Some(rest.with(with_state("refused", &Outcome::refused(error)))),
                None => rest.waits().or_else(refused),
            };
            if let Some(state) = state {
                return Ok(Prepared::Later(state, rest));
            }
        }
        let items = self.items(&group)?;
        Ok(Prepared::Now(Ready { done: group.done, sending: group.sending, items, rest }))
    }

    /// Adds transactions; what stopped some, where something did.
    async fn decide(
        &self,
        loans: Items,
        group: &mut Papered,
        rest: &mut Rest,
        turns: &mut Turns,
    ) -> Result<Option<ChainError>, Failure> {
        let mut asked = Items::new();
        for (name, request) in &loans {
            let name = name.clone();
            match self.look_at(request).await? {
                Look::Goes => asked.push((name, request.clone())),
                Look::IsOpen => drop(rest.already_open.insert(name)),
                Look::Waits(why) => drop(rest.waiting.insert(name, why)),
                Look::Refused(why) => drop(rest.left_out.insert(name, why)),
                Look::AllWait(why) => {
                    rest.waiting = loans.into_iter().map(|(name, _)| (name, why.clone())).collect();
                    return Ok(None);
                }
            }
        }
        let (placed, slots) = place(&group.file, Path::new(""), asked, &mut rest.left_out, false, &self.chain).await?;
        let placed = placed.into_iter().zip(slots).map(|((name, request), slot)| Placed { name, request, slot });
        let (mut go, mut later) = in_turn(placed.collect(), turns);
        let mut stopped = None;
        // One that does not fit gives its turn to the borrower's next.
        while !go.is_empty() {
            let error = self.share_out(go, group, rest, turns).await?;
            stopped = stopped.or(error);
            (go, later) = in_turn(later, turns);
        }
        for Placed { name, request, .. } in later {
            let first = turns.get(&request.attestation.subject).map_or("another", String::as_str);
            rest.waiting.insert(name, format!("the borrower's loan {first} goes first"));
        }
        Ok(stopped)
    }

    /// Divides loans among transactions; what stopped some, where something did.
    async fn share_out(
        &self,
        loans: Vec<Placed>,
        group: &mut Papered,
        rest: &mut Rest,
        turns: &mut Turns,
    ) -> Result<Option<ChainError>, ChainError> {
        let names: Vec<String> = loans.iter().map(|loan| loan.name.clone()).collect();
        let slots = loans.iter().map(|loan| loan.slot).collect();
        let requests = loans.iter().map(|loan| loan.request.clone()).collect();
        let batch = self.batch(requests, &group.file, slots, self.gas_per_item);
        let Parts { parts, alone } = match batch.split(&self.chain, self.sender, &names).await {
            Ok(parts) => parts,
            Err(error) if error.retryable() => return Err(error),
            Err(error) => {
                rest.waiting.extend(names.into_iter().map(|name| (name, error.to_string())));
                return Ok(Some(error));
            }
        };
        for part in parts {
            let loans: Vec<&Placed> = part.loans.iter().map(|&at| &loans[at]).collect();
            turns.extend(loans.iter().map(|loan| (loan.request.attestation.subject, loan.name.clone())));
            let loans = loans.iter().map(|loan| SlotLoan { file: loan.name.clone(), slot: loan.slot }).collect();
            group.sending.add(self.gas_per_item, loans);
        }
        rest.left_out.extend(alone.iter().map(|(&at, error)| (names[at].clone(), error.to_string())));
        Ok(alone.into_values().next())
    }

    async fn look_at(&self, request: &LoanRequest) -> Result<Look, Failure> {
        if request.is_open(&self.chain).await? {
            return Ok(match request.is_open_for_good(&self.chain).await {
                Ok(true) => Look::IsOpen,
                Ok(false) => Look::Waits(SHALLOW.to_owned()),
                Err(error) if error.retryable() => return Err(error.into()),
                // A node that keeps the states of few blocks.
                Err(error) => Look::Waits(format!("it is open, and the node does not say for how long: {error}")),
            });
        }
        let model_id = settle::policy(&self.chain, self.to.pool, request.policy_id).await?.terms.modelId;
        match settle::standing(&self.chain, self.to.pool, model_id).await? {
            Standing::Verifies => {}
            Standing::NotYet(why) => return Ok(Look::AllWait(why)),
            Standing::Never(why) => return Ok(Look::Refused(why)),
        }
        Ok(match refusal(&self.chain, self.sender, request, self.gas_per_item).await? {
            None => Look::Goes,
            Some(Refusal { why, passes: true }) => Look::Waits(why),
            Some(Refusal { why, .. }) => Look::Refused(why),
        })
    }

    fn batch(&self, requests: Vec<LoanRequest>, file: &AggregateFile, slots: Vec<usize>, gas_per_item: u64) -> Batch {
        Batch { lending: self.to.pool, requests, proof: proof_in(file.clone(), slots), gas_per_item, all_or_nothing: false }
    }

    /// What was decided on, as it is sent: the chain is not asked.
    fn items(&self, group: &Papered) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        for (at, share) in group.sending.transactions.iter().enumerate() {
            let mut requests = Vec::new();
            for SlotLoan { file, .. } in &share.loans {
                let request = group.loans.iter().find_map(|(name, request)| request.as_ref().ok().filter(|_| name == file));
                let unknown =
                    || CliError::Conflict(format!("{file:?} is to be sent, and is no loan of the group {}", group.done.id));
                requests.push(request.ok_or_else(unknown)?.clone());
            }
            let slots = share.loans.iter().map(|loan| loan.slot).collect();
            let batch = self.batch(requests, &group.file, slots, share.gas_per_item);
            // In the order of their numbers also where they are compared as text.
            let name = format!("{}.{:03}", group.done.id, at + 1);
            items.push(Item { name, proof: group.proof, opening: Opening::Batch(batch) });
        }
        Ok(items)
    }
}

impl Ready {
    /// The loans that a block refused for what may pass: they wait, unless it is known what became of them since.
    pub fn refused_for_now(&mut self, outcomes: &BTreeMap<String, Outcome>) -> BTreeMap<String, Refused> {
        let known = self.items.iter().map(|item| outcomes.get(&item.name));
        let refused = refused_for_now(self.sending.transactions.iter().zip(known));
        let Rest { already_open, left_out, waiting } = &mut self.rest;
        for (name, Refused { why, .. }) in &refused {
            if !already_open.contains(name) && !left_out.contains_key(name) {
                waiting.entry(name.clone()).or_insert_with(|| why.clone());
            }
        }
        refused
    }

    /// What became of each transaction and loan; nothing where that is not known of all.
    pub fn settled(&self, to: Destination, outcomes: &BTreeMap<String, Outcome>) -> Option<Settled> {
        let mut transactions = Vec::new();
        for (share, item) in self.sending.transactions.iter().zip(&self.items) {
            let outcome = outcomes.get(&item.name)?.clone();
            transactions.push(Sent { outcome, files: share.loans.iter().map(|loan| loan.file.clone()).collect() });
        }
        Some(Settled::new(to, transactions, self.rest.already_open.clone(), self.rest.left_out.clone()))
    }

    /// Whether what is open by other transactions than these is so in blocks that are deep enough.
    ///
    /// # Errors
    /// Those of asking.
    pub async fn is_for_good(&self, chain: &Chain, outcomes: &BTreeMap<String, Outcome>) -> Result<bool, ChainError> {
        for item in self.items.iter().filter(|item| matches!(outcomes.get(&item.name), Some(Outcome::AlreadyOpen))) {
            if !item.opening.is_open_for_good(chain).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What its transactions would take, as its state.
    ///
    /// # Errors
    /// As [`Chain::simulate`].
    pub async fn simulated(&self, target: &Target) -> Result<Value, ChainError> {
        let (mut transactions, mut gas) = (Vec::new(), 0);
        for (share, item) in self.sending.transactions.iter().zip(&self.items) {
            let plan = target.chain.simulate(target.sender, &item.opening.call()).await?;
            let files: Vec<&str> = share.loans.iter().map(|loan| loan.file.as_str()).collect();
            transactions.push(json!({ "gas": plan.gas, "files": files }));
            gas += plan.gas;
        }
        let Rest { left_out, waiting, .. } = &self.rest;
        Ok(json!({ "state": "wouldSettle", "transactions": transactions, "gas": gas, "leftOut": left_out, "waiting": waiting }))
    }
}

/// Why a group waits whose loans somebody else's transactions have opened a moment ago.
pub const SHALLOW: &str = "it is open in a block that is not deep enough yet";

/// An outcome as the state of a group.
pub fn with_state(state: &str, outcome: &Outcome) -> Value {
    let mut value = json!(outcome);
    value["state"] = json!(state);
    value
}
