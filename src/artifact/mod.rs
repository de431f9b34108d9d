//! What `gen-verifier` leaves behind and every other verb starts from: one folder, one manifest, checksums of all of it.
//!
//! ```text
//! Source (model, schema, rows) --quantise--> Quantised --generate--> Prover --verifier--> Package --save--> folder
//!                                                                       ^------------------ Folder::prover --/
//! ```
//!
//! The same steps as a library, on a model with one layer (`examples/credit` goes the same way):
//!
//! ```
//! use zkml_evm::artifact::{Binding, Prover, Quantised, Recipe, Source};
//!
//! let [model, data] = ["test/fixtures/onnx/linear.onnx", "test/fixtures/cli/linear.json"].map(std::path::Path::new);
//! let source = Source::read(model, data, None)?;
//! let recipe = Recipe::default();
//! let quantised = Quantised::new(&source, &recipe, None)?;
//! let prover = Prover::generate(&source, &quantised, &recipe)?;
//!
//! let row = source.rows[0].clone();
//! let threshold = quantised.run(&row)?.output()[0];
//! let context = Binding::Context(alloy::primitives::U256::from(7));
//! let salt = zkml_evm::artifact::random_salt();
//! let proof = prover.prove(&row, context, Some(salt), Some(threshold))?;
//! prover.verify(&proof)?;
//! assert!(prover.prove(&row, context, Some(salt), Some(threshold + 1)).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod aggregate;
pub mod compile;
pub mod contract;
pub mod error;
pub mod folder;
pub mod manifest;
pub mod opening;
pub mod package;
pub mod proof_file;
pub mod prover;
mod rebuild;
pub mod scalar;
pub mod staging;
pub mod verifier;
pub mod weights_file;

pub use compile::{Quantised, Recipe, Source, WeightsChoice};
pub use contract::Contract;
pub use error::ArtifactError;
pub use folder::Folder;
pub use manifest::Manifest;
pub use opening::Opening;
pub use package::Package;
pub use proof_file::{Binding, ProofFile};
pub use prover::Prover;
pub use rebuild::Rebuilt;
pub use scalar::random_salt;
pub use staging::Staging;
pub use verifier::FamilyCode;
pub use weights_file::WeightsFile;

/// Names of the files in an artifact folder.
pub mod names {
    /// What the folder holds, with checksums.
    pub const MANIFEST: &str = "manifest.json";
    /// The integer program with its plan.
    pub const PROGRAM: &str = "program.bin";
    /// The feature schema.
    pub const SCHEMA: &str = "schema.json";
    /// The structured reference string.
    pub const SRS: &str = "srs.bin";
    /// The proving key.
    pub const KEY: &str = "pk.bin";
    /// The verifier's source.
    pub const SOLIDITY: &str = "InferenceVerifier.sol";
    /// The compiled verifier; absent after `--no-compile`.
    pub const CONTRACT: &str = "InferenceVerifier.json";
    /// The source of the code that the verifier calls; there after `--split-key`.
    pub const FAMILY_SOLIDITY: &str = "FamilyVerifier.sol";
    /// That code, compiled.
    pub const FAMILY_CONTRACT: &str = "FamilyVerifier.json";
    /// The fixed-point report.
    pub const REPORT: &str = "report.json";
    /// Every file that a manifest may list.
    pub const LISTED: [&str; 9] = [PROGRAM, SCHEMA, SRS, KEY, SOLIDITY, CONTRACT, FAMILY_SOLIDITY, FAMILY_CONTRACT, REPORT];
}
