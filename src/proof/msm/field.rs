//! The base field of BN254 and its points on bare limbs, in halo2curves' own form: a·2^256 mod p, canonical. halo2curves keeps its limbs
//! to itself, and vectors need them.

use halo2_proofs::halo2curves::{
    bn256::{Fq, G1, G1Affine},
    ff::Field,
    group::{Curve, prime::PrimeCurveAffine},
    serde::SerdeObject,
};

/// Four limbs, the least significant first.
pub(super) type Limbs = [u64; 4];

/// p.
pub(super) const P: Limbs = [0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029];

/// -1/p mod 2^64.
pub(super) const MINUS_P_INVERSE: u64 = 0x87d20782e4866389;

/// The field's 1.
pub(super) const ONE: Limbs = [0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f];

/// An affine point; (0, 0) is the identity, as in halo2curves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    pub x: Limbs,
    pub y: Limbs,
}

/// a + b·c + d: (2^64 - 1) + (2^64 - 1)^2 + (2^64 - 1) = 2^128 - 1 fits.
fn mul_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let wide = u128::from(a) + u128::from(b) * u128::from(c) + u128::from(d);
    (wide as u64, (wide >> 64) as u64)
}

/// a - b mod 2^256, and all ones where it went below zero.
fn borrowing_sub(a: &Limbs, b: &Limbs) -> (Limbs, u64) {
    let mut out = [0; 4];
    let mut below = false;
    for i in 0..4 {
        let (less, first) = a[i].overflowing_sub(b[i]);
        let (less, second) = less.overflowing_sub(u64::from(below));
        (out[i], below) = (less, first | second);
    }
    (out, u64::from(below).wrapping_neg())
}

/// a·b / 2^256 mod p.
#[inline]
pub(super) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    let mut t = [0u64; 4];
    for digit in b {
        let (low, mut carry) = mul_add(t[0], a[0], *digit, 0);
        let m = low.wrapping_mul(MINUS_P_INVERSE);
        let (_, mut over) = mul_add(low, m, P[0], 0);
        for j in 1..4 {
            let (sum, high) = mul_add(t[j], a[j], *digit, carry);
            carry = high;
            (t[j - 1], over) = mul_add(sum, m, P[j], over);
        }
        // No carry out: p is below 2^254.
        t[3] = carry.wrapping_add(over);
    }
    let (less, below) = borrowing_sub(&t, &P);
    [0, 1, 2, 3].map(|i| (t[i] & below) | (less[i] & !below))
}

/// a - b mod p.
#[inline]
pub(super) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    let (less, below) = borrowing_sub(a, b);
    let mut out = [0; 4];
    let mut carry = false;
    for i in 0..4 {
        let (sum, first) = less[i].overflowing_add(P[i] & below);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        (out[i], carry) = (sum, first | second);
    }
    out
}

/// scale / a; a is not zero.
pub(super) fn quotient(scale: u64, a: &Limbs) -> Limbs {
    limbs(&(Fq::from(scale) * element(a).invert().unwrap_or(Fq::ZERO)))
}

pub(super) fn limbs(a: &Fq) -> Limbs {
    let bytes = a.to_raw_bytes();
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    limbs
}

fn element(a: &Limbs) -> Fq {
    let mut bytes = [0; 32];
    for (bytes, limb) in bytes.as_chunks_mut().0.iter_mut().zip(a) {
        *bytes = limb.to_le_bytes();
    }
    Fq::from_raw_bytes_unchecked(&bytes)
}

impl Point {
    /// halo2curves' point.
    pub fn affine(&self) -> G1Affine {
        G1Affine { x: element(&self.x), y: element(&self.y) }
    }

    pub fn is_identity(&self) -> bool {
        *self == Self::default()
    }

    pub fn signed(mut self, negative: bool) -> Self {
        if negative && !self.is_identity() {
            self.y = sub(&P, &self.y);
        }
        self
    }

    /// The sum, whatever the two are: equal, opposite, the identity.
    pub fn add_any(&self, other: &Self) -> Self {
        let sum: G1 = self.affine().to_curve() + other.affine();
        Self::from(&sum.to_affine())
    }
}

impl From<&G1Affine> for Point {
    fn from(point: &G1Affine) -> Self {
        Self { x: limbs(&point.x), y: limbs(&point.y) }
    }
}
