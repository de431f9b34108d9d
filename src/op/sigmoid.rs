//! Sigmoid, revealed: a table of segments with linear interpolation inside each.

use super::Interval;
use crate::gates::{Cell, Trace, TraceError, function, range};
use serde::{Deserialize, Serialize};

/// Fraction bits of the result: probabilities are integers in `[0, 2^16]`.
pub const OUTPUT_SCALE_LOG2: i32 = 16;

/// With `z = q + 2^(M-1)` in `[0, 2^M)`, `i = z >> f` its segment and `t = z mod 2^f` its place inside (`f = M - segment_bits`):
///
/// ```text
/// result = v_i + floor(((v_(i+1) - v_i) * t + 2^(f-1)) / 2^f)
/// ```
///
/// The table is computed once, when a model is compiled, and travels with the program: no machine's `exp` decides about a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sigmoid {
    /// log2 of the number of segments; the circuit's limb size.
    pub segment_bits: u32,
    /// `M`: the input lies in `[-2^(M-1), 2^(M-1) - 1]`.
    pub input_bits: u32,
    /// `2^segment_bits + 1` values at the segments' ends.
    pub values: Vec<i128>,
}

impl Sigmoid {
    /// The table for inputs of `input_bits` bits at scale `2^scale_log2`.
    pub fn new(segment_bits: u32, input_bits: u32, scale_log2: i32) -> Self {
        let step = 2f64.powi((input_bits - segment_bits) as i32 - scale_log2);
        let lowest = -(2f64.powi(input_bits as i32 - 1 - scale_log2));
        let one = 2f64.powi(OUTPUT_SCALE_LOG2);
        let value = |i: u32| (one / (1.0 + (-(lowest + f64::from(i) * step)).exp())).round() as i128;
        Self { segment_bits, input_bits, values: (0..=1u32 << segment_bits).map(value).collect() }
    }

    /// Whether table and widths match each other.
    pub fn is_consistent(&self) -> bool {
        (1..=16).contains(&self.segment_bits)
            && self.input_bits > self.segment_bits
            && self.input_bits <= 48
            && self.values.len() == (1 << self.segment_bits) + 1
            && self.values.iter().all(|v| v.unsigned_abs() < 1 << 32)
    }

    /// Bits of the place inside a segment.
    pub fn fraction_bits(&self) -> u32 {
        self.input_bits - self.segment_bits
    }

    /// The exact meaning for inputs of [`Sigmoid::input_interval`].
    pub fn eval(&self, q: i128) -> i128 {
        let f = self.fraction_bits();
        let z = q - self.input_interval().lo;
        let (segment, place) = ((z >> f) as usize, z & ((1 << f) - 1));
        let (value, next) = (self.values[segment], self.values[segment + 1]);
        value + (((next - value) * place + (1 << (f - 1))) >> f)
    }

    /// What the input may be.
    pub fn input_interval(&self) -> Interval {
        let bound = 1i128 << (self.input_bits - 1);
        Interval::new(-bound, bound - 1)
    }

    /// Every result lies between two neighbouring values of the table.
    pub fn interval(&self) -> Interval {
        let (lo, hi) = (self.values.iter().min(), self.values.iter().max());
        Interval::new(lo.copied().unwrap_or(0), hi.copied().unwrap_or(0))
    }

    /// One evaluation for each input cell, then the range check of each result: without it the remainder of the linear step
    /// could be traded against a fraction in the field.
    pub fn rows(&self, trace: &mut Trace, inputs: &[Cell], q: Option<&[i128]>) -> Result<Vec<Cell>, TraceError> {
        let segments = self.values.windows(2).map(|pair| (pair[0], pair[1] - pair[0])).collect();
        function::set_table(trace, segments);
        let witness = |i: usize| q.map(|q| (q[i], self.eval(q[i])));
        let results: Vec<Cell> =
            inputs.iter().enumerate().map(|(i, &cell)| function::place(trace, cell, witness(i))).collect::<Result<_, _>>()?;
        let Interval { lo, hi } = self.interval();
        for (i, &result) in results.iter().enumerate() {
            range::place_copy(trace, [lo, hi], result, witness(i).map(|(_, result)| result))?;
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_function_within_the_interpolation_bound() {
        let sigmoid = Sigmoid::new(8, 16, 11);
        assert!(sigmoid.is_consistent());
        // h = 1/8: |error| <= h^2 / 8 * max|s''| + rounding = 1.9e-4 + 1.6e-5
        for q in (-32768..32768).step_by(37) {
            let exact = 1.0 / (1.0 + (-(q as f64) / 2048.0).exp());
            assert!((sigmoid.eval(q) as f64 / 65536.0 - exact).abs() < 2.1e-4, "{q}");
            assert!(sigmoid.interval().contains(sigmoid.eval(q)));
        }
    }
}
