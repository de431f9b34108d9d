use super::*;
use crate::error::Explain;
use std::path::PathBuf;

/// Made by snarkjs: see the README beside it.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("test/fixtures/ptau/power9.ptau")
}

fn import(path: &Path, k: u32) -> Result<Srs, ProofError> {
    Ceremony { path, name: "fixture", blake2b: None }.read(k, &|_| ())
}

/// Imports changed bytes; the code of the refusal.
fn code(bytes: &[u8]) -> &'static str {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let error = import(file.path(), 3).map(|_| ()).unwrap_err();
    assert!(!error.hint().is_empty() && error.to_string().contains(&file.path().display().to_string()), "{error}");
    error.code()
}

/// Where the content of a section starts, and its size.
fn section(bytes: &[u8], kind: u32) -> (usize, usize) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let all = sections(&mut File::open(file.path()).unwrap()).unwrap();
    let (_, at, size) = all.into_iter().find(|(found, ..)| *found == kind).unwrap();
    (at as usize, size as usize)
}

#[test]
fn a_file_of_snarkjs_is_an_srs_of_any_smaller_size() {
    let digests: Vec<_> = (1..=9)
        .map(|k| {
            let srs = import(&fixture(), k).unwrap();
            assert_eq!(srs.k(), k);
            let file = tempfile::NamedTempFile::new().unwrap();
            srs.save(file.path()).unwrap();
            let read = Srs::load(file.path()).unwrap();
            read.check().unwrap();
            assert!(!read.provenance.is_insecure() && read.provenance.to_string().starts_with("ceremony fixture."));
            read.digest()
        })
        .collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "s·g2 does not depend on the size");
    assert_ne!(digests[0], Srs::development(1).digest());
    let error = import(&fixture(), 10).unwrap_err();
    assert!(error.to_string().contains("2^9"), "{error}");
}

#[test]
fn the_published_hash_is_compared() {
    let readme = std::fs::read_to_string(fixture().with_file_name("README.md")).unwrap();
    let published = readme.lines().last().unwrap().trim();
    let read = |blake2b: &str| Ceremony { path: &fixture(), name: "fixture", blake2b: Some(blake2b) }.read(3, &|_| ());
    assert_eq!(read(published).unwrap().provenance.to_string(), format!("ceremony fixture.9.{published}"));
    read(&published.to_uppercase()).unwrap();
    assert_eq!(read(&published[1..]).unwrap_err().code(), "proof/ptau");
    for name in ["", "a b", "a\ncontract Evil {}", &"x".repeat(100)] {
        let ceremony = Ceremony { path: &fixture(), name, blake2b: None };
        assert_eq!(ceremony.read(3, &|_| ()).unwrap_err().code(), "proof/ptau", "{name:?}");
    }
}

#[test]
fn every_section_that_is_read_is_bound() {
    let honest = std::fs::read(fixture()).unwrap();
    let flipped = |at: usize| {
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        code(&bytes)
    };
    for at in 0..4 + 4 + 4 + 12 {
        assert_eq!(flipped(at), "proof/ptau", "head at {at}");
    }
    let (header, _) = section(&honest, 1);
    for at in header..header + 40 {
        assert_eq!(flipped(at), "proof/ptau", "section 1 at {at}");
    }
    // The eight powers that are asked for: no bit of any is free.
    let (powers, _) = section(&honest, 2);
    for at in (powers..powers + 8 * 64).step_by(7) {
        assert!(["proof/ptau", "proof/srs-inconsistent"].contains(&flipped(at)), "section 2 at {at}");
    }
    let (of_g2, _) = section(&honest, 3);
    for at in (of_g2 + 128..of_g2 + 256).step_by(5) {
        assert!(["proof/ptau", "proof/srs-inconsistent"].contains(&flipped(at)), "section 3 at {at}");
    }
    // Points that are right, and another power's.
    let mut swapped = honest.clone();
    swapped.copy_within(powers + 3 * 64..powers + 4 * 64, powers + 4 * 64);
    assert_eq!(code(&swapped), "proof/srs-inconsistent");
    let mut swapped = honest.clone();
    swapped.copy_within(of_g2 + 256..of_g2 + 384, of_g2 + 128);
    assert_eq!(code(&swapped), "proof/srs-inconsistent");
}

#[test]
fn truncated_extended_and_foreign_files_are_refused() {
    let honest = std::fs::read(fixture()).unwrap();
    for length in [0, 3, 11, 12, 20, 67, 80, 1_000, honest.len() / 2, honest.len() - 1] {
        assert_eq!(code(&honest[..length]), "proof/ptau", "cut to {length}");
    }
    assert_eq!(code(&[&honest[..], &[0]].concat()), "proof/ptau");
    assert_eq!(code(&[0xff; 500]), "proof/ptau");
    // A section whose size is chosen to overflow, and more sections than there are.
    let mut huge = honest.clone();
    huge[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(code(&huge), "proof/ptau");
    let mut many = honest.clone();
    many[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(code(&many), "proof/ptau");
    assert_eq!(import(Path::new("no/such.ptau"), 3).unwrap_err().code(), "proof/io");
    assert_eq!(import(&std::env::temp_dir(), 3).unwrap_err().code(), "proof/ptau");
}

/// The development secret in a ceremony's clothes: the points are consistent, the digest gives it away.
#[test]
fn the_development_srs_as_a_ceremony_is_refused() {
    use halo2_proofs::poly::commitment::ParamsProver;
    let mut bytes = std::fs::read(fixture()).unwrap();
    let params = Srs::development(4).params;
    let (powers, _) = section(&bytes, 2);
    for (i, point) in params.get_g().iter().enumerate() {
        bytes[powers + 64 * i..powers + 64 * (i + 1)].copy_from_slice(&point.to_raw_bytes());
    }
    let (of_g2, _) = section(&bytes, 3);
    bytes[of_g2 + 128..of_g2 + 256].copy_from_slice(&params.s_g2().to_raw_bytes());
    assert_eq!(code(&bytes), "proof/srs-relabelled");
}

/// The stored verifier of the credit example was made with the development SRS.
#[test]
fn a_verifiers_code_shows_the_s_g2_of_its_srs() {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("test/fixtures/credit_proof.json");
    let stored: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(stored).unwrap()).unwrap();
    let code = alloy::hex::decode(stored["creationCode"].as_str().unwrap()).unwrap();
    assert!(Srs::development(3).is_in(&code));
    assert!(!import(&fixture(), 3).unwrap().is_in(&code));
    assert!(!Srs::development(3).is_in(&[]) && !Srs::development(3).is_in(&code[..500]));
}
