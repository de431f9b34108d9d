//! Eight additions at a time, by AVX-512's multiply-add of 52-bit integers.
//!
//! A vector holds one of five 52-bit limbs of eight field elements. Its multiplication is Montgomery's with 2^260, so of values in the
//! form a·2^256 it makes a·b/16 rather than a·b. Instead of changing the form, the inverse is scaled: with I = 64/Π d of the products
//! P_j = P_(j-1)·d_j/16,
//!
//! ```text
//! I·P_(j-1)/16 = 64·16/(16·d_j) = 64/d_j    (64/d_j)·(y2 - y1)/16 = 4λ    (4λ)²/16 = λ²    4λ·4(x1 - x3)/16 = λ·(x1 - x3)
//! ```
//!
//! and I·d_j/16 is the I of the products before. A product of a, b is below p + a·b/2^260.

use super::{
    field::{MINUS_P_INVERSE, ONE, P, Point, mul as mul_one, quotient},
    pairs::{Pair, is_exception, load},
};
use crate::proof::lanes::vector::{LANES, Vector, able, join, minus, montgomery, normal, plus, reduce, split};
use std::arch::x86_64::*;

/// Adds as [`super::pairs::add`] does, or returns false where the processor cannot.
pub(super) fn add(points: &[Point], pairs: &[Pair], sums: &mut [Point]) -> bool {
    let able = able();
    if able {
        // SAFETY: the processor has both features.
        unsafe { add_eights(points, pairs, sums) };
    }
    able
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn add_eights(points: &[Point], pairs: &[Pair], sums: &mut [Point]) {
    let x = |entry: u32| &points[(entry >> 1) as usize].x;
    let (mut regular, exceptions): (Vec<Pair>, Vec<Pair>) =
        pairs.iter().partition(|([left, right], _)| !is_exception(x(*left), x(*right)));
    let count = regular.len();
    // The last lanes repeat a pair: its sum is written once more.
    if let Some(last) = regular.last().copied() {
        regular.resize(count.next_multiple_of(LANES), last);
        add_regular(points, regular.as_chunks().0, sums);
    }
    for ([left, right], out) in exceptions {
        sums[out as usize] = load(points, left).add_any(&load(points, right));
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn add_regular(points: &[Point], eights: &[[Pair; LANES]], sums: &mut [Point]) {
    let (p, double_p) = (multiple_of_p(1), multiple_of_p(2));
    let at = |eight: &[Pair; LANES], side: usize| eight.map(|(entries, _)| entries[side]);
    let abscissas = |entries: [u32; LANES]| split(entries.map(|entry| &points[(entry >> 1) as usize].x));
    let mut products = Vec::with_capacity(eights.len());
    let mut product = split([&ONE; LANES]);
    for eight in eights {
        products.push(product);
        let (x1, x2) = (abscissas(at(eight, 0)), abscissas(at(eight, 1)));
        product = mul(&product, &normal(&plus(&minus(&x2, &x1), &p)));
    }
    let mut inverse = invert(&product);
    for (eight, product) in eights.iter().zip(&products).rev() {
        let (left, right) = (at(eight, 0), at(eight, 1));
        let (x1, x2) = (abscissas(left), abscissas(right));
        let (y1, y2) = (ordinates(points, left), ordinates(points, right));
        let slope = mul(&mul(&inverse, product), &normal(&plus(&minus(&y2, &y1), &p)));
        inverse = mul(&inverse, &normal(&plus(&minus(&x2, &x1), &p)));
        // Below 1.1·p + 2·p.
        let x3 = normal(&plus(&minus(&minus(&mul(&slope, &slope), &x1), &x2), &double_p));
        let x3 = reduce(&reduce(&x3, &double_p), &p);
        let run = plus(&minus(&x1, &x3), &p).map(|limb| _mm512_slli_epi64::<2>(limb));
        // Below 1.2·p + p.
        let y3 = normal(&plus(&minus(&mul(&slope, &normal(&run)), &y1), &p));
        let y3 = reduce(&reduce(&y3, &p), &p);
        for ((x, y), (_, out)) in join(&x3).into_iter().zip(join(&y3)).zip(eight) {
            sums[*out as usize] = Point { x, y };
        }
    }
}

/// The y of eight entries, p - y where the sign is negative.
#[target_feature(enable = "avx512f,avx512ifma")]
fn ordinates(points: &[Point], entries: [u32; LANES]) -> Vector {
    let y = split(entries.map(|entry| &points[(entry >> 1) as usize].y));
    let negative = entries.iter().enumerate().fold(0, |mask, (lane, entry)| mask | ((entry & 1) as u8) << lane);
    if negative == 0 {
        return y;
    }
    let opposite = normal(&minus(&multiple_of_p(1), &y));
    [0, 1, 2, 3, 4].map(|i| _mm512_mask_blend_epi64(negative, y[i], opposite[i]))
}

/// a·b/2^260 mod p.
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Vector, b: &Vector) -> Vector {
    montgomery(a, b, &multiple_of_p(1), MINUS_P_INVERSE)
}

#[target_feature(enable = "avx512f")]
fn multiple_of_p(times: u128) -> Vector {
    let mut limbs = [0; 4];
    let mut carry = 0;
    for (limb, p) in limbs.iter_mut().zip(P) {
        let wide = u128::from(p) * times + carry;
        (*limb, carry) = (wide as u64, wide >> 64);
    }
    split([&limbs; LANES])
}

/// 64/a in each lane, of the form that the head of this file says; a is not zero.
#[target_feature(enable = "avx512f,avx512ifma")]
fn invert(a: &Vector) -> Vector {
    let p = multiple_of_p(1);
    let lanes = join(&reduce(a, &p));
    let mut products = [ONE; LANES];
    for lane in 1..LANES {
        products[lane] = mul_one(&products[lane - 1], &lanes[lane - 1]);
    }
    let mut inverse = quotient(64, &mul_one(&products[LANES - 1], &lanes[LANES - 1]));
    let mut out = [ONE; LANES];
    for lane in (0..LANES).rev() {
        out[lane] = mul_one(&inverse, &products[lane]);
        inverse = mul_one(&inverse, &lanes[lane]);
    }
    split(out.each_ref())
}
