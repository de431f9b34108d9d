//! What is handed in: a proof, or a loan: a proof with the papers that open it, in one file, so that both come and stay together.

use super::ServiceError;
use crate::{
    artifact::{ArtifactError, ProofFile, aggregate::Part},
    chain::{
        attest::{Context, SignedAttestation},
        permit::Permit,
        settle::LoanRequest,
    },
};
use alloy::primitives::Bytes;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Marks a file with a proof and its papers.
const FORMAT: &str = "zkml-evm/loan";
const VERSION: u32 = 1;
/// Bytes of the papers' text: two signatures, of which a contract's own may take some thousand bytes, and small fields.
pub const PAPERS_TEXT: usize = 12_288;

/// A borrower's attestation, and permit for whoever sends the loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Papers {
    /// What is known of the input.
    pub attestation: SignedAttestation,
    /// What the borrower agrees to.
    pub permit: Permit,
}

/// `loan.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanFile {
    format: String,
    version: u32,
    proof: ProofFile,
    attestation: SignedAttestation,
    permit: Permit,
}

/// A proof, and its papers where it came with some.
#[derive(Clone, Debug)]
pub struct HandedIn {
    /// The proof.
    pub part: Part,
    /// What opens its loan.
    pub papers: Option<Papers>,
}

impl LoanFile {
    /// A proof with its papers, which belong together.
    ///
    /// # Errors
    /// [`ServiceError::Papers`].
    pub fn new(proof: ProofFile, attestation: SignedAttestation, permit: Permit) -> Result<Self, ServiceError> {
        let path = proof.path.clone();
        let file = Self { format: FORMAT.into(), version: VERSION, proof, attestation, permit };
        match file.problem() {
            Some(problem) => Err(ServiceError::Papers { path, problem }),
            None => Ok(file),
        }
    }

    /// What does not belong together, in words. What a contract checks besides is left to it: signatures, the policy, the time.
    fn problem(&self) -> Option<String> {
        let Self { proof, attestation, permit, .. } = self;
        let Some(context) = &proof.context else { return Some("the proof is bound to a bare context".into()) };
        let Context { chain_id, consumer, subject, policy_id, nonce, expiry, .. } = *context;
        let permitted = (permit.chain_id, permit.lending, permit.borrower, permit.policy_id, permit.nonce, permit.expiry);
        if (chain_id, consumer, subject, policy_id, nonce, expiry) != permitted {
            return Some("the permit is for another chain, pool, borrower, policy, nonce or expiry than the proof".into());
        }
        if proof.input_commitment() != Some(attestation.input_commitment) {
            return Some(format!("the proof is of another input than the attested one, {}", attestation.input_commitment));
        }
        permit.request(attestation.clone(), Bytes::new()).err().map(|what| format!("the permit: {what}"))
    }
}

impl HandedIn {
    /// Reads a file of any kind; `path` is for errors.
    ///
    /// # Errors
    /// As [`Part::parse`]; [`ServiceError::Papers`] for papers that are not the proof's.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ServiceError> {
        let value: Result<serde_json::Value, _> = serde_json::from_str(text);
        let Some(value) = value.ok().filter(|value| value["format"] == FORMAT) else {
            return Ok(Self { part: Part::parse(text, path)?, papers: None });
        };
        let malformed = |problem| ArtifactError::Malformed { path: path.into(), kind: "loan file", problem };
        match value["version"].as_u64() {
            Some(version) if version == u64::from(VERSION) => {}
            Some(got) => return Err(ArtifactError::Version { path: path.into(), expected: VERSION, got }.into()),
            None => return Err(malformed("it has no version".into()).into()),
        }
        let file: LoanFile = serde_json::from_value(value).map_err(|e| malformed(e.to_string()))?;
        let proof = serde_json::to_string(&file.proof).map_err(|e| malformed(e.to_string()))?;
        let file = LoanFile::new(ProofFile::parse(&proof, path)?, file.attestation, file.permit)?;
        let papers = Papers { attestation: file.attestation, permit: file.permit };
        Ok(Self { part: Part::Proof(file.proof), papers: Some(papers) })
    }
}

impl Papers {
    /// The loan that they open by an aggregate of its proof.
    ///
    /// # Errors
    /// What does not belong together, in words.
    pub fn request(&self) -> Result<LoanRequest, String> {
        self.permit.request(self.attestation.clone(), Bytes::new())
    }
}
