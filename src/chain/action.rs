//! What an operator or a borrower does to contracts that run: freeze, deprecate, pause, retire, revoke, cancel. Each is one transaction,
//! and none where it is so already: a run that was interrupted is simply made again.

use super::attestors;
use super::bindings::{Helpers, IInferenceRouter, IInputAttestation, ILendingThreshold, IZkmlConsumer};
use super::error::ChainError;
use super::provider::Chain;
use super::send::{Call, find_event};
use super::settle::{self, Mined};
use super::signer::Account;
use alloy::primitives::{Address, B256, Bytes, U256};

/// A proof with its public inputs, as the router takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Public inputs.
    pub inputs: Vec<U256>,
    /// The proof.
    pub proof: Bytes,
}

/// One operation on one contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stops a model for good. Owner or guardian.
    Freeze { router: Address, model_id: B256 },
    /// Lets a model verify until a time in Unix seconds, and no longer. Owner.
    Deprecate { router: Address, model_id: B256, until: u64 },
    /// Stops new loans. Owner or guardian.
    Pause { lending: Address },
    /// Allows new loans again. Owner.
    Unpause { lending: Address },
    /// Ends a policy for good. Owner.
    RetirePolicy { lending: Address, policy_id: B256 },
    /// Takes back an attestor's signature on an attestation: by the attestor, or with `by_owner` by the registry's owner or guardian.
    Revoke { attestations: Address, attestor: Address, struct_hash: B256, by_owner: bool },
    /// Ends an attestor in good order: what it issued before counts until a time in Unix seconds. Owner or guardian.
    RetireAttestor { attestations: Address, attestor: Address, schema_id: B256, accepted_until: u64 },
    /// Takes an attestor off the list, with all it ever signed. Owner or guardian.
    RemoveAttestor { attestations: Address, attestor: Address, schema_id: B256 },
    /// Stops a model for good by two valid proofs of two outputs for one input. Anybody.
    Contradict { router: Address, model_id: B256, proofs: Box<[Shown; 2]> },
    /// Uses up the sender's nonce in a pool, if it is still this one: permits and proofs for it are worth nothing. The borrower.
    CancelNonce { lending: Address, borrower: Address, nonce: U256 },
}

impl Action {
    /// The transaction.
    pub fn call(&self) -> Call {
        match self.clone() {
            Self::Freeze { router, model_id } => {
                Call::new("freezing the model", router, &IInferenceRouter::freezeModelCall { modelId: model_id })
            }
            Self::Deprecate { router, model_id, until } => {
                let call = IInferenceRouter::deprecateModelCall { modelId: model_id, until };
                Call::new("deprecating the model", router, &call)
            }
            Self::Pause { lending } => Call::new("pausing the pool", lending, &ILendingThreshold::pauseCall {}),
            Self::Unpause { lending } => Call::new("unpausing the pool", lending, &ILendingThreshold::unpauseCall {}),
            Self::RetirePolicy { lending, policy_id } => {
                Call::new("retiring the policy", lending, &ILendingThreshold::retirePolicyCall { policyId: policy_id })
            }
            Self::Revoke { attestations, attestor, struct_hash, by_owner: true } => {
                let call = IInputAttestation::revokeForCall { attestor, structHash: struct_hash };
                Call::new("revoking the attestation", attestations, &call)
            }
            Self::Revoke { attestations, struct_hash, .. } => {
                let call = IInputAttestation::revokeCall { structHash: struct_hash };
                Call::new("revoking the attestation", attestations, &call)
            }
            Self::RetireAttestor { attestations, attestor, schema_id, accepted_until } => {
                let schema = schema_id;
                let call = IInputAttestation::retireAttestorCall { attestor, schemaId: schema, acceptedUntil: accepted_until };
                Call::new("retiring the attestor", attestations, &call)
            }
            Self::RemoveAttestor { attestations, attestor, schema_id } => {
                let call = IInputAttestation::removeAttestorCall { attestor, schemaId: schema_id };
                Call::new("removing the attestor", attestations, &call)
            }
            Self::Contradict { router, model_id, proofs } => {
                let [first, second] = *proofs;
                let call = IInferenceRouter::proveContradictionCall {
                    modelId: model_id,
                    firstInputs: first.inputs,
                    firstProof: first.proof,
                    secondInputs: second.inputs,
                    secondProof: second.proof,
                };
                Call::new("proving the contradiction", router, &call)
            }
            Self::CancelNonce { lending, .. } => Call::new("cancelling the nonce", lending, &IZkmlConsumer::cancelNonceCall {}),
        }
    }

    /// Whether the chain says that there is nothing to do.
    pub async fn is_done(&self, chain: &Chain) -> Result<bool, ChainError> {
        match *self {
            Self::Freeze { router, model_id } | Self::Contradict { router, model_id, .. } => {
                Ok(settle::model(chain, router, model_id).await?.state == IInferenceRouter::State::Frozen)
            }
            Self::Deprecate { router, model_id, until } => {
                let model = settle::model(chain, router, model_id).await?;
                Ok(model.state == IInferenceRouter::State::Deprecated && model.deprecatedUntil == until)
            }
            Self::Pause { lending } => paused(chain, lending).await,
            Self::Unpause { lending } => paused(chain, lending).await.map(|paused| !paused),
            Self::RetirePolicy { lending, policy_id } => {
                let policy = settle::policy(chain, lending, policy_id).await?;
                Ok(!policy.terms.modelId.is_zero() && !policy.active)
            }
            Self::Revoke { attestations, attestor, struct_hash, .. } => {
                let call = IInputAttestation::isRevokedCall { attestor, structHash: struct_hash };
                chain.read("reading the revocation", attestations, &call).await
            }
            Self::RetireAttestor { attestations, attestor, schema_id, accepted_until } => {
                let call = IInputAttestation::listingCall { attestor, schemaId: schema_id };
                let listing = chain.read("reading the attestor list", attestations, &call).await?;
                let listed = listing.kind != IInputAttestation::Kind::None;
                Ok(listed && listing.retiredAt != 0 && listing.acceptedUntil == accepted_until)
            }
            Self::RemoveAttestor { attestations, attestor, schema_id } => {
                Ok(attestors::standing(chain, attestations, attestor, schema_id).await? == attestors::Standing::Removed)
            }
            Self::CancelNonce { lending, borrower, nonce } => {
                let next = settle::next_nonce(chain, lending, borrower).await?;
                match next < nonce {
                    // The call would use up another nonce than the one that was meant.
                    true => Err(ChainError::NonceAhead { borrower, expected: nonce, got: next }),
                    false => Ok(next > nonce),
                }
            }
        }
    }

    /// Sends the transaction, unless it is so already, and waits for its event.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with `NotOwnerOrGuardian`, `OwnableUnauthorizedAccount`, `ModelNotActive`, ...; those of sending.
    pub async fn run(&self, chain: &Chain, account: &Account) -> Result<Option<Mined>, ChainError> {
        chain.settled(account.address()).await?;
        if self.is_done(chain).await? {
            return Ok(None);
        }
        let call = self.call();
        let receipt = chain.send(account, &call).await?;
        let (what, at) = (call.what.as_str(), call.to);
        match self {
            Self::Freeze { .. } => find_event::<IInferenceRouter::ModelFrozen>(what, at, &receipt).map(drop),
            Self::Deprecate { .. } => find_event::<IInferenceRouter::ModelDeprecated>(what, at, &receipt).map(drop),
            Self::Pause { .. } => find_event::<Helpers::Paused>(what, at, &receipt).map(drop),
            Self::Unpause { .. } => find_event::<Helpers::Unpaused>(what, at, &receipt).map(drop),
            Self::RetirePolicy { .. } => find_event::<ILendingThreshold::PolicyRetired>(what, at, &receipt).map(drop),
            Self::Revoke { .. } => find_event::<IInputAttestation::AttestationRevoked>(what, at, &receipt).map(drop),
            Self::RetireAttestor { .. } => find_event::<IInputAttestation::AttestorRetired>(what, at, &receipt).map(drop),
            Self::RemoveAttestor { .. } => find_event::<IInputAttestation::AttestorSet>(what, at, &receipt).map(drop),
            Self::Contradict { .. } => find_event::<IInferenceRouter::ContradictionProven>(what, at, &receipt).map(drop),
            Self::CancelNonce { .. } => find_event::<IZkmlConsumer::NonceCancelled>(what, at, &receipt).map(drop),
        }?;
        Ok(Some(Mined::from(&receipt)))
    }
}

async fn paused(chain: &Chain, lending: Address) -> Result<bool, ChainError> {
    chain.read("reading whether the pool is paused", lending, &Helpers::pausedCall {}).await
}
