//! The Solidity verifier: rendered from snark-verifier's protocol, compiled by whatever solc is at hand.

pub mod error;
pub mod render;
pub mod solc;

pub use error::VerifierError;
pub use render::render;
pub use solc::{Compiled, Compiler};
