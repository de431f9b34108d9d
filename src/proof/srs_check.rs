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
        bn256::{Bn256, Fr, G1Affine, G2Affine, multi_miller_loop, pairing},
        ff::PrimeField,
        group::{Curve, Group, cofactor::CofactorGroup, prime::PrimeCurveAffine},
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
    if !bool::from(s_g2.to_curve().is_torsion_free()) {
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
