//! Waiting: for a transaction or the one that replaced it to be in a block, and deep enough; for an account to come to rest.

use super::error::ChainError;
use super::provider::Chain;
use super::send::Signed;
use alloy::primitives::{Address, TxHash};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use std::time::{Duration, Instant};

/// Pauses after which a transaction that is in no block is handed to the node again.
pub(super) const REPEAT: u32 = 8;

impl Chain {
    /// Waits until no transaction of an account is under way, so that what the chain says is what an earlier run left.
    ///
    /// # Errors
    /// [`ChainError::UnderWay`] where one still is when patience ends.
    pub async fn settled(&self, account: Address) -> Result<(), ChainError> {
        let what = "looking for transactions under way";
        let start = Instant::now();
        loop {
            let (mined, sent) = (self.nonce(what, account).await?, self.pending_nonce(what, account).await?);
            if sent <= mined {
                return Ok(());
            }
            if start.elapsed() >= self.patience().confirm {
                let seconds = self.patience().confirm.as_secs();
                return Err(ChainError::UnderWay { account, count: sent - mined, seconds });
            }
            tokio::time::sleep(self.longest_pause()).await;
        }
    }

    /// How many transactions of an account are mined.
    pub(super) async fn nonce(&self, what: &str, account: Address) -> Result<u64, ChainError> {
        self.provider().get_transaction_count(account).await.map_err(|e| self.explain(what, e))
    }

    /// The same with those that the node holds and that follow without a gap.
    pub(super) async fn pending_nonce(&self, what: &str, account: Address) -> Result<u64, ChainError> {
        self.provider().get_transaction_count(account).pending().await.map_err(|e| self.explain(what, e))
    }

    /// Between two questions for the same thing.
    pub fn longest_pause(&self) -> Duration {
        if self.is_local() { Duration::from_millis(200) } else { Duration::from_secs(4) }
    }

    /// Waits until a transaction is as deep in the chain as it must be, whether it succeeded or not. Where the chain is reorganised
    /// meanwhile, what counts is the block that holds the transaction in the end.
    ///
    /// # Errors
    /// [`ChainError::NotMined`]; [`ChainError::NotDeep`] where no block comes any more.
    pub async fn confirm(&self, what: &str, tx: TxHash) -> Result<TransactionReceipt, ChainError> {
        self.confirm_any(what, &[tx], None).await
    }

    /// The same for transactions of one nonce, of which at most one is mined. `again` is handed to the node from time to time: nodes
    /// forget transactions, most of all those that a reorganisation threw out.
    pub(super) async fn confirm_any(
        &self,
        what: &str,
        txs: &[TxHash],
        again: Option<&Signed>,
    ) -> Result<TransactionReceipt, ChainError> {
        let expected = self.confirmations();
        let mut receipt = self.mined(what, txs, again).await?;
        if expected <= 1 {
            return Ok(receipt);
        }
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let (depth, latest) = self.depth(what, &receipt).await?;
            if depth >= expected {
                let later = self.mined(what, txs, again).await?;
                if later.block_hash == receipt.block_hash {
                    return Ok(later);
                }
                receipt = later;
                continue;
            }
            if latest > seen {
                (seen, since) = (latest, Instant::now());
            }
            if since.elapsed() >= self.patience().confirm {
                let (tx, seconds) = (receipt.transaction_hash, self.patience().confirm.as_secs());
                return Err(ChainError::NotDeep { what: what.to_owned(), tx, expected, depth, seconds });
            }
            tokio::time::sleep(self.longest_pause()).await;
        }
    }

    /// How many blocks deep a receipt's block is, its own included, and the last block's number.
    pub(super) async fn depth(&self, what: &str, receipt: &TransactionReceipt) -> Result<(u64, u64), ChainError> {
        let latest = self.provider().get_block_number().await.map_err(|e| self.explain(what, e))?;
        Ok((receipt.block_number.map_or(0, |at| latest.saturating_add(1).saturating_sub(at)), latest))
    }

    /// Waits until one of the transactions is in a block.
    async fn mined(&self, what: &str, txs: &[TxHash], again: Option<&Signed>) -> Result<TransactionReceipt, ChainError> {
        let (start, patience, turn) = (Instant::now(), self.patience().confirm, self.longest_pause() * REPEAT);
        loop {
            let left = patience.saturating_sub(start.elapsed());
            if let Some(receipt) = self.mined_within(what, txs, left.min(turn)).await? {
                return Ok(receipt);
            }
            if start.elapsed() >= patience {
                return Err(self.not_mined(what, txs));
            }
            if let Some(signed) = again {
                // It was sent before: what is said against it now, in whatever words, ends no waiting.
                self.publish(signed).await.ok();
            }
        }
    }

    pub(super) fn not_mined(&self, what: &str, txs: &[TxHash]) -> ChainError {
        let tx = txs.last().copied().unwrap_or_default();
        ChainError::NotMined { what: what.to_owned(), tx, seconds: self.patience().confirm.as_secs() }
    }

    /// Waits for a time until one of the transactions is in a block.
    pub(super) async fn mined_within(
        &self,
        what: &str,
        txs: &[TxHash],
        time: Duration,
    ) -> Result<Option<TransactionReceipt>, ChainError> {
        let (start, longest) = (Instant::now(), self.longest_pause());
        let mut pause = Duration::from_millis(5);
        loop {
            if let Some(receipt) = self.receipt_of_any(what, txs).await? {
                return Ok(Some(receipt));
            }
            if start.elapsed() >= time {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// The receipt of the one that is mined, the newest asked for first.
    pub(super) async fn receipt_of_any(&self, what: &str, txs: &[TxHash]) -> Result<Option<TransactionReceipt>, ChainError> {
        for &tx in txs.iter().rev() {
            match self.provider().get_transaction_receipt(tx).await.map_err(|e| self.explain(what, e))? {
                Some(receipt) if receipt.transaction_hash == tx => return Ok(Some(receipt)),
                Some(receipt) => {
                    let got = receipt.transaction_hash;
                    return Err(self.malformed(what, format!("asked for the receipt of {tx}, got that of {got}")));
                }
                None => {}
            }
        }
        Ok(None)
    }
}
