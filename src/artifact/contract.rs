//! `InferenceVerifier.json`: the compiled verifier.

use super::ArtifactError;
use crate::verifier::Compiled;
use alloy::primitives::Bytes;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A compiled contract as the folder keeps it: the layout of forge's files, as far as it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contract {
    /// Its name.
    pub contract_name: String,
    /// The compiler's version.
    pub solc: String,
    /// Bytes of code on chain, those of the contracts that its constructor deploys included.
    pub runtime_size: usize,
    /// Creation code.
    pub bytecode: Code,
    /// The interface.
    pub abi: serde_json::Value,
    /// solc's standard JSON that it comes from, where it was compiled in this run.
    #[serde(skip)]
    pub input: serde_json::Value,
}

/// Bytecode as solc nests it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The bytes.
    pub object: Bytes,
}

impl Contract {
    /// What solc gave.
    pub fn new(compiled: Compiled, solc: String) -> Self {
        let bytecode = Code { object: compiled.creation.into() };
        let (contract_name, runtime_size, abi, input) = (compiled.name, compiled.runtime_size, compiled.abi, compiled.input);
        Self { contract_name, solc, runtime_size, bytecode, abi, input }
    }

    /// The file's text.
    pub fn to_json(&self) -> Result<String, ArtifactError> {
        super::package::json(self, "compiled verifier")
    }

    /// Reads the file's text; `path` is for errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ArtifactError> {
        serde_json::from_str(text).map_err(|e| ArtifactError::Malformed {
            path: path.into(),
            kind: "compiled verifier",
            problem: e.to_string(),
        })
    }
}
