//! One transaction, from a call to its receipt: simulate, sign, broadcast, and replace where it is stuck.

use super::error::ChainError;
use super::fault;
use super::fees::Fees;
use super::provider::Chain;
use super::revert::Revert;
use super::signer::Account;
use alloy::consensus::transaction::SignerRecoverable;
use alloy::consensus::{Transaction, TxEnvelope};
use alloy::eips::eip2718::{Decodable2718, Encodable2718};
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::primitives::{Address, Bytes, TxHash, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy::sol_types::{SolCall, SolEvent};
use alloy::transports::RpcError;
use std::time::Instant;

/// Gas that one transaction may ask for under Osaka (EIP-7825); above an estimate, head room stops here.
pub(super) const TRANSACTION_GAS_CAP: u64 = 1 << 24;

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
    /// Gas that must be there beside the estimate, because contracts of others may take more when it is mined than they did in the
    /// estimate. Zero where a fifth more will do.
    pub spare_gas: u64,
}

/// What a transaction would do, found out without sending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Gas that the node estimates.
    pub gas: u64,
    /// Gas limit that the transaction would carry: a fifth more, because state may move before it is mined, within a block's limit;
    /// or as much more as the call says.
    pub gas_limit: u64,
    /// Most that it can cost, in wei.
    pub max_cost: U256,
    fees: Fees,
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
        Self { what: what.into(), to, data: call.abi_encode().into(), value: U256::ZERO, spare_gas: 0 }
    }

    /// A transfer of wei.
    pub fn transfer(what: impl Into<String>, to: Address, value: U256) -> Self {
        Self { what: what.into(), to, data: Bytes::new(), value, spare_gas: 0 }
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

    /// Reads a transaction back that was signed before, by this account and for this chain.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn decode(what: &str, raw: &[u8], account: Address, chain_id: u64) -> Result<Self, String> {
        let envelope = TxEnvelope::decode_2718_exact(raw).map_err(|e| format!("it is no transaction: {e}"))?;
        let signer = envelope.recover_signer().map_err(|e| format!("its signature is invalid: {e}"))?;
        if signer != account || envelope.chain_id() != Some(chain_id) {
            let got = envelope.chain_id().map_or_else(|| "any chain".to_owned(), |id| format!("chain {id}"));
            return Err(format!("it is signed by {signer} for {got}, expected {account} and chain {chain_id}"));
        }
        let fields: TransactionRequest = envelope.clone().into();
        let request = TransactionRequest { from: Some(signer), ..fields };
        Ok(Self { what: what.to_owned(), envelope, request })
    }

    /// Contract and calldata; the zero address where it makes a contract.
    pub(super) fn target(&self) -> (Address, &Bytes) {
        (self.envelope.to().unwrap_or_default(), self.envelope.input())
    }

    /// Whether it is a transfer of nothing to its own sender: what gives a nonce up.
    pub(super) fn is_void(&self) -> bool {
        self.request.from == self.envelope.to() && self.envelope.input().is_empty() && self.envelope.value().is_zero()
    }

    /// The nonce.
    pub fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }

    /// The most that it can cost, in wei.
    pub(super) fn max_cost(&self) -> U256 {
        most_of(&self.request)
    }

    /// The most that it offers per gas, in wei.
    pub fn max_fee_per_gas(&self) -> u128 {
        self.envelope.max_fee_per_gas()
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
        self.read_at(BlockId::latest(), what, to, call).await
    }

    /// The same as of a block.
    pub async fn read_at<C: SolCall>(&self, at: BlockId, what: &str, to: Address, call: &C) -> Result<C::Return, ChainError> {
        let request = Call::new(what, to, call).request(Address::ZERO);
        let bytes = self.provider().call(request).block(at).await.map_err(|e| self.explain(what, e))?;
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
        let price = fees.most();
        let block = self.block_gas_limit(&call.what).await?;
        if gas > block {
            let message = format!("it takes {gas}, a block has {block}");
            return Err(ChainError::GasLimit { what: call.what.clone(), message });
        }
        let cap = if gas <= TRANSACTION_GAS_CAP { block.min(TRANSACTION_GAS_CAP) } else { block };
        let needed = gas.saturating_add(call.spare_gas);
        if needed > cap {
            let message = format!("it may take {needed}, a transaction has {cap}: send less at once");
            return Err(ChainError::GasLimit { what: call.what.clone(), message });
        }
        let gas_limit = needed.max(gas.saturating_add(gas / 5)).min(cap);
        let max_cost = U256::from(price).saturating_mul(U256::from(gas_limit)).saturating_add(call.value);
        self.spending().check(&call.what, price, max_cost)?;
        Ok(Simulation { gas, gas_limit, max_cost, fees })
    }

    /// Simulates and signs, without sending.
    pub async fn prepare(&self, account: &Account, call: &Call) -> Result<Signed, ChainError> {
        let nonce = self.pending_nonce(&call.what, account.address()).await?;
        let request = self.request_at(account.address(), call, nonce).await?;
        self.sign(account, &call.what, request).await
    }

    /// Simulates, for a nonce that the caller keeps count of; all that is left is to sign it.
    pub(super) async fn request_at(&self, from: Address, call: &Call, nonce: u64) -> Result<TransactionRequest, ChainError> {
        let plan = self.simulate(from, call).await?;
        let mut request = call.request(from);
        request.nonce = Some(nonce);
        request.gas = Some(plan.gas_limit);
        request.chain_id = Some(self.id());
        plan.fees.put(&mut request);
        Ok(request)
    }

    /// Calls with the gas and the fees that the transaction will have: a contract of somebody else's may look at either, and an estimate
    /// names no fee.
    ///
    /// # Errors
    /// As [`Chain::simulate`]; fees below the present block's are none.
    pub(super) async fn rehearse(&self, what: &str, request: &TransactionRequest) -> Result<(), ChainError> {
        let call = TransactionRequest { nonce: None, ..request.clone() };
        match self.provider().call(call).await.map_err(|e| self.explain(what, e)) {
            Ok(_) | Err(ChainError::Underpriced { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn block_gas_limit(&self, what: &str) -> Result<u64, ChainError> {
        let block = self.provider().get_block_by_number(BlockNumberOrTag::Latest).await.map_err(|e| self.explain(what, e))?;
        block.map(|block| block.header.gas_limit).ok_or_else(|| self.malformed(what, "it has no last block"))
    }

    /// Signs a request whose fields are all set.
    pub(super) async fn sign(&self, account: &Account, what: &str, request: TransactionRequest) -> Result<Signed, ChainError> {
        let envelope = account.sign_transaction(what, request.clone()).await?;
        Ok(Signed { what: what.to_owned(), envelope, request })
    }

    /// The same transaction with higher fees, signed: in the place of one that is stuck. Of two with one nonce at most one is mined.
    ///
    /// # Errors
    /// [`ChainError::FeeTooHigh`], [`ChainError::CostTooHigh`]; those of signing.
    pub(super) async fn raise(&self, account: &Account, stuck: &Signed) -> Result<Signed, ChainError> {
        let fees = Fees::of(&stuck.request).raised(self.fees(&stuck.what).await?);
        let mut request = stuck.request.clone();
        fees.put(&mut request);
        self.spending().check(&stuck.what, fees.most(), most_of(&request))?;
        self.sign(account, &stuck.what, request).await
    }

    /// Hands a signed transaction to the node. Doing so twice is harmless.
    pub(super) async fn publish(&self, signed: &Signed) -> Result<(), ChainError> {
        match self.provider().send_raw_transaction(&signed.encoded()).await {
            Ok(_) => Ok(()),
            Err(error) if fault::is_already_known(&error) => Ok(()),
            // One that has mined it says that its nonce is used; each has its own words, and an answer may be lost.
            Err(error) => match self.provider().get_transaction_by_hash(signed.hash()).await {
                Ok(Some(found)) if *found.inner.tx_hash() == signed.hash() => Ok(()),
                _ => Err(self.explain(&signed.what, error)),
            },
        }
    }

    /// Sends a signed transaction and waits for its receipt. Sending one twice is harmless.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with the decoded error where it is mined and failed; [`ChainError::NotMined`].
    pub async fn broadcast(&self, signed: &Signed) -> Result<TransactionReceipt, ChainError> {
        self.publish(signed).await?;
        let receipt = self.confirm_any(&signed.what, &[signed.hash()], Some(signed)).await?;
        self.succeeded(signed, receipt).await
    }

    /// The receipt, or why the transaction failed.
    pub(super) async fn succeeded(&self, signed: &Signed, receipt: TransactionReceipt) -> Result<TransactionReceipt, ChainError> {
        match receipt.status() {
            true => Ok(receipt),
            false => Err(self.failed(signed, &receipt).await),
        }
    }

    /// Sends a signed transaction and waits for its receipt; one that is stuck is replaced where [`Chain::replace_after`] says so.
    /// `before` hears of each replacement before it is sent.
    ///
    /// # Errors
    /// As [`Chain::broadcast`], and those of `before`.
    pub async fn carry(
        &self,
        account: &Account,
        signed: Signed,
        mut before: impl FnMut(&Signed) -> Result<(), ChainError>,
    ) -> Result<TransactionReceipt, ChainError> {
        let Some(turn) = self.replace_after() else { return self.broadcast(&signed).await };
        self.publish(&signed).await?;
        let (start, mut hashes, mut last) = (Instant::now(), vec![signed.hash()], signed);
        while self.mined_within(&last.what, &hashes, turn.min(self.patience().confirm)).await?.is_none() {
            if start.elapsed() >= self.patience().confirm {
                return Err(self.not_mined(&last.what, &hashes));
            }
            let Some(raised) = self.replacement(account, &last).await? else { continue };
            before(&raised)?;
            hashes.push(raised.hash());
            // What is said against it is no failure: those before it stay valid, and it is handed over again.
            self.publish(&raised).await.ok();
            last = raised;
        }
        let receipt = self.confirm_any(&last.what, &hashes, Some(&last)).await?;
        self.succeeded(&last, receipt).await
    }

    /// Reads a transaction of the account that is in no block yet from the node; nothing where it is in one already.
    ///
    /// # Errors
    /// [`ChainError::NoTransaction`]; [`ChainError::MalformedAnswer`] for one that is another's or another one.
    pub async fn stuck(&self, account: Address, tx: TxHash) -> Result<Option<Signed>, ChainError> {
        let what = "replacing the transaction";
        let found = self.provider().get_transaction_by_hash(tx).await.map_err(|e| self.explain(what, e))?;
        let found = found.ok_or(ChainError::NoTransaction { tx })?;
        if found.block_number.is_some() {
            return Ok(None);
        }
        let raw = found.inner.encoded_2718();
        let signed = Signed::decode(what, &raw, account, self.id()).map_err(|reason| self.malformed(what, reason))?;
        match signed.hash() == tx {
            true => Ok(Some(signed)),
            false => Err(self.malformed(what, format!("asked for {tx}, got {}", signed.hash()))),
        }
    }

    /// Replaces a transaction that is stuck, and waits for whichever of the two is mined.
    ///
    /// # Errors
    /// [`ChainError::FeeTooHigh`], [`ChainError::CostTooHigh`]; as [`Chain::broadcast`].
    pub async fn replace(&self, account: &Account, stuck: &Signed) -> Result<TransactionReceipt, ChainError> {
        let raised = self.raise(account, stuck).await?;
        self.publish_over(&raised).await?;
        let receipt = self.confirm_any(&raised.what, &[stuck.hash(), raised.hash()], Some(&raised)).await?;
        self.succeeded(&raised, receipt).await
    }

    /// What may take the place of a stuck transaction; nothing where the ceilings are reached, and the one that is sent has to do.
    pub(super) async fn replacement(&self, account: &Account, stuck: &Signed) -> Result<Option<Signed>, ChainError> {
        match self.raise(account, stuck).await {
            Ok(raised) => Ok(Some(raised)),
            Err(ChainError::FeeTooHigh { .. } | ChainError::CostTooHigh { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Hands over a replacement. That its nonce or its fee is too low is no failure: one of the earlier ones may have been mined meanwhile,
    /// and all of them stay valid.
    async fn publish_over(&self, raised: &Signed) -> Result<(), ChainError> {
        match self.publish(raised).await {
            Err(ChainError::NonceTooLow { .. } | ChainError::Underpriced { .. } | ChainError::InsufficientFunds { .. }) => Ok(()),
            done => done,
        }
    }

    /// Simulates, signs, sends, and waits for the receipt.
    pub async fn send(&self, account: &Account, call: &Call) -> Result<TransactionReceipt, ChainError> {
        let signed = self.prepare(account, call).await?;
        self.carry(account, signed, |_| Ok(())).await
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
    pub(super) async fn failed(&self, signed: &Signed, receipt: &TransactionReceipt) -> ChainError {
        let at = receipt.block_number.map_or(BlockId::latest(), BlockId::number);
        let replay = TransactionRequest { nonce: None, ..signed.request.clone() };
        let revert = match self.provider().call(replay).block(at).await.map_err(|e| self.explain(&signed.what, e)) {
            Err(ChainError::Reverted { revert, .. }) => revert,
            _ => Box::new(Revert::decode(&Bytes::new())),
        };
        ChainError::Reverted { what: signed.what.clone(), revert, tx: Some(signed.hash()) }
    }
}

/// The most that a transaction can cost, in wei.
pub(super) fn most_of(request: &TransactionRequest) -> U256 {
    let gas = U256::from(request.gas.unwrap_or_default());
    U256::from(Fees::of(request).most()).saturating_mul(gas).saturating_add(request.value.unwrap_or_default())
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
