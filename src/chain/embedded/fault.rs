//! JSON-RPC errors of the embedded chain: the codes and texts that geth and anvil use, so that one decoder serves all.

use alloy::primitives::{Address, Bytes, hex};
use alloy::rpc::json_rpc::ErrorPayload;
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction};
use serde_json::value::to_raw_value;
use std::convert::Infallible;

/// One JSON-RPC error: code, message, and the revert data where there is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: i64,
    pub message: String,
    pub data: Option<Bytes>,
}

/// EIP-1474: the transaction was not accepted.
const TRANSACTION_REJECTED: i64 = -32003;
/// EIP-1474: missing or invalid parameters.
const INVALID_PARAMS: i64 = -32602;
/// What geth and anvil answer when a call reverts.
const REVERTED: i64 = 3;
const SERVER_ERROR: i64 = -32000;

impl Fault {
    pub fn params(message: impl Into<String>) -> Self {
        Self { code: INVALID_PARAMS, message: message.into(), data: None }
    }

    pub fn server(message: impl Into<String>) -> Self {
        Self { code: SERVER_ERROR, message: message.into(), data: None }
    }

    pub fn rejected(message: impl Into<String>) -> Self {
        Self { code: TRANSACTION_REJECTED, message: message.into(), data: None }
    }

    pub fn no_method(method: &str) -> Self {
        Self { code: -32601, message: format!("the method {method} does not exist/is not available"), data: None }
    }

    pub fn past_state(asked: u64, head: u64) -> Self {
        Self::server(format!(
            "missing trie node: the embedded chain keeps the state of its head ({head}) only, asked for block {asked}"
        ))
    }

    /// The error for an execution that did not succeed.
    pub fn execution(result: &ExecutionResult) -> Self {
        match result {
            ExecutionResult::Revert { output, .. } => {
                let text = match alloy::sol_types::decode_revert_reason(output) {
                    Some(reason) => format!("execution reverted: {reason}"),
                    None => "execution reverted".to_owned(),
                };
                Self { code: REVERTED, message: text, data: Some(output.clone()) }
            }
            ExecutionResult::Halt { reason, .. } => Self::server(format!("EVM error: {reason:?}")),
            ExecutionResult::Success { .. } => Self::server("execution succeeded"),
        }
    }

    /// The error for a transaction that the rules refuse before it runs.
    pub fn refused(sender: Address, error: EVMError<Infallible>) -> Self {
        use InvalidTransaction as I;
        let invalid = match error {
            EVMError::Transaction(invalid) => invalid,
            other => return Self::server(format!("the EVM refused the block: {other}")),
        };
        Self::rejected(match invalid {
            I::NonceTooLow { tx, state } => format!("nonce too low: address {sender}, tx: {tx} state: {state}"),
            I::NonceTooHigh { tx, state } => format!("nonce too high: address {sender}, tx: {tx} state: {state}"),
            I::LackOfFundForMaxFee { fee, balance } => {
                format!("insufficient funds for gas * price + value: address {sender} have {balance} want {fee}")
            }
            I::GasPriceLessThanBasefee => format!("max fee per gas less than block base fee: address {sender}"),
            I::PriorityFeeGreaterThanMaxFee => format!("max priority fee per gas higher than max fee per gas: address {sender}"),
            I::CallerGasLimitMoreThanBlock => "exceeds block gas limit".to_owned(),
            I::TxGasLimitGreaterThanCap { gas_limit, cap } => {
                format!("transaction gas limit too high (cap: {cap}, tx: {gas_limit})")
            }
            I::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
                format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}")
            }
            I::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
                format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}")
            }
            I::InvalidChainId | I::MissingChainId => "invalid chain id for signer".to_owned(),
            I::CreateInitCodeSizeLimit => "max initcode size exceeded".to_owned(),
            I::RejectCallerWithCode => format!("sender not an eoa: address {sender}"),
            other => format!("invalid transaction: {other}"),
        })
    }

    /// The wire form: revert data is a hex string, as everywhere.
    pub fn into_payload(self) -> ErrorPayload {
        let data = self.data.and_then(|bytes| to_raw_value(&hex::encode_prefixed(bytes)).ok());
        ErrorPayload { code: self.code, message: self.message.into(), data }
    }
}
