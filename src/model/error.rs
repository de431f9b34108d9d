//! What can be wrong with a model file.

use crate::error::{ExitCode, Explain};

/// Every refusal of a model, with the names that the user's own file uses.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be opened or read.
    #[error("cannot read the model {path}: {source}")]
    Read {
        /// The path as given.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Not ONNX, cut off, or sizes that contradict the data.
    #[error("not a readable ONNX model: {problem}")]
    Malformed {
        /// What is wrong, and where.
        problem: String,
    },
    /// Sizes that nobody should allocate.
    #[error("{what} is too large: {got}, the limit is {limit}")]
    TooLarge {
        /// The file, a tensor, or the input.
        what: String,
        /// The declared size.
        got: String,
        /// The documented limit.
        limit: String,
    },
    /// An operator, or a use of one, that is not supported.
    #[error("node `{node}`: operator `{operator}` is not supported{}{reason}", if reason.is_empty() { "" } else { ": " })]
    UnsupportedOperator {
        /// The node's name in the file, or its first output where it has none.
        node: String,
        /// The operator, with its domain where it is not ONNX's own.
        operator: String,
        /// Which use of it; empty when the operator is unknown altogether.
        reason: String,
    },
    /// A dimension without a number, or no shape at all.
    #[error("input `{input}` has no static shape: {dimension}")]
    DynamicShape {
        /// The graph's input.
        input: String,
        /// Which dimension, by position and symbol.
        dimension: String,
    },
    /// A size of zero, or shapes that do not fit.
    #[error("node `{node}`: {problem}")]
    BadShape {
        /// The node, tensor or port.
        node: String,
        /// Expected and got.
        problem: String,
    },
    /// Not exactly one input and one output.
    #[error("the model must have exactly one {port}, it has {count}: [{names}]")]
    Arity {
        /// `input` or `output`.
        port: &'static str,
        /// How many there are.
        count: usize,
        /// Their names.
        names: String,
    },
    /// NaN or infinity among the weights, in the file or once `alpha` and `beta` are multiplied in.
    #[error("{place} holds {value} at element {index}: weights must be finite float32")]
    NonFinite {
        /// The tensor or node.
        place: String,
        /// `NaN`, `inf` or `-inf`.
        value: f32,
        /// Position in row-major order.
        index: usize,
    },
    /// Something other than float32 where numbers flow.
    #[error("{place} has element type {got}, expected {expected}")]
    ElementType {
        /// The tensor or port.
        place: String,
        /// The type found.
        got: String,
        /// The type needed.
        expected: &'static str,
    },
    /// A value that nothing makes, that two nodes make, or that depends on itself.
    #[error("the graph is not valid: {problem}")]
    InvalidGraph {
        /// Which value, which node.
        problem: String,
    },
    /// Weights in another file, which is never opened.
    #[error("tensor `{tensor}` keeps its data in another file; only models with their weights inside are read")]
    ExternalData {
        /// The tensor.
        tensor: String,
    },
    /// tract's reading of the file and ours differ.
    #[error("the model was read in two ways that differ: {problem}")]
    Disagreement {
        /// Where they differ, or what tract said.
        problem: String,
    },
    /// A float run was given the wrong number of values.
    #[error("the model takes {expected} values, got {got}")]
    InputLength {
        /// Elements of the input.
        expected: usize,
        /// Values given.
        got: usize,
    },
}

impl Explain for ModelError {
    fn code(&self) -> &'static str {
        match self {
            ModelError::Read { .. } => "model/read",
            ModelError::Malformed { .. } => "model/malformed-file",
            ModelError::TooLarge { .. } => "model/too-large",
            ModelError::UnsupportedOperator { .. } => "model/unsupported-operator",
            ModelError::DynamicShape { .. } => "model/dynamic-shape",
            ModelError::BadShape { .. } => "model/bad-shape",
            ModelError::Arity { .. } => "model/inputs-or-outputs",
            ModelError::NonFinite { .. } => "model/non-finite-weight",
            ModelError::ElementType { .. } => "model/element-type",
            ModelError::InvalidGraph { .. } => "model/invalid-graph",
            ModelError::ExternalData { .. } => "model/external-data",
            ModelError::Disagreement { .. } => "model/disagreement",
            ModelError::InputLength { .. } => "input/length",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            ModelError::UnsupportedOperator { .. }
            | ModelError::DynamicShape { .. }
            | ModelError::Arity { .. }
            | ModelError::ElementType { .. }
            | ModelError::ExternalData { .. }
            | ModelError::Disagreement { .. } => ExitCode::UnsupportedModel,
            _ => ExitCode::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            ModelError::Read { .. } => "check the path and its permissions".into(),
            ModelError::Malformed { .. } => "export the model again; `onnx.checker.check_model` finds damaged files".into(),
            ModelError::TooLarge { .. } => "export a smaller model, without training state".into(),
            ModelError::UnsupportedOperator { .. } => {
                format!("supported operators: {}", super::operator::names().join(", "))
            }
            ModelError::DynamicShape { .. } => "export with fixed sizes (batch 1), without dynamic axes".into(),
            ModelError::BadShape { .. } => "export the model again with fixed, non-zero shapes".into(),
            ModelError::Arity { .. } => "export the part of the model from one input tensor to one output tensor".into(),
            ModelError::NonFinite { .. } => "train or export again; a weight that is not a number proves nothing".into(),
            ModelError::ElementType { .. } => "export the model in float32".into(),
            ModelError::InvalidGraph { .. } => "export the model again; `onnx.checker.check_model` says more".into(),
            ModelError::ExternalData { .. } => "save the model as one file (`onnx.save` without external data)".into(),
            ModelError::Disagreement { .. } => "please report this with the model file, it is a bug".into(),
            ModelError::InputLength { .. } => "give one value per element of the model's input".into(),
        }
    }
}
