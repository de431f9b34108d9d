//! Memory of an outer circuit's keys and proofs, predicted from its widths before the work begins.

use super::{OuterCircuit, Widths};
use halo2_proofs::plonk::{Circuit, ConstraintSystem};
use serde::Serialize;

const MIB: u64 = 1 << 20;

/// Peak memory of a process, in bytes.
///
/// Linear in rows and committed columns, as [`crate::circuit::Memory`] is for models; the factors are fitted to whole runs with 2^18 to 2^20 rows
/// and stacks of 16 and 32, which lie within a fifth of it (`docs/aggregation.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OuterMemory {
    /// Making the keys and writing them.
    pub setup: u64,
    /// Reading the keys and aggregating.
    pub proof: u64,
}

impl OuterMemory {
    /// What a circuit of these widths needs.
    pub fn of(widths: &Widths) -> Self {
        let mut cs = ConstraintSystem::default();
        OuterCircuit::configure_with_params(&mut cs, *widths);
        let (rows, fixed, advice) = (1u64 << widths.k, cs.num_fixed_columns() as u64, cs.num_advice_columns() as u64);
        let proof = 40 * MIB + rows * (150 * fixed + 235 * advice);
        Self { setup: 40 * MIB + rows * (268 * fixed + 1500), proof }
    }

    /// The larger of both.
    pub fn most(&self) -> u64 {
        self.setup.max(self.proof)
    }
}
