//! Lattice reduction (integral LLL: Cohen, "A Course in Computational Algebraic Number Theory", 2.6.7), for the forger who knows
//! the fold's challenge: small errors of the outputs that cancel.

use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use num_bigint::{BigInt, Sign};

/// Short `δ`, not all zero, with `sum_i δ_i γ^(n-1-i) = 0` in the field; about `254/n` bits each.
pub fn cancelling(gamma: Fr, n: usize) -> Vec<i64> {
    let modulus: BigInt = to_integer(-Fr::one()) + BigInt::from(1);
    // Errors e_i = δ_(n-1-i): multiples of r for the constant term, and X^i - γ^i.
    let mut basis = vec![vec![BigInt::ZERO; n]; n];
    let mut power = Fr::one();
    for (i, row) in basis.iter_mut().enumerate() {
        row[i] = BigInt::from(1);
        row[0] = if i == 0 { modulus.clone() } else { -to_integer(power) };
        power *= gamma;
    }
    Reduction::new(basis).run()[0].iter().rev().map(|v| i64::try_from(v).expect("a short vector")).collect()
}

fn to_integer(value: Fr) -> BigInt {
    BigInt::from_bytes_le(Sign::Plus, value.to_repr().as_ref())
}

/// `d[i + 1]` is the determinant of the first `i + 1` vectors' Gram matrix, `lambda[k][j] = d[j + 1] * mu[k][j]`.
struct Reduction {
    basis: Vec<Vec<BigInt>>,
    d: Vec<BigInt>,
    lambda: Vec<Vec<BigInt>>,
}

impl Reduction {
    fn new(basis: Vec<Vec<BigInt>>) -> Self {
        let n = basis.len();
        let mut this = Self { basis, d: vec![BigInt::from(1); n + 1], lambda: vec![vec![BigInt::ZERO; n]; n] };
        for k in 0..n {
            for j in 0..=k {
                let mut u: BigInt = this.basis[k].iter().zip(&this.basis[j]).map(|(a, b)| a * b).sum();
                for i in 0..j {
                    u = (&this.d[i + 1] * u - &this.lambda[k][i] * &this.lambda[j][i]) / &this.d[i];
                }
                if j < k { this.lambda[k][j] = u } else { this.d[k + 1] = u }
            }
        }
        this
    }

    fn run(mut self) -> Vec<Vec<BigInt>> {
        let mut k = 1;
        while k < self.basis.len() {
            self.reduce(k, k - 1);
            let lambda = &self.lambda[k][k - 1];
            let projected: BigInt = &self.d[k + 1] * &self.d[k - 1] + lambda * lambda;
            let before: BigInt = &self.d[k] * &self.d[k];
            let swap = projected * BigInt::from(4) < before * BigInt::from(3);
            if swap {
                self.swap(k);
                k = (k - 1).max(1);
            } else {
                (0..k - 1).rev().for_each(|l| self.reduce(k, l));
                k += 1;
            }
        }
        self.basis
    }

    fn reduce(&mut self, k: usize, l: usize) {
        // floor((2 lambda + d) / 2d): the nearest integer of lambda / d.
        let double: BigInt = &self.d[l + 1] + &self.d[l + 1];
        let shifted: BigInt = &self.lambda[k][l] + &self.lambda[k][l] + &self.d[l + 1];
        let remainder: BigInt = ((&shifted % &double) + &double) % &double;
        let q: BigInt = (shifted - remainder) / double;
        for i in 0..self.basis.len() {
            let step: BigInt = &q * &self.basis[l][i];
            self.basis[k][i] -= step;
        }
        self.lambda[k][l] -= &q * &self.d[l + 1];
        for i in 0..l {
            let step: BigInt = &q * &self.lambda[l][i];
            self.lambda[k][i] -= step;
        }
    }

    fn swap(&mut self, k: usize) {
        self.basis.swap(k, k - 1);
        for j in 0..k - 1 {
            let (low, high) = self.lambda.split_at_mut(k);
            std::mem::swap(&mut low[k - 1][j], &mut high[0][j]);
        }
        let lambda = self.lambda[k][k - 1].clone();
        let b: BigInt = (&self.d[k - 1] * &self.d[k + 1] + &lambda * &lambda) / &self.d[k];
        for i in k + 1..self.basis.len() {
            let t = self.lambda[i][k].clone();
            self.lambda[i][k] = (&self.d[k + 1] * &self.lambda[i][k - 1] - &lambda * &t) / &self.d[k];
            self.lambda[i][k - 1] = (&b * t + &lambda * &self.lambda[i][k]) / &self.d[k + 1];
        }
        self.d[k] = b;
    }
}
