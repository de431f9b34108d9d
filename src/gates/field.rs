//! Signed integers as scalars: `v` is `v mod r`.

use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// `v mod r`.
pub fn to_field(v: i128) -> Fr {
    let magnitude = from_u128(v.unsigned_abs());
    if v < 0 { -magnitude } else { magnitude }
}

/// `v` as a scalar. By a multiplication: halo2curves' own conversion looks small numbers up in a table of 2 MB.
pub fn from_u128(v: u128) -> Fr {
    Fr::from_raw([v as u64, (v >> 64) as u64, 0, 0])
}

/// `2^exponent` as a scalar. Small ones are asked for at every limb: raising 2 to a power there would be a twentieth of a proof.
pub fn power_of_two(exponent: u32) -> Fr {
    match 1u64.checked_shl(exponent) {
        Some(small) => Fr::from(small),
        None => Fr::from(2).pow_vartime([u64::from(exponent)]),
    }
}
