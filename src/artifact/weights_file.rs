//! `weights.json`: the weights of a private model, and the salt of their commitment. Secret: it is the model. It never lies in the
//! artifact folder, which goes to everybody.

use super::{ArtifactError, package, random_salt, scalar};
use crate::{
    circuit::{PrivateWeights, commitment},
    op::Weights,
    proof::artifact::write_bytes,
    quant::{Private, Program},
};
use alloy::primitives::B256;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/weights";
/// The only version of the format.
pub const VERSION: u32 = 1;
const KIND: &str = "file of private weights";
/// Larger files are refused before they are read: more weights than any circuit has rows.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// What opens the commitment to a model's weights.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WeightsFile {
    format: String,
    version: u32,
    /// What they commit to.
    pub model_commitment: B256,
    salt: B256,
    weights: Vec<i64>,
}

impl std::fmt::Debug for WeightsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WeightsFile({})", self.model_commitment)
    }
}

impl WeightsFile {
    /// Commits to the weights of a program under a fresh salt.
    ///
    /// # Errors
    /// A program without private weights.
    pub fn fresh(private: &Private) -> Result<Self, ArtifactError> {
        let salt = random_salt();
        let commitment = commitment::commit_weights(spec(&private.program)?, &private.values, salt);
        Ok(Self {
            format: FORMAT.into(),
            version: VERSION,
            model_commitment: scalar::to_word(&commitment),
            salt: scalar::to_word(&salt),
            // At most 48 bits each.
            weights: private.values.iter().map(|&v| v as i64).collect(),
        })
    }

    /// The weights as the circuit takes them.
    ///
    /// # Errors
    /// A salt of r or above.
    pub fn witness(&self) -> Result<PrivateWeights, ArtifactError> {
        let values = self.weights.iter().map(|&v| i128::from(v)).collect();
        let salt = scalar::from_word(&self.salt);
        let salt = salt.ok_or_else(|| malformed(Path::new("weights"), "the salt is not below r".into()))?;
        Ok(PrivateWeights { values, salt })
    }

    /// Writes the file, readable by its owner only. One that is there is left as it is: another model may depend on it.
    ///
    /// # Errors
    /// A path that is taken, or that cannot be written.
    pub fn save_new(&self, path: &Path) -> Result<(), ArtifactError> {
        if path.symlink_metadata().is_ok() {
            return Err(ArtifactError::Taken { path: path.into() });
        }
        Ok(write_bytes(path, package::json(self, KIND)?.as_bytes(), true)?)
    }

    /// Reads a file and checks that it opens `expected`, the commitment of the model's manifest, for `program`.
    ///
    /// # Errors
    /// Foreign JSON, another version, weights of another number or width, weights that do not open the commitment.
    pub fn load(path: &Path, program: &Program, expected: B256) -> Result<Self, ArtifactError> {
        let text = super::proof_file::read_limited(path, MAX_FILE_BYTES)?;
        let file: Self = serde_json::from_str(&text).map_err(|e| malformed(path, e.to_string()))?;
        if file.format != FORMAT {
            return Err(malformed(path, format!("its format is {:?}, expected {FORMAT:?}", file.format)));
        }
        if file.version != VERSION {
            return Err(ArtifactError::Version { path: path.into(), expected: VERSION, got: file.version.into() });
        }
        let spec = spec(program)?;
        let witness = file.witness()?;
        if witness.values.len() != spec.count || !witness.values.iter().all(|&v| spec.interval().contains(v)) {
            let problem = format!("expected {} weights of {} bits, got {}", spec.count, spec.bits, witness.values.len());
            return Err(malformed(path, problem));
        }
        let opened = scalar::to_word(&commitment::commit_weights(spec, &witness.values, witness.salt));
        for got in [opened, file.model_commitment] {
            if got != expected {
                let (expected, got) = (expected.to_string(), got.to_string());
                return Err(ArtifactError::Foreign { path: path.into(), what: "the model commitment", expected, got });
            }
        }
        Ok(file)
    }
}

fn spec(program: &Program) -> Result<&Weights, ArtifactError> {
    let problem = "is about fixed weights: there is no commitment to them".into();
    program.weights().ok_or(ArtifactError::Statement { problem })
}

fn malformed(path: &Path, problem: String) -> ArtifactError {
    ArtifactError::Malformed { path: path.into(), kind: KIND, problem }
}
