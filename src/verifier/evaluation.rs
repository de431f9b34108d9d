//! The constraints at the evaluation point: the Lagrange polynomials, the public inputs, the quotient.

use super::{
    denominators::{Rows, lagrange, numerator, rotate, together},
    expression::{Leaf, Node},
    memory::Memory,
    names,
    protocol::Protocol,
    transcript::Transcript,
    yul::{Block, Writer, literal},
};
use halo2_proofs::{arithmetic::Field, halo2curves::bn256::Fr, plonk::ConstraintSystem};

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
