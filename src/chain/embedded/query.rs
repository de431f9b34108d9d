//! Reading the chain back: blocks, transactions, logs and fees in their RPC shapes.

use super::block::{Mined, MinedItem};
use super::fault::Fault;
use super::node::Node;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::primitives::BlockTransactions;
use alloy::primitives::{B256, Sealable, Sealed};
use alloy::rpc::types::{Block, FeeHistory, Filter, FilterBlockOption, Header as RpcHeader, Log, Transaction};

impl Node {
    /// The mined block that a tag or number names; `None` where there is none yet. `pending` is not mined.
    pub fn position(&self, tag: BlockNumberOrTag) -> Option<usize> {
        let head = self.blocks.len().saturating_sub(1);
        match tag {
            BlockNumberOrTag::Number(number) => usize::try_from(number).ok().filter(|n| *n <= head),
            BlockNumberOrTag::Earliest => Some(0),
            _ => Some(head),
        }
    }

    /// Accepts a state query at the head only: older states are not kept.
    pub fn require_head(&self, at: Option<BlockId>) -> Result<(), Fault> {
        let head = self.head().header.number;
        let asked = match at {
            None => return Ok(()),
            Some(BlockId::Number(BlockNumberOrTag::Number(number))) => Some(number),
            Some(BlockId::Number(BlockNumberOrTag::Earliest)) => Some(0),
            Some(BlockId::Number(_)) => return Ok(()),
            Some(BlockId::Hash(hash)) => self.number_of(hash.block_hash).and_then(|n| u64::try_from(n).ok()),
        };
        match asked {
            Some(number) if number == head => Ok(()),
            Some(number) if number < head => Err(Fault::past_state(number, head)),
            _ => Err(Fault::server("header not found")),
        }
    }

    /// A block as `eth_getBlockByNumber` returns it.
    pub fn block(&self, at: BlockNumberOrTag, full: bool) -> Option<Block> {
        if at == BlockNumberOrTag::Pending {
            return Some(Block::empty(RpcHeader::from_consensus(self.pending().seal_slow(), None, None)));
        }
        self.position(at).and_then(|index| self.blocks.get(index)).map(|mined| rpc_block(mined, full))
    }

    pub fn block_by_hash(&self, hash: B256, full: bool) -> Option<Block> {
        self.number_of(hash).and_then(|index| self.blocks.get(index)).map(|mined| rpc_block(mined, full))
    }

    pub fn item(&self, hash: B256) -> Option<(&Mined, &MinedItem)> {
        let mined = self.by_transaction.get(&hash).and_then(|index| self.blocks.get(*index))?;
        mined.item.as_ref().map(|item| (mined, item))
    }

    /// All logs that a filter matches, oldest first.
    pub fn logs(&self, filter: &Filter) -> Result<Vec<Log>, Fault> {
        let (from, to) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let at = self.number_of(hash).ok_or_else(|| Fault::server("unknown block"))?;
                (at, at)
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let head = self.blocks.len().saturating_sub(1);
                let place = |tag: Option<BlockNumberOrTag>| match tag {
                    Some(BlockNumberOrTag::Number(number)) => usize::try_from(number).unwrap_or(usize::MAX),
                    Some(tag) => self.position(tag).unwrap_or(head),
                    None => head,
                };
                (place(from_block), place(to_block).min(head))
            }
        };
        if from > to {
            return Ok(Vec::new());
        }
        let blocks = self.blocks.get(from..=to).unwrap_or_default();
        let logs = blocks.iter().filter_map(|mined| mined.item.as_ref()).flat_map(|item| item.receipt.logs());
        Ok(logs.filter(|log| filter.matches(&log.inner)).cloned().collect())
    }

    /// Base fees, fill and priority fees of the last blocks.
    pub fn fee_history(&self, count: u64, newest: BlockNumberOrTag, percentiles: &[f64]) -> FeeHistory {
        let newest = self.position(newest).unwrap_or_default();
        let count = usize::try_from(count.clamp(1, 1024)).unwrap_or(1);
        let oldest = (newest + 1).saturating_sub(count);
        let blocks = self.blocks.get(oldest..=newest).unwrap_or_default();
        let fee = |header: &alloy::consensus::Header| u128::from(header.base_fee_per_gas.unwrap_or_default());
        let after = match self.blocks.get(newest + 1) {
            Some(next) => fee(&next.header),
            None => fee(&self.pending()),
        };
        FeeHistory {
            base_fee_per_gas: blocks.iter().map(|mined| fee(&mined.header)).chain([after]).collect(),
            gas_used_ratio: blocks.iter().map(|mined| mined.header.gas_used as f64 / mined.header.gas_limit as f64).collect(),
            oldest_block: u64::try_from(oldest).unwrap_or_default(),
            reward: Some(blocks.iter().map(|mined| vec![priority_fee(mined); percentiles.len()]).collect()),
            ..FeeHistory::default()
        }
    }
}

/// What the block's one transaction paid above the base fee: every percentile of one value is that value.
fn priority_fee(mined: &Mined) -> u128 {
    let base = u128::from(mined.header.base_fee_per_gas.unwrap_or_default());
    mined.item.as_ref().map_or(0, |item| item.effective_gas_price.saturating_sub(base))
}

/// A mined transaction as `eth_getTransactionByHash` returns it.
pub(super) fn rpc_transaction(mined: &Mined, item: &MinedItem) -> Transaction {
    Transaction {
        inner: item.transaction.clone(),
        block_hash: Some(mined.header.hash()),
        block_number: Some(mined.header.number),
        transaction_index: Some(0),
        effective_gas_price: Some(item.effective_gas_price),
        block_timestamp: Some(mined.header.timestamp),
    }
}

fn rpc_block(mined: &Mined, full: bool) -> Block {
    let header: Sealed<alloy::consensus::Header> = mined.header.clone();
    let transactions = match (&mined.item, full) {
        (Some(item), true) => BlockTransactions::Full(vec![rpc_transaction(mined, item)]),
        (Some(item), false) => BlockTransactions::Hashes(vec![*item.transaction.tx_hash()]),
        (None, true) => BlockTransactions::Full(Vec::new()),
        (None, false) => BlockTransactions::Hashes(Vec::new()),
    };
    Block::new(RpcHeader::from_consensus(header, None, None), transactions)
}
