//! Which of a group's loans go in which transaction, written down before the first of them is signed. A run after a kill then puts the same
//! transactions together, whatever its options are, and whatever the pool would say of a loan by now.

use super::{
    ServiceError,
    places::{self, io},
    settled::Done,
};
use crate::chain::journal::sync_folder;
use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

const FORMAT: &str = "zkml-evm/sending";
const VERSION: u32 = 1;

/// `CHAIN-POOL.sending.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sending {
    format: String,
    version: u32,
    /// On which chain.
    pub chain_id: u64,
    /// To which pool.
    pub pool: Address,
    /// The transactions, each with what decides its bytes.
    pub transactions: Vec<Share>,
    /// Files whose loans were open already.
    pub already_open: BTreeSet<String>,
    /// Files whose loans are in none of them, with why.
    pub left_out: BTreeMap<String, String>,
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
    pub fn new(chain_id: u64, pool: Address) -> Self {
        let (transactions, already_open, left_out) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Self { format: FORMAT.into(), version: VERSION, chain_id, pool, transactions, already_open, left_out }
    }

    /// Whether it is decided what becomes of a file's loan.
    pub fn knows(&self, file: &str) -> bool {
        self.already_open.contains(file) || self.left_out.contains_key(file) || self.loans().any(|loan| loan.file == file)
    }

    fn loans(&self) -> impl Iterator<Item = &SlotLoan> {
        self.transactions.iter().flat_map(|share| &share.loans)
    }

    /// What is wrong with what was read, in words.
    fn problem(&self, chain_id: u64, pool: Address) -> Option<String> {
        let of =
            |format: &str, version, chain_id, pool| format!("{format} version {version} for the pool {pool} on chain {chain_id}");
        let got = of(&self.format, self.version, self.chain_id, self.pool);
        let expected = of(FORMAT, VERSION, chain_id, pool);
        if got != expected {
            return Some(format!("it is {got}, expected {expected}"));
        }
        if self.transactions.iter().any(|share| share.loans.is_empty() || !share.loans.is_sorted_by(|a, b| a.slot < b.slot)) {
            return Some("a transaction has no loans, or their slots do not rise".into());
        }
        let (mut files, mut slots) = (BTreeSet::new(), BTreeSet::new());
        let twice = self.loans().find(|loan| !files.insert(&loan.file) || !slots.insert(loan.slot));
        twice.map(|loan| format!("{:?} or its slot {} comes twice", loan.file, loan.slot))
    }
}

impl Done {
    fn sending_path(&self, chain_id: u64, pool: Address) -> PathBuf {
        self.file(&format!("{chain_id}-{pool}.sending.json"))
    }

    /// What was decided about its loans, where something was.
    ///
    /// # Errors
    /// A file that somebody changed.
    pub fn sending(&self, chain_id: u64, pool: Address) -> Result<Option<Sending>, ServiceError> {
        let path = self.sending_path(chain_id, pool);
        let Some(sending) = places::read_json::<Sending>(&path)? else { return Ok(None) };
        match sending.problem(chain_id, pool) {
            None => Ok(Some(sending)),
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
