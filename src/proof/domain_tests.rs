use super::*;
use halo2_proofs::{arithmetic::eval_polynomial, poly::EvaluationDomain};
use rand::rngs::OsRng;

/// Sizes in which all rounds are made within a block, and in which some are not; both widths where the processor has both.
#[test]
fn transforms_are_evaluations_and_their_inverse() {
    for k in [1, 3, 6, 7, 9, 15] {
        let halo2 = EvaluationDomain::<Fr>::new(4, k);
        let polynomial: Vec<Fr> = (0..1 << k).map(|_| Fr::random(OsRng)).collect();
        for width in [Width::ONE, Width::of(k)] {
            let domain = Domain::with(width, k, halo2.get_omega());
            let g = Fr::random(OsRng);
            // What stood there before is written over.
            let mut values = vec![vec![g]; 2];
            let two = [&polynomial[..], &polynomial.iter().rev().copied().collect::<Vec<_>>()];
            domain.values_on_coset(&two, g, &mut values);
            let points = domain.points(g);
            for i in [0, 1, (1 << k) / 2, (1 << k) - 1] {
                assert_eq!(points[i], width.scale() * g * halo2.get_omega().pow([i as u64]));
                let at = g * halo2.get_omega().pow([i as u64]);
                assert_eq!([values[0][i], values[1][i]], two.map(|polynomial| width.scale() * eval_polynomial(polynomial, at)));
            }
            let expected = halo2.lagrange_to_coeff(halo2.lagrange_from_vec(polynomial.clone()));
            assert_eq!(domain.coefficients(&[&polynomial]), [expected.values()]);
        }
    }
}
