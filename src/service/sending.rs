//! Which of a group's loans go in which transaction, written down before the first of them is signed. A run after a kill then puts what was
//! signed together again, whatever its options are, and whatever the pool would say of a loan by now. What the journal does not know was not
//! signed, and binds nobody.

use super::{
    Destination, ServiceError,
    places::{self, io},
    settled::Done,
};
use crate::chain::journal::sync_folder;
use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

const FORMAT: &str = "zkml-evm/sending";
const VERSION: u32 = 1;

/// How many transactions a loan may be in that the pool refuses in a block for what may pass: each costs its part of the gas.
pub const MOST_TRIES: usize = 3;

/// `CHAIN-POOL.sending.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sending {
    format: String,
    version: u32,
    chain_id: u64,
    genesis: B256,
    pool: Address,
    /// The transactions, each with what decides its bytes.
    pub transactions: Vec<Share>,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Share {
    /// Gas that each of its loans gets.
    pub gas_per_item: u64,
    /// Its loans, by rising slots.
    pub loans: Vec<SlotLoan>,
}

/// A loan in its slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlotLoan {
    /// Its file in the group's folder.
    pub file: String,
    /// The slot.
    pub slot: usize,
}

impl Sending {
    /// Nothing is decided yet.
    pub fn new(to: Destination) -> Self {
        let Destination { chain_id, genesis, pool } = to;
        Self { format: FORMAT.into(), version: VERSION, chain_id, genesis, pool, transactions: Vec::new() }
    }

    /// How many of the transactions a file's loan is in, one after the other.
    pub fn tries(&self, file: &str) -> usize {
        self.loans().filter(|loan| loan.file == file).count()
    }

    /// Adds a transaction. Where there is one of the same loans, what a block refused goes again: by its gas it is another one.
    pub fn add(&mut self, gas_per_item: u64, loans: Vec<SlotLoan>) {
        let same = self.transactions.iter().filter(|share| share.loans == loans);
        let least = same.map(|share| share.gas_per_item.saturating_add(1)).max();
        self.transactions.push(Share { gas_per_item: gas_per_item.max(least.unwrap_or_default()), loans });
    }

    fn loans(&self) -> impl Iterator<Item = &SlotLoan> {
        self.transactions.iter().flat_map(|share| &share.loans)
    }

    /// What is wrong with what was read, in words.
    fn problem(&self, to: Destination) -> Option<String> {
        let of =
            |format: &str, version, chain_id, pool| format!("{format} version {version} for the pool {pool} on chain {chain_id}");
        let got = of(&self.format, self.version, self.chain_id, self.pool);
        let expected = of(FORMAT, VERSION, to.chain_id, to.pool);
        if got != expected {
            return Some(format!("it is {got}, expected {expected}"));
        }
        if self.transactions.iter().any(|share| share.loans.is_empty() || !share.loans.is_sorted_by(|a, b| a.slot < b.slot)) {
            return Some("a transaction has no loans, or their slots do not rise".into());
        }
        let (mut slot_of, mut file_of) = (BTreeMap::new(), BTreeMap::new());
        for SlotLoan { file, slot } in self.loans() {
            if slot_of.entry(file).or_insert(slot) != &slot || file_of.entry(slot).or_insert(file) != &file {
                return Some(format!("{file:?} or its slot {slot} comes twice"));
            }
            if self.tries(file) > MOST_TRIES {
                return Some(format!("{file:?} comes more than {MOST_TRIES} times"));
            }
        }
        let twice = (0..self.transactions.len()).find(|&at| self.transactions[..at].contains(&self.transactions[at]));
        twice.map(|at| format!("transaction {} comes twice", at + 1))
    }
}

impl Done {
    fn sending_path(&self, chain_id: u64, pool: Address) -> PathBuf {
        self.file(&format!("{chain_id}-{pool}.sending.json"))
    }

    /// What was decided about its loans; nothing where that was on a chain that is gone.
    ///
    /// # Errors
    /// A file that somebody changed.
    pub fn sending(&self, to: Destination) -> Result<Sending, ServiceError> {
        let path = self.sending_path(to.chain_id, to.pool);
        let Some(sending) = places::read_json::<Sending>(&path)? else { return Ok(Sending::new(to)) };
        match sending.problem(to) {
            None if sending.genesis == to.genesis => Ok(sending),
            None => Ok(Sending::new(to)),
            Some(problem) => Err(ServiceError::Damaged { path, problem }),
        }
    }

    /// Writes down what is decided. Only afterwards may any of it be signed.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn decide(&self, sending: &Sending) -> Result<(), ServiceError> {
        let path = self.sending_path(sending.chain_id, sending.pool);
        places::write_json(&path, sending)?;
        sync_folder(&path).map_err(io("write", &path))
    }
}
