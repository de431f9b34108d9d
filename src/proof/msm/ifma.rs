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
    field::{Limbs, MINUS_P_INVERSE, ONE, P, Point, mul as mul_one, quotient},
    pairs::{Pair, is_exception, load},
};
use std::arch::x86_64::*;

const LANES: usize = 8;
const MASK: i64 = (1 << 52) - 1;

/// Five limbs of eight elements, the least significant first.
type Vector = [__m512i; 5];

/// Adds as [`super::pairs::add`] does, or returns false where the processor cannot.
pub(super) fn add(points: &[Point], pairs: &[Pair], sums: &mut [Point]) -> bool {
    let able = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
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

/// a·b/2^260 mod p, below p + a·b/2^260; both have limbs below 2^52.
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Vector, b: &Vector) -> Vector {
    let zero = _mm512_setzero_si512();
    let p = multiple_of_p(1);
    let inverse = _mm512_set1_epi64(MINUS_P_INVERSE.cast_signed() & MASK);
    let mut t = [zero; 6];
    for digit in b {
        for j in 0..5 {
            t[j] = _mm512_madd52lo_epu64(t[j], a[j], *digit);
        }
        let m = _mm512_madd52lo_epu64(zero, t[0], inverse);
        for j in 0..5 {
            t[j] = _mm512_madd52lo_epu64(t[j], p[j], m);
        }
        // The lowest limb is 0 mod 2^52: what is above goes on.
        t[1] = _mm512_add_epi64(t[1], _mm512_srli_epi64::<52>(t[0]));
        for j in 0..5 {
            t[j] = _mm512_madd52hi_epu64(t[j + 1], a[j], *digit);
            t[j] = _mm512_madd52hi_epu64(t[j], p[j], m);
        }
        t[5] = zero;
    }
    normal(&[t[0], t[1], t[2], t[3], t[4]])
}

#[target_feature(enable = "avx512f")]
fn plus(a: &Vector, b: &Vector) -> Vector {
    [0, 1, 2, 3, 4].map(|i| _mm512_add_epi64(a[i], b[i]))
}

#[target_feature(enable = "avx512f")]
fn minus(a: &Vector, b: &Vector) -> Vector {
    [0, 1, 2, 3, 4].map(|i| _mm512_sub_epi64(a[i], b[i]))
}

/// The same value with lower limbs from 0 to 2^52 - 1; the top limb has the sign.
#[target_feature(enable = "avx512f")]
fn normal(a: &Vector) -> Vector {
    let mask = _mm512_set1_epi64(MASK);
    let mut out = *a;
    for i in 0..4 {
        out[i + 1] = _mm512_add_epi64(out[i + 1], _mm512_srai_epi64::<52>(out[i]));
        out[i] = _mm512_and_si512(out[i], mask);
    }
    out
}

/// a - b where that is not negative, else a.
#[target_feature(enable = "avx512f")]
fn reduce(a: &Vector, b: &Vector) -> Vector {
    let less = normal(&minus(a, b));
    let negative = _mm512_cmplt_epi64_mask(less[4], _mm512_setzero_si512());
    [0, 1, 2, 3, 4].map(|i| _mm512_mask_blend_epi64(negative, less[i], a[i]))
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

/// Eight elements to limbs of 52 bits.
#[target_feature(enable = "avx512f")]
fn split(elements: [&Limbs; LANES]) -> Vector {
    // SAFETY: each element is 256 bits that may be read without alignment.
    let row = |i: usize| unsafe { _mm256_loadu_si256(elements[i].as_ptr().cast()) };
    let two = |i: usize, j: usize| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(row(i)), row(j));
    let (a, b, c, d) = (two(0, 2), two(1, 3), two(4, 6), two(5, 7));
    let (even_low, odd_low) = (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
    let (even_high, odd_high) = (_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
    let l0 = _mm512_shuffle_i64x2::<0x88>(even_low, even_high);
    let l1 = _mm512_shuffle_i64x2::<0x88>(odd_low, odd_high);
    let l2 = _mm512_shuffle_i64x2::<0xdd>(even_low, even_high);
    let l3 = _mm512_shuffle_i64x2::<0xdd>(odd_low, odd_high);
    let mask = _mm512_set1_epi64(MASK);
    let low = |a| _mm512_and_si512(a, mask);
    [
        low(l0),
        low(_mm512_or_si512(_mm512_srli_epi64::<52>(l0), _mm512_slli_epi64::<12>(l1))),
        low(_mm512_or_si512(_mm512_srli_epi64::<40>(l1), _mm512_slli_epi64::<24>(l2))),
        low(_mm512_or_si512(_mm512_srli_epi64::<28>(l2), _mm512_slli_epi64::<36>(l3))),
        _mm512_srli_epi64::<16>(l3),
    ]
}

/// The reverse of [`split`]; the limbs are below 2^52.
#[target_feature(enable = "avx512f")]
fn join(v: &Vector) -> [Limbs; LANES] {
    let l0 = _mm512_or_si512(v[0], _mm512_slli_epi64::<52>(v[1]));
    let l1 = _mm512_or_si512(_mm512_srli_epi64::<12>(v[1]), _mm512_slli_epi64::<40>(v[2]));
    let l2 = _mm512_or_si512(_mm512_srli_epi64::<24>(v[2]), _mm512_slli_epi64::<28>(v[3]));
    let l3 = _mm512_or_si512(_mm512_srli_epi64::<36>(v[3]), _mm512_slli_epi64::<16>(v[4]));
    let mut out = [[0; 4]; LANES];
    let (even_low, odd_low) = (_mm512_unpacklo_epi64(l0, l1), _mm512_unpackhi_epi64(l0, l1));
    let (even_high, odd_high) = (_mm512_unpacklo_epi64(l2, l3), _mm512_unpackhi_epi64(l2, l3));
    // Lanes i of low and high: limbs 0, 1 and 2, 3 of element 2i (even) or 2i + 1 (odd).
    let store = |v: __m512i| -> [[u64; 2]; 4] {
        let mut lanes = [[0u64; 2]; 4];
        // SAFETY: 512 bits that may be written without alignment.
        unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), v) };
        lanes
    };
    let (even_low, odd_low, even_high, odd_high) = (store(even_low), store(odd_low), store(even_high), store(odd_high));
    for i in 0..4 {
        out[2 * i] = [even_low[i][0], even_low[i][1], even_high[i][0], even_high[i][1]];
        out[2 * i + 1] = [odd_low[i][0], odd_low[i][1], odd_high[i][0], odd_high[i][1]];
    }
    out
}
