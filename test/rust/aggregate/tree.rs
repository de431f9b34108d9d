//! An aggregate's proof aggregated again.

use super::{REVEALS, recorded};
use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use zkml_evm::{
    aggregate::{AggregateError, Inner, InnerProof, check, record_all},
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
