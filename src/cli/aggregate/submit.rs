//! `aggregate --watch DIR --submit POOL`: the loans of groups that are done, in as few transactions as there may be, through the journal of
//! `submit --many`.
//!
//! It shares nothing but folders with the process that aggregates: a group is read once it stands in `done/`, and what is decided of it and what
//! became of it are written beside it. A transaction is a function of these files alone, so that a run after a kill puts the same one together,
//! and the journal knows whether it was signed.

use super::group::{Prepared, Ready, Target, waits};
use crate::{
    chain::{
        item::{Item, Outcome},
        journal::Journal,
        many::Campaign,
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
use alloy::primitives::{Address, B256};
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
    target: Target,
    retry_failed: bool,
    /// The nonce after those that the journal knew when this process first saw it: what failed before is tried again, once.
    retry_below: Option<u64>,
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
            target: Target { chain, pool, sender: sender.address, gas_per_item: arguments.gas_per_item, watched },
            retry_failed: arguments.retry_failed,
            retry_below: None,
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
        let mut groups = Vec::new();
        for group in done(&self.root)? {
            let id = group.id.clone();
            match self.is_known(&group) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(failure) if failure.retryable() => return Err(failure),
                Err(failure) => {
                    self.unreadable(&id, &failure, rests);
                    continue;
                }
            }
            match self.target.prepare(group, &self.console).await {
                Ok(Prepared::Now(ready)) => groups.push(ready),
                Ok(Prepared::Later(state)) => self.keep(&id, state, Some(rests)),
                Ok(Prepared::NoPapers) => self.keep(&id, json!({ "state": "noPapers" }), None),
                Err(failure) if failure.retryable() => return Err(failure),
                Err(failure) => self.unreadable(&id, &failure, rests),
            }
        }
        let any = !groups.is_empty();
        match self.broadcast {
            true if any => self.send(groups, rests).await?,
            true => {}
            false => self.simulate(groups).await?,
        }
        match before == (self.settled.len(), self.pending.len()) && !any {
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
        let (chain_id, pool) = (json!(self.target.chain.id()), json!(self.target.pool));
        let here = |outcome: &Value| (&outcome["chainId"], &outcome["pool"]) == (&chain_id, &pool);
        let Some(outcome) = group.settled::<Value>()?.filter(here) else { return Ok(false) };
        self.count(&group.id, &outcome);
        Ok(true)
    }

    fn count(&mut self, id: &str, outcome: &Value) {
        let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let loans: Vec<Value> = array(&outcome["transactions"]).iter().flat_map(|sent| array(&sent["loans"])).collect();
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

    /// A group that cannot be read keeps no other waiting.
    fn unreadable(&mut self, id: &str, failure: &Failure, rests: [Duration; 2]) {
        self.console.warn(format!("group {id}: [{}] {failure}", failure.code()));
        self.keep(id, with_state("unreadable", &Outcome::refused(&**failure)), Some(rests));
    }

    /// How long a group rested last.
    fn rest_of(&self, id: &str) -> Duration {
        self.pending.get(id).map(|pending| pending.rest).unwrap_or_default()
    }

    async fn send(&mut self, groups: Vec<Ready>, rests: [Duration; 2]) -> Result<(), Failure> {
        for Ready { done, sending, .. } in &groups {
            done.decide(sending)?;
            let pending =
                Pending { state: json!({ "state": "sending" }), again: Some(Instant::now()), rest: self.rest_of(&done.id) };
            self.pending.insert(done.id.clone(), pending);
        }
        self.write_status()?;
        let items: Vec<_> = groups.iter().flat_map(|group| group.items.clone()).collect();
        let account = self.sender.account()?.clone();
        let chain = &self.target.chain;
        let journal = Journal::open(&self.journal, chain.id(), chain.genesis().await?, account.address())?;
        let known = *self.retry_below.get_or_insert(journal.end());
        let below = if self.retry_failed { known } else { 0 };
        let (console, names): (_, BTreeSet<String>) = (self.console, items.iter().map(|item| item.name.clone()).collect());
        let mut tell = |name: &str, outcome: &Outcome| {
            if names.contains(name) {
                console.note(format!("group {}", line(name, outcome)));
            }
        };
        let campaign = Campaign::new(chain, &account, journal, WINDOW, &mut tell).retrying(below);
        let (outcomes, failure) = campaign.run_as_far(items).await;
        // What is known is written down, whatever stopped the others.
        groups.into_iter().try_for_each(|group| self.conclude(group, &outcomes, rests))?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Writes down what became of a group where all of its transactions are in blocks; otherwise it stays, with what has to be decided anew.
    fn conclude(&mut self, mut group: Ready, outcomes: &BTreeMap<String, Outcome>, rests: [Duration; 2]) -> Result<(), Failure> {
        let id = group.done.id.clone();
        // What fails now may do later: a pool without money, a model that is frozen meanwhile, whose loan the others can go without.
        if let Some(refused) = group.take_back(outcomes) {
            group.done.decide(&group.sending)?;
            self.keep(&id, with_state("refused", refused), Some(rests));
            return Ok(());
        }
        let of = |item: &Item| outcomes.get(&item.name);
        if let Some(failed) = group.items.iter().filter_map(of).find(|outcome| matches!(outcome, Outcome::Failed { .. })) {
            self.keep(&id, with_state("failed", failed), None);
        } else if let Some(settled) = group.settled(outcomes) {
            if let Some(waits) = waits(&group.waiting) {
                self.keep(&id, waits, Some(rests));
                return Ok(());
            }
            group.done.settle(&settled)?;
            self.count(&id, &settled);
        }
        Ok(())
    }

    async fn simulate(&mut self, groups: Vec<Ready>) -> Result<(), Failure> {
        for group in groups {
            let state = match group.simulated(&self.target).await {
                Ok(state) => state,
                Err(error) if error.retryable() => return Err(error.into()),
                Err(error) => with_state("refused", &Outcome::refused(&error)),
            };
            self.console.note(format!("group {}: {state}; add --broadcast to send", group.done.id));
            self.keep(&group.done.id, state, None);
        }
        Ok(())
    }

    /// `submission.json` and `submission.prom`.
    fn write_status(&self) -> Result<(), Failure> {
        let Totals { groups, open, refused } = self.totals;
        let pending: BTreeMap<&String, &Value> = self.pending.iter().map(|(id, pending)| (id, &pending.state)).collect();
        let value = json!({
            "format": FORMAT, "version": VERSION, "at": now(), "chainId": self.target.chain.id(), "sender": self.sender.address,
            "pool": self.target.pool, "broadcast": self.broadcast,
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

/// An outcome as the state of a group.
pub(super) fn with_state(state: &str, outcome: &Outcome) -> Value {
    let mut value = json!(outcome);
    value["state"] = json!(state);
    value
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
