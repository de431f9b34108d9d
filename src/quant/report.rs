//! The fixed-point report: what the integers cost in accuracy, measured on the calibration rows against the float model.

use super::calibrate::{Calibrated, Score};
use super::calibrate_error::CalibrateError;
use super::input::Row;
use super::threshold::ThresholdScale;
use super::{Program, Schema, range, run};
use crate::model::graph::sigmoid;
use crate::model::{Graph, GraphOp};
use crate::op::{Interval, Op};
use comfy_table::{Table, presets};
use serde::Serialize;
use std::fmt;

/// The version of the serialised report.
pub const VERSION: u32 = 1;

/// One node of the program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorReport {
    /// The node.
    pub name: String,
    /// Its operator.
    pub op: &'static str,
    /// Elements of its result.
    pub len: usize,
    /// Smallest and largest `scale_log2` of its elements; absent for the input and an index.
    pub scale_log2: Option<(i32, i32)>,
    /// Worst case over all elements and all admitted inputs, as decimal text (integers beyond 2^53).
    pub lo: String,
    /// See `lo`.
    pub hi: String,
    /// Bits of the largest magnitude.
    pub bits: u32,
    /// Bits of the largest weight, where there are weights.
    pub weight_bits: Option<u32>,
}

/// A difference against the float model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// The largest, over rows and output elements.
    pub max: f64,
    /// The mean.
    pub mean: f64,
}

/// Decisions that the integers change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decisions {
    /// Rows whose decision differs.
    pub changed: usize,
    /// Threshold: how many scores lie within one step of the threshold, where either answer is defensible.
    pub within_one_step: usize,
    /// The threshold, in the score's unit; absent for argmax.
    pub threshold: Option<f64>,
    /// The same as the integer that the circuit compares.
    pub threshold_integer: Option<i64>,
}

/// The whole report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// Rescale shift and magnitude bits.
    pub precision: super::Precision,
    /// Rows measured.
    pub rows: usize,
    /// What the output numbers are.
    pub score: Score,
    /// One entry per node.
    pub tensors: Vec<TensorReport>,
    /// In the score's unit (a logit where the model ends in a Sigmoid).
    pub score_error: Difference,
    /// In probability, where the score is a logit.
    pub probability_error: Option<Difference>,
    /// For threshold and argmax programs.
    pub decisions: Option<Decisions>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Measures `calibrated` on schema rows. Without a `threshold` integer, decisions are counted at the median float score.
///
/// # Errors
/// No rows, or rows that the schema does not admit.
pub fn report(
    graph: &Graph,
    schema: &Schema,
    calibrated: &Calibrated,
    rows: &[Row],
    threshold: Option<i128>,
) -> Result<Report, CalibrateError> {
    if rows.is_empty() {
        return Err(CalibrateError::NoRows);
    }
    let samples = rows.iter().map(|row| sample(graph, schema, calibrated, row)).collect::<Result<Vec<_>, _>>()?;
    let pairs = || samples.iter().flat_map(|s| s.float.iter().zip(&s.fixed).map(|(a, b)| (*a, *b)));
    let probability = (calibrated.score == Score::Logit).then(|| difference(pairs().map(|(a, b)| sigmoid(a) - sigmoid(b))));
    Ok(Report {
        version: VERSION,
        precision: calibrated.program.precision,
        rows: rows.len(),
        score: calibrated.score,
        tensors: tensors(&calibrated.program, &calibrated.scales)?,
        score_error: difference(pairs().map(|(a, b)| a - b)),
        probability_error: probability,
        decisions: decisions(calibrated, &samples, threshold),
        notes: calibrated.notes.clone(),
    })
}

/// One row: the scores as the float model and the integers give them, in the same unit.
struct Sample {
    float: Vec<f64>,
    fixed: Vec<f64>,
    /// The compared integers.
    integers: Vec<i128>,
}

fn sample(graph: &Graph, schema: &Schema, calibrated: &Calibrated, row: &Row) -> Result<Sample, CalibrateError> {
    let real: Vec<f64> = schema.features().iter().zip(row).map(|(f, v)| f.real(*v)).collect();
    let integer_run = run(&calibrated.program, row)?;
    // The score is what the last rescale gives, one node before the output statement; in floats, what
    // stands before a Sigmoid that is not computed.
    let before_statement = calibrated.program.nodes.len().saturating_sub(2);
    let integers = integer_run.tensors.get(before_statement).cloned().unwrap_or_default();
    let scales = calibrated.scales.get(before_statement).map_or(&[][..], Vec::as_slice);
    let fixed = integers.iter().zip(scales).map(|(q, e)| *q as f64 / super::scale::power_of_two(*e)).collect();
    let mut trace = graph.trace(&real)?;
    if calibrated.score == Score::Logit && matches!(graph.nodes.last().map(|n| &n.op), Some(GraphOp::Sigmoid)) {
        trace.pop();
    }
    Ok(Sample { float: trace.pop().unwrap_or_default(), fixed, integers })
}

fn difference(differences: impl Iterator<Item = f64>) -> Difference {
    let (mut max, mut sum, mut count) = (0f64, 0f64, 0usize);
    for d in differences {
        (max, sum, count) = (max.max(d.abs()), sum + d.abs(), count + 1);
    }
    Difference { max, mean: sum / count.max(1) as f64 }
}

fn decisions(calibrated: &Calibrated, samples: &[Sample], threshold: Option<i128>) -> Option<Decisions> {
    match calibrated.program.nodes.last().map(|n| &n.op) {
        Some(Op::Argmax(argmax)) => {
            let flipped = |s: &&Sample| argmax.eval(&s.integers) != first_largest(&s.float);
            let changed = samples.iter().filter(flipped).count();
            Some(Decisions { changed, within_one_step: 0, threshold: None, threshold_integer: None })
        }
        Some(Op::Threshold(_)) => {
            let scale = ThresholdScale::of(&calibrated.program).ok()?;
            let integer = threshold.unwrap_or_else(|| {
                let step = super::scale::power_of_two(scale.log2);
                ((median(samples) * step).ceil() as i128).clamp(scale.range.lo, scale.range.hi)
            });
            let at = scale.value(integer);
            let score = |s: &Sample| (s.float.first().copied().unwrap_or(0.0), s.integers.first().copied().unwrap_or(0));
            let changed = samples.iter().map(score).filter(|&(float, q)| (float >= at) != (q >= integer)).count();
            let near = samples.iter().map(score).filter(|&(_, q)| (q - integer).abs() <= 1).count();
            let threshold_integer = i64::try_from(integer).ok();
            Some(Decisions { changed, within_one_step: near, threshold: Some(at), threshold_integer })
        }
        _ => None,
    }
}

fn first_largest(values: &[f64]) -> usize {
    (0..values.len()).rev().max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
}

/// Halfway between the two middle scores, so that no row stands on the threshold by construction.
fn median(samples: &[Sample]) -> f64 {
    let mut scores: Vec<f64> = samples.iter().filter_map(|s| s.float.first().copied()).collect();
    scores.sort_by(f64::total_cmp);
    let at = |i: usize| scores.get(i).copied().unwrap_or(0.0);
    let middle = scores.len() / 2;
    (at(middle.saturating_sub(1)) + at(middle)) / 2.0
}

impl Report {
    /// The report as it may be published with a program whose weights are private: worst cases are those of any weights.
    ///
    /// # Errors
    /// A malformed program.
    pub fn published(&self, program: &Program) -> Result<Self, CalibrateError> {
        Ok(Self { tensors: tensors(program, &vec![vec![]; program.nodes.len()])?, ..self.clone() })
    }
}

fn tensors(program: &Program, scales: &[Vec<i32>]) -> Result<Vec<TensorReport>, CalibrateError> {
    let intervals = range::check(program)?;
    let nodes = program.nodes.iter().zip(intervals.iter().zip(scales));
    Ok(nodes
        .map(|(node, (intervals, scales))| {
            let worst = intervals.iter().fold(Interval::new(0, 0), |a, b| Interval::new(a.lo.min(b.lo), a.hi.max(b.hi)));
            let scaled = !matches!(node.op, Op::Input(_) | Op::Argmax(_));
            TensorReport {
                name: node.name.clone(),
                op: node.op.name(),
                len: intervals.len(),
                scale_log2: scales.iter().min().zip(scales.iter().max()).map(|(a, b)| (*a, *b)).filter(|_| scaled),
                lo: worst.lo.to_string(),
                hi: worst.hi.to_string(),
                bits: worst.bits(),
                weight_bits: match &node.op {
                    Op::Linear(l) => l.weights.iter().map(|w| 128 - w.unsigned_abs().leading_zeros()).max(),
                    _ => None,
                },
            }
        })
        .collect())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["node", "op", "elements", "scale 2^", "worst case", "bits", "weight bits"]);
        for t in &self.tensors {
            let scale = match t.scale_log2 {
                None => String::new(),
                Some((a, b)) if a == b => a.to_string(),
                Some((a, b)) => format!("{a}..{b}"),
            };
            let weights = t.weight_bits.map(|b| b.to_string()).unwrap_or_default();
            let worst = format!("{}..={}", t.lo, t.hi);
            table.add_row([t.name.clone(), t.op.into(), t.len.to_string(), scale, worst, t.bits.to_string(), weights]);
        }
        writeln!(f, "{table}")?;
        let unit = if self.score == Score::Logit { "logit" } else { "score" };
        writeln!(
            f,
            "shift {} bits, magnitudes {} bits, {} rows",
            self.precision.shift_bits, self.precision.magnitude_bits, self.rows
        )?;
        writeln!(f, "{unit} error: max {:.3e}, mean {:.3e}", self.score_error.max, self.score_error.mean)?;
        if let Some(d) = self.probability_error {
            writeln!(f, "probability error: max {:.3e}, mean {:.3e}", d.max, d.mean)?;
        }
        match &self.decisions {
            Some(Decisions { changed, threshold: Some(t), within_one_step, .. }) => {
                writeln!(
                    f,
                    "decisions changed at {unit} {t:.6}: {changed} of {} ({within_one_step} within one step)",
                    self.rows
                )?;
            }
            Some(d) => writeln!(f, "largest element changed: {} of {}", d.changed, self.rows)?,
            None => {}
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "note: {note}"))
    }
}
