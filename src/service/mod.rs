//! A process that aggregates: proofs come into a folder from whoever may write there, are checked, wait for their group, and leave as one
//! aggregate.
//!
//! ```text
//! DIR/incoming/NAME --check--> DIR/waiting/STATEMENT.NAME --group--> DIR/groups/GROUP/ --prove, rename--> DIR/done/GROUP/
//!                   \--------> DIR/refused/NAME, NAME.reason.json
//! ```
//!
//! The folders are the state. Whatever happens is a sequence of acts ([`act`]), each of which changes one thing on disk; between any two of
//! them the process may be killed, and what is left to do is read off the folders again ([`Service::step`]).

mod act;
mod destination;
mod error;
mod group;
mod handed_in;
mod incoming;
mod metrics;
mod places;
mod plan;
mod report;
mod sending;
mod settled;
#[cfg(test)]
mod tests;
mod waiting;

pub use destination::Destination;
pub use error::ServiceError;
pub use handed_in::{LoanFile, PAPERS_TEXT, Papers};
pub use places::write_text;
pub use plan::{Service, Settings};
pub use report::Counts;
pub use sending::{MOST_TRIES, Sending, Share, SlotLoan};
pub use settled::{Done, Sent, Settled, done};

use crate::artifact::{
    ArtifactError,
    aggregate::{KindSlots, Part},
};
use alloy::primitives::B256;
use std::path::Path;

/// What proving one group took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// CPU seconds of all threads.
    pub cpu_seconds: f64,
    /// Seconds on the clock.
    pub wall_seconds: f64,
}

/// What checks proofs and makes one of many.
pub trait Work {
    /// The aggregate's identity: a folder serves one only.
    fn aggregate_id(&self) -> B256;
    /// What is taken, by model or aggregate.
    fn kinds(&self) -> Vec<KindSlots>;
    /// No proof file is longer.
    fn longest_file(&self) -> usize;
    /// Checks one proof by itself.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, proof: &Part) -> Result<(), ArtifactError>;
    /// Makes one of many and writes it to `out`, whole or not at all.
    ///
    /// # Errors
    /// As [`crate::artifact::aggregate::Aggregator::aggregate`], and a file that cannot be written.
    fn aggregate(&self, proofs: &[Part], out: &Path) -> Result<Cost, ArtifactError>;
    /// Checks what [`Work::aggregate`] has written.
    ///
    /// # Errors
    /// What is wrong with it.
    fn verify(&self, aggregate: &Path) -> Result<(), ArtifactError>;
}
