//! The widths of an aggregation circuit.
//!
//! A coordinate of a point, an integer modulo q, is no element of the circuit's field. It stands in four limbs of `w = 5 b` bits, b being the
//! bits of the range table:
//!
//! ```text
//! x = e_0 + e_1 2^w + e_2 2^2w + e_3 2^3w,     0 <= x < 2^254
//! ```

use serde::{Deserialize, Serialize};

/// Limbs of an element modulo q.
pub const LIMBS: usize = 4;
/// Bits that an element modulo q has at most. q has 254.
pub const ELEMENT_BITS: u32 = 254;
/// Lanes of one limb; the last limb may have fewer.
const LANES_OF_LIMB: u32 = 5;
/// Lanes of a carry.
pub const CARRY_LANES: usize = 6;

/// What, with the recording, fixes an aggregation circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widths {
    /// The circuit has `2^k` rows.
    pub k: u32,
    /// Bits of one range-checked lane: 13 or 14.
    pub bits: u32,
    /// Columns of the layout that stand under each other in a committed one (`gates/stack.rs`).
    pub stack: u32,
}

impl Default for Widths {
    fn default() -> Self {
        Self { k: 18, bits: 13, stack: 16 }
    }
}

impl Widths {
    /// Rows of the layout.
    pub fn rows(&self) -> usize {
        (1usize << self.k) / self.stack.max(1) as usize
    }

    /// Whether the widths are ones that the gates are sound for.
    pub fn is_sound(&self) -> bool {
        (10..=24).contains(&self.k) && (13..=14).contains(&self.bits) && (2..=32).contains(&self.stack)
    }

    /// Bits of a limb.
    pub fn limb_bits(&self) -> u32 {
        LANES_OF_LIMB * self.bits
    }

    /// Lanes of an element: the fewest that hold its bits.
    pub fn element_lanes(&self) -> usize {
        ELEMENT_BITS.next_multiple_of(self.bits) as usize / self.bits as usize
    }

    /// Lanes of limb `limb`, as places among the element's.
    pub fn lanes_of_limb(&self, limb: usize) -> std::ops::Range<usize> {
        let of_limb = LANES_OF_LIMB as usize;
        limb * of_limb..((limb + 1) * of_limb).min(self.element_lanes())
    }

    /// All lanes: the element's, the repeated top one, the carry's.
    pub fn lanes(&self) -> usize {
        self.element_lanes() + 1 + CARRY_LANES
    }

    /// What the top lane times `2^this` must be in range for: the element then has [`ELEMENT_BITS`] bits.
    pub fn top_shift(&self) -> u32 {
        self.element_lanes() as u32 * self.bits - ELEMENT_BITS
    }

    /// Bits that the four limbs of a quotient can take; a quotient is stored with half of them added, so that it can be negative.
    pub fn quotient_offset_bits(&self) -> u32 {
        ELEMENT_BITS + 4
    }

    /// A carry is stored with `2^this` added.
    pub fn carry_offset_bits(&self) -> u32 {
        CARRY_LANES as u32 * self.bits - 1
    }
}
