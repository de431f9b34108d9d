//! What each fuzz target does with its bytes. `fuzz_targets/` hands them to libFuzzer, `test/rust/fuzz.rs` runs the stored corpus.
//!
//! A target answers whether the bytes were accepted; refusing is as good. It fails by a panic, a hang, or too much memory.
#![allow(dead_code)] // Each binary uses its own target.

pub mod base;

use alloy::primitives::B256;
use base::{base, edited, temporary};
use halo2_proofs::halo2curves::bn256::Fr;
use std::path::Path;
use zkml_evm::{
    aggregate::{InnerProof, Recording, SlotLayout, evaluate},
    artifact::{
        Contract, Manifest, Opening, ProofFile, WeightsFile,
        aggregate::{AggregateFile, AggregateManifest},
    },
    chain::{AccountSource, Password, Registry, attest::SignedAttestation, journal::Journal, permit::Permit},
    circuit::{Objective, Plan, Witness, lay_out, plan, plan::is_candidate, statement},
    model,
    op::{InputMode, Op},
    outer::{Values, Widths, place},
    proof::{Keys, Srs, ptau::Ceremony, verify},
    quant::{Checked, Decimal, Feature, Options, OutputChoice, Precision, Program, Schema, calibrate, derive, input, range, run},
};

/// The smallest outer circuit.
const WIDTHS: Widths = Widths { k: 14, stack: 2 };
/// Larger circuits and models are legal and slow: a fuzzer learns nothing of them that small ones do not tell.
const MAX_K: u32 = 12;
const MAX_FEATURES: usize = 128;

/// libFuzzer aborts in a panic's hook; the importer catches panics of tract. A panic that nobody catches still ends the process.
pub fn keep_panics() {
    drop(std::panic::take_hook());
}

/// An ONNX file: imported, quantised for each kind of output, planned.
pub fn onnx(bytes: &[u8]) -> bool {
    let Ok(graph) = model::from_bytes(bytes) else { return false };
    let count = graph.input.len();
    if count > MAX_FEATURES {
        return true;
    }
    let schema = schema(count);
    for output in [OutputChoice::Reveal, OutputChoice::Threshold, OutputChoice::Argmax] {
        let options = Options { input: InputMode::Private, output, precision: Precision::default() };
        let Ok(calibrated) = calibrate(&graph, &schema, &options) else { continue };
        range::check(&calibrated.program).expect("the quantiser's program has intervals");
        run(&calibrated.program, &vec![7; count]).expect("the quantiser's program runs");
        let _ = plan(&calibrated.program, Objective::Balanced);
    }
    true
}

/// A schema of so many features.
pub fn schema(count: usize) -> Schema {
    let feature = |i| Feature { name: format!("x{i}"), unit: String::new(), decimals: 0, min: -100, max: 255 };
    Schema::new("fuzz".into(), (0..count).map(feature).collect()).expect("a plain schema")
}

/// Texts of users: schemas, inputs with and without one, numbers.
pub fn inputs(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let schema = Schema::from_json(text);
    if let Ok(schema) = &schema {
        let again = Schema::from_json(&schema.to_json().expect("a schema has a text")).expect("its own text is a schema");
        assert_eq!(again.id(), schema.id());
    }
    let rows = input::rows(&base().schema, text);
    if let Ok(rows) = &rows {
        rows.iter().for_each(|row| drop(run(&base().program, row).expect("an admitted row runs")));
    }
    let numbers = input::numbers(text);
    if let Ok(numbers) = &numbers {
        let _ = derive("fuzz", numbers, None);
    }
    let scale = base().threshold_scale().expect("the base has a threshold");
    let threshold = scale.from_value(text).is_ok() | scale.from_probability(text).is_ok() | Decimal::parse(text).is_some();
    schema.is_ok() || rows.is_ok() || numbers.is_ok() || threshold
}

/// The content of `program.bin`, with all that opening a folder does to it, then layout and interpreter.
pub fn program(bytes: &[u8]) -> bool {
    let Ok((program, plan)) = postcard::from_bytes::<(Program, Plan)>(bytes) else { return false };
    let Ok(checked) = Checked::of(&program) else { return false };
    if !is_candidate(&checked, &plan).unwrap_or(false) {
        return false;
    }
    let Ok(ranges) = program.input().map(|input| input.ranges.clone()) else { return false };
    let _ = statement::layout(&program);
    if plan.shape.k > MAX_K {
        return true;
    }
    // What the planner accepts is laid out: it may not change its mind.
    lay_out(&program, plan.shape, None).expect("a candidate has a layout");
    let row: Vec<i128> = ranges.iter().map(|range| range.lo + (range.hi - range.lo) / 2).collect();
    let committed = program.input().is_ok_and(|input| input.mode == InputMode::Committed);
    let threshold = program.nodes.iter().any(|node| matches!(node.op, Op::Threshold(_)));
    let witness = Witness::new(&program, &row, Fr::one(), committed.then(Fr::one), threshold.then_some(0));
    if let Ok(witness) = witness {
        lay_out(&program, plan.shape, Some(&witness)).expect("a witness fits its own program");
    }
    true
}

/// Edits of a proving key's content.
pub fn key(edits: &[u8]) -> bool {
    let key = base::key();
    let (shape, edited) = (base().keys.shape, edited(key, edits));
    match Keys::parse(shape, &edited) {
        Ok(keys) => {
            assert!(keys.to_bytes() == edited, "a key that is read is written alike");
            true
        }
        Err(_) => false,
    }
}

/// The content of `recording.bin`: what is well-formed is evaluated for proofs of the right lengths and laid out.
pub fn recording(bytes: &[u8]) -> bool {
    let Ok((all, alone)) = postcard::from_bytes::<(Recording, Vec<(B256, Recording)>)>(bytes) else { return false };
    let recordings: Vec<&Recording> = alone.iter().map(|(_, recording)| recording).chain([&all]).collect();
    if !recordings.iter().all(|recording| recording.is_well_formed()) {
        return false;
    }
    for recording in recordings {
        let small = |slot: &SlotLayout| slot.instances.max(slot.points).max(slot.evaluations) <= 16;
        if recording.slots.len() > 3 || !recording.slots.iter().all(small) {
            continue;
        }
        let made: Vec<(Vec<Fr>, Vec<u8>)> =
            recording.slots.iter().map(|slot| (vec![Fr::one(); slot.instances], proof_of(slot))).collect();
        let proofs: Vec<InnerProof<'_>> = made.iter().map(|(instances, proof)| InnerProof { instances, proof }).collect();
        let Ok(evaluation) = evaluate(recording, &proofs) else { continue };
        let values = Values { nodes: &evaluation.nodes, points: &evaluation.points };
        let _ = place(recording, WIDTHS, &values);
    }
    true
}

/// A proof whose points are all the generator, (1, 2), and whose scalars are all 1.
fn proof_of(slot: &SlotLayout) -> Vec<u8> {
    let word = |value| [vec![0; 31], vec![value]].concat();
    let point = [word(1), word(2)].concat();
    [point.repeat(slot.all_points() - 2), word(1).repeat(slot.evaluations), point.repeat(2)].concat()
}

/// The content of `srs.bin`.
pub fn srs(bytes: &[u8]) -> bool {
    match Srs::parse(bytes) {
        Ok(srs) if srs.k() <= 4 => srs.check().is_ok(),
        parsed => parsed.is_ok(),
    }
}

/// A ceremony's file.
pub fn ptau(bytes: &[u8]) -> bool {
    let file = temporary(bytes);
    (1..=3).any(|k| Ceremony { path: file.path(), name: "fuzz", blake2b: None }.read(k, &|_| ()).is_ok())
}

/// Edits of public inputs and proof: any that changes them must be refused.
pub fn proof(edits: &[u8]) -> bool {
    let (instances, proof) = base::proof();
    let edited = edited(&[instances.concat(), proof.clone()].concat(), edits);
    let Some((words, bytes)) = edited.split_at_checked(32 * instances.len()) else { return false };
    let words: Vec<[u8; 32]> = words.chunks_exact(32).map(|word| word.try_into().expect("32 bytes")).collect();
    let Some(scalars) = words.iter().map(|word| Option::from(Fr::from_bytes(word))).collect::<Option<Vec<Fr>>>() else {
        return false;
    };
    let accepted = verify(&base().keys, &base().srs, &scalars, bytes).is_ok();
    assert_eq!(accepted, words == *instances && bytes == proof, "only the proof itself is accepted");
    accepted
}

/// JSON files that go between people: manifest (under its right checksum), proof, opening, attestation, contract, deployments, private weights, permit, journal, an
/// aggregate's manifest and proof.
pub fn documents(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let path = Path::new("fuzz");
    let resealed = serde_json::from_str(text).ok().map(|m: Manifest| Manifest::new(m.facts, m.contract, m.files));
    let manifest = resealed.is_some_and(|m| {
        let text = serde_json::to_string(&m).expect("a manifest has a text");
        Manifest::parse(&text, path).is_ok()
    });
    let file = temporary(bytes);
    let proof = match ProofFile::load(file.path()) {
        Ok(proof) => {
            let _ = base().verify(&proof);
            true
        }
        Err(_) => false,
    };
    let opening = Opening::load(file.path(), &base().schema).is_ok();
    let attestation = serde_json::from_str::<SignedAttestation>(text).is_ok_and(|a| {
        let _ = a.attestation();
        true
    });
    let contract = Contract::parse(text, path).is_ok();
    let private = base::private();
    let commitment = private.weights.as_ref().map(|w| w.model_commitment).expect("private weights");
    let weights = WeightsFile::load(file.path(), &private.program, commitment).is_ok();
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("1.json"), bytes).expect("a temporary file");
    let deployments = Registry::view(folder.path(), 1).is_ok();
    let permit = Permit::parse(text, path).is_ok();
    let account = AccountSource::Development(0).unlock(&Password::Ask, true).expect("a development account");
    let journal = folder.path().join("journal");
    std::fs::write(&journal, bytes).expect("a temporary file");
    let journal = Journal::open(&journal, 1, Default::default(), account.address()).is_ok();
    let resealed =
        serde_json::from_str(text).ok().map(|m: AggregateManifest| AggregateManifest::new(m.facts, m.contract, m.files));
    let aggregates = resealed.is_some_and(|m| {
        let text = serde_json::to_string(&m).expect("a manifest has a text");
        AggregateManifest::parse(&text, path).is_ok()
    });
    let aggregate = AggregateFile::load(file.path()).is_ok_and(|file| {
        let _ = file.integers();
        true
    });
    manifest
        || aggregates
        || aggregate
        || proof
        || opening
        || attestation
        || contract
        || deployments
        || weights
        || permit
        || journal
}
