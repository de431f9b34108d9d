//! Connecting: three kinds of chain, one alloy provider.

use super::anvil::AnvilProcess;
use super::embedded::{EmbeddedOptions, EmbeddedTransport, Hardfork, LOCAL_CHAIN_ID};
use super::error::ChainError;
use super::fault;
use super::http;
use super::spending::{Offer, Spending};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, U256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::transports::TransportError;
use std::path::PathBuf;
use std::time::Duration;

/// Which chain to speak to.
#[derive(Clone, Debug)]
pub enum ChainTarget {
    /// revm in this process; gone when the [`Chain`] is.
    Embedded(EmbeddedOptions),
    /// An anvil started for this [`Chain`] and ended with it; found by itself where no path is given.
    Anvil { binary: Option<PathBuf>, hardfork: Hardfork },
    /// A node that runs elsewhere.
    Rpc { url: String },
}

/// Limits on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection to open.
    pub connect: Duration,
    /// For one request, from its first byte to the last byte of the answer.
    pub request: Duration,
    /// For a transaction to be in a block.
    pub confirm: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30), confirm: Duration::from_secs(180) }
    }
}

/// What holds the chain up while the client uses it.
#[derive(Debug)]
enum Backing {
    Embedded,
    Anvil(AnvilProcess),
    Remote,
}

/// A chain that answered: its provider, its id, and what keeps it alive.
pub struct Chain {
    provider: DynProvider,
    id: u64,
    endpoint: String,
    local: bool,
    patience: Patience,
    spending: Spending,
    offer: Offer,
    confirmations: u64,
    replace_after: Option<Duration>,
    backing: Backing,
}

impl ChainTarget {
    /// The embedded chain with its defaults.
    pub fn embedded() -> Self {
        Self::Embedded(EmbeddedOptions::default())
    }

    /// An anvil found by itself, under today's mainnet rules.
    pub fn anvil() -> Self {
        Self::Anvil { binary: None, hardfork: Hardfork::default() }
    }

    /// Starts what has to be started, asks for the chain id, and compares it with the expected one if there is one.
    ///
    /// # Errors
    /// [`ChainError::BadUrl`], [`ChainError::AnvilMissing`], [`ChainError::AnvilFailed`], [`ChainError::WrongChain`],
    /// and whatever the first request meets.
    pub async fn connect(&self, expected: Option<u64>, patience: Patience) -> Result<Chain, ChainError> {
        let (client, endpoint, loopback, backing) = match self {
            Self::Embedded(options) => {
                let client = RpcClient::new(EmbeddedTransport::new(*options), true);
                (client, "the embedded chain".to_owned(), true, Backing::Embedded)
            }
            Self::Anvil { binary, hardfork } => {
                let process = AnvilProcess::start(binary.as_deref(), *hardfork).await?;
                let (client, endpoint, loopback) = http::client(process.url(), patience)?;
                (client, endpoint, loopback, Backing::Anvil(process))
            }
            Self::Rpc { url } => {
                let (client, endpoint, loopback) = http::client(url, patience)?;
                (client, endpoint, loopback, Backing::Remote)
            }
        };
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_client(client).erased();
        let (spending, offer) = (Spending::default(), Offer::default());
        let mut chain = Chain {
            provider,
            id: 0,
            endpoint,
            local: false,
            patience,
            spending,
            offer,
            confirmations: 1,
            replace_after: None,
            backing,
        };
        chain.id = chain.provider.get_chain_id().await.map_err(|e| chain.explain("asking for the chain id", e))?;
        if chain.id == 0 {
            return Err(chain.malformed("asking for the chain id", "no chain has the id 0"));
        }
        // A loopback address alone proves nothing: it may be a tunnel to, or a fork of, a public chain.
        chain.local = loopback && (chain.id == LOCAL_CHAIN_ID || matches!(chain.backing, Backing::Embedded));
        if chain.local {
            chain.spending = Spending::UNLIMITED;
        }
        match expected {
            Some(expected) if expected != chain.id => {
                Err(ChainError::WrongChain { endpoint: chain.endpoint, expected, got: chain.id })
            }
            _ => Ok(chain),
        }
    }
}

impl Chain {
    /// alloy's provider: no fillers and no wallet, every request goes out as it is.
    pub fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// The chain id that the node reported.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Printable name of the endpoint: scheme, host and port.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// RPC address of the anvil that this client started.
    pub fn anvil_url(&self) -> Option<&str> {
        match &self.backing {
            Backing::Anvil(process) => Some(process.url()),
            _ => None,
        }
    }

    /// Whether it is embedded, our anvil, or a node with chain id 31337 on this machine: nothing of value is on it.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Whether its state ends with this process, so that recording addresses makes no sense.
    pub fn is_ephemeral(&self) -> bool {
        !matches!(self.backing, Backing::Remote)
    }

    /// Limits on waiting.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Most that one transaction may cost here: nothing limits it on a local chain, the defaults do on every other.
    pub fn spending(&self) -> Spending {
        self.spending
    }

    /// The same chain under other limits; a limit that is absent stays as it is.
    pub fn limited(self, max_fee_per_gas: Option<u128>, max_cost: Option<U256>) -> Self {
        let Spending { max_fee_per_gas: fee, max_cost: cost } = self.spending;
        let spending = Spending { max_fee_per_gas: max_fee_per_gas.unwrap_or(fee), max_cost: max_cost.unwrap_or(cost) };
        Self { spending, ..self }
    }

    /// What transactions offer per gas.
    pub fn offer(&self) -> Offer {
        self.offer
    }

    /// The same chain with another offer.
    pub fn offering(self, offer: Offer) -> Self {
        Self { offer, ..self }
    }

    /// Blocks, its own included, that a transaction must be deep before it counts; 1 unless set.
    pub fn confirmations(&self) -> u64 {
        self.confirmations
    }

    /// The same chain, where a transaction counts when it is this many blocks deep, its own included.
    pub fn confirming(self, confirmations: u64) -> Self {
        Self { confirmations: confirmations.max(1), ..self }
    }

    /// The same chain, where a transaction may take this long to be in a block.
    pub fn waiting(self, confirm: Duration) -> Self {
        Self { patience: Patience { confirm, ..self.patience }, ..self }
    }

    /// After how long a transaction that is not in a block is replaced by one with higher fees; never where this is absent.
    pub fn replace_after(&self) -> Option<Duration> {
        self.replace_after
    }

    /// The same chain, where a transaction that is stuck for this long is replaced.
    pub fn replacing(self, replace_after: Option<Duration>) -> Self {
        Self { replace_after, ..self }
    }

    /// `web3_clientVersion`.
    pub async fn client_version(&self) -> Result<String, ChainError> {
        self.provider.get_client_version().await.map_err(|e| self.explain("asking for the client version", e))
    }

    /// Time of the last block, in Unix seconds: what contracts compare `issuedAt` and `expiresAt` with.
    pub async fn timestamp(&self) -> Result<u64, ChainError> {
        let what = "asking for the last block";
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await.map_err(|e| self.explain(what, e))?;
        block.map(|block| block.header.timestamp).ok_or_else(|| self.explain(what, TransportError::NullResp))
    }

    /// Hash of the chain's first block, by which two chains of one id are told apart.
    pub async fn genesis(&self) -> Result<B256, ChainError> {
        let what = "asking for the first block";
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Number(0)).await.map_err(|e| self.explain(what, e))?;
        block.map(|block| block.header.hash).ok_or_else(|| self.explain(what, TransportError::NullResp))
    }

    /// The typed error for a request that went out through [`Chain::provider`]; `what` names the step.
    pub fn explain(&self, what: &str, error: TransportError) -> ChainError {
        fault::explain(&self.endpoint, what, self.patience.request.as_secs(), error)
    }

    pub(super) fn malformed(&self, what: &str, reason: impl Into<String>) -> ChainError {
        ChainError::MalformedAnswer { endpoint: self.endpoint.clone(), what: what.to_owned(), reason: reason.into() }
    }
}
