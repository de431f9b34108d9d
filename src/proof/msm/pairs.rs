//! Many independent additions of affine points with one inversion (Montgomery's trick).
//!
//! ```text
//! λ = (y2 - y1)/(x2 - x1)    x3 = λ² - x1 - x2    y3 = λ·(x1 - x3) - y1
//! ```
//!
//! That is 6 multiplications, three of them for the shared inverse. Where the formula does not hold (x1 = x2, or one of the two is the
//! identity) the sum is computed on its own; a point with x = 0 is taken for the identity there, and the curve has none.

use super::field::{Limbs, ONE, Point, mul, quotient, sub};
#[cfg(target_arch = "x86_64")]
use super::ifma;

/// Two signed entries, and where their sum goes.
pub(super) type Pair = ([u32; 2], u32);

/// The additions that share an inversion: enough that it costs next to nothing, and few enough for the processor's second cache.
pub(super) const SHARED: usize = 1024;

/// `sums[out]` becomes the sum of the two entries, for every pair.
pub(super) fn add(points: &[Point], pairs: &[Pair], sums: &mut [Point]) {
    for pairs in pairs.chunks(SHARED) {
        #[cfg(target_arch = "x86_64")]
        if ifma::add(points, pairs, sums) {
            continue;
        }
        add_portable(points, pairs, sums);
    }
}

/// The point of an entry.
pub(super) fn load(points: &[Point], entry: u32) -> Point {
    points[(entry >> 1) as usize].signed(entry & 1 == 1)
}

/// Whether the formula does not hold.
pub(super) fn is_exception(x1: &Limbs, x2: &Limbs) -> bool {
    x1 == x2 || *x1 == [0; 4] || *x2 == [0; 4]
}

pub(super) fn add_portable(points: &[Point], pairs: &[Pair], sums: &mut [Point]) {
    let mut products = Vec::with_capacity(pairs.len());
    let mut product = ONE;
    for ([left, right], _) in pairs {
        products.push(product);
        let (x1, x2) = (&points[(left >> 1) as usize].x, &points[(right >> 1) as usize].x);
        if !is_exception(x1, x2) {
            product = mul(&product, &sub(x2, x1));
        }
    }
    let mut inverse = quotient(1, &product);
    for (([left, right], out), product) in pairs.iter().zip(products).rev() {
        let (a, b) = (load(points, *left), load(points, *right));
        sums[*out as usize] = if is_exception(&a.x, &b.x) {
            a.add_any(&b)
        } else {
            let lambda = mul(&mul(&inverse, &product), &sub(&b.y, &a.y));
            inverse = mul(&inverse, &sub(&b.x, &a.x));
            let x = sub(&sub(&mul(&lambda, &lambda), &a.x), &b.x);
            Point { x, y: sub(&mul(&lambda, &sub(&a.x, &x)), &a.y) }
        };
    }
}
