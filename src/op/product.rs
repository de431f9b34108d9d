//! Product: matrices of two computed tensors, or their elements, multiplied.

use super::{Interval, Place};
use crate::gates::{Cell, Shape, Trace, TraceError, walk};
use crate::model;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `y = 2^shift * sum_l x_il z_lj`, exact on integers, with a shift for each product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Sizes and positions.
    pub dims: model::Product,
    /// By how many bits each of the products is finer than its factors.
    pub shifts: Vec<u32>,
}

/// Larger shifts would leave the interval limit with any factor but zero.
const MAX_SHIFT: u32 = 64;

impl Product {
    /// Whether sizes, shifts and `inputs` elements fit each other.
    pub fn is_consistent(&self, inputs: usize) -> bool {
        self.dims.outputs() > 0
            && self.dims.inner > 0
            && self.dims.inputs() == inputs
            && self.shifts.len() == self.dims.count
            && self.shifts.iter().all(|&s| s <= MAX_SHIFT)
    }

    /// The exact meaning; inputs inside the program's intervals never overflow `i128`.
    pub fn eval(&self, x: &[i128]) -> Vec<i128> {
        let products = self.dims.multiply(x);
        products
            .chunks(self.dims.result())
            .zip(&self.shifts)
            .flat_map(|(all, shift)| all.iter().map(move |y| y << shift))
            .collect()
    }

    /// Interval arithmetic per output; `None` when a partial sum could leave the limit.
    pub fn intervals(&self, x: &[Interval]) -> Option<Vec<Interval>> {
        let dims = &self.dims;
        let mut all = Vec::with_capacity(dims.outputs());
        for (p, &shift) in self.shifts.iter().enumerate() {
            for (i, j) in (0..dims.rows).flat_map(|i| (0..dims.columns).map(move |j| (i, j))) {
                let sum = (0..dims.inner).try_fold(Interval::new(0, 0), |sum, l| {
                    let (left, right) = dims.term(p, i, j, l);
                    sum.plus(&x.get(left)?.times(x.get(right)?)?)
                })?;
                all.push(sum.scaled(1i128.checked_shl(shift)?)?);
            }
        }
        Some(all)
    }

    /// Rows beyond those of the rescales.
    pub fn extra_rows(&self, shape: &Shape) -> usize {
        if self.beside(shape) {
            return 0;
        }
        let walk = walk::walk_rows((1..self.dims.rows as u64).map(|i| i * self.dims.columns as u64), &shape.steps);
        let rows = self.dims.columns.saturating_add(1).saturating_add(usize::try_from(walk).unwrap_or(usize::MAX));
        rows.saturating_mul(self.dims.inner).saturating_mul(self.dims.count)
    }

    /// Counts how often a walk moves by each exponent of γ.
    pub fn moves(&self, moves: &mut BTreeMap<u64, u64>) {
        if self.dims.rows > 1 {
            let times = (self.dims.rows - 1).saturating_mul(self.dims.inner).saturating_mul(self.dims.count);
            *moves.entry(self.dims.columns as u64).or_default() += times as u64;
        }
    }

    /// Whether both factors of an output stand on free rows of its rescale.
    fn beside(&self, shape: &Shape) -> bool {
        (self.dims.rows, self.dims.inner, self.dims.columns) == (1, 1, 1) && shape.rescale_rows() >= 3
    }

    /// For each product its outputs row by row, then for each `l`: row `l` of the right matrix loaded as a polynomial in γ, and
    /// walked up the column `l` of the left one. `z_lj` meets `x_il` at the power `(m-1-i) n + n-1-j` of output `(i, j)`.
    pub fn rows(&self, trace: &mut Trace, inputs: &[Cell], place: &mut Place<'_>) -> Result<(), TraceError> {
        let dims = &self.dims;
        let beside = self.beside(&trace.shape);
        for (p, &shift) in self.shifts.iter().enumerate() {
            let mut output = 0;
            for at in p * dims.result()..(p + 1) * dims.result() {
                output = place(trace, at, 0)?;
            }
            for l in 0..dims.inner {
                let right: Vec<Cell> = (0..dims.columns).map(|j| inputs[dims.term(p, 0, j, l).1]).collect();
                let left = |i: usize| inputs[dims.term(p, i, 0, l).0];
                let row = if beside { output + 1 } else { trace.take_rows(dims.columns + 1)? };
                walk::place_load(trace, row, 1 << shift, &right)?;
                walk::place_hold(trace, row + dims.columns, left(dims.rows - 1))?;
                let above = (0..dims.rows - 1).rev().enumerate();
                walk::place_walk(trace, above.map(|(step, i)| ((step as u64 + 1) * dims.columns as u64, left(i))))?;
            }
        }
        Ok(())
    }
}
