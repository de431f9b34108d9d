//! Values behind a commitment: range-checked, packed and hashed cell by cell, so that there is no second copy of any.

use super::Interval;
use crate::gates::{
    Cell, Trace, TraceError,
    poseidon::{self, Left},
    poseidon_params::Parameters,
    range::{self, Packed},
};
use halo2_proofs::halo2curves::bn256::Fr;

/// What one commitment is to.
#[derive(Clone, Copy, Debug)]
pub struct Committed<'a> {
    /// Domain, width and count.
    pub tag: Fr,
    /// Bytes given to each value.
    pub width_bytes: u32,
    /// The values; `None` in key generation.
    pub values: Option<&'a [i128]>,
    /// The salt.
    pub salt: Option<Fr>,
}

/// Values of `width_bytes` bytes that go into one field element: at most 31 bytes.
pub fn values_per_element(width_bytes: u32) -> usize {
    (31 / width_bytes.max(1)).max(1) as usize
}

impl Committed<'_> {
    /// A range check for each value, and the hash chain over the packed elements. Returns the cells of the values and of the commitment.
    pub fn rows(&self, trace: &mut Trace, ranges: &[Interval]) -> Result<(Vec<Cell>, Cell), TraceError> {
        let parameters = Parameters::get();
        let mut digest = poseidon::place_hash(trace, parameters, Left::Tag(self.tag), self.salt, false)?;
        let mut cells = vec![Cell { row: 0 }; ranges.len()];
        let per_element = values_per_element(self.width_bytes);
        for start in (0..ranges.len()).step_by(per_element) {
            let mut packed = Packed::Start;
            // The first value is the least significant, so Horner runs from the last.
            for i in (start..ranges.len().min(start + per_element)).rev() {
                let value = self.values.map(|v| v[i]);
                (cells[i], packed) =
                    range::place_packed(trace, [ranges[i].lo, ranges[i].hi], value, 8 * self.width_bytes, packed)?;
            }
            let Packed::Sum(element) = packed else { continue };
            digest = poseidon::place_hash(trace, parameters, Left::Cell(digest), element, true)?;
        }
        Ok((cells, digest))
    }
}
