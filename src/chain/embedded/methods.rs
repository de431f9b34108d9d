//! The JSON-RPC methods, by name. Parameters are checked here; what they do is in the other files.

use super::fault::Fault;
use super::node::Node;
use super::query::rpc_transaction;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::rpc::types::{Filter, TransactionRequest};
use revm::DatabaseRef;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The positional parameters of a request.
struct Params(Vec<Value>);

impl Params {
    fn parse(raw: Option<&str>) -> Result<Self, Fault> {
        match raw {
            None | Some("null") => Ok(Self(Vec::new())),
            Some(text) => serde_json::from_str(text).map(Self).map_err(|e| Fault::params(format!("invalid params: {e}"))),
        }
    }

    fn required<T: DeserializeOwned>(&self, index: usize) -> Result<T, Fault> {
        let value = self.0.get(index).ok_or_else(|| Fault::params(format!("missing value for required argument {index}")))?;
        serde_json::from_value(value.clone()).map_err(|e| Fault::params(format!("invalid argument {index}: {e}")))
    }

    fn optional<T: DeserializeOwned>(&self, index: usize) -> Result<Option<T>, Fault> {
        match self.0.get(index) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.required(index).map(Some),
        }
    }

    /// Seconds, which tools send as a number or as a hex string.
    fn seconds(&self, index: usize) -> Result<u64, Fault> {
        match self.0.get(index).and_then(Value::as_u64) {
            Some(seconds) => Ok(seconds),
            None => self.required::<U64>(index).map(|seconds| seconds.to()),
        }
    }
}

/// Answers one request.
pub(super) fn dispatch(node: &mut Node, method: &str, params: Option<&str>) -> Result<Value, Fault> {
    let params = Params::parse(params)?;
    match method {
        "eth_call" | "eth_estimateGas" | "eth_sendRawTransaction" => execution(node, method, &params),
        "eth_getBalance" | "eth_getTransactionCount" | "eth_getCode" | "eth_getStorageAt" => state(node, method, &params),
        "evm_increaseTime" | "evm_setNextBlockTimestamp" | "evm_mine" => control(node, method, &params),
        _ => history(node, method, &params),
    }
}

fn execution(node: &mut Node, method: &str, params: &Params) -> Result<Value, Fault> {
    if method == "eth_sendRawTransaction" {
        return json(node.submit(&params.required::<Bytes>(0)?)?);
    }
    let request: TransactionRequest = params.required(0)?;
    node.require_head(params.optional::<BlockId>(1)?)?;
    match method {
        "eth_call" => json(node.call(&request)?),
        _ => json(U64::from(node.estimate(&request)?)),
    }
}

fn state(node: &Node, method: &str, params: &Params) -> Result<Value, Fault> {
    let address: Address = params.required(0)?;
    if method == "eth_getStorageAt" {
        node.require_head(params.optional(2)?)?;
        let Ok(word) = node.db.storage_ref(address, params.required(1)?);
        return json(B256::from(word));
    }
    node.require_head(params.optional(1)?)?;
    match method {
        "eth_getBalance" => json(node.account(address).balance),
        "eth_getTransactionCount" => json(U64::from(node.account(address).nonce)),
        _ => json(node.code(address)),
    }
}

fn control(node: &mut Node, method: &str, params: &Params) -> Result<Value, Fault> {
    match method {
        "evm_increaseTime" => {
            let seconds = params.seconds(0)?;
            json(node.clock.advance(seconds))
        }
        "evm_setNextBlockTimestamp" => {
            let parent = node.head().header.timestamp;
            node.clock.set_next(params.seconds(0)?, parent)?;
            Ok(Value::Null)
        }
        _ => {
            node.mine_empty();
            json("0x0")
        }
    }
}

fn history(node: &Node, method: &str, params: &Params) -> Result<Value, Fault> {
    match method {
        "eth_chainId" => json(U64::from(node.options.chain_id)),
        "net_version" => json(node.options.chain_id.to_string()),
        "web3_clientVersion" => json(concat!("zkml-evm/", env!("CARGO_PKG_VERSION"), "/embedded-revm")),
        "eth_blockNumber" => json(U64::from(node.head().header.number)),
        "eth_maxPriorityFeePerGas" => json(U256::from(super::PRIORITY_FEE)),
        "eth_gasPrice" => json(U256::from(node.pending().base_fee_per_gas.unwrap_or_default()) + U256::from(super::PRIORITY_FEE)),
        "eth_feeHistory" => {
            let newest = params.optional(1)?.unwrap_or(BlockNumberOrTag::Latest);
            let percentiles: Vec<f64> = params.optional(2)?.unwrap_or_default();
            json(node.fee_history(params.required::<U64>(0)?.to(), newest, &percentiles))
        }
        "eth_getBlockByNumber" => json(node.block(params.required(0)?, params.optional(1)?.unwrap_or(false))),
        "eth_getBlockByHash" => json(node.block_by_hash(params.required(0)?, params.optional(1)?.unwrap_or(false))),
        "eth_getTransactionReceipt" => json(node.item(params.required(0)?).map(|(_, item)| &item.receipt)),
        "eth_getTransactionByHash" => json(node.item(params.required(0)?).map(|(mined, item)| rpc_transaction(mined, item))),
        "eth_getLogs" => json(node.logs(&params.required::<Filter>(0)?)?),
        other => Err(Fault::no_method(other)),
    }
}

fn json(value: impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value).map_err(|e| Fault::server(format!("cannot encode the answer: {e}")))
}
