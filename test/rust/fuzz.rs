//! The fuzz targets on their stored corpus: what once failed stays fixed, and the seeds are still what the parsers accept.
//!
//! `UPDATE_CORPUS=1` writes the seeds anew, after a change of format.

#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Once,
};

fn in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs every file of a folder; every seed has to be accepted.
fn corpus(folder: &str, seed: fn(&str) -> bool, run: fn(&[u8]) -> bool) {
    static SEEDS: Once = Once::new();
    SEEDS.call_once(|| {
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            seeds::write(&in_project("fuzz/corpus"));
        }
    });
    let mut seen = 0;
    for entry in fs::read_dir(in_project(folder)).unwrap() {
        let path = entry.unwrap().path();
        let (name, accepted) = (path.file_name().unwrap().to_string_lossy().into_owned(), run(&fs::read(&path).unwrap()));
        if seed(&name) {
            assert!(accepted, "{folder}/{name} is refused; after a change of format, write the seeds anew with UPDATE_CORPUS=1");
            seen += 1;
        }
    }
    assert!(seen > 0, "{folder} has no seeds");
}

fn is_seed(name: &str) -> bool {
    name.starts_with("seed_")
}

#[test]
fn onnx() {
    corpus("fuzz/corpus/onnx", is_seed, targets::onnx);
    // The fixtures, good and bad, are the fuzzer's seeds too.
    corpus("test/fixtures/onnx", |name| name == "linear.onnx", targets::onnx);
}

#[test]
fn inputs() {
    corpus("fuzz/corpus/inputs", is_seed, targets::inputs);
}

#[test]
fn program() {
    corpus("fuzz/corpus/program", is_seed, targets::program);
}

#[test]
fn key() {
    corpus("fuzz/corpus/key", is_seed, targets::key);
}

#[test]
fn recording() {
    corpus("fuzz/corpus/recording", is_seed, targets::recording);
}

#[test]
fn srs() {
    corpus("fuzz/corpus/srs", is_seed, targets::srs);
}

#[test]
fn ptau() {
    corpus("fuzz/corpus/ptau", is_seed, targets::ptau);
}

#[test]
fn proof() {
    corpus("fuzz/corpus/proof", is_seed, targets::proof);
}

#[test]
fn documents() {
    corpus("fuzz/corpus/documents", is_seed, targets::documents);
}
