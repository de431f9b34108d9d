//! Who attests: what the registry says of an attestor, and putting one on a schema's list.

use super::bindings::IInputAttestation;
use super::error::ChainError;
use super::provider::Chain;
use super::send::{Call, find_event};
use super::settle::Mined;
use super::signer::Account;
use alloy::primitives::{Address, B256};

/// What the registry says of an attestor for a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never listed.
    New,
    /// Listed as one that signs.
    Listed,
    /// Listed as a contract that looks entries up.
    Source,
    /// Retired, with or without time left.
    Retired,
    /// Taken off the list.
    Removed,
}

impl Standing {
    /// In words, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::New => "it was never listed",
            Self::Listed => "it is listed",
            Self::Source => "it is listed as a source",
            Self::Retired => "it was retired",
            Self::Removed => "it was removed",
        }
    }

    /// Whether an attestor may be listed as one that signs: `Ok(false)` where it is so already.
    ///
    /// # Errors
    /// [`ChainError::AttestorWas`] for a source, and unless `relist` for an attestor that was retired or removed: somebody had a reason.
    pub fn to_list(self, attestor: Address, schema_id: B256, relist: bool) -> Result<bool, ChainError> {
        self.to_list_as(Self::Listed, attestor, schema_id, relist)
    }

    /// The same for a contract that looks entries up.
    pub fn to_list_source(self, source: Address, schema_id: B256, relist: bool) -> Result<bool, ChainError> {
        self.to_list_as(Self::Source, source, schema_id, relist)
    }

    fn to_list_as(self, wanted: Self, attestor: Address, schema_id: B256, relist: bool) -> Result<bool, ChainError> {
        match self {
            _ if self == wanted => Ok(false),
            Self::New => Ok(true),
            Self::Retired | Self::Removed if relist => Ok(true),
            _ => {
                let relistable = matches!(self, Self::Retired | Self::Removed);
                Err(ChainError::AttestorWas { attestor, schema_id, found: self.describe(), relistable })
            }
        }
    }
}

/// Reads what the registry says of an attestor.
pub async fn standing(chain: &Chain, attestations: Address, attestor: Address, schema_id: B256) -> Result<Standing, ChainError> {
    let listing = IInputAttestation::listingCall { attestor, schemaId: schema_id };
    let found = chain.read("reading the attestor list", attestations, &listing).await?;
    Ok(match (found.kind, found.retiredAt) {
        (IInputAttestation::Kind::None, 0) => Standing::New,
        (IInputAttestation::Kind::None, _) => Standing::Removed,
        (IInputAttestation::Kind::Source, _) => Standing::Source,
        (_, 0) => Standing::Listed,
        _ => Standing::Retired,
    })
}

/// Puts an attestor that signs on a schema's list. Listed already is done.
///
/// # Errors
/// Those of [`Standing::to_list`]; [`ChainError::Reverted`] with `OwnableUnauthorizedAccount`, ...
pub async fn list_attestor(
    chain: &Chain,
    owner: &Account,
    attestations: Address,
    attestor: Address,
    schema_id: B256,
    relist: bool,
) -> Result<Option<Mined>, ChainError> {
    match standing(chain, attestations, attestor, schema_id).await?.to_list(attestor, schema_id, relist)? {
        true => list(chain, owner, attestations, attestor, schema_id, IInputAttestation::Kind::Signer).await.map(Some),
        false => Ok(None),
    }
}

/// Puts a contract that looks attestations up on a schema's list, such as an `EasAttestationSource`. Listed already is done.
///
/// # Errors
/// As [`list_attestor`]; [`ChainError::NoContract`].
pub async fn list_source(
    chain: &Chain,
    owner: &Account,
    attestations: Address,
    source: Address,
    schema_id: B256,
    relist: bool,
) -> Result<Option<Mined>, ChainError> {
    match standing(chain, attestations, source, schema_id).await?.to_list_source(source, schema_id, relist)? {
        true => {
            chain.require_code("listing the source", source).await?;
            list(chain, owner, attestations, source, schema_id, IInputAttestation::Kind::Source).await.map(Some)
        }
        false => Ok(None),
    }
}

async fn list(
    chain: &Chain,
    owner: &Account,
    attestations: Address,
    attestor: Address,
    schema_id: B256,
    kind: IInputAttestation::Kind,
) -> Result<Mined, ChainError> {
    let call = IInputAttestation::setAttestorCall { attestor, schemaId: schema_id, kind };
    let call = Call::new("listing the attestor", attestations, &call);
    let receipt = chain.send(owner, &call).await?;
    find_event::<IInputAttestation::AttestorSet>(&call.what, attestations, &receipt)?;
    Ok(Mined::from(&receipt))
}
