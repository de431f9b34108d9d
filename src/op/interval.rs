//! Closed integer intervals, the currency of the overflow argument.

use serde::{Deserialize, Serialize};

/// Every integer of a program stays strictly inside `(-2^LIMIT_BITS, 2^LIMIT_BITS)`: the `i128` interpreter holds it and the
/// scalar field (254 bits) never wraps.
pub const LIMIT_BITS: u32 = 120;

/// The closed interval `[lo, hi]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Smallest value.
    pub lo: i128,
    /// Largest value.
    pub hi: i128,
}

impl Interval {
    /// `[lo, hi]`; the caller guarantees `lo <= hi`.
    pub const fn new(lo: i128, hi: i128) -> Self {
        Self { lo, hi }
    }

    /// Whether `value` lies inside.
    pub fn contains(&self, value: i128) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// Whether all of `self` lies inside `other`.
    pub fn within(&self, other: &Interval) -> bool {
        other.lo <= self.lo && self.hi <= other.hi
    }

    /// The interval of `c * x` for `x` in `self`; `None` when it leaves the limit.
    pub fn scaled(&self, c: i128) -> Option<Interval> {
        let (a, b) = (product(self.lo, c)?, product(self.hi, c)?);
        Interval::new(a.min(b), a.max(b)).limited()
    }

    /// The interval of `x * y` for `x` in `self` and `y` in `other`; `None` when it leaves the limit.
    pub fn times(&self, other: &Interval) -> Option<Interval> {
        let (low, high) = (self.scaled(other.lo)?, self.scaled(other.hi)?);
        Interval::new(low.lo.min(high.lo), low.hi.max(high.hi)).limited()
    }

    /// The interval of `x + y` for `x` in `self` and `y` in `other`; `None` when it leaves the limit.
    pub fn plus(&self, other: &Interval) -> Option<Interval> {
        Interval::new(self.lo.checked_add(other.lo)?, self.hi.checked_add(other.hi)?).limited()
    }

    /// `self` when it respects [`LIMIT_BITS`].
    pub fn limited(self) -> Option<Interval> {
        let limit = 1i128 << LIMIT_BITS;
        (self.lo > -limit && self.hi < limit).then_some(self)
    }

    /// Bits of the largest magnitude inside.
    pub fn bits(&self) -> u32 {
        128 - self.lo.unsigned_abs().max(self.hi.unsigned_abs()).leading_zeros()
    }
}

/// `a * b`. A model has one such product for each weight, almost all of them of numbers that one multiplication of the processor takes.
fn product(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => a.checked_mul(b),
    }
}

#[cfg(test)]
mod tests {
    use super::product;

    #[test]
    fn products_of_short_and_of_long_numbers_are_the_same() {
        let edges = [0, 1, -1, 3, i128::from(i64::MAX), i128::from(i64::MIN), 1 << 63, -(1 << 63) - 1, i128::MAX, i128::MIN];
        for (a, b) in edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b))) {
            assert_eq!(product(a, b), a.checked_mul(b), "{a} * {b}");
        }
    }
}
