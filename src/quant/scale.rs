//! The choice of scales: the finest power of two at which a layer's worst case still fits.

use crate::model::Linear;
use crate::op::{self, Interval, Rescale};

/// The finest and the coarsest scale considered: beyond these, f32 weights have nothing to say.
const SCALES: std::ops::RangeInclusive<i32> = -200..=200;

/// A layer in integers.
#[derive(Clone, Debug)]
pub struct Quantised {
    /// Integer weights and bias; `y` has the scales below plus the shift.
    pub linear: op::Linear,
    /// `real = q / 2^scale` per output, after the rescale.
    pub scales: Vec<i32>,
    /// Worst-case interval of each rescaled output.
    pub intervals: Vec<Interval>,
}

/// What a layer reads: per element, how many integer steps make 1.0 (a power of ten for features, of two inside), and its interval.
#[derive(Clone, Debug)]
pub struct Source {
    /// Exact in f64.
    pub steps: Vec<f64>,
    /// Worst case, integers.
    pub intervals: Vec<Interval>,
}

/// Quantises one layer so that every quotient lies in `allowed` for all inputs in `source`.
///
/// With `per_output`, every output has its own scale (a ReLU commutes with positive factors, so this is free between layers);
/// otherwise all share the coarsest. `None` when no scale fits.
pub fn quantise(linear: &Linear, source: &Source, rescale: Rescale, allowed: Interval, per_output: bool) -> Option<Quantised> {
    let rows: Vec<&[f32]> = linear.weights.chunks(linear.inputs.max(1)).collect();
    let finest = |i: usize| finest_scale(rows[i], linear.bias[i], source, rescale, allowed);
    let mut scales: Vec<i32> = (0..linear.outputs).map(finest).collect::<Option<_>>()?;
    if !per_output {
        let coarsest = scales.iter().copied().min()?;
        scales.fill(coarsest);
    }
    let mut made = op::Linear { outputs: linear.outputs, inputs: linear.inputs, weights: vec![], bias: vec![] };
    for (i, row) in rows.iter().enumerate() {
        let (weights, bias) = integers(row, linear.bias[i], &source.steps, scales[i] + rescale.shift as i32);
        made.weights.extend(weights);
        made.bias.push(bias);
    }
    let intervals = made.intervals(&source.intervals)?.iter().map(|y| rescale.interval(y)).collect();
    Some(Quantised { linear: made, scales, intervals })
}

/// The largest scale of one output whose quotients stay in `allowed`, checked with the integer weights themselves.
fn finest_scale(row: &[f32], bias: f32, source: &Source, rescale: Rescale, allowed: Interval) -> Option<i32> {
    let fits = |scale: i32| {
        let (weights, bias) = integers(row, bias, &source.steps, scale + rescale.shift as i32);
        let one = op::Linear { outputs: 1, inputs: weights.len(), weights, bias: vec![bias] };
        one.intervals(&source.intervals).is_some_and(|y| y.iter().all(|y| rescale.quotient_interval(y).within(&allowed)))
    };
    let worst = row.iter().zip(&source.steps).zip(&source.intervals).fold(f64::from(bias).abs(), |sum, ((w, steps), x)| {
        sum + f64::from(*w).abs() * (x.lo.abs().max(x.hi.abs()) as f64 / steps)
    });
    if worst == 0.0 {
        // A dead output is zero at any scale.
        return fits(0).then_some(0);
    }
    // |q| <= worst * 2^scale + 1/2, so a scale near the guess fits; where signs cancel, a finer one may, so the search starts
    // 40 steps above it. Exponents are read off the bits: a logarithm could differ between machines, and keys with it.
    let guess = (exponent(allowed.hi as f64) - exponent(worst)).clamp(-160, 160);
    (guess - 8..=guess + 40).rev().filter(|s| SCALES.contains(s)).find(|&s| fits(s))
}

/// `round(w * 2^shift / steps)`, halves away from zero; products beyond i128 saturate and then fail the interval check.
fn integers(row: &[f32], bias: f32, steps: &[f64], shift: i32) -> (Vec<i128>, i128) {
    let factor = power_of_two(shift);
    let weights = row.iter().zip(steps).map(|(w, steps)| (f64::from(*w) * factor / steps).round() as i128).collect();
    (weights, (f64::from(bias) * factor).round() as i128)
}

/// `floor(log2 x)` of a positive normal number.
fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// `2^n` exactly, for `n` in the range of normal f64.
pub fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n.clamp(-1022, 1023) + 1023) as u64) << 52)
}
