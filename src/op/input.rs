//! Input: the applicant's schema integers, range-checked, and committed to when the statement says so.

use super::{
    Interval,
    committed::{Committed, values_per_element},
};
use crate::gates::{Cell, Trace, TraceError, range};
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

/// The input node: one schema integer per feature, for each item of the program.
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
        values_per_element(self.width_bytes)
    }

    /// The rows of one item without a commitment: a range check for each feature. Returns the cells of the values.
    pub fn rows(&self, trace: &mut Trace, values: Option<&[i128]>) -> Result<Vec<Cell>, TraceError> {
        (0..self.ranges.len()).map(|i| range::place(trace, self.bounds(i), values.map(|v| v[i]))).collect()
    }

    /// The rows of one item with a commitment. Returns the cells of the values and of the commitment.
    pub fn committed_rows(
        &self,
        trace: &mut Trace,
        tag: Fr,
        values: Option<&[i128]>,
        salt: Option<Fr>,
    ) -> Result<(Vec<Cell>, Cell), TraceError> {
        Committed { tag, width_bytes: self.width_bytes, values, salt }.rows(trace, &self.ranges)
    }

    fn bounds(&self, i: usize) -> [i128; 2] {
        [self.ranges[i].lo, self.ranges[i].hi]
    }
}
