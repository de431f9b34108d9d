//! The fuzzer's seeds: one small file of each kind.

use crate::targets::{
    base::{base, private},
    schema,
};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use std::{collections::BTreeMap, fs, path::Path};
use zkml_evm::{
    aggregate::{Axis, Base, Node, Permutation, Recording, SlotLayout},
    artifact::{
        Binding, Contract, Manifest, Opening,
        aggregate::{AggregateFacts, AggregateManifest, Branch, SlotFacts},
        contract::Code,
        manifest::{FileEntry, sha256},
        names,
    },
    chain::{
        AccountSource, Deployment, Password, Registry,
        attest::SignedAttestation,
        bindings::IInputAttestation::Attestation,
        journal::{Entry, Journal},
        permit::Permit,
        send::Signed,
        settle::LoanRequest,
    },
    circuit::{Objective, plan},
    model,
    op::InputMode,
    outer::Widths,
    proof::{
        Srs,
        artifact::{Kind, read},
    },
    quant::{Options, OutputChoice, Precision, calibrate, input},
};

const DOCUMENTS: [&str; 10] = [
    "proof",
    "opening",
    "attestation",
    "manifest",
    "contract",
    "deployments",
    "permit",
    "journal",
    "aggregate",
    "aggregate_manifest",
];

type Kinds = (&'static str, InputMode, OutputChoice);

const PROGRAMS: [Kinds; 9] = [
    ("linear", InputMode::Committed, OutputChoice::Threshold),
    ("linear_linear", InputMode::Public, OutputChoice::Argmax),
    ("sigmoid", InputMode::Private, OutputChoice::Reveal),
    ("conv_1d", InputMode::Private, OutputChoice::Reveal),
    ("depthwise", InputMode::Private, OutputChoice::Reveal),
    ("max_pools", InputMode::Private, OutputChoice::Reveal),
    ("products", InputMode::Private, OutputChoice::Reveal),
    ("residual", InputMode::Private, OutputChoice::Reveal),
    ("moves", InputMode::Private, OutputChoice::Reveal),
];

/// Writes all seeds below `corpus`.
pub fn write(corpus: &Path) {
    let put = |target: &str, name: &str, bytes: &[u8]| {
        fs::create_dir_all(corpus.join(target)).unwrap();
        fs::write(corpus.join(target).join(format!("seed_{name}")), bytes).unwrap();
    };
    for (name, input, output) in PROGRAMS {
        put("program", name, &program(name, input, output));
    }
    put("program", "private", &postcard::to_stdvec(&(&private().program, private().plan)).unwrap());
    for target in ["key", "proof"] {
        put(target, "unchanged", &[]);
    }
    put("onnx", "conv", &fs::read(fixture("onnx/conv.onnx")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    for k in [1, 3] {
        let path = folder.path().join("srs");
        Srs::development(k).save(&path).unwrap();
        put("srs", &format!("of_{k}"), &read(Kind::Srs, &path).unwrap());
    }
    put("ptau", "of_2", &ceremony(&fs::read(fixture("ptau/power9.ptau")).unwrap(), 2));
    for accumulates in [false, true] {
        let recording = recording(accumulates);
        let alone = vec![(B256::ZERO, recording.clone())];
        let name = if accumulates { "of_aggregate" } else { "of_model" };
        put("recording", name, &postcard::to_stdvec(&(recording, alone)).unwrap());
    }
    for (name, bytes) in inputs() {
        put("inputs", name, bytes.as_bytes());
    }
    for name in DOCUMENTS {
        put("documents", name, &document(name, folder.path()));
    }
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("test/fixtures").join(name)
}

fn program(name: &str, input: InputMode, output: OutputChoice) -> Vec<u8> {
    let graph = model::load(&fixture(&format!("onnx/{name}.onnx"))).unwrap();
    let options = Options { input, output, precision: Precision::default() };
    let program = calibrate(&graph, &schema(graph.input.len()), &options).unwrap().program;
    let plan = plan(&program, Objective::Balanced).unwrap();
    postcard::to_stdvec(&(program, plan)).unwrap()
}

/// A recording with every kind of node, of a proof with three points, one scalar, one public value.
fn recording(accumulates: bool) -> Recording {
    let (slot, constant) = (0, Fr::from(5));
    let mut nodes = vec![
        Node::Instance { slot, index: 0 },
        Node::Evaluation { slot, index: 0 },
        Node::Coordinate { slot, index: 0, axis: Axis::X },
        Node::Constant(constant),
        Node::Sum { terms: vec![(Fr::from(2), 0), (-Fr::from(3), 1)], constant },
        Node::Product(2, 3),
        Node::Inverse(3),
        Node::Squeezed(0),
        Node::Squeezed(1),
    ];
    if accumulates {
        nodes.extend([false, true].map(|upper| Node::Half { slot, index: 3, axis: Axis::Y, upper }));
    }
    Recording {
        slots: vec![SlotLayout { instances: 1, points: 3, evaluations: 1, accumulates }],
        permutations: vec![Permutation { before: None, added: [0, 1] }, Permutation { before: Some(0), added: [4, 6] }],
        lhs: vec![(nodes.len() - 1, Base::Proof { slot, index: 0 }), (5, Base::Fixed(G1Affine::generator()))],
        rhs: vec![(0, Base::Proof { slot, index: 1 })],
        nodes,
    }
}

fn inputs() -> [(&'static str, String); 6] {
    let schema = base().schema.to_json().unwrap();
    let named = r#"{"features": {"x0": 0.1, "x1": -2e-1, "x2": 0.3, "x3": 0, "x4": 0.5}}"#;
    let rows = r#"{"input_data": [[0.1, 0.2, 0.3, 0.4, 0.1], [[0, 0], [0.25, 1e-2], 0.7]], "other": null}"#;
    [
        ("schema", schema),
        ("named", named.into()),
        ("rows", rows.into()),
        ("wide", r#"{"input_data": [[1, 2, NaN]]}"#.replace("NaN", "3.25")),
        ("threshold", "-0.125".into()),
        ("probability", "0.75".into()),
    ]
}

/// The first 2^power powers of a ceremony's file, in a file of their own.
fn ceremony(whole: &[u8], power: u32) -> Vec<u8> {
    let word = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().unwrap());
    let mut file = [b"ptau", &1u32.to_le_bytes()[..], &3u32.to_le_bytes()].concat();
    let mut at = 12;
    for _ in 0..word(8) {
        let (kind, size) = (word(at), u64::from_le_bytes(whole[at + 4..at + 12].try_into().unwrap()) as usize);
        let content = &whole[at + 12..at + 12 + size];
        let kept = match kind {
            1 => [&content[..36], &power.to_le_bytes(), &power.to_le_bytes()].concat(),
            2 => content[..64 * ((2 << power) - 1)].to_vec(),
            3 => content[..128 << power].to_vec(),
            _ => Vec::new(),
        };
        if !kept.is_empty() {
            file.extend([&kind.to_le_bytes()[..], &(kept.len() as u64).to_le_bytes(), &kept].concat());
        }
        at += 12 + size;
    }
    file
}

fn document(name: &str, folder: &Path) -> Vec<u8> {
    let (prover, path) = (base(), folder.join(name));
    let row = input::rows(&prover.schema, r#"{"input_data": [[0.1, 0.2, 0.3, 0.4, 0.1]]}"#).unwrap().remove(0);
    let account = AccountSource::Development(0).unlock(&Password::Ask, true).unwrap();
    match name {
        "proof" => {
            let least = prover.facts.statement.last().and_then(|v| v.lo.clone()).unwrap().parse().unwrap();
            prover.prove(&row, Binding::Context(U256::from(42)), None, Some(least)).unwrap().save(&path).unwrap();
        }
        "opening" => Opening::fresh(&prover.schema, &row).unwrap().save(&path).unwrap(),
        "attestation" => {
            let attestation = Attestation {
                subject: account.address(),
                inputCommitment: B256::repeat_byte(1),
                schemaId: prover.facts.schema_id,
                issuedAt: 1,
                expiresAt: 2,
            };
            let signed = SignedAttestation::sign(&account, 1, Address::ZERO, &attestation).unwrap();
            return serde_json::to_vec(&signed).unwrap();
        }
        "permit" => {
            let request = loan(folder);
            return serde_json::to_vec(&Permit::sign(&account, 1, &request).unwrap()).unwrap();
        }
        "journal" => {
            // A transaction of account 0 with nonce 0 on chain 1, as `submit --many` writes it down.
            let call = loan(folder).call();
            let transaction = TxEip1559 { chain_id: 1, to: call.to.into(), input: call.data.clone(), ..TxEip1559::default() };
            let signature = account.sign_digest("seed", &transaction.signature_hash()).unwrap();
            let raw = TxEnvelope::from(transaction.into_signed(signature)).encoded_2718();
            let mut journal = Journal::open(&path, 1, B256::ZERO, account.address()).unwrap();
            let signed = Signed::decode("seed", &raw, account.address(), 1).unwrap();
            let digest = keccak256([call.to.as_slice(), &call.data].concat());
            let (nonce, tx) = (signed.nonce(), signed.hash());
            journal.signed("loan", B256::repeat_byte(7), digest, &signed).unwrap();
            journal.ended(&Entry::Mined { digest, nonce, tx, block: 9, succeeded: true }).unwrap();
            journal.ended(&Entry::Dropped { digest, nonce }).unwrap();
        }
        "manifest" => {
            let entry = FileEntry { sha256: sha256(b""), bytes: 0 };
            let files = BTreeMap::from([(names::PROGRAM.to_owned(), entry)]);
            return serde_json::to_vec(&Manifest::new(prover.facts.clone(), None, files)).unwrap();
        }
        "aggregate" => {
            let slot =
                serde_json::json!({ "modelId": prover.facts.model_id, "publicInputs": [B256::ZERO, B256::with_last_byte(1)] });
            let (id, proof) = (B256::repeat_byte(3), Bytes::from(vec![0; 128]));
            let file = serde_json::json!({ "format": "zkml-evm/aggregate-proof", "version": 1, "aggregateId": id, "slots": [slot], "proof": proof });
            return serde_json::to_vec(&file).unwrap();
        }
        "aggregate_manifest" => {
            let facts = &prover.facts;
            let slot = SlotFacts { model_id: facts.model_id, model_commitment: None, statement: facts.statement.clone() };
            let facts = AggregateFacts {
                aggregate_id: B256::repeat_byte(3),
                slots: vec![slot],
                branches: vec![Branch::Model(facts.model_id)],
                widths: Widths::default(),
                rows: 9,
                srs: facts.srs.clone(),
                srs_digest: facts.srs_digest,
                proof_bytes: 128,
            };
            return serde_json::to_vec(&AggregateManifest::new(facts, None, BTreeMap::new())).unwrap();
        }
        "contract" => {
            let contract = Contract {
                contract_name: "InferenceVerifier".into(),
                solc: "0.8.37".into(),
                runtime_size: 1,
                bytecode: Code { object: vec![0x60, 0x00].into() },
                abi: serde_json::json!([]),
                input: serde_json::Value::Null,
            };
            return contract.to_json().unwrap().into_bytes();
        }
        _ => {
            let deployment = Deployment {
                name: "InferenceRouter".into(),
                address: Address::ZERO,
                codehash: Some(B256::ZERO),
                model_id: None,
                srs: None,
                tx: Some(B256::ZERO),
                block: Some(1),
                governance: None,
            };
            Registry::open(folder, 1).unwrap().put("InferenceRouter", deployment).unwrap();
            return fs::read(folder.join("1.json")).unwrap();
        }
    }
    fs::read(path).unwrap()
}

fn loan(folder: &Path) -> LoanRequest {
    let attestation = serde_json::from_slice(&document("attestation", folder)).unwrap();
    let (policy_id, tier, amount, nonce, expiry) = (B256::repeat_byte(2), 1, U256::from(3), U256::from(4), 5);
    let (lending, proof, permit) = (Address::repeat_byte(6), Bytes::new(), None);
    LoanRequest { lending, policy_id, tier, amount, attestation, nonce, expiry, proof, permit }
}
