//! SHPLONK's opening over a recorder, written for few operations; snark-verifier's own takes about twice as many.
//!
//! Let S_0, S_1, ... be the rotation sets, of m_0, m_1, ... rotations, C_{s,i} the i-th commitment of set s and v_{s,i,j} its value at ω^j z;
//! u = z' / z, d_j = u - ω^j, p_s = Π_{j in S_s} d_j, w_{s,j} = 1 / Π_{k in S_s, k != j} (ω^j - ω^k), which is known. Then
//! Z_s = Π_{j in S_s} (z' - ω^j z) = z^{m_s} p_s, the value at z' of the polynomial that interpolates v_{s,i} on the points ω^j z is
//! p_s Σ_j w_{s,j} v_{s,i,j} / d_j, and the two sides of the pairing are, with λ the slot's factor and c_s = λ ν^s z^{m_0 - m_s}:
//!
//! ```text
//! lhs = Σ_s c_s (p_0 / p_s) Σ_i μ^i C_{s,i} - p_0 (Σ_s c_s Σ_j w_{s,j} / d_j Σ_i μ^i v_{s,i,j}) [1] - λ Z_0 W + λ z' W'
//! rhs = λ W'
//! ```
//!
//! For λ = 1 these are snark-verifier's and halo2's (`the_two_sides_are_snark_verifiers`).

use super::{
    loader::{Point, Scalar},
    recorder::Recorder,
};
use crate::proof::protocol::{RotationSet, rotation_sets};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::{Fr, G1Affine},
};
use snark_verifier::{
    Error,
    loader::{LoadedScalar, ScalarLoader},
    pcs::{AccumulationScheme, PolynomialCommitmentScheme, Query, kzg::KzgAccumulator},
    util::{arithmetic::Rotation, msm::Msm, transcript::TranscriptRead},
};
use std::collections::BTreeMap;

/// The scheme; its verifying key is the slot's factor λ.
#[derive(Clone, Debug)]
pub(super) struct Shplonk;

/// What the transcript has of an opening.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    mu: Scalar,
    nu: Scalar,
    w: Point,
    z_prime: Scalar,
    w_prime: Point,
}

type Accumulator = KzgAccumulator<G1Affine, Recorder>;
type Commitments<'a> = Msm<'a, G1Affine, Recorder>;
type Queries = [Query<Rotation, Scalar>];

impl PolynomialCommitmentScheme<G1Affine, Recorder> for Shplonk {
    type VerifyingKey = Scalar;
    type Proof = Opening;
    type Output = Accumulator;

    fn read_proof<T>(_: &Scalar, _: &[Query<Rotation>], transcript: &mut T) -> Result<Opening, Error>
    where
        T: TranscriptRead<G1Affine, Recorder>,
    {
        let [mu, nu] = [transcript.squeeze_challenge(), transcript.squeeze_challenge()];
        let w = transcript.read_ec_point()?;
        let z_prime = transcript.squeeze_challenge();
        Ok(Opening { mu, nu, w, z_prime, w_prime: transcript.read_ec_point()? })
    }

    fn verify(
        factor: &Scalar,
        commitments: &[Commitments<'_>],
        z: &Scalar,
        queries: &Queries,
        opening: &Opening,
    ) -> Result<Accumulator, Error> {
        let sets = rotation_sets(queries.iter().map(|query| (query.poly, query.shift.0)));
        let distances = Distances::new(queries, z, &opening.z_prime)?;
        let largest = sets.iter().map(|set| set.polys.len()).max().unwrap_or(1);
        let powers_of_mu = opening.mu.powers(largest);
        let first = sets.first().ok_or_else(|| invalid("nothing is opened"))?;
        let p_0 = distances.product(&first.rotations);
        let mut lhs = Commitments::base(&opening.w_prime) * &(factor.clone() * &opening.z_prime);
        let mut value = z.loader().load_zero();
        let mut scale = factor.clone();
        for (s, set) in sets.iter().enumerate() {
            if s > 0 {
                scale *= &opening.nu;
            }
            let c = distances.of_degree(&scale, first, set)?;
            value += c.clone() * distances.interpolated(queries, set, &powers_of_mu)?;
            let factor = c * distances.ratio(&p_0, first, set);
            for (poly, power) in set.polys.iter().zip(&powers_of_mu) {
                let commitment = commitments.get(*poly).ok_or_else(|| invalid("a polynomial has no commitment"))?;
                lhs += commitment.clone() * &(factor.clone() * power);
            }
        }
        let z_0 = power(z, first.rotations.len()) * &p_0 * factor;
        lhs += Commitments::constant(-(value * &p_0)) - Commitments::base(&opening.w) * &z_0;
        let rhs = Commitments::base(&opening.w_prime) * factor;
        let generator = Some(G1Affine::generator());
        Ok(KzgAccumulator::new(lhs.evaluate(generator), rhs.evaluate(generator)))
    }
}

/// `d_j` and `1 / d_j` of every rotation.
struct Distances<'a> {
    z: &'a Scalar,
    omegas: BTreeMap<i32, Fr>,
    all: BTreeMap<i32, [Scalar; 2]>,
}

impl<'a> Distances<'a> {
    fn new(queries: &Queries, z: &'a Scalar, z_prime: &Scalar) -> Result<Self, Error> {
        let inverted = |scalar: &Scalar| LoadedScalar::invert(scalar).ok_or_else(|| invalid("a distance is zero"));
        let u = inverted(z)? * z_prime;
        let (mut omegas, mut all) = (BTreeMap::new(), BTreeMap::new());
        for query in queries {
            let omega = query.loaded_shift.form.as_constant().ok_or_else(|| invalid("a rotation is not known"))?;
            if omegas.insert(query.shift.0, omega).is_none() {
                let distance = u.clone() - &query.loaded_shift;
                all.insert(query.shift.0, [distance.clone(), inverted(&distance)?]);
            }
        }
        Ok(Self { z, omegas, all })
    }

    /// `Π d_j` over some rotations.
    fn product(&self, rotations: &[i32]) -> Scalar {
        let factors = rotations.iter().filter_map(|j| self.all.get(j)).map(|[distance, _]| distance.clone());
        self.multiplied(self.z.loader().load_one(), factors)
    }

    fn multiplied(&self, from: Scalar, factors: impl Iterator<Item = Scalar>) -> Scalar {
        factors.fold(from, |product, factor| product * factor)
    }

    /// `p_0 / p_s`: what the two sets have in common falls out, or is divided out of `p_0`, whatever is shorter.
    fn ratio(&self, p_0: &Scalar, first: &RotationSet, set: &RotationSet) -> Scalar {
        let of = |rotations: Vec<&i32>, which: usize| -> Vec<Scalar> {
            rotations.into_iter().filter_map(|j| self.all.get(j)).map(|pair| pair[which].clone()).collect()
        };
        let without = |a: &RotationSet, b: &RotationSet, which: usize| {
            of(a.rotations.iter().filter(|j| !b.rotations.contains(j)).collect(), which)
        };
        let differing = [without(first, set, 0), without(set, first, 1)].concat();
        if differing.len() <= set.rotations.len() {
            self.multiplied(self.z.loader().load_one(), differing.into_iter())
        } else {
            self.multiplied(p_0.clone(), of(set.rotations.iter().collect(), 1).into_iter())
        }
    }

    /// `scale z^{m_0 - m_s}`
    fn of_degree(&self, scale: &Scalar, first: &RotationSet, set: &RotationSet) -> Result<Scalar, Error> {
        let (more, less) = (first.rotations.len(), set.rotations.len());
        let factor = power(self.z, more.abs_diff(less));
        if more >= less {
            return Ok(scale.clone() * factor);
        }
        let inverse = LoadedScalar::invert(&factor).ok_or_else(|| invalid("the point is zero"))?;
        Ok(scale.clone() * inverse)
    }

    /// `Σ_j w_j / d_j Σ_i μ^i v_{i,j}`
    fn interpolated(&self, queries: &Queries, set: &RotationSet, powers_of_mu: &[Scalar]) -> Result<Scalar, Error> {
        let mut sum = self.z.loader().load_zero();
        for j in &set.rotations {
            let mut combined = self.z.loader().load_zero();
            for (poly, power) in set.polys.iter().zip(powers_of_mu) {
                let query = queries.iter().find(|query| (query.poly, query.shift.0) == (*poly, *j));
                combined += query.ok_or_else(|| invalid("a polynomial of a set is not opened"))?.eval.clone() * power;
            }
            let [_, inverse] = self.all.get(j).ok_or_else(|| invalid("a rotation has no distance"))?;
            sum += combined * inverse * self.z.loader().load_const(&self.weight(set, *j)?);
        }
        Ok(sum)
    }

    /// `w_j`
    fn weight(&self, set: &RotationSet, j: i32) -> Result<Fr, Error> {
        let omega = |k: &i32| self.omegas.get(k).copied().unwrap_or_default();
        let others = set.rotations.iter().filter(|k| **k != j);
        let product = others.fold(Fr::ONE, |product, k| product * (omega(&j) - omega(k)));
        Option::from(product.invert()).ok_or_else(|| invalid("two rotations are the same row"))
    }
}

/// From the highest bit of the exponent to the lowest: large powers pass through each other.
fn power(base: &Scalar, exponent: usize) -> Scalar {
    let squares: Vec<Scalar> = std::iter::successors(Some(base.clone()), |square| Some(square.square()))
        .take((usize::BITS - exponent.leading_zeros()) as usize)
        .collect();
    let bits = squares.into_iter().enumerate().rev().filter(|(bit, _)| exponent >> bit & 1 == 1);
    bits.fold(base.loader().load_one(), |product, (_, square)| product * square)
}

fn invalid(what: &str) -> Error {
    Error::InvalidProtocol(what.into())
}

/// Proofs carry no accumulators here; snark-verifier asks for this of every scheme.
impl AccumulationScheme<G1Affine, Recorder> for Shplonk {
    type Accumulator = Accumulator;
    type VerifyingKey = ();
    type Proof = ();

    fn read_proof<T>((): &(), _: &[Accumulator], _: &mut T) -> Result<(), Error>
    where
        T: TranscriptRead<G1Affine, Recorder>,
    {
        Err(invalid("accumulators are not folded here"))
    }

    fn verify((): &(), _: &[Accumulator], (): &()) -> Result<Accumulator, Error> {
        Err(invalid("accumulators are not folded here"))
    }
}
