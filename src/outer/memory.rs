//! Memory of an outer circuit's keys and proofs, predicted from its widths before the work begins.

use super::{OuterCircuit, Widths};
use halo2_proofs::plonk::{Circuit, ConstraintSystem};
use serde::Serialize;

const MIB: u64 = 1 << 20;

/// Peak memory of a process, in bytes.
///
/// Linear in rows and committed columns, as [`crate::circuit::Memory`] is for models; the factors are fitted to whole runs with 2^18 and 2^19 rows
/// and stacks of 16 and 32, which lie within a fifth of it. What stands below a tree comes besides, and is smaller.
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
        let (rows, advice) = (1u64 << widths.k, cs.num_advice_columns() as u64);
        Self { setup: 40 * MIB + rows * 2_600, proof: 40 * MIB + rows * (1_275 + 185 * advice) }
    }

    /// The larger of both.
    pub fn most(&self) -> u64 {
        self.setup.max(self.proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole runs of the credit model's aggregates: keys of 2 slots, of a tree of 2 by 2; aggregates of both, and of 2 slots for gas.
    #[test]
    fn predictions_are_near_what_was_measured() {
        let of = |k, stack| OuterMemory::of(&Widths { k, stack });
        let measured = [
            (of(18, 16).setup, 722_340),
            (of(19, 16).setup, 1_582_612),
            (of(18, 16).proof, 617_380),
            (of(19, 16).proof, 1_200_252),
            (of(19, 32).proof, 980_000),
        ];
        for (predicted, kib) in measured {
            let ratio = predicted as f64 / (kib as f64 * 1024.0);
            assert!((0.8..1.25).contains(&ratio), "{predicted} for {kib} KiB");
        }
    }
}
