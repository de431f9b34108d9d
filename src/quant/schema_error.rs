//! What can be wrong with a feature schema.

use crate::error::{ExitCode, Explain};

/// Every refusal of a schema, or of data that one should be derived from.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The file cannot be opened or is not text.
    #[error("cannot read the schema {path}: {source}")]
    Read {
        /// The path as given.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Not the JSON of a schema.
    #[error("not a feature schema: {problem}")]
    Syntax {
        /// What the parser said, with line and column.
        problem: String,
    },
    /// Another version of the format.
    #[error("feature schema of version {got}, expected {}", super::schema::VERSION)]
    Version {
        /// The version found.
        got: u32,
    },
    /// No feature, or too many.
    #[error("the schema has {got} features, expected 1 to {max}")]
    Count {
        /// Features found.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// A name stands for two features.
    #[error("feature `{name}` is listed twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A feature breaks a rule.
    #[error("feature #{index} `{name}`: {problem}")]
    Feature {
        /// Position in the schema.
        index: usize,
        /// Its name.
        name: String,
        /// The rule, and what was found.
        problem: String,
    },
    /// The calibration data cannot give a schema.
    #[error("cannot derive a schema from the calibration data: {problem}")]
    Derive {
        /// What is missing or too large, and where.
        problem: String,
    },
    /// Values that the schema does not admit were given to be packed.
    #[error("cannot pack the input: {problem}")]
    Pack {
        /// Which value.
        problem: String,
    },
}

impl Explain for SchemaError {
    fn code(&self) -> &'static str {
        match self {
            SchemaError::Read { .. } => "schema/read",
            SchemaError::Syntax { .. } => "schema/syntax",
            SchemaError::Version { .. } => "schema/version",
            SchemaError::Count { .. } => "schema/count",
            SchemaError::Duplicate { .. } => "schema/duplicate-feature",
            SchemaError::Feature { .. } => "schema/feature",
            SchemaError::Derive { .. } => "schema/derive",
            SchemaError::Pack { .. } => "schema/pack",
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> String {
        match self {
            SchemaError::Read { .. } => "check the path and its permissions".into(),
            SchemaError::Derive { .. } => "write a schema file by hand and pass it beside the model".into(),
            SchemaError::Pack { .. } => "check the values against the schema first".into(),
            _ => "a schema is {\"version\": 1, \"name\": .., \"features\": [{\"name\", \"unit\", \"decimals\", \"min\", \"max\"}]}; see the README".into(),
        }
    }
}
