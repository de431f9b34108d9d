//! What every verifier's source is made of: the template, its constants, and the sections of the verification.

use super::{
    VerifierError, accumulator, checks, denominators, evaluation,
    labels::Labels,
    memory::{Memory, START},
    names, opening,
    protocol::{Circuit, Protocol},
    split, transcript,
    yul::{Block, literal, word},
};
use crate::{circuit::statement::PublicValue, proof::protocol::rotation_sets};
use alloy::primitives::U256;
use halo2_proofs::{
    halo2curves::{
        bn256::{Fq, Fr, G2Affine},
        ff::PrimeField,
    },
    plonk::ConstraintSystem,
};

const TEMPLATE: &str = include_str!("Verifier.sol.in");

/// The interface of a verifier of proofs, as its file declares it.
pub const PROOF_INTERFACE: &str = "\
/// @title A generated proof verifier (the same interface as contracts/interfaces/IProofVerifier.sol)
interface IProofVerifier {
    error InvalidInstanceCount(uint256 expected, uint256 got);
    error InvalidProofLength(uint256 expected, uint256 got);
    error OtherWeights(uint256 expected, uint256 got);
    error InstanceOutOfRange(uint256 index, uint256 value);
    error EvaluationOutOfRange(uint256 index, uint256 value);
    error PointNotOnCurve(uint256 index);
    error DegenerateChallenge();
    error UnsupportedCompiler();
    error PrecompileFailed();
    error PairingFailed();

    function verifyProof(uint256[] calldata publicInputs, bytes calldata proof) external view;
    function verifierKind() external pure returns (bytes32 kind);
}";

/// Its functions, where the contract has the verifying key.
pub const ENTRY: &str = "    function verifierKind() external pure returns (bytes32 kind) {
        return keccak256(\"{kind}\");
    }

    function verifyProof(uint256[] calldata publicInputs, bytes calldata proof) external view {
        _checkLengths(publicInputs.length, proof.length);
{own_check}        _readTranscript(publicInputs, proof);
        _verify();
    }";

/// Parts of a source that depend on what the circuit proves: a placeholder of the template, and its text.
pub type Fields = Vec<(&'static str, String)>;

/// The source of the verifier of `circuit`, with `own` fields, which may hold placeholders of the constants.
///
/// # Errors
/// An SRS smaller than the keys, labels that are not the circuit's, or a protocol with a part that the contract has no section for.
pub fn fill(circuit: &Circuit<'_>, own: Fields) -> Result<String, VerifierError> {
    Ok(finish(&fill_in(circuit, own)?))
}

/// The same but for the version in its first lines.
///
/// # Errors
/// As [`fill`].
pub fn fill_in(circuit: &Circuit<'_>, own: Fields) -> Result<String, VerifierError> {
    let protocol = Protocol::new(circuit)?;
    let mut fields = own;
    fields.extend(constants(circuit, &protocol));
    fields.extend(sections(&protocol, &circuit.labels, circuit.vk.cs()));
    fields.extend(g2(["{g2_x1}", "{g2_x0}", "{g2_y1}", "{g2_y0}"], &protocol.g2));
    fields.extend(g2(["{s_g2_x1}", "{s_g2_x0}", "{s_g2_y1}", "{s_g2_y0}"], &protocol.s_g2));
    Ok(fields.into_iter().fold(TEMPLATE.to_string(), |text, (name, value)| text.replace(name, &value)))
}

/// A source with the version of zkml-evm, which is no part of the code.
pub fn finish(source: &str) -> String {
    source.replace("{tool}", env!("CARGO_PKG_VERSION"))
}

/// What every header has, and numbers of the circuit.
pub fn constants(circuit: &Circuit<'_>, protocol: &Protocol) -> Fields {
    vec![
        ("{srs}", circuit.srs.provenance.to_string()),
        ("{srs_digest}", circuit.srs.digest().to_string()),
        ("{digest}", literal(&protocol.digest)),
        ("{k}", protocol.k.to_string()),
        ("{r}", R.to_string()),
        ("{q}", Q.to_string()),
        ("{omega}", literal(&protocol.omega)),
        ("{instances}", protocol.public_inputs.to_string()),
    ]
}

/// The lines of the header that say what each public input means.
pub fn describe(layout: &[PublicValue]) -> String {
    let lines: Vec<String> = layout.iter().enumerate().map(|(i, value)| describe_one(i, value)).collect();
    lines.join("\n")
}

const R: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q: &str = "0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

/// The statements of every section, and the memory that they share.
fn sections(protocol: &Protocol, labels: &Labels, cs: &ConstraintSystem<Fr>) -> Vec<(&'static str, String)> {
    let sets = rotation_sets(protocol.queries.iter().map(|query| (query.poly, query.rotation)));
    let mut memory = Memory::default();
    if protocol.split {
        split::reserve(protocol, &mut memory);
    }
    let challenges = names::challenges(labels, cs);
    let transcript = transcript::read(protocol, challenges, &mut memory);
    let (points, number_of_points) = checks::points(protocol, &sets, &transcript);
    let denominators = denominators::denominators(protocol, &sets, &mut memory);
    let products_of_sets = opening::products(protocol, &sets, &transcript, &mut memory);
    let [products, inverses] = denominators::inversion(protocol, &sets);
    let public_inputs = evaluation::public_inputs(protocol, &mut memory);
    let constraints = evaluation::constraints(protocol, cs, &transcript, &mut memory);
    let opening = opening::values(protocol, &sets, &transcript, &mut memory);
    let commitments = opening::commitments(protocol, &sets, &transcript, &mut memory);
    let [addition, call] = if protocol.accumulates() { accumulator::addition() } else { Default::default() };
    vec![
        ("{accumulator_call}", call),
        ("{accumulator}", addition),
        ("{transcript}", transcript.block.text()),
        ("{check_points}", points.text()),
        ("{points}", number_of_points.to_string()),
        ("{check_scalars}", checks::scalars(protocol, &sets, &transcript).text()),
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
        ("{proof_length}", transcript.length.to_string()),
    ]
}

/// A function that works on memory alone.
fn function((name, block): &(String, Block)) -> String {
    let open = format!("    function {name}() private pure {{\n        assembly (\"memory-safe\") {{");
    format!("{open}\n{}\n        }}\n    }}", block.text())
}

/// A point of G2 as the pairing takes it: the imaginary part of each coordinate first.
fn g2(names: [&'static str; 4], point: &G2Affine) -> Vec<(&'static str, String)> {
    let coordinates: [&Fq; 4] = [&point.x.c1, &point.x.c0, &point.y.c1, &point.y.c0];
    names.into_iter().zip(coordinates.map(|c| word(U256::from_le_bytes(c.to_repr())))).collect()
}

fn describe_one(index: usize, value: &PublicValue) -> String {
    let scale = value.scale_log2.map(|s| format!(", real value = integer / 2^{s}")).unwrap_or_default();
    let range = match (&value.lo, &value.hi) {
        (Some(lo), Some(hi)) => format!(", integer in [{lo}, {hi}], negative v as r - |v|"),
        _ => String::new(),
    };
    format!("///   {index}: {}{scale}{range}", value.name)
}
