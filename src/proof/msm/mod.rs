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
use classes::Class;
use field::{Limbs, Point, limbs, mul};
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
    let (points, items) = prepare(scalars, bases);
    let mut histogram = [0; 128];
    for item in &items {
        histogram[length(item)] += 1;
    }
    let classes = classes::choose(&histogram);
    let mut tasks: Vec<(Class, Vec<Item>)> = classes.iter().map(|class| (*class, Vec::new())).collect();
    for item in items {
        let class = tasks.partition_point(|(class, _)| class.bits < length(&item));
        tasks[class].1.push(item);
    }
    let tasks = tasks.iter().flat_map(|(class, items)| {
        let windows = class.windows();
        let each = windows.div_ceil((items.len() * windows / TASK).clamp(1, windows));
        (0..windows).step_by(each).map(move |first| (*class, items, first..windows.min(first + each)))
    });
    let tasks: Vec<_> = tasks.collect();
    let sums: Vec<Vec<(usize, Point)>> =
        tasks.into_par_iter().map(|(class, items, windows)| buckets::bits(&points, items, class, windows)).collect();
    let mut bits = [G1::identity(); 128];
    for (bit, point) in sums.into_iter().flatten().filter(|(_, point)| !point.is_identity()) {
        bits[bit] += point.affine();
    }
    bits.into_iter().rev().fold(G1::identity(), |sum, bit| sum.double() + bit)
}

fn length(item: &Item) -> usize {
    (u128::BITS - item.magnitude.leading_zeros()) as usize
}

/// The points, after them their images under φ where a scalar needs them, and what to add up of both.
fn prepare(scalars: &[Fr], bases: &[G1Affine]) -> (Vec<Point>, Vec<Item>) {
    let n = scalars.len().min(bases.len());
    let zeta = limbs(&Fq::ZETA);
    let mut points = vec![Point::default(); 2 * n];
    let (plain, images) = points.split_at_mut(n);
    let chunks = scalars[..n].par_chunks(CHUNK).zip(bases[..n].par_chunks(CHUNK)).enumerate();
    let chunks = chunks.zip(plain.par_chunks_mut(CHUNK).zip(images.par_chunks_mut(CHUNK)));
    let items: Vec<Vec<Item>> = chunks
        .map(|((chunk, (scalars, bases)), (plain, images))| {
            let mut items = Vec::with_capacity(2 * scalars.len());
            for (i, (scalar, base)) in scalars.iter().zip(bases).enumerate() {
                one(scalar, base, chunk * CHUNK + i, n, (&mut plain[i], &mut images[i]), &zeta, &mut items);
            }
            items
        })
        .collect();
    (points, items.concat())
}

fn one(scalar: &Fr, base: &G1Affine, index: usize, n: usize, to: (&mut Point, &mut Point), zeta: &Limbs, items: &mut Vec<Item>) {
    let point = Point::from(base);
    if point.is_identity() {
        return;
    }
    *to.0 = point;
    for term in scalar::terms(scalar) {
        if term.endo {
            *to.1 = Point { x: mul(&point.x, zeta), y: point.y };
        }
        items.push(Item { magnitude: term.magnitude, entry: sums::entry(index + if term.endo { n } else { 0 }, term.negative) });
    }
}

#[cfg(test)]
mod tests;
