//! `retire-policy --policy ID --rpc-url URL`.

use super::{Pool, act};
use crate::{
    chain::Action,
    cli::{failure::Failure, output::Console},
};
use alloy::primitives::B256;
use clap::Args;

/// End a lending policy for good.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Pool,
    /// The policy's id
    #[arg(long, value_name = "HEX")]
    policy: B256,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, lending) = arguments.target.open().await?;
    let action = Action::RetirePolicy { lending, policy_id: arguments.policy };
    act("retire-policy", action, &arguments.target.send, &chain, console).await
}
