//! Errors of rendering and compiling.

use crate::error::{ExitCode, Explain};

/// What can go wrong between a verifying key and contract bytecode.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The statement layout could not be derived.
    #[error(transparent)]
    Circuit(#[from] crate::circuit::CircuitError),
    /// Keys and SRS do not belong together.
    #[error(transparent)]
    Proof(Box<crate::proof::ProofError>),
    /// The protocol has a part that the contract has no section for.
    #[error("this circuit cannot be rendered: {0}")]
    Render(String),
    /// A commitment to fixed weights, or none to private ones.
    #[error("a commitment to weights belongs to private weights, and to them only")]
    Weights,
    /// There is no Solidity compiler.
    #[error("no solc found; looked at {looked_at}")]
    NoSolc {
        /// The places, in order.
        looked_at: String,
    },
    /// The compiler does not run.
    #[error("solc at {path} does not answer: {problem}")]
    BrokenSolc {
        /// Where it lies.
        path: String,
        /// What it said.
        problem: String,
    },
    /// The compiler reported errors.
    #[error("solc refuses {name}: {problem}")]
    Compile {
        /// The contract or file.
        name: String,
        /// Its first error.
        problem: String,
    },
    /// A contract is too large to deploy.
    #[error("{name} has {size} bytes of code, the chain's limit is {limit}")]
    TooLarge {
        /// The contract.
        name: String,
        /// Its runtime size.
        size: usize,
        /// EIP-170's limit.
        limit: usize,
    },
    /// A source file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: std::path::PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl Explain for VerifierError {
    fn code(&self) -> &'static str {
        match self {
            Self::Circuit(e) => e.code(),
            Self::Proof(e) => e.code(),
            Self::Render(_) => "verifier/render",
            Self::Weights => "verifier/weights",
            Self::NoSolc { .. } => "verifier/no-solc",
            Self::BrokenSolc { .. } => "verifier/broken-solc",
            Self::Compile { .. } => "verifier/compile",
            Self::TooLarge { .. } => "verifier/too-large",
            Self::Io { .. } => "verifier/io",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Circuit(e) => e.exit_code(),
            Self::Proof(e) => e.exit_code(),
            Self::TooLarge { .. } => ExitCode::UnsupportedModel,
            _ => ExitCode::Environment,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Circuit(e) => e.hint(),
            Self::Proof(e) => e.hint(),
            Self::NoSolc { .. } | Self::BrokenSolc { .. } => {
                "run `npm ci` in the project for the bundled compiler, or name a native one with --solc or SOLC".into()
            }
            Self::TooLarge { .. } => "choose fewer weight columns: `--objective gas`".into(),
            Self::Render(_) | Self::Compile { .. } => "this is a bug of zkml-evm unless solc is older than 0.8.20".into(),
            Self::Weights => "give the commitment that the manifest holds".into(),
            Self::Io { .. } => String::new(),
        }
    }
}
