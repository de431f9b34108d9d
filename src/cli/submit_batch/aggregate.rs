//! Loans by an aggregate of their proofs: which slot is whose.

use super::Items;
use crate::{
    artifact::{
        aggregate::{AggregateFile, SlotStatement},
        scalar,
    },
    chain::{
        Chain,
        attest::Context,
        batch::BatchProof,
        settle::{self, LoanRequest, Standing},
    },
    cli::failure::{CliError, Failure},
    gates::field::to_field,
};
use alloy::primitives::B256;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A loan's statement, in the order that docs/statement.md has it.
const STATEMENT: [&str; 3] = ["context", "input commitment", "threshold"];

/// The loans in the order of their slots, and which these are. A loan without a slot is refused by name.
///
/// # Errors
/// Those of asking the chain; where `strict`, the first refusal.
pub(in crate::cli) async fn place(
    file: &AggregateFile,
    folder: &Path,
    items: Items,
    refused: &mut BTreeMap<String, String>,
    strict: bool,
    chain: &Chain,
) -> Result<(Items, Vec<usize>), Failure> {
    let mut taken: BTreeMap<usize, (String, LoanRequest)> = BTreeMap::new();
    for (item, (name, request)) in items.into_iter().enumerate() {
        let slot = slot_of(file, &request, chain).await.and_then(|slot| match taken.get(&slot) {
            Some((first, _)) => Err(CliError::Conflict(format!("slot {slot} is of the same loan in {first}")).into()),
            None => Ok(slot),
        });
        match slot {
            Ok(slot) => drop(taken.insert(slot, (name, request))),
            Err(failure) if failure.retryable() => return Err(failure),
            Err(failure) if strict => {
                let path: PathBuf = folder.join(&name);
                return Err(CliError::Item { item, path, failure }.into());
            }
            Err(failure) => drop(refused.insert(name, failure.to_string())),
        }
    }
    let (slots, items) = taken.into_iter().unzip();
    Ok((items, slots))
}

/// An aggregate as the proof of loans in these of its slots, rising.
pub(in crate::cli) fn proof_in(file: AggregateFile, slots: Vec<usize>) -> BatchProof {
    let statements = file.slots.iter().map(SlotStatement::integers).collect();
    BatchProof::Aggregate { id: file.aggregate_id, statements, slots, proof: file.proof }
}

/// The slot that says what the pool will put together for this loan.
async fn slot_of(file: &AggregateFile, request: &LoanRequest, chain: &Chain) -> Result<usize, Failure> {
    let conflict = |text: String| Failure::from(CliError::Conflict(text));
    let LoanRequest { lending, policy_id, nonce, expiry, .. } = *request;
    let terms = settle::policy(chain, lending, policy_id).await?.terms;
    let Some(tier) = terms.tiers.get(usize::from(request.tier)) else {
        return Err(conflict(format!("the pool {lending} has no policy {policy_id} with a tier {}", request.tier)));
    };
    // The pool's call reverts as a whole for a request of such a model: its words go with the slots of others.
    if let Standing::NotYet(why) | Standing::Never(why) = settle::standing(chain, lending, terms.modelId).await? {
        return Err(conflict(why));
    }
    let threshold = i128::try_from(tier.threshold).map_err(|e| conflict(format!("the tier's threshold: {e}")))?;
    let (model_id, subject) = (terms.modelId, request.attestation.subject);
    let context = Context { chain_id: chain.id(), consumer: lending, subject, model_id, policy_id, nonce, expiry };
    let context: B256 = context.instance().to_be_bytes().into();
    let expected = [context, request.attestation.input_commitment, scalar::to_word(&to_field(threshold))];
    let slots: Vec<_> = file.slots.iter().enumerate().filter(|(_, slot)| slot.model_id == model_id).collect();
    if let Some((at, _)) = slots.iter().find(|(_, slot)| slot.public_inputs == expected) {
        return Ok(*at);
    }
    let Some((at, slot)) = slots.iter().find(|(_, slot)| slot.public_inputs.first() == Some(&context)) else {
        let path = file.path.display();
        return Err(conflict(format!("no slot of {path} holds a proof of model {model_id} for its call, of context {context}")));
    };
    let differs = STATEMENT.iter().zip(expected).zip(&slot.public_inputs).find(|((_, expected), got)| expected != *got);
    Err(conflict(match differs {
        Some(((name, expected), got)) => format!("slot {at} holds a proof of the {name} {got}, the loan's is {expected}"),
        None => format!("slot {at} has {} public inputs, a loan's statement {}", slot.public_inputs.len(), expected.len()),
    }))
}
