//! The constraints at the evaluation point: every inverse at once, the Lagrange polynomials, the public inputs, the quotient.

use super::{
    expression::{Leaf, Node},
    memory::Memory,
    names,
    opening::{self, all_rotations},
    protocol::Protocol,
    transcript::Transcript,
    yul::{Block, Writer, literal},
};
use crate::proof::protocol::RotationSet;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr, plonk::ConstraintSystem};

/// The Lagrange polynomials that are evaluated: one by one, the public inputs' among them, and sums over rows.
struct Rows {
    /// Behind each other from the first: those that are no public inputs'; then the public inputs', from row 0, or row 0 alone where they are
    /// [`together`].
    single: Vec<i32>,
    /// First and last row.
    sums: Vec<(i32, i32)>,
}

impl Rows {
    fn of(protocol: &Protocol) -> Self {
        let named: Vec<(i32, i32)> = protocol
            .graph
            .leaves()
            .filter_map(|leaf| match leaf {
                Leaf::Lagrange(first, last) => Some((first, last)),
                _ => None,
            })
            .collect();
        // Sums that were merged into longer ones are in the graph too; only what a constraint uses counts.
        let uses = protocol.graph.uses(&protocol.constraints);
        let used =
            |rows: &(i32, i32)| protocol.graph.known(Leaf::Lagrange(rows.0, rows.1)).is_some_and(|node| uses.contains_key(&node));
        let (single, mut sums): (Vec<_>, Vec<_>) = named.into_iter().filter(used).partition(|(first, last)| first == last);
        sums.sort_unstable();
        let inputs = 0..if together(protocol) { 1 } else { protocol.instances.max(1) as i32 };
        let mut others: Vec<i32> = single.into_iter().map(|(row, _)| row).filter(|row| !inputs.contains(row)).collect();
        others.sort_unstable();
        Self { single: others.into_iter().chain(inputs).collect(), sums }
    }

    /// How many of the single ones are no public inputs'.
    fn others(&self) -> usize {
        self.single.iter().position(|row| *row == 0).unwrap_or(0)
    }
}

/// Whether the instance column's value is one fraction, whose denominator alone is inverted: two thirds less for each public input.
fn together(protocol: &Protocol) -> bool {
    protocol.instances > FEW
}

/// So many public inputs have their Lagrange polynomials one by one.
const FEW: usize = 12;

/// The name of the word that holds a Lagrange polynomial, or a sum of them.
fn lagrange(first: i32, last: i32) -> String {
    let row = |row: i32| if row < 0 { format!("LAST_{}", -row) } else { row.to_string() };
    if first == last { format!("LAGRANGE_{}", row(first)) } else { format!("LAGRANGE_{}_TO_{}", row(first), row(last)) }
}

/// The name of the word that holds the numerator of a sum over rows.
fn numerator(first: i32, last: i32) -> String {
    format!("{}_NUMERATOR", lagrange(first, last))
}

/// The name of the word that holds `z' - ω^rotation z`.
pub fn distance(rotation: i32) -> String {
    match rotation {
        0 => "DISTANCE".into(),
        r if r > 0 => format!("DISTANCE_NEXT_{r}"),
        r => format!("DISTANCE_PREV_{}", -r),
    }
}

/// Statements that fill the words to be inverted. They lie behind each other, from `INVERSES` to `INVERSES_END`.
pub fn denominators(protocol: &Protocol, sets: &[RotationSet], memory: &mut Memory) -> Block {
    let rows = Rows::of(protocol);
    memory
        .section("Inverted all at once: then Lagrange polynomials, 1 / (z^n - 1), 1 / z, and the factors of the rotation sets.");
    let start = memory.end();
    memory.name("INVERSES", start);
    for &row in &rows.single {
        memory.word(&lagrange(row, row));
    }
    let end = memory.end();
    memory.name("LAGRANGE_END", end);
    for &(first, last) in &rows.sums {
        memory.word(&lagrange(first, last));
    }
    if together(protocol) {
        memory.word("INSTANCES_DENOMINATOR");
    }
    memory.word("VANISHING");
    memory.word("POINT_INVERSE");
    opening::factors(sets).for_each(|name| {
        memory.word(&name);
    });
    let end = memory.end();
    memory.name("INVERSES_END", end);
    memory.section("Products of all words before each of them.");
    memory.words("PREFIXES", (end - start) / 32);
    memory.section("z^n, and the numerators of sums.");
    memory.word("POINT_TO_N");
    for &(first, last) in &rows.sums {
        memory.word(&numerator(first, last));
    }
    if together(protocol) {
        memory.word("INSTANCES_NUMERATOR");
    }
    memory.section("z' - ω^i z by rotation i.");
    let rotations = all_rotations(sets);
    for &rotation in &rotations {
        memory.word(&distance(rotation));
    }
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
    for &row in &rows.single[..rows.others()] {
        block.line(format!("mstore({}, addmod(z, {}, r))", lagrange(row, row), literal(&-rotate(protocol, row))));
    }
    block.line("power := 1");
    block.line("for { let word := LAGRANGE_0 } lt(word, LAGRANGE_END) { word := add(word, 32) } {");
    block.line("    mstore(word, addmod(z, sub(r, power), r))");
    block.line("    power := mulmod(power, omega, r)");
    block.line("}");
    for &(first, last) in &rows.sums {
        sum_of_rows(protocol, (first, last), &mut block);
    }
    if together(protocol) {
        sum_of_instances(protocol, &mut block);
    }
    set_distances(protocol, &rotations, &mut block);
    block
}

/// `Σ ω^row / (z - ω^row)` as one fraction, term by term: `N / D + p / d = (N d + p D) / (D d)`.
fn sum_of_rows(protocol: &Protocol, (first, last): (i32, i32), block: &mut Block) {
    block.comment(&format!("the sum of ω^row / (z - ω^row) over the rows {first} to {last}, as a fraction"));
    block.line("{");
    block.line("    let numerator := 0");
    block.line("    let denominator := 1");
    block.line(format!("    power := {}", literal(&rotate(protocol, first))));
    block.line(format!("    for {{ let i := {} }} i {{ i := sub(i, 1) }} {{", last - first + 1));
    block.line("        let factor := addmod(z, sub(r, power), r)");
    block.line("        numerator := addmod(mulmod(numerator, factor, r), mulmod(power, denominator, r), r)");
    block.line("        denominator := mulmod(denominator, factor, r)");
    block.line("        power := mulmod(power, omega, r)");
    block.line("    }");
    block.line(format!("    mstore({}, numerator)", numerator(first, last)));
    block.line(format!("    mstore({}, denominator)", lagrange(first, last)));
    block.line("}");
}

/// `Σ x_i ω^i / (z - ω^i)` over the public inputs, likewise.
fn sum_of_instances(protocol: &Protocol, block: &mut Block) {
    block.comment("the sum of x_i ω^i / (z - ω^i) over the public inputs, as a fraction");
    block.line("{");
    block.line("    let numerator := 0");
    block.line("    let denominator := 1");
    block.line("    power := 1");
    let end = format!("add(PUBLIC_INPUTS, {:#x})", 32 * protocol.instances);
    block.line(format!("    for {{ let word := PUBLIC_INPUTS }} lt(word, {end}) {{ word := add(word, 32) }} {{"));
    block.line("        let factor := addmod(z, sub(r, power), r)");
    block.line("        let value := mulmod(mulmod(mload(word), power, r), denominator, r)");
    block.line("        numerator := addmod(mulmod(numerator, factor, r), value, r)");
    block.line("        denominator := mulmod(denominator, factor, r)");
    block.line("        power := mulmod(power, omega, r)");
    block.line("    }");
    block.line("    mstore(INSTANCES_NUMERATOR, numerator)");
    block.line("    mstore(INSTANCES_DENOMINATOR, denominator)");
    block.line("}");
}

/// Rotations that lie behind each other are a loop from here on.
const RUN: usize = 5;

/// Rotations that lie behind each other: the first, and how many.
fn runs(rotations: &[i32]) -> Vec<(i32, usize)> {
    let mut runs: Vec<(i32, usize)> = Vec::new();
    for &rotation in rotations {
        match runs.last_mut() {
            Some((first, count)) if *first + *count as i32 == rotation => *count += 1,
            _ => runs.push((rotation, 1)),
        }
    }
    runs
}

/// `z' - ω^rotation z` for every rotation, ascending.
fn set_distances(protocol: &Protocol, rotations: &[i32], block: &mut Block) {
    block.comment("z' - ω^rotation z");
    block.line("let opening := mload(OPENING_POINT)");
    // What lies between two runs; in stacked columns often the same.
    let mut steps = Vec::new();
    let mut at = 0;
    for (first, count) in runs(rotations) {
        steps.push(first - at);
        at = first + if count < RUN { count as i32 - 1 } else { count as i32 };
    }
    let often = steps.iter().copied().max_by_key(|step| steps.iter().filter(|other| *other == step).count());
    let often = often.filter(|step| *step != 0 && steps.iter().filter(|other| *other == step).count() > 1);
    if let Some(step) = often {
        block.line(format!("let step := {}", literal(&rotate(protocol, step))));
    }
    block.line("power := z");
    for ((first, count), step) in runs(rotations).into_iter().zip(steps) {
        match step {
            0 => {}
            step if Some(step) == often => block.line("power := mulmod(power, step, r)"),
            step => block.line(format!("power := mulmod(power, {}, r)", literal(&rotate(protocol, step)))),
        }
        if count < RUN {
            for i in 0..count as i32 {
                if i > 0 {
                    block.line("power := mulmod(power, omega, r)");
                }
                block.line(format!("mstore({}, addmod(opening, sub(r, power), r))", distance(first + i)));
            }
        } else {
            block.line(format!("for {{ let i := 0 }} lt(i, {:#x}) {{ i := add(i, 32) }} {{", 32 * count));
            block.line(format!("    mstore(add({}, i), addmod(opening, sub(r, power), r))", distance(first)));
            block.line("    power := mulmod(power, omega, r)");
            block.line("}");
        }
    }
}

/// Statements that replace the words from `INVERSES` to `INVERSES_END` by their inverses with one exponentiation (Montgomery's
/// trick): products of all words up to each, the inverse of the last, and back.
pub fn inversion(protocol: &Protocol, sets: &[RotationSet]) -> [Block; 2] {
    let rows = Rows::of(protocol);
    let fractions = rows.sums.len() + usize::from(together(protocol));
    let count = rows.single.len() + fractions + 2 + opening::factors(sets).count();
    let at = |name: &str, i: usize| if i == 0 { name.to_string() } else { format!("add({name}, {:#x})", 32 * i) };
    let (mut forth, mut back) = (Block::default(), Block::default());
    if UNROLLED_BYTES * count + 100 * protocol.evaluations.len() > SMALL {
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

/// Words are inverted one by one, which saves 80 gas for each, where the contract stays small: each evaluation takes about 100 bytes of it.
const UNROLLED_BYTES: usize = 37;
const SMALL: usize = 4_800;

const FORTH: &[&str] = &[
    "for { let word := INVERSES } lt(word, INVERSES_END) { word := add(word, 32) } {",
    "    mstore(add(word, sub(PREFIXES, INVERSES)), product)",
    "    product := mulmod(product, mload(word), r)",
    "}",
];

const BACK: &[&str] = &[
    "for { let word := INVERSES_END } gt(word, INVERSES) {} {",
    "    word := sub(word, 32)",
    "    let value := mload(word)",
    "    mstore(word, mulmod(inverse, mload(add(word, sub(PREFIXES, INVERSES))), r))",
    "    inverse := mulmod(inverse, value, r)",
    "}",
];

/// Statements that turn the inverses into Lagrange polynomials and evaluate the instance column:
/// `L_i(z) = ω^i (z^n - 1) / (n (z - ω^i))`.
pub fn public_inputs(protocol: &Protocol, memory: &mut Memory) -> Block {
    memory.section("The instance column at z.");
    memory.word("AT_INSTANCES");
    let rows = Rows::of(protocol);
    let n_inverse = Fr::from(1 << protocol.k).invert().unwrap_or(Fr::ZERO);
    let mut block = Block::default();
    block.line("let r := R");
    if !together(protocol) {
        block.line("let omega := OMEGA");
    }
    block.line("let power := addmod(mload(POINT_TO_N), sub(r, 1), r)");
    block.line(format!("power := mulmod(power, {}, r)", literal(&n_inverse)));
    for &(first, last) in &rows.sums {
        let (name, numerator) = (lagrange(first, last), numerator(first, last));
        block.line(format!("mstore({name}, mulmod(mulmod(power, mload({numerator}), r), mload({name}), r))"));
    }
    for &row in &rows.single[..rows.others()] {
        let name = lagrange(row, row);
        let scaled = format!("mulmod(power, {}, r)", literal(&rotate(protocol, row)));
        block.line(format!("mstore({name}, mulmod({scaled}, mload({name}), r))"));
    }
    if together(protocol) {
        block.line("mstore(LAGRANGE_0, mulmod(power, mload(LAGRANGE_0), r))");
        let fraction = "mulmod(mload(INSTANCES_NUMERATOR), mload(INSTANCES_DENOMINATOR), r)";
        block.line(format!("mstore(AT_INSTANCES, mulmod(power, {fraction}, r))"));
        return block;
    }
    block.line("let sum := 0");
    block.line(format!("for {{ let i := 0 }} lt(i, {:#x}) {{ i := add(i, 32) }} {{", 32 * protocol.instances));
    block.line("    let value := mulmod(power, mload(add(LAGRANGE_0, i)), r)");
    block.line("    mstore(add(LAGRANGE_0, i), value)");
    block.line("    sum := addmod(sum, mulmod(mload(add(PUBLIC_INPUTS, i)), value, r), r)");
    block.line("    power := mulmod(power, omega, r)");
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
        Leaf::Lagrange(first, last) => format!("mload({})", lagrange(first, last)),
        Leaf::Point => "mload(POINT)".into(),
    };
    let roots: Vec<Node> = protocol.constraints.iter().copied().chain(protocol.shared.map(|(_, factor)| factor)).collect();
    let mut writer = Writer::new(&protocol.graph, &roots, &leaves, memory);
    let meanings = names::constraints(cs, protocol.constraints.len());
    let mut functions: Vec<(String, Block)> = Vec::new();
    for (index, (&node, meaning)) in protocol.constraints.iter().zip(&meanings).enumerate() {
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
            if let Some((_, factor)) = protocol.shared.filter(|(count, _)| *count == index + 1) {
                block.comment("all of these hold where their common factor is not zero");
                let text = writer.expression(factor, block);
                block.line(format!("sum := mulmod(sum, {text}, r)"));
            }
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
