//! The Solidity verifier: rendered from snark-verifier's protocol, compiled by whatever solc is at hand.

mod accumulator;
pub mod aggregate;
mod checks;
mod denominators;
pub mod error;
mod evaluation;
mod expression;
pub mod labels;
mod memory;
mod names;
mod opening;
pub mod placeholder;
mod protocol;
pub mod render;
mod sections;
pub mod solc;
pub mod split;
mod transcript;
mod yul;

pub use error::VerifierError;
pub use labels::Labels;
pub use render::render;
pub use solc::{Compiled, Compiler};
