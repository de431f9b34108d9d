//! Errors of the process that aggregates, and of what is handed in to it.

use crate::{
    artifact::ArtifactError,
    error::{ExitCode, Explain},
    proof::ProofError,
};
use alloy::primitives::B256;
use std::path::{Path, PathBuf};

/// What can go wrong with the folder, or with one proof in it.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Another process has it.
    #[error("{path} is watched by another process")]
    Busy {
        /// The lock.
        path: PathBuf,
    },
    /// The folder is another aggregate's.
    #[error("{path} says that its proofs are for aggregate {got}, expected {expected}")]
    OtherAggregate {
        /// The file that says so.
        path: PathBuf,
        /// The one at hand.
        expected: B256,
        /// The folder's.
        got: B256,
    },
    /// A file of the process's own that it did not write so.
    #[error("{path} is not usable: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The queue holds less than one group.
    #[error("a queue of {queue} proofs holds no group of {slots}")]
    Queue {
        /// What was asked for.
        queue: usize,
        /// What is needed.
        slots: usize,
    },
    /// The system does not let us.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// `read`, `write`, ...
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A folder, a link, a pipe.
    #[error("{path} is no plain file")]
    NotPlain {
        /// What was handed in.
        path: PathBuf,
    },
    /// A name that cannot be kept.
    #[error("a file's name has at most {limit} bytes of UTF-8, expected of {path}")]
    Name {
        /// What was handed in.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// Longer than any proof of the slots.
    #[error("{path} has {got} bytes, expected at most {limit}, which no proof file for these slots exceeds")]
    TooLarge {
        /// What was handed in.
        path: PathBuf,
        /// The limit.
        limit: usize,
        /// Its length.
        got: u64,
    },
    /// Not readable, or no text.
    #[error("{path} cannot be read: {problem}")]
    Unreadable {
        /// What was handed in.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// The statement is here already.
    #[error("{path} has the same statement as {other}")]
    Duplicate {
        /// What was handed in.
        path: PathBuf,
        /// What has it.
        other: String,
    },
    /// Papers of another loan.
    #[error("{path} is no loan: {problem}")]
    Papers {
        /// What was handed in.
        path: PathBuf,
        /// What does not belong together.
        problem: String,
    },
    /// Proofs and aggregates.
    #[error(transparent)]
    Artifact(Box<ArtifactError>),
}

impl ServiceError {
    /// Whether it says something of this machine, now, and nothing of a proof.
    pub(super) fn is_of_the_machine(&self) -> bool {
        self.exit_code() == ExitCode::Environment
    }

    /// Whether it is about this one file, which whoever handed it in can make unreadable, and about nothing that all files need.
    pub(super) fn is_of_the_file(&self, file: &Path) -> bool {
        let short = |source: &std::io::Error| matches!(source.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM));
        matches!(self, Self::Io { path, source, .. } if path == file && !short(source))
    }
}

impl From<ArtifactError> for ServiceError {
    fn from(error: ArtifactError) -> Self {
        Self::Artifact(Box::new(error))
    }
}

impl From<ProofError> for ServiceError {
    fn from(error: ProofError) -> Self {
        ArtifactError::from(error).into()
    }
}

impl Explain for ServiceError {
    fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "service/busy",
            Self::OtherAggregate { .. } => "service/other-aggregate",
            Self::Damaged { .. } => "service/damaged",
            Self::Queue { .. } => "service/queue",
            Self::Io { .. } => "service/io",
            Self::NotPlain { .. } => "service/not-plain",
            Self::Name { .. } => "service/name",
            Self::TooLarge { .. } => "service/too-large",
            Self::Unreadable { .. } => "service/unreadable",
            Self::Duplicate { .. } => "service/duplicate",
            Self::Papers { .. } => "service/papers",
            Self::Artifact(error) => error.code(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Busy { .. } | Self::Io { .. } => ExitCode::Environment,
            Self::Artifact(error) => error.exit_code(),
            _ => ExitCode::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Busy { .. } => "end the other process, or name another folder with --watch".into(),
            Self::OtherAggregate { .. } => "give the --artifacts that the folder was begun with, or name another folder".into(),
            Self::Damaged { .. } => "put the file back as it was, or move it with its folder out of the way".into(),
            Self::Queue { .. } => "give a larger --queue".into(),
            Self::Io { .. } => "check that the folder is writable and on one file system, and that the disk has space".into(),
            Self::NotPlain { .. } | Self::Name { .. } => "hand in plain files with short names".into(),
            Self::TooLarge { .. } | Self::Unreadable { .. } => {
                "hand in the file that `zkml-evm prove --for aggregation` wrote".into()
            }
            Self::Papers { .. } => "make it with `zkml-evm permit --proof FILE --attestation FILE --loan FILE`".into(),
            Self::Duplicate { .. } => "nothing is to be done: each statement is aggregated once".into(),
            Self::Artifact(error) => error.hint(),
        }
    }

    fn retryable(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Io { .. } => true,
            Self::Artifact(error) => error.retryable(),
            _ => false,
        }
    }
}
