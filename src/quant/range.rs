//! The interval check: no value of a valid program can wrap, whatever input its schema admits.

use super::{Precision, Program, QuantError, interpret::gather};
use crate::op::{Interval, Op, Rescale};

/// Scales of real models stay far below; a larger one comes from a damaged file and would overflow where scales are added.
const MAX_SCALE_LOG2: u32 = 400;

/// No circuit has the rows for more.
pub(super) const MAX_ELEMENTS: usize = 1 << 20;

/// Inputs of one batch; far more than rows allow for any model.
pub const MAX_ITEMS: usize = 1 << 12;

/// Multiplications of one convolution: half a minute of the interpreter. Deep networks for small images have a fortieth of it.
pub(crate) const MAX_PRODUCTS: usize = 1 << 32;

/// Multiplications of all products of computed tensors together: some seconds of interval arithmetic. Square matrices of three quarters
/// of a circuit's rows take as many.
const MAX_MULTIPLIED: usize = 1 << 28;

/// Elements of all nodes together: sixteen for every row of the largest circuit. It bounds the memory of every walk over a program.
const MAX_TOTAL: usize = 16 * MAX_ELEMENTS;

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

/// A program that keeps its rules: whoever is given one need not check it again.
#[derive(Debug)]
pub struct Checked<'a> {
    program: &'a Program,
    intervals: Vec<Vec<Interval>>,
}

impl<'a> Checked<'a> {
    /// Checks `program`.
    ///
    /// # Errors
    /// As [`check`].
    pub fn of(program: &'a Program) -> Result<Self, QuantError> {
        Ok(Self { program, intervals: check(program)? })
    }

    /// The program.
    pub fn program(&self) -> &'a Program {
        self.program
    }

    /// The interval of every element of every node.
    pub fn intervals(&self) -> &[Vec<Interval>] {
        &self.intervals
    }
}

/// The interval of every element of every node, or the rule that the program breaks.
///
/// This is the only place where a program from a file is checked; everything downstream relies on it: nodes that read earlier
/// cells, accumulators that one rescale reads, consistent widths, one shift, quotients within the magnitude bits, nothing
/// beyond 2^120.
pub fn check(program: &Program) -> Result<Vec<Vec<Interval>>, QuantError> {
    let p = program.precision;
    if !(1..=64).contains(&p.shift_bits) || !(2..=48).contains(&p.magnitude_bits) {
        return Err(malformed("precision", "shift must be 1..=64 bits and magnitudes 2..=48 bits"));
    }
    if program.nodes.len() < 4 || program.nodes.len() > 10_000 {
        return Err(malformed("program", "expected input, linear, rescale and an output statement"));
    }
    if !(1..=MAX_ITEMS).contains(&program.items) {
        return Err(QuantError::Batch { got: program.items, allowed: MAX_ITEMS });
    }
    if program.nodes.iter().filter(|n| matches!(n.op, Op::Weights(_))).count() > 1 {
        return Err(malformed("weights", "there are two nodes of private weights"));
    }
    let mut all: Vec<Vec<Interval>> = Vec::with_capacity(program.nodes.len());
    let (mut total, mut multiplied) = (0usize, 0usize);
    for (index, node) in program.nodes.iter().enumerate() {
        if node.scale_log2.unsigned_abs() > MAX_SCALE_LOG2 {
            return Err(malformed(&node.name, "a scale is beyond 2^400"));
        }
        check_inputs(program, index)?;
        let gathered = node.inputs.iter().map(|&i| all[i].len()).fold(0, usize::saturating_add);
        at_most(&node.name, "elements read by one node", gathered, MAX_ELEMENTS)?;
        // One input is read where it stands.
        total += if node.inputs.len() > 1 { gathered } else { 0 };
        if let Op::Product(product) = &node.op {
            multiplied = multiplied.saturating_add(product.dims.outputs().saturating_mul(product.dims.inner));
            at_most(&node.name, "multiplications of computed tensors up to this node", multiplied, MAX_MULTIPLIED)?;
        }
        let read = gather(&node.inputs, &all);
        let intervals = intervals_of(program, index, read.as_deref())?;
        total = total.saturating_add(intervals.len());
        at_most(&node.name, "elements up to this node", total, MAX_TOTAL)?;
        all.push(intervals);
    }
    match program.nodes.last() {
        Some(node) if !matches!(node.op, Op::Reveal | Op::Threshold(_) | Op::Argmax(_)) => {
            Err(malformed(&node.name, "the last node must be an output statement"))
        }
        _ => Ok(all),
    }
}

/// Which nodes a node may read: earlier ones that give cells; a rescale the accumulator before it, a threshold the rescale.
fn check_inputs(program: &Program, index: usize) -> Result<(), QuantError> {
    let node = &program.nodes[index];
    let before = index.checked_sub(1).map(|i| &program.nodes[i].op);
    let takes_over = matches!(node.op, Op::Rescale(_) | Op::Threshold(_));
    let valid = match node.op {
        Op::Input(_) => index == 0 && node.inputs.is_empty(),
        Op::Constant(_) | Op::Weights(_) => index > 0 && node.inputs.is_empty(),
        Op::Sum(_) | Op::Move(_) | Op::Product(_) | Op::Maximum(_) => !node.inputs.is_empty(),
        _ => node.inputs.len() == 1,
    };
    let earlier = node.inputs.iter().all(|&i| {
        let reads_cells = program.nodes.get(i).is_some_and(|n| !n.op.accumulates() || takes_over);
        i < index && reads_cells && (!takes_over || i + 1 == index)
    });
    let rescaled = !before.is_some_and(Op::accumulates) || matches!(node.op, Op::Rescale(_));
    if valid && earlier && rescaled {
        return Ok(());
    }
    Err(malformed(&node.name, &format!("`{}` cannot stand at position {index} and read {:?}", node.op.name(), node.inputs)))
}

fn intervals_of(program: &Program, index: usize, read: Option<&[Interval]>) -> Result<Vec<Interval>, QuantError> {
    let (p, node, last) = (program.precision, &program.nodes[index], program.nodes.len() - 1);
    let before = index.checked_sub(1).map(|i| &program.nodes[i].op);
    let limit = || interval(&node.name, "y", None, "(-2^120, 2^120)");
    Ok(match (&node.op, read) {
        (Op::Input(_), None) => input_intervals(program)?,
        (Op::Weights(w), None) if w.is_consistent() && w.count <= MAX_ELEMENTS => vec![w.interval(); w.count],
        (Op::Constant(c), None) if !c.values.is_empty() => c.intervals().ok_or_else(limit)?,
        (Op::Linear(l), Some(x)) => {
            if !l.is_consistent() || l.inputs != x.len() {
                return Err(malformed(&node.name, "the weights do not match the layer's shape"));
            }
            l.intervals(x).ok_or_else(limit)?
        }
        (Op::Sum(s), Some(x)) if s.is_consistent(x.len()) => s.intervals(x).ok_or_else(limit)?,
        (Op::Conv(c), Some(x)) if c.is_consistent(x.len()) && c.stencil.outputs() <= MAX_ELEMENTS => {
            let products = c.stencil.outputs().saturating_mul(c.stencil.channels_per_group()).saturating_mul(c.stencil.taps());
            at_most(&node.name, "multiplications of one convolution", products, MAX_PRODUCTS)?;
            c.intervals(x).ok_or_else(limit)?
        }
        (Op::Product(m), Some(x)) if m.is_consistent(x.len()) && m.dims.outputs() <= MAX_ELEMENTS => {
            m.intervals(x).ok_or_else(limit)?
        }
        (Op::Maximum(m), Some(x)) if m.is_consistent(x.len()) => {
            let (intervals, widest) = m.intervals(x).ok_or_else(limit)?;
            let allowed = Interval::new(0, (1 << p.magnitude_bits) - 1);
            if !program.is_enforced() {
                within(&node.name, "the distance of two compared values", Interval::new(0, widest), &allowed)?;
            }
            intervals
        }
        (Op::Move(m), Some(x)) if m.is_consistent(x.len()) => m.eval(x),
        (Op::Rescale(r), Some(y)) if before.is_some_and(Op::accumulates) => {
            if r.shift != p.shift_bits {
                return Err(malformed(&node.name, "the shift differs from the program's"));
            }
            if r.relu && matches!(program.nodes.get(index + 1).map(|n| &n.op), Some(Op::Threshold(_) | Op::Sigmoid(_))) {
                return Err(malformed(&node.name, "a compared score is not rectified"));
            }
            let allowed = p.quotient_interval();
            if program.is_enforced() {
                return Ok(y.iter().map(|y| enforced(r, y, &allowed)).collect());
            }
            for y in y {
                within(&node.name, "the rescaled value", r.quotient_interval(y), &allowed)?;
            }
            y.iter().map(|y| r.interval(y)).collect()
        }
        (Op::Sigmoid(s), Some(x)) if index + 1 == last => {
            if !s.is_consistent() || s.input_bits != p.magnitude_bits {
                return Err(malformed(&node.name, "the function table does not match the program's widths"));
            }
            scores(program, index, x)?;
            vec![s.interval(); x.len()]
        }
        (Op::Reveal, Some(x)) if index == last && !x.is_empty() && x.len().is_multiple_of(program.items) => x.to_vec(),
        (Op::Threshold(t), Some(x)) if index == last && x.len() == program.items && matches!(before, Some(Op::Rescale(_))) => {
            if t.range != p.score_interval() {
                return Err(malformed(&node.name, "the threshold's range must be the score's"));
            }
            scores(program, index, x)?;
            x.to_vec()
        }
        (Op::Argmax(_), Some(x)) if index == last && x.len().is_multiple_of(program.items) && x.len() / program.items >= 2 => {
            scores(program, index, x)?;
            vec![Interval::new(0, (x.len() / program.items) as i128 - 1); program.items]
        }
        (op, _) => return Err(malformed(&node.name, &format!("`{}` cannot stand at position {index}", op.name()))),
    })
}

/// The interval of a rescaled value that its limbs keep inside the magnitude bits, where the worst case leaves them: over all private
/// weights (that the committed ones need no more was checked on the program with fixed weights), or over inputs beyond what calibration
/// saw. There may be inputs without a proof, and never a wrong one.
pub(super) fn enforced(rescale: &Rescale, y: &Interval, allowed: &Interval) -> Interval {
    let q = rescale.quotient_interval(y);
    let q = Interval::new(q.lo.clamp(allowed.lo, allowed.hi), q.hi.clamp(allowed.lo, allowed.hi));
    if rescale.relu { Interval::new(q.lo.max(0), q.hi.max(0)) } else { q }
}

/// Compared values must leave room for the difference of two in the magnitude bits; where limbs bound them, those see to it.
fn scores(program: &Program, index: usize, x: &[Interval]) -> Result<(), QuantError> {
    if program.is_enforced() {
        return Ok(());
    }
    let node = &program.nodes[index];
    let source = node.inputs.first().and_then(|&i| program.nodes.get(i)).unwrap_or(node);
    x.iter().try_for_each(|x| within(&source.name, "the rescaled value", *x, &program.precision.score_interval()))
}

fn within(node: &str, what: &'static str, got: Interval, allowed: &Interval) -> Result<(), QuantError> {
    if got.within(allowed) {
        return Ok(());
    }
    Err(interval(node, what, Some(got), &format!("[{}, {}]", allowed.lo, allowed.hi)))
}

pub(super) fn at_most(node: &str, what: &'static str, got: usize, allowed: usize) -> Result<(), QuantError> {
    if got <= allowed { Ok(()) } else { Err(QuantError::Size { node: node.into(), what, got, allowed }) }
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
    at_most("input", "elements of all inputs", input.ranges.len().saturating_mul(program.items), MAX_ELEMENTS)?;
    Ok(input.ranges.repeat(program.items))
}

fn malformed(node: &str, problem: &str) -> QuantError {
    QuantError::Malformed { node: node.into(), problem: problem.into() }
}

fn interval(node: &str, what: &'static str, got: Option<Interval>, allowed: &str) -> QuantError {
    let (lo, hi) = got.map_or(("beyond".into(), "beyond".into()), |i| (i.lo.to_string(), i.hi.to_string()));
    QuantError::Interval { node: node.into(), what, lo, hi, allowed: allowed.into() }
}
