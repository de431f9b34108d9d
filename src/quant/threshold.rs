//! Thresholds between people's units and the integers that the circuit compares. Always rounded up: the statement
//! `q >= T` never claims more than `score >= threshold` does on the integer score.

use super::decimal::Decimal;
use super::scale::power_of_two;
use super::{Program, logarithm};
use crate::error::{ExitCode, Explain};
use crate::model::graph::sigmoid;
use crate::op::{Interval, Op};

/// The scale of a program's threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThresholdScale {
    /// `real = T / 2^log2`.
    pub log2: i32,
    /// What `T` may be.
    pub range: Interval,
}

/// Why a threshold cannot be stated.
#[derive(Debug, thiserror::Error)]
pub enum ThresholdError {
    /// The program's output is no threshold.
    #[error("the program's output is `{got}`, not a threshold")]
    NotAThreshold {
        /// The output statement.
        got: String,
    },
    /// Not a decimal number, or more digits than are compared exactly.
    #[error("`{text}` is not a decimal number with at most 18 digits")]
    NotANumber {
        /// As given.
        text: String,
    },
    /// A probability outside (0, 1).
    #[error("{text} is not a probability strictly between 0 and 1")]
    Probability {
        /// As given.
        text: String,
    },
    /// Outside what the circuit admits.
    #[error("the threshold {text} is {got} at the program's scale, allowed is {lo}..={hi} ({low:.3} to {high:.3} as a score)")]
    OutOfRange {
        /// As given.
        text: String,
        /// The integer.
        got: i128,
        /// Smallest allowed.
        lo: i128,
        /// Largest allowed.
        hi: i128,
        /// The same as a score.
        low: f64,
        /// The same as a score.
        high: f64,
    },
}

impl Explain for ThresholdError {
    fn code(&self) -> &'static str {
        match self {
            ThresholdError::NotAThreshold { .. } => "threshold/not-a-threshold",
            ThresholdError::NotANumber { .. } => "threshold/not-a-number",
            ThresholdError::Probability { .. } => "threshold/probability",
            ThresholdError::OutOfRange { .. } => "threshold/out-of-range",
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> String {
        match self {
            ThresholdError::NotAThreshold { .. } => "generate the verifier with `--output threshold`".into(),
            ThresholdError::OutOfRange { .. } => {
                "no admitted input can score beyond this range; choose a threshold inside".into()
            }
            _ => "write a plain decimal such as 0.75".into(),
        }
    }
}

impl ThresholdScale {
    /// The scale of a threshold program.
    ///
    /// # Errors
    /// [`ThresholdError::NotAThreshold`].
    pub fn of(program: &Program) -> Result<Self, ThresholdError> {
        match program.nodes.last().map(|n| (&n.op, n.scale_log2)) {
            Some((Op::Threshold(t), log2)) => Ok(Self { log2, range: t.range }),
            other => Err(ThresholdError::NotAThreshold { got: other.map_or("nothing", |(op, _)| op.name()).into() }),
        }
    }

    /// `T = ceil(value * 2^log2)` of a score in the model's own unit, exactly.
    ///
    /// # Errors
    /// Not a number with at most 18 digits, or beyond the range.
    pub fn from_value(&self, text: &str) -> Result<i128, ThresholdError> {
        let (numerator, decimals) = parse(text)?;
        // |numerator| < 10^18 < 2^60, 10^decimals <= 10^18; the shift is bounded to keep both products below 2^127.
        let ten = 10i128.pow(decimals);
        let (n, d) = match self.log2 {
            e if e > 64 => (numerator.signum() << 120, 1),
            e if e >= 0 => (numerator << e, ten),
            e if e >= -64 => (numerator, ten << e.unsigned_abs()),
            _ => (numerator.signum(), i128::MAX),
        };
        self.checked(text, ceiling(n, d))
    }

    /// `T = ceil(ln(p / (1 - p)) * 2^log2)` of a probability, for programs whose score is a logit.
    ///
    /// # Errors
    /// Not a decimal with at most 18 digits strictly between 0 and 1, or a logit beyond the range.
    pub fn from_probability(&self, text: &str) -> Result<i128, ThresholdError> {
        let (numerator, decimals) = parse(text)?;
        let ten = 10i128.pow(decimals);
        match (u64::try_from(numerator), u64::try_from(ten - numerator)) {
            (Ok(for_), Ok(against)) if for_ > 0 && against > 0 => {
                self.checked(text, logarithm::ceil_ratio(for_, against, self.log2))
            }
            _ => Err(ThresholdError::Probability { text: text.into() }),
        }
    }

    /// The score that `T` stands for, in the model's own unit (a logit where the score is one).
    pub fn value(&self, threshold: i128) -> f64 {
        threshold as f64 / power_of_two(self.log2)
    }

    /// The probability that `T` stands for, where the score is a logit.
    pub fn probability(&self, threshold: i128) -> f64 {
        sigmoid(self.value(threshold))
    }

    fn checked(&self, text: &str, got: i128) -> Result<i128, ThresholdError> {
        let Interval { lo, hi } = self.range;
        if self.range.contains(got) {
            return Ok(got);
        }
        Err(ThresholdError::OutOfRange { text: text.into(), got, lo, hi, low: self.value(lo), high: self.value(hi) })
    }
}

fn parse(text: &str) -> Result<(i128, u32), ThresholdError> {
    let refuse = || ThresholdError::NotANumber { text: text.chars().take(40).collect() };
    Decimal::parse(text).and_then(|d| d.fraction()).ok_or_else(refuse)
}

/// `ceil(n / d)` for `d > 0`.
fn ceiling(n: i128, d: i128) -> i128 {
    n.div_euclid(d) + i128::from(n.rem_euclid(d) != 0)
}

#[cfg(test)]
#[path = "threshold_tests.rs"]
mod tests;
