//! Calls and gas estimates: executions whose changes are dropped.

use super::block;
use super::evm;
use super::fault::Fault;
use super::node::Node;
use alloy::primitives::{Bytes, U256};
use alloy::rpc::types::TransactionRequest;
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, HaltReason};

impl Node {
    /// `eth_call` on the pending block: the returned bytes (of a creation, the runtime code).
    pub fn call(&self, request: &TransactionRequest) -> Result<Bytes, Fault> {
        let tx = self.unsigned(request);
        match self.dry_run(tx)? {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            failed => Err(Fault::execution(&failed)),
        }
    }

    /// `eth_estimateGas`: the least gas limit, to within one part in 64, with which the call succeeds.
    ///
    /// A run at the highest limit says whether it succeeds at all. The answer lies above the gas used there, because a
    /// call inside may keep 1/64 back and a refund comes only at the end; a binary search finds it.
    pub fn estimate(&self, request: &TransactionRequest) -> Result<u64, Fault> {
        let cap = request.gas.unwrap_or(u64::MAX).min(self.options.hardfork.transaction_gas_cap());
        let mut high = self.affordable(request)?.min(cap);
        let base = TxEnv { gas_limit: high, ..self.unsigned(request) };
        let first = self.dry_run(base.clone())?;
        if !first.is_success() {
            return Err(match first {
                ExecutionResult::Halt { reason: HaltReason::OutOfGas(_), .. } => {
                    Fault::server(format!("gas required exceeds allowance ({high})"))
                }
                failed => Fault::execution(&failed),
            });
        }
        let mut low = first.tx_gas_used().saturating_sub(1);
        while high - low > 1 && (high - low) > high / 64 {
            // The answer is most often just above the gas used, so the first guesses stay low.
            let middle = (low + (high - low) / 2).min(low.saturating_mul(2).max(low + 1));
            let succeeded =
                matches!(self.dry_run(TxEnv { gas_limit: middle, ..base.clone() }), Ok(result) if result.is_success());
            if succeeded { high = middle } else { low = middle }
        }
        Ok(high)
    }

    fn unsigned(&self, request: &TransactionRequest) -> TxEnv {
        let nonce = self.account(request.from.unwrap_or_default()).nonce;
        evm::unsigned(request, self.options.chain_id, nonce)
    }

    /// The gas that the sender's balance pays for, where the call names a fee.
    fn affordable(&self, request: &TransactionRequest) -> Result<u64, Fault> {
        let fee = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
        if fee == 0 {
            return Ok(u64::MAX);
        }
        let balance = self.account(request.from.unwrap_or_default()).balance;
        let value = request.value.unwrap_or_default();
        let left = balance.checked_sub(value).ok_or_else(|| {
            let from = request.from.unwrap_or_default();
            Fault::rejected(format!("insufficient funds for gas * price + value: address {from} have {balance} want {value}"))
        })?;
        Ok((left / U256::from(fee)).saturating_to())
    }

    fn dry_run(&self, tx: TxEnv) -> Result<ExecutionResult, Fault> {
        let mut cfg = self.config();
        // A call is no transaction: the cap on a transaction's gas does not bind it.
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        let mut env = block::environment(&self.pending(), cfg.blob_base_fee_update_fraction());
        if tx.gas_price == 0 {
            // A call without a fee sees a free block, as on geth.
            env.basefee = 0;
        }
        let caller = tx.caller;
        evm::run(&self.db, cfg, env, tx).map(|done| done.result).map_err(|error| Fault::refused(caller, error))
    }
}
