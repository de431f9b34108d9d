//! Aggregates on disk: the folder that `gen-verifier --aggregate` makes of several models' folders, and the file that `aggregate` makes of their
//! proofs.
//!
//! ```text
//! Below, Below, ... --Aggregator::generate--> Aggregator --save--> folder
//! Part, Part, ... --Aggregator::aggregate--> AggregateFile
//! ```
//!
//! An aggregate may stand below another: its slots are then that one's. What contracts see is always the slots of models; what the outer
//! circuit verifies are branches, each a model's proof or an aggregate's.

mod aggregator;
mod below;
mod file;
mod folder;
mod manifest;
mod part;
mod remade;
mod slots;

pub use aggregator::Aggregator;
pub use below::Below;
pub use file::{AggregateFile, SlotStatement};
pub use folder::{AggregateFolder, save};
pub use manifest::{AggregateFacts, AggregateManifest, Branch, SlotFacts};
pub use part::Part;
pub use slots::{KindSlots, empty_proof};

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
