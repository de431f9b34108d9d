//! Groups that are done, as whoever sends their loans sees them: `settled.json` beside an aggregate says what became of it on the chain, and its
//! absence that something is left to do.

use super::{
    ServiceError,
    group::Entry,
    handed_in::{HandedIn, Papers},
    incoming,
    places::{self, AGGREGATE, ENTRY, io, names},
};
use crate::{artifact::aggregate::AggregateFile, chain::journal::sync_folder, proof::Purpose};
use alloy::primitives::B256;
use serde::{Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};

/// What became of a group.
const SETTLED: &str = "settled.json";

/// A group that is done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its name.
    pub id: String,
    folder: PathBuf,
}

/// Groups in `done/` of a folder that is watched, by name.
///
/// # Errors
/// A folder that cannot be read.
pub fn done(root: &Path) -> Result<Vec<Done>, ServiceError> {
    let folder = root.join("done");
    if !places::exists(&folder)? {
        return Ok(Vec::new());
    }
    let names = names(&folder)?.into_iter().filter_map(|name| name.into_string().ok());
    let known = names.map(|id| Done { folder: folder.join(&id), id });
    Ok(known.filter(|done| done.folder.join(AGGREGATE).is_file()).collect())
}

impl Done {
    /// Its aggregate, made for a contract.
    ///
    /// # Errors
    /// One that is not.
    pub fn aggregate(&self) -> Result<AggregateFile, ServiceError> {
        Ok(AggregateFile::load_for(Purpose::Chain, &self.folder.join(AGGREGATE))?)
    }

    /// A file in its folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The papers of its proofs that came with some, by their files in its folder, in the order of their slots. `aggregate_id` and `longest`
    /// are those that the folder is watched with.
    ///
    /// # Errors
    /// A file of our own that somebody changed.
    pub fn papers(&self, aggregate_id: B256, longest: usize) -> Result<Vec<(String, Papers)>, ServiceError> {
        let path = self.folder.join(ENTRY);
        let missing = || ServiceError::Damaged { path: path.clone(), problem: "it is gone".into() };
        let entry = places::read_json::<Entry>(&path)?.ok_or_else(missing)?.check(&path, &self.id, aggregate_id)?;
        let mut found = Vec::new();
        for member in entry.proofs {
            let path = self.folder.join(&member.file);
            let papers = HandedIn::parse(&incoming::read(&path, longest)?, &path)?.papers;
            found.extend(papers.map(|papers| (member.file, papers)));
        }
        Ok(found)
    }

    /// What became of it, where that is known.
    ///
    /// # Errors
    /// A file that somebody changed.
    pub fn settled<T: DeserializeOwned>(&self) -> Result<Option<T>, ServiceError> {
        places::read_json(&self.folder.join(SETTLED))
    }

    /// Writes down what became of it, for good.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn settle(&self, outcome: &impl Serialize) -> Result<(), ServiceError> {
        let path = self.folder.join(SETTLED);
        places::write_json(&path, outcome)?;
        sync_folder(&path).map_err(io("write", &path))
    }
}
