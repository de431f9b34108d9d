//! The outer circuit of whole recordings.

use super::{REVEALS, recorded};
use halo2_proofs::{dev::MockProver, halo2curves::bn256::Fr};
use zkml_evm::{
    aggregate::check,
    outer::{OuterCircuit, Values, Widths, accumulator_words, place},
};

#[test]
fn one_proof_satisfies_the_outer_circuit() {
    let recording = recorded(&[&REVEALS]);
    let proofs = [REVEALS.inner(0)];
    let evaluation = check(&recording, &REVEALS.srs, &proofs).unwrap();
    let widths = Widths { k: 18, stack: 16 };
    let values = Values { nodes: &evaluation.nodes, points: &evaluation.points };
    let (sheet, rows) = place(&recording, widths, &values).unwrap();
    eprintln!("{rows:?} end {}", sheet.end);
    let words = accumulator_words([evaluation.lhs, evaluation.rhs]);
    let public = [proofs[0].instances, &words].concat();
    let circuit = OuterCircuit::new(sheet);
    let prover = MockProver::run(widths.k, &circuit, vec![public]).unwrap();
    if let Err(e) = prover.verify() {
        for e in e.iter().take(12) {
            eprintln!("{e}");
        }
        panic!("{} failures", e.len());
    }
}
