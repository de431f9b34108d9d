//! Recordings of whole proofs, recordings that are none, and real proofs of forged sheets.

use super::{
    HONEST,
    choices::forged_table,
    copies::loose_digits,
    small::{WIDTHS, published, recording},
};
use crate::{DECIDES, Model, REVEALS, recorded};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::{Fr, G1Affine},
};
use zkml_evm::{
    aggregate::evaluate,
    outer::{Base, Node, OuterCircuit, Recording, Sheet, Values, Widths, place},
    proof::{OuterKeys, ProofError, Purpose, Srs},
};

fn sheets(models: &[&Model], widths: Widths) -> [Sheet; 2] {
    let recording = recorded(models);
    let proofs: Vec<_> = models.iter().map(|model| model.inner(0)).collect();
    let real = evaluate(&recording, &proofs).unwrap();
    let nodes = vec![Fr::ZERO; recording.nodes.len()];
    let points: Vec<_> = recording.slots.iter().map(|slot| vec![G1Affine::generator(); slot.points]).collect();
    let none = Values { nodes: &nodes, points: &points };
    [Values { nodes: &real.nodes, points: &real.points }, none].map(|values| place(&recording, widths, &values).unwrap().0)
}

#[test]
fn the_circuit_does_not_depend_on_what_is_proven() {
    let (a, b) = (&*REVEALS, &*DECIDES);
    for (models, widths) in
        [(vec![a], Widths { k: 18, stack: 8 }), (vec![a, b], Widths { k: 19, stack: 16 }), (vec![b], Widths { k: 20, stack: 32 })]
    {
        let [real, none] = sheets(&models, widths);
        assert!(real.advice != none.advice);
        assert!(real.fixed == none.fixed && real.copies == none.copies && real.exposed == none.exposed, "{widths:?}");
        assert!(real.assigned == none.assigned && real.end == none.end);
        assert!(loose_digits(&real).is_empty(), "{widths:?}");
    }
}

/// A recording is read from a file: what is none is refused, and never laid out.
#[test]
fn what_is_no_recording_is_not_laid_out() {
    let changed = |change: &dyn Fn(&mut Recording)| {
        let mut recording = recording();
        change(&mut recording);
        recording
    };
    let refused = [
        // Two leaves of one value would be two values.
        changed(&|r| r.nodes.push(Node::Evaluation { slot: 0, index: 0 })),
        changed(&|r| r.nodes.push(Node::Instance { slot: 0, index: 1 })),
        // An operand that stands behind its use, or is its own.
        changed(&|r| r.nodes.push(Node::Product(16, 0))),
        changed(&|r| r.nodes.push(Node::Inverse(17))),
        changed(&|r| r.nodes.push(Node::Sum { terms: vec![(Fr::ONE, 18)], constant: Fr::ZERO })),
        changed(&|r| r.permutations[0].added[0] = 7),
        changed(&|r| r.permutations[1].before = Some(1)),
        changed(&|r| r.permutations.truncate(2)),
        // What the slots do not have.
        changed(&|r| r.lhs.push((0, Base::Proof { slot: 0, index: 2 }))),
        changed(&|r| r.rhs.push((0, Base::Proof { slot: 1, index: 0 }))),
        changed(&|r| r.rhs[0].0 = 16),
        changed(&|r| r.slots[0].instances = 1),
        changed(&|r| r.slots[0].evaluations = 1),
        changed(&|r| r.slots[0].points = 1),
        // Sizes that no sum would hold.
        changed(&|r| r.slots[0].points = usize::MAX),
        changed(&|r| r.slots[0].evaluations = usize::MAX),
    ];
    let nodes = vec![Fr::ONE; 20];
    let points = [vec![G1Affine::generator(); 4]];
    for (i, recording) in refused.iter().enumerate() {
        assert!(!recording.is_well_formed(), "{i}");
        assert!(place(recording, WIDTHS, &Values { nodes: &nodes, points: &points }).is_err(), "{i}");
    }
    // One that is well formed and has no row for a public value, or a sponge that goes on after another one began.
    for recording in [changed(&|r| r.slots[0].instances = 3), changed(&|r| r.permutations[2].before = Some(0))] {
        assert!(place(&recording, WIDTHS, &Values { nodes: &nodes, points: &points }).is_err());
    }
}

#[test]
fn real_proofs_of_forged_sheets_and_lists_of_other_lengths_are_refused() {
    let srs = Srs::development(WIDTHS.k);
    let keys = OuterKeys::generate(&recording(), WIDTHS, &srs).unwrap();
    let public = published(&HONEST.sheet);
    let prove = |sheet: &Sheet, public: &[Fr]| keys.prove_circuit(Purpose::Chain, &srs, OuterCircuit::new(sheet.clone()), public);
    let verify = |public: &[Fr], proof: &[u8]| keys.verify(Purpose::Chain, &srs, public, proof);
    let proof = prove(&HONEST.sheet, &public).unwrap();
    verify(&public, &proof).unwrap();
    for other in [public[..public.len() - 1].to_vec(), [&public[..], &[Fr::ZERO; 8]].concat(), vec![]] {
        let refused = verify(&other, &proof);
        assert!(matches!(&refused, Err(ProofError::Invalid(why)) if why.contains("public values")), "{refused:?}");
    }
    for index in 0..public.len() {
        let mut other = public.clone();
        other[index] += Fr::ONE;
        assert!(verify(&other, &proof).is_err(), "{index}");
    }
    let mut forged = forged_table();
    super::bench::count(&mut forged);
    let public = published(&forged);
    let proof = prove(&forged, &public).unwrap();
    assert!(matches!(verify(&public, &proof), Err(ProofError::Invalid(_))));
}
