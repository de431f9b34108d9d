//! The contract does not depend on the compiler: every version, pipeline and optimizer setting accepts and refuses the same.

use crate::{
    shapes::batch_stand,
    stand::{Deployed, Stand, compiler},
    support::Output,
};
use alloy::primitives::{Bytes, U256};
use std::path::{Path, PathBuf};
use zkml_evm::{
    op::InputMode,
    verifier::{Compiler, VerifierError, solc::Settings},
};

/// The npm packages of the compilers, oldest first, with the EVM version to compile for, and whether their via-IR pipeline takes the
/// contract: 0.8.20's runs out of stack without its optimizer, and with it moves more into memory than the contract leaves it.
const COMPILERS: [(&str, &str, bool); 3] =
    [("solc-0.8.20", "paris", false), ("solc-0.8.28", "cancun", true), ("solc", "cancun", true)];

/// A script that runs the project's wrapper with another package.
fn wrapper(package: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{package}-{}", std::process::id()));
    let solc = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/solc");
    std::fs::write(&path, format!("#!/bin/sh\nSOLC_PACKAGE={package} exec {} \"$@\"\n", solc.display())).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What the contract of these settings answers to a valid proof and to a list of wrong ones.
async fn answers(compiler: &Compiler, stand: &Stand, source: &str, settings: Settings) -> Vec<Option<Bytes>> {
    let deployed = Deployed::new(&compiler.compile_verifier_with(source, settings).unwrap()).await;
    answers_of(&deployed, stand, settings).await
}

async fn answers_of(deployed: &Deployed, stand: &Stand, settings: Settings) -> Vec<Option<Bytes>> {
    let words = stand.words();
    let mut all = Vec::new();
    for at in (0..stand.proof.len()).step_by(103) {
        let mut changed = stand.proof.clone();
        changed[at] ^= 1;
        all.push(deployed.verify(&words, &changed).await.err());
    }
    for at in 0..words.len() {
        let mut changed = words.clone();
        changed[at] = changed[at].wrapping_add(U256::from(1));
        all.push(deployed.verify(&changed, &stand.proof).await.err());
    }
    all.push(deployed.verify(&words[1..], &stand.proof).await.err());
    all.push(deployed.verify(&words, &stand.proof[..64]).await.err());
    assert!(all.iter().all(Option::is_some), "{settings:?} accepts a wrong proof");
    let valid = deployed.verify(&words, &stand.proof).await;
    all.push(valid.clone().err());
    assert!(valid.is_ok(), "{settings:?} refuses the valid proof: {valid:?}");
    all
}

#[tokio::test]
async fn via_ir_answers_as_the_legacy_pipeline_does() {
    for stand in [Stand::credit_sized(), Stand::stacked()] {
        let (compiler, source) = (compiler(), stand.source());
        let legacy = answers(&compiler, &stand, &source, Settings::VERIFIER).await;
        let via_ir = Settings { runs: Some(1), via_ir: true, ..Settings::VERIFIER };
        assert_eq!(answers(&compiler, &stand, &source, via_ir).await, legacy);
    }
}

#[tokio::test]
#[ignore = "minutes: make test-full"]
async fn every_compiler_and_setting_gives_the_same_answers() {
    every_setting_answers_alike(&Stand::credit_sized()).await;
    every_setting_answers_alike(&Stand::stacked()).await;
    // So many public inputs that they are one fraction, in loops of several a turn.
    every_setting_answers_alike(&batch_stand(&[3, 2, 1], InputMode::Committed, Output::Threshold, 7)).await;
}

async fn every_setting_answers_alike(stand: &Stand) {
    let source = stand.source();
    let expected = answers(&compiler(), stand, &source, Settings::VERIFIER).await;
    for (package, evm_version, takes_via_ir) in COMPILERS {
        let compiler = Compiler::find(Some(&wrapper(package)), Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        for via_ir in [false, true] {
            for runs in [None, Some(1), Some(1_000_000)] {
                let settings = Settings { runs, via_ir, evm_version };
                if via_ir && !takes_via_ir {
                    continue;
                }
                // For many runs via-IR writes the field's order out at each use: a large contract then exceeds EIP-170.
                if let Err(VerifierError::TooLarge { .. }) = compiler.compile_verifier_with(&source, settings) {
                    assert!(via_ir && runs == Some(1_000_000), "{package} {settings:?}");
                    continue;
                }
                assert_eq!(answers(&compiler, stand, &source, settings).await, expected, "{package} {settings:?}");
                let split = Deployed::split(&stand.split(&compiler, settings)).await;
                assert_eq!(answers_of(&split, stand, settings).await, expected, "{package} {settings:?}, two contracts");
            }
        }
    }
}
