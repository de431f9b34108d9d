//! The folder that is watched, and whose it is.

use super::ServiceError;
use crate::proof::artifact::write_bytes;
use alloy::primitives::B256;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

const FORMAT: &str = "zkml-evm/aggregator";
const VERSION: u32 = 1;
/// Our own small files are shorter: a group of 128 slots has some 40 kB.
const MAX_OWN_FILE: u64 = 16 << 20;
/// What `write_bytes` calls a file that is not finished.
const UNFINISHED: &str = ".zkml-evm-";

/// Names of what stands in a group's folder.
pub const ENTRY: &str = "group.json";
/// The aggregate in a group's folder.
pub const AGGREGATE: &str = "aggregate.json";

/// Says which aggregate a folder is for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Owner {
    format: String,
    version: u32,
    aggregate_id: B256,
}

/// The folder, locked.
#[derive(Debug)]
pub struct Places {
    root: PathBuf,
    _lock: File,
}

impl Places {
    /// Makes what is missing, and takes away what a killed process left unfinished.
    ///
    /// # Errors
    /// [`ServiceError::Busy`], [`ServiceError::OtherAggregate`], [`ServiceError::Io`].
    pub fn open(root: &Path, aggregate_id: B256) -> Result<Self, ServiceError> {
        fs::create_dir_all(root).map_err(io("create", root))?;
        let path = root.join("lock");
        let lock = File::options().read(true).append(true).create(true).open(&path).map_err(io("write", &path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => ServiceError::Busy { path: path.clone() },
            TryLockError::Error(source) => ServiceError::Io { doing: "lock", path: path.clone(), source },
        })?;
        let places = Self { root: root.into(), _lock: lock };
        places.belongs_to(aggregate_id)?;
        clean(root)?;
        for folder in ["incoming", "waiting", "groups", "done", "refused"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(io("create", &path))?;
            if folder != "incoming" {
                clean(&path)?;
            }
        }
        Ok(places)
    }

    fn belongs_to(&self, expected: B256) -> Result<(), ServiceError> {
        let path = self.root.join("aggregator.json");
        let Some(owner) = read_json::<Owner>(&path)? else {
            let owner = Owner { format: FORMAT.into(), version: VERSION, aggregate_id: expected };
            return write_json(&path, &owner);
        };
        match owner.aggregate_id {
            _ if owner.format != FORMAT || owner.version != VERSION => {
                Err(ServiceError::Damaged { path, problem: format!("expected {FORMAT} version {VERSION}") })
            }
            got if got != expected => Err(ServiceError::OtherAggregate { path, expected, got }),
            _ => Ok(()),
        }
    }

    pub fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    pub fn waiting(&self) -> PathBuf {
        self.root.join("waiting")
    }

    pub fn groups(&self) -> PathBuf {
        self.root.join("groups")
    }

    pub fn done(&self) -> PathBuf {
        self.root.join("done")
    }

    pub fn refused(&self) -> PathBuf {
        self.root.join("refused")
    }

    pub fn status(&self) -> PathBuf {
        self.root.join("status.json")
    }

    pub fn metrics(&self) -> PathBuf {
        self.root.join("metrics.prom")
    }
}

/// Names in a folder, in the order of their bytes, without hidden ones.
pub fn names(folder: &Path) -> Result<Vec<OsString>, ServiceError> {
    let entries = fs::read_dir(folder).map_err(io("read", folder))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(io("read", folder))?.file_name();
        if !name.as_encoded_bytes().starts_with(b".") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Takes away files that were never finished.
pub fn clean(folder: &Path) -> Result<(), ServiceError> {
    for entry in fs::read_dir(folder).map_err(io("read", folder))? {
        let entry = entry.map_err(io("read", folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
            gone(fs::remove_file(entry.path()), "remove", &entry.path())?;
        }
    }
    Ok(())
}

/// Whether there is anything of this name, be it a link to nowhere.
pub fn exists(path: &Path) -> Result<bool, ServiceError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(io("read", path)(source)),
    }
}

/// A file of our own; `None` where there is none.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ServiceError> {
    let mut text = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_OWN_FILE).read_to_end(&mut text).map_err(io("read", path))?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io("read", path)(source)),
    };
    let damaged = |e: serde_json::Error| ServiceError::Damaged { path: path.into(), problem: e.to_string() };
    serde_json::from_slice(&text).map(Some).map_err(damaged)
}

/// Writes a file of our own, whole or not at all.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ServiceError> {
    let damaged = |e: serde_json::Error| ServiceError::Damaged { path: path.into(), problem: e.to_string() };
    let text = serde_json::to_string_pretty(value).map_err(damaged)? + "\n";
    Ok(write_bytes(path, text.as_bytes(), false)?)
}

/// The same for a text.
pub fn write_text(path: &Path, text: &str) -> Result<(), ServiceError> {
    Ok(write_bytes(path, text.as_bytes(), false)?)
}

/// What is gone already need not be taken away.
pub fn gone(outcome: std::io::Result<()>, doing: &'static str, path: &Path) -> Result<(), ServiceError> {
    match outcome {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(io(doing, path)),
    }
}

pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ServiceError + use<> {
    let path = path.to_path_buf();
    move |source| ServiceError::Io { doing, path, source }
}
