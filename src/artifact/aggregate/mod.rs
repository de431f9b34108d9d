//! Aggregates on disk: the folder that `gen-verifier --aggregate` makes of several models' folders, and the file that `aggregate` makes of their
//! proofs.
//!
//! ```text
//! Folder, Folder, ... --Aggregator::generate--> Aggregator --save--> folder
//! ProofFile, ProofFile, ... --Aggregator::aggregate--> AggregateFile
//! ```

mod aggregator;
mod file;
mod folder;
mod manifest;
mod slots;

pub use aggregator::Aggregator;
pub use file::{AggregateFile, SlotStatement};
pub use folder::{AggregateFolder, save};
pub use manifest::{AggregateFacts, AggregateManifest, SlotFacts};
pub use slots::{ModelSlots, empty_proof};

/// Names of the files in an aggregate's folder.
pub mod names {
    /// What the folder holds, with checksums.
    pub const MANIFEST: &str = "manifest.json";
    /// What the outer circuit repeats.
    pub const RECORDING: &str = "recording.bin";
    /// The structured reference string.
    pub const SRS: &str = "srs.bin";
    /// The outer circuit's proving key.
    pub const KEY: &str = "pk.bin";
    /// The proofs that fill empty slots, one for each model that has one.
    pub const EMPTY: &str = "empty.json";
    /// The verifier's source.
    pub const SOLIDITY: &str = "AggregateVerifier.sol";
    /// The compiled verifier; absent after `--no-compile`.
    pub const CONTRACT: &str = "AggregateVerifier.json";
    /// Every file that a manifest may list.
    pub const LISTED: [&str; 6] = [RECORDING, SRS, KEY, EMPTY, SOLIDITY, CONTRACT];
}
