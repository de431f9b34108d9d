//! Golden verifying keys and golden proofs of the credit example and of the worked consumers: a change of the circuit, the quantisation, the statement or the
//! rendered contract is seen in review.
//!
//! `UPDATE_GOLDEN=1 cargo test --release --test golden` writes the files anew. Every verifier on chain, every key file and every
//! stored proof is void after a change of `modelId`, so it belongs in the changelog.

#[path = "golden/cases.rs"]
mod cases;
#[path = "golden/consumers.rs"]
mod consumers;
mod credit_support;

use credit_support::golden::{FORGE, ForgeProof, GoldenKeys, KEYS, Made, field_elements, read};
use std::sync::LazyLock;
use zkml_evm::proof::verify;

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let made = Made::here();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        made.update();
    }
    made
});

const HOW: &str = "If the change is meant, run `UPDATE_GOLDEN=1 cargo test --release --test golden`, commit both files, and say why \
                   in the changelog: deployed verifiers and stored proofs do not survive a new modelId.";

/// What a difference in each field comes from; the first that differs explains those after it.
const MEANING: [(&str, &str); 8] = [
    ("schemaId", "the feature schema or its encoding changed: attestations no longer fit"),
    ("programSha256", "the ONNX import or the quantisation changed: another integer program"),
    ("shape", "the planner chose other widths"),
    ("srsDigest", "the development SRS changed"),
    ("vkSha256", "the circuit changed: gates, columns, layout or fixed cells"),
    ("modelId", "the key, the SRS, the statement's layout or the encoding of the id changed"),
    ("sourceKeccak", "the rendered Solidity changed; with all else equal, its template or snark-verifier"),
    ("publicInputs", "the loan's statement changed: context, commitment or threshold"),
];

#[test]
fn keys_contract_and_statement_are_the_golden_ones() {
    LazyLock::force(&MADE);
    let golden: GoldenKeys = read(KEYS);
    let here = GoldenKeys { identity: MADE.identity.clone(), public_inputs: MADE.public_inputs(), ..golden.clone() };
    let [golden, here] = [golden, here].map(|keys| serde_json::to_value(keys).unwrap());
    let differences: Vec<String> = MEANING
        .iter()
        .filter(|(field, _)| golden[field] != here[field])
        .map(|(field, meaning)| format!("{field}: {meaning}\n    golden {}\n    now    {}", golden[field], here[field]))
        .collect();
    assert!(differences.is_empty(), "{KEYS} no longer describes this checkout.\n\n{}\n\n{HOW}", differences.join("\n"));
    assert_eq!(golden.as_object().unwrap().len(), MEANING.len() + 2, "every field but version and proof has a meaning above");
}

#[test]
fn the_golden_proof_verifies() {
    LazyLock::force(&MADE);
    let golden: GoldenKeys = read(KEYS);
    let instances = field_elements(&golden.public_inputs);
    if let Err(error) = verify(&MADE.keys, &MADE.srs, &instances, &golden.proof) {
        panic!("the proof in {KEYS} no longer verifies: {error}. Keys, transcript or proof format changed.\n\n{HOW}");
    }
    let mut other = golden.proof.to_vec();
    other[100] ^= 1;
    assert!(!MADE.verifies(&other));
}

#[test]
fn the_forge_fixture_is_made_from_the_golden_files() {
    LazyLock::force(&MADE);
    let (golden, forge): (GoldenKeys, ForgeProof) = (read(KEYS), read(FORGE));
    assert_eq!((&forge.proof, &forge.public_inputs), (&golden.proof, &golden.public_inputs), "{HOW}");
    assert_eq!((forge.model_id, forge.schema_id), (golden.identity.model_id, golden.identity.schema_id), "{HOW}");
    assert_eq!(forge.source_keccak, MADE.identity.source_keccak, "{FORGE} holds code of another source. {HOW}");
    assert_eq!(forge.loan, MADE.loan, "{HOW}");
    let (compiled, solc) = MADE.compile();
    // Another compiler gives other code; who has the recorded one must get the recorded bytes.
    if solc == forge.solc {
        assert!(compiled.creation == forge.creation_code, "the same source and solc {solc} gave other code. {HOW}");
    }
}
