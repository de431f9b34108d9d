//! An aggregate's keys made anew out of what stands below it: what whoever approves an aggregate has to know, and its folder alone cannot show.

use super::{
    Aggregator,
    below::Below,
    folder::AggregateFolder,
    manifest::{AggregateFacts, Branch},
};
use crate::artifact::{ArtifactError, names};
use alloy::primitives::B256;
use std::path::{Path, PathBuf};

impl AggregateFolder {
    /// Makes the outer circuit of `folders` anew, those of the models and, for a tree, of the aggregates below, which are made anew themselves;
    /// everything that the manifest states must come out of it, the id among it.
    ///
    /// # Errors
    /// [`ArtifactError::Slots`] where a folder is missing, [`ArtifactError::Foreign`] where something else comes out; those of opening them.
    pub fn remade(&self, folders: &[PathBuf], tell: &dyn Fn(&'static str)) -> Result<(), ArtifactError> {
        let aggregator = self.aggregator()?;
        let known =
            folders.iter().map(|path| Ok((path.clone(), Below::open(path)?))).collect::<Result<Vec<_>, ArtifactError>>()?;
        remade(&aggregator, self.path(), &known, tell)
    }
}

/// An id is a hash of keys that hold what is below, so that nothing stands below itself once its id was made anew: this ends.
fn remade(
    aggregator: &Aggregator,
    path: &Path,
    known: &[(PathBuf, Below)],
    tell: &dyn Fn(&'static str),
) -> Result<(), ArtifactError> {
    let facts = &aggregator.facts;
    let mut below: Vec<&(PathBuf, Below)> = Vec::new();
    for id in facts.branches.iter().map(Branch::id) {
        if below.iter().all(|(_, other)| other.branch().id() != id) {
            below.push(find(known, id)?);
        }
    }
    let parts: Vec<Below> = below.iter().map(|(_, below)| below.clone()).collect();
    let count = facts.branches.len() / parts.len().max(1);
    let again = Aggregator::without_empty(&parts, count, facts.widths.stack, Some(&aggregator.srs), &|_| Ok(()), tell)?;
    same(&again.facts, facts, path)?;
    for (path, below) in below {
        if let Below::Aggregate(below) = below {
            remade(below, path, known, tell)?;
        }
    }
    Ok(())
}

fn find(known: &[(PathBuf, Below)], id: B256) -> Result<&(PathBuf, Below), ArtifactError> {
    let missing = || ArtifactError::Slots { problem: format!("no folder is given of {id}, which has a slot") };
    known.iter().find(|(_, below)| below.branch().id() == id).ok_or_else(missing)
}

/// The id says nothing of layouts and weights, which the contract is rendered with.
fn same(made: &AggregateFacts, stated: &AggregateFacts, folder: &Path) -> Result<(), ArtifactError> {
    let foreign = |what, expected: String, got: String| {
        Err(ArtifactError::Foreign { path: folder.join(names::MANIFEST), what, expected, got })
    };
    match (made.aggregate_id == stated.aggregate_id, made == stated) {
        (true, true) => Ok(()),
        (false, _) => foreign("the aggregate id", made.aggregate_id.to_string(), stated.aggregate_id.to_string()),
        (true, false) => foreign("what it states of its slots", format!("{:?}", made.slots), format!("{:?}", stated.slots)),
    }
}
