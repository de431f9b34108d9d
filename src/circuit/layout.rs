//! Lays a program out in rows: node by node, outputs of a layer before its right-hand side. Moves only hand cells on.

use super::{
    CircuitError, Statement, commitment,
    plan::is_shape_of,
    pooling::{Pool, pools},
};
use crate::{
    gates::{Cell, Shape, Trace, TraceError, pool::Window, rescale::Kind},
    op::{InputMode, Op},
    quant::{Checked, Program, QuantError, Run, interpret::gather, run_with},
};
use halo2_proofs::halo2curves::bn256::Fr;
use std::collections::BTreeMap;

/// One input of a batch, with what else its statement needs.
#[derive(Clone)]
pub struct Item {
    /// Its schema integers.
    pub values: Vec<i128>,
    /// The commitment's salt (committed input only). Secret: who knows it can test guesses of the input.
    pub salt: Option<Fr>,
    /// The public threshold (threshold output only).
    pub threshold: Option<i128>,
}

/// What the commitment to private weights is to.
#[derive(Clone)]
pub struct PrivateWeights {
    /// In the program's order.
    pub values: Vec<i128>,
    /// The commitment's salt. Secret: who knows it can test guesses of the weights.
    pub salt: Fr,
}

/// Everything the prover knows of one statement.
#[derive(Clone)]
pub struct Witness {
    /// All intermediate integers.
    pub run: Run,
    /// The salt of each item's commitment (committed input only).
    pub salts: Vec<Fr>,
    /// The salt of the weights' commitment (private weights only).
    pub weights_salt: Option<Fr>,
    /// The public threshold of each item (threshold output only).
    pub thresholds: Vec<i128>,
    /// The public values.
    pub statement: Statement,
}

impl Witness {
    /// Runs `program`, which is for one input and has fixed weights, on `input` and assembles the statement.
    ///
    /// # Errors
    /// As [`Witness::of`].
    pub fn new(
        program: &Program,
        input: &[i128],
        context: Fr,
        salt: Option<Fr>,
        threshold: Option<i128>,
    ) -> Result<Self, CircuitError> {
        Self::of(program, &[Item { values: input.to_vec(), salt, threshold }], context, None)
    }

    /// Runs `program` on all items and assembles the statement.
    ///
    /// # Errors
    /// A program that breaks its rules, too few or too many items, values outside the schema's ranges, a score below the threshold,
    /// a missing or superfluous salt or threshold, missing or superfluous weights. Errors of one item of several name it.
    pub fn of(program: &Program, items: &[Item], context: Fr, weights: Option<&PrivateWeights>) -> Result<Self, CircuitError> {
        Self::of_checked(&Checked::of(program)?, items, context, weights)
    }

    /// [`Witness::of`] a program that is checked.
    ///
    /// # Errors
    /// As [`Witness::of`], but for the program's rules.
    pub fn of_checked(
        program: &Checked<'_>,
        items: &[Item],
        context: Fr,
        weights: Option<&PrivateWeights>,
    ) -> Result<Self, CircuitError> {
        let program = program.program();
        let (expected, got) = (program.items, items.len());
        if expected != got {
            return Err(CircuitError::Items { expected, got });
        }
        let spec = program.input()?;
        let lengths = items.iter().map(|item| match item.values.len() == spec.ranges.len() {
            true => Ok(()),
            false => Err(QuantError::InputLength { expected: spec.ranges.len(), got: item.values.len() }.into()),
        });
        named(lengths)?;
        let salts: Vec<Option<Fr>> = named(items.iter().map(|item| salt_of(spec.mode, item)))?;
        let values: Vec<i128> = items.iter().flat_map(|item| item.values.iter().copied()).collect();
        let run = run_with(program, &values, weights.map_or(&[], |w| &w.values))?;
        let input_commitments =
            items.iter().zip(&salts).filter_map(|(item, &salt)| Some(commitment::commit(spec, &item.values, salt?))).collect();
        let model_commitment = match (program.weights(), weights) {
            (Some(spec), Some(weights)) => Some(commitment::commit_weights(spec, &weights.values, weights.salt)),
            (Some(_), None) => return Err(problem("is about private weights and needs them")),
            (None, Some(_)) => return Err(problem("is about fixed weights and takes no private ones")),
            (None, None) => None,
        };
        let outputs = items.iter().zip(run.output().chunks((run.output().len() / items.len()).max(1)));
        let thresholds = named(outputs.map(|(item, output)| threshold_of(program, item, output)))?;
        let thresholds: Vec<i128> = thresholds.into_iter().flatten().collect();
        let features = if spec.mode == InputMode::Public { values } else { Vec::new() };
        let published = if thresholds.is_empty() { run.output() } else { &thresholds };
        let values = features.iter().chain(published).copied().collect();
        let statement = Statement { context, input_commitments, model_commitment, values };
        let salts = salts.into_iter().flatten().collect();
        Ok(Self { run, salts, weights_salt: weights.map(|w| w.salt), thresholds, statement })
    }
}

fn problem(problem: &'static str) -> CircuitError {
    CircuitError::Statement { problem }
}

/// The results of all items; the error of one of several names it.
fn named<T>(results: impl ExactSizeIterator<Item = Result<T, CircuitError>>) -> Result<Vec<T>, CircuitError> {
    let several = results.len() > 1;
    let name = |(item, result): (usize, Result<T, CircuitError>)| {
        result.map_err(|source| if several { CircuitError::Item { item, source: Box::new(source) } } else { source })
    };
    results.enumerate().map(name).collect()
}

fn salt_of(mode: InputMode, item: &Item) -> Result<Option<Fr>, CircuitError> {
    match (mode, item.salt) {
        (InputMode::Committed, None) => Err(problem("commits to its input and needs a salt")),
        (InputMode::Public | InputMode::Private, Some(_)) => Err(problem("does not commit to its input and takes no salt")),
        (_, salt) => Ok(salt),
    }
}

fn threshold_of(program: &Program, item: &Item, output: &[i128]) -> Result<Option<i128>, CircuitError> {
    match (&program.output()?.op, item.threshold) {
        (Op::Threshold(t), Some(threshold)) => {
            let (lo, hi) = (t.range.lo, t.range.hi);
            if !t.range.contains(threshold) {
                return Err(CircuitError::ThresholdRange { threshold, lo, hi });
            }
            if !output.first().is_some_and(|&score| t.accepts(score, threshold)) {
                return Err(CircuitError::BelowThreshold { threshold });
            }
            Ok(Some(threshold))
        }
        (Op::Threshold(_), None) => Err(problem("compares with a threshold and needs one")),
        (_, Some(_)) => Err(problem("has no threshold")),
        (_, None) => Ok(None),
    }
}

/// Lays out `program`; without a witness (key generation) the advice cells are zero, and everything else is the same.
///
/// # Errors
/// A program that breaks its rules, a shape that is not one of this program's, or a witness of another program.
pub fn lay_out(program: &Program, shape: Shape, witness: Option<&Witness>) -> Result<Trace, CircuitError> {
    lay_out_checked(&Checked::of(program)?, shape, witness)
}

/// [`lay_out`] of a program that is checked.
///
/// # Errors
/// As [`lay_out`], but for the program's rules.
pub fn lay_out_checked(checked: &Checked<'_>, shape: Shape, witness: Option<&Witness>) -> Result<Trace, CircuitError> {
    let program = checked.program();
    let fits = |w: &Witness| w.run.tensors.iter().map(Vec::len).eq(checked.intervals().iter().map(Vec::len));
    if !witness.is_none_or(fits) {
        return Err(CircuitError::Statement { problem: "belongs to another program" });
    }
    if !is_shape_of(checked, &shape)? {
        return Err(CircuitError::Shape(Box::new(shape)));
    }
    let mut trace = Trace::new(shape)?;
    // The context has no cell; the commitment to weights comes last of all commitments.
    let mut instance = 1 + program.commitments()?;
    let model_commitment = instance - 1;
    let mut cells: Vec<Vec<Cell>> = Vec::with_capacity(program.nodes.len());
    let pools: BTreeMap<usize, Pool> = pools(program).into_iter().map(|pool| (pool.conv + 1, pool)).collect();
    // Results of pools, by the node of their maximum, until it is its turn.
    let mut pooled: BTreeMap<usize, Vec<Cell>> = BTreeMap::new();
    for (index, node) in program.nodes.iter().enumerate() {
        let values = || gather(&node.inputs, &witness?.run.tensors);
        let read = gather(&node.inputs, &cells).unwrap_or_default();
        let made = match &node.op {
            Op::Input(_) => lay_out_input(program, &mut trace, &mut instance, witness)?,
            Op::Weights(weights) => {
                let values = witness.and_then(|w| w.run.tensors.get(index)).map(Vec::as_slice);
                let salt = witness.and_then(|w| w.weights_salt);
                let (cells, digest) = weights.rows(&mut trace, commitment::weights_tag(weights), values, salt)?;
                trace.expose(digest, model_commitment);
                cells
            }
            Op::Constant(constant) => constant.rows(&mut trace)?,
            Op::Move(moved) => moved.eval(&read),
            // Accumulators are no cells: the rescale that follows places them.
            Op::Linear(_) | Op::Sum(_) | Op::Conv(_) | Op::Product(_) => Vec::new(),
            Op::Maximum(_) if pooled.contains_key(&index) => pooled.remove(&index).unwrap_or_default(),
            Op::Maximum(maximum) => maximum.rows(&mut trace, &read, values().as_deref())?,
            Op::Rescale(_) => match pools.get(&index) {
                Some(pool) => {
                    pooled.insert(pool.maximum, lay_out_pool(program, pool, &mut trace, &cells, witness)?);
                    // No node but the maximum reads them.
                    Vec::new()
                }
                None => lay_out_layer(program, index, &mut trace, &cells, witness)?,
            },
            Op::Sigmoid(sigmoid) => sigmoid.rows(&mut trace, &read, values().as_deref())?,
            Op::Reveal | Op::Threshold(_) => {
                expose_all(&mut trace, &read, &mut instance);
                Vec::new()
            }
            Op::Argmax(argmax) => {
                let (values, classes) = (values(), (read.len() / program.items).max(1));
                for (item, scores) in read.chunks(classes).enumerate() {
                    let values = values.as_deref().and_then(|v| v.chunks(classes).nth(item));
                    let class = argmax.rows(&mut trace, scores, values)?;
                    expose_all(&mut trace, &[class], &mut instance);
                }
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
            (_, Some(Op::Threshold(threshold))) => {
                threshold.rows(trace, bias, y, witness.and_then(|w| w.thresholds.get(i).copied()))?
            }
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

/// The windows of a pool with the convolution behind them, in the order of the fold.
fn lay_out_pool(
    program: &Program,
    pool: &Pool,
    trace: &mut Trace,
    cells: &[Vec<Cell>],
    witness: Option<&Witness>,
) -> Result<Vec<Cell>, TraceError> {
    let nodes = [pool.conv, pool.conv + 1, pool.maximum].map(|index| &program.nodes[index]);
    let (Op::Conv(conv), Op::Rescale(rescale), Op::Maximum(maximum)) = (&nodes[0].op, &nodes[1].op, &nodes[2].op) else {
        return Err(TraceError::NoSuchGate("pool"));
    };
    let inputs = gather(&nodes[0].inputs, cells).unwrap_or_default();
    let x = witness.and_then(|w| gather(&nodes[0].inputs, &w.run.tensors));
    let y = witness.and_then(|w| w.run.tensors.get(pool.conv));
    let kind = if rescale.relu { Kind::Relu } else { Kind::Signed };
    let mut outputs = vec![Cell { row: 0 }; pool.windows()];
    let mut under_way: Option<Window> = None;
    let mut place = |trace: &mut Trace, output: usize, bias: i128| -> Result<usize, TraceError> {
        let (window, element) = pool.place_of(output);
        let values = y.map(|y| maximum.windows[window].iter().map(|&e| y[e as usize]).collect::<Vec<i128>>());
        let largest = values.as_ref().and_then(|values| values.iter().copied().max());
        let mut placed = under_way.take().unwrap_or_else(|| Window::new(largest));
        let row = placed.place(trace, bias, values.map(|values| values[element]))?;
        if element + 1 == pool.size() {
            outputs[window] = placed.finish(trace, kind)?;
        } else {
            under_way = Some(placed);
        }
        Ok(row)
    };
    pool.layer(conv).rows(trace, &inputs, x.as_deref(), &mut place)?;
    Ok(outputs)
}

fn lay_out_input(
    program: &Program,
    trace: &mut Trace,
    instance: &mut usize,
    witness: Option<&Witness>,
) -> Result<Vec<Cell>, TraceError> {
    let Ok(input) = program.input() else { return Ok(Vec::new()) };
    let values = witness.and_then(|w| w.run.tensors.first());
    let mut all = Vec::with_capacity(input.ranges.len() * program.items);
    for item in 0..program.items {
        let values = values.and_then(|v| v.chunks(input.ranges.len()).nth(item));
        if input.mode == InputMode::Committed {
            let salt = witness.and_then(|w| w.salts.get(item).copied());
            let (cells, digest) = input.committed_rows(trace, commitment::tag(input), values, salt)?;
            trace.expose(digest, 1 + item);
            all.extend(cells);
        } else if trace.shape.span > 0 {
            let value = |i: usize| values.and_then(|v| v.get(i).copied());
            all.extend(input.ranges.iter().enumerate().map(|(i, range)| trace.defer(range.lo, value(i))));
        } else {
            all.extend(input.rows(trace, values)?);
        }
    }
    if input.mode == InputMode::Public {
        expose_all(trace, &all, instance);
    }
    if input.mode != InputMode::Committed && trace.shape.commits() && trace.shape.span == 0 {
        // The packed sum that the last range row leaves below itself must not meet another cell.
        trace.take_rows(1)?;
    }
    Ok(all)
}

fn expose_all(trace: &mut Trace, cells: &[Cell], instance: &mut usize) {
    for &cell in cells {
        trace.expose(cell, *instance);
        *instance += 1;
    }
}
