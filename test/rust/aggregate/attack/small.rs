//! A recording that has every kind of row and little else, and the sheet that the product's own code makes of it.

use halo2_proofs::{
    arithmetic::{Field, best_multiexp},
    halo2curves::{
        bn256::{Fr, G1Affine},
        group::Curve,
    },
};
use zkml_evm::{
    gates::{poseidon_params::Parameters, transcript_sponge},
    outer::{Axis, Base, Node, Permutation, Recording, Sheet, SlotLayout, Values, Widths, accumulator_words, place},
};

/// The layout then has as many rows as a stack of 16 has at k = 18.
pub const WIDTHS: Widths = Widths { k: 16, stack: 4 };
/// The scalar of the first point, whose digits are attacked.
pub const FIRST_SCALAR: usize = 8;

/// Two points, three scalars, three permutations, and results that nothing reads, on which a cut copy shows.
pub fn recording() -> Recording {
    let coordinate = |index, axis| Node::Coordinate { slot: 0, index, axis };
    let permutation = |before, added| Permutation { before, added };
    Recording {
        slots: vec![SlotLayout { instances: 2, points: 2, evaluations: 2, accumulates: false }],
        nodes: vec![
            Node::Instance { slot: 0, index: 0 },
            Node::Instance { slot: 0, index: 1 },
            coordinate(0, Axis::X),
            coordinate(0, Axis::Y),
            coordinate(1, Axis::X),
            coordinate(1, Axis::Y),
            Node::Evaluation { slot: 0, index: 0 },
            Node::Squeezed(2),
            Node::Product(7, 6),
            Node::Product(2, 3),
            Node::Sum { terms: vec![(Fr::from(3), 8), (Fr::from(2), 1), (Fr::from(7), 9)], constant: Fr::from(5) },
            Node::Inverse(10),
            Node::Constant(Fr::from(11)),
            Node::Product(7, 0),
            Node::Evaluation { slot: 0, index: 1 },
            Node::Product(6, 14),
        ],
        permutations: vec![permutation(None, [0, 2]), permutation(Some(0), [3, 4]), permutation(Some(1), [5, 6])],
        lhs: vec![(FIRST_SCALAR, Base::Proof { slot: 0, index: 0 }), (12, Base::Fixed(G1Affine::generator()))],
        rhs: vec![(11, Base::Proof { slot: 0, index: 1 })],
    }
}

/// The scalars of the accumulator's points: of the first what the transcript gave, of the second what its words add up to.
pub const ACCUMULATOR_SCALARS: [usize; 2] = [9, 10];

/// A slot that takes an aggregate: the words of its accumulator are hashed, and its points are in the sums.
pub fn accumulating() -> Recording {
    let half = |index, axis, upper| Node::Half { slot: 0, index, axis, upper };
    let of = |index| [Axis::X, Axis::Y].into_iter().flat_map(move |axis| [false, true].map(|upper| half(index, axis, upper)));
    let nodes = std::iter::once(Node::Instance { slot: 0, index: 0 }).chain(of(2)).chain(of(3));
    let all = (0..9).map(|id| (Fr::from(3 + id as u64), id)).collect();
    let [lhs, rhs] = ACCUMULATOR_SCALARS;
    let permutation = |before, added| Permutation { before, added };
    Recording {
        slots: vec![SlotLayout { instances: 1, points: 2, evaluations: 0, accumulates: true }],
        nodes: nodes.chain([Node::Squeezed(3), Node::Sum { terms: all, constant: Fr::ONE }]).collect(),
        permutations: vec![
            permutation(None, [1, 2]),
            permutation(Some(0), [3, 4]),
            permutation(Some(1), [5, 6]),
            permutation(Some(2), [7, 8]),
        ],
        lhs: vec![(lhs, Base::Proof { slot: 0, index: 2 })],
        rhs: vec![(rhs, Base::Proof { slot: 0, index: 3 })],
    }
}

/// A sheet with what it publishes.
#[derive(Clone, Debug)]
pub struct Small {
    pub sheet: Sheet,
    /// Rows of the points' unit.
    pub rows: usize,
    pub nodes: Vec<Fr>,
    pub points: [G1Affine; 2],
}

/// The sheet of a slot that takes an aggregate, of whose words one may be another than its points have.
pub fn accumulated(other: Option<(usize, Fr)>) -> (Sheet, [G1Affine; 2]) {
    let (recording, generator) = (accumulating(), G1Affine::generator());
    let accumulator = [Fr::from(77), Fr::from(7654321)].map(|factor| (generator * factor).to_affine());
    let mut words = accumulator_words(accumulator);
    if let Some((at, word)) = other {
        words[at] += word;
    }
    let nodes = nodes_of(&recording, |node| match node {
        Node::Half { index, axis, upper, .. } => words[4 * (index - 2) + 2 * usize::from(*axis == Axis::Y) + usize::from(*upper)],
        Node::Instance { .. } => Fr::from(100),
        other => unreachable!("{other:?} is none of its nodes"),
    });
    let points = vec![vec![generator, (generator * Fr::from(5)).to_affine(), accumulator[0], accumulator[1]]];
    let (sheet, _) = place(&recording, WIDTHS, &Values { nodes: &nodes, points: &points }).unwrap();
    let [lhs, rhs] = ACCUMULATOR_SCALARS.map(|at| nodes[at]);
    (sheet, [accumulator[0] * lhs, accumulator[1] * rhs].map(|sum| sum.to_affine()))
}

impl Small {
    /// The generator, whose coordinates have second representatives below 2^254, and another point.
    pub fn honest() -> Self {
        Self::of([G1Affine::generator(), (G1Affine::generator() * Fr::from(1234567)).to_affine()], None)
    }

    /// The sheet of these points, whose first may have another x in the transcript.
    pub fn of(points: [G1Affine; 2], first_x: Option<Fr>) -> Self {
        let recording = recording();
        let nodes = nodes(&recording, &points, first_x);
        let values = Values { nodes: &nodes, points: &[points.to_vec()] };
        let (sheet, rows) = place(&recording, WIDTHS, &values).unwrap();
        Self { sheet, rows: rows.points, nodes, points }
    }

    /// The two sums.
    pub fn sums(&self) -> [G1Affine; 2] {
        let lhs = best_multiexp(&[self.nodes[FIRST_SCALAR], self.nodes[12]], &[self.points[0], G1Affine::generator()]);
        [lhs.to_affine(), (self.points[1] * self.nodes[11]).to_affine()]
    }
}

fn nodes(recording: &Recording, points: &[G1Affine; 2], first_x: Option<Fr>) -> Vec<Fr> {
    nodes_of(recording, |node| match node {
        Node::Instance { index, .. } => Fr::from(100 + *index as u64),
        Node::Evaluation { index, .. } => Fr::from(200 + *index as u64).square().square().square(),
        Node::Coordinate { index: 0, axis: Axis::X, .. } if first_x.is_some() => first_x.unwrap(),
        Node::Coordinate { index, axis, .. } => {
            let [x, y] = transcript_sponge::coordinates(&points[*index]).unwrap();
            if *axis == Axis::X { x } else { y }
        }
        other => unreachable!("{other:?} is none of its nodes"),
    })
}

/// The values of all nodes; `given` has those that nothing computes.
fn nodes_of(recording: &Recording, given: impl Fn(&Node) -> Fr) -> Vec<Fr> {
    let mut nodes: Vec<Fr> = Vec::new();
    let mut states: Vec<[Fr; 3]> = Vec::new();
    for node in &recording.nodes {
        let value = match node {
            Node::Constant(value) => *value,
            Node::Sum { terms, constant } => terms.iter().fold(*constant, |sum, (factor, id)| sum + *factor * nodes[*id]),
            Node::Product(left, right) => nodes[*left] * nodes[*right],
            Node::Inverse(id) => nodes[*id].invert().unwrap(),
            Node::Squeezed(at) => {
                for permutation in &recording.permutations[states.len()..=*at] {
                    let before = permutation.before.map_or([transcript_sponge::domain(), Fr::ZERO, Fr::ZERO], |at| states[at]);
                    let [left, right] = permutation.added.map(|id| nodes[id]);
                    states.push(Parameters::get().permute([before[0], before[1] + left, before[2] + right]));
                }
                states[*at][1]
            }
            other => given(other),
        };
        nodes.push(value);
    }
    nodes
}

/// What the exposed cells hold.
pub fn published(sheet: &Sheet) -> Vec<Fr> {
    let mut public = vec![Fr::ZERO; sheet.exposed.len()];
    sheet.exposed.iter().for_each(|(cell, index)| public[*index] = sheet.value(*cell));
    public
}
