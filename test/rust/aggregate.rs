//! Whole proofs for aggregation: made, verified natively, recorded, and refused when anything about them changes.

#[path = "aggregate/attack.rs"]
mod attack;
#[path = "aggregate/circuit.rs"]
mod circuit;
mod credit_support;
#[path = "aggregate/reference.rs"]
mod reference;
#[path = "aggregate/size.rs"]
mod size;
#[path = "aggregate/spy.rs"]
mod spy;
mod support;
#[path = "aggregate/tree.rs"]
mod tree;

use halo2_proofs::halo2curves::bn256::Fr;
use std::sync::LazyLock;
use support::{Output, input, mlp};
use zkml_evm::{
    aggregate::{AggregateError, InnerProof, Node, Recording, check, evaluate, record},
    circuit::{Objective, Witness, plan},
    op::InputMode,
    proof::{Keys, ProofError, Purpose, Srs, keys::fit, protocol::protocol, prove_for, verify, verify_for},
    quant::{Program, run},
};

/// A model's keys and two proofs of it with their statements.
struct Model {
    keys: Keys,
    srs: Srs,
    proofs: [(Vec<Fr>, Vec<u8>); 2],
}

impl Model {
    fn new(program: &Program, objective: Objective, threshold: bool) -> Self {
        let plan = plan(program, objective).unwrap();
        let srs = Srs::development(plan.shape.k);
        let keys = Keys::generate(program, plan.shape, &srs).unwrap();
        let proofs = [1, 2].map(|seed| {
            let values = input(program, seed);
            let threshold = threshold.then(|| run(program, &values).unwrap().output()[0] - 3);
            let salt = (program.input().unwrap().mode == InputMode::Committed).then(|| Fr::from(seed + 5));
            let witness = Witness::new(program, &values, Fr::from(seed), salt, threshold).unwrap();
            let proof = prove_for(Purpose::Aggregation, program, &keys, &srs, &witness).unwrap();
            (witness.statement.instances(), proof)
        });
        Self { keys, srs, proofs }
    }

    fn inner(&self, index: usize) -> InnerProof<'_> {
        let (instances, proof) = &self.proofs[index];
        InnerProof { instances, proof }
    }

    fn verify(&self, instances: &[Fr], proof: &[u8]) -> Result<(), ProofError> {
        verify_for(Purpose::Aggregation, &self.keys, &self.srs, instances, proof)
    }
}

/// A network that publishes its three outputs.
static REVEALS: LazyLock<Model> =
    LazyLock::new(|| Model::new(&mlp(&[5, 4, 3], InputMode::Private, Output::Reveal, 1), Objective::Gas, false));
/// A network with a committed input that publishes whether its output is above a threshold.
static DECIDES: LazyLock<Model> =
    LazyLock::new(|| Model::new(&mlp(&[5, 4, 1], InputMode::Committed, Output::Threshold, 1), Objective::Balanced, true));

fn recorded(models: &[&Model]) -> Recording {
    let protocols: Vec<_> = models.iter().map(|model| protocol(&model.keys, &model.srs).unwrap()).collect();
    record(&protocols).unwrap()
}

#[test]
fn a_proof_verifies_for_its_purpose_and_no_other() {
    for model in [&*REVEALS, &*DECIDES] {
        let (instances, proof) = &model.proofs[0];
        model.verify(instances, proof).unwrap();
        assert!(matches!(verify(&model.keys, &model.srs, instances, proof), Err(ProofError::Invalid(_))));
        for at in (0..proof.len()).step_by(61) {
            let mut changed = proof.clone();
            changed[at] ^= 1;
            assert!(model.verify(instances, &changed).is_err(), "byte {at}");
        }
        for i in 0..instances.len() {
            let mut changed = instances.clone();
            changed[i] += Fr::from(1);
            assert!(model.verify(&changed, proof).is_err(), "instance {i}");
        }
        assert!(model.verify(instances, &[&proof[..], &[0]].concat()).is_err());
    }
}

#[test]
fn one_proof_two_of_a_model_and_two_of_different_models_are_accepted() {
    let (a, b) = (&*REVEALS, &*DECIDES);
    check(&recorded(&[a]), &a.srs, &[a.inner(0)]).unwrap();
    check(&recorded(&[a, a]), &a.srs, &[a.inner(0), a.inner(1)]).unwrap();
    check(&recorded(&[a, b]), &a.srs, &[a.inner(1), b.inner(0)]).unwrap();
    check(&recorded(&[b, a, b, a]), &a.srs, &[b.inner(0), a.inner(0), b.inner(1), a.inner(1)]).unwrap();
}

#[test]
fn whatever_is_changed_is_refused() {
    let (a, b) = (&*REVEALS, &*DECIDES);
    let recording = recorded(&[a, b]);
    let good = [a.inner(0), b.inner(0)];
    let bad = |slot: usize, instances: &[Fr], proof: &[u8]| {
        let changed = InnerProof { instances, proof };
        check(&recording, &a.srs, &if slot == 0 { [changed, b.inner(0)] } else { [a.inner(0), changed] })
    };
    check(&recording, &a.srs, &good).unwrap();
    let mut reasons = [0; 3];
    for (slot, inner) in good.into_iter().enumerate() {
        for at in (0..inner.proof.len()).step_by(31) {
            let mut proof = inner.proof.to_vec();
            proof[at] ^= 0xff;
            match bad(slot, inner.instances, &proof) {
                Err(AggregateError::Point { slot: named, .. }) if named == slot => reasons[0] += 1,
                Err(AggregateError::Scalar { slot: named, .. }) if named == slot => reasons[1] += 1,
                Err(AggregateError::Invalid { slots: 2 }) => reasons[2] += 1,
                other => panic!("slot {slot}, byte {at}: {other:?}"),
            }
        }
        for i in 0..inner.instances.len() {
            let mut instances = inner.instances.to_vec();
            instances[i] += Fr::from(1);
            let refused = bad(slot, &instances, inner.proof);
            assert!(matches!(refused, Err(AggregateError::Invalid { slots: 2 })), "instance {i}");
        }
        let short = bad(slot, inner.instances, &inner.proof[1..]);
        assert!(matches!(short, Err(AggregateError::Length { slot: named, .. }) if named == slot));
        let fewer = bad(slot, &inner.instances[1..], inner.proof);
        assert!(matches!(fewer, Err(AggregateError::Statement { slot: named, .. }) if named == slot));
    }
    assert!(reasons.iter().all(|count| *count > 0), "{reasons:?}");
    assert!(matches!(check(&recording, &a.srs, &good[..1]), Err(AggregateError::Slots { expected: 2, got: 1 })));
    assert!(matches!(record(&[]), Err(AggregateError::Empty)));
}

#[test]
fn statements_and_proofs_stay_together() {
    let a = &*REVEALS;
    let recording = recorded(&[a, a]);
    let [first, second] = [a.inner(0), a.inner(1)];
    // Whole proofs may change their places, but no proof its statement.
    check(&recording, &a.srs, &[second, first]).unwrap();
    let swapped = [InnerProof { proof: second.proof, ..first }, InnerProof { proof: first.proof, ..second }];
    assert!(matches!(check(&recording, &a.srs, &swapped), Err(AggregateError::Invalid { slots: 2 })));
    let (wrong, b) = (recorded(&[a]), &*DECIDES);
    assert!(matches!(check(&wrong, &a.srs, &[b.inner(0)]), Err(AggregateError::Statement { .. })));
}

#[test]
fn the_two_sides_are_snark_verifiers() {
    for model in [&*REVEALS, &*DECIDES] {
        let protocol = protocol(&model.keys, &model.srs).unwrap();
        for (i, (instances, proof)) in model.proofs.iter().enumerate() {
            let got = evaluate(&record(std::slice::from_ref(&protocol)).unwrap(), &[model.inner(i)]).unwrap();
            assert_eq!([got.lhs, got.rhs], reference::sides(&protocol, instances, proof));
            // A changed scalar changes both in the same way, though no pairing would accept.
            let mut changed = proof.clone();
            changed[64 * (got.points[0].len() - 2) + 31] ^= 1;
            let inner = InnerProof { instances, proof: &changed };
            let got = evaluate(&record(std::slice::from_ref(&protocol)).unwrap(), &[inner]).unwrap();
            assert_eq!([got.lhs, got.rhs], reference::sides(&protocol, instances, &changed));
        }
    }
}

/// The sums alone do not show a wrong order of combination, and the pairing alone not which challenges were drawn.
#[test]
fn the_recorded_challenges_are_those_of_halo2() {
    for model in [&*REVEALS, &*DECIDES] {
        let (instances, proof) = &model.proofs[0];
        let recording = recorded(&[model]);
        let evaluation = evaluate(&recording, &[model.inner(0)]).unwrap();
        let got: Vec<Fr> = (recording.nodes.iter().zip(&evaluation.nodes))
            .filter_map(|(node, value)| matches!(node, Node::Squeezed(_)).then_some(*value))
            .collect();
        let drawn = spy::challenges(&model.keys, &fit(&model.srs, model.keys.shape.k).unwrap(), instances, proof);
        // Some challenges are drawn and never used.
        let mut left = drawn.iter();
        assert!(got.iter().all(|challenge| left.any(|drawn| drawn == challenge)), "{got:?} {drawn:?}");
        assert!(got.len() >= 6, "{}", got.len());
    }
}
