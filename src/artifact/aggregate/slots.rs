//! What fills a slot that no proof is given for: a proof of the slot's own circuit with the context 0, which contracts can tell apart.

use crate::{
    artifact::{ArtifactError, Binding, ProofFile, Prover},
    circuit::{Item, statement::PublicValue},
    proof::Purpose,
    quant::OutputChoice,
};
use alloy::primitives::U256;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// A proof of `prover`'s circuit that says nothing: the lowest input, the lowest threshold, the context 0. `None` where the weights are
/// private: only their owner could make it.
///
/// # Errors
/// As [`Prover::prove_items`].
pub fn empty_proof(prover: &Prover) -> Result<Option<ProofFile>, ArtifactError> {
    if prover.facts.model_commitment.is_some() {
        return Ok(None);
    }
    let values: Vec<i128> = prover.schema.features().iter().map(|feature| i128::from(feature.min)).collect();
    let threshold = match prover.facts.output {
        OutputChoice::Threshold => lowest_threshold(&prover.facts.statement),
        _ => None,
    };
    let salt = (prover.facts.input == crate::op::InputMode::Committed).then_some(Fr::ONE);
    let items = vec![Item { values, salt, threshold }; prover.facts.items];
    let binding = Binding::Context(U256::ZERO);
    prover.prove_items(Purpose::Aggregation, &items, binding, None, &|_| ()).map(Some)
}

fn lowest_threshold(statement: &[PublicValue]) -> Option<i128> {
    let value = statement.iter().find(|value| value.name.rsplit('.').next() == Some("threshold"));
    value.and_then(|value| value.lo.as_ref()).and_then(|lo| lo.parse().ok())
}
