//! `proof.json`: a proof with its public values and what its context binds. Strict: canonical scalars, exact lengths.

use super::{ArtifactError, package, scalar};
use crate::{chain::attest::Context, proof::artifact::write_bytes};
use alloy::primitives::{B256, Bytes, U256};
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/proof";
/// The only version of the format.
pub const VERSION: u32 = 1;
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

/// A proof, as it is handed around.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofFile {
    format: String,
    version: u32,
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
    pub(super) fn new(model_id: B256, binding: Binding, instances: &[Fr], proof: Vec<u8>) -> Self {
        let context = match binding {
            Binding::Call(context) => Some(context),
            Binding::Context(_) => None,
        };
        let public_inputs = instances.iter().map(scalar::to_word).collect();
        let (format, path) = (FORMAT.to_owned(), PathBuf::from("the proof"));
        Self { format, version: VERSION, model_id, context, public_inputs, proof: proof.into(), path }
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

    fn parse(text: &str, path: &Path) -> Result<Self, ArtifactError> {
        let malformed = |problem| ArtifactError::Malformed { path: path.into(), kind: KIND, problem };
        let file: Self = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
        let file = Self { path: path.into(), ..file };
        if file.format != FORMAT {
            return Err(malformed(format!("its format is {:?}, expected {FORMAT:?}", file.format)));
        }
        if file.version != VERSION {
            return Err(ArtifactError::Version { path: path.into(), expected: VERSION, got: file.version.into() });
        }
        let instances = file.instances()?;
        if let Some(context) = &file.context {
            if context.model_id != file.model_id {
                return Err(malformed(format!("its context names model {}, the file {}", context.model_id, file.model_id)));
            }
            if instances.first() != Some(&Binding::Call(*context).instance()?) {
                return Err(malformed("its first public input is not the hash of its context".into()));
            }
        }
        Ok(file)
    }

    fn malformed(&self, problem: String) -> ArtifactError {
        ArtifactError::Malformed { path: self.path.clone(), kind: KIND, problem }
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
