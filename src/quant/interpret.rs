//! The reference interpreter: what a program means. The circuit must agree with it bit for bit.

use super::{Program, QuantError};
use crate::op::{Interval, Op};
use std::borrow::Cow;

/// Every intermediate result of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// One vector per node, in node order. `Reveal` repeats its input, `Argmax` holds the index of each item, `Threshold` the scores.
    pub tensors: Vec<Vec<i128>>,
}

impl Run {
    /// The result of the last node.
    pub fn output(&self) -> &[i128] {
        self.tensors.last().map(Vec::as_slice).unwrap_or(&[])
    }
}

/// Runs `program`, whose weights are fixed, on schema integers: those of each item, one after the other.
///
/// # Errors
/// As [`run_with`].
pub fn run(program: &Program, input: &[i128]) -> Result<Run, QuantError> {
    run_with(program, input, &[])
}

/// Runs `program` on schema integers and private weights.
///
/// # Errors
/// A wrong number of values, a value outside its feature's range, weights of another model, or a malformed program.
pub fn run_with(program: &Program, input: &[i128], weights: &[i128]) -> Result<Run, QuantError> {
    check_input(program, input)?;
    let (expected, got) = (program.weights().map_or(0, |w| w.count), weights.len());
    if expected != got {
        return Err(QuantError::Weights { problem: format!("the program takes {expected} private weights, got {got}") });
    }
    let mut tensors: Vec<Vec<i128>> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let source = gather(&node.inputs, &tensors);
        check_hidden(program, tensors.len(), source.as_deref().unwrap_or(&[]))?;
        let result = match (&node.op, source.as_deref()) {
            (Op::Input(_), None) => input.to_vec(),
            (Op::Weights(w), None) if weights.iter().all(|&v| w.interval().contains(v)) => weights.to_vec(),
            (Op::Weights(w), None) => {
                return Err(QuantError::Weights { problem: format!("a private weight does not fit its {} bits", w.bits) });
            }
            (Op::Constant(constant), None) => constant.values.clone(),
            (Op::Linear(linear), Some(x)) if x.len() == linear.inputs && linear.is_consistent() => linear.eval(x),
            (Op::Sum(sum), Some(x)) if sum.is_consistent(x.len()) => sum.eval(x),
            (Op::Conv(conv), Some(x)) if conv.is_consistent(x.len()) => conv.eval(x),
            (Op::Product(product), Some(x)) if product.is_consistent(x.len()) => product.eval(x),
            (Op::Maximum(maximum), Some(x)) if maximum.is_consistent(x.len()) => maximum.eval(x),
            (Op::Move(moved), Some(x)) if moved.is_consistent(x.len()) => moved.eval(x),
            (Op::Rescale(rescale), Some(x)) => x.iter().map(|&y| rescale.eval(y)).collect(),
            (Op::Sigmoid(s), Some(x)) if s.is_consistent() && x.iter().all(|&q| s.input_interval().contains(q)) => {
                x.iter().map(|&q| s.eval(q)).collect()
            }
            (Op::Reveal, Some(x)) => x.to_vec(),
            (Op::Threshold(_), Some(x)) if x.len() == program.items => x.to_vec(),
            (Op::Argmax(argmax), Some(x)) => x.chunks((x.len() / program.items).max(1)).map(|x| argmax.eval(x) as i128).collect(),
            (op, _) => {
                return Err(QuantError::Malformed {
                    node: node.name.clone(),
                    problem: format!("`{}` cannot read what it is given", op.name()),
                });
            }
        };
        tensors.push(result);
    }
    Ok(Run { tensors })
}

/// Where limbs bound hidden values: whether they can hold what node `index` reads.
///
/// # Errors
/// [`QuantError::Hidden`]: this input gets no proof. (A pool holds the largest of each window only, whatever else is in it.)
fn check_hidden(program: &Program, index: usize, read: &[i128]) -> Result<(), QuantError> {
    if !program.is_enforced() {
        return Ok(());
    }
    let (node, p) = (&program.nodes[index], program.precision);
    let held = |what: &'static str, element: usize, value: i128, allowed: Interval| match allowed.contains(value) {
        true => Ok(()),
        false => Err(QuantError::Hidden { node: node.name.clone(), what, element, value, lo: allowed.lo, hi: allowed.hi }),
    };
    match &node.op {
        Op::Rescale(rescale) => {
            let mut quotients = read.iter().map(|&y| rescale.quotient(y)).enumerate();
            quotients.try_for_each(|(i, q)| held("value", i, q, p.quotient_interval()))
        }
        Op::Sigmoid(_) | Op::Threshold(_) | Op::Argmax(_) => {
            read.iter().enumerate().try_for_each(|(i, &q)| held("compared value", i, q, p.score_interval()))
        }
        Op::Maximum(maximum) => maximum.windows.iter().enumerate().try_for_each(|(i, window)| {
            let all = || window.iter().filter_map(|&x| read.get(x as usize).copied());
            let distance = all().max().zip(all().min()).map_or(0, |(largest, lowest)| largest - lowest);
            held("distance of two compared values", i, distance, Interval::new(0, (1 << p.magnitude_bits) - 1))
        }),
        _ => Ok(()),
    }
}

fn check_input(program: &Program, input: &[i128]) -> Result<(), QuantError> {
    let ranges = &program.input()?.ranges;
    let expected = ranges.len().saturating_mul(program.items);
    if input.len() != expected || expected == 0 {
        return Err(QuantError::InputLength { expected, got: input.len() });
    }
    let item = |at: usize| (program.items > 1).then_some(at / ranges.len());
    for (at, (&value, range)) in input.iter().zip(ranges.iter().cycle()).enumerate() {
        if !range.contains(value) {
            let (lo, hi) = (range.lo, range.hi);
            return Err(QuantError::InputRange { item: item(at), index: at % ranges.len(), value, lo, hi });
        }
    }
    Ok(())
}

/// The elements of the tensors at `inputs`, one after the other; `None` where there is none, or one that is not there.
pub fn gather<'a, T: Clone>(inputs: &[usize], tensors: &'a [Vec<T>]) -> Option<Cow<'a, [T]>> {
    match inputs {
        [one] => tensors.get(*one).map(|t| Cow::Borrowed(t.as_slice())),
        [] => None,
        many => many.iter().map(|&i| tensors.get(i).cloned()).collect::<Option<Vec<_>>>().map(|t| Cow::Owned(t.concat())),
    }
}
