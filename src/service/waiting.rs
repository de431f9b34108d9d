//! Proofs that wait. A file's name says its statement, so that one statement waits once, whatever names it was handed in under.

use super::{
    ServiceError,
    handed_in::HandedIn,
    incoming,
    places::{io, names},
};
use crate::artifact::aggregate::Part;
use alloy::primitives::{B256, hex, keccak256};
use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

/// A proof that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its file's name in `waiting/`.
    pub file: String,
    /// The name that it was handed in under.
    pub name: String,
    /// See [`statement`].
    pub statement: B256,
    /// Its model or aggregate.
    pub kind: B256,
    /// When it was accepted.
    pub since: SystemTime,
}

/// keccak256 of the model's or aggregate's id and the public values: what must not be proven twice. Without the id, a proof of one model
/// would keep out another's of the same words.
pub fn statement(proof: &Part) -> B256 {
    keccak256([&[proof.id()], &proof.words()[..]].concat().concat())
}

/// The name in `waiting/` of what was handed in as `name`.
pub fn file_name(statement: &B256, name: &str) -> String {
    format!("{}.{name}", hex::encode(statement))
}

/// The inverse of [`file_name`].
pub fn parts(file: &str) -> Option<(B256, &str)> {
    let (statement, name) = file.split_once('.')?;
    Some((hex::decode(statement).ok()?.try_into().map(|bytes: [u8; 32]| B256::from(bytes)).ok()?, name))
}

/// Those in the folder. They were checked before they came there, and are again before they are proven.
pub fn scan(folder: &Path, longest: usize) -> Result<BTreeMap<B256, Waiting>, ServiceError> {
    let mut found = BTreeMap::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        let damaged = |problem: String| ServiceError::Damaged { path: path.clone(), problem };
        let file = name.into_string().map_err(|_| damaged("its name is not one of ours".into()))?;
        let (named, name) = parts(&file).ok_or_else(|| damaged("its name is not one of ours".into()))?;
        let proof = load(&path, named, longest)?;
        let since = fs::metadata(&path).and_then(|found| found.modified()).map_err(io("read", &path))?;
        let waiting = Waiting { name: name.into(), statement: named, kind: proof.id(), since, file: file.clone() };
        if let Some(other) = found.insert(named, waiting) {
            return Err(damaged(format!("it has the same statement as {}", other.file)));
        }
    }
    Ok(found)
}

/// A proof that waits, or waited; it must still say what its name says.
pub fn load(path: &Path, expected: B256, longest: usize) -> Result<Part, ServiceError> {
    let proof = HandedIn::parse(&incoming::read(path, longest)?, path)?.part;
    let got = statement(&proof);
    match got == expected {
        true => Ok(proof),
        false => {
            Err(ServiceError::Damaged { path: path.into(), problem: format!("its statement is {got}, expected {expected}") })
        }
    }
}
