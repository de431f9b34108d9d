//! The choice of scales: the finest power of two at which a layer's worst case still fits.

use crate::op::{Interval, Rescale};

/// The finest and the coarsest scale considered: beyond these, f32 weights have nothing to say.
pub const SCALES: std::ops::RangeInclusive<i32> = -200..=200;
/// The scale of an output that is zero for all inputs: any will do.
pub const ANY: i32 = i32::MAX;

/// One output of a layer.
#[derive(Clone, Debug)]
pub struct Row {
    /// The elements it reads.
    pub elements: Vec<u32>,
    /// Their weights.
    pub weights: Vec<f32>,
    /// What it adds.
    pub bias: f32,
}

/// What a layer reads: per element, how many integer steps make 1.0 (a power of ten for features, of two inside), and its interval.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Exact in f64.
    pub steps: Vec<f64>,
    /// Worst case, integers.
    pub intervals: Vec<Interval>,
}

/// The finest scale at which values up to `magnitude` stay in `allowed`; [`ANY`] for zero.
pub fn measured_scale(magnitude: f64, allowed: Interval) -> i32 {
    if magnitude == 0.0 {
        return ANY;
    }
    let guess = (exponent(allowed.hi as f64) - exponent(magnitude)).clamp(*SCALES.start(), *SCALES.end());
    if magnitude * power_of_two(guess) <= allowed.hi as f64 { guess } else { guess - 1 }
}

impl Row {
    /// Weights and bias as integers for a result of `2^shift` steps: `round(w * 2^shift / steps)`, halves away from zero; products
    /// beyond i128 saturate and then fail the interval check.
    pub fn integers(&self, source: &Source, shift: i32) -> (Vec<i128>, i128) {
        let factor = power_of_two(shift);
        let steps = self.elements.iter().map(|&e| source.steps[e as usize]);
        let weights = self.weights.iter().zip(steps).map(|(w, steps)| (f64::from(*w) * factor / steps).round() as i128).collect();
        (weights, (f64::from(self.bias) * factor).round() as i128)
    }

    /// The largest scale whose quotients stay in `allowed` for all inputs, checked with the integer weights themselves; [`ANY`] for an
    /// output that is always zero, `None` when no scale fits.
    pub fn finest_scale(&self, source: &Source, rescale: Rescale, allowed: Interval) -> Option<i32> {
        let fits = |scale: i32| {
            let quotients = self.interval(source, scale + rescale.shift as i32).map(|y| rescale.quotient_interval(&y));
            quotients.is_some_and(|q| q.within(&allowed))
        };
        let read = self.elements.iter().map(|&e| (source.steps[e as usize], source.intervals[e as usize]));
        let worst = self.weights.iter().zip(read).fold(f64::from(self.bias).abs(), |sum, (w, (steps, x))| {
            sum + f64::from(*w).abs() * (x.lo.abs().max(x.hi.abs()) as f64 / steps)
        });
        if worst == 0.0 {
            return fits(0).then_some(ANY);
        }
        // |q| <= worst * 2^scale + 1/2, so a scale near the guess fits; where signs cancel, a finer one may, so the search starts
        // 40 steps above it. Exponents are read off the bits: a logarithm could differ between machines, and keys with it.
        let guess = (exponent(allowed.hi as f64) - exponent(worst)).clamp(-160, 160);
        (guess - 8..=guess + 40).rev().filter(|s| SCALES.contains(s)).find(|&s| fits(s))
    }

    /// The interval of the accumulator with `2^shift` steps; `None` when it leaves the limit.
    fn interval(&self, source: &Source, shift: i32) -> Option<Interval> {
        let (weights, bias) = self.integers(source, shift);
        let bias = Interval::new(bias, bias).limited()?;
        let x = self.elements.iter().map(|&e| source.intervals[e as usize]);
        weights.iter().zip(x).try_fold(bias, |sum, (&w, x)| sum.plus(&x.scaled(w)?))
    }
}

/// `floor(log2 x)` of a positive normal number.
fn exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

/// `2^n` exactly, for `n` in the range of normal f64.
pub fn power_of_two(n: i32) -> f64 {
    f64::from_bits(((n.clamp(-1022, 1023) + 1023) as u64) << 52)
}
