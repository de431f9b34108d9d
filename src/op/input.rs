//! Input: the applicant's schema integers, range-checked, and committed to when the statement says so.

use super::Interval;
use crate::gates::{
    Cell, Trace, TraceError,
    poseidon::{self, Left},
    poseidon_params::Parameters,
    range::{self, Packed},
};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};

/// How the input enters the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Bound by a salted Poseidon commitment that is a public value.
    Committed,
    /// Every feature is a public value.
    Public,
    /// Known to the prover only, bound to nothing.
    Private,
}

/// The input node: one schema integer per feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The exact range of each feature, enforced by the circuit in all modes.
    pub ranges: Vec<Interval>,
    /// Bytes given to each value when features are packed into field elements (the schema's `width_bytes`).
    pub width_bytes: u32,
    /// How the input enters the statement.
    pub mode: InputMode,
}

impl Input {
    /// Features per field element: at most 31 bytes go into one.
    pub fn values_per_element(&self) -> usize {
        (31 / self.width_bytes.max(1)).max(1) as usize
    }

    /// The rows without a commitment: a range check for each feature. Returns the cells of the values.
    pub fn rows(&self, trace: &mut Trace, values: Option<&[i128]>) -> Result<Vec<Cell>, TraceError> {
        (0..self.ranges.len()).map(|i| range::place(trace, self.bounds(i), values.map(|v| v[i]))).collect()
    }

    /// The rows with a commitment: range checks, packing and the hash chain. Returns the cells of the values and of the commitment.
    ///
    /// The packed cells are the range-checked ones: there is no second copy of the input.
    pub fn committed_rows(
        &self,
        trace: &mut Trace,
        tag: Fr,
        values: Option<&[i128]>,
        salt: Option<Fr>,
    ) -> Result<(Vec<Cell>, Cell), TraceError> {
        let parameters = Parameters::get();
        let mut digest = poseidon::place_hash(trace, parameters, Left::Tag(tag), salt, false)?;
        let mut cells = vec![Cell { row: 0 }; self.ranges.len()];
        let per_element = self.values_per_element();
        for start in (0..self.ranges.len()).step_by(per_element) {
            let mut packed = Packed::Start;
            // The first value is the least significant, so Horner runs from the last.
            for i in (start..self.ranges.len().min(start + per_element)).rev() {
                (cells[i], packed) = range::place_packed(trace, self.bounds(i), values.map(|v| v[i]), packed)?;
            }
            let Packed::Sum(element) = packed else { continue };
            digest = poseidon::place_hash(trace, parameters, Left::Cell(digest), element, true)?;
        }
        Ok((cells, digest))
    }

    fn bounds(&self, i: usize) -> [i128; 2] {
        [self.ranges[i].lo, self.ranges[i].hi]
    }
}
