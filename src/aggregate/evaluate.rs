//! The values of a recording for given proofs: what an outer circuit has to repeat, and the check of one upload without it.

use super::{
    error::AggregateError,
    recording::{Axis, Base, Id, Node, Recording, SlotLayout},
};
use crate::{
    gates::{
        poseidon_params::{Parameters, WIDTH},
        transcript_sponge as sponge,
    },
    outer::accumulator_words,
    proof::{
        Srs,
        transcript::{decode_point, decode_scalar},
    },
};
use halo2_proofs::{
    arithmetic::{Field, best_multiexp},
    halo2curves::{
        bn256::{Fr, G1Affine, pairing},
        group::{Curve, prime::PrimeCurveAffine},
    },
};

/// A proof for aggregation and its statement.
#[derive(Clone, Copy, Debug)]
pub struct InnerProof<'a> {
    /// The public values.
    pub instances: &'a [Fr],
    /// The proof's bytes.
    pub proof: &'a [u8],
}

/// The state that is permuted, with what is added, and the state after it.
pub type Step = [[Fr; WIDTH]; 2];

/// The values of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Of each node.
    pub nodes: Vec<Fr>,
    /// Of each permutation.
    pub states: Vec<Step>,
    /// The points of each slot's proof.
    pub points: Vec<Vec<G1Affine>>,
    /// The first sum.
    pub lhs: G1Affine,
    /// The second sum.
    pub rhs: G1Affine,
}

/// The points and scalars of a proof.
struct Parsed {
    points: Vec<G1Affine>,
    evaluations: Vec<Fr>,
}

/// [`evaluate`], and the pairing: `e(lhs, g2) = e(rhs, s g2)`.
///
/// # Errors
/// As [`evaluate`]; [`AggregateError::Invalid`] where the pairing refuses.
pub fn check(recording: &Recording, srs: &Srs, proofs: &[InnerProof<'_>]) -> Result<Evaluation, AggregateError> {
    let evaluation = evaluate(recording, proofs)?;
    match pairs(srs, &evaluation.lhs, &evaluation.rhs) {
        true => Ok(evaluation),
        false => Err(AggregateError::Invalid { slots: proofs.len() }),
    }
}

/// `e(lhs, g2) = e(rhs, s g2)`
pub fn pairs(srs: &Srs, lhs: &G1Affine, rhs: &G1Affine) -> bool {
    pairing(lhs, &srs.params.g2()) == pairing(rhs, &srs.params.s_g2())
}

/// The values of `recording` for one proof in each slot; they say nothing about the proofs yet.
///
/// # Errors
/// A proof or statement of another length, a scalar that is not canonical, a point that is not canonical or not on the curve: with the slot.
pub fn evaluate(recording: &Recording, proofs: &[InnerProof<'_>]) -> Result<Evaluation, AggregateError> {
    if recording.slots.len() != proofs.len() {
        return Err(AggregateError::Slots { expected: recording.slots.len(), got: proofs.len() });
    }
    let parsed: Vec<Parsed> = recording
        .slots
        .iter()
        .zip(proofs)
        .enumerate()
        .map(|(slot, (layout, proof))| parse(slot, layout, proof))
        .collect::<Result<_, _>>()?;
    let (nodes, states) = values(recording, proofs, &parsed)?;
    let points: Vec<Vec<G1Affine>> = parsed.into_iter().map(|proof| proof.points).collect();
    let [lhs, rhs] = [&recording.lhs, &recording.rhs].map(|terms| sum(terms, &nodes, &points));
    Ok(Evaluation { nodes, states, points, lhs, rhs })
}

/// Of an aggregate's proof the accumulator; then points, scalars, two points. The accumulator's points come last among the points.
fn parse(slot: usize, layout: &SlotLayout, proof: &InnerProof<'_>) -> Result<Parsed, AggregateError> {
    let (expected, got) = (layout.instances, proof.instances.len());
    if expected != got {
        return Err(AggregateError::Statement { slot, expected, got });
    }
    let (expected, got) = (64 * layout.all_points() + 32 * layout.evaluations, proof.proof.len());
    if expected != got {
        return Err(AggregateError::Length { slot, expected, got });
    }
    let (accumulator, rest) = proof.proof.split_at(64 * (layout.all_points() - layout.points));
    let (first, rest) = rest.split_at(64 * (layout.points - 2));
    let (scalars, last) = rest.split_at(32 * layout.evaluations);
    let (points, _) = first.as_chunks::<64>();
    let (opening, _) = last.as_chunks::<64>();
    let (accumulator, _) = accumulator.as_chunks::<64>();
    let point = |(index, bytes)| decode_point(bytes).ok_or(AggregateError::Point { slot, index });
    let scalar = |(index, bytes)| decode_scalar(bytes).ok_or(AggregateError::Scalar { slot, index });
    Ok(Parsed {
        points: points.iter().chain(opening).chain(accumulator).enumerate().map(point).collect::<Result<_, _>>()?,
        evaluations: scalars.as_chunks::<32>().0.iter().enumerate().map(scalar).collect::<Result<_, _>>()?,
    })
}

/// Nodes and states; a permutation is computed when its result is asked for, since what it takes stands before that.
fn values(recording: &Recording, proofs: &[InnerProof<'_>], parsed: &[Parsed]) -> Result<(Vec<Fr>, Vec<Step>), AggregateError> {
    let mut nodes: Vec<Fr> = Vec::with_capacity(recording.nodes.len());
    let mut states: Vec<Step> = Vec::with_capacity(recording.permutations.len());
    for (at, node) in recording.nodes.iter().enumerate() {
        let value = match node {
            Node::Constant(value) => *value,
            Node::Instance { slot, index } => proofs[*slot].instances[*index],
            Node::Evaluation { slot, index } => parsed[*slot].evaluations[*index],
            Node::Coordinate { slot, index, axis } => coordinate(&parsed[*slot].points[*index], *axis),
            Node::Half { slot, index, axis, upper } => half(&parsed[*slot].points[*index], *axis, *upper),
            Node::Sum { terms, constant } => terms.iter().fold(*constant, |sum, (factor, id)| sum + *factor * nodes[*id]),
            Node::Product(left, right) => nodes[*left] * nodes[*right],
            Node::Inverse(id) => Option::from(nodes[*id].invert()).ok_or(AggregateError::NoInverse { node: at })?,
            Node::Squeezed(place) => {
                while states.len() <= *place {
                    let permutation = &recording.permutations[states.len()];
                    let before = permutation.before.map_or([sponge::domain(), Fr::ZERO, Fr::ZERO], |at| states[at][1]);
                    let [left, right] = permutation.added.map(|id| nodes[id]);
                    let before = [before[0], before[1] + left, before[2] + right];
                    states.push([before, Parameters::get().permute(before)]);
                }
                states[*place][1][1]
            }
        };
        nodes.push(value);
    }
    Ok((nodes, states))
}

/// Points of a parsed proof are never at infinity.
fn coordinate(point: &G1Affine, axis: Axis) -> Fr {
    let [x, y] = sponge::coordinates(point).unwrap_or_default();
    match axis {
        Axis::X => x,
        Axis::Y => y,
    }
}

fn half(point: &G1Affine, axis: Axis, upper: bool) -> Fr {
    let of_axis = if axis == Axis::X { 0 } else { 2 };
    accumulator_words([*point, *point])[of_axis + usize::from(upper)]
}

fn sum(terms: &[(Id, Base)], nodes: &[Fr], points: &[Vec<G1Affine>]) -> G1Affine {
    let scalars: Vec<Fr> = terms.iter().map(|(id, _)| nodes[*id]).collect();
    let bases: Vec<G1Affine> = terms
        .iter()
        .map(|(_, base)| match base {
            Base::Proof { slot, index } => points[*slot][*index],
            Base::Fixed(point) => *point,
        })
        .collect();
    match scalars.is_empty() {
        true => G1Affine::identity(),
        false => best_multiexp(&scalars, &bases).to_affine(),
    }
}
