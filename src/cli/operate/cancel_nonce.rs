//! `cancel-nonce --nonce N --rpc-url URL`: a borrower takes back what was proven or signed for a nonce.

use super::{Pool, act_as};
use crate::{
    chain::Action,
    cli::{failure::Failure, output::Console},
};
use alloy::primitives::U256;
use clap::Args;

/// Take back your permits and proofs for a nonce.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Pool,
    /// The nonce that is used up: your next one in the pool
    #[arg(long, value_name = "N")]
    nonce: U256,
}

/// Nothing is sent where the nonce is used already, and none where another one would be.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, lending) = arguments.target.open().await?;
    let sender = arguments.target.send.sender(&chain)?;
    let action = Action::CancelNonce { lending, borrower: sender.address, nonce: arguments.nonce };
    act_as("cancel-nonce", action, &sender, arguments.target.send.broadcast, &chain, console).await
}
