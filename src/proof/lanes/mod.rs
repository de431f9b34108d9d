//! The scalar field on several elements at a time: what the quotient, the evaluations and the opening of a proof are computed with.
//!
//! A computation is a [`Work`], written once for any [`Lanes`]: eight elements where the processor has AVX-512 IFMA, else one. Eight of them
//! have no product of their own: theirs is a sixteenth of it (`vector`). So a lane holds [`Lanes::SCALE`] times the element that is meant, or
//! one factor of each product does.

mod eight;
#[cfg(target_arch = "x86_64")]
pub(in crate::proof) mod vector;

#[cfg(target_arch = "x86_64")]
use eight::Eight;
use halo2_proofs::halo2curves::bn256::Fr;

/// The most elements side by side.
pub(super) const MOST: usize = 8;

/// Elements side by side.
pub(super) trait Lanes: Copy {
    /// How many.
    const WIDTH: usize;
    /// `a.mul(b)` is a·b/SCALE.
    const SCALE: u64;
    /// One element for all lanes.
    type Factor: Copy;

    fn factor(value: &Fr) -> Self::Factor;
    fn all(factor: &Self::Factor) -> Self;
    /// The first WIDTH of `values`.
    fn load(values: &[Fr]) -> Self;
    /// Into the first WIDTH of `values`.
    fn store(self, values: &mut [Fr]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// (self - other)·by/SCALE.
    fn sub_mul(self, other: Self, by: Self) -> Self;
}

/// A computation on any lanes. An implementation is `#[inline(always)]`, and so is all in it that handles lanes: only so is it compiled for
/// the processor's vectors.
pub(super) trait Work {
    type Result;
    fn run<L: Lanes>(self) -> Self::Result;
}

/// Which lanes there are. Eight are made by [`Width::of`] alone, on a processor that has what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    One,
    #[cfg(target_arch = "x86_64")]
    Eight,
}

impl Width {
    /// One lane, on any processor.
    pub const ONE: Self = Self(Kind::One);

    /// As many lanes as the processor has and polynomials of 2^k coefficients can fill.
    pub fn of(k: u32) -> Self {
        #[cfg(target_arch = "x86_64")]
        if k >= 6 && vector::able() {
            return Self(Kind::Eight);
        }
        let _ = k;
        Self::ONE
    }

    pub fn scale(self) -> Fr {
        match self.0 {
            Kind::One => Fr::from(One::SCALE),
            #[cfg(target_arch = "x86_64")]
            Kind::Eight => Fr::from(Eight::SCALE),
        }
    }

    pub fn lanes(self) -> usize {
        match self.0 {
            Kind::One => One::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Kind::Eight => Eight::WIDTH,
        }
    }

    pub fn run<W: Work>(self, work: W) -> W::Result {
        match self.0 {
            Kind::One => work.run::<One>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: only `Width::of` makes eight lanes, on a processor that has what they need.
            Kind::Eight => unsafe { eight::run(work) },
        }
    }
}

/// Any processor's.
#[derive(Clone, Copy)]
struct One(Fr);

impl Lanes for One {
    const WIDTH: usize = 1;
    const SCALE: u64 = 1;
    type Factor = Fr;

    #[inline(always)]
    fn factor(value: &Fr) -> Fr {
        *value
    }

    #[inline(always)]
    fn all(factor: &Fr) -> Self {
        Self(*factor)
    }

    #[inline(always)]
    fn load(values: &[Fr]) -> Self {
        Self(values[0])
    }

    #[inline(always)]
    fn store(self, values: &mut [Fr]) {
        values[0] = self.0;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    #[inline(always)]
    fn sub_mul(self, other: Self, by: Self) -> Self {
        Self((self.0 - other.0) * by.0)
    }
}

#[cfg(test)]
mod tests;
