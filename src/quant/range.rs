//! The interval check: no value of a valid program can wrap, whatever input its schema admits.

use super::{Precision, Program, QuantError};
use crate::op::{Interval, Op};

/// Scales of real models stay far below; a larger one comes from a damaged file and would overflow where scales are added.
const MAX_SCALE_LOG2: u32 = 400;

impl Precision {
    /// What a rescaled quotient may be: `[-2^M, 2^M - 1]`.
    pub fn quotient_interval(&self) -> Interval {
        let bound = 1i128 << self.magnitude_bits;
        Interval::new(-bound, bound - 1)
    }

    /// What a compared score may be, so that differences of two fit the magnitude bits: `[-2^(M-1), 2^(M-1) - 1]`.
    pub fn score_interval(&self) -> Interval {
        let bound = 1i128 << (self.magnitude_bits - 1);
        Interval::new(-bound, bound - 1)
    }
}

/// The interval of every element of every node, or the rule that the program breaks.
///
/// This is the only place where a program from a file is checked; everything downstream relies on it:
/// the chain shape, consistent widths, one shift, quotients within the magnitude bits, nothing beyond 2^120.
pub fn check(program: &Program) -> Result<Vec<Vec<Interval>>, QuantError> {
    let p = program.precision;
    if !(1..=64).contains(&p.shift_bits) || !(2..=48).contains(&p.magnitude_bits) {
        return Err(malformed("precision", "shift must be 1..=64 bits and magnitudes 2..=48 bits"));
    }
    if program.nodes.len() < 4 || program.nodes.len() > 10_000 {
        return Err(malformed("program", "expected input, linear, rescale and an output statement"));
    }
    let last = program.nodes.len() - 1;
    let mut all: Vec<Vec<Interval>> = Vec::with_capacity(program.nodes.len());
    for (index, node) in program.nodes.iter().enumerate() {
        if node.scale_log2.unsigned_abs() > MAX_SCALE_LOG2 {
            return Err(malformed(&node.name, "a scale is beyond 2^400"));
        }
        let expected_inputs: Vec<usize> = index.checked_sub(1).into_iter().collect();
        if node.inputs != expected_inputs {
            return Err(malformed(&node.name, "every node reads the node before it"));
        }
        let previous = index.checked_sub(1).map(|i| (&program.nodes[i].op, all[i].as_slice()));
        let intervals = match (&node.op, previous) {
            (Op::Input(_), None) => input_intervals(program)?,
            (Op::Linear(l), Some((Op::Input(_) | Op::Rescale(_), x))) => {
                if !l.is_consistent() || l.inputs != x.len() {
                    return Err(malformed(&node.name, "the weights do not match the layer's shape"));
                }
                l.intervals(x).ok_or_else(|| interval(&node.name, "y", None, "(-2^120, 2^120)"))?
            }
            (Op::Rescale(r), Some((Op::Linear(_), y))) => {
                if r.shift != p.shift_bits {
                    return Err(malformed(&node.name, "the shift differs from the program's"));
                }
                let compared = matches!(
                    program.nodes.get(index + 1).map(|n| &n.op),
                    Some(Op::Threshold(_) | Op::Argmax(_) | Op::Sigmoid(_))
                );
                let allowed = if compared { p.score_interval() } else { p.quotient_interval() };
                if compared && r.relu {
                    return Err(malformed(&node.name, "a compared score is not rectified"));
                }
                for y in y {
                    let q = r.quotient_interval(y);
                    if !q.within(&allowed) {
                        let bound = format!("[{}, {}]", allowed.lo, allowed.hi);
                        return Err(interval(&node.name, "the rescaled value", Some(q), &bound));
                    }
                }
                y.iter().map(|y| r.interval(y)).collect()
            }
            (Op::Sigmoid(s), Some((Op::Rescale(_), x))) if index + 1 == last => {
                if !s.is_consistent() || s.input_bits != p.magnitude_bits {
                    return Err(malformed(&node.name, "the function table does not match the program's widths"));
                }
                vec![s.interval(); x.len()]
            }
            (Op::Reveal, Some((Op::Rescale(_) | Op::Sigmoid(_), x))) if index == last => x.to_vec(),
            (Op::Threshold(t), Some((Op::Rescale(_), x))) if index == last && x.len() == 1 => {
                if t.range != p.score_interval() {
                    return Err(malformed(&node.name, "the threshold's range must be the score's"));
                }
                x.to_vec()
            }
            (Op::Argmax(_), Some((Op::Rescale(_), x))) if index == last && x.len() >= 2 => {
                vec![Interval::new(0, x.len() as i128 - 1)]
            }
            (op, _) => return Err(malformed(&node.name, &format!("`{}` cannot stand at position {index}", op.name()))),
        };
        all.push(intervals);
    }
    if !matches!(program.nodes[last].op, Op::Reveal | Op::Threshold(_) | Op::Argmax(_)) {
        return Err(malformed(&program.nodes[last].name, "the last node must be an output statement"));
    }
    Ok(all)
}

fn input_intervals(program: &Program) -> Result<Vec<Interval>, QuantError> {
    let input = program.input()?;
    if input.ranges.is_empty() || !(1..=8).contains(&input.width_bytes) {
        return Err(malformed("input", "at least one feature, and 1 to 8 bytes for each value"));
    }
    for range in &input.ranges {
        let fits = range.lo <= range.hi
            && range.limited().is_some()
            && ((range.hi - range.lo) as u128) < 1u128 << (8 * input.width_bytes);
        if !fits {
            return Err(interval("input", "a feature", Some(*range), "lo <= hi within the packing width"));
        }
    }
    Ok(input.ranges.clone())
}

fn malformed(node: &str, problem: &str) -> QuantError {
    QuantError::Malformed { node: node.into(), problem: problem.into() }
}

fn interval(node: &str, what: &'static str, got: Option<Interval>, allowed: &str) -> QuantError {
    let (lo, hi) = got.map_or(("beyond".into(), "beyond".into()), |i| (i.lo.to_string(), i.hi.to_string()));
    QuantError::Interval { node: node.into(), what, lo, hi, allowed: allowed.into() }
}
