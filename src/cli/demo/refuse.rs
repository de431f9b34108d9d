//! Step 6: four attempts that must fail, each by its error's name.

use super::{
    Places, lend,
    lend::Applicant,
    stage::{BOB, MALLORY, Stage},
};
use crate::{
    artifact::{Package, ProofFile},
    chain::{ChainError, settle},
    cli::{
        failure::{CliError, Failure},
        output::Console,
    },
};
use serde::Serialize;

/// A refused attempt.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Refusal {
    pub attempt: &'static str,
    pub error: String,
    pub message: String,
}

/// Makes every attempt.
pub(super) async fn all(
    stage: &Stage,
    package: &Package,
    places: &Places,
    alice: &Applicant,
    proof: &ProofFile,
    console: &Console,
) -> Result<Vec<Refusal>, Failure> {
    let bob = lend::attest(stage, package, places, "bob", BOB).await?;
    let below =
        refused_by_us("bob, below the threshold, proves", lend::prove(stage, package, &bob).await, "circuit/below-threshold")?;

    let request = lend::request(stage, alice, proof).ok_or(CliError::Crashed("the proof has no context".into()))?;
    let stolen = settle::open_loan(&stage.chain, &stage.account(MALLORY)?, &request).await;
    let stolen = refused_on_chain("mallory sends alice's calldata", stolen, "SubjectMismatch")?;
    let again = settle::open_loan(&stage.chain, &stage.account(alice.index)?, &request).await;
    let again = refused_on_chain("alice sends it again", again, "NullifierSpent")?;

    let mut tampered = proof.clone();
    tampered.proof = flipped(proof);
    let native = package.prover.verify(&tampered).map_err(Failure::from);
    let native = refused_by_us("a tampered proof, natively", native, "proof/invalid")?;
    let router = stage.addresses.router;
    let (inputs, bytes) = (tampered.integers(), &tampered.proof);
    let on_chain = settle::verify_inference(&stage.chain, router, tampered.model_id, &inputs, bytes).await;
    let on_chain = refused_on_chain("a tampered proof, on chain", on_chain, "PairingFailed")?;

    let all = vec![below, stolen, again, native, on_chain];
    for refusal in &all {
        console.note(format!("   {:<34} {}: {}", refusal.attempt, refusal.error, refusal.message));
    }
    Ok(all)
}

/// The proof with one bit of its last evaluation changed: the two points of 64 bytes behind it are still on the curve.
fn flipped(proof: &ProofFile) -> alloy::primitives::Bytes {
    let mut bytes = proof.proof.to_vec();
    if let Some(last) = bytes.iter_mut().rev().nth(128) {
        *last ^= 1;
    }
    bytes.into()
}

fn refused_by_us<T>(attempt: &'static str, got: Result<T, Failure>, code: &str) -> Result<Refusal, Failure> {
    match got {
        Err(error) if error.code() == code => Ok(Refusal { attempt, error: code.to_owned(), message: error.to_string() }),
        Err(error) => Err(CliError::NotRefused { what: attempt, got: error.to_string() }.into()),
        Ok(_) => Err(CliError::NotRefused { what: attempt, got: "it succeeded".into() }.into()),
    }
}

fn refused_on_chain<T>(attempt: &'static str, got: Result<T, ChainError>, name: &str) -> Result<Refusal, Failure> {
    match got {
        Err(error) => match error.revert().map(|revert| revert.root()) {
            Some(root) if root.name == name => Ok(Refusal { attempt, error: name.to_owned(), message: root.to_string() }),
            _ => Err(CliError::NotRefused { what: attempt, got: error.to_string() }.into()),
        },
        Ok(_) => Err(CliError::NotRefused { what: attempt, got: "it succeeded".into() }.into()),
    }
}
