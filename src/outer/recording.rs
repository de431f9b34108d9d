//! What the verification of all slots' proofs computes, up to one pairing: straight-line code over the scalar field, the transcript's
//! permutations, and two sums of points.

use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};

/// A scalar of a recording, by its place in [`Recording::nodes`].
pub type Id = usize;

/// How a scalar comes about. Operands stand before their use.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The first.
    X,
    /// The second.
    Y,
}

/// One step of a sponge (`gates/transcript_sponge.rs`): `state = permute(before + (0, added_0, added_1))`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permutation {
    /// The permutation whose state it goes on from, by its place in [`Recording::permutations`]; none starts from
    /// `(sponge::domain(), 0, 0)`.
    pub before: Option<usize>,
    /// What is added to the second and third cell of the state.
    pub added: [Id; 2],
}

/// A point that is multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotLayout {
    /// Public values.
    pub instances: usize,
    /// Points.
    pub points: usize,
    /// Scalars.
    pub evaluations: usize,
}

/// The verification of one proof for each slot. All of them hold if and only if (but for the error of `docs/soundness.md`)
/// `e(lhs, g2) = e(rhs, s g2)` for the two sums, and every point of the proofs is a point of the curve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
