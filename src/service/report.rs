//! What the process says of itself: `status.json`, and why a proof was refused.

use super::{Cost, ServiceError, Work, group::Entry, places::read_json, plan::Service};
use crate::error::Explain;
use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

const FORMAT: &str = "zkml-evm/aggregator-status";
const VERSION: u32 = 1;
/// Proofs that are done or refused of which the status still tells; the folders have all of them.
const REMEMBERED: usize = 1_000;

/// `NAME.reason.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    version: u32,
    /// The error's code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The next step.
    pub hint: String,
}

impl Reason {
    /// Of an error.
    pub fn new(error: &ServiceError) -> Self {
        Self { version: VERSION, code: error.code().into(), message: error.to_string(), hint: error.hint() }
    }
}

/// Sums since the folder was begun. A kill may lose what was counted in the last second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Proofs.
    pub accepted: u64,
    /// Proofs, by the error's code.
    pub refused: BTreeMap<String, u64>,
    /// Groups that are done.
    pub groups: u64,
    /// Proofs in them.
    pub aggregated: u64,
    /// Of proving groups.
    pub cpu_seconds: f64,
    /// Of proving groups.
    pub wall_seconds: f64,
    /// Errors that are no proof's.
    pub errors: u64,
}

/// An error that is no proof's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LastError {
    /// Its code.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// Seconds since 1970.
    pub at: u64,
}

/// How a proof stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum State {
    /// It waits for a group.
    Waiting { statement: B256 },
    /// It is being aggregated.
    InGroup { statement: B256, group: String },
    /// It is in an aggregate.
    Done { statement: B256, group: String },
    /// It is not taken.
    Refused { code: String },
}

/// A proof, by the name of its file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    /// As it was handed in; of refused ones the name in `refused/`.
    pub name: String,
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
}

/// The queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue {
    /// Most proofs that wait.
    pub limit: usize,
    /// Proofs that wait.
    pub waiting: usize,
    /// Files that were not looked at yet, or are held back.
    pub incoming: usize,
    /// Whether some are held back until a group makes room.
    pub full: bool,
}

/// `status.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    format: String,
    version: u32,
    /// The aggregate.
    pub aggregate_id: B256,
    /// When it was written, in seconds since 1970.
    pub at: u64,
    /// The queue.
    pub queue: Queue,
    /// Groups that are entered and not done.
    pub open: Vec<String>,
    /// Sums.
    pub totals: Totals,
    /// The last error that is no proof's.
    pub last_error: Option<LastError>,
    /// Proofs.
    pub proofs: Vec<Known>,
}

/// What is remembered beyond the folders.
#[derive(Debug, Default)]
pub struct Book {
    pub totals: Totals,
    pub last_error: Option<LastError>,
    /// Done or refused, the latest last.
    pub ended: VecDeque<Known>,
}

impl Book {
    /// Goes on where the last status ended. It is for people: one that is lost or damaged stops nobody.
    pub fn read(path: &Path) -> Self {
        let status =
            read_json::<Status>(path).ok().flatten().filter(|status| status.format == FORMAT && status.version == VERSION);
        let Some(status) = status else { return Self::default() };
        let ended = |known: &Known| matches!(known.state, State::Done { .. } | State::Refused { .. });
        let ended = status.proofs.into_iter().filter(ended).collect();
        Self { totals: status.totals, last_error: status.last_error, ended }
    }

    fn remember(&mut self, name: String, state: State) {
        self.ended.push_back(Known { name, state });
        let over = self.ended.len().saturating_sub(REMEMBERED);
        self.ended.drain(..over);
    }

    pub fn refused(&mut self, name: &str, code: &str) {
        *self.totals.refused.entry(code.into()).or_default() += 1;
        self.remember(name.into(), State::Refused { code: code.into() });
    }

    pub fn proven(&mut self, cost: &Cost) {
        self.totals.cpu_seconds += cost.cpu_seconds;
        self.totals.wall_seconds += cost.wall_seconds;
    }

    pub fn done(&mut self, entry: &Entry) {
        self.totals.groups += 1;
        self.totals.aggregated += entry.proofs.len() as u64;
        for (statement, name) in entry.members() {
            self.remember(name, State::Done { statement, group: entry.id() });
        }
    }

    pub fn failed(&mut self, error: &ServiceError) {
        self.totals.errors += 1;
        self.last_error = Some(LastError { code: error.code().into(), message: error.to_string(), at: now() });
    }
}

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Groups that are done.
    pub groups: u64,
    /// Files that were refused.
    pub refused: u64,
    /// Proofs that wait.
    pub waiting: usize,
}

impl<W: Work> Service<W> {
    /// Since the folder was begun, and now.
    pub fn counts(&self) -> Counts {
        let totals = &self.book.totals;
        Counts { groups: totals.groups, refused: totals.refused.values().sum(), waiting: self.waiting.len() }
    }

    /// How things stand; `incoming` files are not looked at yet.
    pub(super) fn status(&self, incoming: usize) -> Status {
        let waiting = self.waiting.values();
        let waiting = waiting.map(|w| Known { name: w.name.clone(), state: State::Waiting { statement: w.statement } });
        let in_group = self.open.iter().flat_map(|entry| {
            let known = |(statement, name)| Known { name, state: State::InGroup { statement, group: entry.id() } };
            entry.members().map(known)
        });
        Status {
            format: FORMAT.into(),
            version: VERSION,
            aggregate_id: self.work.aggregate_id(),
            at: now(),
            queue: Queue {
                limit: self.settings.queue,
                waiting: self.waiting.len(),
                incoming,
                full: self.is_full() || !self.held.is_empty(),
            },
            open: self.open.iter().map(Entry::id).collect(),
            totals: self.book.totals.clone(),
            last_error: self.book.last_error.clone(),
            proofs: waiting.chain(in_group).chain(self.book.ended.iter().cloned()).collect(),
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
