//! Linear: `y = W x + b` with fixed integer weights.

use super::{Interval, Place};
use crate::gates::{Cell, Trace, TraceError, fold};
use serde::{Deserialize, Serialize};

/// `y_i = sum_j W_ij x_j + b_i`, exact on integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Rows of `W`.
    pub outputs: usize,
    /// Columns of `W`.
    pub inputs: usize,
    /// Row-major, `outputs * inputs` entries.
    pub weights: Vec<i128>,
    /// `outputs` entries.
    pub bias: Vec<i128>,
}

impl Linear {
    /// Whether the stored lengths match the stated shape.
    pub fn is_consistent(&self) -> bool {
        self.outputs > 0
            && self.inputs > 0
            && self.outputs.checked_mul(self.inputs) == Some(self.weights.len())
            && self.bias.len() == self.outputs
    }

    /// The weight from input `j` to output `i`.
    pub fn weight(&self, i: usize, j: usize) -> i128 {
        self.weights[i * self.inputs + j]
    }

    /// The exact meaning; inputs inside the program's intervals never overflow `i128`.
    pub fn eval(&self, x: &[i128]) -> Vec<i128> {
        (0..self.outputs).map(|i| self.bias[i] + (0..self.inputs).map(|j| self.weight(i, j) * x[j]).sum::<i128>()).collect()
    }

    /// Interval arithmetic per output; `None` when a partial sum could leave the limit.
    pub fn intervals(&self, x: &[Interval]) -> Option<Vec<Interval>> {
        (0..self.outputs)
            .map(|i| {
                let bias = Interval::new(self.bias[i], self.bias[i]).limited()?;
                (0..self.inputs).try_fold(bias, |sum, j| sum.plus(&x[j].scaled(self.weight(i, j))?))
            })
            .collect()
    }

    /// All outputs, then the terms of each input.
    pub fn rows(&self, trace: &mut Trace, inputs: &[Cell], place: &mut Place<'_>) -> Result<(), TraceError> {
        for (i, &bias) in self.bias.iter().enumerate() {
            place(trace, i, bias)?;
        }
        self.terms(trace, inputs)
    }

    /// The layer's right-hand side; its outputs were placed last, in order.
    pub fn terms(&self, trace: &mut Trace, inputs: &[Cell]) -> Result<(), TraceError> {
        for (j, &input) in inputs.iter().enumerate() {
            let column: Vec<i128> = (0..self.outputs).map(|i| self.weight(i, j)).collect();
            fold::place_input(trace, &column, input)?;
        }
        Ok(())
    }
}
