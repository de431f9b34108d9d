//! One of many transactions: what it is to do, and what became of it.

use super::error::ChainError;
use super::journal::{self, opening_of};
use super::lanes::Lanes;
use super::opening::Opening;
use super::send::Call;
use crate::error::Explain;
use alloy::primitives::{Address, B256, TxHash};
use serde::{Deserialize, Serialize};

/// A loan to open, or the loans of a batch.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name, for people.
    pub name: String,
    /// keccak256 of its proof file.
    pub proof: B256,
    /// What to send.
    pub opening: Opening,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// Its loan is open.
    Settled { loan_id: String, borrower: Address, amount: String, tx: TxHash, block: Option<u64>, gas_used: u64 },
    /// What became of each loan of a batch.
    Batch { loans: Vec<BatchedLoan>, tx: TxHash, block: Option<u64>, gas_used: u64 },
    /// Its attestation has its loan already, by a transaction that is not in the journal.
    AlreadyOpen,
    /// Another item is the same to the last byte.
    Duplicate { of: String },
    /// It would fail, or the node does not take it.
    Refused { code: String, reason: String },
    /// It was sent and is in a block, and opened nothing.
    Failed { tx: TxHash, reason: String },
}

/// A loan of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BatchedLoan {
    /// It is open.
    Settled { borrower: Address, loan_id: String, amount: String },
    /// The pool refused it, and opened the others; whether the same papers may still open it later.
    Refused { borrower: Address, reason: String, may_pass: bool },
}

impl Outcome {
    /// Refused because of this.
    pub fn refused(error: &dyn Explain) -> Self {
        Self::Refused { code: error.code().to_owned(), reason: error.to_string() }
    }

    /// Whether the item has its loan.
    pub fn is_good(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Failed { .. })
    }
}

impl Item {
    pub(super) fn call(&self) -> Call {
        Call { what: opening_of(&self.name), ..self.opening.call() }
    }

    /// What the item is, whatever its name.
    pub fn digest(&self) -> B256 {
        let call = self.opening.call();
        journal::digest(call.to, &call.data)
    }

    pub(super) fn lanes(&self) -> Lanes {
        self.opening.lanes()
    }
}

/// Whether an error is an item's own: its call fails, takes too much, or its pool is none. Every other one concerns all items.
pub fn is_of_the_item(error: &ChainError) -> bool {
    use ChainError as E;
    matches!(
        error,
        E::Reverted { .. } | E::NoContract { .. } | E::GasLimit { .. } | E::CostTooHigh { .. } | E::MalformedAnswer { .. }
    )
}
