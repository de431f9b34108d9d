//! Renders `AggregateVerifier.sol`: the verification of an outer proof and of the pairing equation that it leaves, for the statements of all
//! slots.
//!
//! ```text
//! aggregateId = keccak256("zkml-evm.aggregate.v1" | len(vk) vk | srsDigest | modelId of each slot)
//! ```
//!
//! with the length in 8 bytes big-endian and `vk` as halo2 writes a verifying key compressed.

use super::{
    Labels, VerifierError,
    protocol::Circuit,
    sections::{ENTRY, PROOF_INTERFACE, describe, fill},
    yul::Block,
};
use crate::{
    circuit::statement::{MODEL_COMMITMENT, PublicValue},
    proof::{ModelId, Srs},
};
use alloy::primitives::{B256, keccak256};
use halo2_proofs::{SerdeFormat, halo2curves::bn256::G1Affine, plonk::VerifyingKey};

/// What one slot takes: proofs of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The model.
    pub model_id: ModelId,
    /// Its statement.
    pub layout: Vec<PublicValue>,
    /// The commitment to its weights, where they are private.
    pub weights: Option<B256>,
}

/// An outer circuit. Its instance column has the statements of the slots, and then the words of the accumulator.
#[derive(Clone, Debug)]
pub struct Aggregate<'a> {
    /// The outer circuit's verifying key.
    pub vk: &'a VerifyingKey<G1Affine>,
    /// The SRS, of inner and outer proofs.
    pub srs: &'a Srs,
    /// What the outer circuit's columns and challenges are called.
    pub labels: Labels,
    /// The slots, in order.
    pub slots: &'a [Slot],
}

/// Slots of one kind that stand behind each other.
struct Run<'a> {
    slot: &'a Slot,
    first: usize,
    count: usize,
    /// The place of its first public input.
    from: usize,
}

impl Aggregate<'_> {
    /// The identity on chain: keys, SRS, and what each slot takes.
    pub fn id(&self) -> B256 {
        let vk = self.vk.to_bytes(SerdeFormat::Processed);
        let mut bytes = b"zkml-evm.aggregate.v1".to_vec();
        bytes.extend((vk.len() as u64).to_be_bytes());
        bytes.extend(vk);
        bytes.extend(self.srs.digest());
        self.slots.iter().for_each(|slot| bytes.extend(slot.model_id));
        keccak256(bytes)
    }

    fn runs(&self) -> Vec<Run<'_>> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        let mut from = 0;
        for (first, slot) in self.slots.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if run.slot == slot => run.count += 1,
                _ => runs.push(Run { slot, first, count: 1, from }),
            }
            from += slot.layout.len();
        }
        runs
    }
}

/// The Solidity source of the verifier: one self-contained file, contract `AggregateVerifier`, no constructor arguments.
///
/// # Errors
/// No slots, an SRS smaller than the keys, labels that are not the circuit's, a commitment to fixed weights or none to private ones, or a
/// protocol with a part that the contract has no section for.
pub fn render(aggregate: &Aggregate<'_>) -> Result<String, VerifierError> {
    let Aggregate { vk, srs, labels, slots } = aggregate;
    let runs = aggregate.runs();
    if runs.is_empty() || slots.iter().any(|slot| slot.layout.is_empty()) {
        return Err(VerifierError::Render("an aggregate has slots, and each of them a statement".into()));
    }
    let [constants, check, function] = weights(&runs)?;
    let identity = IDENTITY.replace("{slots}", &slots_function(&runs, slots.len())).replace("{weights}", &function);
    let own = vec![
        ("{proof_interface}", PROOF_INTERFACE.into()),
        ("{entry}", ENTRY.into()),
        ("{more_interface}", INTERFACE.into()),
        ("{interface}", "IAggregateVerifier".into()),
        ("{contract}", "AggregateVerifier".into()),
        ("{header}", HEADER.into()),
        ("{identity}", identity),
        ("{kind}", "zkml-evm.aggregate.v1".into()),
        ("{aggregate_id}", aggregate.id().to_string()),
        ("{models}", runs.iter().map(|run| format!("/// @notice {}", run.describe())).collect::<Vec<_>>().join("\n")),
        ("{layout}", runs.iter().map(Run::layout).collect::<Vec<_>>().join("\n")),
        ("{own_constants}", constants),
        ("{own_check}", check),
    ];
    let public_inputs = slots.iter().map(|slot| slot.layout.len()).sum();
    fill(&Circuit { vk, srs, labels: labels.clone(), public_inputs, accumulates: true, split: false }, own)
}

impl Run<'_> {
    fn describe(&self) -> String {
        match self.count {
            1 => format!("Slot {}: model {}", self.first, self.slot.model_id),
            count => format!("Slots {} to {}: model {}", self.first, self.first + count - 1, self.slot.model_id),
        }
    }

    fn layout(&self) -> String {
        let size = self.slot.layout.len();
        let place = match self.count {
            1 => format!("Slot {}, public inputs {} to {}", self.first, self.from, self.from + size - 1),
            _ => format!(
                "Slot i of {} to {}, from public input {} + {size} (i - {0}) on",
                self.first,
                self.first + self.count - 1,
                self.from
            ),
        };
        format!("/// {place}:\n{}", describe(&self.slot.layout))
    }
}

/// The statements of `slots()`: two lists of words in the ABI's encoding. Solidity's own takes three times the gas.
fn slots_function(runs: &[Run<'_>], slots: usize) -> String {
    let bytes = 32 * (slots + 1);
    let mut block = Block::default();
    block.line("let answer := mload(0x40)");
    block.line("let modelIds := add(answer, 0x40)");
    block.line(format!("let sizes := add(modelIds, {bytes:#x})"));
    block.line("mstore(answer, 0x40)");
    block.line(format!("mstore(add(answer, 32), {:#x})", 0x40 + bytes));
    block.line(format!("mstore(modelIds, {slots})"));
    block.line(format!("mstore(sizes, {slots})"));
    for run in runs {
        let [first, end] = [run.first, run.first + run.count].map(|slot| 32 * (slot + 1));
        block.line(format!("for {{ let i := {first:#x} }} lt(i, {end:#x}) {{ i := add(i, 32) }} {{"));
        block.line(format!("    mstore(add(modelIds, i), {})", run.slot.model_id));
        block.line(format!("    mstore(add(sizes, i), {})", run.slot.layout.len()));
        block.line("}");
    }
    block.line(format!("return(answer, {:#x})", 0x40 + 2 * bytes));
    block.text()
}

/// The commitments to private weights, their comparison in each slot that is not empty, and the function that compares.
///
/// # Errors
/// A commitment to fixed weights, or none to private ones.
fn weights(runs: &[Run<'_>]) -> Result<[String; 3], VerifierError> {
    let [mut constants, mut checks] = [String::new(), String::new()];
    for run in runs {
        let (size, first) = (run.slot.layout.len(), run.first);
        match (run.slot.layout.iter().position(|value| value.name == MODEL_COMMITMENT), run.slot.weights) {
            (None, None) => {}
            (Some(at), Some(commitment)) => {
                let name = format!("WEIGHTS_{first}");
                constants += &format!(
                    "    /// @dev {}'s private weights, by their commitment.\n    uint256 private constant {name} = {commitment};\n",
                    run.describe().split(':').next().unwrap_or_default()
                );
                let end = run.from + size * run.count;
                checks += &format!("        _checkWeights(publicInputs, {}, {end}, {size}, {at}, {name});\n", run.from);
            }
            _ => return Err(VerifierError::Weights),
        }
    }
    let function = if checks.is_empty() { String::new() } else { CHECK_WEIGHTS.into() };
    Ok([constants, checks, function])
}

const INTERFACE: &str = "
/// @title A generated verifier of aggregates (the same interface as contracts/interfaces/IAggregateVerifier.sol)
interface IAggregateVerifier is IProofVerifier {
    function slots() external pure returns (bytes32[] memory modelIds, uint256[] memory sizes);
}
";

const HEADER: &str = "/// @title Verifier of proofs that hold for many
/// @notice Aggregate {aggregate_id}
{models}
/// @notice SRS {srs}, digest {srs_digest}
/// @notice Rows 2^{k}, verifying key digest {digest}
/// @dev Public inputs: the slots' statements. A slot whose context is 0 is empty, whatever else it says.
{layout}
///
/// The proof begins with the two points whose pairing equation is left of the inner proofs; the circuit has them as words behind
/// the public inputs, which are computed here.";

const IDENTITY: &str = r#"    /// @notice The aggregate this verifier was generated for.
    bytes32 public constant AGGREGATE_ID = {aggregate_id};

    /// @notice What the slots take: the model of each, and how many public inputs its statement has.
    function slots() external pure returns (bytes32[] memory, uint256[] memory) {
        assembly ("memory-safe") {
{slots}
        }
    }
{weights}"#;

const CHECK_WEIGHTS: &str = "
    /// @dev Statements of `size` words from `first` to `end`: those of slots that are not empty have these weights at `place`.
    function _checkWeights(
        uint256[] calldata publicInputs,
        uint256 first,
        uint256 end,
        uint256 size,
        uint256 place,
        uint256 weights
    ) private pure {
        for (; first < end; first += size) {
            uint256 got = publicInputs[first + place];
            if (got != weights && publicInputs[first] != 0) revert OtherWeights(weights, got);
        }
    }
";
