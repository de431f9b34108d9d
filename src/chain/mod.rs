//! The chain client: one alloy provider, whatever the chain is.
//!
//! ```text
//! ChainTarget --connect--> Chain --simulate/send--> receipt
//!   embedded | anvil | rpc   |
//!                            +-- deploy (CREATE2, recorded in deployments/<chainId>.json, resumable)
//!                            +-- settle (register, add policy, fund, attest, open a loan)
//! ```
//!
//! Nothing here holds a private key longer than needed, prints an endpoint's path, or sends what it has not simulated.

pub mod action;
pub mod aggregates;
pub mod anvil;
pub mod artifact;
pub mod attest;
pub mod attestors;
pub mod audit;
pub mod batch;
pub mod bindings;
pub mod deploy;
pub mod dev_accounts;
pub mod embedded;
pub mod error;
pub mod event;
mod fault;
mod fees;
pub mod follow;
pub mod gas;
pub mod governance;
mod http;
pub mod item;
pub mod journal;
pub mod keystore;
mod lanes;
mod ledger;
pub mod many;
pub mod opening;
pub mod parts;
pub mod permit;
pub mod provider;
pub mod refusal;
pub mod registry;
mod remote;
pub mod revert;
pub mod send;
pub mod settle;
pub mod signer;
pub mod spending;
mod wait;

pub use action::Action;
pub use artifact::CompiledContract;
pub use error::ChainError;
pub use keystore::Password;
pub use provider::{Chain, ChainTarget, Patience};
pub use registry::{Deployment, Governance, Registry};
pub use revert::Revert;
pub use send::Call;
pub use signer::{Account, AccountSource};
pub use spending::{Offer, Spending};
