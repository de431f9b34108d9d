//! A model's verifier, rendered and compiled: one contract, or two where the key is split off the code (`verifier::split`).

use super::{ArtifactError, Contract, Prover};
use crate::{
    chain::deploy::DeployItem,
    verifier::{Compiled, Compiler, render, split, split::Place},
};
use alloy::primitives::{B256, keccak256};

/// What a model has on chain.
#[derive(Clone, Debug)]
pub struct Made {
    /// `InferenceVerifier.sol`.
    pub solidity: String,
    /// Its code.
    pub compiled: Compiled,
    /// The code that it calls, where that is a contract of its own.
    pub family: Option<Family>,
}

/// The code that a family's verifiers share.
#[derive(Clone, Debug)]
pub struct Family {
    /// Where it is, on every chain.
    pub place: Place,
    /// `FamilyVerifier.sol`.
    pub solidity: String,
    /// Its code.
    pub compiled: Compiled,
}

/// A family's code as an artifact folder keeps it.
#[derive(Clone, Debug)]
pub struct FamilyCode {
    /// The family.
    pub id: B256,
    /// `FamilyVerifier.sol`.
    pub solidity: String,
    /// `FamilyVerifier.json`.
    pub contract: Contract,
}

impl Prover {
    /// Renders and compiles the verifier. A family's address is that of the deterministic deployer, so the model's contract can name it before it is there.
    ///
    /// # Errors
    /// Those of rendering and compiling.
    pub fn compile(&self, compiler: &Compiler, split_key: bool) -> Result<Made, ArtifactError> {
        let Self { facts, program, srs, keys, .. } = self;
        if !split_key {
            let solidity = render(program, keys, srs, facts.model_id, facts.model_commitment)?;
            return Ok(Made { compiled: compiler.compile_verifier(&solidity)?, solidity, family: None });
        }
        let split::Family { id, source } = split::family(program, keys, srs)?;
        let compiled = compiler.compile_family(&source)?;
        let item = DeployItem::new(&compiled.name, compiled.creation.clone().into(), compiled.runtime_size);
        let place = Place { id, address: item.address(), codehash: keccak256(&compiled.runtime) };
        let solidity = split::render(program, keys, srs, facts.model_id, facts.model_commitment, &place)?;
        let family = Some(Family { place, solidity: source, compiled });
        Ok(Made { compiled: compiler.compile_verifier(&solidity)?, solidity, family })
    }
}

impl Family {
    /// As a folder keeps it, with the compiler's version.
    pub fn into_code(self, solc: String) -> FamilyCode {
        FamilyCode { id: self.place.id, solidity: self.solidity, contract: Contract::new(self.compiled, solc) }
    }
}
