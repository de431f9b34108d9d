//! Reading an artifact folder: version, checksums, and that its files belong together.

use super::{
    ArtifactError, Contract, Manifest, Prover,
    manifest::{FileEntry, sha256},
    names,
    proof_file::read_small,
};
use crate::{
    circuit::{Plan, plan::is_candidate, statement},
    op::Op,
    proof::{
        Keys, Srs,
        artifact::{self, Kind, MAX_FILE_BYTES},
        model_id::model_id_stated,
    },
    quant::{Checked, OutputChoice, Program, Schema},
};
use alloy::primitives::B256;
use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

/// An opened folder: manifest, schema and program are checked; keys and contract are read, and checked again, when they are asked for.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// The manifest.
    pub manifest: Manifest,
    /// The feature schema.
    pub schema: Schema,
    /// The integer program.
    pub program: Arc<Program>,
}

impl Folder {
    /// Opens a folder and checks every file's checksum.
    ///
    /// # Errors
    /// [`ArtifactError::NoFolder`], [`ArtifactError::Version`], [`ArtifactError::Checksum`] naming the file, and
    /// [`ArtifactError::Foreign`] where program, plan, schema and statement contradict each other.
    pub fn open(path: &Path) -> Result<Self, ArtifactError> {
        Self::open_but(path, &[])
    }

    /// Opens a folder whose SRS and keys are read next: [`Folder::prover`] checks them, and these large files are read once.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn open_to_prove(path: &Path) -> Result<Self, ArtifactError> {
        Self::open_but(path, &[names::SRS, names::KEY])
    }

    /// Opens a folder and checks every file's checksum but those of `left`.
    fn open_but(path: &Path, left: &[&str]) -> Result<Self, ArtifactError> {
        let file = path.join(names::MANIFEST);
        if !file.is_file() {
            return Err(ArtifactError::NoFolder { path: path.into() });
        }
        let manifest = Manifest::parse(&read_small(&file)?, &file)?;
        let read_below = [names::SCHEMA, names::PROGRAM];
        for name in manifest.files.keys().filter(|name| !left.iter().chain(&read_below).any(|other| other == name)) {
            checked(path, &manifest.files, name)?;
        }
        let schema = Schema::from_json(&text_of(&path.join(names::SCHEMA), checked(path, &manifest.files, names::SCHEMA)?)?)?;
        let file = path.join(names::PROGRAM);
        let payload = checked(path, &manifest.files, names::PROGRAM)?;
        let payload = artifact::payload(Kind::Program, &payload).map_err(|e| e.at(&file))?;
        let (program, plan): (Program, Plan) = postcard::from_bytes(payload).map_err(|e| ArtifactError::Malformed {
            path: file.clone(),
            kind: "compiled program",
            problem: e.to_string(),
        })?;
        let folder = Self { path: path.into(), manifest, schema, program: Arc::new(program) };
        folder.check_program(&file, &plan)?;
        Ok(folder)
    }

    /// Program against schema, plan and statement: only a shape that the planner itself would give this program is used.
    fn check_program(&self, file: &Path, plan: &Plan) -> Result<(), ArtifactError> {
        let checked = Checked::of(&self.program)?;
        let facts = &self.manifest.facts;
        let foreign = |what: &'static str, expected: String, got: String| {
            Err(ArtifactError::Foreign { path: file.into(), what, expected, got })
        };
        let (schema, program) = (B256::from(self.schema.id()), B256::from(self.program.schema_id));
        if schema != program || schema != facts.schema_id {
            return foreign("the schema id", schema.to_string(), program.to_string());
        }
        if self.schema.input(facts.input) != *self.program.input()? {
            return foreign("the input", "the schema's".into(), "another".into());
        }
        if self.program.items != facts.items {
            return foreign("the number of inputs", facts.items.to_string(), self.program.items.to_string());
        }
        if self.program.weights().is_some() != facts.model_commitment.is_some() {
            let kind = |private: bool| if private { "private" } else { "fixed" }.to_owned();
            let (expected, got) = (facts.model_commitment.is_some(), self.program.weights().is_some());
            return foreign("the kind of weights", kind(expected), kind(got));
        }
        if *plan != facts.plan {
            return foreign("the plan", format!("{:?}", facts.plan.shape), format!("{:?}", plan.shape));
        }
        if !is_candidate(&checked, plan)? {
            return foreign("the plan", "one of the planner's candidates".into(), format!("{:?}", plan.shape));
        }
        let output = output_choice(&self.program)?;
        if output != facts.output {
            return foreign("the output", facts.output.name().into(), output.name().into());
        }
        if statement::layout_of(&checked)? != facts.statement {
            return foreign("the statement", "the manifest's".into(), "another".into());
        }
        Ok(())
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads SRS and keys, and checks that they are those of the manifest's model id.
    ///
    /// # Errors
    /// Damaged files, and [`ArtifactError::Foreign`] for keys or an SRS of another model.
    pub fn prover(&self) -> Result<Prover, ArtifactError> {
        let facts = self.manifest.facts.clone();
        let [srs_file, key_file] = [names::SRS, names::KEY].map(|name| self.path.join(name));
        // From the bytes whose checksum was compared, not from whatever the file holds by now.
        let bytes = self.bytes(names::SRS)?;
        let srs = artifact::payload(Kind::Srs, &bytes).and_then(Srs::parse).map_err(|e| e.at(&srs_file))?;
        let bytes = self.bytes(names::KEY)?;
        let keys = artifact::payload(Kind::ProvingKey, &bytes).and_then(|payload| Keys::parse(facts.plan.shape, payload));
        let keys = keys.map_err(|e| e.at(&key_file))?;
        let foreign = |name: &str, what, expected: String, got: String| {
            Err(ArtifactError::Foreign { path: self.path.join(name), what, expected, got })
        };
        if srs.provenance.to_string() != facts.srs {
            return foreign(names::SRS, "the SRS's origin", facts.srs, srs.provenance.to_string());
        }
        if srs.digest() != facts.srs_digest {
            return foreign(names::SRS, "the SRS's digest", facts.srs_digest.to_string(), srs.digest().to_string());
        }
        if keys.provenance != srs.provenance {
            return foreign(names::KEY, "the SRS's origin", facts.srs, keys.provenance.to_string());
        }
        let id = model_id_stated(&self.program, &facts.statement, &keys, &srs, facts.model_commitment)?;
        if id != facts.model_id {
            return foreign(names::KEY, "the model id", facts.model_id.to_string(), id.to_string());
        }
        Ok(Prover { facts, schema: self.schema.clone(), program: self.program.clone(), srs, keys })
    }

    /// The compiled verifier.
    ///
    /// # Errors
    /// [`ArtifactError::NotCompiled`] after `--no-compile`.
    pub fn contract(&self) -> Result<Contract, ArtifactError> {
        if !self.manifest.files.contains_key(names::CONTRACT) {
            return Err(ArtifactError::NotCompiled { path: self.path.clone() });
        }
        self.contract_in(names::CONTRACT)
    }

    /// Whether the verifier is two contracts: the model's key, and its family's code.
    pub fn is_split(&self) -> bool {
        self.manifest.contract.as_ref().is_some_and(|contract| contract.family.is_some())
    }

    /// A compiled contract.
    pub(super) fn contract_in(&self, name: &str) -> Result<Contract, ArtifactError> {
        let path = self.path.join(name);
        Contract::parse(&text_of(&path, checked(&self.path, &self.manifest.files, name)?)?, &path)
    }

    /// A file's bytes, when they are those that the manifest lists.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, ArtifactError> {
        checked(&self.path, &self.manifest.files, name)
    }

    /// The fixed-point report, as it was written.
    pub fn report(&self) -> Result<serde_json::Value, ArtifactError> {
        let path = self.path.join(names::REPORT);
        let text = text_of(&path, checked(&self.path, &self.manifest.files, names::REPORT)?)?;
        serde_json::from_str(&text).map_err(|e| ArtifactError::Malformed { path, kind: "report", problem: e.to_string() })
    }
}

/// What the program's last operation makes public. The router's circuit breaker goes by it: a threshold is no answer that two honest
/// proofs must share.
fn output_choice(program: &Program) -> Result<OutputChoice, ArtifactError> {
    Ok(match program.output()?.op {
        Op::Threshold(_) => OutputChoice::Threshold,
        Op::Argmax(_) => OutputChoice::Argmax,
        _ => OutputChoice::Reveal,
    })
}

/// A file's bytes, when they are those that the manifest lists.
pub(super) fn checked(folder: &Path, files: &BTreeMap<String, FileEntry>, name: &str) -> Result<Vec<u8>, ArtifactError> {
    let path = folder.join(name);
    let Some(entry) = files.get(name) else {
        let problem = format!("it does not list {name}");
        return Err(ArtifactError::Malformed { path: folder.join(names::MANIFEST), kind: "manifest", problem });
    };
    let bytes = read(&path, entry.bytes)?;
    let got = sha256(&bytes);
    match got == entry.sha256 {
        true => Ok(bytes),
        false => Err(ArtifactError::Checksum { path, expected: entry.sha256.to_string(), got: got.to_string() }),
    }
}

/// A plain file of exactly the length that the manifest lists: nothing else is opened, and nothing longer is read.
fn read(path: &Path, expected: u64) -> Result<Vec<u8>, ArtifactError> {
    let failed = |source| ArtifactError::Io { doing: "read", path: path.into(), source };
    let length = |got: String| ArtifactError::Length { path: path.into(), expected, got };
    let found = std::fs::metadata(path).map_err(failed)?;
    if !found.is_file() {
        return Err(length("something that is no file".into()));
    }
    if found.len() != expected || expected > MAX_FILE_BYTES {
        return Err(length(format!("{} bytes (the limit is {MAX_FILE_BYTES})", found.len())));
    }
    // Room for the byte too many that is tried, or a full buffer would be doubled for it.
    let mut bytes = Vec::with_capacity(usize::try_from(expected + 1).unwrap_or(0));
    std::fs::File::open(path).map_err(failed)?.take(expected + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 == expected {
        true => Ok(bytes),
        false => Err(length("another length while it was read".into())),
    }
}

pub(super) fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String, ArtifactError> {
    String::from_utf8(bytes).map_err(|_| ArtifactError::Malformed {
        path: path.into(),
        kind: "text file",
        problem: "it is not UTF-8".into(),
    })
}
