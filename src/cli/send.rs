//! The arguments of every verb that sends transactions.

use super::{
    accounts::AccountArguments,
    chains::ChainArguments,
    failure::{CliError, Failure},
};
use crate::chain::{Account, Chain, Offer};
use alloy::primitives::{Address, U256, utils::parse_units};
use clap::Args;
use std::{path::Path, time::Duration};

/// On which chain, signed by whom, whether at all, for how much, and when it counts.
#[derive(Clone, Debug, Args)]
pub struct SendArguments {
    #[command(flatten)]
    chain: ChainArguments,
    #[command(flatten)]
    pub account: AccountArguments,
    /// Send the transactions; without it, only say what would be sent
    #[arg(long)]
    pub broadcast: bool,
    /// Make the dry run as this account, whose key is elsewhere: a timelock, a multisig
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["broadcast", "signer"])]
    from: Option<Address>,
    #[command(flatten)]
    fees: FeeArguments,
    /// Blocks, its own included, that a transaction must be deep before it counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    confirmations: u64,
    /// Seconds to wait for a transaction to be in a block
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Replace a transaction that is not in a block after so many seconds by the same with fees an eighth higher, or the node's
    /// where these are higher, and again, within --max-fee and --max-cost; never when absent
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    replace_after: Option<u64>,
}

/// Fees: ceilings, and what is offered where that is not left to the node.
#[derive(Clone, Copy, Debug, Args)]
struct FeeArguments {
    /// Refuse to pay more than this per gas, tip included; 500 on public chains when absent
    #[arg(long, value_name = "GWEI", value_parser = gwei)]
    max_fee: Option<u128>,
    /// Refuse a transaction that may cost more than this in all; 1 on public chains when absent
    #[arg(long, value_name = "ETHER", value_parser = ether)]
    max_cost: Option<U256>,
    /// Offer at most this per gas, tip included, in wei or with a unit such as 20gwei; asked of the node when absent
    #[arg(long, value_name = "PRICE", value_parser = price)]
    gas_price: Option<u128>,
    /// The tip per gas, in wei or with a unit
    #[arg(long, value_name = "PRICE", value_parser = price, conflicts_with = "legacy")]
    priority_gas_price: Option<u128>,
    /// Send transactions as before EIP-1559
    #[arg(long)]
    legacy: bool,
}

impl SendArguments {
    /// Connects to the chain, under the given ceilings; `project` is where an anvil may lie besides the usual places.
    pub async fn connect(&self, project: Option<&Path>) -> Result<Chain, Failure> {
        let fees = self.fees;
        if let (Some(tip), Some(price)) = (fees.priority_gas_price, fees.gas_price)
            && tip > price
        {
            return Err(
                CliError::Conflict(format!("the tip is {tip} wei per gas, and no more than {price} is offered in all")).into()
            );
        }
        let offer = Offer { gas_price: fees.gas_price, priority: fees.priority_gas_price, legacy: fees.legacy };
        let chain = self.chain.connect(None, project).await?;
        let chain = chain.limited(fees.max_fee, fees.max_cost).offering(offer).confirming(self.confirmations);
        let patient = chain.waiting(Duration::from_secs(self.timeout));
        Ok(patient.replacing(self.replace_after.map(Duration::from_secs)))
    }
}

impl SendArguments {
    /// Unlocks the account, unless a dry run names it by `--from`.
    ///
    /// # Errors
    /// Those of unlocking.
    pub fn sender(&self, chain: &Chain) -> Result<Sender, Failure> {
        match self.from {
            Some(address) => Ok(Sender { address, account: None }),
            None => {
                let account = self.account.unlock(chain.is_local())?;
                Ok(Sender { address: account.address(), account: Some(account) })
            }
        }
    }
}

/// Who sends.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The account's address.
    pub address: Address,
    account: Option<Account>,
}

impl Sender {
    /// The account, to sign with.
    ///
    /// # Errors
    /// Only its address is known.
    pub fn account(&self) -> Result<&Account, CliError> {
        let how = "give `--account NAME`, `--keystore FILE`, `--remote-signer SOCKET`, `--ledger`, or on a local chain `--dev-account INDEX`";
        self.account.as_ref().ok_or(CliError::Missing { what: "a signing account", how })
    }
}

/// As cast takes it: wei, or a number with a unit.
fn price(text: &str) -> Result<u128, String> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    amount(number, if unit.is_empty() { "wei" } else { unit })?.try_into().map_err(|_| "more than there is".to_owned())
}

fn gwei(text: &str) -> Result<u128, String> {
    amount(text, "gwei")?.try_into().map_err(|_| "more than there is".to_owned())
}

pub fn ether(text: &str) -> Result<U256, String> {
    amount(text, "ether")
}

fn amount(number: &str, unit: &str) -> Result<U256, String> {
    let parsed = parse_units(number.trim(), unit).map_err(|e| e.to_string())?;
    if parsed.is_negative() { Err("no amount is negative".to_owned()) } else { Ok(parsed.get_absolute()) }
}
