//! The natural logarithm in integers, so that a threshold is the same on every machine and rounded up for certain.
//!
//! `ln n = k ln 2 + 2 atanh(z)`, `n = m 2^k`, `1 <= m < 2`, `z = (m - 1) / (m + 1) <= 1/3`, in fixed point with 120
//! fractional bits. Each step of a series drops less than one unit and there are fewer than 200 of them, so every result is
//! within `2^-106` of the truth; `ln` of a rational other than 1 is irrational, so nothing is ever exactly on a step.

use alloy::primitives::U256;

const FRACTION_BITS: u32 = 120;
/// Bound of the error of `ln a - ln b` for 64-bit `a`, `b` (the error of ln 2 counts up to 64 times), in units of `2^-120`.
const ERROR: i128 = 1 << 18;

/// `ceil(ln(a / b) * 2^scale)` for positive `a`, `b`; exactly 0 where `a = b`.
///
/// Where the truth lies within `2^-100` above a step, the next step is taken: never too small.
pub fn ceil_ratio(a: u64, b: u64, scale: i32) -> i128 {
    if a == b {
        return 0;
    }
    let upper = ln(a) - ln(b) + ERROR;
    match FRACTION_BITS as i32 - scale {
        // The logarithm is below 2^6, so at these scales the sign alone decides.
        drop if drop >= 127 => i128::from(upper > 0),
        drop if drop > 0 => (upper + ((1i128 << drop) - 1)) >> drop,
        // Finer than the fixed point: beyond every program's range.
        _ => upper.signum() << 126,
    }
}

/// `ln n * 2^120`, `n >= 1`.
fn ln(n: u64) -> i128 {
    let exponent = 63 - n.leading_zeros();
    // m - 1 and m + 1 times 2^exponent.
    let (below, above) = (u128::from(n) - (1u128 << exponent), u128::from(n) + (1u128 << exponent));
    double_atanh(below, above) + i128::from(exponent) * double_atanh(1, 3)
}

/// `2 atanh(p / q) * 2^120` for `0 <= p/q <= 1/3`; `double_atanh(1, 3)` is `ln 2`.
fn double_atanh(p: u128, q: u128) -> i128 {
    let z = (U256::from(p) << FRACTION_BITS as usize) / U256::from(q);
    let square = (z * z) >> FRACTION_BITS as usize;
    let (mut power, mut sum, mut odd) = (z, U256::ZERO, 1u64);
    while !power.is_zero() {
        sum += power / U256::from(odd);
        power = (power * square) >> FRACTION_BITS as usize;
        odd += 2;
    }
    // At most ln 2, so it fits 120 bits and the conversion is exact.
    i128::try_from((sum << 1usize).saturating_to::<u128>()).unwrap_or(i128::MAX)
}
