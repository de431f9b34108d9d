//! `deprecate --model ID --until SECONDS --rpc-url URL`.

use super::{ModelOnRouter, act};
use crate::{
    chain::Action,
    cli::{failure::Failure, output::Console},
};
use clap::Args;

/// Announce a model's end.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    target: ModelOnRouter,
    /// Unix seconds from which the model no longer verifies; it can be brought forward later, never put off
    #[arg(long, value_name = "SECONDS")]
    until: u64,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, router, model_id) = arguments.target.open().await?;
    let action = Action::Deprecate { router, model_id, until: arguments.until };
    act("deprecate", action, &arguments.target.send, &chain, console).await
}
