//! One execution in revm, and the translation of RPC transactions into its terms.

use super::block::GAS_LIMIT;
use alloy::consensus::{Transaction as _, TxEnvelope, Typed2718};
use alloy::primitives::{Address, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use revm::context::result::{EVMError, ResultAndState};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::context_interface::either::Either;
use revm::database::InMemoryDB;
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};
use std::convert::Infallible;

/// Runs one transaction on a state without changing it; the caller commits the changes or drops them.
pub(super) fn run(db: &InMemoryDB, cfg: CfgEnv, block: BlockEnv, tx: TxEnv) -> Result<ResultAndState, EVMError<Infallible>> {
    Context::mainnet().with_ref_db(db).with_cfg(cfg).with_block(block).build_mainnet().transact(tx)
}

/// A signed transaction in revm's terms.
pub(super) fn signed(sender: Address, tx: &TxEnvelope) -> TxEnv {
    TxEnv {
        tx_type: tx.ty(),
        caller: sender,
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: tx.chain_id(),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: tx.max_priority_fee_per_gas(),
        authorization_list: tx.authorization_list().unwrap_or_default().iter().cloned().map(Either::Left).collect(),
        ..TxEnv::default()
    }
}

/// A call that nobody signed, in revm's terms. Without a fee it runs at price zero.
pub(super) fn unsigned(request: &TransactionRequest, chain_id: u64, nonce: u64) -> TxEnv {
    let price = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
    let priority = request.max_fee_per_gas.map(|_| request.max_priority_fee_per_gas.unwrap_or_default());
    TxEnv {
        tx_type: if priority.is_some() { 2 } else { 0 },
        caller: request.from.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(GAS_LIMIT).min(GAS_LIMIT),
        gas_price: price,
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or(U256::ZERO),
        data: request.input.input().cloned().unwrap_or_default(),
        nonce,
        chain_id: Some(request.chain_id.unwrap_or(chain_id)),
        gas_priority_fee: priority,
        ..TxEnv::default()
    }
}
