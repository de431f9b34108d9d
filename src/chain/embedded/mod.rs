//! The embedded chain: revm in this process, spoken to through the same JSON-RPC that a remote node answers.
//!
//! Nothing has to be installed for it, and nothing above [`transport`] knows that it is there: the client holds an
//! alloy provider and sends it the same requests as to anvil or a public node. One transaction makes one block.
//! What it does not keep: a state trie (`stateRoot` is zero in its headers), past states (a call or balance at an
//! older block is refused, never answered with today's state), a mempool (a transaction is mined or refused at once).

mod block;
mod estimate;
mod evm;
mod fault;
mod methods;
mod node;
pub mod profile;
mod query;
pub mod transport;

pub use transport::EmbeddedTransport;

use alloy::primitives::{Address, B256, Bytes, address, b256, bytes};
use revm::primitives::hardfork::SpecId;

/// The EVM rules that the embedded chain runs under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hardfork {
    /// Before the repricing of `modexp` and the cap of 2^24 gas on a transaction.
    Prague,
    /// What mainnet runs since December 2025.
    #[default]
    Osaka,
}

impl Hardfork {
    fn spec(self) -> SpecId {
        match self {
            Self::Prague => SpecId::PRAGUE,
            Self::Osaka => SpecId::OSAKA,
        }
    }

    /// The most gas one transaction may ask for (EIP-7825 under Osaka, else the block's limit).
    pub(super) fn transaction_gas_cap(self) -> u64 {
        match self {
            Self::Prague => block::GAS_LIMIT,
            Self::Osaka => 1 << 24,
        }
    }
}

/// How an embedded chain starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// Chain id; 31337 unless a test wants another.
    pub chain_id: u64,
    /// EVM rules.
    pub hardfork: Hardfork,
    /// Whether the deterministic deployer is there from the first block, as it is on anvil.
    pub create2_factory: bool,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { chain_id: LOCAL_CHAIN_ID, hardfork: Hardfork::default(), create2_factory: true }
    }
}

/// The chain id of the embedded chain and of anvil.
pub const LOCAL_CHAIN_ID: u64 = 31_337;

/// The canonical deterministic deployer: calldata is a 32-byte salt and the creation code.
pub const CREATE2_FACTORY: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

/// keccak256 of the deployer's code; a chain where other code sits at its address is refused.
pub const CREATE2_FACTORY_CODEHASH: B256 = b256!("2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989");

/// The deployer's code.
pub const CREATE2_FACTORY_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// The priority fee that the chain suggests, in wei per gas.
const PRIORITY_FEE: u64 = 1_000_000_000;
