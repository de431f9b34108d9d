//! Errors of the artifact folder and of the files that go between attestor, borrower and chain.

use crate::{
    circuit::CircuitError,
    error::{ExitCode, Explain},
    model::ModelError,
    proof::{ProofError, Purpose},
    quant::{CalibrateError, InputError, QuantError, SchemaError, ThresholdError},
    verifier::VerifierError,
};
use alloy::primitives::B256;
use std::path::PathBuf;

/// What can go wrong between a folder on disk and the types of the rooms below.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no manifest.
    #[error("{path} is no artifact folder: it has no manifest.json")]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// `read`, `write`, `create`, ...
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file is not of its kind, or its content breaks a rule.
    #[error("{path} is not a usable {kind}: {problem}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected there.
        kind: &'static str,
        /// The rule, with expected and got.
        problem: String,
    },
    /// A file of another version of the format.
    #[error("{path} has format version {got}, this program reads version {expected}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version read here.
        expected: u32,
        /// The version found.
        got: u64,
    },
    /// A file is not as long as the manifest lists, or no file at all; it is not read then.
    #[error("{path} does not match its length in the manifest: expected {expected} bytes, got {got}")]
    Length {
        /// The file.
        path: PathBuf,
        /// As listed.
        expected: u64,
        /// As found.
        got: String,
    },
    /// A file's content is not what the manifest lists.
    #[error("{path} does not match its checksum in the manifest: expected sha256 {expected}, got {got}")]
    Checksum {
        /// The file.
        path: PathBuf,
        /// As listed.
        expected: String,
        /// As found.
        got: String,
    },
    /// Two files contradict each other.
    #[error("{path} does not belong with the rest: {what} is {got}, expected {expected}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// By the other files.
        expected: String,
        /// In this file.
        got: String,
    },
    /// The target folder holds something else.
    #[error("{path} exists and is no artifact folder; it is left as it is")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A new project needs a folder of its own.
    #[error("{path} exists and is not empty; nothing was written")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The target folder already holds artifacts.
    #[error("{path} already holds artifacts")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A secret would be overwritten.
    #[error("{path} exists; a file of private weights is never overwritten")]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The folder was generated without compiling.
    #[error("{path} has no compiled verifier (it was generated with --no-compile)")]
    NotCompiled {
        /// The folder.
        path: PathBuf,
    },
    /// A verifier that the folder's keys do not give.
    #[error("{path} is not what the folder's keys and SRS give: expected keccak256 {expected}, got {got}")]
    Rebuilt {
        /// The file.
        path: PathBuf,
        /// Made anew.
        expected: B256,
        /// In the folder.
        got: B256,
    },
    /// A verifier that this compiler does not give.
    #[error("{path} was compiled by solc {expected}; solc {got} gives other code for the same source")]
    OtherCompiler {
        /// The file.
        path: PathBuf,
        /// As the file says.
        expected: String,
        /// The one at hand.
        got: String,
    },
    /// A proof with the transcript of another verifier.
    #[error("the proof in {path} is for {got}, and one for {expected} is needed")]
    Purpose {
        /// The file.
        path: PathBuf,
        /// What it is needed for.
        expected: Purpose,
        /// What it was made for.
        got: Purpose,
    },
    /// What is asked for does not fit the statement.
    #[error("the statement {problem}")]
    Statement {
        /// What is wrong.
        problem: String,
    },
    /// The model cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The input or calibration data.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The quantiser.
    #[error(transparent)]
    Calibrate(#[from] CalibrateError),
    /// The interpreter.
    #[error(transparent)]
    Quant(#[from] QuantError),
    /// The threshold.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// The circuit.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// Keys and proofs.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The Solidity verifier.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
}

impl ArtifactError {
    /// The error of the room below, where this one only passes it on.
    fn below(&self) -> Option<&dyn Explain> {
        match self {
            Self::Model(e) => Some(e),
            Self::Schema(e) => Some(e),
            Self::Input(e) => Some(e),
            Self::Calibrate(e) => Some(e),
            Self::Quant(e) => Some(e),
            Self::Threshold(e) => Some(e),
            Self::Circuit(e) => Some(e),
            Self::Proof(e) => Some(e),
            Self::Verifier(e) => Some(e),
            _ => None,
        }
    }
}

impl Explain for ArtifactError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoFolder { .. } => "artifact/no-folder",
            Self::Io { .. } => "artifact/io",
            Self::Malformed { .. } => "artifact/malformed",
            Self::Version { .. } => "artifact/version",
            Self::Length { .. } => "artifact/length",
            Self::Checksum { .. } => "artifact/checksum",
            Self::Foreign { .. } => "artifact/foreign",
            Self::Occupied { .. } => "artifact/occupied",
            Self::NotEmpty { .. } => "artifact/not-empty",
            Self::Exists { .. } => "artifact/exists",
            Self::Taken { .. } => "artifact/taken",
            Self::NotCompiled { .. } => "artifact/not-compiled",
            Self::Rebuilt { .. } => "artifact/rebuilt",
            Self::OtherCompiler { .. } => "artifact/other-compiler",
            Self::Purpose { .. } => "artifact/purpose",
            Self::Statement { .. } => "artifact/statement",
            _ => self.below().map_or("artifact/unknown", Explain::code),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Io { .. } => ExitCode::Environment,
            _ => self.below().map_or(ExitCode::Usage, Explain::exit_code),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::NoFolder { .. } => "make one with `zkml-evm gen-verifier MODEL --calibration DATA --out DIR`".into(),
            Self::Io { .. } => "check that the path exists, is readable or writable, and that the disk has space".into(),
            Self::Malformed { .. } | Self::Version { .. } => "make the file again with this version of zkml-evm".into(),
            Self::Length { .. } | Self::Checksum { .. } | Self::Foreign { .. } => {
                "the file was damaged, edited or exchanged: fetch the folder again, or generate it again".into()
            }
            Self::Occupied { .. } | Self::NotEmpty { .. } => "name a folder that does not exist yet".into(),
            Self::Exists { .. } => "give `--force` to replace them, or name another folder".into(),
            Self::Taken { .. } => "name another file; the old one is needed as long as its model is".into(),
            Self::NotCompiled { .. } => "generate it again where solc is at hand; `zkml-evm doctor` finds it".into(),
            Self::Rebuilt { .. } => {
                "do not deploy it: the verifier was exchanged, or made by another version; generate the folder again yourself"
                    .into()
            }
            Self::OtherCompiler { .. } => "name that compiler with --solc, or generate the folder again with this one".into(),
            Self::Purpose { expected, .. } => {
                format!("the transcripts differ, so the statement has to be proven again: `zkml-evm prove --for {expected}`")
            }
            Self::Statement { .. } => "`zkml-evm inspect DIR` shows the statement's layout".into(),
            _ => self.below().map_or_else(String::new, Explain::hint),
        }
    }

    fn retryable(&self) -> bool {
        self.below().is_some_and(Explain::retryable)
    }
}
