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
    #[error("the model takes {expected} values, got {got}")]
    InputLength {
        /// Features of the schema, for each item.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// A value between the layers leaves what its limbs can hold.
    #[error("program node {node}: {what} #{element} is {value}, the circuit holds {lo}..={hi}: this input has no proof")]
    Hidden {
        /// Name of the node.
        node: String,
        /// Which value.
        what: &'static str,
        /// Position in the node's tensor.
        element: usize,
        /// The value.
        value: i128,
        /// Smallest that can be held.
        lo: i128,
        /// Largest that can be held.
        hi: i128,
    },
    /// A value lies outside its feature's range.
    #[error("{}feature #{index} is {value}, the model's range is {lo}..={hi} (schema integers)", item.map(|i| format!("item {i}: ")).unwrap_or_default())]
    InputRange {
        /// Which input of a batch, from 0.
        item: Option<usize>,
        /// Position of the feature.
        index: usize,
        /// The value given.
        value: i128,
        /// Smallest allowed.
        lo: i128,
        /// Largest allowed.
        hi: i128,
    },
    /// A batch of no inputs, or of more than any circuit holds.
    #[error("a batch of {got}; allowed are 1 to {allowed}")]
    Batch {
        /// Inputs asked for.
        got: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// Private weights that are not the program's.
    #[error("{problem}")]
    Weights {
        /// What does not fit.
        problem: String,
    },
    /// An operator that holds numbers of the model and has no private form.
    #[error("node {node}: {problem}, which private weights do not cover")]
    NotPrivate {
        /// Name of the node.
        node: String,
        /// What it holds.
        problem: String,
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
            QuantError::Hidden { .. } => "input/beyond-calibration",
            QuantError::Batch { .. } => "quant/batch",
            QuantError::Weights { .. } => "quant/weights",
            QuantError::NotPrivate { .. } => "quant/not-private",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            QuantError::Interval { .. } | QuantError::Size { .. } | QuantError::NotPrivate { .. } => ExitCode::UnsupportedModel,
            _ => ExitCode::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            QuantError::Malformed { .. } => "compile the model again with `zkml-evm gen-verifier`".into(),
            QuantError::Interval { .. } => "narrow the schema's ranges, or allow more magnitude bits".into(),
            QuantError::Size { .. } => "use a smaller model: no circuit has the rows for this one".into(),
            QuantError::InputLength { .. } => "give one value per feature of the schema, for each input of the batch".into(),
            QuantError::Batch { .. } => "split the inputs into several batches".into(),
            QuantError::Weights { .. } => "give the private weights that `gen-verifier` wrote for this model".into(),
            QuantError::NotPrivate { .. } => {
                "fold it into the layer before it (batch norms, scale and shift), or generate with fixed weights".into()
            }
            QuantError::Hidden { .. } => {
                "calibrate on data that covers such inputs, or generate with `--hidden-ranges worst-case`".into()
            }
            QuantError::InputRange { .. } => {
                "check the unit; if the value is right, widen the schema's range and generate the verifier again".into()
            }
        }
    }
}
