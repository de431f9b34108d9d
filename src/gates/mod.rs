//! Ground floor of the circuit: columns, constraints and the assignment of rows. Nothing here knows of models.
//!
//! Every gate file has its formula above the constraint, the interval facts it relies on with the place that enforces them,
//! and the function that places its rows.

pub mod argmax;
pub mod border;
pub mod field;
pub mod fold;
pub mod function;
pub mod lookup;
pub mod maximum;
pub mod pool;
pub mod poseidon;
pub mod poseidon_params;
pub mod range;
pub mod rescale;
pub mod selector;
pub mod shape;
pub mod stack;
pub mod trace;
pub mod transcript_sponge;
pub mod walk;

pub use selector::Selector;
pub use shape::{Columns, Shape};
pub use stack::Stack;
pub use trace::{Cell, Trace, TraceError};
pub use walk::Steps;
