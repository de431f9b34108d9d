//! From a float graph and a schema to an integer program in which no admitted input can overflow.
//!
//! Every layer becomes `y = W_int x + b_int`, `q = round(y / 2^s)`. The first layer reads schema integers, so its weights absorb
//! `10^-decimals` feature by feature. Each activation has a power-of-two scale `2^e`, the finest at which the worst case over
//! **all** inputs that the schema admits (interval arithmetic with the integer weights, not the calibration rows) still fits the
//! magnitude bits: `W_int = round(W * 2^(e_out + s) / steps_in)`. Hidden activations have a scale per element (a ReLU commutes
//! with positive factors), elements that are compared or revealed together share one. Calibration rows measure the result; they do not shape it.

use super::calibrate_error::CalibrateError;
use super::draft::Draft;
use super::input::Row;
use super::structure::Structure;
use super::{Precision, Program, QuantError, Schema, range};
use crate::model::{Graph, GraphOp};
use crate::op::InputMode;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How often scales are chosen anew before a model is refused.
const MAX_ROUNDS: usize = 64;

/// What becomes public of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputChoice {
    /// Every element.
    Reveal,
    /// That the one score reaches a public threshold.
    Threshold,
    /// The index of the largest element.
    Argmax,
}

impl OutputChoice {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            OutputChoice::Reveal => "reveal",
            OutputChoice::Threshold => "threshold",
            OutputChoice::Argmax => "argmax",
        }
    }
}

/// What the program's output numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// The model's own output.
    Value,
    /// The model's last Sigmoid, computed in the circuit by table and interpolation.
    Probability,
    /// The argument of the model's last Sigmoid; its own output is the probability `1 / (1 + exp(-logit))`.
    Logit,
}

/// The choices that are not in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How the input enters the statement.
    pub input: InputMode,
    /// What becomes public.
    pub output: OutputChoice,
    /// The shared widths.
    pub precision: Precision,
}

/// A program with what a report and a manifest need beside it.
#[derive(Clone, Debug)]
pub struct Calibrated {
    /// The checked program.
    pub program: Program,
    /// `real = integer / 2^scale` per element, in node order. Empty for the input, whose schema has decimals instead.
    /// [`Node::scale_log2`](super::Node) is the smallest of a node.
    pub scales: Vec<Vec<i32>>,
    /// What the output numbers are.
    pub score: Score,
    /// What the user should know, one line each.
    pub notes: Vec<String>,
}

/// Builds and checks the program. Units: see the module.
///
/// # Errors
/// [`CalibrateError`]; a model that passes has no input in its schema that cannot be proven.
pub fn calibrate(graph: &Graph, schema: &Schema, options: &Options) -> Result<Calibrated, CalibrateError> {
    build(graph, schema, options, None)
}

/// How far beyond the calibration rows a value between the layers may go.
const HEADROOM: f64 = 2.0;

/// The same with scales from calibration rows: finer where the worst case over all inputs is far from any real one, as in deep networks.
/// Inputs on which a value exceeds twice the largest that the rows give in its tensor may have no proof.
///
/// # Errors
/// As [`calibrate`], and [`CalibrateError::NoRows`].
pub fn calibrate_on(graph: &Graph, schema: &Schema, options: &Options, rows: &[Row]) -> Result<Calibrated, CalibrateError> {
    if rows.is_empty() {
        return Err(CalibrateError::NoRows);
    }
    let mut measured = vec![0f64; graph.nodes.len()];
    for row in rows {
        let real: Vec<f64> = schema.features().iter().zip(row).map(|(feature, value)| feature.real(*value)).collect();
        for (largest, tensor) in measured.iter_mut().zip(graph.trace(&real)?) {
            *largest = tensor.iter().fold(*largest, |largest, value| largest.max(value.abs() * HEADROOM));
        }
    }
    build(graph, schema, options, Some(&measured))
}

fn build(graph: &Graph, schema: &Schema, options: &Options, measured: Option<&[f64]>) -> Result<Calibrated, CalibrateError> {
    if schema.features().len() != graph.input.len() {
        let (schema, model) = (schema.features().len(), graph.input.len());
        return Err(CalibrateError::Features { schema, input: graph.input.name.clone(), model });
    }
    check_precision(options.precision)?;
    let structure = Structure::of(graph, options.output)?;
    check_output(graph, &structure, options.output, options.precision)?;
    // Elements of different nodes may have to share a scale (a Concat that is compared); the scale that the first node chose may
    // be too fine for a later one, which then asks for a coarser one from the start. Each round lowers a class.
    let mut caps = HashMap::new();
    for _ in 0..MAX_ROUNDS {
        let mut draft = Draft::new(graph, schema, options, &structure, measured, caps);
        draft.nodes()?;
        if !draft.lowered {
            let built = draft.finish()?;
            range::check(&built.program)?;
            return Ok(built);
        }
        caps = draft.scales;
    }
    Err(CalibrateError::NoScale { node: graph.output.name.clone(), bits: options.precision.magnitude_bits })
}

/// A segment of a function table is one limb: the smallest limb size of which shift and magnitudes are whole multiples.
pub(super) fn segment_bits(p: Precision) -> u32 {
    let divides = |limb: &u32| p.shift_bits.is_multiple_of(*limb) && p.magnitude_bits.is_multiple_of(*limb);
    (8..=12).find(divides).unwrap_or(8)
}

/// The same bounds as [`range::check`], before anything is computed with them.
fn check_precision(p: Precision) -> Result<(), CalibrateError> {
    if (1..=64).contains(&p.shift_bits) && (2..=48).contains(&p.magnitude_bits) {
        return Ok(());
    }
    let problem = format!("shift {} and magnitude {} bits; allowed are 1..=64 and 2..=48", p.shift_bits, p.magnitude_bits);
    Err(QuantError::Malformed { node: "precision".into(), problem }.into())
}

fn check_output(graph: &Graph, structure: &Structure, choice: OutputChoice, precision: Precision) -> Result<(), CalibrateError> {
    let score = &graph.nodes[structure.score];
    let width = score.len;
    let refuse = |problem: String| Err(CalibrateError::Output { choice: choice.name(), problem });
    match choice {
        OutputChoice::Reveal if structure.sigmoid.is_some() && precision.magnitude_bits <= segment_bits(precision) => {
            refuse("of a Sigmoid needs more magnitude bits than the limbs that divide shift and magnitudes".into())
        }
        OutputChoice::Threshold if width != 1 => refuse(format!("needs one score, the model has {width} outputs")),
        OutputChoice::Argmax if width < 2 => refuse(format!("needs two scores or more, the model has {width}")),
        OutputChoice::Threshold | OutputChoice::Argmax if score.op == GraphOp::Relu => {
            refuse("compares scores before any Relu; the model ends in one".into())
        }
        _ => Ok(()),
    }
}
