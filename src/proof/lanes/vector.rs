//! Integers of 256 bits, eight side by side, by AVX-512's multiply-add of 52-bit integers.

use std::arch::x86_64::*;

pub(in crate::proof) const LANES: usize = 8;
const MASK: i64 = (1 << 52) - 1;

/// Five limbs of eight integers, the least significant first.
pub(in crate::proof) type Vector = [__m512i; 5];

/// Whether the processor has what this needs.
pub(in crate::proof) fn able() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// a·b/2^260 mod p, below p + a·b/2^260; both have limbs below 2^52. `inverse` is -1/p mod 2^64.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(in crate::proof) fn montgomery(a: &Vector, b: &Vector, p: &Vector, inverse: u64) -> Vector {
    let zero = _mm512_setzero_si512();
    let inverse = _mm512_set1_epi64(inverse.cast_signed() & MASK);
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

#[inline]
#[target_feature(enable = "avx512f")]
pub(in crate::proof) fn plus(a: &Vector, b: &Vector) -> Vector {
    [0, 1, 2, 3, 4].map(|i| _mm512_add_epi64(a[i], b[i]))
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(in crate::proof) fn minus(a: &Vector, b: &Vector) -> Vector {
    [0, 1, 2, 3, 4].map(|i| _mm512_sub_epi64(a[i], b[i]))
}

/// The same value with lower limbs from 0 to 2^52 - 1; the top limb has the sign.
#[inline]
#[target_feature(enable = "avx512f")]
pub(in crate::proof) fn normal(a: &Vector) -> Vector {
    let mask = _mm512_set1_epi64(MASK);
    let mut out = *a;
    for i in 0..4 {
        out[i + 1] = _mm512_add_epi64(out[i + 1], _mm512_srai_epi64::<52>(out[i]));
        out[i] = _mm512_and_si512(out[i], mask);
    }
    out
}

/// a - b where that is not negative, else a.
#[inline]
#[target_feature(enable = "avx512f")]
pub(in crate::proof) fn reduce(a: &Vector, b: &Vector) -> Vector {
    let less = normal(&minus(a, b));
    let negative = _mm512_cmplt_epi64_mask(less[4], _mm512_setzero_si512());
    [0, 1, 2, 3, 4].map(|i| _mm512_mask_blend_epi64(negative, less[i], a[i]))
}

/// Eight elements to limbs of 52 bits.
#[inline]
#[target_feature(enable = "avx512f")]
pub(in crate::proof) fn split(elements: [&[u64; 4]; LANES]) -> Vector {
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
#[inline]
#[target_feature(enable = "avx512f")]
pub(in crate::proof) fn join(v: &Vector) -> [[u64; 4]; LANES] {
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
