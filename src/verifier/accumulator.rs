//! A pairing equation that a circuit leaves to the contract: `e(lhs, g2) = e(rhs, s g2)` for two points that stand before the proof.
//!
//! The circuit has their coordinates as its last public values, as words that the contract computes: an integer below q is no element of
//! the scalar field. The equation is checked together with the proof's own, `e(SUM, g2) = e(W', s g2)`, by one pairing:
//!
//! ```text
//! e(SUM + ρ lhs, g2) = e(W' + ρ rhs, s g2)            ρ drawn behind all that the prover sent
//! ```

use super::{
    memory::Memory,
    opening::{Style, chain, put, stored},
    yul::Block,
};

/// Public values of the two points: low and high part of lhs.x, lhs.y, rhs.x and rhs.y.
pub const WORDS: usize = 8;
/// Bits of a low part. Both parts are below r whatever the word.
pub const LOW_BITS: usize = 130;
/// The names of the points before the proof.
pub const NAMES: [&str; 2] = ["ACCUMULATOR_LHS", "ACCUMULATOR_RHS"];
/// Their bytes.
pub const BYTES: usize = 64 * NAMES.len();
/// The name of ρ.
pub const CHALLENGE: &str = "RHO";

/// Reserves the words, behind the public inputs.
pub fn reserve_words(memory: &mut Memory) {
    memory.words("ACCUMULATOR_WORDS", WORDS);
}

/// Reserves the points.
pub fn reserve_points(memory: &mut Memory) {
    memory.section("The points whose pairing equation the circuit leaves to check.");
    NAMES.iter().for_each(|name| memory.point(name));
}

/// Statements that read the points and split their coordinates.
pub fn read(block: &mut Block) {
    block.comment("the accumulator's points, and their coordinates in two parts each");
    block.line(format!("calldatacopy(ACCUMULATOR_LHS_X, proof.offset, {BYTES:#x})"));
    block.line(format!("for {{ let i := 0 }} lt(i, {BYTES:#x}) {{ i := add(i, 32) }} {{"));
    block.line("    let coordinate := mload(add(ACCUMULATOR_LHS_X, i))");
    block.line("    let parts := add(ACCUMULATOR_WORDS, mul(i, 2))");
    block.line(format!("    mstore(parts, and(coordinate, sub(shl({LOW_BITS}, 1), 1)))"));
    block.line(format!("    mstore(add(parts, 32), shr({LOW_BITS}, coordinate))"));
    block.line("}");
}

/// The function that makes one equation of two, and its call.
pub fn addition() -> [String; 2] {
    let mut block = Block::default();
    put(&mut block, "TOTAL", &stored("SUM"));
    chain(
        &mut block,
        &[stored("ACCUMULATOR_RHS"), stored("COMMITMENT_OPENING_QUOTIENT")],
        &format!("mload({CHALLENGE})"),
        Style::Straight,
    );
    put(&mut block, "COMMITMENT_OPENING_QUOTIENT", &stored("SUM"));
    chain(&mut block, &[stored("ACCUMULATOR_LHS"), stored("TOTAL")], &format!("mload({CHALLENGE})"), Style::Straight);
    let function = FUNCTION.replace("{addition}", &block.text());
    [function, "        _addAccumulator();\n".into()]
}

const FUNCTION: &str = r#"
    /// @dev Adds the accumulator's pairing equation, with the factor ρ: SUM + ρ lhs, and W' + ρ rhs in the place of W'.
    function _addAccumulator() private view {
        uint256 ok = 1;
        assembly ("memory-safe") {
{addition}
        }
        if (ok == 0) revert PrecompileFailed();
    }
"#;
