//! The outer circuit of whole recordings.

use super::{REVEALS, recorded};
use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use zkml_evm::aggregate::{
    Recording, check,
    circuit::{AggregateCircuit, Values, Widths, place},
};

/// The public values: all statements, then the accumulator.
fn instances(
    recording: &Recording,
    statements: &[&[Fr]],
    widths: Widths,
    sums: [halo2_proofs::halo2curves::bn256::G1Affine; 2],
) -> Vec<Fr> {
    let _ = recording;
    let mut all: Vec<Fr> = statements.concat();
    all.extend(zkml_evm::aggregate::circuit::accumulator_words(&widths, sums));
    all
}

#[test]
fn one_proof_satisfies_the_outer_circuit() {
    let recording = recorded(&[&REVEALS]);
    let proofs = [REVEALS.inner(0)];
    let evaluation = check(&recording, &REVEALS.srs, &proofs).unwrap();
    let widths = Widths { k: 18, bits: 13, stack: 16 };
    let values = Values { nodes: &evaluation.nodes, points: &evaluation.points };
    let (sheet, rows) = place(&recording, widths, &values).unwrap();
    eprintln!("{rows:?} end {}", sheet.end);
    let public = instances(&recording, &[proofs[0].instances], widths, [evaluation.lhs, evaluation.rhs]);
    let circuit = AggregateCircuit::new(sheet);
    let prover = MockProver::run(widths.k, &circuit, vec![public]).unwrap();
    if let Err(e) = prover.verify() {
        for e in e.iter().take(12) {
            eprintln!("{e}");
        }
        panic!("{} failures", e.len());
    }
}
