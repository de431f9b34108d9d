//! Eight lanes. Each holds an integer below 2r in limbs of 52 bits, in halo2curves' form: a·2^256 for the element a. Montgomery's product with 2^260
//! is then a sixteenth of the product.
//!
//! Sums and differences are brought below 2r again. A product of factors below 4r and 2r is below r + 8r²/2^260 < 1.1·r.

#![cfg(target_arch = "x86_64")]

use super::{
    Lanes, Work,
    vector::{Vector, join, minus, montgomery, normal, plus, reduce, split},
};
use halo2_proofs::halo2curves::{bn256::Fr, serde::SerdeObject};
use std::arch::x86_64::*;

/// -1/r mod 2^64.
const MINUS_R_INVERSE: u64 = 0xc2e1f593efffffff;
/// r and 2r.
const R: [u64; 4] = [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
const TWICE_R: [u64; 4] = [0x87c3eb27e0000002, 0x5067d090f372e122, 0x70a08b6d0302b0ba, 0x60c89ce5c2634053];

#[derive(Clone, Copy)]
pub(super) struct Eight(Vector);

/// Runs `work` with the vectors that it needs.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn run<W: Work>(work: W) -> W::Result {
    work.run::<Eight>()
}

/// The limbs of 52 bits of an integer.
const fn limbs(of: &[u64; 4]) -> [u64; 5] {
    const MASK: u64 = (1 << 52) - 1;
    [
        of[0] & MASK,
        (of[0] >> 52 | of[1] << 12) & MASK,
        (of[1] >> 40 | of[2] << 24) & MASK,
        (of[2] >> 28 | of[3] << 36) & MASK,
        of[3] >> 16,
    ]
}

#[inline(always)]
fn words(value: &Fr) -> [u64; 4] {
    let mut bytes = [0; 32];
    // Four words fit.
    let _ = value.write_raw(&mut &mut bytes[..]);
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

#[inline(always)]
fn element(words: &[u64; 4]) -> Fr {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
    Fr::from_raw_bytes_unchecked(&bytes)
}

/// The same in all lanes.
#[inline]
#[target_feature(enable = "avx512f")]
fn broadcast(limbs: &[u64; 5]) -> Vector {
    [0, 1, 2, 3, 4].map(|i| _mm512_set1_epi64(limbs[i].cast_signed()))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: &Vector, b: &Vector) -> Vector {
    let twice = broadcast(&const { limbs(&TWICE_R) });
    reduce(&normal(&plus(a, b)), &twice)
}

/// a - b + 2r, below 4r.
#[inline]
#[target_feature(enable = "avx512f")]
fn difference(a: &Vector, b: &Vector) -> Vector {
    let twice = broadcast(&const { limbs(&TWICE_R) });
    normal(&plus(&minus(a, b), &twice))
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(a: &Vector, b: &Vector) -> Vector {
    montgomery(a, b, &broadcast(&const { limbs(&R) }), MINUS_R_INVERSE)
}

// SAFETY of the calls below: lanes exist inside of a `run` only, which is called on processors that have these instructions.
impl Lanes for Eight {
    const WIDTH: usize = super::MOST;
    const SCALE: u64 = 16;
    type Factor = [u64; 5];

    #[inline(always)]
    fn factor(value: &Fr) -> [u64; 5] {
        limbs(&words(value))
    }

    #[inline(always)]
    fn all(factor: &[u64; 5]) -> Self {
        Self(unsafe { broadcast(factor) })
    }

    #[inline(always)]
    fn load(values: &[Fr]) -> Self {
        let values = &values[..8];
        let words: [[u64; 4]; 8] = std::array::from_fn(|i| words(&values[i]));
        Self(unsafe { split(words.each_ref()) })
    }

    #[inline(always)]
    fn store(self, values: &mut [Fr]) {
        let words = unsafe { join(&reduce(&self.0, &broadcast(&const { limbs(&R) }))) };
        for (value, words) in values[..8].iter_mut().zip(&words) {
            *value = element(words);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { add(&self.0, &other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(unsafe { reduce(&difference(&self.0, &other.0), &broadcast(&const { limbs(&TWICE_R) })) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(unsafe { mul(&self.0, &other.0) })
    }

    #[inline(always)]
    fn sub_mul(self, other: Self, by: Self) -> Self {
        Self(unsafe { mul(&difference(&self.0, &other.0), &by.0) })
    }
}
