//! From a float graph to an integer program with exact meaning.

pub mod decimal;
pub mod derive;
pub mod document;
pub mod error;
pub mod input;
pub mod input_error;
pub mod interpret;
pub mod program;
pub mod range;
pub mod schema;
pub mod schema_error;

pub use decimal::Decimal;
pub use derive::{Derived, derive};
pub use error::QuantError;
pub use input_error::InputError;
pub use interpret::{Run, run};
pub use program::{Node, Precision, Program};
pub use schema::{Feature, Rounding, Schema};
pub use schema_error::SchemaError;
