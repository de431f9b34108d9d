//! Move: elements taken from other tensors. Reshape, Transpose, Slice, Concat, Pad: an index map over cells, which costs no row.

use serde::{Deserialize, Serialize};

/// Result element `i` is element `from[i]` of the inputs, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// One entry per element of the result.
    pub from: Vec<u32>,
}

impl Move {
    /// Whether there is a result and all of it comes from one of `inputs` elements.
    pub fn is_consistent(&self, inputs: usize) -> bool {
        !self.from.is_empty() && self.from.iter().all(|&i| (i as usize) < inputs)
    }

    /// The exact meaning, on values as on intervals or cells.
    pub fn eval<T: Clone>(&self, x: &[T]) -> Vec<T> {
        self.from.iter().map(|&i| x[i as usize].clone()).collect()
    }
}
