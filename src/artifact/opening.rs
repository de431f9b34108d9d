//! `opening.json`: what opens an input commitment. Secret: with it anybody reads the features.

use super::{ArtifactError, package, random_salt, scalar};
use crate::{circuit::commitment, op::InputMode, proof::artifact::write_bytes, quant::Schema};
use alloy::primitives::B256;
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Marks the file.
pub const FORMAT: &str = "zkml-evm/opening";
/// The only version of the format.
pub const VERSION: u32 = 1;
const KIND: &str = "opening of an input commitment";

/// Schema integers and salt behind a commitment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening {
    format: String,
    version: u32,
    /// The schema that the integers follow.
    pub schema_id: B256,
    /// One integer per feature.
    pub values: Vec<i64>,
    salt: B256,
    /// What they commit to.
    pub input_commitment: B256,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opening({})", self.input_commitment)
    }
}

impl Opening {
    /// Commits to a row of schema integers, in their ranges, under a fresh salt.
    ///
    /// # Errors
    /// A row that the schema does not admit.
    pub fn fresh(schema: &Schema, row: &[i128]) -> Result<Self, ArtifactError> {
        Self::new(schema, row, random_salt())
    }

    fn new(schema: &Schema, row: &[i128], salt: Fr) -> Result<Self, ArtifactError> {
        // The packing checks lengths and ranges, which the commitment takes for granted.
        schema.pack(row)?;
        let commitment = commitment::commit(&schema.input(InputMode::Committed), row, salt);
        Ok(Self {
            format: FORMAT.into(),
            version: VERSION,
            schema_id: schema.id().into(),
            // In the schema's ranges, which are i64.
            values: row.iter().map(|&v| v as i64).collect(),
            salt: scalar::to_word(&salt),
            input_commitment: scalar::to_word(&commitment),
        })
    }

    /// The salt as the circuit takes it.
    ///
    /// # Errors
    /// Bytes of r or above.
    pub fn salt(&self) -> Result<Fr, ArtifactError> {
        scalar::from_word(&self.salt).ok_or_else(|| malformed(Path::new("opening"), "the salt is not below r".into()))
    }

    /// The integers as the interpreter takes them.
    pub fn row(&self) -> Vec<i128> {
        self.values.iter().map(|&v| i128::from(v)).collect()
    }

    /// Writes the file, readable by its owner only.
    pub fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        Ok(write_bytes(path, package::json(self, KIND)?.as_bytes(), true)?)
    }

    /// Reads a file and checks that it opens its own commitment under `schema`.
    ///
    /// # Errors
    /// Foreign JSON, another version, an opening for another schema, values that do not open the commitment.
    pub fn load(path: &Path, schema: &Schema) -> Result<Self, ArtifactError> {
        let text = super::proof_file::read_small(path)?;
        let opening: Self = serde_json::from_str(&text).map_err(|e| malformed(path, e.to_string()))?;
        if opening.format != FORMAT {
            return Err(malformed(path, format!("its format is {:?}, expected {FORMAT:?}", opening.format)));
        }
        if opening.version != VERSION {
            let got = u64::from(opening.version);
            return Err(ArtifactError::Version { path: path.into(), expected: VERSION, got });
        }
        let foreign = |what, expected: B256, got: B256| ArtifactError::Foreign {
            path: path.into(),
            what,
            expected: expected.to_string(),
            got: got.to_string(),
        };
        let id = B256::from(schema.id());
        if opening.schema_id != id {
            return Err(foreign("the schema id", id, opening.schema_id));
        }
        let again = Self::new(schema, &opening.row(), opening.salt()?)?;
        match again.input_commitment == opening.input_commitment {
            true => Ok(opening),
            false => Err(foreign("the input commitment", again.input_commitment, opening.input_commitment)),
        }
    }
}

fn malformed(path: &Path, problem: String) -> ArtifactError {
    ArtifactError::Malformed { path: path.into(), kind: KIND, problem }
}
