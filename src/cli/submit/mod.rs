//! `submit`: opens loans. One with `--proof FILE --attestation FILE`, many with `--many DIR`.

mod many;
mod one;

pub(super) use many::line;

use super::{
    failure::{CliError, Failure},
    output::Console,
    prove::read_attestation,
    send::SendArguments,
};
use crate::{
    artifact::{ProofFile, proof_file::read_small},
    chain::{
        Chain,
        attest::{Context, SignedAttestation},
        permit::Permit,
        settle::{self, LoanRequest},
    },
    error::ExitCode,
    proof::Purpose,
};
use alloy::primitives::{Address, B256, Bytes, U256};
use clap::Args;
use std::path::{Path, PathBuf};

/// Open a loan with a proof and an attestation, or many.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The proof file; its context names the pool, the policy and the borrower
    #[arg(long, value_name = "FILE", required_unless_present = "many", requires = "attestation")]
    proof: Option<PathBuf>,
    /// The attestation
    #[arg(long, value_name = "FILE", required_unless_present = "many")]
    attestation: Option<PathBuf>,
    /// The borrower's permit, where another account sends; it fixes tier and amount
    #[arg(long, value_name = "FILE", conflicts_with_all = ["many", "tier", "amount"])]
    permit: Option<PathBuf>,
    /// The policy's tier, from 0; the proof must be for its threshold
    #[arg(long, value_name = "N", default_value_t = 0)]
    tier: u8,
    /// What to borrow, in the token's smallest unit; the tier's limit when absent
    #[arg(long, value_name = "UNITS")]
    amount: Option<U256>,
    #[command(flatten)]
    many: many::ManyArguments,
    #[command(flatten)]
    send: SendArguments,
}

/// Simulates, and with `--broadcast` sends. Of many, exit code 1 where one of them was refused.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    match &arguments.many.many {
        Some(folder) => many::run(&arguments, folder, console).await,
        None => one::run(&arguments, console).await.map(|()| ExitCode::Ok),
    }
}

/// What one loan takes, from its files.
pub(super) struct Evidence {
    proof: ProofFile,
    context: Context,
    attestation: SignedAttestation,
    permit: Option<Permit>,
}

impl Evidence {
    pub(super) fn read(proof: &Path, attestation: &Path, permit: Option<&Path>) -> Result<Self, Failure> {
        let file = ProofFile::load_for(Purpose::Chain, proof)?;
        let attestation = read_attestation(attestation)?;
        let permit = permit.map(read_permit).transpose()?;
        let bare = || format!("{} is bound to a bare context: no call is known that it belongs to", proof.display());
        let context = file.context.ok_or_else(|| CliError::Conflict(bare()))?;
        Ok(Self { proof: file, context, attestation, permit })
    }

    /// The call that the proof belongs to; without a permit it is for `tier` and `amount`.
    pub(super) async fn request(&self, chain: &Chain, tier: u8, amount: Option<U256>) -> Result<LoanRequest, Failure> {
        let context = &self.context;
        on_this_chain("the proof", context.chain_id, chain)?;
        let Some(permit) = &self.permit else {
            let amount = match amount {
                Some(amount) => amount,
                None => limit(chain, context.consumer, context.policy_id, tier).await?,
            };
            return Ok(LoanRequest {
                lending: context.consumer,
                policy_id: context.policy_id,
                tier,
                amount,
                attestation: self.attestation.clone(),
                nonce: context.nonce,
                expiry: context.expiry,
                proof: self.proof.proof.clone(),
                permit: None,
            });
        };
        let (proven, permitted) = (
            (context.consumer, context.subject, context.policy_id, context.nonce, context.expiry),
            (permit.lending, permit.borrower, permit.policy_id, permit.nonce, permit.expiry),
        );
        if proven != permitted {
            let text = "the permit is for another pool, borrower, policy, nonce or expiry than the proof".to_owned();
            return Err(CliError::Conflict(text).into());
        }
        permitted_request(permit, self.attestation.clone(), self.proof.proof.clone(), chain)
    }
}

/// A file of a folder that somebody handed in, where there is one: a pipe would be waited for without end.
pub(super) fn plain(folder: &Path, name: &str) -> Result<PathBuf, CliError> {
    let path = folder.join(name);
    match path.metadata() {
        Ok(found) if !found.is_file() => Err(CliError::Conflict(format!("{} is no plain file", path.display()))),
        _ => Ok(path),
    }
}

pub(super) fn read_permit(path: &Path) -> Result<Permit, Failure> {
    Ok(Permit::parse(&read_small(path)?, path)?)
}

/// The request that a permit is for.
pub(super) fn permitted_request(
    permit: &Permit,
    attestation: SignedAttestation,
    proof: Bytes,
    chain: &Chain,
) -> Result<LoanRequest, Failure> {
    on_this_chain("the permit", permit.chain_id, chain)?;
    Ok(permit.request(attestation, proof).map_err(|what| CliError::Conflict(format!("the permit: {what}")))?)
}

pub(super) fn on_this_chain(what: &str, id: u64, chain: &Chain) -> Result<(), CliError> {
    match id == chain.id() {
        true => Ok(()),
        false => Err(CliError::Conflict(format!("{what} is for chain {id}, this is chain {}", chain.id()))),
    }
}

/// The most that a tier of the policy lends.
async fn limit(chain: &Chain, lending: Address, policy_id: B256, tier: u8) -> Result<U256, Failure> {
    let policy = settle::policy(chain, lending, policy_id).await?;
    let limit = policy.terms.tiers.get(usize::from(tier)).map(|tier| tier.limit);
    let none = || {
        CliError::Conflict(format!("policy {policy_id} of {lending} has {} tiers, none is tier {tier}", policy.terms.tiers.len()))
    };
    Ok(limit.ok_or_else(none)?)
}

/// Whoever hands in papers must not choose which contract the sender calls: away from local chains the operator names it.
///
/// # Errors
/// It is not named.
pub(super) fn require_pool(pool: Option<Address>, send: &SendArguments, chain: &Chain) -> Result<(), CliError> {
    match pool {
        None if send.broadcast && !chain.is_local() => {
            Err(CliError::Missing { what: "the pool", how: "give --pool ADDRESS: the papers must not choose it" })
        }
        _ => Ok(()),
    }
}

/// The names of the items' folders, sorted; those that begin with a dot are left out. A name that is no text stands as one that leads
/// nowhere, and is refused as its own item.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |e: std::io::Error| CliError::Conflict(format!("{} cannot be read: {e}", folder.display()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
