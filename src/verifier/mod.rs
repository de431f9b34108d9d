//! The Solidity verifier: rendered from snark-verifier's protocol, compiled by whatever solc is at hand.

pub mod error;
mod evaluation;
mod expression;
mod memory;
mod names;
mod opening;
pub mod placeholder;
mod protocol;
pub mod render;
pub mod solc;
mod transcript;
mod yul;

pub use error::VerifierError;
pub use render::render;
pub use solc::{Compiled, Compiler};
