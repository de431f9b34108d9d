//! `retire-attestor` and `remove-attestor`: how an attestor's key ends.

use super::{SendArguments, act};
use crate::{
    artifact::Folder,
    chain::{Action, Chain, registry::label},
    cli::{
        chains::{RecordArguments, address},
        failure::{CliError, Failure},
        output::Console,
    },
    quant::Schema,
};
use alloy::primitives::{Address, B256};
use clap::Args;
use std::path::PathBuf;

/// An attestor's place on the list of a schema.
#[derive(Clone, Debug, Args)]
pub struct Listing {
    #[command(flatten)]
    send: SendArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// The attestor
    #[arg(long, value_name = "ADDRESS")]
    attestor: Address,
    /// The schema's id
    #[arg(long, value_name = "HEX", required_unless_present_any = ["schema", "artifacts"])]
    schema_id: Option<B256>,
    /// The schema's file
    #[arg(long, value_name = "FILE", conflicts_with = "schema_id")]
    schema: Option<PathBuf>,
    /// An artifact folder with that schema
    #[arg(long, value_name = "DIR", conflicts_with_all = ["schema_id", "schema"])]
    artifacts: Option<PathBuf>,
    /// The InputAttestation contract, when it is not in the record
    #[arg(long, value_name = "ADDRESS")]
    registry: Option<Address>,
}

/// End an attestor in good order.
#[derive(Debug, Args)]
pub struct RetireArguments {
    #[command(flatten)]
    listing: Listing,
    /// Unix seconds until which what it issued before counts; it can be brought forward later, never put off
    #[arg(long, value_name = "SECONDS")]
    accepted_until: u64,
}

/// Take an attestor off the list, with all that it ever signed.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    #[command(flatten)]
    listing: Listing,
}

impl Listing {
    async fn open(&self) -> Result<(Chain, Address, B256), Failure> {
        let schema = match (self.schema_id, &self.schema, &self.artifacts) {
            (Some(id), ..) => id,
            (_, Some(path), _) => Schema::load(path)?.id().into(),
            (_, _, Some(folder)) => Folder::open(folder)?.manifest.facts.schema_id,
            _ => {
                let how = "give --schema-id, --schema or --artifacts";
                return Err(CliError::Missing { what: "the schema", how }.into());
            }
        };
        let chain = self.send.connect(None).await?;
        let attestations = address(&self.record.view(&chain)?, label::ATTESTATIONS, self.registry)?;
        Ok((chain, attestations, schema))
    }
}

/// What it issued before counts until a time, what it issues later does not.
pub async fn retire(arguments: RetireArguments, console: &Console) -> Result<(), Failure> {
    let Listing { send, attestor, .. } = &arguments.listing;
    let (chain, attestations, schema_id) = arguments.listing.open().await?;
    let (attestor, accepted_until) = (*attestor, arguments.accepted_until);
    let action = Action::RetireAttestor { attestations, attestor, schema_id, accepted_until };
    act("retire-attestor", action, send, &chain, console).await
}

/// All its attestations over the schema fail at once.
pub async fn remove(arguments: RemoveArguments, console: &Console) -> Result<(), Failure> {
    let Listing { send, attestor, .. } = &arguments.listing;
    let (chain, attestations, schema_id) = arguments.listing.open().await?;
    let action = Action::RemoveAttestor { attestations, attestor: *attestor, schema_id };
    act("remove-attestor", action, send, &chain, console).await
}
