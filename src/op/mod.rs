//! The integer operators: one file per op with all its faces (shape, exact meaning, interval, rows in the circuit).

pub mod argmax;
pub mod committed;
pub mod constant;
pub mod conv;
pub mod input;
pub mod interval;
pub mod linear;
pub mod maximum;
pub mod moves;
pub mod product;
pub mod rescale;
pub mod sigmoid;
pub mod sum;
pub mod threshold;
pub mod weights;

pub use argmax::Argmax;
pub use constant::Constant;
pub use conv::Conv;
pub use input::{Input, InputMode};
pub use interval::Interval;
pub use linear::Linear;
pub use maximum::Maximum;
pub use moves::Move;
pub use product::Product;
pub use rescale::Rescale;
pub use sigmoid::Sigmoid;
pub use sum::{Sum, Term};
pub use threshold::Threshold;
pub use weights::Weights;

use crate::gates::{Trace, TraceError};
use serde::{Deserialize, Serialize};

/// Places one output of an accumulating op, given its index and bias, where the op wants it in the order of the fold; returns the
/// first row of its rescale.
pub type Place<'a> = dyn FnMut(&mut Trace, usize, i128) -> Result<usize, TraceError> + 'a;

/// One integer operator of a [`Program`](crate::quant::Program).
///
/// `Reveal`, `Threshold` and `Argmax` are output statements: they end a program and say what becomes public. The order is that of
/// stored programs: new operators come last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// The schema integers of the applicants, one after the other (first node, exactly once).
    Input(Input),
    /// `y = W x + b`, exact.
    Linear(Linear),
    /// `q = floor((y + 2^(s-1)) / 2^s)`, with or without ReLU.
    Rescale(Rescale),
    /// `result = 1 / (1 + e^-q)` by table and interpolation, before `Reveal`.
    Sigmoid(Sigmoid),
    /// Every element becomes a public value.
    Reveal,
    /// One public value `T` for each score `q`; satisfied only when `q >= T`.
    Threshold(Threshold),
    /// The public value is the lowest index of the largest element, of each applicant's.
    Argmax(Argmax),
    /// `y_i = b_i +` a few terms, exact.
    Sum(Sum),
    /// Elements taken from other tensors.
    Move(Move),
    /// The same integers in every run.
    Constant(Constant),
    /// A convolution with fixed weights, exact.
    Conv(Conv),
    /// The largest element of each window.
    Maximum(Maximum),
    /// Matrices or elements of two tensors multiplied, exact.
    Product(Product),
    /// The model's own numbers, known to the prover only (at most once).
    Weights(Weights),
}

impl Op {
    /// The operator's name in reports and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Linear(_) => "linear",
            Op::Rescale(r) if r.relu => "rescale+relu",
            Op::Rescale(_) => "rescale",
            Op::Sigmoid(_) => "sigmoid",
            Op::Reveal => "reveal",
            Op::Threshold(_) => "threshold",
            Op::Argmax(_) => "argmax",
            Op::Sum(_) => "sum",
            Op::Move(_) => "move",
            Op::Constant(_) => "constant",
            Op::Conv(_) => "conv",
            Op::Maximum(_) => "maximum",
            Op::Product(_) => "product",
            Op::Weights(_) => "weights",
        }
    }

    /// Whether its results are accumulators: no cells, but the left-hand sides of the fold, for the rescale that follows.
    pub fn accumulates(&self) -> bool {
        matches!(self, Op::Linear(_) | Op::Sum(_) | Op::Conv(_) | Op::Product(_))
    }
}
