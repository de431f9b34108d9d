//! The verifier in two contracts (`gen-verifier --split-key`): `FamilyVerifier.sol`, code that all circuits of one shape share, and
//! `InferenceVerifier.sol`, the verifying key of one model, which calls it.
//!
//! A family is what the code depends on: columns, gates, rows, the number of public inputs, the SRS. Weights, tables and copies are in the commitments:
//! the family's code takes them with every call, from the model's contract, which pins address and hash of that code as constants.
//!
//! ```text
//! familyId = keccak256(FamilyVerifier.sol without the version of zkml-evm and the id)
//! ```

use super::{
    VerifierError,
    labels::Labels,
    memory::Memory,
    protocol::{Circuit, Protocol},
    render::weights_check,
    sections::{Fields, PROOF_INTERFACE, constants, describe, fill_in, finish},
};
use crate::{
    circuit::statement,
    proof::{Keys, ModelId, Srs},
    quant::Program,
};
use alloy::{
    hex,
    primitives::{Address, B256, keccak256},
};
use halo2_proofs::halo2curves::{bn256::G1Affine, ff::PrimeField};

const TEMPLATE: &str = include_str!("Model.sol.in");

/// The name of the word that holds the verifying key's digest.
pub const KEY_DIGEST: &str = "KEY_DIGEST";

/// The code of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The hash of its source.
    pub id: B256,
    /// `FamilyVerifier.sol`: one self-contained file, contract `FamilyVerifier`, no constructor arguments.
    pub source: String,
}

/// A family's code on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The family.
    pub id: B256,
    /// Where its code is.
    pub address: Address,
    /// keccak256 of that code.
    pub codehash: B256,
}

/// The code of the family that `keys` belong to.
///
/// # Errors
/// As [`render`](super::render()).
pub fn family(program: &Program, keys: &Keys, srs: &Srs) -> Result<Family, VerifierError> {
    let circuit = circuit(program, keys, srs)?;
    let own = vec![
        ("{proof_interface}", INTERFACE.into()),
        ("{more_interface}", String::new()),
        ("{entry}", ENTRY.into()),
        ("{interface}", "IFamilyVerifier".into()),
        ("{contract}", "FamilyVerifier".into()),
        ("{header}", HEADER.into()),
        ("{identity}", IDENTITY.into()),
        ("{own_constants}", String::new()),
        ("{key_length}", (WORD + POINT * Protocol::new(&circuit)?.preprocessed.len()).to_string()),
    ];
    let text = fill_in(&circuit, own)?;
    let id = keccak256(&text);
    Ok(Family { id, source: finish(&text.replace("{family}", &id.to_string())) })
}

/// The contract of the model of `keys`: its verifying key, and the call of the family's code at `place`. It has the weights' commitment, too,
/// where they are private.
///
/// # Errors
/// As [`render`](super::render()).
pub fn render(
    program: &Program,
    keys: &Keys,
    srs: &Srs,
    model_id: ModelId,
    weights: Option<B256>,
    place: &Place,
) -> Result<String, VerifierError> {
    let circuit = circuit(program, keys, srs)?;
    let protocol = Protocol::new(&circuit)?;
    let layout = statement::layout(program)?;
    if layout.len() != keys.shape.instances as usize {
        let (got, shape) = (layout.len(), keys.shape.instances);
        return Err(VerifierError::Render(format!("statements have {got} public values, the shape {shape}")));
    }
    let [constant, check] = weights_check(&layout, weights)?;
    // How many there are is the family's to say.
    let check = check.replace("if (", &format!("if (publicInputs.length == {} && ", layout.len()));
    let mut fields: Fields = vec![
        ("{proof_interface}", PROOF_INTERFACE.into()),
        ("{kind}", "zkml-evm.verifier.v1".into()),
        ("{model_id}", model_id.to_string()),
        ("{layout}", describe(&layout)),
        ("{family}", place.id.to_string()),
        ("{family_address}", place.address.to_string()),
        ("{family_codehash}", place.codehash.to_string()),
        ("{own_constants}", constant),
        ("{own_check}", check),
        ("{key_points}", protocol.preprocessed.len().to_string()),
        ("{key}", literals(&key(&protocol))),
    ];
    fields.extend(constants(&circuit, &protocol));
    Ok(finish(&fields.into_iter().fold(TEMPLATE.to_string(), |text, (name, value)| text.replace(name, &value))))
}

/// The verifying key as the family's code takes it.
///
/// # Errors
/// As [`render`](super::render()).
pub fn key_bytes(program: &Program, keys: &Keys, srs: &Srs) -> Result<Vec<u8>, VerifierError> {
    Ok(key(&Protocol::new(&circuit(program, keys, srs)?)?).concat())
}

const WORD: usize = 32;
const POINT: usize = 64;

fn circuit<'a>(program: &Program, keys: &'a Keys, srs: &'a Srs) -> Result<Circuit<'a>, VerifierError> {
    let public_inputs = statement::layout(program)?.len();
    let labels = Labels::of_shape(&keys.shape);
    Ok(Circuit { vk: keys.vk(), srs, labels, public_inputs, accumulates: false, split: true })
}

/// The key's words: its digest, then the points.
fn key(protocol: &Protocol) -> Vec<[u8; WORD]> {
    let coordinates = |point: &G1Affine| [point.x, point.y].map(|c| big_endian(c.to_repr()));
    let points = protocol.preprocessed.iter().flat_map(coordinates);
    [big_endian(protocol.digest.to_repr())].into_iter().chain(points).collect()
}

fn big_endian(mut little: [u8; WORD]) -> [u8; WORD] {
    little.reverse();
    little
}

fn literals(words: &[[u8; WORD]]) -> String {
    words.iter().map(|word| format!("hex\"{}\"", hex::encode(word))).collect::<Vec<_>>().join("\n        ")
}

/// The words that a call's key is copied to.
pub fn reserve(protocol: &Protocol, memory: &mut Memory) {
    memory.section("The verifying key that came with the call: its digest, and the commitments.");
    memory.word(KEY_DIGEST);
    for poly in 0..protocol.preprocessed.len() {
        memory.point(&commitment_name(protocol, poly));
    }
}

/// The name of the address of a commitment of the key.
pub fn commitment_name(protocol: &Protocol, poly: usize) -> String {
    format!("COMMITMENT_{}", protocol.names.polynomials[poly])
}

const INTERFACE: &str = "\
/// @title The code that the verifiers of one family of models share
interface IFamilyVerifier {
    error InvalidKeyLength(uint256 expected, uint256 got);
    error InvalidInstanceCount(uint256 expected, uint256 got);
    error InvalidProofLength(uint256 expected, uint256 got);
    error InstanceOutOfRange(uint256 index, uint256 value);
    error EvaluationOutOfRange(uint256 index, uint256 value);
    error PointNotOnCurve(uint256 index);
    error DegenerateChallenge();
    error UnsupportedCompiler();
    error PrecompileFailed();
    error PairingFailed();

    function verifyProof(bytes calldata key, uint256[] calldata publicInputs, bytes calldata proof) external view;
}";

const HEADER: &str = "/// @title Verifier of proofs of inference, for the verifying key that it is given
/// @notice Family {family}
/// @notice SRS {srs}, digest {srs_digest}
/// @notice Rows 2^{k}
/// @dev Says nothing by itself, since whoever calls chooses the key: a model's own contract does, InferenceVerifier.sol. Such a contract
/// has the model's key and pins this code by address and hash.";

const IDENTITY: &str = "    /// @notice The family: the hash of this file without its version and this word.
    bytes32 public constant FAMILY_ID = {family};
    /// @dev A digest of 32 bytes and commitments of 64.
    uint256 private constant KEY_LENGTH = {key_length};
";

const ENTRY: &str = "    function verifyProof(bytes calldata key, uint256[] calldata publicInputs, bytes calldata proof) external view {
        _checkLengths(publicInputs.length, proof.length);
        if (key.length != KEY_LENGTH) revert InvalidKeyLength(KEY_LENGTH, key.length);
        _readKey(key);
        _readTranscript(publicInputs, proof);
        _verify();
    }

    /// @dev The model's verifying key into memory. Its contract is trusted with it: nothing here depends on what the caller of that gives.
    function _readKey(bytes calldata key) private pure {
        assembly (\"memory-safe\") {
            calldatacopy(KEY_DIGEST, key.offset, KEY_LENGTH)
        }
    }";
