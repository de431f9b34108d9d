//! The chain client: one alloy provider, whatever the chain is.

pub mod dev_accounts;
pub mod embedded;
