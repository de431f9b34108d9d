//! Threshold: the score stays hidden, the public value is the threshold it reaches.

use super::Interval;
use crate::gates::{Cell, Trace, TraceError, range, rescale};
use serde::{Deserialize, Serialize};

/// Satisfied only when `q >= T` for the public `T`, itself range-checked to `range` by the circuit.
///
/// The score's interval must lie in the same `range`, so that `q - T` fits the program's magnitude bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// The exact range of the public threshold.
    pub range: Interval,
}

impl Threshold {
    /// The exact meaning.
    pub fn accepts(&self, q: i128, threshold: i128) -> bool {
        self.range.contains(threshold) && q >= threshold
    }

    /// The range check of the public threshold, and its comparison with the accumulator `y`; it replaces the rescale.
    ///
    /// `floor((y + 2^(s-1)) / 2^s) >= T` is stated on the accumulator itself. Returns the cell of `T` and the first row of the comparison.
    pub fn rows(
        &self,
        trace: &mut Trace,
        bias: i128,
        y: Option<i128>,
        threshold: Option<i128>,
    ) -> Result<(Cell, usize), TraceError> {
        let cell = range::place(trace, [self.range.lo, self.range.hi], threshold)?;
        let row = rescale::place_threshold(trace, bias, y, cell, threshold)?;
        Ok((cell, row))
    }
}
