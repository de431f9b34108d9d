//! Rescale: division by a power of two, rounding half up, with an optional ReLU for free.

use super::Interval;
use crate::gates::{
    Cell, Trace, TraceError,
    rescale::{self, Kind},
};
use serde::{Deserialize, Serialize};

/// `q = floor((y + 2^(shift-1)) / 2^shift)`; with `relu`, `max(q, 0)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescale {
    /// Bits dropped; at least 1.
    pub shift: u32,
    /// Whether negative results become zero.
    pub relu: bool,
}

impl Rescale {
    /// The rounded quotient before the ReLU.
    pub fn quotient(&self, y: i128) -> i128 {
        (y + (1i128 << (self.shift - 1))) >> self.shift
    }

    /// The exact meaning on one value.
    pub fn eval(&self, y: i128) -> i128 {
        let q = self.quotient(y);
        if self.relu { q.max(0) } else { q }
    }

    /// The interval of the quotient before the ReLU: the one that the magnitude limbs must hold.
    pub fn quotient_interval(&self, y: &Interval) -> Interval {
        Interval::new(self.quotient(y.lo), self.quotient(y.hi))
    }

    /// The interval of the result.
    pub fn interval(&self, y: &Interval) -> Interval {
        Interval::new(self.eval(y.lo), self.eval(y.hi))
    }

    /// The rows of one accumulator `y`, of which `bias` is the part that no input enters.
    pub fn rows(&self, trace: &mut Trace, bias: i128, y: Option<i128>) -> Result<Cell, TraceError> {
        let kind = if self.relu { Kind::Relu } else { Kind::Signed };
        rescale::place(trace, kind, bias, y)
    }
}
