//! Errors between an integer program and its circuit.

use super::{demand::holds_ranges, plan::LIMB_BITS};
use crate::{
    error::{ExitCode, Explain},
    gates::TraceError,
    quant::QuantError,
};

/// What can go wrong while a program becomes rows.
#[derive(Debug, thiserror::Error)]
pub enum CircuitError {
    /// The program breaks its own rules.
    #[error(transparent)]
    Quant(#[from] QuantError),
    /// The rows could not be placed.
    #[error("cannot lay out the circuit: {0}")]
    Trace(#[from] TraceError),
    /// No combination of widths fits.
    #[error("the model needs {rows} rows even with the widest layout, more than 2^{max_k}")]
    TooLarge {
        /// Rows of the smallest candidate.
        rows: usize,
        /// Largest supported k.
        max_k: u32,
    },
    /// No limb size serves the program's widths.
    #[error("no limb size serves a shift of {shift} bits, magnitudes of {magnitude} and ranges of {range}")]
    NoLimbs {
        /// Bits of every shift.
        shift: u32,
        /// Bits of every magnitude.
        magnitude: u32,
        /// Bits of the widest range check.
        range: u32,
    },
    /// More memory is needed than was allowed.
    #[error("{doing} takes about {} MB of memory, allowed are {} MB", needed.div_ceil(1_000_000), allowed / 1_000_000)]
    Memory {
        /// The work.
        doing: &'static str,
        /// Bytes predicted.
        needed: u64,
        /// Bytes allowed.
        allowed: u64,
    },
    /// The statement is false: there is no proof of it.
    #[error("the score is below the threshold {threshold}: no proof exists")]
    BelowThreshold {
        /// The public threshold, at the score's scale.
        threshold: i128,
    },
    /// The threshold itself is not one the circuit accepts.
    #[error("threshold {threshold} is outside {lo}..={hi} (integers at the score's scale)")]
    ThresholdRange {
        /// The value given.
        threshold: i128,
        /// Smallest allowed.
        lo: i128,
        /// Largest allowed.
        hi: i128,
    },
    /// One input of a batch.
    #[error("item {item}: {source}")]
    Item {
        /// Which, from 0.
        item: usize,
        /// What is wrong with it.
        source: Box<CircuitError>,
    },
    /// A batch has a fixed number of inputs.
    #[error("a statement of this model is about {expected} inputs, got {got}")]
    Items {
        /// The batch's size.
        expected: usize,
        /// Inputs given.
        got: usize,
    },
    /// A part of the witness is missing or superfluous.
    #[error("the statement {problem}")]
    Statement {
        /// What is wrong.
        problem: &'static str,
    },
    /// A shape from a file that the gates are not sound for.
    #[error("the circuit shape is not one that this version can use: {0:?}")]
    Shape(Box<crate::gates::Shape>),
}

impl Explain for CircuitError {
    fn code(&self) -> &'static str {
        match self {
            Self::Quant(e) => e.code(),
            Self::Trace(_) => "circuit/layout",
            Self::TooLarge { .. } => "circuit/too-large",
            Self::NoLimbs { .. } => "circuit/no-limbs",
            Self::Memory { .. } => "circuit/memory",
            Self::BelowThreshold { .. } => "circuit/below-threshold",
            Self::ThresholdRange { .. } => "circuit/threshold-range",
            Self::Item { source, .. } => source.code(),
            Self::Items { .. } => "circuit/items",
            Self::Statement { .. } => "circuit/statement",
            Self::Shape(_) => "circuit/shape",
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Quant(e) => e.exit_code(),
            Self::TooLarge { .. } | Self::NoLimbs { .. } => ExitCode::UnsupportedModel,
            Self::BelowThreshold { .. } => ExitCode::No,
            Self::Item { source, .. } => source.exit_code(),
            Self::Memory { .. } => ExitCode::Environment,
            _ => ExitCode::Usage,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Quant(e) => e.hint(),
            Self::TooLarge { .. } => "use a smaller model".into(),
            Self::NoLimbs { shift, magnitude, range } => precisions_near(*shift, *magnitude, *range),
            Self::Memory { .. } => "allow more with --max-memory, or use a smaller model".into(),
            Self::BelowThreshold { .. } => "only a higher score, or a policy with a lower threshold, can be proven".into(),
            Self::ThresholdRange { .. } => "thresholds outside the score's range are never or always reached".into(),
            Self::Item { source, .. } => source.hint(),
            Self::Items { .. } => {
                "the number is fixed by `gen-verifier --batch N`: give as many, or generate for another number".into()
            }
            Self::Statement { .. } => String::new(),
            Self::Trace(_) | Self::Shape(_) => "generate the verifier again with this version of zkml-evm".into(),
        }
    }
}

/// The next precision above the one given for each limb size: shift and magnitude must be whole multiples of one of them.
fn precisions_near(shift: u32, magnitude: u32, range: u32) -> String {
    let up = |bits: u32, limb: u32, most: u32| bits.div_ceil(limb).saturating_mul(limb).min(most / limb * limb);
    let limbs = LIMB_BITS.filter(|&limb| holds_ranges(range, limb));
    let mut all: Vec<(u32, u32)> = limbs.map(|limb| (up(shift, limb, 64), up(magnitude, limb, 48))).collect();
    all.sort_by_key(|(shift, magnitude)| shift + magnitude);
    all.dedup();
    let all: Vec<String> = all.into_iter().map(|(shift, magnitude)| format!("--precision {shift},{magnitude}")).collect();
    let (smallest, largest) = (*LIMB_BITS.start(), *LIMB_BITS.end());
    format!(
        "shift and magnitude must be whole multiples of one limb size, {smallest} to {largest} bits; near: {}",
        all.join(", ")
    )
}
