//! The opening of a proof: SHPLONK (<https://eprint.iacr.org/2020/081>), two commitments for all evaluations of all polynomials.
//!
//! With C_s = Σ_j y^j·P_j over the polynomials that are opened at the points S of set s, Z_S its vanishing polynomial, T all points:
//!
//! ```text
//! h = Σ_s v^s · ⌊C_s / Z_S⌋                                             first point
//! w = ⌊(Σ_s v^s·Z_(T∖S)(u) · C_s  -  Z_T(u) · h) / (X - u)⌋ / Z_(T∖S_0)(u)   second point
//! ```
//!
//! What SHPLONK subtracts from C_s before the first division, the polynomial of degree below |S| through its values on S, is the
//! division's remainder; what it subtracts before the second is a constant and changes a remainder only. So no evaluation is needed,
//! and each C_s serves both. A wrong polynomial gives a proof that verification refuses, as it does where halo2 makes the points.

use super::{
    commit::Committer,
    key::Polynomials,
    lanes::Width,
    polynomials::sum,
    quotient::Committed,
    transcript::{Challenge, Transcript},
};
use halo2_proofs::{
    arithmetic::kate_division,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::Field,
        group::Curve,
    },
    plonk::{ConstraintSystem, VerifyingKey},
    poly::Rotation,
    transcript::{EncodedChallenge, Transcript as _, TranscriptWrite},
};
use rayon::prelude::*;
use std::{collections::BTreeSet, io};

/// What a proof opens, by its coefficients.
pub(super) struct Made {
    /// What its key commits to.
    pub key: Polynomials,
    pub committed: Committed,
    /// The pieces of the quotient.
    pub pieces: Vec<Vec<Fr>>,
    /// The random polynomial.
    pub random: Vec<Fr>,
}

/// A polynomial that is opened.
enum Opened<'a> {
    Coefficients(&'a [Fr]),
    /// Σ_i x^(n·i)·piece_i.
    Quotient(&'a [Vec<Fr>]),
}

/// Polynomials that are opened at the same points.
struct Set<'a> {
    points: BTreeSet<Fr>,
    opened: Vec<Opened<'a>>,
}

/// Makes the two points and writes them; `x` is the challenge that the evaluations are at.
pub(super) fn open(
    width: Width,
    committer: &Committer<'_>,
    vk: &VerifyingKey<G1Affine>,
    made: &Made,
    x: Fr,
    transcript: &mut Transcript<Vec<u8>>,
) -> io::Result<()> {
    let n = 1 << vk.get_domain().k();
    let [y, v] = [(); 2].map(|()| draw(transcript));
    let sets = sets(opened(vk, made, x));
    let combined: Vec<Vec<Fr>> = sets.iter().map(|set| combine(width, n, set, x, y)).collect();
    let sets: Vec<BTreeSet<Fr>> = sets.into_iter().map(|set| set.points).collect();
    let quotients: Vec<Vec<Fr>> = sets.par_iter().zip(&combined).map(|(points, combined)| divide(combined, points)).collect();
    let h = sum(width, n, &powers(v).zip(&quotients).map(|(factor, part)| (factor, &part[..])).collect::<Vec<_>>());
    drop(quotients);
    transcript.write_point(committer.commit_coefficients(&h).to_affine())?;

    let u = draw(transcript);
    let all: BTreeSet<Fr> = sets.iter().flatten().copied().collect();
    let vanishing = |left_out: &BTreeSet<Fr>| -> Fr { all.difference(left_out).map(|point| u - point).product() };
    let first = sets.first().map(vanishing).and_then(|value| Option::<Fr>::from(value.invert()));
    let scale = first.ok_or_else(|| io::Error::other("a challenge is a point of evaluation"))?;
    let factors = powers(v).zip(&sets).map(|(power, points)| power * vanishing(points) * scale);
    let mut terms: Vec<(Fr, &[Fr])> = factors.zip(&combined).map(|(factor, part)| (factor, &part[..])).collect();
    terms.push((-vanishing(&BTreeSet::new()) * scale, &h));
    transcript.write_point(committer.commit_coefficients(&kate_division(&sum(width, n, &terms), u)).to_affine())
}

/// The next challenge.
pub(super) fn draw(transcript: &mut Transcript<Vec<u8>>) -> Fr {
    let drawn: Challenge = transcript.squeeze_challenge();
    drawn.get_scalar()
}

/// What is opened, with its points, in the order of halo2's queries: advice, the permutation's products, fixed columns, the permutation,
/// the quotient, the random polynomial. (halo2's own lookups, which would stand between, are used nowhere.)
fn opened<'a>(vk: &VerifyingKey<G1Affine>, made: &'a Made, x: Fr) -> Vec<(Opened<'a>, BTreeSet<Fr>)> {
    let (cs, domain) = (vk.cs(), vk.get_domain());
    let at = |rotations: &[i32]| -> BTreeSet<Fr> { rotations.iter().map(|by| domain.rotate_omega(x, Rotation(*by))).collect() };
    let mut all = Vec::new();
    for (column, rotations) in by_column(cs.advice_queries().iter().map(|(column, rotation)| (column.index(), rotation.0))) {
        all.push((Opened::Coefficients(&made.committed.advice[column]), at(&rotations)));
    }
    let products = &made.committed.products;
    for (i, product) in products.iter().enumerate() {
        all.push((Opened::Coefficients(product), at(&product_rotations(cs, i, products.len()))));
    }
    for (column, rotations) in by_column(cs.fixed_queries().iter().map(|(column, rotation)| (column.index(), rotation.0))) {
        all.push((Opened::Coefficients(&made.key.fixed[column]), at(&rotations)));
    }
    all.extend(made.key.permutation.iter().map(|polynomial| (Opened::Coefficients(polynomial), at(&[0]))));
    all.extend([(Opened::Quotient(&made.pieces), at(&[0])), (Opened::Coefficients(&made.random), at(&[0]))]);
    all
}

/// Where a product is evaluated: the last one is not carried on to another.
pub(super) fn product_rotations(cs: &ConstraintSystem<Fr>, number: usize, products: usize) -> Vec<i32> {
    let end = -(cs.blinding_factors() as i32 + 1);
    if number + 1 < products { vec![0, 1, end] } else { vec![0, 1] }
}

/// Each column with its rotations, in the order of its first query.
fn by_column(queries: impl Iterator<Item = (usize, i32)>) -> Vec<(usize, Vec<i32>)> {
    let mut columns: Vec<(usize, Vec<i32>)> = Vec::new();
    for (column, rotation) in queries {
        match columns.iter_mut().find(|(known, _)| *known == column) {
            Some((_, rotations)) => rotations.push(rotation),
            None => columns.push((column, vec![rotation])),
        }
    }
    columns
}

/// The sets, in the order in which verifiers build them: that of their first polynomials.
fn sets(opened: Vec<(Opened<'_>, BTreeSet<Fr>)>) -> Vec<Set<'_>> {
    let mut sets: Vec<Set<'_>> = Vec::new();
    for (polynomial, points) in opened {
        match sets.iter_mut().find(|set| set.points == points) {
            Some(set) => set.opened.push(polynomial),
            None => sets.push(Set { points, opened: vec![polynomial] }),
        }
    }
    sets
}

/// C_s, by its coefficients.
fn combine(width: Width, n: usize, set: &Set<'_>, x: Fr, y: Fr) -> Vec<Fr> {
    let mut terms = Vec::new();
    for (factor, opened) in powers(y).zip(&set.opened) {
        match opened {
            Opened::Coefficients(of) => terms.push((factor, *of)),
            Opened::Quotient(pieces) => {
                let shifts = powers(x.pow([n as u64]));
                terms.extend(shifts.zip(*pieces).map(|(shift, piece)| (factor * shift, &piece[..])));
            }
        }
    }
    sum(width, n, &terms)
}

/// The quotient by the polynomial that vanishes at `points`; the remainder is dropped.
fn divide(polynomial: &[Fr], points: &BTreeSet<Fr>) -> Vec<Fr> {
    points.iter().fold(polynomial.to_vec(), |quotient, point| kate_division(&quotient, *point))
}

fn powers(of: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::ONE), move |power| Some(*power * of))
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
