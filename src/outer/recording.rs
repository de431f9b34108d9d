//! What the verification of all slots' proofs computes, up to one pairing: straight-line code over the scalar field, the transcript's
//! permutations, and two sums of points.

use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A scalar of a recording, by its place in [`Recording::nodes`].
pub type Id = usize;

/// How a scalar comes about. Operands stand before their use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Node {
    /// Part of the recording.
    Constant(Fr),
    /// Public value `index` of the proof in `slot`.
    Instance {
        /// The slot.
        slot: usize,
        /// Its place in the statement.
        index: usize,
    },
    /// Scalar `index` of the proof in `slot`, in the proof's order.
    Evaluation {
        /// The slot.
        slot: usize,
        /// Its place among the proof's scalars.
        index: usize,
    },
    /// A coordinate, an integer below q, of point `index` of the proof in `slot`, modulo r.
    Coordinate {
        /// The slot.
        slot: usize,
        /// Its place among the proof's points.
        index: usize,
        /// Which coordinate.
        axis: Axis,
    },
    /// Half of a coordinate of an accumulator's point: the integer modulo `2^130`, or its upper part.
    Half {
        /// The slot.
        slot: usize,
        /// Its place among the points, behind those of the proof.
        index: usize,
        /// Which coordinate.
        axis: Axis,
        /// Whether it is the upper part.
        upper: bool,
    },
    /// `constant + Σ coefficient * value`
    Sum {
        /// Coefficients and values.
        terms: Vec<(Fr, Id)>,
        /// The constant.
        constant: Fr,
    },
    /// `left * right`
    Product(Id, Id),
    /// `1 / value`; there is no proof where the value is 0.
    Inverse(Id),
    /// The second cell of the state after a permutation.
    Squeezed(usize),
}

/// A coordinate of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Axis {
    /// The first.
    X,
    /// The second.
    Y,
}

/// One step of a sponge (`gates/transcript_sponge.rs`): `state = permute(before + (0, added_0, added_1))`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permutation {
    /// The permutation whose state it goes on from, by its place in [`Recording::permutations`]; none starts from
    /// `(sponge::domain(), 0, 0)`.
    pub before: Option<usize>,
    /// What is added to the second and third cell of the state.
    pub added: [Id; 2],
}

/// A point that is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Base {
    /// Point `index` of the proof in `slot`.
    Proof {
        /// The slot.
        slot: usize,
        /// Its place among the proof's points.
        index: usize,
    },
    /// A commitment of a verifying key, or the generator.
    Fixed(G1Affine),
}

/// What the proof in a slot is made of: in its bytes, all points but two, the scalars, the two points of the opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotLayout {
    /// Public values, the words of an accumulator not among them.
    pub instances: usize,
    /// Points.
    pub points: usize,
    /// Scalars.
    pub evaluations: usize,
    /// Whether it is an aggregate's: before the proof stand the two points of an accumulator, whose words end its public values.
    pub accumulates: bool,
}

/// Most values of a kind in one proof, and most slots: far beyond any circuit, and far below where sums of them would overflow.
const MOST: usize = 1 << 20;

impl SlotLayout {
    /// Whether it is one that a proof can have.
    fn is_bounded(&self) -> bool {
        self.points >= 2 && [self.instances, self.points, self.evaluations].iter().all(|&count| count <= MOST)
    }

    /// All points: the proof's, and those of the accumulator behind them.
    pub fn all_points(&self) -> usize {
        self.points + if self.accumulates { 2 } else { 0 }
    }
}

/// The verification of one proof for each slot. All of them hold if and only if (but for the error of `docs/soundness.md`)
/// `e(lhs, g2) = e(rhs, s g2)` for the two sums, and every point of the proofs is a point of the curve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The slots.
    pub slots: Vec<SlotLayout>,
    /// Every scalar.
    pub nodes: Vec<Node>,
    /// Every permutation, in the order of the transcripts.
    pub permutations: Vec<Permutation>,
    /// `Σ scalar * point`, each point once.
    pub lhs: Vec<(Id, Base)>,
    /// Likewise.
    pub rhs: Vec<(Id, Base)>,
}

impl Recording {
    /// Public values of the outer circuit: all statements, and the accumulator's words.
    pub fn public_values(&self) -> usize {
        self.slots.iter().map(|slot| slot.instances).sum::<usize>() + super::ACCUMULATOR_WORDS
    }

    /// Whether sizes are bounded, every operand stands before its use and every place exists: what is read from a file is not trusted to be a recording.
    pub fn is_well_formed(&self) -> bool {
        let slot = |slot: usize| self.slots.get(slot);
        let point = |at: usize, index: usize| slot(at).is_some_and(|layout| index < layout.all_points());
        // The largest operand of each permutation and all before it.
        let highest: Vec<Id> = self
            .permutations
            .iter()
            .scan(0, |highest, permutation| {
                *highest = permutation.added.into_iter().fold(*highest, Id::max);
                Some(*highest)
            })
            .collect();
        let node = |(id, node): (usize, &Node)| match node {
            Node::Constant(_) => true,
            Node::Instance { slot: at, index } => slot(*at).is_some_and(|layout| *index < layout.instances),
            Node::Evaluation { slot: at, index } => slot(*at).is_some_and(|layout| *index < layout.evaluations),
            Node::Coordinate { slot, index, .. } | Node::Half { slot, index, .. } => point(*slot, *index),
            Node::Sum { terms, .. } => terms.iter().all(|(_, operand)| *operand < id),
            Node::Product(left, right) => *left < id && *right < id,
            Node::Inverse(operand) => *operand < id,
            // Permutations are made in their order, when the first result of one is asked for.
            Node::Squeezed(at) => highest.get(*at).is_some_and(|&added| added < id),
        };
        let permutation = |(at, permutation): (usize, &Permutation)| {
            permutation.before.is_none_or(|before| before < at) && permutation.added.iter().all(|&id| id < self.nodes.len())
        };
        let term = |(id, base): &(Id, Base)| {
            *id < self.nodes.len()
                && match base {
                    Base::Proof { slot, index } => point(*slot, *index),
                    Base::Fixed(_) => true,
                }
        };
        let leaves: Vec<&Node> =
            self.nodes.iter().filter(|node| matches!(node, Node::Instance { .. } | Node::Evaluation { .. })).collect();
        // Two leaves of one value would be two values to the circuit.
        self.slots.len() <= MOST
            && self.slots.iter().all(SlotLayout::is_bounded)
            && leaves.iter().collect::<HashSet<_>>().len() == leaves.len()
            && self.nodes.iter().enumerate().all(node)
            && self.permutations.iter().enumerate().all(permutation)
            && self.lhs.iter().chain(&self.rhs).all(term)
    }
}
