//! Why a float graph cannot become an integer program.

use super::QuantError;
use crate::error::{ExitCode, Explain};
use crate::model::ModelError;

/// Every refusal of the quantiser.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The schema describes another number of features than the model takes.
    #[error("the schema has {schema} features, the model's input `{input}` has {model} elements")]
    Features {
        /// Features of the schema.
        schema: usize,
        /// The model's input.
        input: String,
        /// Its elements.
        model: usize,
    },
    /// A graph that is no chain of layers, or an activation where none can stand.
    #[error("node `{node}`: {problem}")]
    Structure {
        /// The graph's node.
        node: String,
        /// What was expected there.
        problem: String,
    },
    /// The output statement does not fit the model's output.
    #[error("output `{choice}` {problem}")]
    Output {
        /// `reveal`, `threshold` or `argmax`.
        choice: &'static str,
        /// What it needs, and what the model has.
        problem: String,
    },
    /// No power of two brings a layer's worst case into the magnitude bits.
    #[error("layer `{node}` has no scale at which its worst case fits {bits} magnitude bits")]
    NoScale {
        /// The layer.
        node: String,
        /// The magnitude bits allowed.
        bits: u32,
    },
    /// There is nothing to compare on.
    #[error("the calibration set is empty")]
    NoRows,
    /// The float reference refused a row.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The integer program or its interpreter refused.
    #[error(transparent)]
    Quant(#[from] QuantError),
}

impl Explain for CalibrateError {
    fn code(&self) -> &'static str {
        match self {
            CalibrateError::Features { .. } => "quant/features",
            CalibrateError::Structure { .. } => "quant/structure",
            CalibrateError::Output { .. } => "quant/output",
            CalibrateError::NoScale { .. } => "quant/no-scale",
            CalibrateError::NoRows => "quant/no-calibration-rows",
            CalibrateError::Model(error) => error.code(),
            CalibrateError::Quant(error) => error.code(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            CalibrateError::Structure { .. } | CalibrateError::NoScale { .. } => ExitCode::UnsupportedModel,
            CalibrateError::Model(error) => error.exit_code(),
            CalibrateError::Quant(error) => error.exit_code(),
            _ => ExitCode::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            CalibrateError::Features { .. } => "list one feature per element of the model's input, in its order".into(),
            CalibrateError::Structure { .. } => {
                "supported: layers and the operators between them, with one Sigmoid at most, at the end".into()
            }
            CalibrateError::Output { .. } => "choose another `--output`, or export the model up to the score itself".into(),
            CalibrateError::NoScale { .. } => "narrow the schema's ranges, or allow more magnitude bits".into(),
            CalibrateError::NoRows => "give at least one row of typical inputs".into(),
            CalibrateError::Model(error) => error.hint(),
            CalibrateError::Quant(error) => error.hint(),
        }
    }
}
