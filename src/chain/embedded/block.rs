//! What one mined block is, and what the next one will be: header fields, base fee, and the clock.

use super::fault::Fault;
use alloy::consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy::consensus::transaction::Recovered;
use alloy::consensus::{EMPTY_ROOT_HASH, Header, TxEnvelope};
use alloy::eips::eip1559::BaseFeeParams;
use alloy::eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy::primitives::{B256, Sealable, Sealed, U256, keccak256};
use alloy::rpc::types::TransactionReceipt;
use revm::context::BlockEnv;
use std::time::{SystemTime, UNIX_EPOCH};

/// Gas that fits into one block, as on anvil.
pub(super) const GAS_LIMIT: u64 = 30_000_000;
/// Base fee of the first block, in wei, as on anvil.
const FIRST_BASE_FEE: u64 = 1_000_000_000;

/// A block, with its one transaction (none in the first block and in empty ones).
#[derive(Debug, Clone)]
pub(super) struct Mined {
    pub header: Sealed<Header>,
    pub item: Option<MinedItem>,
}

/// The transaction of a block and what became of it.
#[derive(Debug, Clone)]
pub(super) struct MinedItem {
    pub transaction: Recovered<TxEnvelope>,
    pub receipt: TransactionReceipt,
    pub effective_gas_price: u128,
}

/// Wall clock plus what `evm_increaseTime` added; a block's time is always after its parent's.
#[derive(Debug, Default)]
pub(super) struct Clock {
    offset: u64,
    next: Option<u64>,
}

impl Clock {
    /// The time, in seconds, of a block mined now on top of one mined at `parent`.
    pub fn peek(&self, parent: u64) -> u64 {
        self.next.unwrap_or_else(|| (wall_seconds().saturating_add(self.offset)).max(parent.saturating_add(1)))
    }

    /// Uses up a time set by [`Clock::set_next`]; later blocks go on from there.
    pub fn consume(&mut self) {
        if let Some(next) = self.next.take() {
            self.offset = next.saturating_sub(wall_seconds());
        }
    }

    pub fn advance(&mut self, seconds: u64) -> u64 {
        self.offset = self.offset.saturating_add(seconds);
        self.offset
    }

    pub fn set_next(&mut self, at: u64, parent: u64) -> Result<(), Fault> {
        if at <= parent {
            return Err(Fault::params(format!("timestamp {at} is not after the last block's, {parent}")));
        }
        self.next = Some(at);
        Ok(())
    }
}

fn wall_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The first block of a chain.
pub(super) fn genesis(chain_id: u64) -> Mined {
    let header = Header {
        gas_limit: GAS_LIMIT,
        timestamp: wall_seconds(),
        base_fee_per_gas: Some(FIRST_BASE_FEE),
        // Two chains of one process must not share block hashes.
        mix_hash: keccak256(chain_id.to_be_bytes()),
        ..post_merge()
    };
    Mined { header: header.seal_slow(), item: None }
}

/// The header of a block on top of `parent`, before anything has run in it.
pub(super) fn child(parent: &Sealed<Header>, timestamp: u64) -> Header {
    let base_fee = parent.base_fee_per_gas.unwrap_or(FIRST_BASE_FEE);
    Header {
        parent_hash: parent.hash(),
        number: parent.number.saturating_add(1),
        gas_limit: GAS_LIMIT,
        timestamp,
        base_fee_per_gas: Some(BaseFeeParams::ethereum().next_block_base_fee(parent.gas_used, parent.gas_limit, base_fee)),
        mix_hash: keccak256(parent.hash()),
        ..post_merge()
    }
}

/// Closes a block over its transaction.
pub(super) fn seal(mut header: Header, item: Option<(&TxEnvelope, &TransactionReceipt)>) -> Sealed<Header> {
    if let Some((transaction, receipt)) = item {
        let consensus = receipt.inner.clone().map_logs(|log| log.inner);
        header.gas_used = receipt.gas_used;
        header.logs_bloom = *receipt.inner.logs_bloom();
        header.transactions_root = calculate_transaction_root(std::slice::from_ref(transaction));
        header.receipts_root = calculate_receipt_root(&[consensus]);
    }
    header.seal_slow()
}

/// The environment that revm runs a block's transaction in.
pub(super) fn environment(header: &Header, blob_fraction: u64) -> BlockEnv {
    let mut env = BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        prevrandao: Some(header.mix_hash),
        ..BlockEnv::default()
    };
    env.set_blob_excess_gas_and_price(0, blob_fraction);
    env
}

fn post_merge() -> Header {
    Header {
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}
