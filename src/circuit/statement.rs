//! The statement: which public values a proof is about, in which order.

use super::CircuitError;
use crate::{
    gates::field::to_field,
    op::{InputMode, Interval, Op},
    quant::{Checked, Program},
};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};

/// The public values of one proof: `context`, an `inputCommitment` for each item (committed input only), `modelCommitment` (private
/// weights only), then signed integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Binds the proof to chain, consumer, subject, model, policy, nonce and expiry; no constraint, only Fiat-Shamir.
    pub context: Fr,
    /// The commitments to the inputs, in the order of the items.
    pub input_commitments: Vec<Fr>,
    /// The commitment to the weights.
    pub model_commitment: Option<Fr>,
    /// The features of each item (public input), then the outputs of each item.
    pub values: Vec<i128>,
}

impl Statement {
    /// The instance column: integers as `v mod r`.
    pub fn instances(&self) -> Vec<Fr> {
        let commitments = self.input_commitments.iter().copied().chain(self.model_commitment);
        std::iter::once(self.context).chain(commitments).chain(self.values.iter().map(|&v| to_field(v))).collect()
    }
}

/// What one public value means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicValue {
    /// `context`, `inputCommitment`, `modelCommitment`, a feature's position, `threshold`, `class` or `output`; in a batch those of an item
    /// begin with `item0.`, `item1.`, ...
    pub name: String,
    /// `real = integer / 2^scale_log2`; absent for the two field elements and for public features (their schema has the scale).
    pub scale_log2: Option<i32>,
    /// Smallest integer, as decimal text; absent for field elements.
    pub lo: Option<String>,
    /// Largest integer.
    pub hi: Option<String>,
}

/// The name of the commitment to private weights.
pub const MODEL_COMMITMENT: &str = "modelCommitment";

/// The layout of the instance column of `program`'s circuit.
///
/// # Errors
/// A program that breaks its rules.
pub fn layout(program: &Program) -> Result<Vec<PublicValue>, CircuitError> {
    layout_of(&Checked::of(program)?)
}

/// [`layout`] of a program that is checked.
///
/// # Errors
/// None that the check has not met.
pub fn layout_of(checked: &Checked<'_>) -> Result<Vec<PublicValue>, CircuitError> {
    let (program, intervals) = (checked.program(), checked.intervals());
    let input = program.input()?;
    let element = |name: &str| PublicValue { name: name.into(), scale_log2: None, lo: None, hi: None };
    let items = program.items;
    let named = |item: usize, name: String| if items > 1 { format!("item{item}.{name}") } else { name };
    let mut values = vec![element("context")];
    if input.mode == InputMode::Committed {
        values.extend((0..items).map(|item| element(&named(item, "inputCommitment".into()))));
    }
    values.extend(program.weights().map(|_| element(MODEL_COMMITMENT)));
    let integer = |name: String, scale_log2: Option<i32>, range: &Interval| PublicValue {
        name,
        scale_log2,
        lo: Some(range.lo.to_string()),
        hi: Some(range.hi.to_string()),
    };
    if input.mode == InputMode::Public {
        let features = |item| input.ranges.iter().enumerate().map(move |(i, range)| (item, i, range));
        let features = (0..items).flat_map(features);
        values.extend(features.map(|(item, i, range)| integer(named(item, format!("feature{i}")), None, range)));
    }
    let output = program.output()?;
    let last = intervals.last().map(Vec::as_slice).unwrap_or(&[]);
    let (name, ranges) = match &output.op {
        Op::Threshold(t) => ("threshold", vec![t.range; items]),
        Op::Argmax(_) => ("class", last.to_vec()),
        _ => ("output", last.to_vec()),
    };
    let scale_log2 = (name != "class").then_some(output.scale_log2);
    let per_item = ranges.len() / items.max(1);
    for (at, range) in ranges.iter().enumerate() {
        let (item, i) = (at / per_item, at % per_item);
        let name = if per_item > 1 { format!("{name}{i}") } else { name.to_string() };
        values.push(integer(named(item, name), scale_log2, range));
    }
    Ok(values)
}
