//! `revoke --attestation FILE --rpc-url URL`.

use super::act_as;
use crate::{
    chain::{Action, registry::label},
    cli::{
        chains::{RecordArguments, address},
        failure::{CliError, Failure},
        output::Console,
        prove::read_attestation,
        send::SendArguments,
    },
};
use alloy::{
    primitives::{Address, B256},
    sol_types::SolStruct,
};
use clap::Args;
use std::path::PathBuf;

/// Take back an attestation, as its attestor or as the registry's owner.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    send: SendArguments,
    #[command(flatten)]
    record: RecordArguments,
    /// The attestation
    #[arg(long, value_name = "FILE", required_unless_present = "struct_hash", conflicts_with_all = ["struct_hash", "attestor"])]
    attestation: Option<PathBuf>,
    /// The attestation's EIP-712 struct hash, where the file is lost
    #[arg(long, value_name = "HEX")]
    struct_hash: Option<B256>,
    /// Who signed it; the signing account when absent
    #[arg(long, value_name = "ADDRESS")]
    attestor: Option<Address>,
    /// The InputAttestation contract, when it is neither in the file nor in the record
    #[arg(long, value_name = "ADDRESS")]
    registry: Option<Address>,
}

/// The signing account revokes its own signature; anybody else's only the registry's owner can.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let file = arguments.attestation.as_deref().map(read_attestation).transpose()?;
    let chain = arguments.send.connect(None).await?;
    if let Some(file) = file.as_ref().filter(|file| file.chain_id != chain.id()) {
        return Err(
            CliError::Conflict(format!("the attestation is for chain {}, this is chain {}", file.chain_id, chain.id())).into()
        );
    }
    let sender = arguments.send.sender(&chain)?;
    let given = arguments.registry.or(file.as_ref().map(|file| file.verifying_contract));
    let attestations = address(&arguments.record.view(&chain)?, label::ATTESTATIONS, given)?;
    let attestor = file.as_ref().map(|file| file.attestor).or(arguments.attestor).unwrap_or(sender.address);
    let struct_hash = file.map(|file| file.attestation().eip712_hash_struct()).or(arguments.struct_hash);
    let struct_hash =
        struct_hash.ok_or(CliError::Missing { what: "the attestation", how: "give --attestation or --struct-hash" })?;
    let action = Action::Revoke { attestations, attestor, struct_hash, by_owner: attestor != sender.address };
    act_as("revoke", action, &sender, arguments.send.broadcast, &chain, console).await
}
