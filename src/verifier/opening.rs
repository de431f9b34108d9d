//! The polynomials grouped by the rotations they are opened at (SHPLONK, Boneh, Drake, Fisch, Gabizon 2020, section 4).

use super::{
    evaluation::{distance, rotate},
    memory::Memory,
    protocol::{Protocol, Query},
    transcript::Transcript,
    yul::{Block, literal, word},
};
use alloy::primitives::U256;
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::PrimeField,
    },
};

/// Polynomials that are opened at the same points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationSet {
    /// The rotations.
    pub rotations: Vec<i32>,
    /// The polynomials; the i-th has the factor `μ^i`.
    pub polys: Vec<usize>,
}

/// The sets in the order of their first queries; the s-th has the factor `ν^s`. halo2 and snark-verifier group the same way.
pub fn rotation_sets(protocol: &Protocol) -> Vec<RotationSet> {
    let mut polys: Vec<(usize, Vec<i32>)> = Vec::new();
    for &Query { poly, rotation } in &protocol.queries {
        match polys.iter_mut().find(|(p, _)| *p == poly) {
            Some((_, rotations)) if rotations.contains(&rotation) => {}
            Some((_, rotations)) => rotations.push(rotation),
            None => polys.push((poly, vec![rotation])),
        }
    }
    let mut sets: Vec<RotationSet> = Vec::new();
    for (poly, rotations) in polys {
        let same =
            |set: &RotationSet| set.rotations.len() == rotations.len() && rotations.iter().all(|r| set.rotations.contains(r));
        match sets.iter_mut().find(|set| same(set)) {
            Some(set) => set.polys.push(poly),
            None => sets.push(RotationSet { rotations, polys: vec![poly] }),
        }
    }
    sets
}

/// Every rotation of any set, ascending.
pub fn all_rotations(sets: &[RotationSet]) -> Vec<i32> {
    let mut all: Vec<i32> = sets.iter().flat_map(|set| set.rotations.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Statements that interpolate every set's evaluations at z' and add them up: the factor of the generator.
///
/// With `D_i = z' - ω^i z`, `N` the product of `D_i` over the first set's rotations, and `S` a set of `m` rotations:
///
/// ```text
/// factor of the set's commitments   ν^s N / Π_{i in S} D_i                     (1 for the first set)
/// factor of its values at ω^j z     ν^s N / (D_j z^(m-1) Π_{i in S, i != j} (ω^j - ω^i))
/// ```
pub fn values(protocol: &Protocol, sets: &[RotationSet], transcript: &Transcript, memory: &mut Memory) -> Block {
    memory.section("Factors of the opening: of each set's commitments, and of the generator.");
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let mu := mload(MU)");
    block.line("let factor := mload(NUMERATOR)");
    block.line("let sum := 0");
    block.line("let value");
    block.line("let scale");
    let degrees = sets.iter().map(|set| set.rotations.len() - 1);
    let powers = inverse_powers(degrees.max().unwrap_or(0), memory, &mut block);
    for (s, set) in sets.iter().enumerate() {
        block.comment(&describe(set));
        if s > 0 {
            block.line("factor := mulmod(factor, mload(NU), r)");
            let name = memory.word(&scale_name(s));
            block.line("scale := factor");
            for rotation in &set.rotations {
                block.line(format!("scale := mulmod(scale, mload({}), r)", distance(*rotation)));
            }
            block.line(format!("mstore({name}, scale)"));
        }
        for (j, &rotation) in set.rotations.iter().enumerate() {
            let known = |poly: usize| format!("mload({})", value_name(protocol, transcript, Query { poly, rotation }));
            let mut polys = set.polys.iter().rev().map(|&poly| known(poly));
            let mut at_rotation = polys.next().unwrap_or("0".into());
            if set.polys.len() > 1 {
                block.line(format!("scale := {at_rotation}"));
                for value in polys {
                    block.line(format!("scale := addmod(mulmod(scale, mu, r), {value}, r)"));
                }
                at_rotation = "scale".into();
            }
            let mut term = format!("mulmod({at_rotation}, mload({}), r)", distance(rotation));
            let weight = interpolation_weight(protocol, set, rotation);
            if weight != Fr::ONE {
                term = format!("mulmod({term}, {}, r)", literal(&weight));
            }
            block.line(if j == 0 { format!("value := {term}") } else { format!("value := addmod(value, {term}, r)") });
        }
        let degree = set.rotations.len() - 1;
        for (_, name) in powers.iter().enumerate().filter(|(i, _)| degree >> i & 1 == 1) {
            block.line(format!("value := mulmod(value, mload({name}), r)"));
        }
        block.line("sum := addmod(sum, mulmod(value, factor, r), r)");
    }
    memory.word("GENERATOR_SCALE");
    block.line("mstore(GENERATOR_SCALE, sub(r, sum))");
    block
}

/// The words that hold `z^-1, z^-2, z^-4, ..`, as far as powers up to `degree` are made of them.
fn inverse_powers(degree: usize, memory: &mut Memory, block: &mut Block) -> Vec<String> {
    let mut names = vec!["POINT_INVERSE".to_string()];
    while degree >> names.len() > 0 {
        let name = memory.word(&format!("POINT_INVERSE_TO_{}", 1 << names.len()));
        if let Some(before) = names.last() {
            block.line(format!("value := mload({before})"));
            block.line(format!("mstore({name}, mulmod(value, value, r))"));
        }
        names.push(name);
    }
    names
}

/// Statements that add up all commitments: `SUM` is then the left side of the pairing's first pair.
///
/// ```text
/// SUM = Σ_s scale_s Σ_i μ^i C_{s,i} + GENERATOR_SCALE [1] - N W + z' W'
/// ```
pub fn commitments(protocol: &Protocol, sets: &[RotationSet], transcript: &Transcript, memory: &mut Memory) -> Block {
    memory.section("The quotient's commitment and the sum so far.");
    for name in ["QUOTIENT_X", "QUOTIENT_Y", "TOTAL_X", "TOTAL_Y"] {
        memory.word(name);
    }
    memory.section("The precompiles' input: a sum and an operand; at last the two pairs of points.");
    for name in ["SUM_X", "SUM_Y", "OPERAND_X", "OPERAND_Y"] {
        memory.word(name);
    }
    memory.words("PAIRS_REST", 8);
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let mu := mload(MU)");
    block.line("let power := mload(POINT_TO_N)");
    block.comment("the quotient: its chunks with powers of z^n");
    for (i, name) in transcript.quotients.iter().rev().enumerate() {
        if i == 0 { set(&mut block, stored(name)) } else { fold(&mut block, "power", stored(name)) }
    }
    keep(&mut block, "QUOTIENT");
    block.comment("the opening's points and the generator");
    set(&mut block, stored("COMMITMENT_OPENING_QUOTIENT"));
    scale(&mut block, "mload(OPENING_POINT)");
    answered(&mut block);
    for (point, factor) in
        [(stored("COMMITMENT_OPENING"), "sub(r, mload(NUMERATOR))"), (constant(&protocol.g1), "mload(GENERATOR_SCALE)")]
    {
        keep(&mut block, "TOTAL");
        set(&mut block, point);
        fold(&mut block, factor, kept("TOTAL"));
    }
    for (s, set_of) in sets.iter().enumerate().rev() {
        block.comment(&describe(set_of));
        keep(&mut block, "TOTAL");
        for (i, &poly) in set_of.polys.iter().rev().enumerate() {
            let point = point(protocol, transcript, poly);
            if i == 0 { set(&mut block, point) } else { fold(&mut block, "mu", point) }
        }
        match s {
            0 => {
                plus(&mut block, kept("TOTAL"));
                answered(&mut block);
            }
            _ => fold(&mut block, &format!("mload({})", scale_name(s)), kept("TOTAL")),
        }
    }
    block
}

/// `SUM = point`
fn set(block: &mut Block, [x, y]: [String; 2]) {
    block.line(format!("mstore(SUM_X, {x})"));
    block.line(format!("mstore(SUM_Y, {y})"));
}

/// `SUM = SUM * factor`, by precompile 7
fn scale(block: &mut Block, factor: &str) {
    block.line(format!("mstore(OPERAND_X, {factor})"));
    block.line("ok := and(staticcall(gas(), 7, SUM_X, 0x60, SUM_X, 0x40), ok)");
}

/// Behind a call of a precompile: it answered with a point. A call of an address without code succeeds and answers nothing, and on a chain
/// that lacks the precompile the sum would stay what the prover sent. Once for each precompile is enough: it is there or not.
fn answered(block: &mut Block) {
    block.line("ok := and(eq(returndatasize(), 0x40), ok)");
}

/// `SUM = SUM + point`, by precompile 6
fn plus(block: &mut Block, [x, y]: [String; 2]) {
    block.line(format!("mstore(OPERAND_X, {x})"));
    block.line(format!("mstore(OPERAND_Y, {y})"));
    block.line("ok := and(staticcall(gas(), 6, SUM_X, 0x80, SUM_X, 0x40), ok)");
}

/// `SUM = SUM * factor + point`
fn fold(block: &mut Block, factor: &str, point: [String; 2]) {
    scale(block, factor);
    plus(block, point);
}

/// Puts `SUM` aside.
fn keep(block: &mut Block, name: &str) {
    block.line(format!("mstore({name}_X, mload(SUM_X))"));
    block.line(format!("mstore({name}_Y, mload(SUM_Y))"));
}

fn kept(name: &str) -> [String; 2] {
    [format!("mload({name}_X)"), format!("mload({name}_Y)")]
}

fn describe(set: &RotationSet) -> String {
    let rotations: Vec<String> = set.rotations.iter().map(i32::to_string).collect();
    format!("opened at rotations {}", rotations.join(", "))
}

fn scale_name(set: usize) -> String {
    format!("SCALE_{set}")
}

/// Where the value of a query stands.
fn value_name(protocol: &Protocol, transcript: &Transcript, query: Query) -> String {
    match protocol.evaluations.iter().position(|e| *e == query) {
        Some(index) => transcript.evaluations[index].clone(),
        None => "AT_QUOTIENT".into(),
    }
}

/// The coordinates of a polynomial's commitment.
fn point(protocol: &Protocol, transcript: &Transcript, poly: usize) -> [String; 2] {
    if let Some(commitment) = protocol.preprocessed.get(poly) {
        return constant(commitment);
    }
    match transcript.points.get(poly - protocol.first_witness()) {
        Some(name) => stored(name),
        None => kept("QUOTIENT"),
    }
}

fn stored(name: &str) -> [String; 2] {
    [format!("mload({name})"), format!("mload(add({name}, 32))")]
}

fn constant(point: &G1Affine) -> [String; 2] {
    [point.x, point.y].map(|c| word(U256::from_le_bytes(c.to_repr())))
}

/// `1 / Π_{i != j} (ω^j - ω^i)`
fn interpolation_weight(protocol: &Protocol, set: &RotationSet, j: i32) -> Fr {
    let others = set.rotations.iter().filter(|i| **i != j);
    let product = others.fold(Fr::ONE, |product, &i| product * (rotate(protocol, j) - rotate(protocol, i)));
    product.invert().unwrap_or(Fr::ZERO)
}
