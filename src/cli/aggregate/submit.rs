//! `aggregate --watch DIR --submit POOL`: the loans of groups that are done, in as few transactions as there may be, through the journal of
//! `submit --many`.
//!
//! It shares nothing but folders with the process that aggregates: a group is read once it stands in `done/`, and what is decided of it and what
//! became of it are written beside it. A transaction is a function of these files alone, so that a run after a kill puts the same one together,
//! and the journal knows whether it was signed: what was not is decided anew.
//!
//! What concerns one group keeps no other waiting: a file of it that cannot be read or written, a loan that is refused. What concerns all of
//! them, the node, the account or the journal, ends a pass, and the next one goes on.

use super::{
    again::Refused,
    group::{Papered, Pass, Prepared, Ready, SHALLOW, Target, with_state},
    status::{Of, Status},
    turn::Turns,
    unanswered::{Heard, Unanswered},
};
use crate::{
    chain::{
        ChainError,
        item::{Item, Outcome},
        journal::Journal,
        many::Campaign,
    },
    cli::{
        failure::Failure,
        output::Console,
        send::{SendArguments, Sender},
        submit::line,
        submit_batch,
    },
    error::Explain,
    service::{Destination, Done, ServiceError, done},
};
use alloy::primitives::{Address, B256};
use clap::Args;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    path::{Path, PathBuf},
    time::Duration,
};

/// Most transactions in flight.
const WINDOW: usize = 16;

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
    status: Status,
    /// By groups and files: what a block refused for what may pass.
    refused: BTreeMap<String, BTreeMap<String, Refused>>,
    /// Groups and files of loans of which it was told that they are left out.
    told: BTreeSet<(String, String)>,
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
        let to = Destination { chain_id: chain.id(), genesis: chain.genesis().await?, pool };
        let journal = root.join(format!("{}-{}.journal", chain.id(), sender.address));
        let (broadcast, gas_per_item) = (arguments.send.broadcast, arguments.gas_per_item);
        Ok(Some(Self {
            root: root.into(),
            target: Target { chain, to, sender: sender.address, gas_per_item, watched },
            retry_failed: arguments.retry_failed,
            retry_below: None,
            status: Status::new(root, Of { to, sender: sender.address, broadcast }),
            sender,
            broadcast,
            journal: arguments.journal.clone().unwrap_or(journal),
            console: *console,
            refused: BTreeMap::new(),
            told: BTreeSet::new(),
        }))
    }

    /// Sends what is done, again and again; errors are told, and what they stopped is tried again.
    pub async fn watch(mut self, look: Duration, rests: [Duration; 2]) -> Infallible {
        let mut rest = rests[0];
        loop {
            let pause = match self.pass(rests).await {
                Ok(any) => {
                    rest = rests[0];
                    if any {
                        self.status.wake();
                    }
                    look
                }
                Err(error) => {
                    self.console.warn(format!("[{}] {error}; sending again in {} s", error.code(), rest.as_secs()));
                    self.status.failed(&error);
                    let next = (2 * rest).min(rests[1]);
                    std::mem::replace(&mut rest, next)
                }
            };
            self.status.write(&self.console);
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends what is done and due, and what waited for that; whether every group with papers is settled then.
    ///
    /// # Errors
    /// What concerns all groups: the node, the account, the journal, the disk.
    pub async fn once(mut self, rests: [Duration; 2]) -> Result<bool, Failure> {
        let outcome = loop {
            match self.pass(rests).await {
                Ok(true) if self.status.wake() => {}
                outcome => break outcome,
            }
        };
        if let Err(error) = &outcome {
            self.status.failed(error);
        }
        self.status.write(&self.console);
        outcome.map(|_| self.status.is_all_settled())
    }

    /// Looks at what is due; whether something may have waited for what came of it: a transaction was signed and is in a block, or a loan in one
    /// was refused for now only.
    async fn pass(&mut self, rests: [Duration; 2]) -> Result<bool, Failure> {
        let due = self.due(rests)?;
        if due.is_empty() {
            return Ok(false);
        }
        // What nothing was signed for is not bound: the journal comes before every decision. A dry run begins none.
        let failed = |error: std::io::Error| ChainError::File { path: self.journal.clone(), reason: error.to_string() };
        let journal = match self.journal.try_exists().map_err(failed)? {
            true => Some(self.open_journal().await?),
            false => None,
        };
        let retry_below = self.retry_below(journal.as_ref());
        let refused = self.refused.clone();
        let (journal_of, turns) = (journal.as_ref(), Turns::new());
        let (mut pass, mut groups) = (Pass { journal: journal_of, retry_below, refused: &refused, turns }, Vec::new());
        let mut unanswered = Unanswered::default();
        for group in due {
            let id = group.done.id.clone();
            match unanswered.sort_out(self.target.prepare(group, &mut pass).await) {
                Heard::Nothing => continue,
                Heard::NothingAgain => break,
                Heard::Answer(Ok(Prepared::Now(ready))) => {
                    self.tell(&id, &ready.rest.left_out);
                    groups.push(ready);
                }
                Heard::Answer(Ok(Prepared::Later(state, rest))) => {
                    self.tell(&id, &rest.left_out);
                    self.status.keep(&id, state, Some(rests));
                }
                Heard::Answer(Err(failure)) => self.trouble(&id, "unreadable", &failure, rests),
            }
        }
        let any = match self.broadcast {
            _ if groups.is_empty() => Ok(false),
            true => self.send(groups, journal, retry_below, rests).await,
            false => self.simulate(groups).await.map(|()| false),
        };
        unanswered.first.map_or(any, Err)
    }

    /// Groups that are neither settled nor resting, with papers.
    fn due(&mut self, rests: [Duration; 2]) -> Result<Vec<Papered>, Failure> {
        let mut due = Vec::new();
        for group in done(&self.root)? {
            if !self.status.is_due(&group.id) {
                continue;
            }
            let id = group.id.clone();
            match self.look_at(group) {
                Ok(group) => due.extend(group),
                Err(error) => self.trouble(&id, "unreadable", &error.into(), rests),
            }
        }
        Ok(due)
    }

    /// What there is of a group; nothing where it is settled, or has no papers.
    fn look_at(&mut self, group: Done) -> Result<Option<Papered>, ServiceError> {
        let id = group.id.clone();
        if let Some(settled) = group.settled(self.target.to)? {
            self.status.count(&id, &settled);
            return Ok(None);
        }
        let read = self.target.read(group)?;
        if read.is_none() {
            self.status.keep(&id, json!({ "state": "noPapers" }), None);
        }
        Ok(read)
    }

    async fn open_journal(&self) -> Result<Journal, Failure> {
        let chain = &self.target.chain;
        Ok(Journal::open(&self.journal, chain.id(), chain.genesis().await?, self.sender.address)?)
    }

    /// A group whose own files cannot be read or written keeps no other waiting.
    fn trouble(&mut self, id: &str, state: &str, failure: &Failure, rests: [Duration; 2]) {
        self.console.warn(format!("group {id}: [{}] {failure}", failure.code()));
        self.status.keep(id, with_state(state, &Outcome::refused(&**failure)), Some(rests));
    }

    /// What is left out is told once; the words for it may have the time in them.
    fn tell(&mut self, id: &str, left_out: &BTreeMap<String, String>) {
        for (name, reason) in left_out {
            if self.told.insert((id.to_owned(), name.clone())) {
                self.console.note(format!("group {id}: {name:?}: left out: {reason}"));
            }
        }
    }

    fn refused_of(&self, id: &str, name: &str) -> Option<&Refused> {
        self.refused.get(id)?.get(name)
    }

    /// The nonce below which what reverted is tried again, the same for as long as this process lives.
    fn retry_below(&mut self, journal: Option<&Journal>) -> u64 {
        let known = *self.retry_below.get_or_insert_with(|| journal.map_or(0, Journal::end));
        if self.retry_failed { known } else { 0 }
    }

    async fn send(
        &mut self,
        groups: Vec<Ready>,
        journal: Option<Journal>,
        retry_below: u64,
        rests: [Duration; 2],
    ) -> Result<bool, Failure> {
        let mut going = Vec::new();
        for group in groups {
            let id = group.done.id.clone();
            match group.done.decide(&group.sending) {
                Ok(()) => {
                    self.status.sending(&id);
                    going.push(group);
                }
                Err(error) => self.trouble(&id, "unwritable", &error.into(), rests),
            }
        }
        self.status.write(&self.console);
        let journal = match journal {
            Some(journal) => journal,
            None => self.open_journal().await?,
        };
        let items: Vec<Item> = going.iter().flat_map(|group| group.items.clone()).collect();
        let is_new = |item: &&Item| !journal.binds(&item.digest(), retry_below);
        let new: BTreeSet<String> = items.iter().filter(is_new).map(|item| item.name.clone()).collect();
        let (outcomes, failure) = self.run(items, journal, retry_below).await?;
        // What is known is written down, whatever stopped the others.
        let mut failure = failure.map(Failure::from);
        // The pool is asked at once about what is newly known to be refused for now only.
        let mut any = new.iter().any(|name| matches!(outcomes.get(name), Some(Outcome::Batch { .. })));
        for mut group in going {
            let refused = group.refused_for_now(&outcomes);
            any |= refused.iter().any(|(name, refused)| self.refused_of(&group.done.id, name) != Some(refused));
            self.refused.insert(group.done.id.clone(), refused);
            let concluded = self.conclude(group, &outcomes, rests).await;
            failure = failure.or(concluded.err());
        }
        failure.map_or(Ok(any), Err)
    }

    async fn run(
        &mut self,
        items: Vec<Item>,
        journal: Journal,
        retry_below: u64,
    ) -> Result<(BTreeMap<String, Outcome>, Option<ChainError>), Failure> {
        let account = self.sender.account()?.clone();
        let (console, names): (_, BTreeSet<String>) = (self.console, items.iter().map(|item| item.name.clone()).collect());
        let mut tell = |name: &str, outcome: &Outcome| {
            if names.contains(name) {
                console.note(format!("group {}", line(name, outcome)));
            }
        };
        let campaign = Campaign::new(&self.target.chain, &account, journal, WINDOW, &mut tell).retrying(retry_below);
        Ok(campaign.run_as_far(items).await)
    }

    /// Writes down what became of a group where all of its transactions are in blocks; otherwise it stays: what was not signed is decided anew.
    async fn conclude(
        &mut self,
        group: Ready,
        outcomes: &BTreeMap<String, Outcome>,
        rests: [Duration; 2],
    ) -> Result<(), Failure> {
        let id = group.done.id.clone();
        let found = |what: fn(&Outcome) -> bool| {
            group.items.iter().filter_map(|item| outcomes.get(&item.name)).find(|outcome| what(outcome))
        };
        // What fails now may do later: a pool without money, a model that is frozen meanwhile, whose loan the others can go without.
        if let Some(refused) = found(|outcome| matches!(outcome, Outcome::Refused { .. })) {
            self.status.keep(&id, group.rest.with(with_state("refused", refused)), Some(rests));
            return Ok(());
        }
        if let Some(failed) = found(|outcome| matches!(outcome, Outcome::Failed { .. })) {
            // What is not among what failed is asked about again all the same.
            let again = (!group.rest.waiting.is_empty()).then_some(rests);
            self.status.keep(&id, group.rest.with(with_state("failed", failed)), again);
            return Ok(());
        }
        let Some(settled) = group.settled(self.target.to, outcomes) else { return Ok(()) };
        if let Some(waits) = group.rest.waits() {
            self.status.keep(&id, waits, Some(rests));
        } else if !group.is_for_good(&self.target.chain, outcomes).await? {
            self.status.keep(&id, json!({ "state": "waits", "reason": SHALLOW }), Some(rests));
        } else if let Err(error) = group.done.settle(&settled) {
            self.trouble(&id, "unwritable", &error.into(), rests);
        } else {
            self.status.count(&id, &settled);
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
            self.status.keep(&group.done.id, state, None);
        }
        Ok(())
    }
}
