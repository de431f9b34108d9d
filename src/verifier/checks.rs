//! What is checked of the proof before anything is computed with it.

use super::{accumulator, opening::Style, protocol::Protocol, transcript::Transcript, yul::Block};
use crate::proof::protocol::RotationSet;
use std::fmt::Display;

/// Statements that leave `ok` as it is where all public inputs and evaluations are below `r`, and else make it zero.
pub fn scalars(protocol: &Protocol, sets: &[RotationSet], transcript: &Transcript) -> Block {
    let mut block = Block::default();
    // There may be any number of public inputs.
    block.turns("PUBLIC_INPUTS", protocol.public_inputs, OF_A_TURN, |words| vec![all_below(words)]);
    match (Style::of(sets), transcript.evaluations.as_slice()) {
        (Style::Straight, names) => names.chunks(OF_A_STATEMENT).for_each(|names| block.line(all_below(names))),
        (Style::Loops, [first, ..]) => {
            block.turns(first, transcript.evaluations.len(), OF_A_TURN, |words| vec![all_below(words)]);
        }
        (Style::Loops, []) => {}
    }
    block
}

fn all_below(words: &[impl Display]) -> String {
    let all = words.iter().fold("ok".to_owned(), |all, word| format!("and(lt(mload({word}), r), {all})"));
    format!("ok := {all}")
}

/// Words of one turn; more of them save a few gas each, and take as many bytes.
const OF_A_TURN: usize = 5;
/// Words of one statement, without a loop.
const OF_A_STATEMENT: usize = 8;

/// Statements that count in `good` the proof's points before the first that is none of the curve; and how many there are.
pub fn points(protocol: &Protocol, sets: &[RotationSet], transcript: &Transcript) -> (Block, usize) {
    let accumulator = if protocol.accumulates() { accumulator::NAMES.as_slice() } else { &[] };
    let committed = transcript.points.iter().chain(&transcript.quotients).map(String::as_str);
    let all: Vec<&str> =
        accumulator.iter().copied().chain(committed).chain(["COMMITMENT_OPENING", "COMMITMENT_OPENING_QUOTIENT"]).collect();
    let mut block = Block::default();
    match Style::of(sets) {
        Style::Straight => {
            ["let q := Q", "let ok := 1", "let x", "let y"].iter().for_each(|line| block.line(*line));
            for point in &all {
                block.line(format!("x := mload({point}_X)"));
                block.line(format!("y := mload({point}_Y)"));
                block.line(format!("ok := and({ON_CURVE}, ok)"));
                block.line("good := add(good, ok)");
            }
        }
        Style::Loops => {
            block.comment("one more where this one is on the curve, and all before it were");
            block.line("function next(point, index, before) -> more {");
            block.line("    let q := Q");
            block.line("    let x := mload(point)");
            block.line("    let y := mload(add(point, 32))");
            block.line(format!("    more := add(before, and({ON_CURVE}, eq(before, index)))"));
            block.line("}");
            all.iter().enumerate().for_each(|(index, point)| block.line(format!("good := next({point}_X, {index}, good)")));
        }
    }
    (block, all.len())
}

const ON_CURVE: &str = "and(and(lt(x, q), lt(y, q)), eq(mulmod(y, y, q), addmod(mulmod(x, mulmod(x, x, q), q), 3, q)))";
