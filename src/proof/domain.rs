//! Fourier transforms over the powers of ω, a root of unity of order n = 2^k, with tables of them. For W lanes, with m = n/W:
//!
//! ```text
//! X[W·q + r] = Σ_i (ω^W)^(i·q) · Y_r[i]        Y_r[i] = ω^(i·r) · Σ_l ω^(m·l·r) · x[i + m·l]
//! ```
//!
//! First come the sums over l, W consecutive i side by side; they are the first log W rounds of a transform that takes the differences first (Gentleman
//! and Sande). Then Y_0 .. Y_(W-1) are side by side, and their transforms of m elements are one.

use super::lanes::{Lanes, MOST, Width, Work};
use halo2_proofs::halo2curves::{
    bn256::Fr,
    ff::{Field, PrimeField},
};
use rayon::prelude::*;

/// Vectors that stay in the processor's second cache while all rounds are made that do not leave them.
const BLOCK: usize = 1 << 11;

/// Transforms that a thread makes in one place.
pub(super) const TOGETHER: usize = 4;

/// The tables, each SCALE times what it says.
#[derive(Debug)]
pub(super) struct Domain {
    pub width: Width,
    n: usize,
    omega: Fr,
    /// (ω^(2^s))^i, of the s-th round.
    rounds: Vec<Vec<Fr>>,
    /// (ω^W)^i.
    inner: Vec<Fr>,
    /// 1/n, n times.
    inverse: Vec<Fr>,
}

impl Domain {
    /// The domain of 2^k powers of ω; k > 0.
    pub fn new(k: u32, omega: Fr) -> Self {
        Self::with(Width::of(k), k, omega)
    }

    /// The same for other lanes than the processor has.
    pub fn with(width: Width, k: u32, omega: Fr) -> Self {
        let (n, scale) = (1usize << k, width.scale());
        let squares: Vec<Fr> = std::iter::successors(Some(omega), |root| Some(root.square())).take(k as usize + 1).collect();
        let count = width.lanes().ilog2() as usize;
        let rounds = (0..count).map(|s| powers(scale, squares[s], n >> (s + 1))).collect();
        let inner = powers(scale, squares[count], n / width.lanes() / 2);
        let inverse = vec![scale * Fr::TWO_INV.pow([u64::from(k)]); n];
        Self { width, n, omega, rounds, inner, inverse }
    }

    /// Σ_i c_i·x^i at all points g·ω^j, for each polynomial c: `values` become SCALE times these.
    pub fn values_on_coset(&self, polynomials: &[&[Fr]], g: Fr, values: &mut Vec<Vec<Fr>>) {
        self.transform(&powers(self.width.scale().square(), g, self.n), polynomials, values);
    }

    /// The coefficients of the polynomials with these values at the powers of ω.
    pub fn coefficients(&self, values: &[&[Fr]]) -> Vec<Vec<Fr>> {
        let mut coefficients = Vec::new();
        self.transform(&self.inverse, values, &mut coefficients);
        // With ω^-1 in the place of ω an element moves to the index with the opposite sign.
        coefficients.iter_mut().for_each(|coefficients| coefficients[1..].reverse());
        coefficients
    }

    /// g·ω^j, in order: SCALE times it.
    pub fn points(&self, g: Fr) -> Vec<Fr> {
        powers(self.width.scale() * g, self.omega, self.n)
    }

    fn transform(&self, shift: &[Fr], from: &[&[Fr]], to: &mut Vec<Vec<Fr>>) {
        to.resize(from.len(), Vec::new());
        let tasks = from.par_chunks(TOGETHER).zip(to.par_chunks_mut(TOGETHER));
        tasks.for_each(|(from, to)| self.width.run(Transform { domain: self, shift, from, to }));
    }
}

/// first·base^i.
pub(super) fn powers(first: Fr, base: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(first), |power| Some(power * base)).take(count).collect()
}

/// `to` become the transforms of `from`, whose elements are multiplied by `shift`/SCALE before.
struct Transform<'a> {
    domain: &'a Domain,
    shift: &'a [Fr],
    from: &'a [&'a [Fr]],
    to: &'a mut [Vec<Fr>],
}

impl Work for Transform<'_> {
    type Result = ();

    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (n, w) = (self.domain.n, L::WIDTH);
        let m = n / w;
        let inner: Vec<L::Factor> = self.domain.inner.iter().map(L::factor).collect();
        let (block, bits) = (m.min(BLOCK), m.ilog2());
        let mut data = Vec::with_capacity(m);
        for (from, to) in self.from.iter().zip(self.to) {
            data.clear();
            for i in (0..m).step_by(w) {
                columns::<L>(self.domain, self.shift, from, i, &mut data);
            }
            rounds(&mut data, block, &inner);
            for block in data.chunks_exact_mut(block) {
                rounds(block, 1, &inner);
            }
            to.resize(n, Fr::ZERO);
            for (p, lanes) in data.iter().enumerate() {
                lanes.store(&mut to[w * reversed(p, bits)..]);
            }
        }
    }
}

/// Y_0[j] .. Y_(W-1)[j] for j from i to i + W - 1.
#[inline(always)]
fn columns<L: Lanes>(domain: &Domain, shift: &[Fr], from: &[Fr], i: usize, data: &mut Vec<L>) {
    let w = L::WIDTH;
    let m = domain.n / w;
    let mut x = [L::load(&from[i..]).mul(L::load(&shift[i..])); MOST];
    for (l, x) in x.iter_mut().enumerate().take(w).skip(1) {
        *x = L::load(&from[i + l * m..]).mul(L::load(&shift[i + l * m..]));
    }
    let mut half = w / 2;
    for roots in &domain.rounds {
        for start in (0..w).step_by(2 * half) {
            for j in 0..half {
                let (a, b) = (x[start + j], x[start + j + half]);
                x[start + j] = a.add(b);
                x[start + j + half] = a.sub_mul(b, L::load(&roots[i + j * m..]));
            }
        }
        half /= 2;
    }
    let mut columns = [[Fr::ZERO; MOST]; MOST];
    for (l, x) in x.into_iter().enumerate().take(w) {
        let (mut row, r) = ([Fr::ZERO; MOST], reversed(l, w.ilog2()));
        x.store(&mut row);
        columns.iter_mut().zip(row).for_each(|(column, value)| column[r] = value);
    }
    for column in columns.iter().take(w) {
        data.push(L::load(column));
    }
}

/// The rounds that halve blocks of `data` down to `last`; `roots` are those of the whole transform.
#[inline(always)]
fn rounds<L: Lanes>(data: &mut [L], last: usize, roots: &[L::Factor]) {
    let mut size = data.len();
    while size > last {
        let half = size / 2;
        let step = 2 * roots.len() / size;
        for block in data.chunks_exact_mut(size) {
            let (low, high) = block.split_at_mut(half);
            for ((low, high), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(step)) {
                let (a, b) = (*low, *high);
                *low = a.add(b);
                *high = a.sub_mul(b, L::all(root));
            }
        }
        size = half;
    }
}

/// The lowest `bits` of an index in reverse.
fn reversed(index: usize, bits: u32) -> usize {
    index.reverse_bits().checked_shr(usize::BITS - bits).unwrap_or(0)
}

#[cfg(test)]
#[path = "domain_tests.rs"]
mod tests;
