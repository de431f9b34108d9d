//! `manifest.json`: what an artifact folder holds. It carries a checksum of itself, and one of every other file.

use super::{ArtifactError, names};
use crate::{
    chain::bindings::IInferenceRouter::{self as OnChain, Registration, Statement},
    circuit::{Objective, Plan, statement::PublicValue},
    op::InputMode,
    quant::{OutputChoice, Report, Score},
};
use alloy::primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::Path};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/artifacts";
/// The only version of the format.
pub const VERSION: u32 = 1;

/// One file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its hash.
    pub sha256: B256,
    /// Its length.
    pub bytes: u64,
}

/// The report's headline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportSummary {
    /// Calibration rows.
    pub rows: usize,
    /// Largest difference against the float model, in the score's unit; text, so that it reads back as it was written.
    pub max_error: String,
    /// Mean difference.
    pub mean_error: String,
    /// Decisions that the integers change; absent where nothing is decided.
    pub decisions_changed: Option<usize>,
}

impl ReportSummary {
    /// The headline of a report.
    pub fn of(report: &Report) -> Self {
        let error = report.score_error;
        let decisions_changed = report.decisions.as_ref().map(|d| d.changed);
        let (max_error, mean_error) = (format!("{:.3e}", error.max), format!("{:.3e}", error.mean));
        Self { rows: report.rows, max_error, mean_error, decisions_changed }
    }
}

/// What is true of the model, whatever files it lies in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The identity on chain.
    pub model_id: B256,
    /// The ONNX file's name.
    pub model_file: String,
    /// The ONNX file's hash; absent where weights are private, as guesses of them could be tested against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_sha256: Option<B256>,
    /// The commitment to the weights, where they are private.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_commitment: Option<B256>,
    /// Inputs of one proof.
    pub items: usize,
    /// The feature schema's identity.
    pub schema_id: B256,
    /// `insecure-dev`, or `ceremony <name>.<power>.<hash>`.
    pub srs: String,
    /// Hash of the part of the SRS that a verifier depends on.
    pub srs_digest: B256,
    /// How the input enters the statement.
    pub input: InputMode,
    /// What becomes public.
    pub output: OutputChoice,
    /// What the output numbers are.
    pub score: Score,
    /// What the plan makes small.
    pub objective: Objective,
    /// The circuit's widths.
    pub plan: Plan,
    /// The public values, in order.
    pub statement: Vec<PublicValue>,
    /// Bytes of every proof.
    pub proof_bytes: usize,
    /// Accuracy.
    pub report: ReportSummary,
}

impl Facts {
    /// The form of the statement, as a router keeps it.
    pub fn form(&self) -> Statement {
        let input = match self.input {
            InputMode::Committed => OnChain::InputMode::Committed,
            InputMode::Public => OnChain::InputMode::Public,
            InputMode::Private => OnChain::InputMode::Private,
        };
        let output = match self.output {
            OutputChoice::Reveal => OnChain::OutputMode::Reveal,
            OutputChoice::Threshold => OnChain::OutputMode::Threshold,
            OutputChoice::Argmax => OnChain::OutputMode::Argmax,
        };
        // In a batch each name has its item before it.
        let is_output = |value: &&PublicValue| {
            let name = value.name.rsplit('.').next().unwrap_or_default();
            name == "threshold" || name == "class" || name.starts_with("output")
        };
        // More than 65,535 public values cannot be verified on any chain; the router refuses 0.
        let outputs = u16::try_from(self.statement.iter().filter(is_output).count()).unwrap_or_default();
        Statement { input, output, outputs }
    }

    /// What the owner of a router approves: this model behind a verifier of this code.
    pub fn registration(&self, family: &str, verifier: Address, codehash: B256) -> Registration {
        Registration { familyId: keccak256(family), verifier, codehash, statement: self.form() }
    }
}

/// The compiled contract's headline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractFacts {
    /// The compiler's version.
    pub solc: String,
    /// Bytes of code on chain.
    pub runtime_size: usize,
    /// The family whose code it calls, after `--split-key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<B256>,
}

/// What a kind of folder is for, as its manifest states it.
pub trait Stated: Clone + Serialize + DeserializeOwned {
    /// Marks the file.
    const FORMAT: &'static str;
    /// What the file is called in errors.
    const KIND: &'static str;
    /// Every file that it may list.
    const LISTED: &'static [&'static str];
    /// The latest version of the format.
    const LATEST: u32;

    /// The version that states it.
    fn version(&self) -> u32;

    /// What is known of it beyond its types.
    ///
    /// # Errors
    /// What is wrong, in words.
    fn checked(self) -> Result<Self, String>;
}

impl Stated for Facts {
    const FORMAT: &'static str = FORMAT;
    const KIND: &'static str = "manifest";
    const LISTED: &'static [&'static str] = &names::LISTED;
    const LATEST: u32 = VERSION;

    fn version(&self) -> u32 {
        VERSION
    }

    fn checked(self) -> Result<Self, String> {
        Ok(self)
    }
}

/// The whole file, whatever the folder is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sealed<F> {
    /// [`Stated::FORMAT`].
    pub format: String,
    /// [`Stated::version`].
    pub version: u32,
    /// The version of zkml-evm that wrote it.
    pub tool: String,
    /// What the folder is for.
    #[serde(flatten)]
    pub facts: F,
    /// Absent after `--no-compile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractFacts>,
    /// Every other file of the folder.
    pub files: BTreeMap<String, FileEntry>,
    /// sha256 of this file's compact JSON with the checksum zero.
    pub checksum: B256,
}

/// The manifest of a model's folder.
pub type Manifest = Sealed<Facts>;

impl<F: Stated> Sealed<F> {
    /// A manifest with its checksum.
    pub fn new(facts: F, contract: Option<ContractFacts>, files: BTreeMap<String, FileEntry>) -> Self {
        let (format, tool, version) = (F::FORMAT.to_owned(), env!("CARGO_PKG_VERSION").to_owned(), facts.version());
        let manifest = Self { format, version, tool, facts, contract, files, checksum: B256::ZERO };
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
        let malformed = |problem: String| ArtifactError::Malformed { path: path.into(), kind: F::KIND, problem };
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        if value["format"] != F::FORMAT {
            return Err(malformed(format!("its format is {}, expected \"{}\"", value["format"], F::FORMAT)));
        }
        match value["version"].as_u64() {
            Some(version) if (1..=u64::from(F::LATEST)).contains(&version) => {}
            Some(got) => return Err(ArtifactError::Version { path: path.into(), expected: F::LATEST, got }),
            None => return Err(malformed("it has no version".into())),
        }
        let manifest: Self = serde_json::from_value(value).map_err(|e| malformed(e.to_string()))?;
        let (expected, got) = (manifest.own_checksum(), manifest.checksum);
        if expected != got {
            return Err(malformed(format!("its own checksum does not match (stated {got}, computed {expected})")));
        }
        let manifest = Self { facts: manifest.facts.checked().map_err(malformed)?, ..manifest };
        let (expected, got) = (manifest.facts.version(), manifest.version);
        if expected != got {
            return Err(malformed(format!("its version is {got}, and what it states is of version {expected}")));
        }
        match manifest.files.keys().find(|name| !F::LISTED.contains(&name.as_str())) {
            Some(name) => Err(malformed(format!("it lists {name:?}, which is no file of such a folder"))),
            None => Ok(manifest),
        }
    }
}

/// The hash of a file's bytes.
pub fn sha256(bytes: &[u8]) -> B256 {
    B256::from_slice(&Sha256::digest(bytes))
}
