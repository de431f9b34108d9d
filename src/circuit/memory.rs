//! Memory of key generation and of a proof, predicted from the plan before either starts.

use super::{CircuitError, Plan};
use serde::Serialize;

const MIB: u64 = 1 << 20;

/// Peak memory of a process, in bytes.
///
/// Linear in rows and columns. The factors are fitted to processes with 2^10 to 2^16 rows and 9 to 45 fixed columns, which lie within
/// a fifth of it; the constants are the process itself with the model loaded.
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
        Self { setup: 26 * MIB + rows * (235 * fixed + 2100), proof: 18 * MIB + rows * (200 * fixed + 130 * advice + 900) }
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
