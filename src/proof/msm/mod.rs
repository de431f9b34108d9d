//! Multi-scalar multiplication in G1 of BN254: Σ_i v_i·P_i.
//!
//! halo2curves' own takes projective additions at the sizes of small circuits and walks all windows over all scalars. Here
//!
//! 1. scalars are made short (`scalar`) and sorted into classes by their length, each with windows of its own (`classes`);
//! 2. a class's windows are filled into buckets and brought down to one point per bit (`buckets`);
//! 3. all of these sums are taken in affine coordinates, thousands of additions to an inversion (`sums`, `pairs`), eight at a time where
//!    the processor can (`ifma`).
//!
//! It takes as long as its scalars are long: like halo2curves', it is not constant-time.

mod buckets;
mod classes;
mod field;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod pairs;
mod scalar;
mod sums;

use buckets::Item;
use field::{Point, limbs, mul};
use halo2_proofs::halo2curves::{
    bn256::{Fq, Fr, G1, G1Affine},
    ff::WithSmallOrderMulGroup,
    group::Group,
};
use rayon::prelude::*;

/// Scalars that one thread takes at a time.
const CHUNK: usize = 1 << 12;
/// Fewer additions are not worth a hand-over to another thread.
const TASK: usize = 1 << 14;

/// Σ_i scalars_i·bases_i; what one of the two has more of is left out.
pub(super) fn msm(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    let (points, mut items) = prepare(scalars, bases);
    let mut histogram = [0; 128];
    for item in &items {
        histogram[length(item)] += 1;
    }
    items.sort_unstable_by_key(length);
    let mut rest = &items[..];
    let mut tasks = Vec::new();
    for class in classes::choose(&histogram) {
        let (items, longer) = rest.split_at(rest.partition_point(|item| length(item) <= class.bits));
        rest = longer;
        let windows = class.windows();
        let each = windows.div_ceil((items.len() * windows / TASK).clamp(1, windows));
        tasks.extend((0..windows).step_by(each).map(|first| (class, items, first..windows.min(first + each))));
    }
    let sums: Vec<Vec<(usize, Point)>> =
        tasks.into_par_iter().map(|(class, items, windows)| buckets::bits(&points, items, class, windows)).collect();
    let mut bits = [G1::identity(); 128];
    for (bit, point) in sums.into_iter().flatten().filter(|(_, point)| !point.is_identity()) {
        bits[bit] += point.affine();
    }
    bits.into_iter().rev().fold(G1::identity(), |sum, bit| sum.double() + bit)
}

fn length(item: &Item) -> usize {
    (u128::BITS - item.magnitude().leading_zeros()) as usize
}

/// The points, after them their images under φ where a scalar needs them, and what to add up of both.
fn prepare(scalars: &[Fr], bases: &[G1Affine]) -> (Vec<Point>, Vec<Item>) {
    let n = scalars.len().min(bases.len());
    let zeta = limbs(&Fq::ZETA);
    let mut points = vec![Point::default(); 2 * n];
    let mut items = vec![[Item::default(); 2]; n];
    let (plain, images) = points.split_at_mut(n);
    let given = scalars[..n].par_iter().zip(&bases[..n]).enumerate();
    let filled = items.par_iter_mut().zip(plain.par_iter_mut().zip(images));
    given.zip(filled).with_min_len(CHUNK).for_each(|((i, (scalar, base)), (items, (plain, image)))| {
        *plain = Point::from(base);
        if plain.is_identity() {
            return;
        }
        for (item, term) in items.iter_mut().zip(scalar::terms(scalar)) {
            if term.endo {
                *image = Point { x: mul(&plain.x, &zeta), y: plain.y };
            }
            *item = Item::new(term.magnitude, sums::entry(if term.endo { n + i } else { i }, term.negative));
        }
    });
    let mut items = items.into_flattened();
    items.retain(|item| item.magnitude() != 0);
    (points, items)
}

#[cfg(test)]
mod tests;
