//! Renders `InferenceVerifier.sol`: the verification of one circuit's proofs, section by section (`docs/verifier.md`).

use super::{
    VerifierError, evaluation,
    memory::{Memory, START},
    names, opening,
    protocol::Protocol,
    transcript::{self, Transcript},
    yul::{Block, literal, word},
};
use crate::{
    circuit::statement::{self, MODEL_COMMITMENT, PublicValue},
    gates::Shape,
    proof::{Keys, ModelId, Srs, protocol::rotation_sets},
    quant::Program,
};
use alloy::primitives::{B256, U256};
use halo2_proofs::{
    halo2curves::{
        bn256::{Fq, Fr, G1Affine, G2Affine},
        ff::PrimeField,
    },
    plonk::{ConstraintSystem, VerifyingKey},
};

const TEMPLATE: &str = include_str!("InferenceVerifier.sol.in");

/// The Solidity source of the verifier of `keys` (and of the commitment to private weights, which the keys do not hold): one self-contained file, contract `InferenceVerifier`, no constructor arguments.
///
/// # Errors
/// A program without a statement, an SRS smaller than the keys, or a protocol with a part that the contract has no section for.
pub fn render(
    program: &Program,
    keys: &Keys,
    srs: &Srs,
    model_id: ModelId,
    weights: Option<B256>,
) -> Result<String, VerifierError> {
    render_key(program, &keys.shape, keys.vk(), srs, model_id, weights)
}

/// The same from the verifying key alone.
pub(super) fn render_key(
    program: &Program,
    shape: &Shape,
    vk: &VerifyingKey<G1Affine>,
    srs: &Srs,
    model_id: ModelId,
    weights: Option<B256>,
) -> Result<String, VerifierError> {
    let layout = statement::layout(program)?;
    let protocol = Protocol::new(shape, vk, srs, layout.len())?;
    let table: Vec<String> = layout.iter().enumerate().map(|(i, value)| describe(i, value)).collect();
    let mut fields = vec![
        ("{tool}", env!("CARGO_PKG_VERSION").to_string()),
        ("{model_id}", model_id.to_string()),
        ("{srs}", srs.provenance.to_string()),
        ("{srs_digest}", srs.digest().to_string()),
        ("{digest}", literal(&protocol.digest)),
        ("{k}", protocol.k.to_string()),
        ("{r}", R.to_string()),
        ("{q}", Q.to_string()),
        ("{omega}", literal(&protocol.omega)),
        ("{instances}", protocol.instances.to_string()),
        ("{layout}", table.join("\n")),
    ];
    let [constant, check] = weights_check(&layout, weights)?;
    fields.extend([("{weights_constant}", constant), ("{weights_check}", check)]);
    fields.extend(sections(&protocol, shape, vk.cs()));
    fields.extend(g2(["{g2_x1}", "{g2_x0}", "{g2_y1}", "{g2_y0}"], &protocol.g2));
    fields.extend(g2(["{s_g2_x1}", "{s_g2_x0}", "{s_g2_y1}", "{s_g2_y0}"], &protocol.s_g2));
    Ok(fields.into_iter().fold(TEMPLATE.to_string(), |text, (name, value)| text.replace(name, &value)))
}

/// The commitment to private weights as a constant, and its comparison: without it a proof under other weights would be one of this model.
///
/// # Errors
/// A commitment to fixed weights, or none to private ones.
fn weights_check(layout: &[PublicValue], weights: Option<B256>) -> Result<[String; 2], VerifierError> {
    match (layout.iter().position(|value| value.name == MODEL_COMMITMENT), weights) {
        (None, None) => Ok([String::new(), String::new()]),
        (Some(at), Some(commitment)) => Ok([
            format!(
                "    /// @dev The commitment to the model's private weights.\n    uint256 private constant WEIGHTS = {commitment};\n"
            ),
            format!("        if (publicInputs[{at}] != WEIGHTS) revert OtherWeights(WEIGHTS, publicInputs[{at}]);\n"),
        ]),
        _ => Err(VerifierError::Weights),
    }
}

const R: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q: &str = "0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

/// The statements of every section, and the memory that they share.
fn sections(protocol: &Protocol, shape: &Shape, cs: &ConstraintSystem<Fr>) -> Vec<(&'static str, String)> {
    let sets = rotation_sets(protocol.queries.iter().map(|query| (query.poly, query.rotation)));
    let mut memory = Memory::default();
    let challenges = names::challenges(shape, protocol.challenges());
    let transcript = transcript::read(protocol, challenges, &mut memory);
    let denominators = evaluation::denominators(protocol, &sets, &mut memory);
    let products_of_sets = opening::products(protocol, &sets, &transcript, &mut memory);
    let [products, inverses] = evaluation::inversion(protocol, &sets);
    let public_inputs = evaluation::public_inputs(protocol, &mut memory);
    let constraints = evaluation::constraints(protocol, cs, &transcript, &mut memory);
    let opening = opening::values(protocol, &sets, &transcript, &mut memory);
    let commitments = opening::commitments(protocol, &sets, &transcript, &mut memory);
    vec![
        ("{transcript}", transcript.block.text()),
        ("{check_points}", point_checks(&transcript)),
        ("{check_scalars}", scalar_checks(&transcript)),
        ("{denominators}", denominators.text()),
        ("{products_of_sets}", products_of_sets.text()),
        ("{products}", products.text()),
        ("{inverses}", inverses.text()),
        ("{public_inputs}", public_inputs.text()),
        (
            "{evaluate_constraints}",
            constraints.iter().map(|(name, _)| format!("        {name}();")).collect::<Vec<_>>().join("\n"),
        ),
        ("{constraints}", constraints.iter().map(function).collect::<Vec<_>>().join("\n\n")),
        ("{opening}", opening.text()),
        ("{commitments}", commitments.text()),
        ("{memory}", memory.declarations()),
        ("{memory_start}", format!("{START:#x}")),
        ("{first_evaluation}", transcript.evaluations.first().cloned().unwrap_or_default()),
        ("{evaluations}", transcript.evaluations.len().to_string()),
        ("{points}", transcript.runs.iter().map(|run| run.count).sum::<usize>().to_string()),
        ("{proof_length}", transcript.length.to_string()),
    ]
}

/// A function that works on memory alone.
fn function((name, block): &(String, Block)) -> String {
    let open = format!("    function {name}() private pure {{\n        assembly (\"memory-safe\") {{");
    format!("{open}\n{}\n        }}\n    }}", block.text())
}

/// Four evaluations in one turn of a loop, and those left over: one by one they would take more code than anything but the opening.
fn scalar_checks(transcript: &Transcript) -> String {
    let mut block = Block::default();
    let names = &transcript.evaluations;
    let (looped, left) = names.split_at(names.len() / 4 * 4);
    block.line("ok := 1");
    if let Some(first) = looped.first() {
        let end = format!("add({first}, {:#x})", 32 * looped.len());
        block.line(format!("for {{ let word := {first} }} lt(word, {end}) {{ word := add(word, 128) }} {{"));
        block.line("    ok := and(and(lt(mload(word), r), lt(mload(add(word, 32)), r)), ok)");
        block.line("    ok := and(and(lt(mload(add(word, 64)), r), lt(mload(add(word, 96)), r)), ok)");
        block.line("}");
    }
    for name in left {
        block.line(format!("ok := and(lt(mload({name}), r), ok)"));
    }
    block.text()
}

fn point_checks(transcript: &Transcript) -> String {
    let mut first = 0;
    let mut lines = Vec::new();
    for run in &transcript.runs {
        lines.push(format!("        _checkPoints({}, {}, {first});", run.at, run.count));
        first += run.count;
    }
    lines.join("\n")
}

/// A point of G2 as the pairing takes it: the imaginary part of each coordinate first.
fn g2(names: [&'static str; 4], point: &G2Affine) -> Vec<(&'static str, String)> {
    let coordinates: [&Fq; 4] = [&point.x.c1, &point.x.c0, &point.y.c1, &point.y.c0];
    names.into_iter().zip(coordinates.map(|c| word(U256::from_le_bytes(c.to_repr())))).collect()
}

fn describe(index: usize, value: &PublicValue) -> String {
    let scale = value.scale_log2.map(|s| format!(", real value = integer / 2^{s}")).unwrap_or_default();
    let range = match (&value.lo, &value.hi) {
        (Some(lo), Some(hi)) => format!(", integer in [{lo}, {hi}], negative v as r - |v|"),
        _ => String::new(),
    };
    format!("///   {index}: {}{scale}{range}", value.name)
}
