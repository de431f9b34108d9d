//! `aggregate --watch DIR --submit POOL`: the loans of groups that are done, one transaction for each group, through the journal of `submit --many`.
//!
//! It shares nothing but folders with the process that aggregates: a group is read once it stands in `done/`, and what became of it is written
//! beside it. What is sent is a function of a group's files and of the policies, so that a run after a kill puts the same transaction together, and
//! the journal knows whether it was signed.

use crate::{
    artifact::proof_file::read_small,
    chain::{
        Chain,
        batch::Batch,
        journal::Journal,
        many::{Campaign, Item, Outcome},
        opening::Opening,
        settle::{self, LoanRequest, Standing},
    },
    cli::{
        failure::{CliError, Failure},
        output::Console,
        send::{SendArguments, Sender},
        submit::line,
        submit_batch,
    },
    error::Explain,
    service::{Done, ServiceError, done, write_text},
};
use alloy::primitives::{Address, B256, keccak256};
use clap::Args;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Most transactions in flight.
const WINDOW: usize = 16;
const FORMAT: &str = "zkml-evm/submission";
const VERSION: u32 = 1;

/// How the loans of finished groups are sent.
#[derive(Clone, Debug, Args)]
pub struct SubmitArguments {
    /// Open the loans of finished groups in this pool, those whose proofs came with their papers (`permit --loan`)
    #[arg(long, value_name = "POOL", requires = "watch")]
    pub submit: Option<Address>,
    /// Gas that each loan gets
    #[arg(long, value_name = "GAS", requires = "submit", default_value_t = submit_batch::GAS_PER_PROVEN_ITEM)]
    gas_per_item: u64,
    /// Try again what was sent and what failed on the chain, which costs gas again
    #[arg(long, requires = "submit")]
    retry_failed: bool,
    /// The journal; in the folder when absent, one for each chain and account
    #[arg(long, value_name = "FILE", requires = "submit")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    send: SendArguments,
}

/// A group that is not settled.
#[derive(Debug)]
struct Pending {
    /// Why, as far as it is known.
    state: Value,
    /// When it is tried again; not by this process where there is no such time.
    again: Option<Instant>,
    rest: Duration,
}

/// A group, and those of its loans that its transaction leaves out, with why.
type Sent = (Done, BTreeMap<String, String>);

/// What there is to send of a group.
enum Prepared {
    /// None of its proofs came with papers.
    NoPapers,
    /// Nothing now, but perhaps later.
    Later(Value),
    /// A transaction, and the loans that it leaves out.
    Now(Item, BTreeMap<String, String>),
}

/// What a loan of a group waits for.
enum Look {
    Goes,
    Waits(String),
    Refused(String),
}

/// What was opened and refused.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    groups: u64,
    open: u64,
    refused: u64,
}

/// Sends the loans of what is done.
pub struct Submitter {
    root: PathBuf,
    /// The aggregate, and the longest file, of the folder.
    watched: (B256, usize),
    pool: Address,
    gas_per_item: u64,
    retry_failed: bool,
    chain: Chain,
    sender: Sender,
    broadcast: bool,
    journal: PathBuf,
    console: Console,
    settled: BTreeSet<String>,
    totals: Totals,
    pending: BTreeMap<String, Pending>,
    last_error: Option<Value>,
}

impl Submitter {
    /// Connects and unlocks the account; `None` where nothing is to be sent.
    ///
    /// # Errors
    /// Those of both.
    pub async fn new(
        arguments: &SubmitArguments,
        root: &Path,
        watched: (B256, usize),
        console: &Console,
    ) -> Result<Option<Self>, Failure> {
        let Some(pool) = arguments.submit else { return Ok(None) };
        let chain = arguments.send.connect(None).await?;
        let sender = arguments.send.sender(&chain)?;
        let journal = root.join(format!("{}-{}.journal", chain.id(), sender.address));
        Ok(Some(Self {
            root: root.into(),
            watched,
            pool,
            gas_per_item: arguments.gas_per_item,
            retry_failed: arguments.retry_failed,
            chain,
            sender,
            broadcast: arguments.send.broadcast,
            journal: arguments.journal.clone().unwrap_or(journal),
            console: *console,
            settled: BTreeSet::new(),
            totals: Totals::default(),
            pending: BTreeMap::new(),
            last_error: None,
        }))
    }

    /// Sends what is done, again and again; errors are told, and what they stopped is tried again.
    pub async fn watch(mut self, look: Duration, rests: [Duration; 2]) -> Failure {
        let mut rest = rests[0];
        loop {
            let pause = match self.pass(rests).await {
                Ok(()) => {
                    rest = rests[0];
                    look
                }
                Err(error) => {
                    self.console.warn(format!("[{}] {error}; sending again in {} s", error.code(), rest.as_secs()));
                    self.last_error = Some(json!({ "code": error.code(), "message": error.to_string(), "at": now() }));
                    if let Err(error) = self.write_status() {
                        return error;
                    }
                    let next = (2 * rest).min(rests[1]);
                    std::mem::replace(&mut rest, next)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends what is done and due; whether every group with papers is settled then.
    ///
    /// # Errors
    /// What concerns all groups: the node, the account, the journal, the disk.
    pub async fn once(mut self, rests: [Duration; 2]) -> Result<bool, Failure> {
        self.pass(rests).await?;
        Ok(self.totals.refused == 0 && self.pending.values().all(|pending| pending.state["state"] == "noPapers"))
    }

    async fn pass(&mut self, rests: [Duration; 2]) -> Result<(), Failure> {
        let before = (self.settled.len(), self.pending.len());
        let (mut groups, mut items) = (BTreeMap::new(), Vec::new());
        for group in done(&self.root)? {
            if self.is_known(&group)? {
                continue;
            }
            match self.prepare(&group).await {
                Ok(Prepared::Now(item, left)) => {
                    items.push(item);
                    groups.insert(group.id.clone(), (group, left));
                }
                Ok(Prepared::Later(state)) => self.keep(&group.id, state, Some(rests)),
                Ok(Prepared::NoPapers) => self.keep(&group.id, json!({ "state": "noPapers" }), None),
                Err(failure) if failure.retryable() => return Err(failure),
                // A group that cannot be read keeps no other waiting.
                Err(failure) => {
                    self.console.warn(format!("group {}: [{}] {failure}", group.id, failure.code()));
                    self.keep(&group.id, with_state("unreadable", &Outcome::refused(&*failure)), Some(rests));
                }
            }
        }
        if !items.is_empty() {
            match self.broadcast {
                true => self.send(&groups, items, rests).await?,
                false => self.simulate(items).await?,
            }
        }
        match before == (self.settled.len(), self.pending.len()) && groups.is_empty() {
            true => Ok(()),
            false => self.write_status(),
        }
    }

    /// Whether nothing is to be done for a group now.
    fn is_known(&mut self, group: &Done) -> Result<bool, Failure> {
        if self.settled.contains(&group.id) {
            return Ok(true);
        }
        if let Some(pending) = self.pending.get(&group.id) {
            return Ok(pending.again.is_none_or(|again| Instant::now() < again));
        }
        // What became of it on another chain, such as a rehearsal's, or in another pool, says nothing of this one.
        let here = |outcome: &Value| (&outcome["chainId"], &outcome["pool"]) == (&json!(self.chain.id()), &json!(self.pool));
        let Some(outcome) = group.settled::<Value>()?.filter(here) else { return Ok(false) };
        self.count(&group.id, &outcome);
        Ok(true)
    }

    fn count(&mut self, id: &str, outcome: &Value) {
        let loans = outcome["loans"].as_array().map(Vec::as_slice).unwrap_or_default();
        let open = loans.iter().filter(|loan| loan["outcome"] == "settled").count() as u64;
        let refused = outcome["leftOut"].as_object().map_or(0, |refused| refused.len() as u64);
        self.totals.groups += 1;
        self.totals.open += open;
        self.totals.refused += loans.len() as u64 - open + refused;
        self.pending.remove(id);
        self.settled.insert(id.to_owned());
    }

    fn keep(&mut self, id: &str, state: Value, rest: Option<[Duration; 2]>) {
        let before = self.rest_of(id);
        let wait = rest.map(|[first, most]| (2 * before).clamp(first, most));
        let again = wait.map(|wait| Instant::now() + wait);
        self.pending.insert(id.to_owned(), Pending { state, again, rest: wait.unwrap_or(before) });
    }

    /// How long a group rested last.
    fn rest_of(&self, id: &str) -> Duration {
        self.pending.get(id).map(|pending| pending.rest).unwrap_or_default()
    }

    /// A group's transaction: the loans whose papers are for this pool, stand in its slots, and which the pool would open now or has opened:
    /// what is open stays in, so that a run after a kill puts the same bytes together.
    async fn prepare(&mut self, group: &Done) -> Result<Prepared, Failure> {
        let (aggregate_id, longest) = self.watched;
        let file = group.aggregate()?;
        let digest = keccak256(read_small(&file.path)?);
        let (mut loans, mut refused) = (Vec::new(), BTreeMap::new());
        for (name, papers) in group.papers(aggregate_id, longest)? {
            match papers.request() {
                Ok(request) if request.lending == self.pool => loans.push((name, request)),
                Ok(request) => {
                    drop(refused.insert(name, format!("it is for the pool {}, expected {}", request.lending, self.pool)))
                }
                Err(what) => drop(refused.insert(name, what)),
            }
        }
        if loans.is_empty() && refused.is_empty() {
            return Ok(Prepared::NoPapers);
        }
        loans.sort_by_key(|(_, request)| request.nonce);
        let (mut first_of, mut asked) = (BTreeSet::new(), Vec::new());
        for (name, request) in loans {
            // A borrower's later loan is refused until the earlier one is open: only the first can be asked about.
            let first = first_of.insert(request.attestation.subject);
            match self.look_at(&request, first).await? {
                Look::Goes => asked.push((name, request)),
                Look::Waits(why) => return Ok(Prepared::Later(json!({ "state": "waits", "reason": why }))),
                Look::Refused(why) => drop(refused.insert(name, why)),
            }
        }
        let (placed, proof) = submit_batch::place(file, &self.root, asked, &mut refused, false, &self.chain).await?;
        for (name, reason) in &refused {
            self.console.note(format!("group {}: {name:?}: left out: {reason}", group.id));
        }
        if placed.is_empty() {
            return Ok(Prepared::Later(json!({ "state": "refused", "leftOut": refused })));
        }
        let requests = placed.into_iter().map(|(_, request)| request).collect();
        let batch = Batch { lending: self.pool, requests, proof, gas_per_item: self.gas_per_item, all_or_nothing: false };
        Ok(Prepared::Now(Item { name: group.id.clone(), proof: digest, opening: Opening::Batch(batch) }, refused))
    }

    /// Whether a loan goes into its group's transaction; `first` where it is the borrower's next.
    async fn look_at(&self, request: &LoanRequest, first: bool) -> Result<Look, Failure> {
        if request.is_open(&self.chain).await? {
            return Ok(Look::Goes);
        }
        let model_id = settle::policy(&self.chain, self.pool, request.policy_id).await?.terms.modelId;
        match settle::standing(&self.chain, self.pool, model_id).await? {
            Standing::Verifies => {}
            Standing::NotYet(why) => return Ok(Look::Waits(why)),
            Standing::Never(why) => return Ok(Look::Refused(why)),
        }
        let refusal = match first {
            true => settle::refusal(&self.chain, self.sender.address, request, self.gas_per_item).await?,
            false => None,
        };
        Ok(refusal.map_or(Look::Goes, Look::Refused))
    }

    async fn send(&mut self, groups: &BTreeMap<String, Sent>, items: Vec<Item>, rests: [Duration; 2]) -> Result<(), Failure> {
        for item in &items {
            let pending =
                Pending { state: json!({ "state": "sending" }), again: Some(Instant::now()), rest: self.rest_of(&item.name) };
            self.pending.insert(item.name.clone(), pending);
        }
        self.write_status()?;
        let account = self.sender.account()?.clone();
        let journal = Journal::open(&self.journal, self.chain.id(), self.chain.genesis().await?, account.address())?;
        let console = self.console;
        let mut tell = |name: &str, outcome: &Outcome| {
            if groups.contains_key(name) {
                console.note(format!("group {}", line(name, outcome)));
            }
        };
        let campaign = Campaign::new(&self.chain, &account, journal, WINDOW, &mut tell).retrying(self.retry_failed);
        let outcomes = campaign.run(items).await?;
        for (id, (group, left)) in groups {
            match outcomes.get(id) {
                Some(
                    outcome
                    @ (Outcome::Batch { .. } | Outcome::AlreadyOpen | Outcome::Duplicate { .. } | Outcome::Settled { .. }),
                ) => {
                    let mut outcome = json!(outcome);
                    (outcome["chainId"], outcome["pool"], outcome["leftOut"]) =
                        (json!(self.chain.id()), json!(self.pool), json!(left));
                    group.settle(&outcome)?;
                    self.count(id, &outcome);
                }
                // What fails now may do later: a model that is not yet active, a pool without money.
                Some(outcome @ Outcome::Refused { .. }) => self.keep(id, with_state("refused", outcome), Some(rests)),
                Some(outcome @ Outcome::Failed { .. }) => self.keep(id, with_state("failed", outcome), None),
                None => {}
            }
        }
        Ok(())
    }

    async fn simulate(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        for item in items {
            let state = match self.chain.simulate(self.sender.address, &item.opening.call()).await {
                Ok(plan) => json!({ "state": "wouldSettle", "gas": plan.gas }),
                Err(error) if error.retryable() => return Err(error.into()),
                Err(error) => with_state("refused", &Outcome::refused(&error)),
            };
            self.console.note(format!("group {}: {state}; add --broadcast to send", item.name));
            self.keep(&item.name, state, None);
        }
        Ok(())
    }

    /// `submission.json` and `submission.prom`.
    fn write_status(&self) -> Result<(), Failure> {
        let Totals { groups, open, refused } = self.totals;
        let pending: BTreeMap<&String, &Value> = self.pending.iter().map(|(id, pending)| (id, &pending.state)).collect();
        let value = json!({
            "format": FORMAT, "version": VERSION, "at": now(), "chainId": self.chain.id(), "sender": self.sender.address,
            "pool": self.pool, "broadcast": self.broadcast,
            "settled": { "groups": groups, "loansOpen": open, "loansRefused": refused }, "pending": pending, "lastError": self.last_error,
        });
        let text = serde_json::to_string_pretty(&value).map_err(|e| CliError::Crashed(e.to_string()))?;
        write_text(&self.root.join("submission.json"), &(text + "\n"))?;
        let sample = |name: &str, kind: &str, help: &str, value: u64| {
            let name = format!("zkml_evm_submission_{name}");
            format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
        };
        let text = [
            sample("groups_settled_total", "counter", "Groups whose transaction is in a block.", groups),
            sample("loans_open_total", "counter", "Loans that they opened.", open),
            sample("loans_refused_total", "counter", "Loans that the pool refused, the others of their groups aside.", refused),
            sample("groups_pending", "gauge", "Groups that are done and not settled.", self.pending.len() as u64),
        ];
        write_text(&self.root.join("submission.prom"), &text.concat()).map_err(|error: ServiceError| error.into())
    }
}

fn with_state(state: &str, outcome: &Outcome) -> Value {
    let mut value = json!(outcome);
    value["state"] = json!(state);
    value
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
