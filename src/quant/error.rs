//! Errors of the quantiser and the interpreter.

use crate::error::{ExitCode, Explain};

/// What can go wrong between a float graph and a run of its integer program.
#[derive(Debug, thiserror::Error)]
pub enum QuantError {
    /// A program that breaks its own rules (foreign or damaged artifact).
    #[error("program node {node}: {problem}")]
    Malformed {
        /// Name or index of the node.
        node: String,
        /// The rule that is broken.
        problem: String,
    },
    /// An intermediate could leave the interval that the circuit relies on.
    #[error("program node {node}: {what} could reach {lo}..{hi}, allowed is {allowed}")]
    Interval {
        /// Name of the node.
        node: String,
        /// Which value.
        what: &'static str,
        /// Smallest possible value.
        lo: String,
        /// Largest possible value.
        hi: String,
        /// The bound.
        allowed: String,
    },
    /// Tensors larger than any circuit.
    #[error("program node {node}: {got} {what}, allowed are {allowed}")]
    Size {
        /// Name of the node.
        node: String,
        /// What is counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// The number of input values is wrong.
    #[error("the model takes {expected} features, got {got}")]
    InputLength {
        /// Features of the schema.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A value lies outside its feature's range.
    #[error("feature #{index} is {value}, the model's range is {lo}..={hi} (schema integers)")]
    InputRange {
        /// Position of the feature.
        index: usize,
        /// The value given.
        value: i128,
        /// Smallest allowed.
        lo: i128,
        /// Largest allowed.
        hi: i128,
    },
}

impl Explain for QuantError {
    fn code(&self) -> &'static str {
        match self {
            QuantError::Malformed { .. } => "quant/malformed-program",
            QuantError::Interval { .. } => "quant/interval",
            QuantError::Size { .. } => "quant/size",
            QuantError::InputLength { .. } => "input/length",
            QuantError::InputRange { .. } => "input/out-of-range",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            QuantError::Interval { .. } | QuantError::Size { .. } => ExitCode::UnsupportedModel,
            _ => ExitCode::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            QuantError::Malformed { .. } => "compile the model again with `zkml-evm gen-verifier`".into(),
            QuantError::Interval { .. } => "narrow the schema's ranges, or allow more magnitude bits".into(),
            QuantError::Size { .. } => "use a smaller model: no circuit has the rows for this one".into(),
            QuantError::InputLength { .. } => "give one value per feature of the schema".into(),
            QuantError::InputRange { .. } => {
                "check the unit; if the value is right, widen the schema's range and generate the verifier again".into()
            }
        }
    }
}
