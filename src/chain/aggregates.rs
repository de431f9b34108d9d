//! Aggregates on the router: their registration, and what their slots take.

use super::bindings::IAggregateRouter::{self, AggregateRegistration};
use super::bindings::IInferenceRouter::State;
use super::error::ChainError;
use super::provider::Chain;
use super::send::{Call, find_event};
use super::settle::{self, Mined};
use super::signer::Account;
use alloy::primitives::{Address, B256};

/// A slot of an aggregate, as its verifier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The model whose proofs it takes.
    pub model_id: B256,
    /// How many public inputs their statement has.
    pub size: usize,
}

/// Registers an aggregate with what its owner approves. Already registered in the same way is done, active or only scheduled.
///
/// # Errors
/// [`ChainError::Reverted`] with `ModelAlreadyRegistered`, `VerifierKindMismatch`, `ModelNotActive` for a slot's model,
/// `FamilyOfAnotherKind`, `OwnableUnauthorizedAccount`, ...
pub async fn register(
    chain: &Chain,
    owner: &Account,
    router: Address,
    aggregate_id: B256,
    registration: &AggregateRegistration,
) -> Result<Option<Mined>, ChainError> {
    let known = settle::model(chain, router, aggregate_id).await?;
    let open = matches!(known.state, State::Active | State::Scheduled);
    let AggregateRegistration { familyId, verifier, codehash } = registration.clone();
    if open && (known.familyId, known.verifier, known.codehash) == (familyId, verifier, codehash) {
        return Ok(None);
    }
    let call = IAggregateRouter::registerAggregateCall { aggregateId: aggregate_id, registration: registration.clone() };
    let call = Call::new("registering the aggregate", router, &call);
    let receipt = chain.send(owner, &call).await?;
    let event: IAggregateRouter::AggregateRegistered = find_event(&call.what, router, &receipt)?;
    match event.aggregateId == aggregate_id && event.verifier == verifier {
        true => Ok(Some(Mined::from(&receipt))),
        false => Err(chain.malformed(&call.what, "the event names another aggregate or verifier")),
    }
}

/// What an aggregate's slots take, in their order.
///
/// # Errors
/// [`ChainError::Reverted`] with `NotAnAggregate`; an answer that does not say it of each slot.
pub async fn slots(chain: &Chain, router: Address, aggregate_id: B256) -> Result<Vec<Slot>, ChainError> {
    const READING: &str = "reading the aggregate's slots";
    let call = IAggregateRouter::slotsOfCall { aggregateId: aggregate_id };
    let answer = chain.read(READING, router, &call).await?;
    let sizes: Option<Vec<usize>> = answer.sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
    match sizes {
        Some(sizes) if sizes.len() == answer.modelIds.len() => {
            Ok(answer.modelIds.into_iter().zip(sizes).map(|(model_id, size)| Slot { model_id, size }).collect())
        }
        _ => Err(chain.malformed(READING, "models and sizes of its slots do not belong together")),
    }
}
