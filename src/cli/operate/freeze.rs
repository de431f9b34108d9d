//! `freeze --model ID --rpc-url URL`.

use super::{ModelOnRouter, act};
use crate::{
    chain::Action,
    cli::{failure::Failure, output::Console},
};
use clap::Args;

/// Stop a model at once and for good.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    target: ModelOnRouter,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (chain, router, model_id) = arguments.target.open().await?;
    act("freeze", Action::Freeze { router, model_id }, &arguments.target.send, &chain, console).await
}
