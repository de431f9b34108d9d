//! From a float graph to an integer program with exact meaning.

pub mod batch;
pub mod calibrate;
pub mod calibrate_error;
pub mod decimal;
pub mod derive;
pub mod document;
pub mod draft;
pub mod error;
pub mod input;
pub mod input_error;
pub mod interpret;
pub mod logarithm;
pub mod private;
pub mod program;
pub mod range;
pub mod report;
pub mod scale;
pub mod schema;
pub mod schema_error;
pub mod structure;
pub mod threshold;

pub use batch::batch;
pub use calibrate::{Calibrated, Options, OutputChoice, Score, calibrate, calibrate_on};
pub use calibrate_error::CalibrateError;
pub use decimal::Decimal;
pub use derive::{Derived, derive};
pub use error::QuantError;
pub use input_error::InputError;
pub use interpret::{Run, run, run_with};
pub use private::{Private, privatise};
pub use program::{Hidden, Node, Precision, Program};
pub use range::Checked;
pub use report::Report;
pub use schema::{Feature, Rounding, Schema};
pub use schema_error::SchemaError;
pub use threshold::{ThresholdError, ThresholdScale};
