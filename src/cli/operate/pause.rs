//! `pause --rpc-url URL` and `unpause --rpc-url URL`.

use super::{Pool, act};
use crate::{
    chain::Action,
    cli::{failure::Failure, output::Console},
};
use clap::Args;

/// Stop, or allow again, new loans.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Pool,
}

/// Stops new loans; repayment goes on.
pub async fn pause(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, lending) = arguments.target.open().await?;
    act("pause", Action::Pause { lending }, &arguments.target.send, &chain, console).await
}

/// Allows new loans again.
pub async fn unpause(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, lending) = arguments.target.open().await?;
    act("unpause", Action::Unpause { lending }, &arguments.target.send, &chain, console).await
}
