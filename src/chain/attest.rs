//! Attestations: what an attestor signs about a borrower's input, and the context that binds a proof to one call.

use super::bindings::IInputAttestation::Attestation;
use super::error::ChainError;
use super::signer::Account;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue, eip712_domain};
use serde::{Deserialize, Serialize};

/// Everything that a proof's context binds; the consumer contract computes the same from its own state and the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    pub chain_id: u64,
    /// The contract that acts on the result.
    pub consumer: Address,
    /// The account that will send the transaction.
    pub subject: Address,
    pub model_id: B256,
    pub policy_id: B256,
    /// The subject's nonce in the consumer.
    pub nonce: U256,
    /// Unix seconds after which the proof is worth nothing.
    pub expiry: u64,
}

impl Context {
    /// The instance: keccak256 of the ABI encoding behind a version tag, shifted right by 8 bits, so below 2^248 < r.
    pub fn instance(&self) -> U256 {
        let tag = keccak256("zkml-evm.context.v1");
        let fields =
            (tag, U256::from(self.chain_id), self.consumer, self.subject, self.model_id, self.policy_id, self.nonce, self.expiry);
        U256::from_be_bytes(keccak256(fields.abi_encode_params()).0) >> 8
    }
}

/// An attestation with its signature, as it is handed to a borrower.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedAttestation {
    pub chain_id: u64,
    /// The `InputAttestation` contract that it is for.
    pub verifying_contract: Address,
    pub attestor: Address,
    pub subject: Address,
    pub input_commitment: B256,
    pub schema_id: B256,
    /// Unix seconds from which, and until which, it holds.
    pub issued_at: u64,
    pub expires_at: u64,
    /// 65 bytes: r, s, v.
    pub signature: Bytes,
}

/// The EIP-712 domain of an `InputAttestation` contract.
pub fn domain(chain_id: u64, contract: Address) -> Eip712Domain {
    eip712_domain! {
        name: "zkml-evm InputAttestation",
        version: "1",
        chain_id: chain_id,
        verifying_contract: contract,
    }
}

impl SignedAttestation {
    /// Signs an attestation for one contract on one chain.
    pub fn sign(attestor: &Account, chain_id: u64, contract: Address, attestation: &Attestation) -> Result<Self, ChainError> {
        let digest = attestation.eip712_signing_hash(&domain(chain_id, contract));
        let signature = attestor.sign_digest("signing the attestation", &digest)?;
        Ok(Self {
            chain_id,
            verifying_contract: contract,
            attestor: attestor.address(),
            subject: attestation.subject,
            input_commitment: attestation.inputCommitment,
            schema_id: attestation.schemaId,
            issued_at: attestation.issuedAt,
            expires_at: attestation.expiresAt,
            signature: Bytes::copy_from_slice(&signature.as_bytes()),
        })
    }

    /// What names the statement on chain, whoever signed it: its EIP-712 struct hash.
    pub fn struct_hash(&self) -> B256 {
        self.attestation().eip712_hash_struct()
    }

    /// The part that is signed, in the contract's own type.
    pub fn attestation(&self) -> Attestation {
        Attestation {
            subject: self.subject,
            inputCommitment: self.input_commitment,
            schemaId: self.schema_id,
            issuedAt: self.issued_at,
            expiresAt: self.expires_at,
        }
    }
}
