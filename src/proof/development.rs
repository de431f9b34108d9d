//! The points of a known secret, for the development SRS: by a table of the generator's multiples, some twenty times faster than
//! halo2's setup, which matters from 2^16 points on.

use halo2_proofs::halo2curves::{
    bn256::{Fr, G1, G1Affine},
    ff::{Field, PrimeField},
    group::{Curve, Group, prime::PrimeCurveAffine},
};
use rayon::prelude::*;

/// Bits of one window: a byte of the scalar.
const WINDOW: usize = 256;
/// Points that one thread turns affine together.
const CHUNK: usize = 1 << 12;

/// `g, s g, ..., s^(n-1) g` and the Lagrange basis `L_i(s) g` over the domain of `n = 2^k` elements.
pub fn points(k: u32, secret: Fr) -> (Vec<G1Affine>, Vec<G1Affine>) {
    let table = Table::new();
    let n = 1usize << k;
    let powers: Vec<Fr> = std::iter::successors(Some(Fr::ONE), |power| Some(power * secret)).take(n).collect();
    (table.multiples(&powers), table.multiples(&lagrange(k, secret)))
}

/// `L_i(s) = (s^n - 1) / n * w^i / (s - w^i)` for the domain's generator w.
fn lagrange(k: u32, secret: Fr) -> Vec<Fr> {
    let n = 1usize << k;
    let generator = (k..Fr::S).fold(Fr::ROOT_OF_UNITY, |root, _| root.square());
    let roots: Vec<Fr> = std::iter::successors(Some(Fr::ONE), |root| Some(root * generator)).take(n).collect();
    let size = Fr::from(n as u64).invert().unwrap_or(Fr::ZERO);
    let factor = (secret.pow_vartime([n as u64]) - Fr::ONE) * size;
    // The development secret is no root of unity: no difference is zero.
    roots.into_par_iter().map(|root| factor * root * (secret - root).invert().unwrap_or(Fr::ZERO)).collect()
}

/// `b 2^(8w) g` for each byte b and each window w.
struct Table(Vec<G1Affine>);

impl Table {
    fn new() -> Self {
        let mut all = Vec::with_capacity(32 * WINDOW);
        let mut base = G1::generator();
        for _ in 0..32 {
            let mut multiple = G1::identity();
            for _ in 0..WINDOW {
                all.push(multiple);
                multiple += base;
            }
            base = multiple;
        }
        Self(affine(&all))
    }

    fn multiples(&self, scalars: &[Fr]) -> Vec<G1Affine> {
        let multiple = |scalar: &Fr| {
            let bytes = scalar.to_repr();
            let windows = bytes.as_ref().iter().enumerate().filter(|(_, byte)| **byte != 0);
            windows.fold(G1::identity(), |sum, (window, &byte)| sum + self.0[window * WINDOW + usize::from(byte)])
        };
        let chunks = scalars.par_chunks(CHUNK).map(|chunk| affine(&chunk.iter().map(multiple).collect::<Vec<_>>()));
        chunks.flatten().collect()
    }
}

fn affine(points: &[G1]) -> Vec<G1Affine> {
    let mut all = vec![G1Affine::identity(); points.len()];
    G1::batch_normalize(points, &mut all);
    all
}
