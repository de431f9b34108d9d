//! Errors of aggregation.

use crate::{
    error::{ExitCode, Explain},
    gates::TraceError,
    proof::ProofError,
};

/// What can go wrong between proofs and the one that stands for all of them. Slots and places are counted from 0.
#[derive(Debug, thiserror::Error)]
pub enum AggregateError {
    /// Nothing to aggregate.
    #[error("there is no slot to aggregate")]
    Empty,
    /// A circuit whose verification cannot be recorded.
    #[error("the circuit of slot {slot} cannot be aggregated: {problem}")]
    Protocol {
        /// The slot.
        slot: usize,
        /// What it uses.
        problem: String,
    },
    /// More or fewer proofs than slots.
    #[error("this aggregation has {expected} slots, got {got} proofs")]
    Slots {
        /// Slots.
        expected: usize,
        /// Proofs.
        got: usize,
    },
    /// A statement of another length.
    #[error("the statement in slot {slot} has {got} public values, its circuit {expected}")]
    Statement {
        /// The slot.
        slot: usize,
        /// By the circuit.
        expected: usize,
        /// Those given.
        got: usize,
    },
    /// A proof of another length.
    #[error("the proof in slot {slot} has {got} bytes, expected {expected}")]
    Length {
        /// The slot.
        slot: usize,
        /// By the circuit.
        expected: usize,
        /// Those given.
        got: usize,
    },
    /// Bytes that are no point.
    #[error("point {index} of the proof in slot {slot} is not canonical or not on the curve")]
    Point {
        /// The slot.
        slot: usize,
        /// Its place.
        index: usize,
    },
    /// Bytes that are no scalar.
    #[error("scalar {index} of the proof in slot {slot} is not below the field's order")]
    Scalar {
        /// The slot.
        slot: usize,
        /// Its place.
        index: usize,
    },
    /// A challenge hit one of the few values that no proof survives.
    #[error("a value that must be inverted is zero (node {node})")]
    NoInverse {
        /// The node.
        node: usize,
    },
    /// The pairing refuses.
    #[error("{}", invalid(*slots))]
    Invalid {
        /// How many were checked together.
        slots: usize,
    },
    /// The rows do not suffice, or a bug of the layout.
    #[error(transparent)]
    Layout(#[from] TraceError),
    /// Keys and SRS do not belong together.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

fn invalid(slots: usize) -> String {
    match slots {
        1 => "the proof is invalid: the pairing check failed".into(),
        _ => format!("at least one of the {slots} proofs is invalid: the pairing check failed"),
    }
}

impl AggregateError {
    pub(super) fn unsupported(slot: usize, error: &snark_verifier::Error) -> Self {
        Self::Protocol { slot, problem: format!("{error:?}") }
    }
}

impl Explain for AggregateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "aggregate/empty",
            Self::Protocol { .. } => "aggregate/protocol",
            Self::Slots { .. } => "aggregate/slots",
            Self::Statement { .. } => "aggregate/statement",
            Self::Length { .. } => "aggregate/length",
            Self::Point { .. } => "aggregate/point",
            Self::Scalar { .. } => "aggregate/scalar",
            Self::NoInverse { .. } => "aggregate/no-inverse",
            Self::Invalid { .. } => "aggregate/invalid",
            Self::Layout(_) => "aggregate/layout",
            Self::Proof(e) => e.code(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Empty | Self::Slots { .. } | Self::Statement { .. } => ExitCode::Usage,
            Self::Protocol { .. } | Self::Layout(_) => ExitCode::Environment,
            Self::Length { .. } | Self::Point { .. } | Self::Scalar { .. } | Self::NoInverse { .. } | Self::Invalid { .. } => {
                ExitCode::No
            }
            Self::Proof(e) => e.exit_code(),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Empty | Self::Slots { .. } => "give one proof for each slot".into(),
            Self::Statement { .. } | Self::Length { .. } => "check that the proof is of the slot's model".into(),
            Self::Point { .. } | Self::Scalar { .. } => "the proof was damaged or forged: get it from its prover again".into(),
            Self::NoInverse { .. } => {
                "prove again: this happens by chance once in 2^240 proofs, or the proof was made to fail".into()
            }
            Self::Invalid { slots: 1 } => "check that proof, public values and slot belong together".into(),
            Self::Invalid { .. } => "check the proofs one by one".into(),
            Self::Protocol { .. } => "this is a bug of zkml-evm: please report it with the manifest".into(),
            Self::Layout(_) => "take a larger k, or fewer slots".into(),
            Self::Proof(e) => e.hint(),
        }
    }
}
