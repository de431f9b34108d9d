//! Lays a program out in rows: node by node, outputs of a layer before its right-hand side. Moves only hand cells on.

use super::{CircuitError, Statement, commitment, plan::is_shape_of};
use crate::{
    gates::{Cell, Shape, Trace, TraceError},
    op::{InputMode, Op},
    quant::{Program, Run, interpret::gather, range, run},
};
use halo2_proofs::halo2curves::bn256::Fr;

/// Everything the prover knows of one statement.
#[derive(Clone)]
pub struct Witness {
    /// All intermediate integers.
    pub run: Run,
    /// The commitment's salt (committed input only). Secret: who knows it can test guesses of the input.
    pub salt: Option<Fr>,
    /// The public threshold (threshold output only).
    pub threshold: Option<i128>,
    /// The public values.
    pub statement: Statement,
}

impl Witness {
    /// Runs `program` on `input` and assembles the statement.
    ///
    /// # Errors
    /// A program that breaks its rules, values outside the schema's ranges, a score below the threshold, a missing or superfluous salt or threshold.
    pub fn new(
        program: &Program,
        input: &[i128],
        context: Fr,
        salt: Option<Fr>,
        threshold: Option<i128>,
    ) -> Result<Self, CircuitError> {
        range::check(program)?;
        let run = run(program, input)?;
        let spec = program.input()?;
        let problem = |problem| CircuitError::Statement { problem };
        let input_commitment = match (spec.mode, salt) {
            (InputMode::Committed, Some(salt)) => Some(commitment::commit(spec, input, salt)),
            (InputMode::Committed, None) => return Err(problem("commits to its input and needs a salt")),
            (_, Some(_)) => return Err(problem("does not commit to its input and takes no salt")),
            (_, None) => None,
        };
        let mut values = if spec.mode == InputMode::Public { input.to_vec() } else { Vec::new() };
        match (&program.output()?.op, threshold) {
            (Op::Threshold(t), Some(threshold)) => {
                let (lo, hi) = (t.range.lo, t.range.hi);
                if !t.range.contains(threshold) {
                    return Err(CircuitError::ThresholdRange { threshold, lo, hi });
                }
                if !run.output().first().is_some_and(|&score| t.accepts(score, threshold)) {
                    return Err(CircuitError::BelowThreshold { threshold });
                }
                values.push(threshold);
            }
            (Op::Threshold(_), None) => return Err(problem("compares with a threshold and needs one")),
            (_, Some(_)) => return Err(problem("has no threshold")),
            (_, None) => values.extend(run.output()),
        }
        Ok(Self { run, salt, threshold, statement: Statement { context, input_commitment, values } })
    }
}

/// Lays out `program`; without a witness (key generation) the advice cells are zero, and everything else is the same.
///
/// # Errors
/// A program that breaks its rules, a shape that is not one of this program's, or a witness of another program.
pub fn lay_out(program: &Program, shape: Shape, witness: Option<&Witness>) -> Result<Trace, CircuitError> {
    let intervals = range::check(program)?;
    let fits = |w: &Witness| w.run.tensors.iter().map(Vec::len).eq(intervals.iter().map(Vec::len));
    if !witness.is_none_or(fits) {
        return Err(CircuitError::Statement { problem: "belongs to another program" });
    }
    if !is_shape_of(program, &shape)? {
        return Err(CircuitError::Shape(Box::new(shape)));
    }
    let mut trace = Trace::new(shape)?;
    let mut instance = 1;
    let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(program.nodes.len());
    for (index, node) in program.nodes.iter().enumerate() {
        let values = || gather(&node.inputs, &witness?.run.tensors);
        let read = gather(&node.inputs, &cells).unwrap_or_default();
        let made = match &node.op {
            Op::Input(_) => lay_out_input(program, &mut trace, &mut instance, witness)?,
            Op::Constant(constant) => constant.rows(&mut trace)?,
            Op::Move(moved) => moved.eval(&read),
            // Accumulators are no cells: the rescale that follows places them.
            Op::Linear(_) | Op::Sum(_) | Op::Conv(_) | Op::Product(_) => Vec::new(),
            Op::Maximum(maximum) => maximum.rows(&mut trace, &read, values().as_deref())?,
            Op::Rescale(_) => lay_out_layer(program, index, &mut trace, &cells, witness)?,
            Op::Sigmoid(sigmoid) => sigmoid.rows(&mut trace, &read, values().as_deref())?,
            Op::Reveal | Op::Threshold(_) => {
                expose_all(&mut trace, &read, &mut instance);
                Vec::new()
            }
            Op::Argmax(argmax) => {
                let class = argmax.rows(&mut trace, &read, values().as_deref())?;
                trace.expose(class, instance);
                Vec::new()
            }
        };
        cells.push(made);
    }
    trace.finish()?;
    Ok(trace)
}

/// The rescale at `index` with the accumulators before it, and their right-hand sides in the order of the fold.
fn lay_out_layer(
    program: &Program,
    index: usize,
    trace: &mut Trace,
    cells: &[Vec<Cell>],
    witness: Option<&Witness>,
) -> Result<Vec<Cell>, TraceError> {
    let Some(layer) = index.checked_sub(1).map(|i| &program.nodes[i]) else { return Ok(Vec::new()) };
    let inputs = gather(&layer.inputs, cells).unwrap_or_default();
    let x = witness.and_then(|w| gather(&layer.inputs, &w.run.tensors));
    let y = witness.and_then(|w| w.run.tensors.get(index - 1));
    let mut outputs = vec![Cell { row: 0 }; program.width(index).unwrap_or(0)];
    let mut place = |trace: &mut Trace, i: usize, bias: i128| -> Result<usize, TraceError> {
        let y = y.and_then(|y| y.get(i).copied());
        let (cell, row) = match (&program.nodes[index].op, program.nodes.get(index + 1).map(|n| &n.op)) {
            (_, Some(Op::Threshold(threshold))) => threshold.rows(trace, bias, y, witness.and_then(|w| w.threshold))?,
            (Op::Rescale(rescale), _) => rescale.rows(trace, bias, y).map(|cell| (cell, cell.row))?,
            _ => return Err(TraceError::NoSuchGate("rescale")),
        };
        outputs[i] = cell;
        Ok(row)
    };
    match &layer.op {
        Op::Linear(linear) => linear.rows(trace, &inputs, &mut place)?,
        Op::Sum(sum) => sum.rows(trace, &inputs, &mut place)?,
        Op::Conv(conv) => conv.rows(trace, &inputs, x.as_deref(), &mut place)?,
        Op::Product(product) => product.rows(trace, &inputs, &mut place)?,
        _ => return Err(TraceError::NoSuchGate("rescale")),
    }
    Ok(outputs)
}

fn lay_out_input(
    program: &Program,
    trace: &mut Trace,
    instance: &mut usize,
    witness: Option<&Witness>,
) -> Result<Vec<Cell>, TraceError> {
    let Ok(input) = program.input() else { return Ok(Vec::new()) };
    let values = witness.and_then(|w| w.run.tensors.first()).map(Vec::as_slice);
    match input.mode {
        InputMode::Committed => {
            let tag = commitment::tag(input.ranges.len(), input.width_bytes);
            let (cells, digest) = input.committed_rows(trace, tag, values, witness.and_then(|w| w.salt))?;
            trace.expose(digest, *instance);
            *instance += 1;
            Ok(cells)
        }
        InputMode::Public => {
            let cells = input.rows(trace, values)?;
            expose_all(trace, &cells, instance);
            Ok(cells)
        }
        InputMode::Private => input.rows(trace, values),
    }
}

fn expose_all(trace: &mut Trace, cells: &[Cell], instance: &mut usize) {
    for &cell in cells {
        trace.expose(cell, *instance);
        *instance += 1;
    }
}
