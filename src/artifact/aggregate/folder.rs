//! Writing and reading an aggregate's folder: version, checksums, and that its files belong together.

use super::{
    Aggregator, Part,
    manifest::{AggregateFacts, AggregateManifest, Branch, SlotFacts},
    names,
};
use crate::{
    artifact::{
        ArtifactError, Contract, Staging,
        folder::{checked, text_of},
        manifest::{ContractFacts, FileEntry, sha256},
        package,
        proof_file::read_small,
    },
    outer::Recording,
    proof::{
        OuterKeys, Srs,
        artifact::{Kind, open, seal, write_bytes},
    },
};
use alloy::primitives::B256;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Writes all files into `staging` and puts the folder in its place.
///
/// # Errors
/// A file that cannot be written; the target is then as it was.
pub fn save(
    aggregator: &Aggregator,
    solidity: &str,
    contract: Option<&Contract>,
    staging: Staging,
) -> Result<AggregateManifest, ArtifactError> {
    let folder = staging.path();
    let recording = postcard::to_stdvec(&(&aggregator.recording, &aggregator.alone)).map_err(|e| ArtifactError::Malformed {
        path: names::RECORDING.into(),
        kind: Kind::Recording.name(),
        problem: e.to_string(),
    })?;
    write_bytes(&folder.join(names::RECORDING), &seal(Kind::Recording, &recording), false)?;
    aggregator.srs.save(&folder.join(names::SRS))?;
    write_bytes(&folder.join(names::KEY), &seal(Kind::ProvingKey, &aggregator.keys.to_bytes()), false)?;
    let empty = package::json(&aggregator.empty, "list of proofs")?;
    write_bytes(&folder.join(names::EMPTY), empty.as_bytes(), false)?;
    write_bytes(&folder.join(names::SOLIDITY), solidity.as_bytes(), false)?;
    if let Some(contract) = contract {
        write_bytes(&folder.join(names::CONTRACT), contract.to_json()?.as_bytes(), false)?;
    }
    let mut files = BTreeMap::new();
    for name in names::LISTED.into_iter().filter(|name| contract.is_some() || *name != names::CONTRACT) {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|source| ArtifactError::Io { doing: "read", path, source })?;
        files.insert(name.to_owned(), FileEntry { sha256: sha256(&bytes), bytes: bytes.len() as u64 });
    }
    let contract = contract.map(|c| ContractFacts { solc: c.solc.clone(), runtime_size: c.runtime_size, family: None });
    let manifest = AggregateManifest::new(aggregator.facts.clone(), contract, files);
    write_bytes(&folder.join(names::MANIFEST), package::json(&manifest, "manifest")?.as_bytes(), false)?;
    staging.commit()?;
    Ok(manifest)
}

/// An opened folder: the manifest and every checksum are checked; keys and contract are read when they are asked for.
#[derive(Clone, Debug)]
pub struct AggregateFolder {
    path: PathBuf,
    /// The manifest.
    pub manifest: AggregateManifest,
}

impl AggregateFolder {
    /// Whether a folder's manifest says that it is an aggregate's.
    pub fn is_one(path: &Path) -> bool {
        let text = read_small(&path.join(names::MANIFEST)).unwrap_or_default();
        let manifest: Result<serde_json::Value, _> = serde_json::from_str(&text);
        manifest.is_ok_and(|manifest| manifest["format"] == super::manifest::FORMAT)
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`ArtifactError::NoFolder`], [`ArtifactError::Version`], [`ArtifactError::Checksum`] naming the file.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        let file = path.join(names::MANIFEST);
        if !file.is_file() {
            return Err(ArtifactError::NoFolder { path: path.into() });
        }
        let manifest = AggregateManifest::parse(&read_small(&file)?, &file)?;
        for name in manifest.files.keys() {
            checked(path, &manifest.files, name)?;
        }
        Ok(Self { path: path.into(), manifest })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::artifact) fn bytes(&self, name: &str) -> Result<Vec<u8>, ArtifactError> {
        checked(&self.path, &self.manifest.files, name)
    }

    /// Reads recording, SRS, keys and empty slots, and checks that they are those of the manifest's id.
    ///
    /// # Errors
    /// Damaged files, and [`ArtifactError::Foreign`] for keys or an SRS of another aggregate.
    pub fn aggregator(&self) -> Result<Aggregator, ArtifactError> {
        let facts = self.manifest.facts.clone();
        let (recording, alone) = self.recordings(&facts)?;
        let srs = self.opened(names::SRS, Kind::Srs, Srs::parse)?;
        let keys = self
            .opened(names::KEY, Kind::ProvingKey, |payload| OuterKeys::parse(facts.widths, recording.public_values(), payload))?;
        let empty = self.empty()?;
        let foreign = |name: &str, what, expected: String, got: String| {
            Err(ArtifactError::Foreign { path: self.path.join(name), what, expected, got })
        };
        if (srs.provenance.to_string(), srs.digest()) != (facts.srs.clone(), facts.srs_digest) {
            return foreign(names::SRS, "the SRS", facts.srs, srs.provenance.to_string());
        }
        if keys.provenance != srs.provenance {
            return foreign(names::KEY, "the SRS", facts.srs, keys.provenance.to_string());
        }
        let aggregator = Aggregator { facts, recording, alone, srs, keys, empty };
        let (expected, got) = (aggregator.facts.aggregate_id, aggregator.id());
        match expected == got {
            true => Ok(aggregator),
            false => foreign(names::KEY, "the aggregate id", expected.to_string(), got.to_string()),
        }
    }

    fn recordings(&self, facts: &AggregateFacts) -> Result<(Recording, Vec<(B256, Recording)>), ArtifactError> {
        let path = self.path.join(names::RECORDING);
        let bytes = checked(&self.path, &self.manifest.files, names::RECORDING)?;
        let malformed = |problem: String| ArtifactError::Malformed { path: path.clone(), kind: Kind::Recording.name(), problem };
        let payload = open(Kind::Recording, &bytes).map_err(|e| e.at(&path))?;
        let (recording, alone): (Recording, Vec<(B256, Recording)>) =
            postcard::from_bytes(payload).map_err(|e| malformed(e.to_string()))?;
        let words = |slots: &[SlotFacts]| slots.iter().map(|slot| slot.statement.len()).sum();
        let expected: Vec<(usize, bool)> =
            facts.parts().map(|(branch, slots)| (words(slots), matches!(branch, Branch::Aggregate { .. }))).collect();
        let got: Vec<(usize, bool)> = recording.slots.iter().map(|layout| (layout.instances, layout.accumulates)).collect();
        let all_well_formed = alone.iter().map(|(_, recording)| recording).chain([&recording]).all(Recording::is_well_formed);
        match all_well_formed && got == expected {
            true => Ok((recording, alone)),
            false => Err(malformed("it uses values before they are there, or has other slots than the manifest".into())),
        }
    }

    fn empty(&self) -> Result<Vec<Part>, ArtifactError> {
        let path = self.path.join(names::EMPTY);
        let text = text_of(&path, checked(&self.path, &self.manifest.files, names::EMPTY)?)?;
        let malformed = |e: serde_json::Error| ArtifactError::Malformed {
            path: path.clone(),
            kind: "list of proofs",
            problem: e.to_string(),
        };
        let files: Vec<serde_json::Value> = serde_json::from_str(&text).map_err(malformed)?;
        files.iter().map(|file| Part::parse(&file.to_string(), &path)).collect()
    }

    fn opened<T>(
        &self,
        name: &str,
        kind: Kind,
        parse: impl FnOnce(&[u8]) -> Result<T, crate::proof::ProofError>,
    ) -> Result<T, ArtifactError> {
        let bytes = checked(&self.path, &self.manifest.files, name)?;
        Ok(open(kind, &bytes).and_then(parse).map_err(|e| e.at(&self.path.join(name)))?)
    }

    /// The compiled verifier.
    ///
    /// # Errors
    /// [`ArtifactError::NotCompiled`] after `--no-compile`.
    pub fn contract(&self) -> Result<Contract, ArtifactError> {
        if !self.manifest.files.contains_key(names::CONTRACT) {
            return Err(ArtifactError::NotCompiled { path: self.path.clone() });
        }
        let path = self.path.join(names::CONTRACT);
        Contract::parse(&text_of(&path, checked(&self.path, &self.manifest.files, names::CONTRACT)?)?, &path)
    }
}
