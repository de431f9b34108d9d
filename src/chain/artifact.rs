//! Compiled contracts: the creation code that a deployment sends.

use super::error::ChainError;
use crate::verifier::solc::Compiled;
use alloy::primitives::Bytes;
use alloy::sol_types::SolValue;
use serde_json::Value;
use std::path::Path;

/// A compiled contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledContract {
    /// Its name, such as `InferenceRouter`.
    pub name: String,
    /// Creation code, without constructor arguments.
    pub creation: Bytes,
    /// Length of the code that ends up on chain, in bytes.
    pub runtime_size: usize,
}

impl From<Compiled> for CompiledContract {
    fn from(compiled: Compiled) -> Self {
        Self { name: compiled.name, creation: compiled.creation.into(), runtime_size: compiled.runtime_size }
    }
}

impl CompiledContract {
    /// Reads `<out>/<file>.sol/<name>.json`, as forge writes it.
    ///
    /// # Errors
    /// [`ChainError::Artifact`] where it is missing, foreign, without bytecode, or with libraries still to be linked.
    pub fn from_forge(out: &Path, file: &str, name: &str) -> Result<Self, ChainError> {
        let path = out.join(format!("{file}.sol")).join(format!("{name}.json"));
        let broken = |reason: String| ChainError::Artifact { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|e| broken(e.to_string()))?;
        let json: Value = serde_json::from_str(&text).map_err(|e| broken(format!("it is not JSON: {e}")))?;
        let code = |at: &str| -> Result<Bytes, ChainError> {
            let text = json.pointer(at).and_then(Value::as_str).ok_or_else(|| broken(format!("it has no {at}")))?;
            text.parse().map_err(|_| broken(format!("{at} is not whole bytecode (are libraries unlinked?)")))
        };
        let creation = code("/bytecode/object")?;
        if creation.is_empty() {
            return Err(broken("its bytecode is empty: an interface or abstract contract".to_owned()));
        }
        Ok(Self { name: name.to_owned(), creation, runtime_size: code("/deployedBytecode/object")?.len() })
    }

    /// The creation code with constructor arguments behind it; `args` is a tuple, in the constructor's order. Integers below
    /// 256 bits are encoded like `uint256`, which also stands in for `uint8`.
    pub fn with_args<T: SolValue>(&self, args: &T) -> Bytes
    where
        for<'a> <T::SolType as alloy::sol_types::SolType>::Token<'a>: alloy::sol_types::abi::TokenSeq<'a>,
    {
        [self.creation.as_ref(), &args.abi_encode_params()].concat().into()
    }
}
