//! `aggregate.json`: a proof of an aggregate with the statements of its slots. Strict: canonical scalars, exact lengths.

use crate::{
    artifact::{
        ArtifactError, package,
        proof_file::{check_context, is_chain, read_small, version_of},
        scalar,
    },
    chain::attest::Context,
    proof::{Purpose, artifact::write_bytes},
};
use alloy::primitives::{B256, Bytes, U256};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/aggregate-proof";
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
    /// Who verifies it; by its version, which is that of a proof file for the same purpose.
    #[serde(rename = "for", default, skip_serializing_if = "is_chain")]
    pub purpose: Purpose,
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
    pub(super) fn new(purpose: Purpose, aggregate_id: B256, slots: Vec<SlotStatement>, proof: Vec<u8>) -> Self {
        let (format, path, version) = (FORMAT.to_owned(), PathBuf::from("the proof"), version_of(purpose));
        Self { format, version, purpose, aggregate_id, slots, proof: proof.into(), path }
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
    /// Foreign JSON, another version, values that are not canonical, a context that is not the hash of its parts.
    pub fn load(path: &Path) -> Result<Self, ArtifactError> {
        Self::parse(&read_small(path)?, path)
    }

    /// [`AggregateFile::load`] for a use that takes aggregates of one purpose only.
    ///
    /// # Errors
    /// As there; [`ArtifactError::Purpose`] for one made for another.
    pub fn load_for(purpose: Purpose, path: &Path) -> Result<Self, ArtifactError> {
        let file = Self::load(path)?;
        match file.purpose == purpose {
            true => Ok(file),
            false => Err(ArtifactError::Purpose { path: file.path, expected: purpose, got: file.purpose }),
        }
    }

    /// Reads the text of a file; `path` is for errors.
    ///
    /// # Errors
    /// As [`AggregateFile::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ArtifactError> {
        let malformed = |problem| ArtifactError::Malformed { path: path.into(), kind: KIND, problem };
        let file: Self = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        if file.format != FORMAT {
            return Err(malformed(format!("its format is {:?}, expected {FORMAT:?}", file.format)));
        }
        let versions = [Purpose::Chain, Purpose::Aggregation].map(version_of);
        if !versions.contains(&file.version) {
            return Err(ArtifactError::Version { path: path.into(), expected: versions[1], got: file.version.into() });
        }
        if file.version != version_of(file.purpose) {
            return Err(malformed(format!("its version is {}, and it is for {}", file.version, file.purpose)));
        }
        for (at, slot) in file.slots.iter().enumerate() {
            let of_slot = |problem: String| malformed(format!("slot {at}: {problem}"));
            if let Some(word) = slot.public_inputs.iter().find(|word| scalar::from_word(word).is_none()) {
                return Err(of_slot(format!("a public input is not below r: {word}")));
            }
            check_context(slot.context.as_ref(), slot.model_id, &slot.public_inputs).map_err(of_slot)?;
        }
        Ok(Self { path: path.into(), ..file })
    }
}
