//! A generated model with its contract, and how it is written.

use super::{
    ArtifactError, Contract, Manifest, Prover, Staging,
    manifest::{ContractFacts, FileEntry, sha256},
    names,
    verifier::FamilyCode,
};
use crate::proof::artifact::{Kind, seal, write_bytes};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// Everything that goes into an artifact folder.
#[derive(Clone, Debug)]
pub struct Package {
    /// Program, keys, SRS, schema.
    pub prover: Prover,
    /// `InferenceVerifier.sol`.
    pub solidity: String,
    /// The compiled verifier, unless left out.
    pub contract: Option<Contract>,
    /// The code that it calls, where the key is split off it.
    pub family: Option<FamilyCode>,
    /// The fixed-point report.
    pub report: serde_json::Value,
}

impl Package {
    /// Writes all files into `staging` and puts the folder in its place.
    ///
    /// # Errors
    /// A file that cannot be written; the target is then as it was.
    pub fn save(&self, staging: Staging) -> Result<Manifest, ArtifactError> {
        let folder = staging.path();
        self.write_files(folder)?;
        let manifest = self.manifest(folder)?;
        let text = json(&manifest, "manifest")?;
        write_bytes(&folder.join(names::MANIFEST), text.as_bytes(), false)?;
        staging.commit()?;
        Ok(manifest)
    }

    fn write_files(&self, folder: &Path) -> Result<(), ArtifactError> {
        let prover = &self.prover;
        let text = |name: &str, text: &str| write_bytes(&folder.join(name), text.as_bytes(), false);
        let program = postcard::to_stdvec(&(&*prover.program, prover.facts.plan)).map_err(|e| malformed("program", &e))?;
        write_bytes(&folder.join(names::PROGRAM), &seal(Kind::Program, &program), false)?;
        text(names::SCHEMA, &prover.schema.to_json()?)?;
        prover.srs.save(&folder.join(names::SRS))?;
        prover.keys.save(&folder.join(names::KEY))?;
        text(names::SOLIDITY, &self.solidity)?;
        if let Some(contract) = &self.contract {
            text(names::CONTRACT, &contract.to_json()?)?;
        }
        if let Some(family) = &self.family {
            text(names::FAMILY_SOLIDITY, &family.solidity)?;
            text(names::FAMILY_CONTRACT, &family.contract.to_json()?)?;
        }
        Ok(text(names::REPORT, &json(&self.report, "report")?)?)
    }

    fn manifest(&self, folder: &Path) -> Result<Manifest, ArtifactError> {
        let always = [names::PROGRAM, names::SCHEMA, names::SRS, names::KEY, names::SOLIDITY, names::REPORT];
        let mut files = BTreeMap::new();
        let compiled = self.contract.is_some().then_some(names::CONTRACT);
        let family = self.family.as_ref().map(|_| [names::FAMILY_SOLIDITY, names::FAMILY_CONTRACT]);
        for name in always.into_iter().chain(compiled).chain(family.into_iter().flatten()) {
            let path = folder.join(name);
            let bytes = std::fs::read(&path).map_err(|source| ArtifactError::Io { doing: "read", path, source })?;
            files.insert(name.to_owned(), FileEntry { sha256: sha256(&bytes), bytes: bytes.len() as u64 });
        }
        let family = self.family.as_ref().map(|family| family.id);
        let facts = |c: &Contract| ContractFacts { solc: c.solc.clone(), runtime_size: c.runtime_size, family };
        let contract = self.contract.as_ref().map(facts);
        Ok(Manifest::new(self.prover.facts.clone(), contract, files))
    }
}

/// The text of a JSON file.
pub(super) fn json(value: &impl Serialize, kind: &'static str) -> Result<String, ArtifactError> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|e| malformed(kind, &e))
}

fn malformed(kind: &'static str, problem: &dyn std::fmt::Display) -> ArtifactError {
    ArtifactError::Malformed { path: kind.into(), kind, problem: problem.to_string() }
}
