//! Weights: the numbers of a model that stays private, bound by a salted commitment that is a public value.

use super::{
    Interval,
    committed::{Committed, values_per_element},
};
use crate::gates::{Cell, Trace, TraceError};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};

/// All weights and biases of a model, in the order in which its layers read them. The program says how many there are and how
/// wide, and nothing else of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// How many.
    pub count: usize,
    /// Each lies in `[-2^(bits-1), 2^(bits-1) - 1]`, enforced by the circuit; a whole number of bytes.
    pub bits: u32,
}

/// Wider weights would leave the interval limit with any input.
pub const MAX_BITS: u32 = 48;

impl Weights {
    /// Whether there are weights, of a possible width.
    pub fn is_consistent(&self) -> bool {
        self.count > 0 && (8..=MAX_BITS).contains(&self.bits) && self.bits.is_multiple_of(8)
    }

    /// What each may be. The same for all: an interval of its own would say something of a weight.
    pub fn interval(&self) -> Interval {
        let bound = 1i128 << (self.bits - 1);
        Interval::new(-bound, bound - 1)
    }

    /// Bytes given to each when they are packed into field elements.
    pub fn width_bytes(&self) -> u32 {
        self.bits / 8
    }

    /// Field elements that are hashed.
    pub fn elements(&self) -> usize {
        self.count.div_ceil(values_per_element(self.width_bytes()))
    }

    /// Range checks, packing and the hash chain. Returns the cells of the weights and of the commitment.
    pub fn rows(
        &self,
        trace: &mut Trace,
        tag: Fr,
        values: Option<&[i128]>,
        salt: Option<Fr>,
    ) -> Result<(Vec<Cell>, Cell), TraceError> {
        let committed = Committed { tag, width_bytes: self.width_bytes(), values, salt };
        committed.rows(trace, &vec![self.interval(); self.count])
    }
}
