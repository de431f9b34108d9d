//! What stands a level below an aggregate: a model, or another aggregate, with the keys of its proofs.

use super::{
    Aggregator, Part,
    folder::AggregateFolder,
    manifest::{Branch, SlotFacts},
    slots::empty_proof,
};
use crate::{
    aggregate::Inner,
    artifact::{ArtifactError, Folder, Prover},
    proof::{Purpose, protocol::protocol},
};
use alloy::primitives::B256;
use std::path::Path;

/// What an aggregate's branch takes proofs of.
#[derive(Clone, Debug)]
pub enum Below {
    /// A model.
    Model(Box<Prover>),
    /// An aggregate, whose proofs for aggregation have a transcript of their own and the same keys.
    Aggregate(Box<Aggregator>),
}

impl Below {
    /// Opens a folder of either kind.
    ///
    /// # Errors
    /// As [`Folder::prover`] and [`AggregateFolder::aggregator`].
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        match AggregateFolder::is_one(path) {
            true => Ok(Self::Aggregate(Box::new(AggregateFolder::open(path)?.aggregator()?))),
            false => Ok(Self::Model(Box::new(Folder::open_to_prove(path)?.prover()?))),
        }
    }

    pub(super) fn branch(&self) -> Branch {
        match self {
            Self::Model(prover) => Branch::Model(prover.facts.model_id),
            Self::Aggregate(below) => Branch::Aggregate { id: below.facts.aggregate_id, slots: below.facts.slots.len() },
        }
    }

    pub(super) fn slots(&self) -> Vec<SlotFacts> {
        match self {
            Self::Model(prover) => {
                let (model_id, model_commitment) = (prover.facts.model_id, prover.facts.model_commitment);
                vec![SlotFacts { model_id, statement: prover.facts.statement.clone(), model_commitment }]
            }
            Self::Aggregate(below) => below.facts.slots.clone(),
        }
    }

    pub(super) fn srs_digest(&self) -> B256 {
        match self {
            Self::Model(prover) => prover.facts.srs_digest,
            Self::Aggregate(below) => below.facts.srs_digest,
        }
    }

    /// How its proofs are verified.
    ///
    /// # Errors
    /// An SRS smaller than its keys.
    pub(super) fn inner(&self) -> Result<Inner, ArtifactError> {
        Ok(match self {
            Self::Model(prover) => Inner { protocol: protocol(&prover.keys, &prover.srs)?, accumulates: false },
            Self::Aggregate(below) => Inner { protocol: below.keys.protocol(&below.srs)?, accumulates: true },
        })
    }

    /// A proof of it that says nothing: of an aggregate whose slots are all empty. `None` where one of them cannot be.
    ///
    /// # Errors
    /// Those of proving.
    pub(super) fn empty(&self) -> Result<Option<Part>, ArtifactError> {
        match self {
            Self::Model(prover) => Ok(empty_proof(prover)?.map(Part::Proof)),
            Self::Aggregate(below) if below.kinds().iter().all(|kind| kind.may_be_empty) => {
                below.aggregate(Purpose::Aggregation, &[], &|_| ()).map(|file| Some(Part::Aggregate(file)))
            }
            Self::Aggregate(_) => Ok(None),
        }
    }
}
