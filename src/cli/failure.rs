//! The end of every error's way: whatever room it comes from, it is printed alike.

use crate::error::{ExitCode, Explain};
use std::path::PathBuf;

/// An error of any room. It is no `Error` itself, so that `?` takes them all.
#[derive(Debug)]
pub struct Failure(Box<dyn Explain + Send + Sync>);

impl<E: Explain + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl std::ops::Deref for Failure {
    type Target = dyn Explain + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Errors of the command line itself.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// clap's own words, which name argument and usage.
    #[error("{}", .0.trim_end().trim_start_matches("error: "))]
    Arguments(String),
    /// Arguments that contradict each other, a file, or the model.
    #[error("{0}")]
    Conflict(String),
    /// Something has to be named and is not.
    #[error("{what} is not given")]
    Missing {
        /// What.
        what: &'static str,
        /// How to give it.
        how: &'static str,
    },
    /// The project's sources are not found.
    #[error("the project's contracts are not found; looked for contracts/InferenceRouter.sol in {looked}")]
    NoProject {
        /// The places.
        looked: String,
    },
    /// A refusal that the demo expects did not come.
    #[error("{what} was not refused as expected: {got}")]
    NotRefused {
        /// The attempt.
        what: &'static str,
        /// What happened instead.
        got: String,
    },
    /// One input of several, in a file of its own.
    #[error("item {item} ({path}): {failure}")]
    Item {
        /// Which, from 0.
        item: usize,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        failure: Failure,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// The processor is too old for the arithmetic.
    #[error("this processor has no `{lacking}` instructions, which proofs are computed with")]
    Processor {
        /// The instruction set.
        lacking: &'static str,
    },
    /// The system refuses threads or timers.
    #[error("cannot start: {0}")]
    Runtime(std::io::Error),
    /// A bug.
    #[error("internal error: {0}")]
    Crashed(String),
    /// A result could not be written.
    #[error("cannot write the result: {0}")]
    Output(String),
}

impl Explain for CliError {
    fn code(&self) -> &'static str {
        match self {
            Self::Arguments(_) => "usage/arguments",
            Self::Conflict(_) => "usage/conflict",
            Self::Missing { .. } => "usage/missing",
            Self::NoProject { .. } => "environment/no-project",
            Self::NotRefused { .. } => "demo/not-refused",
            Self::Item { failure, .. } => failure.code(),
            Self::Interrupted => "interrupted",
            Self::Processor { .. } => "environment/processor",
            Self::Runtime(_) => "environment/runtime",
            Self::Crashed(_) => "internal/crashed",
            Self::Output(_) => "environment/output",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Arguments(_) | Self::Conflict(_) | Self::Missing { .. } => ExitCode::Usage,
            Self::NotRefused { .. } => ExitCode::No,
            Self::Item { failure, .. } => failure.exit_code(),
            Self::Interrupted => ExitCode::Interrupted,
            _ => ExitCode::Environment,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Missing { how, .. } => (*how).into(),
            Self::NoProject { .. } => "run inside a checkout of zkml-evm, or name one with `--project DIR`".into(),
            Self::Processor { .. } => {
                "use a machine with an Intel processor from 2014 (Broadwell) or an AMD one from 2017 (Zen) on".into()
            }
            Self::NotRefused { .. } | Self::Crashed(_) => "this is a bug of zkml-evm: please report it".into(),
            Self::Item { failure, .. } => failure.hint(),
            _ => String::new(),
        }
    }
}
