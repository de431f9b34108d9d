//! What goes into slots. One that no proof is given for is filled with a proof of its own circuit with the context 0, which contracts can
//! tell apart.

use super::Aggregator;
use crate::{
    artifact::{ArtifactError, Binding, ProofFile, Prover},
    circuit::{Item, statement::PublicValue},
    proof::Purpose,
    quant::OutputChoice,
};
use alloy::primitives::{B256, U256};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// A model's slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelSlots {
    /// The model.
    pub model_id: B256,
    /// How many.
    pub count: usize,
    /// Whether one can stay empty.
    pub may_be_empty: bool,
}

/// Bytes of a proof file's text besides its words and its proof: names, braces, and a context's fields.
const FIXED_TEXT: usize = 4_096;

impl Aggregator {
    /// The slots by model, in their order.
    pub fn models(&self) -> Vec<ModelSlots> {
        let mut models: Vec<ModelSlots> = Vec::new();
        for slot in &self.facts.slots {
            match models.iter_mut().find(|model| model.model_id == slot.model_id) {
                Some(model) => model.count += 1,
                None => {
                    let may_be_empty = self.empty.iter().any(|file| file.model_id == slot.model_id);
                    models.push(ModelSlots { model_id: slot.model_id, count: 1, may_be_empty });
                }
            }
        }
        models
    }

    /// No proof file for a slot is longer than that.
    pub fn longest_file(&self) -> usize {
        let layouts = self.recording.slots.iter();
        // 32 bytes are 64 digits, in a list with indentation.
        let length = |slot: &crate::outer::SlotLayout| 2 * (64 * slot.all_points() + 32 * slot.evaluations) + 80 * slot.instances;
        layouts.map(length).max().unwrap_or_default() + FIXED_TEXT
    }
}

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
