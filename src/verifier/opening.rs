//! The polynomials grouped by the rotations they are opened at (SHPLONK, Boneh, Drake, Fisch, Gabizon 2020, section 4).

use super::{
    denominators::{distance, rotate},
    memory::Memory,
    protocol::{Protocol, Query},
    split,
    transcript::Transcript,
    yul::{Block, literal, word},
};
use crate::proof::protocol::RotationSet;
use alloy::primitives::U256;
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::PrimeField,
    },
};

/// Every rotation of any set, ascending.
pub fn all_rotations(sets: &[RotationSet]) -> Vec<i32> {
    let mut all: Vec<i32> = sets.iter().flat_map(|set| set.rotations.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The names of the words that hold the factors of the sets' commitments, but for the first set, whose factor is 1.
pub fn factors(sets: &[RotationSet]) -> impl Iterator<Item = String> {
    (1..sets.len()).map(scale_name)
}

/// Statements that multiply, for each set `S` of `m` rotations, the distances `D_j = z' - ω^j z`, and interpolate its evaluations `v_j` up to
/// what is known behind the inversion:
///
/// ```text
/// P = Π_{j in S} D_j            N = Σ_j v_j w_j Π_{i != j} D_i            w_j = 1 / Π_{i != j} (ω^j - ω^i)
/// ```
///
/// term by term, as the fraction `N / P = Σ_j v_j w_j / D_j`; the interpolated value at z' is `N z^(1-m)`. A set of one rotation has its value
/// as it is.
pub fn products(protocol: &Protocol, sets: &[RotationSet], transcript: &Transcript, memory: &mut Memory) -> Block {
    memory.section("The product of z' - ω^i z over the first set, and the sets' interpolated values, up to powers of z.");
    memory.word("NUMERATOR");
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let mu := mload(MU)");
    for variable in ["value", "product", "distance"] {
        block.line(format!("let {variable}"));
    }
    for (s, set) in sets.iter().enumerate() {
        let factor = if s == 0 { "NUMERATOR".into() } else { scale_name(s) };
        block.comment(&describe(set));
        let [first, others @ ..] = set.rotations.as_slice() else { continue };
        if others.is_empty() {
            block.line(format!("mstore({factor}, mload({}))", distance(*first)));
            continue;
        }
        let name = memory.word(&interpolated(s));
        if let [second] = others {
            // The weights of two are each other's negation.
            let [v, w] = [*first, *second].map(|rotation| {
                combined(protocol, set, transcript, rotation, VARIABLES[usize::from(rotation == *second)], &mut block)
            });
            block.line(format!("value := mulmod({v}, mload({}), r)", distance(*second)));
            block.line(format!("value := addmod(value, sub(r, mulmod({w}, mload({}), r)), r)", distance(*first)));
            block.line(format!("mstore({name}, mulmod(value, {}, r))", literal(&interpolation_weight(protocol, set, *first))));
            block.line(format!("mstore({factor}, mulmod(mload({}), mload({}), r))", distance(*first), distance(*second)));
            continue;
        }
        let weighted = |rotation: i32, block: &mut Block| {
            let value = combined(protocol, set, transcript, rotation, "distance", block);
            match interpolation_weight(protocol, set, rotation) {
                weight if weight == Fr::ONE => value,
                weight => format!("mulmod({value}, {}, r)", literal(&weight)),
            }
        };
        let value = weighted(*first, &mut block);
        block.line(format!("value := {value}"));
        block.line(format!("product := mload({})", distance(*first)));
        for &rotation in others {
            let value = weighted(rotation, &mut block);
            // `value` is taken before the distance, whose variable it may stand in.
            block.line(format!(
                "value := addmod(mulmod(value, mload({}), r), mulmod({value}, product, r), r)",
                distance(rotation)
            ));
            block.line(format!("product := mulmod(product, mload({}), r)", distance(rotation)));
        }
        block.line(format!("mstore({name}, value)"));
        block.line(format!("mstore({factor}, product)"));
    }
    block
}

/// The evaluations of a set at one rotation, combined with powers of μ: an expression, for which `variable` is used where there are several.
fn combined(
    protocol: &Protocol,
    set: &RotationSet,
    transcript: &Transcript,
    rotation: i32,
    variable: &str,
    block: &mut Block,
) -> String {
    let known = |poly: usize| format!("mload({})", value_name(protocol, transcript, Query { poly, rotation }));
    let mut values = set.polys.iter().rev().map(|&poly| known(poly));
    let first = values.next().unwrap_or("0".into());
    if set.polys.len() == 1 {
        return first;
    }
    block.line(format!("{variable} := {first}"));
    for value in values {
        block.line(format!("{variable} := addmod(mulmod({variable}, mu, r), {value}, r)"));
    }
    variable.into()
}

/// Statements that turn the inverted products into the factors of the sets' commitments, and add up the interpolated values: the factor
/// of the generator. With `P_s`, `N_s` of [`products`]:
///
/// ```text
/// factor of the set's commitments   ν^s P_0 / P_s                              (1 for the first set)
/// its value                         ν^s P_0 / P_s N_s z^(1-m)
/// ```
pub fn values(protocol: &Protocol, sets: &[RotationSet], transcript: &Transcript, memory: &mut Memory) -> Block {
    memory.section("The factor of the generator.");
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let mu := mload(MU)");
    block.line("let power := mload(NUMERATOR)");
    block.line("let sum");
    block.line("let value");
    block.line("let factor");
    let degrees = sets.iter().map(|set| set.rotations.len() - 1);
    let powers = inverse_powers(degrees.max().unwrap_or(0), memory, &mut block);
    for (s, set) in sets.iter().enumerate() {
        block.comment(&describe(set));
        match set.rotations.as_slice() {
            [rotation] => {
                let text = combined(protocol, set, transcript, *rotation, "value", &mut block);
                if text != "value" {
                    block.line(format!("value := {text}"));
                }
            }
            rotations => {
                block.line(format!("value := mload({})", interpolated(s)));
                let degree = rotations.len() - 1;
                for (_, name) in powers.iter().enumerate().filter(|(i, _)| degree >> i & 1 == 1) {
                    block.line(format!("value := mulmod(value, mload({name}), r)"));
                }
            }
        }
        if s == 0 {
            block.line("sum := value");
            continue;
        }
        let name = scale_name(s);
        block.line("power := mulmod(power, mload(NU), r)");
        block.line(format!("factor := mulmod(power, mload({name}), r)"));
        block.line(format!("mstore({name}, factor)"));
        block.line("sum := addmod(sum, mulmod(value, factor, r), r)");
    }
    memory.word("GENERATOR_SCALE");
    block.line("mstore(GENERATOR_SCALE, sub(r, sum))");
    block
}

/// What the evaluations of a set of two are combined in.
const VARIABLES: [&str; 2] = ["distance", "product"];

fn interpolated(set: usize) -> String {
    format!("INTERPOLATED_{set}")
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
    reserve_points(memory);
    let mut block = Block::default();
    let style = Style::of(sets);
    if style == Style::Loops {
        FUNCTIONS.iter().for_each(|line| block.line(*line));
    }
    block.line("let r := R");
    block.line("let mu := mload(MU)");
    block.comment("the quotient: its chunks with powers of z^n");
    let chunks: Vec<Point> = transcript.quotients.iter().rev().map(|name| stored(name)).collect();
    chain(&mut block, &chunks, "mload(POINT_TO_N)", style);
    put(&mut block, "QUOTIENT", &stored("SUM"));
    block.comment("the opening's points and the generator");
    put(&mut block, "SUM", &stored("COMMITMENT_OPENING_QUOTIENT"));
    block.line("mstore(FACTOR, mload(OPENING_POINT))");
    block.line("ok := and(staticcall(gas(), 7, SUM_X, 0x60, TOTAL_X, 0x40), ok)");
    answered(&mut block);
    for (point, factor) in
        [(stored("COMMITMENT_OPENING"), "sub(r, mload(NUMERATOR))"), (constant(&protocol.g1), "mload(GENERATOR_SCALE)")]
    {
        put(&mut block, "SUM", &point);
        include(&mut block, factor, style);
    }
    for (s, set) in sets.iter().enumerate().rev() {
        block.comment(&describe(set));
        let points: Vec<Point> = set.polys.iter().rev().map(|&poly| point(protocol, transcript, poly)).collect();
        chain(&mut block, &points, "mu", style);
        match s {
            0 => {
                put(&mut block, "POINT", &stored("TOTAL"));
                block.line("ok := and(staticcall(gas(), 6, POINT_X, 0x80, SUM_X, 0x40), ok)");
                answered(&mut block);
            }
            _ => include(&mut block, &format!("mload({})", scale_name(s)), style),
        }
    }
    block
}

/// Where points are multiplied and added. A multiplication's input is a point and a factor, an addition's two points: each lies before what it
/// is multiplied by or added to, so that results are operands where they are written.
fn reserve_points(memory: &mut Memory) {
    memory.section("The quotient's commitment, and the sum so far with a multiplied point that is to be added.");
    ["QUOTIENT", "TOTAL", "PART"].iter().for_each(|name| memory.point(name));
    memory.section("A point, a sum that it is added to, a factor that the sum is multiplied by.");
    ["POINT", "SUM"].iter().for_each(|name| memory.point(name));
    let factor = memory.end();
    memory.word("FACTOR");
    memory.section("At last, from SUM on, two pairs of points: SUM and [1]_2, W' and [s]_2.");
    memory.name(PAIRS[0], factor);
    PAIRS[1..].iter().for_each(|name| {
        memory.word(name);
    });
    memory.section("Before that, from SUM on, an exponentiation's operands.");
    POWER.iter().enumerate().for_each(|(i, name)| {
        memory.name(name, factor - 64 + 32 * i);
    });
}

/// The words behind `SUM` of the pairing's input, a coordinate in G2 by its imaginary and real part.
const PAIRS: [&str; 10] = [
    "ONE_X_IMAGINARY",
    "ONE_X_REAL",
    "ONE_Y_IMAGINARY",
    "ONE_Y_REAL",
    "RIGHT_X",
    "RIGHT_Y",
    "SECRET_X_IMAGINARY",
    "SECRET_X_REAL",
    "SECRET_Y_IMAGINARY",
    "SECRET_Y_REAL",
];

/// The words of an exponentiation's input.
const POWER: [&str; 6] = ["BASE_LENGTH", "EXPONENT_LENGTH", "MODULUS_LENGTH", "BASE", "EXPONENT", "MODULUS"];

/// How the longer sections are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Each statement where it runs.
    Straight,
    /// Loops and functions: less code, a few gas more for each turn and call.
    Loops,
}

impl Style {
    /// Straight where there is room: each weight of an interpolation takes 60 bytes of code, and with so many of them a contract would have
    /// more than 9,000.
    pub fn of(sets: &[RotationSet]) -> Self {
        let weights: usize = sets.iter().map(|set| set.rotations.len()).filter(|rotations| *rotations > 1).sum();
        if weights > MANY { Self::Loops } else { Self::Straight }
    }
}

const MANY: usize = 40;

/// `SUM = SUM * FACTOR + POINT`, by the precompiles 7 and 6; whether they succeeded.
const FOLD: &str = "and(staticcall(gas(), 6, POINT_X, 0x80, SUM_X, 0x40), staticcall(gas(), 7, SUM_X, 0x60, SUM_X, 0x40))";

/// `TOTAL = TOTAL + SUM * FACTOR`, likewise.
const INCLUDE: &str = "and(staticcall(gas(), 6, TOTAL_X, 0x80, TOTAL_X, 0x40), staticcall(gas(), 7, SUM_X, 0x60, PART_X, 0x40))";

/// Both as functions.
const FUNCTIONS: [&str; 11] = [
    "// SUM = SUM * FACTOR + POINT",
    "function fold() -> done {",
    "    done := staticcall(gas(), 7, SUM_X, 0x60, SUM_X, 0x40)",
    "    done := and(staticcall(gas(), 6, POINT_X, 0x80, SUM_X, 0x40), done)",
    "}",
    "// TOTAL = TOTAL + SUM * factor",
    "function include(factor) -> done {",
    "    mstore(FACTOR, factor)",
    "    done := staticcall(gas(), 7, SUM_X, 0x60, PART_X, 0x40)",
    "    done := and(staticcall(gas(), 6, TOTAL_X, 0x80, TOTAL_X, 0x40), done)",
    "}",
];

/// `TOTAL = TOTAL + SUM * factor`
fn include(block: &mut Block, factor: &str, style: Style) {
    match style {
        Style::Straight => {
            block.line(format!("mstore(FACTOR, {factor})"));
            block.line(format!("ok := and({INCLUDE}, ok)"));
        }
        Style::Loops => block.line(format!("ok := and(include({factor}), ok)")),
    }
}

/// `SUM = Σ_i factor^(n-1-i) points_i`, and leaves the factor in its place.
pub fn chain(block: &mut Block, points: &[Point], factor: &str, style: Style) {
    let Some((first, others)) = points.split_first() else { return };
    put(block, "SUM", first);
    if !others.is_empty() {
        block.line(format!("mstore(FACTOR, {factor})"));
    }
    for point in others {
        put(block, "POINT", point);
        match style {
            Style::Straight => block.line(format!("ok := and({FOLD}, ok)")),
            Style::Loops => block.line("ok := and(fold(), ok)"),
        }
    }
}

/// A point of memory, or of the verifying key.
pub enum Point {
    /// Its name.
    Stored(String),
    /// Its coordinates.
    Constant([String; 2]),
}

/// Writes a point to the two words of that name.
pub fn put(block: &mut Block, name: &str, point: &Point) {
    let [x, y] = match point {
        Point::Stored(name) => [format!("mload({name}_X)"), format!("mload({name}_Y)")],
        Point::Constant(coordinates) => coordinates.clone(),
    };
    block.line(format!("mstore({name}_X, {x})"));
    block.line(format!("mstore({name}_Y, {y})"));
}

/// Behind a call of a precompile: it answered with a point. A call of an address without code succeeds and answers nothing, and on a chain
/// that lacks the precompile the sum would stay what the prover sent. Once for each precompile is enough: it is there or not.
fn answered(block: &mut Block) {
    block.line("ok := and(eq(returndatasize(), 0x40), ok)");
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
fn point(protocol: &Protocol, transcript: &Transcript, poly: usize) -> Point {
    if let Some(commitment) = protocol.preprocessed.get(poly) {
        return if protocol.split { stored(&split::commitment_name(protocol, poly)) } else { constant(commitment) };
    }
    match transcript.points.get(poly - protocol.first_witness()) {
        Some(name) => stored(name),
        None => stored("QUOTIENT"),
    }
}

/// A point of memory.
pub fn stored(name: &str) -> Point {
    Point::Stored(name.into())
}

fn constant(point: &G1Affine) -> Point {
    Point::Constant([point.x, point.y].map(|c| word(U256::from_le_bytes(c.to_repr()))))
}

/// `1 / Π_{i != j} (ω^j - ω^i)`
fn interpolation_weight(protocol: &Protocol, set: &RotationSet, j: i32) -> Fr {
    let others = set.rotations.iter().filter(|i| **i != j);
    let product = others.fold(Fr::ONE, |product, &i| product * (rotate(protocol, j) - rotate(protocol, i)));
    product.invert().unwrap_or(Fr::ZERO)
}
