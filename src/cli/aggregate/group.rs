//! A group's loans on their way to a pool: which go in which transaction, and what became of each.

use super::submit::with_state;
use crate::{
    artifact::{aggregate::AggregateFile, proof_file::read_small},
    chain::{
        Chain, ChainError,
        batch::Batch,
        item::{Item, Outcome},
        opening::Opening,
        parts::Parts,
        refusal::{Refusal, refusal},
        settle::{self, LoanRequest, Standing},
    },
    cli::{
        failure::{CliError, Failure},
        output::Console,
        submit_batch::{Items, place, proof_in},
    },
    error::Explain,
    service::{Done, Sending, Share, SlotLoan},
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
    /// The pool.
    pub pool: Address,
    /// The account that sends.
    pub sender: Address,
    /// Gas that each loan gets.
    pub gas_per_item: u64,
    /// The aggregate, and the longest file, of the folder that is watched.
    pub watched: (B256, usize),
}

/// What there is to send of a group.
pub enum Prepared {
    /// None of its proofs came with papers.
    NoPapers,
    /// Nothing now, but perhaps later.
    Later(Value),
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
    /// Files of which nothing is decided, since time may heal why they would be refused now.
    pub waiting: BTreeMap<String, String>,
}

/// What a loan of a group waits for.
enum Look {
    Goes,
    IsOpen,
    Waits(String),
    Undecided(String),
    Refused(String),
}

/// The state of a group with loans that wait; nothing where there are none.
pub(super) fn waits(waiting: &BTreeMap<String, String>) -> Option<Value> {
    (!waiting.is_empty()).then(|| json!({ "state": "waits", "loans": waiting }))
}

impl Target {
    /// A group's transactions: those that were decided on before, byte for byte; and for the loans of which nothing is decided, those that
    /// stand in its slots and that the pool would open now.
    ///
    /// # Errors
    /// Files that cannot be read, a node that does not answer.
    pub async fn prepare(&self, done: Done, console: &Console) -> Result<Prepared, Failure> {
        let file = done.aggregate()?;
        let papers = done.papers(self.watched.0, self.watched.1)?;
        if papers.is_empty() {
            return Ok(Prepared::NoPapers);
        }
        let known = done.sending(self.chain.id(), self.pool)?;
        let mut sending = known.unwrap_or_else(|| Sending::new(self.chain.id(), self.pool));
        let (mut undecided, mut requests) = (Vec::new(), BTreeMap::new());
        for (name, papers) in papers {
            let request = papers.request();
            if let Ok(request) = &request {
                requests.insert(name.clone(), request.clone());
            }
            if !sending.knows(&name) {
                undecided.push((name, request));
            }
        }
        let mut waiting = BTreeMap::new();
        if !undecided.is_empty() {
            let before: BTreeSet<String> = sending.left_out.keys().cloned().collect();
            let later = self.decide(undecided, &file, &mut sending, &mut waiting).await?;
            for (name, reason) in sending.left_out.iter().filter(|(name, _)| !before.contains(*name)) {
                console.note(format!("group {}: {name:?}: left out: {reason}", done.id));
            }
            if let Some(later) = later {
                return Ok(Prepared::Later(later));
            }
        }
        let items = self.items(&done, &file, &sending, &requests)?;
        Ok(Prepared::Now(Ready { done, sending, items, waiting }))
    }

    /// Adds to what is decided; or says why the group has to wait.
    async fn decide(
        &self,
        undecided: Vec<(String, Result<LoanRequest, String>)>,
        file: &AggregateFile,
        sending: &mut Sending,
        waiting: &mut BTreeMap<String, String>,
    ) -> Result<Option<Value>, Failure> {
        let (mut loans, mut refused) = (Items::new(), BTreeMap::new());
        for (name, request) in undecided {
            match request {
                Ok(request) if request.lending == self.pool => loans.push((name, request)),
                Ok(request) => {
                    drop(refused.insert(name, format!("it is for the pool {}, expected {}", request.lending, self.pool)))
                }
                Err(what) => drop(refused.insert(name, what)),
            }
        }
        loans.sort_by_key(|(_, request)| request.nonce);
        let (mut first_of, mut asked) = (BTreeSet::new(), Items::new());
        for (name, request) in loans {
            // A borrower's later loan is refused until the earlier one is open: only the first that goes can be asked about.
            let subject = request.attestation.subject;
            match self.look_at(&request, !first_of.contains(&subject)).await? {
                Look::Goes => {
                    first_of.insert(subject);
                    asked.push((name, request));
                }
                Look::Undecided(why) => drop(waiting.insert(name, why)),
                Look::IsOpen => drop(sending.already_open.insert(name)),
                Look::Waits(why) => return Ok(Some(json!({ "state": "waits", "reason": why }))),
                Look::Refused(why) => drop(refused.insert(name, why)),
            }
        }
        let (placed, slots) = place(file, Path::new(""), asked, &mut refused, false, &self.chain).await?;
        let error = match self.share_out(file, placed, slots, sending, &mut refused).await {
            Ok(error) => error,
            Err(error) if error.retryable() => return Err(error.into()),
            Err(error) => Some(error),
        };
        sending.left_out.extend(refused);
        let nothing = sending.transactions.is_empty() && !sending.left_out.is_empty();
        let all_wait = waits(waiting).filter(|_| sending.transactions.is_empty());
        Ok(match error {
            Some(error) => Some(with_state("refused", &Outcome::refused(&error))),
            None => all_wait.or_else(|| nothing.then(|| json!({ "state": "refused", "leftOut": sending.left_out }))),
        })
    }

    /// Divides the loans among transactions; an error where not one goes.
    async fn share_out(
        &self,
        file: &AggregateFile,
        placed: Items,
        slots: Vec<usize>,
        sending: &mut Sending,
        refused: &mut BTreeMap<String, String>,
    ) -> Result<Option<ChainError>, ChainError> {
        let (names, requests): (Vec<String>, _) = placed.into_iter().unzip();
        let batch = self.batch(requests, file, slots.clone(), self.gas_per_item);
        let Parts { parts, mut alone } = batch.split(&self.chain, self.sender, &names).await?;
        if parts.is_empty() {
            return Ok(alone.pop_first().map(|(_, error)| error));
        }
        let loan = |&at: &usize| SlotLoan { file: names[at].clone(), slot: slots[at] };
        let share = |loans: &[usize]| Share { gas_per_item: self.gas_per_item, loans: loans.iter().map(loan).collect() };
        sending.transactions.extend(parts.iter().map(|part| share(&part.loans)));
        refused.extend(alone.into_iter().map(|(at, error)| (names[at].clone(), error.to_string())));
        Ok(None)
    }

    /// Whether a loan goes into its group's transactions; `first` where it is the borrower's next.
    async fn look_at(&self, request: &LoanRequest, first: bool) -> Result<Look, Failure> {
        if request.is_open(&self.chain).await? {
            return Ok(Look::IsOpen);
        }
        let model_id = settle::policy(&self.chain, self.pool, request.policy_id).await?.terms.modelId;
        match settle::standing(&self.chain, self.pool, model_id).await? {
            Standing::Verifies => {}
            Standing::NotYet(why) => return Ok(Look::Waits(why)),
            Standing::Never(why) => return Ok(Look::Refused(why)),
        }
        let refused = match first {
            true => refusal(&self.chain, self.sender, request, self.gas_per_item).await?,
            false => None,
        };
        Ok(match refused {
            None => Look::Goes,
            Some(Refusal { why, passes: true }) => Look::Undecided(why),
            Some(Refusal { why, .. }) => Look::Refused(why),
        })
    }

    fn batch(&self, requests: Vec<LoanRequest>, file: &AggregateFile, slots: Vec<usize>, gas_per_item: u64) -> Batch {
        Batch { lending: self.pool, requests, proof: proof_in(file.clone(), slots), gas_per_item, all_or_nothing: false }
    }

    /// What was decided on, as it is sent: the chain is not asked.
    fn items(
        &self,
        done: &Done,
        file: &AggregateFile,
        sending: &Sending,
        requests: &BTreeMap<String, LoanRequest>,
    ) -> Result<Vec<Item>, Failure> {
        let proof = keccak256(read_small(&file.path)?);
        let mut items = Vec::new();
        for (at, share) in sending.transactions.iter().enumerate() {
            let mut of_share = Vec::new();
            for SlotLoan { file, .. } in &share.loans {
                let unknown = || CliError::Conflict(format!("{file:?} is to be sent, and is no loan of the group {}", done.id));
                of_share.push(requests.get(file).ok_or_else(unknown)?.clone());
            }
            let slots = share.loans.iter().map(|loan| loan.slot).collect();
            let batch = self.batch(of_share, file, slots, share.gas_per_item);
            // In the order of their numbers also where they are compared as text.
            items.push(Item { name: format!("{}.{:03}", done.id, at + 1), proof, opening: Opening::Batch(batch) });
        }
        Ok(items)
    }
}

impl Ready {
    /// Takes back what was refused before it was sent, so that it is decided anew; one of the refusals, where there is one.
    pub fn take_back<'a>(&mut self, outcomes: &'a BTreeMap<String, Outcome>) -> Option<&'a Outcome> {
        let refusal = |item: &Item| outcomes.get(&item.name).filter(|outcome| matches!(outcome, Outcome::Refused { .. }));
        let refusals: Vec<Option<&Outcome>> = self.items.iter().map(refusal).collect();
        let mut of_share = refusals.iter();
        self.sending.transactions.retain(|_| of_share.next().is_some_and(Option::is_none));
        if self.sending.transactions.is_empty() {
            self.sending.left_out.clear();
        }
        refusals.into_iter().flatten().next()
    }

    /// What became of each transaction and loan; nothing where that is not known of all.
    pub fn settled(&self, outcomes: &BTreeMap<String, Outcome>) -> Option<Value> {
        let mut transactions = Vec::new();
        for (share, item) in self.sending.transactions.iter().zip(&self.items) {
            let mut outcome = json!(outcomes.get(&item.name)?);
            outcome["files"] = share.loans.iter().map(|loan| loan.file.as_str()).collect();
            transactions.push(outcome);
        }
        let Sending { chain_id, pool, already_open, left_out, .. } = &self.sending;
        Some(json!({
            "chainId": chain_id, "pool": pool, "transactions": transactions, "alreadyOpen": already_open, "leftOut": left_out,
        }))
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
        Ok(
            json!({ "state": "wouldSettle", "transactions": transactions, "gas": gas, "leftOut": self.sending.left_out, "waiting": self.waiting }),
        )
    }
}
