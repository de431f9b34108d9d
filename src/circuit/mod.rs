//! From an integer program to rows: the plan (widths and k), the statement, the layout, and the halo2 circuit.

pub mod build;
pub mod commitment;
mod demand;
pub mod drawing;
pub mod error;
pub mod layout;
pub mod memory;
pub mod plan;
pub mod pooling;
pub mod statement;

pub use build::InferenceCircuit;
pub use error::CircuitError;
pub use layout::{Item, PrivateWeights, Witness, lay_out, lay_out_checked};
pub use memory::Memory;
pub use plan::{Objective, Plan, plan};
pub use statement::Statement;
