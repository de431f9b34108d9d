//! An aggregate's proof aggregated again.

use super::{Model, REVEALS, recorded};
use halo2_proofs::{
    dev::MockProver,
    halo2curves::{
        bn256::{Fr, G1, G1Affine},
        group::Curve,
    },
    poly::commitment::ParamsProver,
};
use zkml_evm::{
    aggregate::{AggregateError, Base, Evaluation, Inner, InnerProof, Node, Recording, check, evaluate, pairs, record_all},
    outer::{OuterCircuit, Values, Widths, accumulator_words, place},
    proof::{OuterKeys, Purpose, Srs, protocol::protocol, transcript::encode_point},
};

/// Takes a minute of CPU time: the inner proof is an outer one.
#[test]
#[ignore = "make test-aggregation"]
fn an_aggregate_and_a_proof_are_aggregated() {
    let model = &*REVEALS;
    let widths = Widths { k: 18, stack: 16 };
    let srs = Srs::development(widths.k);
    let leaves = recorded(&[model]);
    let below = check(&leaves, &model.srs, &[model.inner(0)]).unwrap();
    let keys = OuterKeys::generate(&leaves, widths, &srs).unwrap();
    let statement = model.inner(0).instances;
    let words = accumulator_words([below.lhs, below.rhs]);
    let values = Values { nodes: &below.nodes, points: &below.points };
    let outer = keys.prove(Purpose::Aggregation, &srs, &leaves, &values, &[statement, &words].concat()).unwrap();

    let proof = [&encode_point(&below.lhs)[..], &encode_point(&below.rhs), &outer].concat();
    let aggregate = Inner { protocol: keys.protocol(&srs).unwrap(), accumulates: true };
    let single = Inner { protocol: protocol(&model.keys, &model.srs).unwrap(), accumulates: false };
    let recording = record_all(&[aggregate, single]).unwrap();
    assert_eq!(recording.slots[0].instances, statement.len(), "the accumulator's words are no statement");
    let inner = [InnerProof { instances: statement, proof: &proof }, model.inner(1)];
    let evaluation = check(&recording, &srs, &inner).unwrap();

    // The accumulator of the lower level counts: with another pair of points, on the curve as well, nothing holds.
    let mut other = proof.clone();
    other[..64].copy_from_slice(&encode_point(&below.rhs));
    let refused = check(&recording, &srs, &[InnerProof { instances: statement, proof: &other }, model.inner(1)]);
    assert!(matches!(refused, Err(AggregateError::Invalid { slots: 2 })));
    let mut other = statement.to_vec();
    other[0] += Fr::from(1);
    let refused = check(&recording, &srs, &[InnerProof { instances: &other, proof: &proof }, model.inner(1)]);
    assert!(matches!(refused, Err(AggregateError::Invalid { slots: 2 })));

    let widths = Widths { k: 19, stack: 16 };
    let values = Values { nodes: &evaluation.nodes, points: &evaluation.points };
    let (sheet, rows) = place(&recording, widths, &values).unwrap();
    eprintln!("{rows:?}");
    let words = accumulator_words([evaluation.lhs, evaluation.rhs]);
    let public = [statement, model.inner(1).instances, &words].concat();
    let prover = MockProver::run(widths.k, &OuterCircuit::new(sheet), vec![public]).unwrap();
    prover.assert_satisfied();
}

/// A proof's statement, and a proof of an aggregate of it alone, with the accumulator before it, whether that holds or not: the outer circuit
/// computes it, and the pairing is somebody else's.
fn aggregated(keys: &OuterKeys, srs: &Srs, leaves: &Recording, inner: InnerProof<'_>) -> (Vec<Fr>, Vec<u8>) {
    let below = evaluate(leaves, &[inner]).unwrap();
    let words = accumulator_words([below.lhs, below.rhs]);
    let values = Values { nodes: &below.nodes, points: &below.points };
    let outer = keys.prove(Purpose::Aggregation, srs, leaves, &values, &[inner.instances, &words].concat()).unwrap();
    (inner.instances.to_vec(), [&encode_point(&below.lhs)[..], &encode_point(&below.rhs), &outer].concat())
}

/// How the last point W' of the one proof counts in the two sums: a and b of `lhs = .. + a W'`, `rhs = .. + b W'`.
fn weights(leaves: &Recording, at: &Evaluation) -> [Fr; 2] {
    let last = leaves.slots[0].points - 1;
    [&leaves.lhs, &leaves.rhs].map(|terms| {
        let of = |(_, base): &&(usize, Base)| matches!(base, Base::Proof { slot: 0, index } if *index == last);
        terms.iter().filter(of).map(|(id, _)| at.nodes[*id]).sum()
    })
}

/// Two proofs of which neither holds, with accumulators whose errors cancel: W' + E changes what the pairing compares by (a - b s) E, and
/// `E_0 = e (a_1 - b_1 s) G`, `E_1 = -e (a_0 - b_0 s) G` can be had from the SRS, since a and b are drawn before W' is chosen.
fn cancelling(model: &Model, leaves: &Recording) -> [Vec<u8>; 2] {
    let points = model.srs.params.get_g();
    let [[a_0, b_0], [a_1, b_1]] = [0, 1].map(|at| weights(leaves, &evaluate(leaves, &[model.inner(at)]).unwrap()));
    let errors: [G1; 2] = [points[0] * a_1 - points[1] * b_1, points[1] * b_0 - points[0] * a_0];
    [0, 1].map(|at| {
        let honest = evaluate(leaves, &[model.inner(at)]).unwrap().points[0].clone();
        let forged: G1Affine = (G1::from(honest[leaves.slots[0].points - 1]) + errors[at]).to_affine();
        let mut proof = model.inner(at).proof.to_vec();
        let end = proof.len() - 64;
        proof[end..].copy_from_slice(&encode_point(&forged));
        proof
    })
}

/// The same with the accumulators of all slots as they are, without powers of ρ.
fn without_their_powers(recording: &Recording) -> Recording {
    let mut weak = recording.clone();
    weak.nodes.push(Node::Constant(Fr::one()));
    let one = weak.nodes.len() - 1;
    for terms in [&mut weak.lhs, &mut weak.rhs] {
        let of_accumulators = terms
            .iter_mut()
            .filter(|(_, base)| matches!(base, Base::Proof { slot, index } if *index >= recording.slots[*slot].points));
        assert_eq!(of_accumulators.map(|(power, _)| *power = one).count(), recording.slots.len());
    }
    weak
}

/// A minute of CPU time: two outer proofs.
#[test]
#[ignore = "make test-aggregation"]
fn accumulators_whose_errors_cancel_are_refused() {
    let model = &*REVEALS;
    let widths = Widths { k: 18, stack: 16 };
    let srs = Srs::development(widths.k);
    let leaves = recorded(&[model]);
    let keys = OuterKeys::generate(&leaves, widths, &srs).unwrap();
    let branch = Inner { protocol: keys.protocol(&srs).unwrap(), accumulates: true };
    let recording = record_all(&[branch.clone(), branch]).unwrap();
    let weak = without_their_powers(&recording);

    let forged = cancelling(model, &leaves);
    let inner = [0, 1].map(|at| InnerProof { proof: &forged[at], ..model.inner(at) });
    let below = inner.map(|inner| evaluate(&leaves, &[inner]).unwrap());
    for Evaluation { lhs, rhs, .. } in &below {
        assert!(!pairs(&srs, lhs, rhs), "neither accumulator holds");
    }
    let [lhs, rhs] = [below[0].lhs + below[1].lhs, below[0].rhs + below[1].rhs];
    assert!(pairs(&srs, &lhs.to_affine(), &rhs.to_affine()), "their sum does");

    let outer = inner.map(|inner| aggregated(&keys, &srs, &leaves, inner));
    let proofs = [0, 1].map(|at: usize| InnerProof { instances: &outer[at].0, proof: &outer[at].1 });
    check(&weak, &srs, &proofs).unwrap();
    assert!(matches!(check(&recording, &srs, &proofs), Err(AggregateError::Invalid { slots: 2 })));
    // Nor the other way round, nor beside an honest one.
    let honest = aggregated(&keys, &srs, &leaves, model.inner(0));
    let honest = InnerProof { instances: &honest.0, proof: &honest.1 };
    check(&recording, &srs, &[honest, honest]).unwrap();
    for proofs in [[proofs[1], proofs[0]], [honest, proofs[1]], [proofs[0], honest]] {
        assert!(matches!(check(&recording, &srs, &proofs), Err(AggregateError::Invalid { slots: 2 })));
    }
}
