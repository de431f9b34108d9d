//! Permits: a borrower's consent to one request, by which anybody may send it and nobody can redirect it.

use super::attest::SignedAttestation;
use super::error::ChainError;
use super::settle::LoanRequest;
use super::signer::Account;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::{Eip712Domain, SolStruct, eip712_domain};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

const FORMAT: &str = "zkml-evm/permit";
const VERSION: u32 = 1;

mod typed {
    alloy::sol! {
        /// What the borrower signs, as `LendingThreshold.permitDigest` has it.
        struct BorrowPermit {
            address borrower;
            bytes32 policyId;
            uint8 tier;
            uint256 amount;
            bytes32 attestation;
            uint256 nonce;
            uint64 expiry;
        }
    }
}

/// A permit, as it is handed to whoever sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Permit {
    format: String,
    version: u32,
    pub chain_id: u64,
    /// The pool.
    pub lending: Address,
    pub borrower: Address,
    pub policy_id: B256,
    pub tier: u8,
    pub amount: U256,
    /// EIP-712 struct hash of the attestation.
    pub attestation: B256,
    /// The borrower's nonce in the pool.
    pub nonce: U256,
    /// Unix seconds.
    pub expiry: u64,
    /// 65 bytes of an account, or what the borrower's ERC-1271 contract accepts.
    pub signature: Bytes,
}

/// The EIP-712 domain of a `LendingThreshold` contract.
pub fn domain(chain_id: u64, lending: Address) -> Eip712Domain {
    eip712_domain! {
        name: "zkml-evm LendingThreshold",
        version: "1",
        chain_id: chain_id,
        verifying_contract: lending,
    }
}

/// The digest that a request's borrower signs.
pub fn digest(chain_id: u64, request: &LoanRequest) -> B256 {
    let permit = typed::BorrowPermit {
        borrower: request.attestation.subject,
        policyId: request.policy_id,
        tier: request.tier,
        amount: request.amount,
        attestation: request.attestation.struct_hash(),
        nonce: request.nonce,
        expiry: request.expiry,
    };
    permit.eip712_signing_hash(&domain(chain_id, request.lending))
}

impl Permit {
    /// A permit with a signature made elsewhere.
    pub fn new(chain_id: u64, request: &LoanRequest, signature: Bytes) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            chain_id,
            lending: request.lending,
            borrower: request.attestation.subject,
            policy_id: request.policy_id,
            tier: request.tier,
            amount: request.amount,
            attestation: request.attestation.struct_hash(),
            nonce: request.nonce,
            expiry: request.expiry,
            signature,
        }
    }

    /// Signs a request, as its borrower.
    pub fn sign(borrower: &Account, chain_id: u64, request: &LoanRequest) -> Result<Self, ChainError> {
        let signature = borrower.sign_digest("signing the permit", &digest(chain_id, request))?;
        Ok(Self::new(chain_id, request, Bytes::copy_from_slice(&signature.as_bytes())))
    }

    /// Reads a permit.
    ///
    /// # Errors
    /// [`ChainError::PermitForeign`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ChainError> {
        let foreign = |reason: String| ChainError::PermitForeign { path: path.to_owned(), reason };
        let json: Value = serde_json::from_str(text).map_err(|e| foreign(format!("it is not JSON: {e}")))?;
        let mark = (json.get("format").and_then(Value::as_str), json.get("version").and_then(Value::as_u64));
        if mark != (Some(FORMAT), Some(u64::from(VERSION))) {
            return Err(foreign(format!("its format and version are {mark:?}, expected {FORMAT:?} and {VERSION}")));
        }
        serde_json::from_value(json).map_err(|e| foreign(e.to_string()))
    }

    /// The request that it permits, with its evidence.
    ///
    /// # Errors
    /// What it is not a permit for, in words: the attestation of another statement.
    pub fn request(&self, attestation: SignedAttestation, proof: Bytes) -> Result<LoanRequest, String> {
        let (expected, got) = (attestation.struct_hash(), self.attestation);
        if (self.borrower, got) != (attestation.subject, expected) {
            let subject = attestation.subject;
            return Err(format!("it is {}'s over attestation {got}, expected {subject}'s over {expected}", self.borrower));
        }
        Ok(LoanRequest {
            lending: self.lending,
            policy_id: self.policy_id,
            tier: self.tier,
            amount: self.amount,
            attestation,
            nonce: self.nonce,
            expiry: self.expiry,
            proof,
            permit: Some(self.signature.clone()),
        })
    }
}
