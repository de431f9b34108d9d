//! Commitments to inputs and to private weights: a salted Poseidon hash chain over packed integers (`docs/statement.md`, with test
//! vectors).
//!
//! ```text
//! h_0 = P(tag, salt),   h_(i+1) = P(h_i, e_i),   commitment = the last h
//! e_i = sum_j (v_j - min_j) * 2^(8 * width * j)          over the 31/width values of element i, j from 0
//! tag = D * 2^64 + width * 2^32 + count,                 D = first 16 bytes of keccak256(domain), big-endian
//! ```
//!
//! Domains: `zkml-evm.input.v1` for schema integers, whose minima are the schema's; `zkml-evm.weights.v1` for weights, whose
//! minimum is `-2^(8 * width - 1)`.
//!
//! `P` is circomlib's `poseidon([left, right])`; the salt is a uniform scalar.

use crate::{
    gates::{
        field::{from_u128, power_of_two, to_field},
        poseidon_params::Parameters,
    },
    op::{Input, Weights, committed::values_per_element},
};
use alloy::primitives::keccak256;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// The string whose hash separates commitments to inputs from every other use of Poseidon.
pub const DOMAIN: &str = "zkml-evm.input.v1";
/// The same for commitments to weights.
pub const WEIGHTS_DOMAIN: &str = "zkml-evm.weights.v1";

/// The domain tag of an input.
pub fn tag(input: &Input) -> Fr {
    tag_of(DOMAIN, input.ranges.len(), input.width_bytes)
}

/// The domain tag of private weights.
pub fn weights_tag(weights: &Weights) -> Fr {
    tag_of(WEIGHTS_DOMAIN, weights.count, weights.width_bytes())
}

/// The tag for `count` values of `width_bytes` bytes each.
fn tag_of(domain: &str, count: usize, width_bytes: u32) -> Fr {
    let digest = keccak256(domain);
    let domain = u128::from_be_bytes(std::array::from_fn(|i| digest[i]));
    from_u128(domain) * power_of_two(64) + Fr::from(u64::from(width_bytes)) * power_of_two(32) + Fr::from(count as u64)
}

/// Commits to schema integers that lie in the ranges of `input` (the caller checked: the interpreter does).
pub fn commit(input: &Input, values: &[i128], salt: Fr) -> Fr {
    let offsets = values.iter().zip(&input.ranges).map(|(v, range)| v - range.lo);
    chain(tag(input), input.width_bytes, offsets, salt)
}

/// Commits to weights that lie in their interval (the caller checked: the interpreter does).
pub fn commit_weights(weights: &Weights, values: &[i128], salt: Fr) -> Fr {
    let lo = weights.interval().lo;
    chain(weights_tag(weights), weights.width_bytes(), values.iter().map(|v| v - lo), salt)
}

fn chain(tag: Fr, width_bytes: u32, offsets: impl Iterator<Item = i128>, salt: Fr) -> Fr {
    let parameters = Parameters::get();
    let offsets: Vec<Fr> = offsets.map(to_field).collect();
    offsets.chunks(values_per_element(width_bytes)).fold(parameters.hash2(tag, salt), |digest, element| {
        let factor = power_of_two(8 * width_bytes);
        let packed = element.iter().rev().fold(Fr::ZERO, |sum, v| sum * factor + v);
        parameters.hash2(digest, packed)
    })
}
