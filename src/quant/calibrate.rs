//! From a float graph and a schema to an integer program in which no admitted input can overflow.
//!
//! Every layer becomes `y = W_int x + b_int`, `q = round(y / 2^s)`. The first layer reads schema integers, so its weights absorb
//! `10^-decimals` feature by feature. Each activation has a power-of-two scale `2^e`, the finest at which the worst case over
//! **all** inputs that the schema admits (interval arithmetic with the integer weights, not the calibration rows) still fits the
//! magnitude bits: `W_int = round(W * 2^(e_out + s) / steps_in)`. Hidden activations have a scale per element (a ReLU commutes
//! with positive factors), outputs share one. Calibration rows measure the result; they do not shape it.

use super::calibrate_error::CalibrateError;
use super::layers::{Chain, Layer, chain};
use super::scale::{Quantised, Source, power_of_two, quantise};
use super::{Node, Precision, Program, QuantError, Schema, range};
use crate::model::Graph;
use crate::op::{Argmax, InputMode, Op, Rescale, Sigmoid, Threshold, sigmoid::OUTPUT_SCALE_LOG2};
use serde::{Deserialize, Serialize};

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
    if schema.features().len() != graph.input.len() {
        let (schema, model) = (schema.features().len(), graph.input.len());
        return Err(CalibrateError::Features { schema, input: graph.input.name.clone(), model });
    }
    check_precision(options.precision)?;
    let chain = chain(graph)?;
    check_output(&chain, options.output, options.precision)?;
    let mut built = Calibrated {
        program: Program { schema_id: schema.id(), precision: options.precision, nodes: Vec::new() },
        scales: Vec::new(),
        score: Score::Value,
        notes: Vec::new(),
    };
    let input = schema.input(options.input);
    let mut source = Source {
        steps: schema.features().iter().map(|f| 10f64.powi(f.decimals as i32)).collect(),
        intervals: input.ranges.clone(),
    };
    push(&mut built, &graph.input.name, Op::Input(input), vec![], 0);
    for (index, layer) in chain.layers.iter().enumerate() {
        let last = index + 1 == chain.layers.len();
        let compared = last && (options.output != OutputChoice::Reveal || chain.sigmoid.is_some());
        let quantised = quantise_layer(layer, &source, options, last, compared)?;
        source =
            Source { steps: quantised.scales.iter().map(|&e| power_of_two(e)).collect(), intervals: quantised.intervals.clone() };
        push_layer(&mut built, layer, quantised, options.precision.shift_bits);
    }
    finish(&mut built, &chain, &graph.output.name, options);
    range::check(&built.program)?;
    Ok(built)
}

/// `compared`: the result is compared or looked up, and must fit one bit less than the magnitudes.
fn quantise_layer(
    layer: &Layer,
    source: &Source,
    options: &Options,
    last: bool,
    compared: bool,
) -> Result<Quantised, CalibrateError> {
    let p = options.precision;
    let allowed = if compared { p.score_interval() } else { p.quotient_interval() };
    let rescale = Rescale { shift: p.shift_bits, relu: layer.relu.is_some() };
    quantise(layer.linear, source, rescale, allowed, !last)
        .ok_or_else(|| CalibrateError::NoScale { node: layer.name.into(), bits: p.magnitude_bits })
}

fn push_layer(built: &mut Calibrated, layer: &Layer, quantised: Quantised, shift: u32) {
    let scales = quantised.scales;
    let fine = scales.iter().map(|e| e + shift as i32).collect();
    push(built, layer.name, Op::Linear(quantised.linear), fine, 0);
    let name = layer.relu.map_or_else(|| format!("{}.rescale", layer.name), str::to_owned);
    push(built, &name, Op::Rescale(Rescale { shift, relu: layer.relu.is_some() }), scales, 0);
}

/// Appends a node that reads the one before it; `default` is its scale where it has none per element.
fn push(built: &mut Calibrated, name: &str, op: Op, scales: Vec<i32>, default: i32) {
    let nodes = &mut built.program.nodes;
    let inputs = nodes.len().checked_sub(1).into_iter().collect();
    nodes.push(Node { name: name.into(), op, inputs, scale_log2: scales.iter().copied().min().unwrap_or(default) });
    built.scales.push(scales);
}

/// The output statement; a Sigmoid before a comparison is monotonic and goes.
fn finish(built: &mut Calibrated, chain: &Chain, name: &str, options: &Options) {
    let mut scales = built.scales.last().cloned().unwrap_or_default();
    if let (Some(sigmoid), OutputChoice::Reveal) = (chain.sigmoid, options.output) {
        built.score = Score::Probability;
        let table = Sigmoid::new(segment_bits(options.precision), options.precision.magnitude_bits, score_scale(&scales));
        scales = vec![OUTPUT_SCALE_LOG2; scales.len()];
        push(built, sigmoid, Op::Sigmoid(table), scales.clone(), 0);
    } else if let Some(sigmoid) = chain.sigmoid {
        built.score = Score::Logit;
        built.notes.push(format!(
            "`{sigmoid}` is not computed: the {} compares logits, which gives the same answer",
            options.output.name()
        ));
    }
    match options.output {
        OutputChoice::Reveal => push(built, name, Op::Reveal, scales, 0),
        OutputChoice::Threshold => {
            push(built, name, Op::Threshold(Threshold { range: options.precision.score_interval() }), scales, 0);
        }
        // An index has no scale.
        OutputChoice::Argmax => push(built, name, Op::Argmax(Argmax), vec![0], 0),
    }
}

/// Outputs share one scale.
fn score_scale(scales: &[i32]) -> i32 {
    scales.first().copied().unwrap_or(0)
}

/// A segment of a function table is one limb: the smallest limb size of which shift and magnitudes are whole multiples.
fn segment_bits(p: Precision) -> u32 {
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

fn check_output(chain: &Chain, choice: OutputChoice, precision: Precision) -> Result<(), CalibrateError> {
    let Some(last) = chain.layers.last() else { return Ok(()) };
    let width = last.linear.outputs;
    let refuse = |problem: String| Err(CalibrateError::Output { choice: choice.name(), problem });
    match choice {
        OutputChoice::Reveal if chain.sigmoid.is_some() && precision.magnitude_bits <= segment_bits(precision) => {
            refuse("of a Sigmoid needs more magnitude bits than the limbs that divide shift and magnitudes".into())
        }
        OutputChoice::Threshold if width != 1 => refuse(format!("needs one score, the model has {width} outputs")),
        OutputChoice::Argmax if width < 2 => refuse(format!("needs two scores or more, the model has {width}")),
        OutputChoice::Threshold | OutputChoice::Argmax if last.relu.is_some() => {
            refuse("compares scores before any Relu; the model ends in one".into())
        }
        _ => Ok(()),
    }
}
