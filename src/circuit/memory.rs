//! Memory of key generation and of a proof, predicted from the plan before either starts.

use super::{CircuitError, Plan, plan::ONE_THREAD_K};
use serde::Serialize;

const MIB: u64 = 1 << 20;

/// Peak memory of a process, in bytes.
///
/// Linear in rows and columns. The factors are fitted to processes with 2^9 to 2^18 rows, 7 to 14 advice and 8 to 55 fixed columns (MLPs and
/// convolutions), which lie within a fifth of it; the constants are the process itself, and what a second thread takes where there is one.
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
        let threads = if plan.shape.k > ONE_THREAD_K { 11 * MIB } else { 0 };
        // No circuit has fewer than four advice columns.
        let cells = (183 * fixed + 337 * advice).saturating_sub(600);
        Self { setup: 28 * MIB + rows * (268 * fixed + 1500), proof: 19 * MIB + threads + rows * cells }
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
