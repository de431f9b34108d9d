//! The constraints at the evaluation point: the Lagrange polynomials, the public inputs, the quotient.

use super::{
    denominators::{Rows, lagrange, numerator},
    expression::{Leaf, Node},
    memory::Memory,
    names,
    protocol::Protocol,
    transcript::Transcript,
    yul::{Block, Writer, literal},
};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr, plonk::ConstraintSystem};

/// Statements that turn the inverses into Lagrange polynomials and evaluate the instance column:
/// `L_i(z) = ω^i (z^n - 1) / (n (z - ω^i)) = (z^n - 1) / (n (ω^-i z - 1))`.
pub fn public_inputs(protocol: &Protocol, memory: &mut Memory) -> Block {
    memory.section("The instance column at z.");
    memory.word("AT_INSTANCES");
    let rows = Rows::of(protocol);
    let n_inverse = Fr::from(1 << protocol.k).invert().unwrap_or(Fr::ZERO);
    let mut block = Block::default();
    block.line("let r := R");
    block.line("let common := addmod(mload(POINT_TO_N), sub(r, 1), r)");
    block.line(format!("common := mulmod(common, {}, r)", literal(&n_inverse)));
    for &row in &rows.single {
        let name = lagrange(row, row);
        block.line(format!("mstore({name}, mulmod(common, mload({name}), r))"));
    }
    let sums = rows.sums.iter().map(|&(first, last)| [lagrange(first, last), numerator(first, last), lagrange(first, last)]);
    for [name, numerator, denominator] in sums.chain([INSTANCES.map(String::from)]) {
        block.line(format!("mstore({name}, mulmod(mulmod(common, mload({numerator}), r), mload({denominator}), r))"));
    }
    block
}

/// Where the instance column's value comes, and the fraction that it is made of.
const INSTANCES: [&str; 3] = ["AT_INSTANCES", "INSTANCES_NUMERATOR", "INSTANCES_DENOMINATOR"];

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
