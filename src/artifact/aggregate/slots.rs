//! What goes into branches. One that no proof is given for is filled with a proof of its own circuit with the context 0, which contracts can
//! tell apart.

use super::{Aggregator, manifest::Branch};
use crate::{
    artifact::{ArtifactError, Binding, ProofFile, Prover},
    circuit::{Item, statement::PublicValue},
    proof::Purpose,
    quant::OutputChoice,
};
use alloy::primitives::{B256, U256};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// The branches of one model or aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindSlots {
    /// The model or aggregate.
    pub kind: B256,
    /// How many of its proofs are taken.
    pub count: usize,
    /// Whether one can be missing.
    pub may_be_empty: bool,
}

/// Bytes of the text of a slot's statement besides its words, or of a proof file besides that: names, braces, and a context's fields.
const FIXED_TEXT: usize = 4_096;

impl Aggregator {
    /// What is taken, by model or aggregate, in the order of the branches.
    pub fn kinds(&self) -> Vec<KindSlots> {
        let mut kinds: Vec<KindSlots> = Vec::new();
        for id in self.facts.branches.iter().map(Branch::id) {
            match kinds.iter_mut().find(|other| other.kind == id) {
                Some(other) => other.count += 1,
                None => {
                    let may_be_empty = self.empty.iter().any(|part| part.id() == id);
                    kinds.push(KindSlots { kind: id, count: 1, may_be_empty });
                }
            }
        }
        kinds
    }

    /// No file of a proof for a branch is longer than that.
    pub fn longest_file(&self) -> usize {
        let branches = self.recording.slots.iter().zip(&self.facts.branches);
        // 32 bytes are 64 digits, in a list with indentation.
        let length = |(layout, branch): (&crate::outer::SlotLayout, &Branch)| {
            let proof = 2 * (64 * layout.all_points() + 32 * layout.evaluations);
            proof + 80 * layout.instances + FIXED_TEXT * (1 + branch.slots())
        };
        branches.map(length).max().unwrap_or_default()
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
