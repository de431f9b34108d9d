//! The input commitment: a salted Poseidon hash chain over packed schema integers (`docs/statement.md`, with test vectors).
//!
//! ```text
//! h_0 = P(tag, salt),   h_(i+1) = P(h_i, e_i),   commitment = the last h
//! e_i = sum_j (v_j - min_j) * 2^(8 * width * j)          over the 31/width values of element i, j from 0
//! tag = D * 2^64 + width * 2^32 + count,                 D = first 16 bytes of keccak256("zkml-evm.input.v1"), big-endian
//! ```
//!
//! `P` is circomlib's `poseidon([left, right])`; the salt is a uniform scalar.

use crate::{
    gates::{
        field::{from_u128, power_of_two, to_field},
        poseidon_params::Parameters,
    },
    op::Input,
};
use alloy::primitives::keccak256;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// The string whose hash separates these commitments from every other use of Poseidon.
pub const DOMAIN: &str = "zkml-evm.input.v1";

/// The domain tag for `count` values of `width_bytes` bytes each.
pub fn tag(count: usize, width_bytes: u32) -> Fr {
    let digest = keccak256(DOMAIN);
    let domain = u128::from_be_bytes(std::array::from_fn(|i| digest[i]));
    from_u128(domain) * power_of_two(64) + Fr::from(u64::from(width_bytes)) * power_of_two(32) + Fr::from(count as u64)
}

/// Commits to schema integers that lie in the ranges of `input` (the caller checked: the interpreter does).
pub fn commit(input: &Input, values: &[i128], salt: Fr) -> Fr {
    let parameters = Parameters::get();
    let start = parameters.hash2(tag(input.ranges.len(), input.width_bytes), salt);
    let offsets: Vec<Fr> = values.iter().zip(&input.ranges).map(|(v, range)| to_field(v - range.lo)).collect();
    offsets.chunks(input.values_per_element()).fold(start, |digest, element| {
        let factor = power_of_two(8 * input.width_bytes);
        let packed = element.iter().rev().fold(Fr::ZERO, |sum, v| sum * factor + v);
        parameters.hash2(digest, packed)
    })
}
