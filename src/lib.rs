//! `zkml-evm`: from an ONNX model to a halo2 proof of inference, a Solidity verifier, and its settlement on an EVM chain.
//!
//! ```text
//! model.onnx --model--> Graph --quant--> Program --circuit--> Layout --proof--> keys, proof
//!                                                                  \--verifier--> InferenceVerifier.sol --chain--> loan
//! ```
//!
//! Rooms, ground to top; a room imports only from those before it:
//! [`error`], [`model`] and [`gates`], [`op`], [`quant`], [`circuit`], [`proof`], [`verifier`], [`chain`], [`artifact`], [`cli`].

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo, clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod artifact;
pub mod chain;
pub mod circuit;
pub mod cli;
pub mod error;
pub mod gates;
pub mod model;
pub mod op;
pub mod proof;
pub mod quant;
pub mod verifier;
