//! The chain itself: state, blocks, and the mining of one transaction into one block.

use super::block::{self, Clock, Mined, MinedItem};
use super::fault::Fault;
use super::{CREATE2_FACTORY, CREATE2_FACTORY_CODE, EmbeddedOptions, evm};
use crate::chain::dev_accounts;
use alloy::consensus::transaction::{Recovered, SignerRecoverable};
use alloy::consensus::{Eip658Value, Header, Receipt, ReceiptEnvelope, Transaction as _, TxEnvelope, TxType};
use alloy::eips::Decodable2718;
use alloy::primitives::{Address, B256, Bytes, Sealed, TxHash, U256};
use alloy::rpc::types::{Log, TransactionReceipt};
use revm::bytecode::Bytecode;
use revm::context::CfgEnv;
use revm::context::result::{ExecutionResult, Output};
use revm::database::InMemoryDB;
use revm::state::AccountInfo;
use revm::{DatabaseCommit, DatabaseRef};
use std::collections::HashMap;

/// State, blocks and clock of one embedded chain.
pub(super) struct Node {
    pub options: EmbeddedOptions,
    pub db: InMemoryDB,
    /// Indexed by block number.
    pub blocks: Vec<Mined>,
    pub by_transaction: HashMap<TxHash, usize>,
    pub clock: Clock,
    genesis: Mined,
}

impl Node {
    pub fn new(options: EmbeddedOptions) -> Self {
        let mut db = InMemoryDB::default();
        for address in dev_accounts::addresses() {
            db.insert_account_info(address, AccountInfo { balance: dev_accounts::BALANCE, ..AccountInfo::default() });
        }
        if options.create2_factory {
            let code = Bytecode::new_raw(CREATE2_FACTORY_CODE);
            let info = AccountInfo { nonce: 1, code_hash: code.hash_slow(), code: Some(code), ..AccountInfo::default() };
            db.insert_account_info(CREATE2_FACTORY, info);
        }
        let genesis = block::genesis(options.chain_id);
        db.cache.block_hashes.insert(U256::ZERO, genesis.header.hash());
        Self { options, db, blocks: vec![genesis.clone()], by_transaction: HashMap::new(), clock: Clock::default(), genesis }
    }

    /// The last block; there is always one.
    pub fn head(&self) -> &Mined {
        self.blocks.last().unwrap_or(&self.genesis)
    }

    /// The header that a block mined now would have.
    pub fn pending(&self) -> Header {
        let parent = &self.head().header;
        block::child(parent, self.clock.peek(parent.timestamp))
    }

    pub fn config(&self) -> CfgEnv {
        CfgEnv::new_with_spec(self.options.hardfork.spec()).with_chain_id(self.options.chain_id)
    }

    /// The account at the head; an untouched address is an empty account.
    pub fn account(&self, address: Address) -> AccountInfo {
        let Ok(found) = self.db.basic_ref(address);
        found.unwrap_or_default()
    }

    pub fn code(&self, address: Address) -> Bytes {
        let Ok(code) = self.db.code_by_hash_ref(self.account(address).code_hash);
        code.original_bytes()
    }

    /// Mines a raw signed transaction into a block of its own, or says why the rules refuse it.
    pub fn submit(&mut self, raw: &[u8]) -> Result<TxHash, Fault> {
        let mut rest = raw;
        let tx =
            TxEnvelope::decode_2718(&mut rest).map_err(|e| Fault::params(format!("failed to decode signed transaction: {e}")))?;
        if !rest.is_empty() {
            return Err(Fault::params(format!("failed to decode signed transaction: {} bytes after its end", rest.len())));
        }
        if tx.tx_type() == TxType::Eip4844 {
            return Err(Fault::rejected("transaction type not supported: the embedded chain takes no blobs"));
        }
        let hash = *tx.tx_hash();
        if self.by_transaction.contains_key(&hash) {
            return Err(Fault::rejected("already known"));
        }
        let sender = tx.recover_signer().map_err(|_| Fault::rejected("invalid sender: the signature does not recover"))?;
        self.mine(Recovered::new_unchecked(tx, sender))?;
        Ok(hash)
    }

    /// Adds a block without a transaction (`evm_mine`).
    pub fn mine_empty(&mut self) {
        let header = block::seal(self.pending(), None);
        self.append(header, None);
    }

    fn mine(&mut self, tx: Recovered<TxEnvelope>) -> Result<(), Fault> {
        let sender = tx.signer();
        let header = self.pending();
        let cfg = self.config();
        let env = block::environment(&header, cfg.blob_base_fee_update_fraction());
        let done = evm::run(&self.db, cfg, env, evm::signed(sender, &tx)).map_err(|error| Fault::refused(sender, error))?;
        self.db.commit(done.state);

        let price = tx.effective_gas_price(header.base_fee_per_gas);
        let mut receipt = receipt(&tx, &header, &done.result, price);
        let sealed = block::seal(header, Some((tx.inner(), &receipt)));
        stamp(&mut receipt, &sealed);
        self.by_transaction.insert(receipt.transaction_hash, self.blocks.len());
        self.append(sealed, Some(MinedItem { transaction: tx, receipt, effective_gas_price: price }));
        Ok(())
    }

    fn append(&mut self, header: Sealed<Header>, item: Option<MinedItem>) {
        self.clock.consume();
        self.db.cache.block_hashes.insert(U256::from(header.number), header.hash());
        self.blocks.push(Mined { header, item });
    }

    /// The block number that a hash names.
    pub fn number_of(&self, hash: B256) -> Option<usize> {
        self.blocks.iter().rposition(|block| block.header.hash() == hash)
    }
}

/// The receipt of a transaction, still without the hash of the block that it goes into.
fn receipt(tx: &Recovered<TxEnvelope>, header: &Header, result: &ExecutionResult, price: u128) -> TransactionReceipt {
    let hash = *tx.tx_hash();
    let logs: Vec<Log> = if result.is_success() { result.logs() } else { &[] }
        .iter()
        .enumerate()
        .map(|(index, log)| Log {
            inner: log.clone(),
            block_number: Some(header.number),
            block_timestamp: Some(header.timestamp),
            transaction_hash: Some(hash),
            transaction_index: Some(0),
            log_index: u64::try_from(index).ok(),
            ..Log::default()
        })
        .collect();
    let gas_used = result.tx_gas_used();
    let inner = Receipt { status: Eip658Value::Eip658(result.is_success()), cumulative_gas_used: gas_used, logs }.with_bloom();
    let contract_address = match result {
        ExecutionResult::Success { output: Output::Create(_, address), .. } => *address,
        _ => None,
    };
    TransactionReceipt {
        inner: ReceiptEnvelope::from_typed(tx.tx_type(), inner),
        transaction_hash: hash,
        transaction_index: Some(0),
        block_hash: None,
        block_number: Some(header.number),
        gas_used,
        effective_gas_price: price,
        blob_gas_used: None,
        blob_gas_price: None,
        from: tx.signer(),
        to: tx.to(),
        contract_address,
    }
}

/// Writes the block's hash, known only once the receipt is, into the receipt and its logs.
fn stamp(receipt: &mut TransactionReceipt, header: &Sealed<Header>) {
    let hash = Some(header.hash());
    receipt.block_hash = hash;
    receipt.inner = receipt.inner.clone().map_logs(|log| Log { block_hash: hash, ..log });
}
