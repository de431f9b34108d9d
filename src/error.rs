//! What every error of this crate can say: a stable code, the exit code of the process, and the next step.
//!
//! Each room has its own error enum (`model::ModelError`, `quant::QuantError`, ...); all of them implement [`Explain`], so the
//! command line prints any of them the same way.

/// The process exit codes of the command line (documented in the README).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The verb did what it was asked.
    Ok = 0,
    /// A clean "no": an invalid proof, a score below the threshold, a refused transaction.
    No = 1,
    /// The command line or an input file is wrong.
    Usage = 2,
    /// The model uses something that is not supported.
    UnsupportedModel = 3,
    /// The machine lacks something: a compiler, memory, disk, permissions.
    Environment = 4,
    /// The chain did not answer, or answered something that another try may mend.
    Chain = 5,
    /// Interrupted by the user.
    Interrupted = 130,
}

/// Every error of the crate: what, where, expected and got are in `Display`; the rest is here.
pub trait Explain: std::error::Error {
    /// A stable identifier such as `model/unsupported-operator`, for scripts and `--json`.
    fn code(&self) -> &'static str;
    /// The exit code that the command line ends with.
    fn exit_code(&self) -> ExitCode;
    /// The next step for the person who reads it; empty where there is none.
    fn hint(&self) -> String {
        String::new()
    }
    /// Whether the same call may succeed later without a change.
    fn retryable(&self) -> bool {
        false
    }
}
