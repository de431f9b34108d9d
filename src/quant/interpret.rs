//! The reference interpreter: what a program means. The circuit must agree with it bit for bit.

use super::{Program, QuantError};
use crate::op::Op;
use std::borrow::Cow;

/// Every intermediate result of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// One vector per node, in node order. `Reveal` repeats its input, `Argmax` holds the index, `Threshold` the score.
    pub tensors: Vec<Vec<i128>>,
}

impl Run {
    /// The result of the last node.
    pub fn output(&self) -> &[i128] {
        self.tensors.last().map(Vec::as_slice).unwrap_or(&[])
    }
}

/// Runs `program` on schema integers.
///
/// # Errors
/// A wrong number of values, a value outside its feature's range, or a malformed program.
pub fn run(program: &Program, input: &[i128]) -> Result<Run, QuantError> {
    let spec = program.input()?;
    if input.len() != spec.ranges.len() {
        return Err(QuantError::InputLength { expected: spec.ranges.len(), got: input.len() });
    }
    for (index, (&value, range)) in input.iter().zip(&spec.ranges).enumerate() {
        if !range.contains(value) {
            return Err(QuantError::InputRange { index, value, lo: range.lo, hi: range.hi });
        }
    }
    let mut tensors: Vec<Vec<i128>> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let source = gather(&node.inputs, &tensors);
        let result = match (&node.op, source.as_deref()) {
            (Op::Input(_), None) => input.to_vec(),
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
            (Op::Threshold(_), Some(x)) if x.len() == 1 => x.to_vec(),
            (Op::Argmax(argmax), Some(x)) => vec![argmax.eval(x) as i128],
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

/// The elements of the tensors at `inputs`, one after the other; `None` where there is none, or one that is not there.
pub fn gather<'a, T: Clone>(inputs: &[usize], tensors: &'a [Vec<T>]) -> Option<Cow<'a, [T]>> {
    match inputs {
        [one] => tensors.get(*one).map(|t| Cow::Borrowed(t.as_slice())),
        [] => None,
        many => many.iter().map(|&i| tensors.get(i).cloned()).collect::<Option<Vec<_>>>().map(|t| Cow::Owned(t.concat())),
    }
}
