//! The verifier made anew from a folder's own keys and SRS. A checksum says that a file is the one that the manifest lists, and
//! whoever writes one may write the other: what goes on chain must follow from the keys.

use super::{
    ArtifactError, Contract, Folder,
    aggregate::{AggregateFolder, names as aggregate_names},
    names,
    verifier::FamilyCode,
};
use crate::verifier::Compiler;
use alloy::primitives::keccak256;
use std::path::Path;

/// A model's contracts, made anew.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The model's own.
    pub verifier: Contract,
    /// What it calls, which is to be on chain before it.
    pub family: Option<FamilyCode>,
}

impl Folder {
    /// The compiled verifier, rendered and compiled from keys and SRS, and found equal to the one in the folder; with the code of its family,
    /// where it calls that.
    ///
    /// # Errors
    /// [`ArtifactError::NotCompiled`]; [`ArtifactError::Rebuilt`] for source or bytecode that the keys do not give;
    /// [`ArtifactError::OtherCompiler`] where another compiler may be the reason; those of [`Folder::prover`], of the SRS's full check, and of compiling.
    pub fn rebuilt(&self, compiler: &Compiler) -> Result<Rebuilt, ArtifactError> {
        let kept = self.contract()?;
        let prover = self.prover()?;
        prover.srs.check().map_err(|e| e.at(&self.path().join(names::SRS)))?;
        let made = prover.compile(compiler, self.is_split())?;
        let same_source = |name, source: &str| {
            let then = as_then(&self.manifest.tool, source);
            same(&self.path().join(name), then.as_bytes(), &self.bytes(name)?)
        };
        // The family first: another compiler gives it another code, and the model's contract another source, as the code's hash is in it.
        let family = match made.family {
            Some(family) => {
                let kept = self.contract_in(names::FAMILY_CONTRACT)?;
                let code = family.into_code(compiler.version());
                same_source(names::FAMILY_SOLIDITY, &code.solidity)?;
                let contract = same_code(&self.path().join(names::FAMILY_CONTRACT), code.contract, kept)?;
                Some(FamilyCode { contract, ..code })
            }
            None => None,
        };
        same_source(names::SOLIDITY, &made.solidity)?;
        let made = Contract::new(made.compiled, compiler.version());
        Ok(Rebuilt { verifier: same_code(&self.path().join(names::CONTRACT), made, kept)?, family })
    }
}

impl AggregateFolder {
    /// As [`Folder::rebuilt`]: from the outer circuit's keys, the SRS and the slots. That the keys are those of the models' verification
    /// is for whoever approves the aggregate to see, by making the folder anew: the id is then the same.
    ///
    /// # Errors
    /// As there.
    pub fn rebuilt(&self, compiler: &Compiler) -> Result<Contract, ArtifactError> {
        let kept = self.contract()?;
        let aggregator = self.aggregator()?;
        aggregator.srs.check().map_err(|e| e.at(&self.path().join(aggregate_names::SRS)))?;
        let source = aggregator.solidity()?;
        let then = as_then(&self.manifest.tool, &source);
        same(&self.path().join(aggregate_names::SOLIDITY), then.as_bytes(), &self.bytes(aggregate_names::SOLIDITY)?)?;
        let made = Contract::new(compiler.compile_aggregate(&source)?, compiler.version());
        same_code(&self.path().join(aggregate_names::CONTRACT), made, kept)
    }
}

/// The source as the version that made the folder wrote it: its first comment names the version, and is no part of the code.
fn as_then(tool: &str, source: &str) -> String {
    match semver::Version::parse(tool) {
        Ok(then) => source.replacen(concat!("zkml-evm ", env!("CARGO_PKG_VERSION")), &format!("zkml-evm {then}"), 1),
        Err(_) => source.to_owned(),
    }
}

fn same(path: &Path, made: &[u8], kept: &[u8]) -> Result<(), ArtifactError> {
    match made == kept {
        true => Ok(()),
        false => Err(ArtifactError::Rebuilt { path: path.into(), expected: keccak256(made), got: keccak256(kept) }),
    }
}

fn same_code(path: &Path, made: Contract, kept: Contract) -> Result<Contract, ArtifactError> {
    match same(path, &made.bytecode.object, &kept.bytecode.object) {
        Err(_) if release(&made.solc) != release(&kept.solc) => {
            Err(ArtifactError::OtherCompiler { path: path.into(), expected: kept.solc, got: made.solc })
        }
        same => same.map(|()| made),
    }
}

/// A compiler's version without commit and platform, which do not change the code.
fn release(version: &str) -> &str {
    version.split('+').next().unwrap_or(version)
}
