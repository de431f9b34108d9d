//! Values and linear combinations of polynomials in coefficients.

use super::lanes::{Lanes, MOST, Width, Work};
use halo2_proofs::halo2curves::{bn256::Fr, ff::Field};
use rayon::prelude::*;

/// Coefficients that a thread takes at a time.
const CHUNK: usize = 1 << 10;

/// The value at a point.
pub(super) fn evaluate(width: Width, polynomial: &[Fr], at: Fr) -> Fr {
    width.run(Evaluate { polynomial, at })
}

struct Evaluate<'a> {
    polynomial: &'a [Fr],
    at: Fr,
}

/// Horner's rule in each lane, for the coefficients W, 2W, .. further on.
impl Work for Evaluate<'_> {
    type Result = Fr;

    #[inline(always)]
    fn run<L: Lanes>(self) -> Fr {
        let step = L::all(&L::factor(&(self.at.pow([L::WIDTH as u64]) * Fr::from(L::SCALE))));
        let (whole, rest) = self.polynomial.split_at(self.polynomial.len() / L::WIDTH * L::WIDTH);
        let mut sum = L::load(&padded(rest));
        for coefficients in whole.chunks_exact(L::WIDTH).rev() {
            sum = sum.mul(step).add(L::load(coefficients));
        }
        let mut lanes = [Fr::ZERO; MOST];
        sum.store(&mut lanes);
        lanes[..L::WIDTH].iter().rev().fold(Fr::ZERO, |sum, lane| sum * self.at + lane)
    }
}

/// Σ factor·polynomial, of n coefficients; shorter polynomials have no high ones.
pub(super) fn sum(width: Width, n: usize, terms: &[(Fr, &[Fr])]) -> Vec<Fr> {
    let mut sum = vec![Fr::ZERO; n];
    sum.par_chunks_mut(CHUNK).enumerate().for_each(|(i, to)| width.run(Sum { terms, first: i * CHUNK, to }));
    sum
}

struct Sum<'a> {
    terms: &'a [(Fr, &'a [Fr])],
    first: usize,
    to: &'a mut [Fr],
}

impl Work for Sum<'_> {
    type Result = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let factors: Vec<L::Factor> = self.terms.iter().map(|(factor, _)| L::factor(&(*factor * Fr::from(L::SCALE)))).collect();
        for (i, to) in self.to.chunks_mut(L::WIDTH).enumerate() {
            let mut sum = L::all(&L::factor(&Fr::ZERO));
            for ((_, polynomial), factor) in self.terms.iter().zip(&factors) {
                let rest = polynomial.get(self.first + i * L::WIDTH..).unwrap_or_default();
                let coefficients = if rest.len() < L::WIDTH { L::load(&padded(rest)) } else { L::load(rest) };
                sum = sum.add(coefficients.mul(L::all(factor)));
            }
            let mut lanes = [Fr::ZERO; MOST];
            sum.store(&mut lanes);
            to.copy_from_slice(&lanes[..to.len()]);
        }
    }
}

/// Fewer coefficients than there are lanes, and zeros.
fn padded(coefficients: &[Fr]) -> [Fr; MOST] {
    std::array::from_fn(|i| coefficients.get(i).copied().unwrap_or(Fr::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::arithmetic::eval_polynomial;
    use rand::rngs::OsRng;

    #[test]
    fn polynomials_of_any_length_have_values_and_add_up() {
        let random = |count| -> Vec<Fr> { (0..count).map(|_| Fr::random(OsRng)).collect() };
        for width in [Width::ONE, Width::of(10)] {
            for (long, short) in [(2 * CHUNK + 3, CHUNK + 1), (2 * CHUNK, CHUNK), (7, 0), (8, 8), (64, 9)] {
                let (first, second, factors, at) = (random(long), random(short), random(2), Fr::random(OsRng));
                let values = [&first, &second].map(|polynomial| evaluate(width, polynomial, at));
                assert_eq!(values, [&first, &second].map(|polynomial| eval_polynomial(polynomial, at)));
                let got = sum(width, long, &[(factors[0], &first), (factors[1], &second)]);
                let expected = factors[0] * values[0] + factors[1] * values[1];
                assert_eq!((got.len(), eval_polynomial(&got, at)), (long, expected));
            }
        }
    }
}
