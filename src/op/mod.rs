//! The integer operators: one file per op with all its faces (shape, exact meaning, interval, rows in the circuit).

pub mod argmax;
pub mod input;
pub mod interval;
pub mod linear;
pub mod rescale;
pub mod sigmoid;
pub mod threshold;

pub use argmax::Argmax;
pub use input::{Input, InputMode};
pub use interval::Interval;
pub use linear::Linear;
pub use rescale::Rescale;
pub use sigmoid::Sigmoid;
pub use threshold::Threshold;

use serde::{Deserialize, Serialize};

/// One integer operator of a [`Program`](crate::quant::Program).
///
/// `Reveal`, `Threshold` and `Argmax` are output statements: they end a program and say what becomes public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// The schema integers of one applicant (first node, exactly once).
    Input(Input),
    /// `y = W x + b`, exact.
    Linear(Linear),
    /// `q = floor((y + 2^(s-1)) / 2^s)`, with or without ReLU.
    Rescale(Rescale),
    /// `result = 1 / (1 + e^-q)` by table and interpolation, before `Reveal`.
    Sigmoid(Sigmoid),
    /// Every element becomes a public value.
    Reveal,
    /// The public value is `T`; satisfied only when `q >= T`.
    Threshold(Threshold),
    /// The public value is the lowest index of the largest element.
    Argmax(Argmax),
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
        }
    }
}
