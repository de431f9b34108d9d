//! `manifest.json` of an aggregate's folder.

use super::names;
use crate::{
    artifact::{
        ArtifactError,
        manifest::{ContractFacts, FileEntry, sha256},
    },
    circuit::statement::PublicValue,
    outer::Widths,
    verifier::aggregate::Slot,
};
use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::Path};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/aggregate";
/// The only version of the format.
pub const VERSION: u32 = 1;

/// What one slot takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlotFacts {
    /// The model.
    pub model_id: B256,
    /// Its public values, in order.
    pub statement: Vec<PublicValue>,
    /// The commitment to its weights, where they are private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_commitment: Option<B256>,
}

impl SlotFacts {
    /// As the contract has it.
    pub fn slot(&self) -> Slot {
        Slot { model_id: self.model_id, layout: self.statement.clone(), weights: self.model_commitment }
    }
}

/// What is true of the aggregate, whatever files it lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregateFacts {
    /// The identity on chain.
    pub aggregate_id: B256,
    /// What each slot takes.
    pub slots: Vec<SlotFacts>,
    /// The outer circuit's widths.
    pub widths: Widths,
    /// Rows of its layout that are taken.
    pub rows: usize,
    /// `insecure-dev`, or `ceremony <name>.<power>.<hash>`.
    pub srs: String,
    /// Hash of the part of the SRS that a verifier depends on.
    pub srs_digest: B256,
    /// Bytes of every proof, accumulator included.
    pub proof_bytes: usize,
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregateManifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The version of zkml-evm that wrote it.
    pub tool: String,
    /// The aggregate.
    #[serde(flatten)]
    pub facts: AggregateFacts,
    /// Absent after `--no-compile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractFacts>,
    /// Every other file of the folder.
    pub files: BTreeMap<String, FileEntry>,
    /// sha256 of this file's compact JSON with the checksum zero.
    pub checksum: B256,
}

impl AggregateManifest {
    /// A manifest with its checksum.
    pub fn new(facts: AggregateFacts, contract: Option<ContractFacts>, files: BTreeMap<String, FileEntry>) -> Self {
        let (format, tool) = (FORMAT.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let manifest = Self { format, version: VERSION, tool, facts, contract, files, checksum: B256::ZERO };
        Self { checksum: manifest.own_checksum(), ..manifest }
    }

    fn own_checksum(&self) -> B256 {
        // A struct of texts, numbers and string-keyed maps always serialises.
        let bytes = serde_json::to_vec(&Self { checksum: B256::ZERO, ..self.clone() }).unwrap_or_default();
        sha256(&bytes)
    }

    /// Reads and checks the text of a manifest; `path` is for errors.
    ///
    /// # Errors
    /// Foreign JSON, another version, an edited or damaged file.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ArtifactError> {
        let malformed = |problem: String| ArtifactError::Malformed { path: path.into(), kind: "aggregate's manifest", problem };
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        if value["format"] != FORMAT {
            return Err(malformed(format!("its format is {}, expected \"{FORMAT}\"", value["format"])));
        }
        match value["version"].as_u64() {
            Some(version) if version == u64::from(VERSION) => {}
            Some(got) => return Err(ArtifactError::Version { path: path.into(), expected: VERSION, got }),
            None => return Err(malformed("it has no version".into())),
        }
        let manifest: Self = serde_json::from_value(value).map_err(|e| malformed(e.to_string()))?;
        let (expected, got) = (manifest.own_checksum(), manifest.checksum);
        if expected != got {
            return Err(malformed(format!("its own checksum does not match (stated {got}, computed {expected})")));
        }
        if !manifest.facts.widths.is_sound() || manifest.facts.slots.is_empty() {
            return Err(malformed("it has no slots, or widths of no outer circuit".into()));
        }
        match manifest.files.keys().find(|name| !names::LISTED.contains(&name.as_str())) {
            Some(name) => Err(malformed(format!("it lists {name:?}, which is no file of an aggregate's folder"))),
            None => Ok(manifest),
        }
    }
}
