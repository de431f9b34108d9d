//! How much an outer circuit has to repeat for each proof.

use crate::credit_support::Credit;
use zkml_evm::{
    aggregate::{Base, Node, Recording, record},
    circuit::{Objective, plan},
    op::InputMode,
    proof::{Keys, Srs, protocol::protocol},
    quant::OutputChoice,
};

/// What a recording consists of.
#[derive(Debug, Default, PartialEq, Eq)]
struct Size {
    products: usize,
    sums: usize,
    terms: usize,
    inverses: usize,
    permutations: usize,
    own_points: usize,
    fixed_points: usize,
}

impl Size {
    fn of(recording: &Recording) -> Self {
        let mut size = Self { permutations: recording.permutations.len(), ..Self::default() };
        for node in &recording.nodes {
            match node {
                Node::Product(..) => size.products += 1,
                Node::Inverse(_) => size.inverses += 1,
                Node::Sum { terms, .. } => (size.sums, size.terms) = (size.sums + 1, size.terms + terms.len()),
                _ => {}
            }
        }
        for (_, base) in recording.lhs.iter().chain(&recording.rhs) {
            match base {
                Base::Proof { .. } => size.own_points += 1,
                Base::Fixed(_) => size.fixed_points += 1,
            }
        }
        size
    }
}

#[test]
fn the_credit_circuits_recording_stays_small() {
    let credit = Credit::compile(InputMode::Committed, OutputChoice::Threshold);
    let shape = plan(credit.program(), Objective::Gas).unwrap().shape;
    let srs = Srs::development(shape.k);
    let keys = Keys::generate(credit.program(), shape, &srs).unwrap();
    let protocol = protocol(&keys, &srs).unwrap();
    let sizes = [1, 2, 4].map(|slots| {
        let size = Size::of(&record(&vec![protocol.clone(); slots]).unwrap());
        eprintln!("{slots} slots: {size:?}");
        size
    });
    assert!(sizes[0].products + sizes[0].terms < 10_000);
}
