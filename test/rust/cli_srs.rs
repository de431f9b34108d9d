//! `srs`: a ceremony's file that snarkjs makes here, converted once, kept, listed and used; and every part of it corrupted in turn.

mod cli_support;

use cli_support::{DATA, MODEL, Run, project, run_with};
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Files of one ceremony, and a home for the store.
struct Bench {
    folder: tempfile::TempDir,
    ptau: PathBuf,
    hash: String,
}

impl Bench {
    /// A ceremony of one contribution and its preparation, by snarkjs: the file has all sections that published ones have.
    fn new(power: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [begun, contributed, ptau] = ["begun.ptau", "contributed.ptau", "final.ptau"].map(|name| folder.path().join(name));
        snarkjs(&["new", "bn128", &power.to_string()], &[&begun]);
        snarkjs(&["contribute", "--name=test", "-e=a secret of this test"], &[&begun, &contributed]);
        snarkjs(&["prepare", "phase2"], &[&contributed, &ptau]);
        let hash = blake2b_simd::blake2b(&fs::read(&ptau).unwrap()).to_hex().to_string();
        Self { folder, ptau, hash }
    }

    /// Runs the binary with an empty home of its own.
    fn run(&self, arguments: &[&str]) -> Run {
        let home = self.folder.path().join("home");
        let environment = [("HOME", home.to_str().unwrap()), ("XDG_DATA_HOME", "")];
        run_with(&project(""), &environment, &[&["--json"], arguments].concat())
    }

    fn import(&self, file: &Path, more: &[&str]) -> Run {
        self.run(&[&["srs", "import", file.to_str().unwrap(), "--name", "test"], more].concat())
    }
}

fn snarkjs(arguments: &[&str], files: &[&Path]) {
    let mut command = Command::new("node");
    command.arg(project("node_modules/snarkjs/build/cli.cjs")).arg("powersoftau");
    // Options come last.
    let options = arguments.iter().position(|argument| argument.starts_with('-')).unwrap_or(arguments.len());
    let (verb, options) = arguments.split_at(options);
    let status = command.args(verb).args(files).args(options).stdout(Stdio::null()).status().expect("node");
    assert!(status.success(), "snarkjs {arguments:?}: run `npm ci`");
}

/// Kind and content of each section.
fn sections(bytes: &[u8]) -> Vec<(u32, Range<usize>)> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut at = 12;
    let next = |_| {
        let (kind, size) = (word(at), u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap()) as usize);
        let content = at + 12..at + 12 + size;
        at = content.end;
        (kind, content)
    };
    (0..word(8)).map(next).collect()
}

#[test]
fn a_ceremony_is_converted_once_and_kept() {
    // 2^9 rows are enough for the model.
    let bench = Bench::new(9);
    assert_eq!(bench.run(&["srs", "list"]).result().as_array().map(Vec::len), Some(0));
    let wanted = ["--k", "9", "--blake2b", &bench.hash];
    let made = bench.import(&bench.ptau, &wanted).result();
    let label = format!("ceremony test.9.{}", bench.hash);
    assert_eq!((made["srs"].as_str(), made["k"].as_u64()), (Some(label.as_str()), Some(9)));
    let file = PathBuf::from(made["file"].as_str().unwrap());
    let name = format!("test.9.{}-9", &bench.hash[..8]);
    assert_eq!(file, bench.folder.path().join("home/.local/share/zkml-evm/srs").join(format!("{name}.srs")));

    // The second time the file that is there is the answer; a damaged one is made again.
    let written = || fs::metadata(&file).unwrap().modified().unwrap();
    let before = written();
    assert_eq!(bench.import(&bench.ptau, &wanted).result(), made);
    assert_eq!(written(), before);
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[5_000] ^= 1;
    fs::write(&file, damaged).unwrap();
    let listed = bench.run(&["srs", "list"]).result();
    assert_eq!(listed[0]["error"]["code"], "proof/artifact");
    assert_eq!(bench.run(&["srs", "verify", &name]).refused(), (2, "proof/artifact".into()));
    assert_eq!(bench.import(&bench.ptau, &wanted).result(), made);
    assert_eq!(fs::read(&file).unwrap(), whole);

    // Another size beside it, both by name; and keys that carry the label.
    bench.import(&bench.ptau, &["--k", "5", "--blake2b", &bench.hash]).result();
    let listed = bench.run(&["srs", "list"]).result();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, [name.replace("-9", "-5"), name.clone()]);
    assert_eq!(listed[0]["srsDigest"], listed[1]["srsDigest"], "s·g2 does not depend on the size");
    assert_eq!(bench.run(&["srs", "verify", &name]).result()["srsDigest"], made["srsDigest"]);
    let out = bench.folder.path().join("artifacts");
    let place = out.to_str().unwrap();
    let generate = ["gen-verifier", MODEL, "--calibration", DATA, "--no-compile", "--out", place, "--srs"];
    let generated = bench.run(&[&generate[..], &[&name]].concat()).result();
    assert_eq!((&generated["manifest"]["srs"], &generated["manifest"]["srsDigest"]), (&made["srs"], &made["srsDigest"]));
    assert!(fs::read_to_string(out.join("InferenceVerifier.sol")).unwrap().contains(&label), "the contract's header says so");
    let missing = bench.run(&[&generate[..], &["no-such-name"]].concat());
    assert_eq!(missing.refused(), (4, "proof/io".into()));
}

/// With the published hash no byte of any section is free. Without it what is read is bound by its own checks, and what is not read
/// changes nothing.
#[test]
fn every_section_corrupted_in_turn() {
    let bench = Bench::new(5);
    let honest = fs::read(&bench.ptau).unwrap();
    let file = bench.folder.path().join("corrupted.ptau");
    let out = bench.folder.path().join("out.srs");
    let import = |path: &Path, hash: &[&str]| bench.import(path, &[&["--k", "4", "--out", out.to_str().unwrap()], hash].concat());
    let published = ["--blake2b", bench.hash.as_str()];
    let digest = import(&bench.ptau, &published).result()["srsDigest"].clone();
    fs::remove_file(&out).unwrap();

    let sections = sections(&honest);
    let kinds: Vec<u32> = sections.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15], "the sections of a prepared file");
    for (kind, content) in &sections {
        // A byte of what is read in each of the first three: the curve, power 3, and s·g2.
        let at = content.start
            + match kind {
                1 => 9,
                2 => 3 * 64 + 5,
                3 => 128 + 70,
                _ => content.len() / 2,
            };
        let mut corrupted = honest.clone();
        corrupted[at] ^= 4;
        fs::write(&file, &corrupted).unwrap();
        assert_eq!(import(&file, &published).refused(), (2, "proof/ptau".into()), "section {kind}");
        let unhashed = import(&file, &[]);
        if (1..=3).contains(kind) {
            let (code, error) = unhashed.refused();
            assert!(code == 2 && ["proof/ptau", "proof/srs-inconsistent"].contains(&error.as_str()), "section {kind}: {error}");
            assert!(!out.exists());
        } else {
            assert_eq!(unhashed.result()["srsDigest"], digest, "section {kind} is not needed");
            fs::remove_file(&out).unwrap();
        }
        // Its size, and the file cut in it.
        let mut resized = honest.clone();
        resized[content.start - 8] ^= 1;
        fs::write(&file, &resized).unwrap();
        assert_eq!(import(&file, &[]).refused(), (2, "proof/ptau".into()), "size of section {kind}");
        fs::write(&file, &honest[..content.start + content.len() / 2]).unwrap();
        assert_eq!(import(&file, &[]).refused(), (2, "proof/ptau".into()), "cut in section {kind}");
    }
}
