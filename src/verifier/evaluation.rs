//! The constraints at the evaluation point: every inverse at once, the Lagrange polynomials, the public inputs, the quotient.

use super::{
    expression::Leaf,
    memory::Memory,
    names,
    opening::{RotationSet, all_rotations},
    protocol::Protocol,
    transcript::Transcript,
    yul::{Block, Writer, literal},
};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr, plonk::ConstraintSystem};
use std::ops::RangeInclusive;

/// Rows whose Lagrange polynomials are evaluated: those of the public inputs, and the last ones with the blinding rows.
pub fn lagrange_rows(protocol: &Protocol) -> RangeInclusive<i32> {
    let named = protocol.graph.leaves().filter_map(|leaf| match leaf {
        Leaf::Lagrange(row) => Some(row),
        _ => None,
    });
    let inputs = [0, protocol.instances.saturating_sub(1) as i32];
    let (first, last) = named.chain(inputs).fold((0, 0), |(first, last), row| (first.min(row), last.max(row)));
    first..=last
}

/// The name of the word that holds row `row`'s Lagrange polynomial.
pub fn lagrange(row: i32) -> String {
    if row < 0 { format!("LAGRANGE_LAST_{}", -row) } else { format!("LAGRANGE_{row}") }
}

/// The name of the word that holds `1 / (z' - ω^rotation z)`.
pub fn distance(rotation: i32) -> String {
    match rotation {
        0 => "DISTANCE".into(),
        r if r > 0 => format!("DISTANCE_NEXT_{r}"),
        r => format!("DISTANCE_PREV_{}", -r),
    }
}

/// Statements that fill the words to be inverted. They lie behind each other, from the first Lagrange row to `INVERSES_END`.
pub fn denominators(protocol: &Protocol, sets: &[RotationSet], memory: &mut Memory) -> Block {
    let rows = lagrange_rows(protocol);
    memory.section("Inverted all at once: then Lagrange polynomials, 1 / (z^n - 1), 1 / z, and 1 / (z' - ω^i z) by rotation i.");
    let start = memory.end();
    memory.name("INVERSES", start);
    for row in rows.clone() {
        memory.word(&lagrange(row));
    }
    let end = memory.end();
    memory.name("LAGRANGE_END", end);
    memory.word("VANISHING");
    memory.word("POINT_INVERSE");
    let rotations = all_rotations(sets);
    for &rotation in &rotations {
        memory.word(&distance(rotation));
    }
    let end = memory.end();
    memory.name("INVERSES_END", end);
    memory.section("Products of all words before each of them.");
    memory.words("PREFIXES", (end - start) / 32);
    memory.section("z^n, and the product of z' - ω^i z over the rotations of the first set.");
    memory.word("POINT_TO_N");
    memory.word("NUMERATOR");
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let omega := OMEGA");
    block.line("let z := mload(POINT)");
    block.line("let power := z");
    block.line(format!("for {{ let i := {} }} i {{ i := sub(i, 1) }} {{ power := mulmod(power, power, r) }}", protocol.k));
    block.line("mstore(POINT_TO_N, power)");
    block.line("mstore(VANISHING, addmod(power, sub(r, 1), r))");
    block.line("mstore(POINT_INVERSE, z)");
    block.comment("z - ω^row");
    block.line(format!("power := {}", literal(&rotate(protocol, *rows.start()))));
    block.line("for { let at := INVERSES } lt(at, LAGRANGE_END) { at := add(at, 32) } {");
    block.line("    mstore(at, addmod(z, sub(r, power), r))");
    block.line("    power := mulmod(power, omega, r)");
    block.line("}");
    block.comment("z' - ω^rotation z");
    block.line("let opening := mload(OPENING_POINT)");
    let mut before = None;
    for &rotation in &rotations {
        match before {
            None if rotation == 0 => block.line("power := z"),
            None => block.line(format!("power := mulmod(z, {}, r)", literal(&rotate(protocol, rotation)))),
            Some(before) if before + 1 == rotation => block.line("power := mulmod(power, omega, r)"),
            Some(before) => block.line(format!("power := mulmod(power, {}, r)", literal(&rotate(protocol, rotation - before)))),
        }
        block.line(format!("mstore({}, addmod(opening, sub(r, power), r))", distance(rotation)));
        before = Some(rotation);
    }
    let first = sets.first().map(|set| set.rotations.as_slice()).unwrap_or(&[]);
    let product = first.iter().map(|r| format!("mload({})", distance(*r))).reduce(|a, b| format!("mulmod({b}, {a}, r)"));
    block.line(format!("mstore(NUMERATOR, {})", product.unwrap_or("1".into())));
    block
}

/// Statements that replace the words from `INVERSES` to `INVERSES_END` by their inverses with one exponentiation (Montgomery's
/// trick): products of all words up to each, the inverse of the last, and back.
pub fn inversion(protocol: &Protocol, sets: &[RotationSet]) -> [Block; 2] {
    let count = lagrange_rows(protocol).count() + 2 + all_rotations(sets).len();
    let at = |name: &str, i: usize| if i == 0 { name.to_string() } else { format!("add({name}, {:#x})", 32 * i) };
    let (mut forth, mut back) = (Block::default(), Block::default());
    if count > UNROLLED {
        for line in FORTH {
            forth.line(*line);
        }
        for line in BACK {
            back.line(*line);
        }
        return [forth, back];
    }
    forth.line("product := mload(INVERSES)");
    for i in 1..count {
        forth.line(format!("mstore({}, product)", at("PREFIXES", i)));
        forth.line(format!("product := mulmod(product, mload({}), r)", at("INVERSES", i)));
    }
    back.line("let value");
    for i in (1..count).rev() {
        back.line(format!("value := mload({})", at("INVERSES", i)));
        back.line(format!("mstore({}, mulmod(inverse, mload({}), r))", at("INVERSES", i), at("PREFIXES", i)));
        back.line("inverse := mulmod(inverse, value, r)");
    }
    back.line("mstore(INVERSES, inverse)");
    [forth, back]
}

/// More words than this are inverted in a loop: a statement with many public inputs.
const UNROLLED: usize = 48;

const FORTH: &[&str] = &[
    "for { let at := INVERSES } lt(at, INVERSES_END) { at := add(at, 32) } {",
    "    mstore(add(at, sub(PREFIXES, INVERSES)), product)",
    "    product := mulmod(product, mload(at), r)",
    "}",
];

const BACK: &[&str] = &[
    "for { let at := INVERSES_END } gt(at, INVERSES) {} {",
    "    at := sub(at, 32)",
    "    let value := mload(at)",
    "    mstore(at, mulmod(inverse, mload(add(at, sub(PREFIXES, INVERSES))), r))",
    "    inverse := mulmod(inverse, value, r)",
    "}",
];

/// Statements that turn the inverses into Lagrange polynomials and evaluate the instance column:
/// `L_i(z) = ω^i (z^n - 1) / (n (z - ω^i))`.
pub fn public_inputs(protocol: &Protocol, memory: &mut Memory) -> Block {
    memory.section("The instance column at z.");
    memory.word("AT_INSTANCES");
    let rows = lagrange_rows(protocol);
    let n_inverse = Fr::from(1 << protocol.k).invert().unwrap_or(Fr::ZERO);
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let omega := OMEGA");
    block.line("let power := addmod(mload(POINT_TO_N), sub(r, 1), r)");
    block.line(format!("power := mulmod(power, {}, r)", literal(&(n_inverse * rotate(protocol, *rows.start())))));
    block.line("for { let at := INVERSES } lt(at, LAGRANGE_END) { at := add(at, 32) } {");
    block.line("    mstore(at, mulmod(power, mload(at), r))");
    block.line("    power := mulmod(power, omega, r)");
    block.line("}");
    block.line("let sum := 0");
    block.line(format!("for {{ let at := 0 }} lt(at, {:#x}) {{ at := add(at, 32) }} {{", 32 * protocol.instances));
    block.line("    let term := mulmod(mload(add(PUBLIC_INPUTS, at)), mload(add(LAGRANGE_0, at)), r)");
    block.line("    sum := addmod(sum, term, r)");
    block.line("}");
    block.line("mstore(AT_INSTANCES, sum)");
    block
}

/// Statements that combine all constraints with powers of the combiner and divide by `z^n - 1`: the quotient at `z`. One function of
/// the contract for each run of constraints of a kind, with its name.
pub fn constraints(
    protocol: &Protocol,
    cs: &ConstraintSystem<Fr>,
    transcript: &Transcript,
    memory: &mut Memory,
) -> Vec<(String, Block)> {
    memory.section(
        "The quotient at z: all constraints so far, and at last divided by z^n - 1; and values that several of them use.",
    );
    memory.word("AT_QUOTIENT");
    let leaves = |leaf: Leaf| match leaf {
        Leaf::Evaluation(index) => format!("mload({})", transcript.evaluations[index]),
        Leaf::Challenge(index) => format!("mload({})", transcript.challenges[index]),
        Leaf::Instances => "mload(AT_INSTANCES)".into(),
        Leaf::Lagrange(row) => format!("mload({})", lagrange(row)),
        Leaf::Point => "mload(POINT)".into(),
    };
    let mut writer = Writer::new(&protocol.graph, &protocol.constraints, &leaves, memory);
    let meanings = names::constraints(cs, protocol.constraints.len());
    let mut functions: Vec<(String, Block)> = Vec::new();
    for (&node, meaning) in protocol.constraints.iter().zip(&meanings) {
        let kind = names::kind(meaning);
        if functions.last().is_none_or(|(name, _)| !name.starts_with(kind)) {
            if let Some((_, block)) = functions.last_mut() {
                block.line("mstore(AT_QUOTIENT, sum)");
            }
            let before = functions.iter().filter(|(name, _)| name.starts_with(kind)).count();
            let name = if before == 0 { kind.to_string() } else { format!("{kind}{before}") };
            let mut block = Block::default();
            block.line("let r := R");
            block.line("let y := mload(COMBINER)");
            block.line(if functions.is_empty() { "let sum := 0" } else { "let sum := mload(AT_QUOTIENT)" });
            functions.push((name, block));
        }
        if let Some((_, block)) = functions.last_mut() {
            block.comment(meaning);
            let text = writer.expression(node, block);
            block.line(format!("sum := addmod(mulmod(sum, y, r), {text}, r)"));
        }
    }
    if let Some((_, block)) = functions.last_mut() {
        block.line("mstore(AT_QUOTIENT, mulmod(sum, mload(VANISHING), r))");
    }
    functions
}

/// `ω^rotation`
pub fn rotate(protocol: &Protocol, rotation: i32) -> Fr {
    let power = protocol.omega.pow_vartime([u64::from(rotation.unsigned_abs())]);
    if rotation < 0 { power.invert().unwrap_or(Fr::ZERO) } else { power }
}
