//! The widths of an outer circuit.
//!
//! A coordinate of a point, an integer modulo q, is no element of the circuit's field. It stands in four limbs of `w = 5 * 13` bits, each limb in
//! five lanes of 13 bits that the range table has:
//!
//! ```text
//! x = e_0 + e_1 2^w + e_2 2^2w + e_3 2^3w,     0 <= x < 2^254
//! ```

use serde::{Deserialize, Serialize};

/// Bits of a lane; the range table has `2^LANE_BITS` rows.
pub const LANE_BITS: u32 = 13;
/// Limbs of an element modulo q.
pub const LIMBS: usize = 4;
/// Lanes of a limb.
pub const LIMB_LANES: usize = 5;
/// Bits of a limb.
pub const LIMB_BITS: u32 = LANE_BITS * LIMB_LANES as u32;
/// Lanes of an element.
pub const ELEMENT_LANES: usize = LIMBS * LIMB_LANES;
/// Lanes of a carry.
pub const CARRY_LANES: usize = 6;
/// All lanes: the element's, its top one again, the carry's.
pub const LANES: usize = ELEMENT_LANES + 1 + CARRY_LANES;
/// Bits that an element modulo q has at most. q has 254.
pub const ELEMENT_BITS: u32 = 254;
/// The top lane times `2^TOP_SHIFT` is in range too: the element then has [`ELEMENT_BITS`] bits.
pub const TOP_SHIFT: u32 = LIMBS as u32 * LIMB_BITS - ELEMENT_BITS;
/// A quotient is stored with `2^QUOTIENT_OFFSET` added, so that it can be negative.
pub const QUOTIENT_OFFSET: u32 = ELEMENT_BITS + 4;
/// A carry is stored with `2^CARRY_OFFSET` added.
pub const CARRY_OFFSET: u32 = CARRY_LANES as u32 * LANE_BITS - 1;

/// What, with the recording, fixes an outer circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widths {
    /// The circuit has `2^k` rows.
    pub k: u32,
    /// Columns of the layout that stand under each other in a committed one (`gates/stack.rs`).
    pub stack: u32,
}

impl Default for Widths {
    fn default() -> Self {
        Self { k: 18, stack: 16 }
    }
}

impl Widths {
    /// Rows of the layout.
    pub fn rows(&self) -> usize {
        (1usize << self.k) / self.stack.max(1) as usize
    }

    /// Whether the widths are ones that the gates are sound for.
    pub fn is_sound(&self) -> bool {
        (14..=24).contains(&self.k) && (2..=32).contains(&self.stack)
    }
}
