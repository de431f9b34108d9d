//! The integer program: a closed set of ops with exact, deterministic integer meaning.

use super::QuantError;
use crate::op::{Input, InputMode, Op, Weights};
use serde::{Deserialize, Serialize};

/// The widths that every rescale of a program shares, so that one gate serves them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precision {
    /// `s`: every rescale divides by `2^s`.
    pub shift_bits: u32,
    /// `M`: every rescaled quotient lies in `[-2^M, 2^M - 1]`.
    pub magnitude_bits: u32,
}

impl Default for Precision {
    /// 16 bits each: on the credit model as accurate as a longer shift, with fewer limbs.
    fn default() -> Self {
        Self { shift_bits: 16, magnitude_bits: 16 }
    }
}

/// What keeps the values between the layers inside the magnitude bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hidden {
    /// The worst case over all inputs that the schema admits: each of them has a proof.
    #[default]
    WorstCase,
    /// The limbs of every rescale: scales follow from the calibration rows, and an input that exceeds them has no proof.
    Calibrated,
}

/// One step of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The name of the ONNX node it comes from.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Indices of earlier nodes.
    pub inputs: Vec<usize>,
    /// `real = integer / 2^scale_log2`; 0 for the input, whose features carry their own decimals in the schema.
    pub scale_log2: i32,
}

/// An integer program: a graph whose nodes read earlier ones, ended by `Reveal`, `Threshold` or `Argmax`.
///
/// An accumulating op (`Linear`, `Sum`, `Conv`, `Product`) is followed by its `Rescale`, the only one that reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// keccak256 of the feature schema that the input integers follow.
    pub schema_id: [u8; 32],
    /// The shared widths.
    pub precision: Precision,
    /// How many inputs of one schema a statement is about: the input node's result holds them one after the other.
    pub items: usize,
    /// What bounds the values between the layers.
    pub hidden: Hidden,
    /// The steps; node 0 is the input.
    pub nodes: Vec<Node>,
}

impl Program {
    /// The input node.
    pub fn input(&self) -> Result<&Input, QuantError> {
        match self.nodes.first().map(|n| &n.op) {
            Some(Op::Input(input)) => Ok(input),
            _ => Err(QuantError::Malformed { node: "0".into(), problem: "the first node must be the input".into() }),
        }
    }

    /// The output statement's node.
    pub fn output(&self) -> Result<&Node, QuantError> {
        self.nodes.last().ok_or_else(|| QuantError::Malformed { node: "last".into(), problem: "the program is empty".into() })
    }

    /// Whether limbs, and not the worst case, keep hidden values inside the magnitude bits: some inputs may then have no proof, and none
    /// has a wrong one.
    pub fn is_enforced(&self) -> bool {
        self.hidden == Hidden::Calibrated || self.weights().is_some()
    }

    /// The private weights, where there are any.
    pub fn weights(&self) -> Option<&Weights> {
        self.nodes.iter().find_map(|node| if let Op::Weights(weights) = &node.op { Some(weights) } else { None })
    }

    /// How many commitments follow `context`: one to each input, where they are committed to, and one to private weights.
    pub fn commitments(&self) -> Result<usize, QuantError> {
        let inputs = if self.input()?.mode == InputMode::Committed { self.items } else { 0 };
        Ok(inputs.saturating_add(usize::from(self.weights().is_some())))
    }

    /// How many public values follow `context` and the commitments: the inputs', then the outputs'.
    pub fn public_values(&self) -> Result<usize, QuantError> {
        let input = self.input()?;
        let from_input = if input.mode == InputMode::Public { input.ranges.len().saturating_mul(self.items) } else { 0 };
        let node = self.output()?;
        let from_output = match &node.op {
            Op::Reveal => node.inputs.first().and_then(|&i| self.width(i)).unwrap_or(0),
            _ => self.items,
        };
        Ok(from_input.saturating_add(from_output))
    }

    /// Elements of node `index`'s result.
    pub fn width(&self, index: usize) -> Option<usize> {
        let mut at = index;
        // A loop, not recursion: a damaged program may chain any number of nodes.
        loop {
            let node = self.nodes.get(at)?;
            match &node.op {
                Op::Input(input) => return Some(input.ranges.len().saturating_mul(self.items)),
                Op::Weights(weights) => return Some(weights.count),
                Op::Linear(linear) => return Some(linear.outputs),
                Op::Sum(sum) => return Some(sum.bias.len()),
                Op::Conv(conv) => return Some(conv.stencil.outputs()),
                Op::Product(product) => return Some(product.dims.outputs()),
                Op::Maximum(maximum) => return Some(maximum.windows.len()),
                Op::Move(moved) => return Some(moved.from.len()),
                Op::Constant(constant) => return Some(constant.values.len()),
                Op::Threshold(_) | Op::Argmax(_) => return Some(self.items),
                Op::Rescale(_) | Op::Sigmoid(_) | Op::Reveal => {
                    at = node.inputs.first().copied().filter(|&source| source < at)?
                }
            }
        }
    }
}
