//! From a float graph to an integer program with exact meaning.

pub mod error;
pub mod interpret;
pub mod program;
pub mod range;

pub use error::QuantError;
pub use interpret::{Run, run};
pub use program::{Node, Precision, Program};
