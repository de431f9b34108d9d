//! `deployments/<chainId>.json`: what is deployed where, written by this client only.
//!
//! A record is written before its transaction is sent, and again when it is mined. A run that is interrupted in
//! between finds the hash here and waits for that transaction instead of sending another.

use super::deploy::Source;
use super::error::ChainError;
use crate::proof::unfinished;
use alloy::primitives::{Address, B256, TxHash};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

const FORMAT: &str = "zkml-evm/deployments";
const VERSION: u32 = 1;
/// A contract takes half a kilobyte.
const MAX_BYTES: u64 = 4 << 20;

/// SRS provenance of everything made from a locally generated SRS.
pub const INSECURE_DEV: &str = "insecure-dev";

/// What contracts are recorded under.
pub mod label {
    /// The registry of approved models.
    pub const ROUTER: &str = "InferenceRouter";
    /// The registry of attestors.
    pub const ATTESTATIONS: &str = "InputAttestation";
    /// The lending pool.
    pub const LENDING: &str = "LendingThreshold";
    /// The worthless token of local chains.
    pub const TOKEN: &str = "MockERC20";
    /// The owner of the others, where it is a timelock of ours.
    pub const TIMELOCK: &str = "GuardedTimelock";

    /// The name of every aggregate's verifier.
    pub const AGGREGATE_VERIFIER: &str = "AggregateVerifier";

    /// A model's verifier; a chain holds one per model.
    pub fn verifier(model_id: &alloy::primitives::B256) -> String {
        format!("InferenceVerifier-{}", &alloy::hex::encode(model_id)[..8])
    }

    /// The code that the verifiers of a family of models call.
    pub fn family(family_id: &alloy::primitives::B256) -> String {
        format!("FamilyVerifier-{}", &alloy::hex::encode(family_id)[..16])
    }

    /// An aggregate's verifier; a chain holds one per aggregate.
    pub fn aggregate(aggregate_id: &alloy::primitives::B256) -> String {
        format!("{AGGREGATE_VERIFIER}-{}", &alloy::hex::encode(aggregate_id)[..8])
    }
}

/// One contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// The contract's name, such as `InferenceRouter`.
    pub name: String,
    pub address: Address,
    /// keccak256 of the code on chain; absent until the transaction is mined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codehash: Option<B256>,
    /// The model that a verifier is for, or the aggregate: a router gives no id to both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<B256>,
    /// Of a verifier: `insecure-dev`, or the ceremony's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srs: Option<String>,
    /// The transaction that created it; absent where the contract was found already there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx: Option<TxHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// Of what has an owner: who decides over it, as it was deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governance: Option<Governance>,
}

/// Who decides over a contract, who can stop it, and how long a decision takes: its constructor's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Governance {
    /// The owner; of a timelock the account that schedules and executes.
    pub owner: Address,
    /// Zero for nobody.
    pub guardian: Address,
    /// Seconds: of a router between a model's registration and its first verification, of a timelock between scheduling and execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    format: String,
    version: u32,
    chain_id: u64,
    contracts: BTreeMap<String, Deployment>,
}

/// The record of one chain. Opened for writing it is locked against other processes until it is dropped.
#[derive(Debug)]
pub struct Registry {
    record: Record,
    path: Option<PathBuf>,
    _lock: Option<File>,
}

impl Registry {
    /// A record that is not kept, for a chain that ends with this process.
    pub fn in_memory(chain_id: u64) -> Self {
        Self { record: Record::new(chain_id), path: None, _lock: None }
    }

    /// Opens `<folder>/<chainId>.json` for writing; a missing file is an empty record.
    ///
    /// # Errors
    /// [`ChainError::RegistryForeign`], [`ChainError::RegistryVersion`] and [`ChainError::RegistryChain`] for files that
    /// are not this chain's record, [`ChainError::RegistryBusy`], [`ChainError::File`]. The file is never overwritten then.
    pub fn open(folder: &Path, chain_id: u64) -> Result<Self, ChainError> {
        let path = folder.join(format!("{chain_id}.json"));
        std::fs::create_dir_all(folder).map_err(|e| file_error(folder, e))?;
        let lock_path = folder.join(format!(".{chain_id}.lock"));
        let lock = File::create(&lock_path).map_err(|e| file_error(&lock_path, e))?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => ChainError::RegistryBusy { path: path.clone() },
            TryLockError::Error(e) => file_error(&lock_path, e),
        })?;
        Ok(Self { record: read(&path, chain_id)?, path: Some(path), _lock: Some(lock) })
    }

    /// Reads the record of a chain without the right to write it, and without waiting for one who writes.
    pub fn view(folder: &Path, chain_id: u64) -> Result<Self, ChainError> {
        let record = read(&folder.join(format!("{chain_id}.json")), chain_id)?;
        Ok(Self { record, path: None, _lock: None })
    }

    /// The chain that this is the record of.
    pub fn chain_id(&self) -> u64 {
        self.record.chain_id
    }

    /// The contract recorded under a label.
    pub fn get(&self, label: &str) -> Option<&Deployment> {
        self.record.contracts.get(label)
    }

    /// All contracts by label, sorted.
    pub fn contracts(&self) -> impl Iterator<Item = (&str, &Deployment)> {
        self.record.contracts.iter().map(|(label, deployment)| (label.as_str(), deployment))
    }

    /// Records a contract and saves; the file is replaced in one step, so it is whole at any time.
    pub fn put(&mut self, label: &str, deployment: Deployment) -> Result<(), ChainError> {
        self.record.contracts.insert(label.to_owned(), deployment);
        self.save()
    }

    /// Keeps what a block explorer verifies a contract by, in `<folder>/<chainId>/`: `<label>.standard-json` as solc took it, and
    /// `<label>.verify.json` with the rest.
    pub fn keep(&self, label: &str, address: Address, source: &Source) -> Result<(), ChainError> {
        let Some(path) = &self.path else { return Ok(()) };
        let folder = path.with_extension("");
        std::fs::create_dir_all(&folder).map_err(|e| file_error(&folder, e))?;
        let rest = serde_json::json!({
            "address": address, "contract": source.contract, "compilerVersion": format!("v{}", source.compiler),
            "constructorArguments": source.arguments,
        });
        write(&folder.join(format!("{label}.standard-json")), source.input.as_ref())?;
        write(&folder.join(format!("{label}.verify.json")), &rest)
    }

    fn save(&self) -> Result<(), ChainError> {
        self.path.as_ref().map_or(Ok(()), |path| write(path, &self.record))
    }
}

/// Replaces a file in one step, so that it is whole at any time.
fn write(path: &Path, content: &impl Serialize) -> Result<(), ChainError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let (mut file, _unfinished) = unfinished::begin(|| tempfile::NamedTempFile::new_in(folder))?;
        serde_json::to_writer_pretty(&mut file, content)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        share(file.as_file())?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|e| file_error(path, e))
}

impl Record {
    fn new(chain_id: u64) -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION, chain_id, contracts: BTreeMap::new() }
    }
}

/// The record is meant for the repository: temporary files are born private, so it is opened to readers again.
fn share(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

fn file_error(path: &Path, error: std::io::Error) -> ChainError {
    ChainError::File { path: path.to_owned(), reason: error.to_string() }
}

fn read(path: &Path, chain_id: u64) -> Result<Record, ChainError> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Record::new(chain_id)),
        Err(e) => return Err(file_error(path, e)),
    }
    let foreign = |reason: String| ChainError::RegistryForeign { path: path.to_owned(), reason };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(foreign(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let json: Value = serde_json::from_slice(&bytes).map_err(|e| foreign(format!("it is not JSON: {e}")))?;
    if json.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(foreign(format!("its format is {}, expected \"{FORMAT}\"", json.get("format").unwrap_or(&Value::Null))));
    }
    match json.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(got) => return Err(ChainError::RegistryVersion { path: path.to_owned(), expected: VERSION, got }),
        None => return Err(foreign("it has no version".to_owned())),
    }
    let record: Record = serde_json::from_value(json).map_err(|e| foreign(e.to_string()))?;
    // They are printed, and name files.
    let plain = |text: &str| text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let clean = |known: &Deployment| plain(&known.name) && !known.srs.iter().any(|srs| srs.contains(char::is_control));
    if let Some((label, _)) = record.contracts.iter().find(|(label, known)| !plain(label) || !clean(known)) {
        return Err(foreign(format!("label, name or SRS of {label:?} are no plain text: letters, digits, - and _, at most 64")));
    }
    match record.chain_id == chain_id {
        true => Ok(record),
        false => Err(ChainError::RegistryChain { path: path.to_owned(), expected: chain_id, got: record.chain_id }),
    }
}
