//! `proof.json`: a proof with its public values and what its context binds. Strict: canonical scalars, exact lengths.

use super::{ArtifactError, package, scalar};
use crate::{
    chain::attest::Context,
    proof::{Purpose, artifact::write_bytes},
};
use alloy::primitives::{B256, Bytes, U256};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/proof";
/// The version of files of proofs for a contract, which name no purpose.
pub const VERSION: u32 = 1;
/// The version of files of proofs for aggregation; what reads the first version only must not take them for the others.
pub const AGGREGATION_VERSION: u32 = 2;
const KIND: &str = "proof file";
/// Larger files are refused before they are read.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// What a proof is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A call of a consumer contract; a context is the hash of these.
    Call(Context),
    /// A context computed elsewhere.
    Context(U256),
}

impl Binding {
    /// The first public value.
    ///
    /// # Errors
    /// A given context of r or above.
    pub fn instance(&self) -> Result<Fr, ArtifactError> {
        let value = match self {
            Self::Call(context) => context.instance(),
            Self::Context(value) => *value,
        };
        scalar::from_word(&value.to_be_bytes().into()).ok_or_else(|| ArtifactError::Statement {
            problem: format!("takes a context below the field's order, got {value:#x}"),
        })
    }
}

pub(super) fn is_chain(purpose: &Purpose) -> bool {
    *purpose == Purpose::Chain
}

/// The version of files of proofs and of aggregates.
pub(super) fn version_of(purpose: Purpose) -> u32 {
    match purpose {
        Purpose::Chain => VERSION,
        Purpose::Aggregation => AGGREGATION_VERSION,
    }
}

/// A proof, as it is handed around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofFile {
    format: String,
    version: u32,
    /// Who verifies it; by its version.
    #[serde(rename = "for", default, skip_serializing_if = "is_chain")]
    pub purpose: Purpose,
    /// The model that it is of.
    pub model_id: B256,
    /// What the context binds; absent where only the context itself is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// The instances, in the statement's order.
    pub public_inputs: Vec<B256>,
    /// The EVM encoding.
    pub proof: Bytes,
    /// Where it was read from, for errors.
    #[serde(skip)]
    pub path: PathBuf,
}

impl ProofFile {
    pub(super) fn new(purpose: Purpose, model_id: B256, binding: Binding, instances: &[Fr], proof: Vec<u8>) -> Self {
        let context = match binding {
            Binding::Call(context) => Some(context),
            Binding::Context(_) => None,
        };
        let public_inputs = instances.iter().map(scalar::to_word).collect();
        let (format, path) = (FORMAT.to_owned(), PathBuf::from("the proof"));
        let version = version_of(purpose);
        Self { format, version, purpose, model_id, context, public_inputs, proof: proof.into(), path }
    }

    /// The instances as field elements.
    ///
    /// # Errors
    /// A value of r or above.
    pub fn instances(&self) -> Result<Vec<Fr>, ArtifactError> {
        let canonical = |(i, word): (usize, &B256)| {
            scalar::from_word(word).ok_or_else(|| self.malformed(format!("public input {i} is not below r: {word}")))
        };
        self.public_inputs.iter().enumerate().map(canonical).collect()
    }

    /// The instances as contracts take them.
    pub fn integers(&self) -> Vec<U256> {
        self.public_inputs.iter().map(|word| U256::from_be_bytes(word.0)).collect()
    }

    /// The input commitment, where the statement has one at its second place.
    pub fn input_commitment(&self) -> Option<B256> {
        self.public_inputs.get(1).copied()
    }

    /// Writes the file.
    pub fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        Ok(write_bytes(path, package::json(self, KIND)?.as_bytes(), false)?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Foreign JSON, another version, non-canonical values, a context that is not the hash of its parts.
    pub fn load(path: &Path) -> Result<Self, ArtifactError> {
        Self::parse(&read_small(path)?, path)
    }

    /// [`ProofFile::load`] for a use that takes proofs of one purpose only.
    ///
    /// # Errors
    /// As there; [`ArtifactError::Purpose`] for a proof made for another.
    pub fn load_for(purpose: Purpose, path: &Path) -> Result<Self, ArtifactError> {
        let file = Self::load(path)?;
        match file.purpose == purpose {
            true => Ok(file),
            false => Err(ArtifactError::Purpose { path: file.path, expected: purpose, got: file.purpose }),
        }
    }

    /// Reads the text of a file; `path` is for errors.
    ///
    /// # Errors
    /// As [`ProofFile::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ArtifactError> {
        let malformed = |problem| ArtifactError::Malformed { path: path.into(), kind: KIND, problem };
        let file: Self = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        let file = Self { path: path.into(), ..file };
        if file.format != FORMAT {
            return Err(malformed(format!("its format is {:?}, expected {FORMAT:?}", file.format)));
        }
        if ![VERSION, AGGREGATION_VERSION].contains(&file.version) {
            return Err(ArtifactError::Version { path: path.into(), expected: AGGREGATION_VERSION, got: file.version.into() });
        }
        if file.version != version_of(file.purpose) {
            return Err(malformed(format!("its version is {}, and it is for {}", file.version, file.purpose)));
        }
        file.instances()?;
        check_context(file.context.as_ref(), file.model_id, &file.public_inputs).map_err(malformed)?;
        Ok(file)
    }

    fn malformed(&self, problem: String) -> ArtifactError {
        ArtifactError::Malformed { path: self.path.clone(), kind: KIND, problem }
    }
}

/// A context is of its model, and the first public value is its hash.
pub(super) fn check_context(context: Option<&Context>, model_id: B256, public_inputs: &[B256]) -> Result<(), String> {
    let Some(context) = context else { return Ok(()) };
    if context.model_id != model_id {
        return Err(format!("its context names model {}, the file {model_id}", context.model_id));
    }
    match public_inputs.first() == Some(&B256::from(context.instance())) {
        true => Ok(()),
        false => Err("its first public input is not the hash of its context".into()),
    }
}

/// Reads a text file of bounded size.
pub(crate) fn read_small(path: &Path) -> Result<String, ArtifactError> {
    read_limited(path, MAX_FILE_BYTES)
}

/// Reads a text file of at most `limit` bytes.
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<String, ArtifactError> {
    let failed = |source| ArtifactError::Io { doing: "read", path: path.into(), source };
    let malformed = |problem| ArtifactError::Malformed { path: path.into(), kind: "text file", problem };
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(malformed(format!("it is larger than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".into()))
}
