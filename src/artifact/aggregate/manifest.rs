//! `manifest.json` of an aggregate's folder.

use super::names;
use crate::{
    artifact::manifest::{Sealed, Stated},
    circuit::statement::PublicValue,
    outer::Widths,
    verifier::aggregate::Slot,
};
use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/aggregate";
/// The version where every slot takes a model's proof.
pub const VERSION: u32 = 1;
/// The version where slots are of aggregates, which programs of the first know nothing of.
pub const TREE_VERSION: u32 = 2;

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

/// What one proof that the outer circuit verifies is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Branch {
    /// A model: its proof is that of one slot.
    Model(B256),
    /// Another aggregate: its proof is that of all its slots.
    Aggregate {
        /// Its identity.
        id: B256,
        /// How many slots it has.
        slots: usize,
    },
}

impl Branch {
    /// Of the model or aggregate.
    pub fn id(&self) -> B256 {
        match self {
            Self::Model(id) | Self::Aggregate { id, .. } => *id,
        }
    }

    /// Slots that one proof of it is of.
    pub fn slots(&self) -> usize {
        match self {
            Self::Model(_) => 1,
            Self::Aggregate { slots, .. } => *slots,
        }
    }

    fn is_model(&self) -> bool {
        matches!(self, Self::Model(_))
    }
}

fn all_models(branches: &[Branch]) -> bool {
    branches.iter().all(Branch::is_model)
}

/// What is true of the aggregate, whatever files it lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregateFacts {
    /// The identity on chain.
    pub aggregate_id: B256,
    /// What each slot takes: those of a model, whatever levels are between.
    pub slots: Vec<SlotFacts>,
    /// What the outer circuit verifies, in the order of the slots; in the file only where it is anything else than a proof for each slot.
    #[serde(default, skip_serializing_if = "all_models")]
    pub branches: Vec<Branch>,
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

impl AggregateFacts {
    /// Each branch with its slots.
    pub fn parts(&self) -> impl Iterator<Item = (Branch, &[SlotFacts])> {
        let mut rest = &self.slots[..];
        self.branches.iter().map(move |branch| {
            let (own, others) = rest.split_at(branch.slots().min(rest.len()));
            rest = others;
            (*branch, own)
        })
    }
}

/// The whole file.
pub type AggregateManifest = Sealed<AggregateFacts>;

impl Stated for AggregateFacts {
    const FORMAT: &'static str = FORMAT;
    const KIND: &'static str = "aggregate's manifest";
    const LISTED: &'static [&'static str] = &names::LISTED;
    const LATEST: u32 = TREE_VERSION;

    fn version(&self) -> u32 {
        if all_models(&self.branches) { VERSION } else { TREE_VERSION }
    }

    fn checked(mut self) -> Result<Self, String> {
        if !self.widths.is_sound() || self.slots.is_empty() {
            return Err("it has no slots, or widths of no outer circuit".into());
        }
        if self.branches.is_empty() {
            self.branches = self.slots.iter().map(|slot| Branch::Model(slot.model_id)).collect();
        }
        let slots = self.branches.iter().try_fold(0_usize, |sum, branch| sum.checked_add(branch.slots()));
        if slots != Some(self.slots.len()) || self.branches.iter().any(|branch| branch.slots() == 0) {
            return Err(format!("its branches do not have its {} slots", self.slots.len()));
        }
        let other = self.parts().find(|(branch, slots)| branch.is_model() && slots[0].model_id != branch.id());
        match other.map(|(branch, _)| branch.id()) {
            Some(model) => Err(format!("a slot takes another model than its branch, {model}")),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(branches: &[Branch]) -> AggregateFacts {
        let slot = |n| SlotFacts { model_id: B256::repeat_byte(n), statement: Vec::new(), model_commitment: None };
        AggregateFacts {
            aggregate_id: B256::ZERO,
            slots: [1, 2, 1].map(slot).to_vec(),
            branches: branches.to_vec(),
            widths: Widths::default(),
            rows: 1,
            srs: "insecure-dev".into(),
            srs_digest: B256::ZERO,
            proof_bytes: 0,
        }
    }

    fn read(branches: &[Branch]) -> Result<AggregateManifest, String> {
        let text = serde_json::to_string(&AggregateManifest::new(facts(branches), None, Default::default())).unwrap();
        assert_eq!(text.contains("branches"), branches.iter().any(|branch| !branch.is_model()));
        AggregateManifest::parse(&text, "m".as_ref()).map_err(|e| e.to_string())
    }

    #[test]
    fn branches_are_of_the_slots_and_a_file_without_them_has_a_model_for_each() {
        let [one, two] = [1, 2].map(B256::repeat_byte);
        let models = [one, two, one].map(Branch::Model);
        let manifest = read(&models).unwrap();
        assert_eq!((manifest.version, &manifest.facts.branches[..]), (VERSION, &models[..]));
        let below = |slots| Branch::Aggregate { id: B256::repeat_byte(9), slots };
        let manifest = read(&[Branch::Model(one), below(2)]).unwrap();
        assert_eq!(manifest.version, TREE_VERSION);
        let parts: Vec<_> = manifest.facts.parts().map(|(branch, slots)| (branch.id(), slots.len())).collect();
        assert_eq!(parts, [(one, 1), (B256::repeat_byte(9), 2)]);
        for wrong in [vec![below(2)], vec![below(4)], vec![below(3), below(0)], vec![below(usize::MAX), below(4)]] {
            assert!(read(&wrong).unwrap_err().contains("do not have its 3 slots"), "{wrong:?}");
        }
        assert!(read(&[Branch::Model(two), below(2)]).unwrap_err().contains("another model"));
    }

    #[test]
    fn a_tree_is_not_of_the_first_version() {
        let branches = [Branch::Aggregate { id: B256::ZERO, slots: 3 }];
        let manifest =
            AggregateManifest { version: VERSION, ..AggregateManifest::new(facts(&branches), None, Default::default()) };
        let resealed = AggregateManifest { checksum: B256::ZERO, ..manifest };
        let checksum = crate::artifact::manifest::sha256(&serde_json::to_vec(&resealed).unwrap());
        let text = serde_json::to_string(&AggregateManifest { checksum, ..resealed }).unwrap();
        assert!(AggregateManifest::parse(&text, "m".as_ref()).unwrap_err().to_string().contains("of version 2"));
    }
}
