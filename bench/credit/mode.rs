//! The two statements that are measured, each beside the EZKL mode that is nearest to it.

use crate::credit_support::Credit;
use clap::ValueEnum;
use zkml_evm::{op::InputMode, quant::OutputChoice};

/// A statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Input committed to, score compared with a public threshold: what settles a loan.
    CommittedThreshold,
    /// Input private, the probability public.
    PrivateReveal,
    /// Input private, the model cut before its Sigmoid and the logit public.
    PrivateRevealLogit,
}

impl Mode {
    /// In the order of the table.
    pub const ALL: [Self; 3] = [Self::CommittedThreshold, Self::PrivateReveal, Self::PrivateRevealLogit];

    /// As on the command line and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommittedThreshold => "committed-threshold",
            Self::PrivateReveal => "private-reveal",
            Self::PrivateRevealLogit => "private-reveal-logit",
        }
    }

    /// EZKL's mode beside it; its output is the probability.
    pub fn peer(self) -> Option<&'static str> {
        match self {
            Self::CommittedThreshold => Some("hashed"),
            Self::PrivateReveal => Some("private"),
            Self::PrivateRevealLogit => None,
        }
    }

    /// The example in this mode.
    pub fn compile(self) -> Credit {
        match self {
            Self::CommittedThreshold => Credit::compile(InputMode::Committed, OutputChoice::Threshold),
            Self::PrivateReveal => Credit::compile(InputMode::Private, OutputChoice::Reveal),
            Self::PrivateRevealLogit => Credit::compile_logit(InputMode::Private),
        }
    }
}
