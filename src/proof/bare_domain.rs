//! halo2's domain without its tables.
//!
//! `EvaluationDomain::new` computes the powers of ω for Fourier transforms of three sizes. A key that is read verifies, which takes none, and proves with
//! transforms of our own (`domain.rs`): the tables were a tenth of what reading a small key took.

use halo2_proofs::{
    halo2curves::{
        bn256::Fr,
        ff::{BatchInvert, Field, PrimeField, WithSmallOrderMulGroup},
    },
    poly::EvaluationDomain,
};
use std::collections::HashMap;

/// The domain of 2^k rows for gates of this degree, as `EvaluationDomain::new` makes it but for the tables: it transforms nothing.
pub(super) fn bare_domain(degree: u32, k: u32) -> EvaluationDomain<Fr> {
    let n = 1u64 << k;
    let quotient_poly_degree = u64::from(degree) - 1;
    // The quotient has so many coefficients times n.
    let extended_k = k + quotient_poly_degree.next_power_of_two().ilog2();
    let squared = |root: Fr, times: u32| (0..times).fold(root, |root, _| root.square());
    let extended_omega = squared(Fr::ROOT_OF_UNITY, Fr::S - extended_k);
    let omega = squared(extended_omega, extended_k - k);
    let (start, step) = (squared(Fr::ZETA, k), squared(extended_omega, k));
    // X^n - 1 on the coset.
    let vanishing = std::iter::successors(Some(start), |power| Some(power * step)).map(|power| power - Fr::ONE);
    let mut t_evaluations: Vec<Fr> = vanishing.take(1 << (extended_k - k)).collect();
    let mut inverses = [omega, extended_omega, Fr::from(n), Fr::from(1 << extended_k)];
    t_evaluations.iter_mut().chain(&mut inverses).batch_invert();
    let [omega_inv, extended_omega_inv, ifft_divisor, extended_ifft_divisor] = inverses;
    EvaluationDomain {
        n,
        k,
        extended_k,
        omega,
        omega_inv,
        extended_omega,
        extended_omega_inv,
        g_coset: Fr::ZETA,
        g_coset_inv: Fr::ZETA.square(),
        quotient_poly_degree,
        ifft_divisor,
        extended_ifft_divisor,
        t_evaluations,
        barycentric_weight: ifft_divisor,
        fft_data: HashMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_halo2s_but_for_the_tables() {
        for (degree, k) in (3..=9).flat_map(|degree| (1..=8).map(move |k| (degree, k))) {
            let theirs = EvaluationDomain { fft_data: HashMap::new(), ..EvaluationDomain::<Fr>::new(degree, k) };
            assert_eq!(format!("{:?}", bare_domain(degree, k)), format!("{theirs:?}"), "degree {degree}, k = {k}");
        }
    }
}
