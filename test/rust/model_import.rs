//! Every ONNX fixture imports with onnxruntime's answer, or is refused with the kind and the names that it deserves.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zkml_evm::error::{ExitCode, Explain};
use zkml_evm::model::{self, GraphOp, MAX_FILE_BYTES, ModelError};

#[derive(Deserialize)]
struct Catalogue {
    tolerance: f64,
    fixtures: Vec<Fixture>,
}

#[derive(Deserialize)]
struct Fixture {
    file: String,
    expect: String,
    input: Option<Tensor>,
    output: Option<Tensor>,
    #[serde(default)]
    says: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    data: Vec<f32>,
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn catalogue() -> Catalogue {
    let text = std::fs::read_to_string(folder("test/fixtures/onnx/fixtures.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn good_fixtures_import_and_answer_as_onnxruntime() {
    let Catalogue { tolerance, fixtures } = catalogue();
    let good: Vec<_> = fixtures.iter().filter(|f| f.expect == "ok").collect();
    assert!(good.len() >= 15);
    for fixture in good {
        let graph =
            model::load(&folder("test/fixtures/onnx").join(&fixture.file)).unwrap_or_else(|e| panic!("{}: {e}", fixture.file));
        let (input, output) = (fixture.input.as_ref().unwrap(), fixture.output.as_ref().unwrap());
        assert_eq!((&graph.input.name, &graph.input.shape), (&input.name, &input.shape), "{}", fixture.file);
        assert_eq!((&graph.output.name, &graph.output.shape), (&output.name, &output.shape), "{}", fixture.file);
        for (got, want) in graph.run(&input.data).unwrap().iter().zip(&output.data) {
            assert!(f64::from((got - want).abs()) <= tolerance, "{}: {got} for {want}", fixture.file);
        }
    }
}

#[test]
fn bad_fixtures_are_refused_by_kind_and_name() {
    let fixtures: Vec<_> = catalogue().fixtures.into_iter().filter(|f| f.expect != "ok").collect();
    assert!(fixtures.len() >= 34);
    for fixture in fixtures {
        let error = model::load(&folder("test/fixtures/onnx").join(&fixture.file)).expect_err(&fixture.file);
        assert_eq!(error.code(), format!("model/{}", fixture.expect), "{}: {error}", fixture.file);
        for (what, word) in &fixture.says {
            assert!(error.to_string().contains(word.as_str()), "{}: {what} `{word}` is not in: {error}", fixture.file);
        }
        assert!(!error.hint().is_empty() && !error.retryable());
        let unsupported = matches!(
            fixture.expect.as_str(),
            "unsupported-operator" | "dynamic-shape" | "inputs-or-outputs" | "element-type" | "external-data"
        );
        let exit = if unsupported { ExitCode::UnsupportedModel } else { ExitCode::Usage };
        assert_eq!(error.exit_code(), exit, "{}", fixture.file);
    }
}

#[test]
fn the_credit_model_is_three_layers_and_a_sigmoid() {
    let graph = model::load(&folder("examples/credit/credit_mlp.onnx")).unwrap();
    let ops: Vec<String> = graph
        .nodes
        .iter()
        .map(|n| match &n.op {
            GraphOp::Linear(l) => format!("{} {}->{}", n.name, l.inputs, l.outputs),
            _ => n.name.clone(),
        })
        .collect();
    assert_eq!(ops, ["applicant", "dense1 12->32", "relu1", "dense2 32->16", "relu2", "dense3 16->1", "sigmoid"]);
    assert_eq!(graph.parameters(), 12 * 32 + 32 + 32 * 16 + 16 + 16 + 1);
}

/// Scales before and behind a layer become part of it where nothing else reads what lies between.
#[test]
fn scales_are_taken_over_by_layers() {
    for (file, names) in [
        ("standardise", vec!["x", "fc"]),
        ("scaled_layer", vec!["x", "fc+times+from_one"]),
        ("pixels", vec!["x", "first", "act", "factors+shift", "second"]),
        ("batch_norm", vec!["x", "fc+second"]),
    ] {
        let graph = model::load(&folder(&format!("test/fixtures/onnx/{file}.onnx"))).unwrap();
        let made: Vec<&str> = graph.nodes.iter().map(|n| n.name.as_str()).collect();
        assert_eq!(made, names, "{file}");
    }
}

#[test]
fn every_prefix_of_a_model_ends_in_an_answer() {
    let whole = std::fs::read(folder("test/fixtures/onnx/gemm_trans_b.onnx")).unwrap();
    for length in 0..whole.len() {
        // A prefix that cuts only trailing metadata may be a whole model; anything else must be a typed error.
        if let Ok(graph) = model::from_bytes(&whole[..length]) {
            assert_eq!(graph.nodes.len(), model::from_bytes(&whole).unwrap().nodes.len());
        }
    }
}

#[test]
fn every_flipped_byte_ends_in_an_answer() {
    let whole = std::fs::read(folder("test/fixtures/onnx/reshape.onnx")).unwrap();
    for index in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[index] ^= mask;
            // Flipped weights still make a model; what matters is that nothing panics, hangs or disagrees.
            if let Err(error) = model::from_bytes(&bytes) {
                assert!(!matches!(error, ModelError::Disagreement { .. }), "byte {index} ^ {mask:#x}: {error}");
            }
        }
    }
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MAX_FILE_BYTES + 1).unwrap();
    let error = model::load(file.path()).unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("model/too-large", ExitCode::Usage));
}

#[test]
fn a_missing_file_and_a_folder_are_read_errors() {
    for path in [folder("test/fixtures/onnx/no_such_file.onnx"), folder("test/fixtures")] {
        assert_eq!(model::load(&path).unwrap_err().code(), "model/read");
    }
}

#[test]
fn the_digest_is_the_files_own() {
    use sha2::{Digest, Sha256};
    let bytes = std::fs::read(folder("examples/credit/credit_mlp.onnx")).unwrap();
    let expected: [u8; 32] = Sha256::digest(&bytes).into();
    assert_eq!(model::from_bytes(&bytes).unwrap().sha256, expected);
}
