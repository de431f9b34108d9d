//! Groups: which proofs are aggregated together, and the entry that says so before the work begins.

use super::{ServiceError, waiting::Waiting};
use crate::artifact::aggregate::KindSlots;
use alloy::primitives::{B256, hex, keccak256};
use serde::{Deserialize, Serialize};
use std::{
    path::Path,
    time::{Duration, SystemTime},
};

const FORMAT: &str = "zkml-evm/group";
const VERSION: u32 = 1;

/// A proof of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its file's name, in `waiting/` and then in the group's folder.
    pub file: String,
    /// The hash of its public values.
    pub statement: B256,
}

/// `group.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    format: String,
    version: u32,
    /// The aggregate.
    pub aggregate_id: B256,
    /// The proofs, in the order of their slots.
    pub proofs: Vec<Member>,
}

impl Entry {
    /// An entry of some proofs.
    pub fn new(aggregate_id: B256, members: &[Waiting]) -> Self {
        let member = |of: &Waiting| Member { file: of.file.clone(), statement: of.statement };
        Self { format: FORMAT.into(), version: VERSION, aggregate_id, proofs: members.iter().map(member).collect() }
    }

    /// The group's name: the same proofs make the same group.
    pub fn id(&self) -> String {
        let mut statements: Vec<B256> = self.proofs.iter().map(|member| member.statement).collect();
        statements.sort();
        hex::encode(keccak256([self.aggregate_id.to_vec(), statements.concat()].concat()))
    }

    /// Statements, and the names that they were handed in under.
    pub fn members(&self) -> impl Iterator<Item = (B256, String)> {
        let name =
            |member: &Member| super::waiting::parts(&member.file).map_or_else(|| member.file.clone(), |(_, name)| name.into());
        self.proofs.iter().map(move |member| (member.statement, name(member)))
    }

    /// Checks what was read; `path` is for errors.
    ///
    /// # Errors
    /// An entry of another group or aggregate, or with names that are not ours.
    pub fn check(self, path: &Path, id: &str, expected: B256) -> Result<Self, ServiceError> {
        let named = |member: &Member| super::waiting::parts(&member.file).map(|(statement, _)| statement);
        let problem = if self.format != FORMAT || self.version != VERSION {
            format!("expected {FORMAT} version {VERSION}, got {} version {}", self.format, self.version)
        } else if self.id() != id {
            format!("it is of group {}, expected {id}", self.id())
        } else if let Some(member) = self.proofs.iter().find(|m| named(m) != Some(m.statement) || m.file.contains('/')) {
            format!("it names {:?}, which is no file of ours", member.file)
        } else if self.aggregate_id != expected {
            return Err(ServiceError::OtherAggregate { path: path.into(), expected, got: self.aggregate_id });
        } else {
            return Ok(self);
        };
        Err(ServiceError::Damaged { path: path.into(), problem })
    }
}

/// The next group: the oldest proofs of each model or aggregate, when they fill all slots or when one of them has waited long enough.
pub fn form(kinds: &[KindSlots], waiting: &[Waiting], patience: Duration, now: SystemTime) -> Option<Vec<Waiting>> {
    let mut oldest: Vec<&Waiting> = waiting.iter().collect();
    oldest.sort_by_key(|proof| (proof.since, &proof.file));
    let (mut taken, mut full) = (Vec::new(), true);
    for kind in kinds {
        let before = taken.len();
        taken.extend(oldest.iter().filter(|proof| proof.kind == kind.kind).take(kind.count).map(|&proof| proof.clone()));
        let all = taken.len() - before == kind.count;
        // With private weights nothing but a proof of their owner fills a slot.
        if !all && !kind.may_be_empty {
            return None;
        }
        full &= all;
    }
    let waited = |proof: &Waiting| now.duration_since(proof.since).unwrap_or_default() >= patience;
    let due = !taken.is_empty() && (full || taken.iter().any(waited));
    due.then_some(taken)
}
