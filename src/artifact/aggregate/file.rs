//! `aggregate.json`: a proof of an aggregate with the statements of its slots. Strict: canonical scalars, exact lengths.

use crate::{
    artifact::{ArtifactError, package, proof_file::read_small, scalar},
    chain::attest::Context,
    proof::artifact::write_bytes,
};
use alloy::primitives::{B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/aggregate-proof";
/// The only version of the format.
pub const VERSION: u32 = 1;
const KIND: &str = "aggregate's proof file";

/// What stands in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlotStatement {
    /// The model that the slot takes.
    pub model_id: B256,
    /// What its context binds; absent in an empty slot, and where only the context itself is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// The proof's public values.
    pub public_inputs: Vec<B256>,
}

impl SlotStatement {
    /// Whether the slot says nothing: its context is 0.
    pub fn is_empty(&self) -> bool {
        self.public_inputs.first() == Some(&B256::ZERO)
    }

    /// The public values as contracts take them.
    pub fn integers(&self) -> Vec<U256> {
        self.public_inputs.iter().map(|word| U256::from_be_bytes(word.0)).collect()
    }
}

/// A proof of an aggregate, as it is handed around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AggregateFile {
    format: String,
    version: u32,
    /// The aggregate that it is of.
    pub aggregate_id: B256,
    /// What stands in each slot.
    pub slots: Vec<SlotStatement>,
    /// The accumulator and the outer proof, as the contract takes them.
    pub proof: Bytes,
    /// Where it was read from, for errors.
    #[serde(skip)]
    pub path: PathBuf,
}

impl AggregateFile {
    pub(super) fn new(aggregate_id: B256, slots: Vec<SlotStatement>, proof: Vec<u8>) -> Self {
        let (format, path) = (FORMAT.to_owned(), PathBuf::from("the proof"));
        Self { format, version: VERSION, aggregate_id, slots, proof: proof.into(), path }
    }

    /// The statements of all slots behind each other, as the verifier takes them.
    pub fn integers(&self) -> Vec<U256> {
        self.slots.iter().flat_map(SlotStatement::integers).collect()
    }

    /// Writes the file.
    pub fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        Ok(write_bytes(path, package::json(self, KIND)?.as_bytes(), false)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Foreign JSON, another version, values that are not canonical.
    pub fn load(path: &Path) -> Result<Self, ArtifactError> {
        let malformed = |problem| ArtifactError::Malformed { path: path.into(), kind: KIND, problem };
        let file: Self = serde_json::from_str(&read_small(path)?).map_err(|e| malformed(e.to_string()))?;
        if file.format != FORMAT {
            return Err(malformed(format!("its format is {:?}, expected {FORMAT:?}", file.format)));
        }
        if file.version != VERSION {
            return Err(ArtifactError::Version { path: path.into(), expected: VERSION, got: file.version.into() });
        }
        let mut words = file.slots.iter().flat_map(|slot| &slot.public_inputs);
        if let Some(word) = words.find(|word| scalar::from_word(word).is_none()) {
            return Err(malformed(format!("a public input is not below r: {word}")));
        }
        Ok(Self { path: path.into(), ..file })
    }
}
