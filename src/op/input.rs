//! Input: the applicant's schema integers, range-checked, and committed to when the statement says so.

use super::Interval;
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
}
