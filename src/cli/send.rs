//! The arguments of every verb that sends transactions.

use super::{accounts::AccountArguments, chains::ChainArguments, failure::Failure};
use crate::chain::Chain;
use clap::Args;
use std::path::Path;

/// On which chain, signed by whom, and whether at all.
#[derive(Clone, Debug, Args)]
pub struct SendArguments {
    #[command(flatten)]
    chain: ChainArguments,
    #[command(flatten)]
    pub account: AccountArguments,
    /// Send the transactions; without it, only say what would be sent
    #[arg(long)]
    pub broadcast: bool,
}

impl SendArguments {
    /// Connects to the chain; `project` is where an anvil may lie besides the usual places.
    pub async fn connect(&self, project: Option<&Path>) -> Result<Chain, Failure> {
        self.chain.connect(None, project).await
    }
}
