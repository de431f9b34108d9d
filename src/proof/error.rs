//! Errors of keys, proofs and their files.

use crate::{
    circuit::CircuitError,
    error::{ExitCode, Explain},
};
use std::path::PathBuf;

/// What can go wrong between a laid-out circuit and a checked proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The circuit could not be built, or its statement is false.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// halo2 refused.
    #[error("halo2 failed while {doing}: {problem}")]
    Halo2 {
        /// The step.
        doing: &'static str,
        /// Its message.
        problem: String,
    },
    /// An environment variable would make halo2 work with another degree than the circuit's.
    #[error("the environment variable MAX_DEGREE is `{value}`, and this circuit has degree {degree}")]
    DegreeCap {
        /// What it holds.
        value: String,
        /// The circuit's degree.
        degree: usize,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// `read` or `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is not a usable {kind}: {problem}")]
    Artifact {
        /// The file.
        path: PathBuf,
        /// What was expected there.
        kind: &'static str,
        /// The rule that it breaks, with expected and got.
        problem: String,
    },
    /// The structured reference string is too small.
    #[error("the SRS has 2^{available} points, the circuit needs 2^{needed}")]
    SrsTooSmall {
        /// log2 of its size.
        available: u32,
        /// log2 of the size needed.
        needed: u32,
    },
    /// A powers-of-tau file that cannot be used.
    #[error("{path} is not a usable powers-of-tau file: {problem}")]
    Ptau {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks, with expected and got.
        problem: String,
    },
    /// The points of an SRS contradict each other.
    #[error("the SRS in {path} is inconsistent: {problem}")]
    SrsInconsistent {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks.
        problem: &'static str,
    },
    /// A development SRS under another name.
    #[error("the SRS in {path} calls itself {label:?} and has the development SRS's secret, which everybody knows")]
    SrsRelabelled {
        /// The file.
        path: PathBuf,
        /// What it calls itself.
        label: String,
    },
    /// The proof does not verify.
    #[error("the proof is invalid: {0}")]
    Invalid(String),
}

impl ProofError {
    /// An artifact that breaks a rule; the caller that knows the path fills it in with [`ProofError::at`].
    pub fn malformed(kind: &'static str, problem: impl Into<String>) -> Self {
        Self::Artifact { path: PathBuf::new(), kind, problem: problem.into() }
    }

    /// The same error, naming the file.
    pub fn at(self, file: &std::path::Path) -> Self {
        match self {
            Self::Artifact { path, kind, problem } if path.as_os_str().is_empty() => {
                Self::Artifact { path: file.to_path_buf(), kind, problem }
            }
            Self::SrsInconsistent { problem, .. } => Self::SrsInconsistent { path: file.to_path_buf(), problem },
            Self::SrsRelabelled { label, .. } => Self::SrsRelabelled { path: file.to_path_buf(), label },
            other => other,
        }
    }
}

impl Explain for ProofError {
    fn code(&self) -> &'static str {
        match self {
            Self::Circuit(e) => e.code(),
            Self::Halo2 { .. } => "proof/halo2",
            Self::DegreeCap { .. } => "proof/degree-cap",
            Self::Io { .. } => "proof/io",
            Self::Artifact { .. } => "proof/artifact",
            Self::SrsTooSmall { .. } => "proof/srs-too-small",
            Self::Ptau { .. } => "proof/ptau",
            Self::SrsInconsistent { .. } => "proof/srs-inconsistent",
            Self::SrsRelabelled { .. } => "proof/srs-relabelled",
            Self::Invalid(_) => "proof/invalid",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Circuit(e) => e.exit_code(),
            Self::Halo2 { .. } | Self::DegreeCap { .. } | Self::Io { .. } => ExitCode::Environment,
            Self::Artifact { .. } | Self::SrsTooSmall { .. } => ExitCode::Usage,
            Self::Ptau { .. } | Self::SrsInconsistent { .. } | Self::SrsRelabelled { .. } => ExitCode::Usage,
            Self::Invalid(_) => ExitCode::No,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Circuit(e) => e.hint(),
            Self::Halo2 { .. } => "this is a bug of zkml-evm unless memory ran out: please report it with the manifest".into(),
            Self::DegreeCap { .. } => "unset MAX_DEGREE: halo2 would cap the degree by it".into(),
            Self::Io { .. } => "check that the folder exists, is writable and has space".into(),
            Self::Artifact { .. } => "generate the artifacts again with `zkml-evm gen-verifier`".into(),
            Self::SrsTooSmall { .. } => "use a larger SRS".into(),
            Self::Ptau { .. } => {
                "fetch the ceremony's file again, of the size needed, and compare its hash with the published one".into()
            }
            Self::SrsInconsistent { .. } => "the file was damaged or forged: do not use it, get it from its source again".into(),
            Self::SrsRelabelled { .. } => "whoever made this file deceives you: trust nothing that came with it".into(),
            Self::Invalid(_) => "check that proof, public values and verifying key belong together".into(),
        }
    }
}
