//! Test vectors that an independent implementation (circomlib's Poseidon in JavaScript, `test/fixtures/make_vectors.mjs`) made:
//! schema id, commitment and context agree to the byte.

use alloy::primitives::{Address, B256, U256};
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use serde_json::Value;
use std::path::Path;
use zkml_evm::{
    chain::attest::Context,
    circuit::commitment::{commit, commit_weights, tag, weights_tag},
    op::{InputMode, Weights},
    quant::{Feature, Schema},
};

fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("test/fixtures").join(file);
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vectors = document["vectors"].as_array().unwrap().clone();
    assert!(!vectors.is_empty());
    vectors
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn word(value: &Value) -> U256 {
    text(value).parse().unwrap()
}

fn scalar(value: &Value) -> Fr {
    Fr::from_repr(word(value).to_le_bytes()).unwrap()
}

fn feature(value: &Value) -> Feature {
    Feature {
        name: text(&value["name"]).into(),
        unit: text(&value["unit"]).into(),
        decimals: value["decimals"].as_u64().unwrap().try_into().unwrap(),
        min: text(&value["min"]).parse().unwrap(),
        max: text(&value["max"]).parse().unwrap(),
    }
}

#[test]
fn schemas_and_commitments_agree_with_the_independent_implementation() {
    for vector in vectors("commitment_vectors.json") {
        let name = text(&vector["name"]);
        let features = vector["features"].as_array().unwrap().iter().map(feature).collect();
        let schema = Schema::new("vectors".into(), features).unwrap();
        assert_eq!(B256::from(schema.id()), text(&vector["schemaId"]).parse::<B256>().unwrap(), "{name}");
        let input = schema.input(InputMode::Committed);
        assert_eq!(u64::from(input.width_bytes), vector["widthBytes"].as_u64().unwrap(), "{name}");
        assert_eq!(tag(&input), scalar(&vector["tag"]), "{name}");
        let values: Vec<i128> = vector["values"].as_array().unwrap().iter().map(|v| text(v).parse().unwrap()).collect();
        assert_eq!(commit(&input, &values, scalar(&vector["salt"])), scalar(&vector["commitment"]), "{name}");
    }
}

#[test]
fn commitments_to_weights_agree_with_the_independent_implementation() {
    for vector in vectors("weights_vectors.json") {
        let name = text(&vector["name"]);
        let values: Vec<i128> = vector["weights"].as_array().unwrap().iter().map(|v| text(v).parse().unwrap()).collect();
        let weights = Weights { count: values.len(), bits: vector["bits"].as_u64().unwrap().try_into().unwrap() };
        assert!(weights.is_consistent() && values.iter().all(|&v| weights.interval().contains(v)), "{name}");
        assert_eq!(weights_tag(&weights), scalar(&vector["tag"]), "{name}");
        assert_eq!(weights.elements(), vector["elements"].as_array().unwrap().len(), "{name}");
        assert_eq!(commit_weights(&weights, &values, scalar(&vector["salt"])), scalar(&vector["commitment"]), "{name}");
    }
}

#[test]
fn contexts_agree_with_the_independent_implementation() {
    for vector in vectors("context_vectors.json") {
        let context = Context {
            chain_id: text(&vector["chainId"]).parse().unwrap(),
            consumer: text(&vector["consumer"]).parse::<Address>().unwrap(),
            subject: text(&vector["subject"]).parse::<Address>().unwrap(),
            model_id: text(&vector["modelId"]).parse().unwrap(),
            policy_id: text(&vector["policyId"]).parse().unwrap(),
            nonce: word(&vector["nonce"]),
            expiry: text(&vector["expiry"]).parse().unwrap(),
        };
        assert_eq!(context.instance(), word(&vector["context"]), "{}", text(&vector["name"]));
    }
}
