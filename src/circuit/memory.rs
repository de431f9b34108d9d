//! Memory of key generation and of a proof, predicted from the plan before either starts.

use super::{CircuitError, Plan, plan::ONE_THREAD_K};
use serde::Serialize;

const MIB: u64 = 1 << 20;

/// Peak memory of a process, in bytes.
///
/// Linear in rows and columns. The factors are fitted to processes with 2^9 to 2^17 rows (a proof's again to 2^9 to 2^14, since keys are as short
/// as their values), 7 to 12 advice and 8 to 71 fixed columns (MLPs and convolutions) and to stacked ones with two of each, which lie within a
/// fifth of it; the constants are the process itself, and what a second thread takes where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Making the keys and writing them.
    pub setup: u64,
    /// Reading the keys and proving.
    pub proof: u64,
}

impl Memory {
    /// What `plan` needs.
    pub fn of(plan: &Plan) -> Self {
        let (rows, fixed, advice) = (1u64 << plan.shape.k, plan.fixed as u64, plan.advice as u64);
        let threads = if plan.shape.k > ONE_THREAD_K { 2 * MIB } else { 0 };
        // Few columns have as many pieces of the quotient and extended polynomials as many.
        let cells = (75 * fixed + 150 * advice).max(1_800);
        Self { setup: 28 * MIB + rows * (268 * fixed + 1500), proof: 12 * MIB + threads + rows * cells }
    }

    /// The larger of both.
    pub fn most(&self) -> u64 {
        self.setup.max(self.proof)
    }
}

/// Refuses work that would need more than is allowed, where there is a limit.
///
/// # Errors
/// [`CircuitError::Memory`], with both numbers.
pub fn check(doing: &'static str, needed: u64, allowed: Option<u64>) -> Result<(), CircuitError> {
    match allowed {
        Some(allowed) if needed > allowed => Err(CircuitError::Memory { doing, needed, allowed }),
        _ => Ok(()),
    }
}
