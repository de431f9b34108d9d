//! What goes into a branch: a model's proof, or an aggregate's, whose statement is that of all its slots.

use super::file::{AggregateFile, FORMAT, SlotStatement};
use crate::{
    artifact::{ArtifactError, ProofFile, proof_file::read_small, scalar},
    proof::Purpose,
};
use alloy::primitives::{B256, Bytes};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::Serialize;
use std::path::Path;

/// A proof that can be aggregated, by its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Part {
    /// Of a model.
    Proof(ProofFile),
    /// Of an aggregate.
    Aggregate(AggregateFile),
}

impl Part {
    /// Reads a file of either kind, which is what its `format` says.
    ///
    /// # Errors
    /// As [`ProofFile::load`] and [`AggregateFile::load`].
    pub fn load(path: &Path) -> Result<Self, ArtifactError> {
        Self::parse(&read_small(path)?, path)
    }

    /// [`Part::load`] of one that is for aggregation.
    ///
    /// # Errors
    /// As there; [`ArtifactError::Purpose`] for a proof made for a chain.
    pub fn load_for_aggregation(path: &Path) -> Result<Self, ArtifactError> {
        let part = Self::load(path)?;
        part.must_be_for_aggregation().map(|()| part)
    }

    /// Reads the text of a file; `path` is for errors.
    ///
    /// # Errors
    /// As [`Part::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ArtifactError> {
        let value: Result<serde_json::Value, _> = serde_json::from_str(text);
        match value.is_ok_and(|value| value["format"] == FORMAT) {
            true => AggregateFile::parse(text, path).map(Self::Aggregate),
            false => ProofFile::parse(text, path).map(Self::Proof),
        }
    }

    /// Of its model or aggregate.
    pub fn id(&self) -> B256 {
        match self {
            Self::Proof(file) => file.model_id,
            Self::Aggregate(file) => file.aggregate_id,
        }
    }

    /// Where it was read from, for errors.
    pub fn path(&self) -> &Path {
        match self {
            Self::Proof(file) => &file.path,
            Self::Aggregate(file) => &file.path,
        }
    }

    /// Of an aggregate's proof the accumulator comes first.
    pub fn proof(&self) -> &Bytes {
        match self {
            Self::Proof(file) => &file.proof,
            Self::Aggregate(file) => &file.proof,
        }
    }

    /// What it says, by slot.
    pub fn slots(&self) -> Vec<SlotStatement> {
        match self {
            Self::Proof(file) => {
                let (model_id, context, public_inputs) = (file.model_id, file.context, file.public_inputs.clone());
                vec![SlotStatement { model_id, context, public_inputs }]
            }
            Self::Aggregate(file) => file.slots.clone(),
        }
    }

    /// The public values of all slots behind each other.
    pub fn words(&self) -> Vec<B256> {
        match self {
            Self::Proof(file) => file.public_inputs.clone(),
            Self::Aggregate(file) => file.slots.iter().flat_map(|slot| slot.public_inputs.iter().copied()).collect(),
        }
    }

    /// The same as field elements.
    ///
    /// # Errors
    /// A value of r or above.
    pub fn instances(&self) -> Result<Vec<Fr>, ArtifactError> {
        let canonical = |word: &B256| {
            scalar::from_word(word).ok_or_else(|| {
                let problem = format!("a public input is not below r: {word}");
                ArtifactError::Malformed { path: self.path().into(), kind: "proof file", problem }
            })
        };
        self.words().iter().map(canonical).collect()
    }

    /// # Errors
    /// [`ArtifactError::Purpose`].
    pub(super) fn must_be_for_aggregation(&self) -> Result<(), ArtifactError> {
        let got = match self {
            Self::Proof(file) => file.purpose,
            Self::Aggregate(file) => file.purpose,
        };
        match got {
            Purpose::Aggregation => Ok(()),
            Purpose::Chain => Err(ArtifactError::Purpose { path: self.path().into(), expected: Purpose::Aggregation, got }),
        }
    }
}
