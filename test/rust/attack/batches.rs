//! Batches and private weights under attack: no cell of any item has a second value, no item takes another's place, and nobody proves
//! with weights other than those committed to.

use super::gates::assert_reads_are_assigned;
use super::lab::Lab;
use super::mutation::{Effort, attack};
use super::rank::{hash_cells, phase2_cells};
use super::support::{Output, input, mlp};
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    circuit::{CircuitError, Item, Objective, PrivateWeights, Witness, lay_out, plan, statement},
    gates::{Shape, Trace},
    op::InputMode,
    proof::{Keys, Srs, model_id::model_id, model_id::model_id_with, prove, prove::prove_trace, verify},
    quant::{Program, QuantError, batch, privatise, run},
};

/// A batch of a small network with a witness of different inputs.
struct Batch {
    program: Program,
    shape: Shape,
    items: Vec<Item>,
    weights: Option<PrivateWeights>,
    witness: Witness,
}

impl Batch {
    fn new(widths: &[usize], mode: InputMode, output: Output, count: usize, private: bool) -> Self {
        let single = mlp(widths, mode, output, 1);
        let item = |seed: u64| {
            let values = input(&single, seed);
            let threshold = (output == Output::Threshold).then(|| run(&single, &values).unwrap().output()[0] - 3);
            Item { values, salt: (mode == InputMode::Committed).then(|| Fr::from(99 + seed)), threshold }
        };
        let items: Vec<Item> = (0..count as u64).map(|i| item(2 + i)).collect();
        let mut program = batch(&single, count).unwrap();
        let mut weights = None;
        if private {
            let made = privatise(&program).unwrap();
            (program, weights) = (made.program, Some(PrivateWeights { values: made.values, salt: Fr::from(5) }));
        }
        let shape = plan(&program, Objective::Balanced).unwrap().shape;
        let witness = Witness::of(&program, &items, Fr::from(42), weights.as_ref()).unwrap();
        Self { program, shape, items, weights, witness }
    }

    fn of(&self, items: &[Item]) -> Result<Witness, CircuitError> {
        Witness::of(&self.program, items, Fr::from(42), self.weights.as_ref())
    }

    fn trace(&self) -> Trace {
        lay_out(&self.program, self.shape, Some(&self.witness)).unwrap()
    }

    fn instances(&self) -> Vec<Fr> {
        self.witness.statement.instances()
    }

    fn lab(&self) -> Lab {
        Lab::new(self.trace(), &self.instances(), 7)
    }
}

#[test]
fn no_cell_of_a_batch_has_a_second_value() {
    for (mode, output) in [(InputMode::Committed, Output::Threshold), (InputMode::Private, Output::Argmax)] {
        let widths: &[usize] = if output == Output::Threshold { &[2, 2, 1] } else { &[2, 3, 2] };
        let batch = Batch::new(widths, mode, output, 2, false);
        let mut lab = batch.lab();
        // The private input alone is free: other inputs give other classes, or the same.
        let report = attack(&mut lab, Effort { stride: 3, depth: 4, nodes: 12, stop: false });
        if mode == InputMode::Committed {
            report.assert_sound(100);
        }
        assert!(phase2_cells(&lab).1.is_empty(), "{mode:?}: a cell of the second phase is free");
        assert!(mode != InputMode::Committed || hash_cells(&lab).1.is_empty());
        assert_reads_are_assigned(&lab, "batch");
    }
}

#[test]
fn no_cell_of_a_circuit_with_private_weights_has_a_second_value() {
    let batch = Batch::new(&[2, 2, 1], InputMode::Public, Output::Reveal, 1, true);
    let mut lab = batch.lab();
    let report = attack(&mut lab, Effort { stride: 2, depth: 4, nodes: 12, stop: false });
    report.assert_sound(100);
    assert!(phase2_cells(&lab).1.is_empty(), "a cell of the second phase is free");
    assert!(hash_cells(&lab).1.is_empty());
    assert_reads_are_assigned(&lab, "private weights");
}

/// Every pair of public values that belong to different items, exchanged: another statement, which the proof is not of, and which
/// has no witness.
#[test]
fn items_do_not_take_each_others_place() {
    for (mode, output, widths) in [
        (InputMode::Committed, Output::Threshold, &[3, 2, 1][..]),
        (InputMode::Committed, Output::Reveal, &[3, 2, 2]),
        (InputMode::Public, Output::Reveal, &[3, 2]),
    ] {
        let batch = Batch::new(widths, mode, output, 3, false);
        let srs = Srs::development(batch.shape.k);
        let keys = Keys::generate(&batch.program, batch.shape, &srs).unwrap();
        let proof = prove(&batch.program, &keys, &srs, &batch.witness).unwrap();
        let honest = batch.instances();
        verify(&keys, &srs, &honest, &proof).unwrap();
        let names: Vec<String> = statement::layout(&batch.program).unwrap().into_iter().map(|v| v.name).collect();
        let mut swapped = 0;
        for (i, j) in (1..names.len()).flat_map(|i| (1..i).map(move |j| (i, j))) {
            let kind = |at: usize| names[at].split_once('.').unwrap().1.to_owned();
            if kind(i) != kind(j) || honest[i] == honest[j] {
                continue;
            }
            let mut forged = honest.clone();
            forged.swap(i, j);
            assert!(verify(&keys, &srs, &forged, &proof).is_err(), "{} and {}", names[i], names[j]);
            // A new proof of the old witness for the new statement, by a prover who skips his own checks.
            let again = prove_trace(&keys, &srs, batch.trace(), &forged);
            assert!(again.is_err() || verify(&keys, &srs, &forged, &again.unwrap()).is_err(), "{} and {}", names[i], names[j]);
            swapped += 1;
        }
        assert!(swapped >= 3, "{mode:?} {output:?}: {swapped} pairs");
        // Whole items exchanged are another true statement, with a proof of its own.
        let mut items = batch.items.clone();
        items.swap(0, 2);
        let other = batch.of(&items).unwrap();
        assert!(verify(&keys, &srs, &other.statement.instances(), &proof).is_err());
        let proof = prove(&batch.program, &keys, &srs, &other).unwrap();
        verify(&keys, &srs, &other.statement.instances(), &proof).unwrap();
    }
}

/// The commitment of item 0 beside the values of item 1: the trace of the one with the public values of the other.
#[test]
fn a_commitment_stands_for_the_values_of_its_own_item() {
    let batch = Batch::new(&[3, 2, 2], InputMode::Committed, Output::Reveal, 2, false);
    let mut values = batch.items.clone();
    (values[0].values, values[1].values) = (batch.items[1].values.clone(), batch.items[0].values.clone());
    let crossed = batch.of(&values).unwrap();
    let [honest, mixed] = [batch.instances(), crossed.statement.instances()];
    assert!(honest[1..3].iter().all(|c| !mixed[1..3].contains(c)), "values and salts of different items");
    let trace = lay_out(&batch.program, batch.shape, Some(&crossed)).unwrap();
    let forged = [&honest[..3], &mixed[3..]].concat();
    let lab = Lab::forced(trace, &forged, 7);
    assert_eq!(lab.constraints.iter().find(|c| c.eval(&lab.values) != Fr::zero()).map(|c| c.name.as_str()), Some("instance"));
}

#[test]
fn a_batch_takes_exactly_its_number_of_items_and_names_the_one_at_fault() {
    let batch = Batch::new(&[2, 2, 1], InputMode::Committed, Output::Threshold, 3, false);
    for count in [0, 1, 2, 4] {
        let items = [&batch.items[..], &batch.items[..]].concat();
        assert!(matches!(batch.of(&items[..count]), Err(CircuitError::Items { expected: 3, got }) if got == count));
    }
    let damaged = |damage: fn(&mut Item)| {
        let mut items = batch.items.clone();
        damage(&mut items[1]);
        batch.of(&items).map(drop).unwrap_err()
    };
    let named = |error: CircuitError| match error {
        CircuitError::Item { item: 1, source } => *source,
        other => panic!("item 1 is not named: {other}"),
    };
    assert!(matches!(named(damaged(|i| i.threshold = Some(i.threshold.unwrap() + 4))), CircuitError::BelowThreshold { .. }));
    assert!(matches!(named(damaged(|i| i.threshold = Some(1 << 20))), CircuitError::ThresholdRange { .. }));
    assert!(matches!(named(damaged(|i| i.threshold = None)), CircuitError::Statement { .. }));
    assert!(matches!(named(damaged(|i| i.salt = None)), CircuitError::Statement { .. }));
    assert!(matches!(
        named(damaged(|i| i.values.truncate(1))),
        CircuitError::Quant(QuantError::InputLength { expected: 2, got: 1 })
    ));
    let out_of_range = damaged(|i| i.values[1] = 1 << 30);
    assert!(
        matches!(out_of_range, CircuitError::Quant(QuantError::InputRange { item: Some(1), index: 1, .. })),
        "{out_of_range}"
    );
}

/// Other weights give another commitment; under the one that is published they have no proof.
#[test]
fn weights_are_those_of_the_commitment() {
    let batch = Batch::new(&[3, 2, 1], InputMode::Private, Output::Threshold, 1, true);
    let weights = batch.weights.as_ref().unwrap();
    let srs = Srs::development(batch.shape.k);
    let keys = Keys::generate(&batch.program, batch.shape, &srs).unwrap();
    let honest = batch.instances();
    let proof = prove(&batch.program, &keys, &srs, &batch.witness).unwrap();
    verify(&keys, &srs, &honest, &proof).unwrap();
    assert_eq!(statement::layout(&batch.program).unwrap()[1].name, "modelCommitment");
    let mut tried = 0;
    for at in 0..weights.values.len() {
        let mut values = weights.values.clone();
        values[at] += 1;
        let other = PrivateWeights { values, salt: weights.salt };
        // A score that falls is no forgery that anybody wants.
        let Ok(witness) = Witness::of(&batch.program, &batch.items, Fr::from(42), Some(&other)) else { continue };
        assert_ne!(witness.statement.instances()[1], honest[1], "weight {at}");
        let trace = lay_out(&batch.program, batch.shape, Some(&witness)).unwrap();
        let lab = Lab::forced(trace, &honest, 7);
        let violated = lab.constraints.iter().find(|c| c.eval(&lab.values) != Fr::zero()).map(|c| c.name.as_str());
        assert_eq!(violated, Some("instance"), "weight {at}");
        tried += 1;
    }
    assert!(tried > 3, "{tried} weights");
    let salted = PrivateWeights { values: weights.values.clone(), salt: Fr::from(6) };
    let witness = Witness::of(&batch.program, &batch.items, Fr::from(42), Some(&salted)).unwrap();
    assert_ne!(witness.statement.instances()[1], honest[1], "the salt counts");
    assert!(batch.of(&batch.items).is_ok());
    let without = Witness::of(&batch.program, &batch.items, Fr::from(42), None).map(drop);
    assert!(matches!(without, Err(CircuitError::Quant(QuantError::Weights { .. }))));
}

#[test]
fn the_identity_of_a_private_model_holds_its_commitment() {
    let batch = Batch::new(&[2, 1], InputMode::Private, Output::Reveal, 1, true);
    let srs = Srs::development(batch.shape.k);
    let keys = Keys::generate(&batch.program, batch.shape, &srs).unwrap();
    let id = |byte: u8| model_id_with(&batch.program, &keys, &srs, Some([byte; 32].into())).unwrap();
    assert_ne!(id(1), id(2));
    assert!(model_id(&batch.program, &keys, &srs).is_err(), "private weights without a commitment");
    let fixed = mlp(&[2, 1], InputMode::Private, Output::Reveal, 1);
    assert!(model_id_with(&fixed, &keys, &srs, Some([1; 32].into())).is_err(), "a commitment to fixed weights");
}
