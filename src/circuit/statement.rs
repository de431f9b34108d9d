//! The statement: which public values a proof is about, in which order.

use super::CircuitError;
use crate::{
    gates::field::to_field,
    op::{InputMode, Op},
    quant::Program,
};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};

/// The public values of one proof: `context`, `inputCommitment` (committed input only), then signed integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Binds the proof to chain, consumer, subject, model, policy, nonce and expiry; no constraint, only Fiat-Shamir.
    pub context: Fr,
    /// The commitment to the input.
    pub input_commitment: Option<Fr>,
    /// The input's features (public input), then the output's values.
    pub values: Vec<i128>,
}

impl Statement {
    /// The instance column: integers as `v mod r`.
    pub fn instances(&self) -> Vec<Fr> {
        std::iter::once(self.context).chain(self.input_commitment).chain(self.values.iter().map(|&v| to_field(v))).collect()
    }
}

/// What one public value means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicValue {
    /// `context`, `inputCommitment`, a feature's position, `threshold`, `class` or `output`.
    pub name: String,
    /// `real = integer / 2^scale_log2`; absent for the two field elements and for public features (their schema has the scale).
    pub scale_log2: Option<i32>,
    /// Smallest integer, as decimal text; absent for field elements.
    pub lo: Option<String>,
    /// Largest integer.
    pub hi: Option<String>,
}

/// The layout of the instance column of `program`'s circuit.
pub fn layout(program: &Program) -> Result<Vec<PublicValue>, CircuitError> {
    let intervals = crate::quant::range::check(program)?;
    let input = program.input()?;
    let element = |name: &str| PublicValue { name: name.into(), scale_log2: None, lo: None, hi: None };
    let mut values = vec![element("context")];
    match input.mode {
        InputMode::Committed => values.push(element("inputCommitment")),
        InputMode::Public => values.extend(input.ranges.iter().enumerate().map(|(i, range)| PublicValue {
            lo: Some(range.lo.to_string()),
            hi: Some(range.hi.to_string()),
            ..element(&format!("feature{i}"))
        })),
        InputMode::Private => {}
    }
    let output = program.output()?;
    let last = intervals.last().map(Vec::as_slice).unwrap_or(&[]);
    let (name, ranges) = match &output.op {
        Op::Threshold(t) => ("threshold", vec![t.range]),
        Op::Argmax(_) => ("class", last.to_vec()),
        _ => ("output", last.to_vec()),
    };
    let scale_log2 = (name != "class").then_some(output.scale_log2);
    for (i, range) in ranges.iter().enumerate() {
        let name = if ranges.len() > 1 { format!("{name}{i}") } else { name.to_string() };
        values.push(PublicValue { name, scale_log2, lo: Some(range.lo.to_string()), hi: Some(range.hi.to_string()) });
    }
    Ok(values)
}
