//! What has to be inverted, and inverting it at once: the Lagrange polynomials' denominators, `z^n - 1`, `z`, and the rotation sets' products.

use super::{
    expression::Leaf,
    memory::Memory,
    opening::{self, Style, all_rotations},
    protocol::Protocol,
    yul::{Block, Word, literal},
};
use crate::proof::protocol::RotationSet;
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr};
use std::fmt::Display;

/// The Lagrange polynomials that constraints use: one by one, and sums over rows.
pub struct Rows {
    /// Rows, ascending.
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
        let mut single: Vec<i32> = single.into_iter().map(|(row, _)| row).collect();
        single.sort_unstable();
        Self { single, sums }
    }
}

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
    reserve(&rows, sets, memory);
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let omega := OMEGA");
    block.line("let minusOne := sub(r, 1)");
    block.line("let z := mload(POINT)");
    block.line("let power := z");
    let style = Style::of(sets);
    let squarings = protocol.k as usize;
    let together = if style == Style::Straight { squarings } else { of_a_turn(style) };
    block.repeat(squarings, together, &["power := mulmod(power, power, r)".into()]);
    block.line("mstore(POINT_TO_N, power)");
    block.line("mstore(VANISHING, addmod(power, minusOne, r))");
    block.line("mstore(POINT_INVERSE, z)");
    block.comment("ω^-row z - 1");
    for &row in &rows.single {
        block.line(format!("mstore({}, addmod({}, minusOne, r))", lagrange(row, row), rotated(protocol, -row)));
    }
    block.line(format!("let step := {}", literal(&rotate(protocol, -1))));
    block.line("let numerator");
    block.line("let denominator");
    block.line("let factor");
    for &(first, last) in &rows.sums {
        sum_of_rows(protocol, (first, last), style, &mut block);
    }
    sum_of_instances(protocol, style, &mut block);
    set_distances(protocol, &rotations, style, &mut block);
    block
}

/// `ω^rotation z`
fn rotated(protocol: &Protocol, rotation: i32) -> String {
    if rotation == 0 { "z".into() } else { format!("mulmod(z, {}, r)", literal(&rotate(protocol, rotation))) }
}

/// The words of all of them, of their products, and what else is known before they are inverted.
fn reserve(rows: &Rows, sets: &[RotationSet], memory: &mut Memory) {
    memory
        .section("Inverted all at once: then Lagrange polynomials, 1 / (z^n - 1), 1 / z, and the factors of the rotation sets.");
    let names = inverted(rows, sets);
    memory.name("INVERSES", memory.end());
    for name in &names {
        memory.word(name);
    }
    memory.section("Products of all words before each of them.");
    memory.name("PREFIXES", memory.end());
    for name in &names {
        memory.word(&before(name));
    }
    memory.section("z^n, and the numerators of sums.");
    memory.word("POINT_TO_N");
    for &(first, last) in &rows.sums {
        memory.word(&numerator(first, last));
    }
    memory.word("INSTANCES_NUMERATOR");
    memory.section("z' - ω^i z by rotation i.");
    for rotation in all_rotations(sets) {
        memory.word(&distance(rotation));
    }
}

/// `power := power * ω`
const NEXT_POWER: &str = "power := mulmod(power, omega, r)";

/// Words of one turn of a loop.
fn of_a_turn(style: Style) -> usize {
    match style {
        Style::Straight => 4,
        Style::Loops => 2,
    }
}

/// `Σ 1 / (ω^-row z - 1)` as one fraction, term by term: `N / D + x / d = (N d + x D) / (D d)`.
fn sum_of_rows(protocol: &Protocol, (first, last): (i32, i32), style: Style, block: &mut Block) {
    block.comment(&format!("the sum of 1 / (ω^-row z - 1) over the rows {first} to {last}, as a fraction"));
    begin(block, &rotated(protocol, -first));
    block.repeat((last - first + 1) as usize, of_a_turn(style), &term("denominator"));
    block.take_back(STEP);
    block.line(format!("mstore({}, numerator)", numerator(first, last)));
    block.line(format!("mstore({}, denominator)", lagrange(first, last)));
}

/// The start of a sum, with `ω^-row z` of its first row.
fn begin(block: &mut Block, power: &str) {
    block.line("numerator := 0");
    block.line("denominator := 1");
    block.line(format!("power := {power}"));
}

/// One row more: what is added to the numerator is the product of all denominators before it, times its own.
fn term(added: &str) -> [String; 4] {
    [
        "factor := addmod(power, minusOne, r)".into(),
        format!("numerator := addmod(mulmod(numerator, factor, r), {added}, r)"),
        "denominator := mulmod(denominator, factor, r)".into(),
        STEP.into(),
    ]
}

/// `step` is ω^-1 here.
const STEP: &str = "power := mulmod(power, step, r)";

/// `Σ x_i / (ω^-i z - 1)` over the public inputs, likewise.
fn sum_of_instances(protocol: &Protocol, style: Style, block: &mut Block) {
    block.comment("the sum of x_i / (ω^-i z - 1) over the public inputs, as a fraction");
    begin(block, "z");
    block.turns("PUBLIC_INPUTS", protocol.instances, of_a_turn(style), |words| {
        words.iter().flat_map(|word| term(&format!("mulmod(mload({word}), denominator, r)"))).collect()
    });
    block.take_back(STEP);
    block.line("mstore(INSTANCES_NUMERATOR, numerator)");
    block.line("mstore(INSTANCES_DENOMINATOR, denominator)");
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
fn set_distances(protocol: &Protocol, rotations: &[i32], style: Style, block: &mut Block) {
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
        block.line(format!("step := {}", literal(&rotate(protocol, step))));
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
            block.turns(&distance(first), count, of_a_turn(style), |words| {
                let each = |word: &Word| [format!("mstore({word}, addmod(opening, sub(r, power), r))"), NEXT_POWER.to_owned()];
                words.iter().flat_map(each).collect()
            });
        }
    }
    block.take_back(NEXT_POWER);
}

/// Statements that replace the words from `INVERSES` to `PREFIXES` by their inverses with one exponentiation (Montgomery's
/// trick): products of all words up to each, the inverse of the last, and back.
pub fn inversion(protocol: &Protocol, sets: &[RotationSet]) -> [Block; 2] {
    let names = inverted(&Rows::of(protocol), sets);
    match Style::of(sets) {
        Style::Straight => inversion_word_by_word(&names),
        Style::Loops => inversion_in_turns(names.len()),
    }
}

/// The words that are inverted, in the order of their addresses.
fn inverted(rows: &Rows, sets: &[RotationSet]) -> Vec<String> {
    let single = rows.single.iter().map(|&row| lagrange(row, row));
    let sums = rows.sums.iter().map(|&(first, last)| lagrange(first, last));
    let others = ["INSTANCES_DENOMINATOR", "VANISHING", "POINT_INVERSE"].map(String::from);
    single.chain(sums).chain(others).chain(opening::factors(sets)).collect()
}

/// The name of the word that holds the product of all words before this one.
fn before(name: &str) -> String {
    format!("BEFORE_{name}")
}

fn inversion_word_by_word(names: &[String]) -> [Block; 2] {
    let (mut forth, mut back) = (Block::default(), Block::default());
    let [first, others @ ..] = names else { return [forth, back] };
    forth.line(format!("product := mload({first})"));
    others.iter().flat_map(|name| forth_of(name, before(name))).for_each(|line| forth.line(line));
    back.line("let value");
    others.iter().rev().flat_map(|name| back_of(name, before(name))).for_each(|line| back.line(line));
    back.line(format!("mstore({first}, inverse)"));
    [forth, back]
}

/// The same, two words in one turn of a loop.
fn inversion_in_turns(count: usize) -> [Block; 2] {
    let (mut forth, mut back) = (Block::default(), Block::default());
    forth.turns("INVERSES", count, 2, |words| words.iter().flat_map(|word| forth_of(word, word.behind(count))).collect());
    let first = |index| Word { start: "INVERSES".into(), index };
    let looped = count / 2 * 2;
    back.line("let value");
    if looped < count {
        back_of(first(looped), first(looped + count)).into_iter().for_each(|line| back.line(line));
    }
    back.line(format!("for {{ let word := {} }} gt(word, INVERSES) {{}} {{", first(looped)));
    back.line("    word := sub(word, 0x40)");
    let in_turn = [1, 0].map(|index| Word { start: "word".into(), index });
    in_turn.iter().flat_map(|word| back_of(word, word.behind(count))).for_each(|line| back.line(format!("    {line}")));
    back.line("}");
    [forth, back]
}

/// One word into the product, which is kept as it was before.
fn forth_of(word: impl Display, before: impl Display) -> [String; 2] {
    [format!("mstore({before}, product)"), format!("product := mulmod(product, mload({word}), r)")]
}

/// One word by its inverse: `inverse` is that of the product of all words up to it.
fn back_of(word: impl Display, before: impl Display) -> [String; 3] {
    [
        format!("value := mload({word})"),
        format!("mstore({word}, mulmod(inverse, mload({before}), r))"),
        "inverse := mulmod(inverse, value, r)".into(),
    ]
}

/// `ω^rotation`
pub fn rotate(protocol: &Protocol, rotation: i32) -> Fr {
    let power = protocol.omega.pow_vartime([u64::from(rotation.unsigned_abs())]);
    if rotation < 0 { power.invert().unwrap_or(Fr::ZERO) } else { power }
}
