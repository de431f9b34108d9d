//! One transaction, from a call to its receipt: simulate, sign, broadcast, confirm.

use super::error::ChainError;
use super::fault;
use super::provider::Chain;
use super::revert::Revert;
use super::signer::Account;
use super::spending::Offer;
use alloy::consensus::TxEnvelope;
use alloy::eips::BlockId;
use alloy::eips::eip2718::Encodable2718;
use alloy::network::{EthereumWallet, NetworkTransactionBuilder};
use alloy::primitives::{Address, Bytes, TxHash, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::sol_types::{SolCall, SolEvent};
use alloy::transports::RpcError;
use std::time::{Duration, Instant};

/// Gas that one transaction may ask for under Osaka (EIP-7825); above an estimate, head room stops here.
const TRANSACTION_GAS_CAP: u64 = 1 << 24;

/// A call of a contract, with the words that errors name it by.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it does, such as `registering the model`.
    pub what: String,
    /// The contract or account.
    pub to: Address,
    /// Calldata.
    pub data: Bytes,
    /// Wei.
    pub value: U256,
}

/// What a transaction would do, found out without sending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Gas that the node estimates.
    pub gas: u64,
    /// Gas limit that the transaction would carry: a fifth more, because state may move before it is mined.
    pub gas_limit: u64,
    /// Most that it can cost, in wei.
    pub max_cost: U256,
    fees: Fees,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fees {
    Dynamic { max: u128, priority: u128 },
    Legacy { price: u128 },
}

/// A signed transaction that is not sent yet; its hash can be recorded first.
#[derive(Clone, Debug)]
pub struct Signed {
    what: String,
    envelope: TxEnvelope,
    request: TransactionRequest,
}

impl Call {
    /// A call of a contract function without value.
    pub fn new(what: impl Into<String>, to: Address, call: &impl SolCall) -> Self {
        Self { what: what.into(), to, data: call.abi_encode().into(), value: U256::ZERO }
    }

    /// A transfer of wei.
    pub fn transfer(what: impl Into<String>, to: Address, value: U256) -> Self {
        Self { what: what.into(), to, data: Bytes::new(), value }
    }

    fn request(&self, from: Address) -> TransactionRequest {
        TransactionRequest {
            from: Some(from),
            to: Some(TxKind::Call(self.to)),
            value: Some(self.value),
            input: self.data.clone().into(),
            ..TransactionRequest::default()
        }
    }
}

impl Signed {
    /// The transaction's hash.
    pub fn hash(&self) -> TxHash {
        *self.envelope.tx_hash()
    }

    /// The transaction as it goes over the wire.
    pub fn encoded(&self) -> Vec<u8> {
        self.envelope.encoded_2718()
    }
}

impl Chain {
    /// Calls a view function and decodes what it returns.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the decoded error, [`ChainError::NoContract`] where the address has no code.
    pub async fn read<C: SolCall>(&self, what: &str, to: Address, call: &C) -> Result<C::Return, ChainError> {
        let request = Call::new(what, to, call).request(Address::ZERO);
        let bytes = self.provider().call(request).await.map_err(|e| self.explain(what, e))?;
        if bytes.is_empty() {
            self.require_code(what, to).await?;
        }
        C::abi_decode_returns(&bytes).map_err(|e| self.malformed(what, e.to_string()))
    }

    /// The code at an address; empty where there is none.
    pub async fn code(&self, what: &str, address: Address) -> Result<Bytes, ChainError> {
        self.provider().get_code_at(address).await.map_err(|e| self.explain(what, e))
    }

    /// Finds out, without sending, whether a transaction would succeed, and what it would cost.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the decoded error; [`ChainError::NoContract`], because a call with data to an
    /// address without code succeeds on chain and does nothing; [`ChainError::FeeTooHigh`], [`ChainError::CostTooHigh`].
    pub async fn simulate(&self, from: Address, call: &Call) -> Result<Simulation, ChainError> {
        if !call.data.is_empty() {
            self.require_code(&call.what, call.to).await?;
        }
        let gas = match self.provider().estimate_gas(call.request(from)).await {
            Ok(gas) => gas,
            Err(error) => return Err(self.reason(from, call, self.explain(&call.what, error)).await),
        };
        let fees = self.fees(&call.what).await?;
        let price = match fees {
            Fees::Dynamic { max, .. } => max,
            Fees::Legacy { price } => price,
        };
        let roomy = gas.saturating_add(gas / 5);
        let gas_limit = if gas <= TRANSACTION_GAS_CAP { roomy.min(TRANSACTION_GAS_CAP) } else { roomy };
        let max_cost = U256::from(price).saturating_mul(U256::from(gas_limit)).saturating_add(call.value);
        self.spending().check(&call.what, price, max_cost)?;
        Ok(Simulation { gas, gas_limit, max_cost, fees })
    }

    /// Simulates and signs, without sending.
    pub async fn prepare(&self, account: &Account, call: &Call) -> Result<Signed, ChainError> {
        let plan = self.simulate(account.address(), call).await?;
        let nonce =
            self.provider().get_transaction_count(account.address()).pending().await.map_err(|e| self.explain(&call.what, e))?;
        let mut request = call.request(account.address());
        request.nonce = Some(nonce);
        request.gas = Some(plan.gas_limit);
        request.chain_id = Some(self.id());
        match plan.fees {
            Fees::Dynamic { max, priority } => {
                request.max_fee_per_gas = Some(max);
                request.max_priority_fee_per_gas = Some(priority);
            }
            Fees::Legacy { price } => request.gas_price = Some(price),
        }
        self.sign(account, &call.what, request).await
    }

    /// Signs a request whose fields are all set.
    pub(super) async fn sign(&self, account: &Account, what: &str, request: TransactionRequest) -> Result<Signed, ChainError> {
        let wallet = EthereumWallet::from(account.signer().clone());
        let envelope = request.clone().build(&wallet).await;
        let envelope = envelope.map_err(|e| ChainError::Signing { what: what.to_owned(), reason: e.to_string() })?;
        Ok(Signed { what: what.to_owned(), envelope, request })
    }

    /// Sends a signed transaction and waits for its receipt. Sending one twice is harmless.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the decoded error where it is mined and failed; [`ChainError::NotMined`].
    pub async fn broadcast(&self, signed: &Signed) -> Result<TransactionReceipt, ChainError> {
        match self.provider().send_raw_transaction(&signed.encoded()).await {
            Ok(_) => {}
            Err(error) if fault::is_already_known(&error) => {}
            Err(error) => match self.explain(&signed.what, error) {
                // A node that has mined it already says that its nonce is used.
                ChainError::NonceTooLow { .. } if self.is_mined(signed).await? => {}
                error => return Err(error),
            },
        }
        let receipt = self.confirm(&signed.what, signed.hash()).await?;
        match receipt.status() {
            true => Ok(receipt),
            false => Err(self.failed(signed, &receipt).await),
        }
    }

    async fn is_mined(&self, signed: &Signed) -> Result<bool, ChainError> {
        let receipt = self.provider().get_transaction_receipt(signed.hash()).await;
        receipt.map(|receipt| receipt.is_some()).map_err(|e| self.explain(&signed.what, e))
    }

    /// Simulates, signs, sends, and waits for the receipt.
    pub async fn send(&self, account: &Account, call: &Call) -> Result<TransactionReceipt, ChainError> {
        let signed = self.prepare(account, call).await?;
        self.broadcast(&signed).await
    }

    /// Waits until no transaction of an account is under way, so that what the chain says is what an earlier run left.
    ///
    /// # Errors
    /// [`ChainError::UnderWay`] where one still is when patience ends.
    pub async fn settled(&self, account: Address) -> Result<(), ChainError> {
        let what = "looking for transactions under way";
        let count = || self.provider().get_transaction_count(account);
        let start = Instant::now();
        loop {
            let mined = count().await.map_err(|e| self.explain(what, e))?;
            let sent = count().pending().await.map_err(|e| self.explain(what, e))?;
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

    /// Between two questions for the same thing.
    fn longest_pause(&self) -> Duration {
        if self.is_local() { Duration::from_millis(200) } else { Duration::from_secs(4) }
    }

    /// Waits until a transaction is as deep in the chain as it must be, whether it succeeded or not. Where the chain is reorganised
    /// meanwhile, what counts is the block that holds the transaction in the end.
    ///
    /// # Errors
    /// [`ChainError::NotMined`]; [`ChainError::NotDeep`] where no block comes any more.
    pub async fn confirm(&self, what: &str, tx: TxHash) -> Result<TransactionReceipt, ChainError> {
        let expected = self.confirmations();
        let mut receipt = self.mined(what, tx).await?;
        if expected <= 1 {
            return Ok(receipt);
        }
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            let latest = self.provider().get_block_number().await.map_err(|e| self.explain(what, e))?;
            let depth = receipt.block_number.map_or(0, |at| (latest + 1).saturating_sub(at));
            if depth >= expected {
                let again = self.mined(what, tx).await?;
                if again.block_hash == receipt.block_hash {
                    return Ok(again);
                }
                receipt = again;
                continue;
            }
            if latest > seen {
                (seen, since) = (latest, Instant::now());
            }
            if since.elapsed() >= self.patience().confirm {
                let seconds = self.patience().confirm.as_secs();
                return Err(ChainError::NotDeep { what: what.to_owned(), tx, expected, depth, seconds });
            }
            tokio::time::sleep(self.longest_pause()).await;
        }
    }

    /// Waits until a transaction is in a block.
    async fn mined(&self, what: &str, tx: TxHash) -> Result<TransactionReceipt, ChainError> {
        let start = Instant::now();
        let longest = self.longest_pause();
        let mut pause = Duration::from_millis(5);
        loop {
            match self.provider().get_transaction_receipt(tx).await.map_err(|e| self.explain(what, e))? {
                Some(receipt) if receipt.transaction_hash == tx => return Ok(receipt),
                Some(receipt) => {
                    return Err(
                        self.malformed(what, format!("asked for the receipt of {tx}, got that of {}", receipt.transaction_hash))
                    );
                }
                None => {}
            }
            if start.elapsed() >= self.patience().confirm {
                return Err(ChainError::NotMined { what: what.to_owned(), tx, seconds: self.patience().confirm.as_secs() });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    pub(super) async fn require_code(&self, what: &str, address: Address) -> Result<(), ChainError> {
        match self.code(what, address).await?.is_empty() {
            true => Err(ChainError::NoContract { what: what.to_owned(), address }),
            false => Ok(()),
        }
    }

    /// Some nodes say only "reverted" to an estimate: a plain call then brings the data.
    async fn reason(&self, from: Address, call: &Call, error: ChainError) -> ChainError {
        match &error {
            ChainError::Reverted { revert, .. } if revert.data.is_empty() => {}
            _ => return error,
        }
        match self.provider().call(call.request(from)).await {
            Err(RpcError::ErrorResp(payload)) => self.explain(&call.what, RpcError::ErrorResp(payload)),
            _ => error,
        }
    }

    /// The error of a transaction that is mined and failed: a call at its block brings the data.
    async fn failed(&self, signed: &Signed, receipt: &TransactionReceipt) -> ChainError {
        let at = receipt.block_number.map_or(BlockId::latest(), BlockId::number);
        let replay = TransactionRequest { nonce: None, ..signed.request.clone() };
        let revert = match self.provider().call(replay).block(at).await.map_err(|e| self.explain(&signed.what, e)) {
            Err(ChainError::Reverted { revert, .. }) => revert,
            _ => Box::new(Revert::decode(&Bytes::new())),
        };
        ChainError::Reverted { what: signed.what.clone(), revert, tx: Some(signed.hash()) }
    }

    async fn fees(&self, what: &str) -> Result<Fees, ChainError> {
        let Offer { gas_price, priority, legacy } = self.offer();
        match (legacy, gas_price, priority) {
            (true, Some(price), _) => return Ok(Fees::Legacy { price }),
            (true, None, _) => return self.legacy_fees(what).await,
            (false, Some(max), Some(priority)) => return Ok(Fees::Dynamic { max, priority }),
            _ => {}
        }
        match self.provider().estimate_eip1559_fees().await {
            Ok(fees) => {
                let base = fees.max_fee_per_gas.saturating_sub(fees.max_priority_fee_per_gas);
                let tip = priority.unwrap_or(fees.max_priority_fee_per_gas);
                let max = gas_price.unwrap_or(base.saturating_add(tip));
                Ok(Fees::Dynamic { max, priority: tip.min(max) })
            }
            Err(RpcError::UnsupportedFeature(_)) => self.legacy_fees(what).await,
            Err(error) => Err(self.explain(what, error)),
        }
    }

    async fn legacy_fees(&self, what: &str) -> Result<Fees, ChainError> {
        let price = self.provider().get_gas_price().await.map_err(|e| self.explain(what, e))?;
        Ok(Fees::Legacy { price })
    }
}

/// The first event of a kind that a contract emitted in a transaction.
///
/// # Errors
/// [`ChainError::MissingEvent`]: the contract at this address is not what the caller thinks it is.
pub fn find_event<E: SolEvent>(what: &str, emitter: Address, receipt: &TransactionReceipt) -> Result<E, ChainError> {
    let mut logs = receipt.logs().iter().filter(|log| log.address() == emitter);
    logs.find_map(|log| E::decode_log(&log.inner).ok().map(|log| log.data)).ok_or_else(|| ChainError::MissingEvent {
        what: what.to_owned(),
        tx: receipt.transaction_hash,
        event: E::SIGNATURE,
    })
}
