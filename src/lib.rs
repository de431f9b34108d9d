//! `zkml-evm`: from an ONNX model to a halo2 proof of inference, a Solidity verifier, and its settlement on an EVM chain.
//!
//! ```text
//! model.onnx --model--> Graph --quant--> Program --circuit--> Layout --proof--> keys, proof
//!                                                                  \--verifier--> InferenceVerifier.sol --chain--> loan
//! ```
//!
//! The whole road up to a checked proof:
//!
//! ```
//! use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
//! use rand::rngs::OsRng;
//! use std::path::Path;
//! use zkml_evm::{
//!     circuit::{Objective, Witness, plan},
//!     model,
//!     op::InputMode,
//!     proof::{Keys, Srs, prove, verify},
//!     quant::{Options, OutputChoice, Precision, Schema, ThresholdScale, calibrate, input},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/credit");
//! let graph = model::load(&example.join("credit_mlp.onnx"))?;
//! let schema = Schema::load(&example.join("credit_schema.json"))?;
//! let options = Options { input: InputMode::Committed, output: OutputChoice::Threshold, precision: Precision::default() };
//! let program = calibrate(&graph, &schema, &options)?.program;
//! let plan = plan(&program, Objective::Balanced)?;
//!
//! let srs = Srs::development(plan.shape.k); // insecure: for local chains only
//! let keys = Keys::generate(&program, plan.shape, &srs)?;
//!
//! let applicant = input::one(&schema, &std::fs::read_to_string(example.join("applicants/alice.json"))?)?;
//! let threshold = ThresholdScale::of(&program)?.from_probability("0.75")?;
//! let (context, salt) = (Fr::from(1), Fr::random(OsRng)); // on chain, the consumer contract recomputes the context
//! let witness = Witness::new(&program, &applicant, context, Some(salt), Some(threshold))?;
//! let proof = prove(&program, &keys, &srs, &witness)?;
//! verify(&keys, &srs, &witness.statement.instances(), &proof)?;
//! # Ok(())
//! # }
//! ```
//!
//! Rooms, ground to top; a room imports only from those before it:
//! [`error`], [`model`] and [`gates`], [`op`], [`quant`], [`circuit`] and [`outer`], [`proof`], [`aggregate`], [`verifier`], [`chain`], [`artifact`], [`service`], [`cli`].

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo, clippy::print_stdout)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod aggregate;
pub mod artifact;
pub mod chain;
pub mod circuit;
pub mod cli;
pub mod error;
pub mod gates;
pub mod model;
pub mod op;
pub mod outer;
pub mod proof;
pub mod quant;
pub mod service;
pub mod verifier;
