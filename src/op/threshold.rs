//! Threshold: the score stays hidden, the public value is the threshold it reaches.

use super::Interval;
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
}
