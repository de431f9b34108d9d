//! The arguments of every verb that sends transactions.

use super::{accounts::AccountArguments, chains::ChainArguments, failure::Failure};
use crate::chain::Chain;
use alloy::primitives::{U256, utils::parse_units};
use clap::Args;
use std::path::Path;

/// On which chain, signed by whom, whether at all, and for how much at most.
#[derive(Clone, Debug, Args)]
pub struct SendArguments {
    #[command(flatten)]
    chain: ChainArguments,
    #[command(flatten)]
    pub account: AccountArguments,
    /// Send the transactions; without it, only say what would be sent
    #[arg(long)]
    pub broadcast: bool,
    /// Refuse to pay more than this per gas, tip included; 500 on public chains when absent
    #[arg(long, value_name = "GWEI", value_parser = gwei)]
    max_fee: Option<u128>,
    /// Refuse a transaction that may cost more than this in all; 1 on public chains when absent
    #[arg(long, value_name = "ETHER", value_parser = ether)]
    max_cost: Option<U256>,
}

impl SendArguments {
    /// Connects to the chain, under the given ceilings; `project` is where an anvil may lie besides the usual places.
    pub async fn connect(&self, project: Option<&Path>) -> Result<Chain, Failure> {
        Ok(self.chain.connect(None, project).await?.limited(self.max_fee, self.max_cost))
    }
}

fn gwei(text: &str) -> Result<u128, String> {
    let wei = parse_units(text, "gwei").map_err(|e| e.to_string())?;
    wei.get_absolute().try_into().map_err(|_| "more gwei than there are".to_owned()).and_then(|fee| positive(text, fee))
}

fn ether(text: &str) -> Result<U256, String> {
    let wei = parse_units(text, "ether").map_err(|e| e.to_string())?;
    positive(text, wei.get_absolute())
}

fn positive<T>(text: &str, value: T) -> Result<T, String> {
    if text.trim_start().starts_with('-') { Err("a ceiling is not negative".to_owned()) } else { Ok(value) }
}
