//! The two statements that are measured, each beside the EZKL mode that is nearest to it.

use crate::credit_support::Credit;
use clap::ValueEnum;
use zkml_evm::{op::InputMode, quant::OutputChoice};

/// A statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Input committed to, score compared with a public threshold: what settles a loan.
    CommittedThreshold,
    /// Input private, the logit public.
    PrivateReveal,
}

impl Mode {
    /// In the order of the table.
    pub const ALL: [Self; 2] = [Self::CommittedThreshold, Self::PrivateReveal];

    /// As on the command line and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::CommittedThreshold => "committed-threshold",
            Self::PrivateReveal => "private-reveal",
        }
    }

    /// EZKL's mode beside it. Its output is the probability itself in both.
    pub fn peer(self) -> &'static str {
        match self {
            Self::CommittedThreshold => "hashed",
            Self::PrivateReveal => "private",
        }
    }

    /// The example in this mode.
    pub fn compile(self) -> Credit {
        match self {
            Self::CommittedThreshold => Credit::compile(InputMode::Committed, OutputChoice::Threshold),
            Self::PrivateReveal => Credit::compile(InputMode::Private, OutputChoice::Reveal),
        }
    }
}
