//! Whether the points of an SRS are what they claim to be: powers of one secret, in both bases, over the curve's generators.
//!
//! The quick check covers what verification uses (g_0, g2, s·g2) and g_1. The full one covers every point: with random values ρ of
//! a polynomial on the domain and c its coefficients, the two equations
//!
//! ```text
//! e(Σ_(i<n-1) c_i g_(i+1), g2) = e(Σ_(i<n-1) c_i g_i, s·g2)        g_(i+1) = s·g_i for all i
//! Σ_i c_i g_i                  = Σ_j ρ_j L_j                       L is the Lagrange basis of the same powers
//! ```
//!
//! hold for an inconsistent SRS with probability at most 2^-128 each: c is an invertible linear image of ρ, so either says that a
//! linear form, not zero where a point is wrong, vanishes at 128-bit values that the file's author could not foresee.
//! It costs three multi-scalar multiplications. Who knows the secret is not to be seen in the points.

use halo2_proofs::{
    arithmetic::best_multiexp,
    halo2curves::{
        bn256::{
            BN_X, Bn256, FROBENIUS_COEFF_FQ6_C1, Fq2, Fr, G1Affine, G2, G2Affine, XI_TO_Q_MINUS_1_OVER_2, multi_miller_loop,
            pairing,
        },
        ff::PrimeField,
        group::{Curve, Group, prime::PrimeCurveAffine},
        pairing::MillerLoopResult,
    },
    poly::{
        EvaluationDomain,
        commitment::{Blind, Params, ParamsProver},
        kzg::commitment::ParamsKZG,
    },
};
use rand::{Rng, rngs::OsRng};

/// Checks the points that verification uses; all points are known to be on their curves.
///
/// # Errors
/// The rule that is broken.
pub(super) fn quick(params: &ParamsKZG<Bn256>) -> Result<(), &'static str> {
    let (g, g2, s_g2) = (params.get_g(), params.g2(), params.s_g2());
    if g.first() != Some(&G1Affine::generator()) || g2 != G2Affine::generator() {
        return Err("its first points are not the generators of G1 and G2");
    }
    // G1 has no cofactor; G2 has.
    if !has_order_r(&s_g2) {
        return Err("s·g2 lies outside the subgroup of order r");
    }
    if bool::from(s_g2.is_identity()) {
        return Err("s·g2 is the point at infinity: the secret is 0");
    }
    // e(s·g, g2)·e(-g, s·g2) = 1: one final exponentiation for both pairings.
    let both = |s_g: &G1Affine| multi_miller_loop(&[(s_g, &g2.into()), (&-g[0], &s_g2.into())]).final_exponentiation();
    match g.get(1).is_some_and(|s_g| bool::from(both(s_g).is_identity())) {
        true => Ok(()),
        false => Err("s·g and s·g2 are not of one secret"),
    }
}

/// Whether the order of a point Q of the curve over Fq2 divides r, by a fifth of the steps of r·Q (<https://eprint.iacr.org/2022/348>):
///
/// ```text
/// [x + 1]Q + ψ([x]Q) + ψ²([x]Q) = ψ³([2x]Q)
/// ```
///
/// with the curve's parameter x, and ψ the Frobenius map of the curve that this one is the twist of. Why nothing else passes is in
/// `docs/soundness.md`.
fn has_order_r(q: &G2Affine) -> bool {
    let times_x = (0..BN_X.ilog2()).rev().fold(q.to_curve(), |sum, bit| {
        let sum = sum.double();
        if BN_X >> bit & 1 == 1 { sum + q } else { sum }
    });
    let once = frobenius(times_x);
    let twice = frobenius(once);
    times_x + q + once + twice == frobenius(twice.double())
}

/// ψ.
fn frobenius(mut q: G2) -> G2 {
    [&mut q.x, &mut q.y, &mut q.z].into_iter().for_each(Fq2::conjugate);
    q.x *= FROBENIUS_COEFF_FQ6_C1[1];
    q.y *= XI_TO_Q_MINUS_1_OVER_2;
    q
}

/// Checks every point; the quick check has passed.
///
/// # Errors
/// The rule that is broken.
pub(super) fn full(params: &ParamsKZG<Bn256>) -> Result<(), &'static str> {
    let g = params.get_g();
    let domain = EvaluationDomain::<Fr>::new(1, params.k());
    let values = domain.lagrange_from_vec((0..g.len()).map(|_| Fr::from_u128(OsRng.r#gen())).collect());
    let coefficients = domain.lagrange_to_coeff(values.clone()).into_values();
    let low = coefficients.len() - 1;
    let powers = best_multiexp(&coefficients[..low], &g[..low]);
    let shifted = best_multiexp(&coefficients[..low], &g[1..]);
    if pairing(&shifted.to_affine(), &params.g2()) != pairing(&powers.to_affine(), &params.s_g2()) {
        return Err("its points are not consecutive powers of the secret in s·g2");
    }
    if powers + g[low] * coefficients[low] != params.commit_lagrange(&values, Blind::default()) {
        return Err("its Lagrange basis is not that of its powers");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::halo2curves::{CurveAffine, ff::Field, group::cofactor::CofactorGroup};

    /// (2q - r) / p for each prime p of the cofactor 2q - r = 10069 · 5864401 · 1875725156269 · 197620364512881247228717050342013327560683201906968909.
    const PARTS: [&str; 4] = [
        "13af7a58fce699e28bcf65b5681da207142f7671af4486c3cd334915f1659",
        "8a712e264567a5f8660434f091d47f2c69679e3e75d3865bed56710dfd",
        "1c5dc56f7cb3fd5082f93b227489973709a73657455809a5954261",
        "17744286afdaa1f39641",
    ];
    const R: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

    /// Points of the curve over Fq2 with small x.
    fn points() -> impl Iterator<Item = G2> {
        (1u64..).filter_map(|x| {
            let x = Fq2::from(x);
            let y = Option::<Fq2>::from((x.square() * x + G2Affine::b()).sqrt())?;
            Option::<G2Affine>::from(G2Affine::from_xy(x, y)).map(G2::from)
        })
    }

    fn multiple(point: G2, times: &str) -> G2 {
        let bits = times.bytes().flat_map(|digit| {
            let digit = (digit as char).to_digit(16).unwrap();
            (0..4).rev().map(move |bit| digit >> bit & 1)
        });
        bits.fold(G2::identity(), |sum, bit| if bit == 1 { sum.double() + point } else { sum.double() })
    }

    /// Also points of every smaller subgroup's order, alone and added to one that is right, are told from those that r annuls.
    #[test]
    fn the_subgroup_is_what_r_annuls() {
        for point in points().take(20) {
            let of_cofactor = multiple(point, R);
            let honest = G2::generator() * Fr::random(OsRng);
            let wrong = PARTS.map(|part| multiple(of_cofactor, part)).into_iter().chain([point, of_cofactor]);
            let outside =
                wrong.flat_map(|wrong| [wrong, honest + wrong]).inspect(|point| assert!(!bool::from(point.is_identity())));
            for (point, expected) in
                [(honest, true), (G2::identity(), true)].into_iter().chain(outside.map(|point| (point, false)))
            {
                assert_eq!(bool::from(point.is_torsion_free()), expected);
                assert_eq!(has_order_r(&point.to_affine()), expected);
            }
        }
    }
}
