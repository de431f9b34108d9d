//! What can be wrong with an input or calibration file. No message shows more of the data than the value at fault.

use crate::error::{ExitCode, Explain};

/// Every refusal of input data.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be opened or is not text.
    #[error("cannot read the input {path}: {source}")]
    Read {
        /// The path as given.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Beyond the documented size.
    #[error("the input is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Not JSON, or not one of the two documents.
    #[error("not an input document: {problem}")]
    Syntax {
        /// What is wrong, with line and column where known.
        problem: String,
    },
    /// Lists within lists beyond the limit.
    #[error("row {row} is nested more than {limit} levels deep")]
    TooDeep {
        /// The row.
        row: usize,
        /// The limit.
        limit: usize,
    },
    /// Values beyond the limit.
    #[error("the input has more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The number of rows is wrong.
    #[error("the input has {got} rows, expected {expected}")]
    Rows {
        /// Rows found.
        got: usize,
        /// How many are needed.
        expected: &'static str,
    },
    /// A row has the wrong number of values.
    #[error("row {row} has {got} values, the schema has {expected} features")]
    Length {
        /// The row.
        row: usize,
        /// Values found.
        got: usize,
        /// Features of the schema.
        expected: usize,
    },
    /// NaN, infinity, a text, a boolean, null, a list.
    #[error("row {row}, feature `{feature}`: {got} is not a finite number")]
    NotANumber {
        /// The row.
        row: usize,
        /// The feature's name, or its position.
        feature: String,
        /// What stands there.
        got: String,
    },
    /// Features of the schema that the document does not give.
    #[error("missing features: {names}")]
    Missing {
        /// Their names.
        names: String,
    },
    /// A name that the schema does not know.
    #[error("unknown feature `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The names that the schema knows.
        known: String,
    },
    /// A name given twice.
    #[error("feature `{name}` is given twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A value outside the schema's range.
    #[error("row {row}: feature `{feature}` is {value}{unit}, the schema's range is {range}{unit}")]
    OutOfRange {
        /// The row.
        row: usize,
        /// The feature.
        feature: String,
        /// The value as written.
        value: String,
        /// A space and the unit, or nothing.
        unit: String,
        /// The range in the feature's unit.
        range: String,
    },
}

impl Explain for InputError {
    fn code(&self) -> &'static str {
        match self {
            InputError::Read { .. } => "input/read",
            InputError::TooLarge { .. } => "input/too-large",
            InputError::Syntax { .. } => "input/syntax",
            InputError::TooDeep { .. } => "input/too-deep",
            InputError::TooMany { .. } => "input/too-many",
            InputError::Rows { .. } => "input/rows",
            InputError::Length { .. } => "input/length",
            InputError::NotANumber { .. } => "input/not-a-number",
            InputError::Missing { .. } => "input/missing-feature",
            InputError::Unknown { .. } => "input/unknown-feature",
            InputError::Duplicate { .. } => "input/duplicate-feature",
            InputError::OutOfRange { .. } => "input/out-of-range",
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> String {
        match self {
            InputError::Read { .. } => "check the path and its permissions".into(),
            InputError::TooMany { .. } => "calibrate on fewer samples".into(),
            InputError::Unknown { known, .. } => format!("the schema's features are: {known}"),
            InputError::OutOfRange { .. } => {
                "check the unit; if the value is right, widen the schema's range and generate the verifier again".into()
            }
            InputError::Length { .. } | InputError::Missing { .. } | InputError::Duplicate { .. } => {
                "give every feature of the schema once".into()
            }
            _ => "write {\"features\": {\"name\": number, ..}} or EZKL's {\"input_data\": [[number, ..]]}".into(),
        }
    }
}
