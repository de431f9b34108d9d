//! One small model with keys and a proof, and the ways in which bytes of a fuzzer become edits of them.

use std::{path::Path, sync::OnceLock};
use tempfile::NamedTempFile;
use zkml_evm::{
    artifact::{Binding, Prover, Quantised, Recipe, Source, compile::WeightsChoice},
    op::InputMode,
    quant::input,
};

/// A model of one layer, private input, threshold.
pub fn base() -> &'static Prover {
    static BASE: OnceLock<Prover> = OnceLock::new();
    BASE.get_or_init(|| {
        let (source, quantised, recipe) = quantised(WeightsChoice::Fixed);
        Prover::generate(&source, &quantised, &recipe).expect("keys")
    })
}

/// The same model with private weights.
pub fn private() -> &'static Quantised {
    static PRIVATE: OnceLock<Quantised> = OnceLock::new();
    PRIVATE.get_or_init(|| quantised(WeightsChoice::Private).1)
}

fn quantised(weights: WeightsChoice) -> (Source, Quantised, Recipe) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The fuzzer's package lies one folder deeper than the tests'.
    let root = root.ancestors().find(|folder| folder.join("fuzz/targets").is_dir()).expect("the project's root");
    let [model, data] = ["test/fixtures/onnx/linear.onnx", "test/fixtures/cli/linear.json"].map(|file| root.join(file));
    let source = Source::read(&model, &data, None).expect("the fixture");
    let recipe = Recipe { input: InputMode::Private, weights, ..Recipe::default() };
    let quantised = Quantised::new(&source, &recipe, None).expect("a program");
    (source, quantised, recipe)
}

/// The content of the base's `pk.bin`.
pub fn key() -> &'static Vec<u8> {
    static KEY: OnceLock<Vec<u8>> = OnceLock::new();
    KEY.get_or_init(|| base().keys.to_bytes())
}

/// Public inputs, little-endian, and proof of one row.
pub fn proof() -> &'static (Vec<[u8; 32]>, Vec<u8>) {
    static PROOF: OnceLock<(Vec<[u8; 32]>, Vec<u8>)> = OnceLock::new();
    PROOF.get_or_init(|| {
        let prover = base();
        let row = input::rows(&prover.schema, r#"{"input_data": [[0.1, 0.2, 0.3, 0.4, 0.1]]}"#).expect("a row").remove(0);
        let binding = Binding::Context(alloy::primitives::U256::from(42));
        let least = prover.facts.statement.last().and_then(|v| v.lo.clone()).expect("a threshold has a range");
        let file = prover.prove(&row, binding, None, Some(least.parse().expect("an integer"))).expect("a proof");
        (file.instances().expect("canonical").iter().map(|v| v.to_bytes()).collect(), file.proof.to_vec())
    })
}

/// `whole` with edits: each is a place (3 bytes), a length (1 byte), and that many bytes to put there; length 0 cuts at the place.
pub fn edited(whole: &[u8], mut edits: &[u8]) -> Vec<u8> {
    let mut edited = whole.to_vec();
    while let Some(([a, b, c, length], rest)) = edits.split_first_chunk() {
        let at = u32::from_be_bytes([0, *a, *b, *c]) as usize % (edited.len() + 1);
        let (new, rest) = rest.split_at((*length as usize).min(rest.len()));
        match new.is_empty() {
            true => edited.truncate(at),
            false => new.iter().zip(&mut edited[at..]).for_each(|(new, old)| *old = *new),
        }
        edits = rest;
    }
    edited
}

/// A file for readers that want one.
pub fn temporary(bytes: &[u8]) -> NamedTempFile {
    let file = NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), bytes).expect("a temporary file");
    file
}
