//! What has to be inverted, and inverting it at once: the Lagrange polynomials' denominators, `z^n - 1`, `z`, and the rotation sets' products.

use super::{
    expression::Leaf,
    memory::Memory,
    opening::{self, all_rotations},
    protocol::Protocol,
    yul::{Block, Word, literal},
};
use crate::proof::protocol::RotationSet;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};

/// The Lagrange polynomials that are evaluated: one by one, the public inputs' among them, and sums over rows.
pub struct Rows {
    /// Behind each other from the first: those that are no public inputs'; then the public inputs', from row 0, or row 0 alone where they are
    /// [`together`].
    pub single: Vec<i32>,
    /// First and last row.
    pub sums: Vec<(i32, i32)>,
}

impl Rows {
    pub fn of(protocol: &Protocol) -> Self {
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
    pub fn others(&self) -> usize {
        self.single.iter().position(|row| *row == 0).unwrap_or(0)
    }
}

/// Whether the instance column's value is one fraction, whose denominator alone is inverted: two thirds less for each public input.
pub fn together(protocol: &Protocol) -> bool {
    protocol.instances > FEW
}

/// So many public inputs have their Lagrange polynomials one by one.
const FEW: usize = 12;

/// The name of the word that holds a Lagrange polynomial, or a sum of them.
pub fn lagrange(first: i32, last: i32) -> String {
    let row = |row: i32| if row < 0 { format!("LAST_{}", -row) } else { row.to_string() };
    if first == last { format!("LAGRANGE_{}", row(first)) } else { format!("LAGRANGE_{}_TO_{}", row(first), row(last)) }
}

/// The name of the word that holds the numerator of a sum over rows.
pub fn numerator(first: i32, last: i32) -> String {
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

/// Statements that fill the words to be inverted. They lie behind each other, from `INVERSES` to `PREFIXES`.
pub fn denominators(protocol: &Protocol, sets: &[RotationSet], memory: &mut Memory) -> Block {
    let rows = Rows::of(protocol);
    let rotations = all_rotations(sets);
    reserve(protocol, &rows, sets, memory);
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let omega := OMEGA");
    block.line("let z := mload(POINT)");
    block.line("let pointToN := z");
    block.line(format!("for {{ let i := {} }} i {{ i := sub(i, 1) }} {{", protocol.k / 2));
    block.line("    pointToN := mulmod(pointToN, pointToN, r)");
    block.line("    pointToN := mulmod(pointToN, pointToN, r)");
    block.line("}");
    if protocol.k % 2 == 1 {
        block.line("pointToN := mulmod(pointToN, pointToN, r)");
    }
    block.line("mstore(POINT_TO_N, pointToN)");
    block.line("mstore(VANISHING, addmod(pointToN, sub(r, 1), r))");
    block.line("mstore(POINT_INVERSE, z)");
    block.comment("z - ω^row");
    for &row in &rows.single[..rows.others()] {
        block.line(format!("mstore({}, addmod(z, {}, r))", lagrange(row, row), literal(&-rotate(protocol, row))));
    }
    block.line("{");
    block.line("    let power := 1");
    let mut inner = Block::default();
    let count = rows.single.len() - rows.others();
    inner.turns("LAGRANGE_0", count, WORDS_OF_A_TURN, |words| {
        let each = |word: &Word| [format!("mstore({word}, addmod(z, sub(r, power), r))"), NEXT_POWER.to_owned()];
        let mut lines: Vec<String> = words.iter().flat_map(each).collect();
        // Nothing reads the power behind the last.
        if words.iter().any(|word| word.index + 1 == count) {
            lines.pop();
        }
        lines
    });
    inner.lines().iter().for_each(|line| block.line(format!("    {line}")));
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

/// The words of all of them, of their products, and what else is known before they are inverted.
fn reserve(protocol: &Protocol, rows: &Rows, sets: &[RotationSet], memory: &mut Memory) {
    memory
        .section("Inverted all at once: then Lagrange polynomials, 1 / (z^n - 1), 1 / z, and the factors of the rotation sets.");
    let start = memory.end();
    memory.name("INVERSES", start);
    for &row in &rows.single {
        memory.word(&lagrange(row, row));
    }
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
    for rotation in all_rotations(sets) {
        memory.word(&distance(rotation));
    }
}

/// `power := power * ω`
const NEXT_POWER: &str = "power := mulmod(power, omega, r)";

/// Words of one turn of a loop.
const WORDS_OF_A_TURN: usize = 4;

/// `Σ ω^row / (z - ω^row)` as one fraction, term by term: `N / D + p / d = (N d + p D) / (D d)`. Here and below `power` and `numerator` are
/// the negatives of `p` and `N`.
fn sum_of_rows(protocol: &Protocol, (first, last): (i32, i32), block: &mut Block) {
    block.comment(&format!("the sum of ω^row / (z - ω^row) over the rows {first} to {last}, as a fraction"));
    block.line("{");
    FRACTION.iter().for_each(|line| block.line(*line));
    block.line(format!("    let power := {}", literal(&-rotate(protocol, first))));
    let count = last - first + 1;
    block.line(format!("    for {{ let i := {} }} i {{ i := sub(i, 1) }} {{", count / 2));
    [term("power"), term("power")].concat().iter().for_each(|line| block.line(format!("        {line}")));
    block.line("    }");
    if count % 2 == 1 {
        term("power").iter().for_each(|line| block.line(format!("    {line}")));
    }
    block.line(format!("    mstore({}, sub(r, numerator))", numerator(first, last)));
    block.line(format!("    mstore({}, denominator)", lagrange(first, last)));
    block.line("}");
}

/// The start of a sum.
const FRACTION: &[&str] = &["    let numerator := 0", "    let denominator := 1", "    let factor"];

/// One row more, with this numerator.
fn term(added: &str) -> [String; 4] {
    [
        "factor := addmod(z, power, r)".into(),
        format!("numerator := addmod(mulmod(numerator, factor, r), mulmod({added}, denominator, r), r)"),
        "denominator := mulmod(denominator, factor, r)".into(),
        NEXT_POWER.into(),
    ]
}

/// `Σ x_i ω^i / (z - ω^i)` over the public inputs, likewise.
fn sum_of_instances(protocol: &Protocol, block: &mut Block) {
    block.comment("the sum of x_i ω^i / (z - ω^i) over the public inputs, as a fraction");
    block.line("{");
    FRACTION.iter().for_each(|line| block.line(*line));
    block.line("    let power := sub(r, 1)");
    let mut inner = Block::default();
    inner.turns("PUBLIC_INPUTS", protocol.instances, WORDS_OF_A_TURN, |words| {
        words.iter().flat_map(|word| term(&format!("mulmod(mload({word}), power, r)"))).collect()
    });
    inner.lines().iter().for_each(|line| block.line(format!("    {line}")));
    block.line("    mstore(INSTANCES_NUMERATOR, sub(r, numerator))");
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
    block.line("let power := z");
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
            block.turns(&distance(first), count, WORDS_OF_A_TURN, |words| {
                let each = |word: &Word| [format!("mstore({word}, addmod(opening, sub(r, power), r))"), NEXT_POWER.to_owned()];
                words.iter().flat_map(each).collect()
            });
        }
    }
}

/// Statements that replace the words from `INVERSES` to `PREFIXES` by their inverses with one exponentiation (Montgomery's
/// trick): products of all words up to each, the inverse of the last, and back.
pub fn inversion(protocol: &Protocol, sets: &[RotationSet]) -> [Block; 2] {
    let rows = Rows::of(protocol);
    let fractions = rows.sums.len() + usize::from(together(protocol));
    let count = rows.single.len() + fractions + 2 + opening::factors(sets).count();
    if UNROLLED_BYTES * count + 100 * protocol.evaluations.len() > SMALL {
        return inversion_in_turns(count);
    }
    let (mut forth, mut back) = (Block::default(), Block::default());
    let words = || (1..count).map(|index| Word { start: "INVERSES".into(), index });
    forth.line("product := mload(INVERSES)");
    words().flat_map(|word| forth_of(&word, count)).for_each(|line| forth.line(line));
    back.line("let value");
    words().rev().flat_map(|word| back_of(&word, count)).for_each(|line| back.line(line));
    back.line("mstore(INVERSES, inverse)");
    [forth, back]
}

/// The same, two words in one turn of a loop.
fn inversion_in_turns(count: usize) -> [Block; 2] {
    let (mut forth, mut back) = (Block::default(), Block::default());
    forth.turns("INVERSES", count, 2, |words| words.iter().flat_map(|word| forth_of(word, count)).collect());
    let first = |index| Word { start: "INVERSES".into(), index };
    let looped = count / 2 * 2;
    back.line("let value");
    if looped < count {
        back_of(&first(looped), count).into_iter().for_each(|line| back.line(line));
    }
    back.line(format!("for {{ let word := {} }} gt(word, INVERSES) {{}} {{", first(looped)));
    back.line("    word := sub(word, 0x40)");
    let in_turn = [1, 0].map(|index| Word { start: "word".into(), index });
    in_turn.iter().flat_map(|word| back_of(word, count)).for_each(|line| back.line(format!("    {line}")));
    back.line("}");
    [forth, back]
}

/// One word into the product. The products before each lie behind the words.
fn forth_of(word: &Word, count: usize) -> [String; 2] {
    [format!("mstore({}, product)", word.behind(count)), format!("product := mulmod(product, mload({word}), r)")]
}

/// One word by its inverse: `inverse` is that of the product of all words up to it.
fn back_of(word: &Word, count: usize) -> [String; 3] {
    [
        format!("value := mload({word})"),
        format!("mstore({word}, mulmod(inverse, mload({}), r))", word.behind(count)),
        "inverse := mulmod(inverse, value, r)".into(),
    ]
}

/// Words are inverted one by one, which saves some 60 gas for each, where the contract stays small: each evaluation takes about 100 bytes of it.
const UNROLLED_BYTES: usize = 37;
const SMALL: usize = 4_800;

/// `ω^rotation`
pub fn rotate(protocol: &Protocol, rotation: i32) -> Fr {
    let power = protocol.omega.pow_vartime([u64::from(rotation.unsigned_abs())]);
    if rotation < 0 { power.invert().unwrap_or(Fr::ZERO) } else { power }
}
