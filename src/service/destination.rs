//! Where loans go: what a file says of another place, such as a rehearsal's, counts for nothing here.

use alloy::primitives::{Address, B256};

/// A pool on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The chain.
    pub chain_id: u64,
    /// The chain's first block: a local chain that was started anew is another chain of the same id.
    pub genesis: B256,
    /// The pool.
    pub pool: Address,
}
