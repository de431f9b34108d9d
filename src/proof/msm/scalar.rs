//! Scalars as short as they can be made: what a multi-scalar multiplication costs is the digits of its scalars.
//!
//! A value v is also -(r - v), so a small negative number is as short as a small positive one. A long one is split by the curve's
//! endomorphism φ(x, y) = (ζ·x, y), which multiplies by λ. The lattice {(a, b): a + b·λ = 0 mod r} holds (L, -S) and (S, L + S), so
//!
//! ```text
//! v = k_1 + k_2·λ mod r    k_1 = v - c_1·L - c_2·S    k_2 = c_1·S - c_2·(L + S)
//! ```
//!
//! for all integers c_1, c_2. For those nearest to v·(L + S)/r and v·S/r, to within 0.6, both |k_1| and |k_2| are at most 0.6·(L + 2S) < 2^127.

use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};

/// (r - 1)/2.
const HALF: [u64; 4] = [0xa1f0fac9f8000000, 0x9419f4243cdcb848, 0xdc2822db40c0ac2e, 0x183227397098d014];
/// r.
const R: [u64; 4] = [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
/// S and L.
const S: u128 = 0x89d3256894d213e3;
const L: u128 = 0x6f4d8248eeb859fc8211bbeb7d4f1128;
/// 2^256·(L + S)/r and 2^256·S/r, rounded.
const LONG_OVER_R: [u64; 3] = [0x5398fd0300ff6565, 0x4ccef014a773d2d2, 0x2];
const SHORT_OVER_R: [u64; 3] = [0xd91d232ec7e0b3d7, 0x2, 0];

/// A multiple of a point or of its image under φ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    /// Below 2^127.
    pub magnitude: u128,
    pub negative: bool,
    /// Of φ's image.
    pub endo: bool,
}

/// The terms that add up to a scalar's multiple: none for 0, one for what is short, else two.
pub(super) fn terms(scalar: &Fr) -> impl Iterator<Item = Term> {
    let mut v = canonical(scalar);
    let negative = v.iter().rev().gt(HALF.iter().rev());
    if negative {
        v = minus(&R, &v);
    }
    let low = u128::from(v[0]) | u128::from(v[1]) << 64;
    let short = v[2] == 0 && v[3] == 0 && low >> 127 == 0;
    let (k1, k2) = if short { (low.cast_signed(), 0) } else { split(&v, low) };
    let term = move |k: i128, endo| Term { magnitude: k.unsigned_abs(), negative: negative ^ (k < 0), endo };
    [term(k1, false), term(k2, true)].into_iter().filter(|term| term.magnitude != 0)
}

fn canonical(scalar: &Fr) -> [u64; 4] {
    let bytes = scalar.to_repr();
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_ref().as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    limbs
}

/// a - b for a ≥ b.
fn minus(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let mut borrow = false;
    [0, 1, 2, 3].map(|i| {
        let (less, first) = a[i].overflowing_sub(b[i]);
        let (less, second) = less.overflowing_sub(u64::from(borrow));
        borrow = first | second;
        less
    })
}

/// Both halves fit i128, so it is enough to know them mod 2^128.
fn split(v: &[u64; 4], low: u128) -> (i128, i128) {
    let (c1, c2) = (scaled(v, &LONG_OVER_R), scaled(v, &SHORT_OVER_R));
    let k1 = low.wrapping_sub(c1.wrapping_mul(L)).wrapping_sub(c2.wrapping_mul(S));
    let k2 = c1.wrapping_mul(S).wrapping_sub(c2.wrapping_mul(L + S));
    (k1.cast_signed(), k2.cast_signed())
}

/// v·factor / 2^256, rounded; below 2^127 for v < r/2 and the factors above.
fn scaled(v: &[u64; 4], factor: &[u64; 3]) -> u128 {
    let mut product = [0u64; 7];
    for (i, digit) in factor.iter().enumerate() {
        let mut carry = 0;
        for (j, limb) in v.iter().enumerate() {
            let wide = u128::from(*digit) * u128::from(*limb) + u128::from(product[i + j]) + u128::from(carry);
            (product[i + j], carry) = (wide as u64, (wide >> 64) as u64);
        }
        product[i + 4] = carry;
    }
    (u128::from(product[4]) | u128::from(product[5]) << 64) + u128::from(product[3] >> 63)
}
