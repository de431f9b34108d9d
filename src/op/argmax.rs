//! Argmax: only the index of the largest score is public.

use crate::gates::{Cell, Trace, TraceError, argmax};
use serde::{Deserialize, Serialize};

/// The lowest index among the largest elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argmax;

impl Argmax {
    /// The exact meaning; zero for an empty slice.
    pub fn eval(&self, q: &[i128]) -> usize {
        (0..q.len()).rev().max_by_key(|&i| q[i]).unwrap_or(0)
    }

    /// The rows of all classes. Returns the cell of the class.
    pub fn rows(&self, trace: &mut Trace, scores: &[Cell], values: Option<&[i128]>) -> Result<Cell, TraceError> {
        argmax::place(trace, scores, values.map(|v| (v, self.eval(v))))
    }
}
