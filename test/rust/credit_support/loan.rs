//! One loan, fixed to the last byte except for the proof's blinding: who borrows, from which contract, when, on which terms.
//!
//! Everything that a proof's context binds is known before anything is deployed: the contracts get their addresses from the
//! first creations of an account that does nothing else.

use super::Credit;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use halo2_proofs::halo2curves::{bn256::Fr, ff::PrimeField};
use serde::{Deserialize, Serialize};
use zkml_evm::{
    chain::{
        Account, AccountSource, Password,
        attest::{Context, SignedAttestation},
        bindings::IInputAttestation::Attestation,
        settle::{PolicyTerms, Tier, policy_id},
    },
    circuit::Witness,
    quant::ThresholdScale,
};

pub const CHAIN_ID: u64 = 31_337;
/// 2027-01-15: the time at which forge's tests run.
pub const NOW: u64 = 1_800_000_000;
pub const DAY: u64 = 86_400;

/// What a forge test needs to open the loan, with the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Loan {
    pub chain_id: u64,
    /// Its first creation is `attestations`, its second `consumer`.
    pub deployer: Address,
    pub attestations: Address,
    pub consumer: Address,
    pub attestor: Address,
    pub subject: Address,
    pub policy_id: B256,
    pub terms: Terms,
    pub nonce: u64,
    /// Unix seconds.
    pub issued_at: u64,
    pub expires_at: u64,
    pub expiry: u64,
    pub input_commitment: B256,
    pub signature: Bytes,
}

/// The policy's terms, of one tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    pub threshold: i64,
    pub limit: u64,
    pub rate: u32,
    pub epoch_length: u64,
    pub cap: u64,
    pub borrower_limit: u64,
}

/// A development account.
pub fn account(index: usize) -> Account {
    AccountSource::Development(index).unlock(&Password::Ask, true).expect("a development account")
}

fn field(value: U256) -> Fr {
    Option::from(Fr::from_repr(value.to_le_bytes())).expect("below r")
}

/// The account whose first creation is the attestation registry, and whose second is the consumer.
pub fn deployer() -> Address {
    Address::from_word(keccak256("zkml-evm golden deployer"))
}

/// The salt that golden commitments use: anything below r that everybody can recompute.
pub fn salt() -> Fr {
    field(U256::from_be_bytes(keccak256("zkml-evm golden salt").0) >> 8)
}

impl Loan {
    /// The loan to Alice, and the witness that she proves it with.
    pub fn to_alice(credit: &Credit, model_id: B256) -> (Self, Witness) {
        let program = credit.program();
        let schema_id = B256::from(program.schema_id);
        let threshold = ThresholdScale::of(program).and_then(|scale| scale.from_probability("0.75")).expect("a threshold");
        let deployer = deployer();
        let (attestor, subject) = (account(1), account(2).address());
        let mut loan = Self {
            chain_id: CHAIN_ID,
            deployer,
            attestations: deployer.create(0),
            consumer: deployer.create(1),
            attestor: attestor.address(),
            subject,
            policy_id: B256::ZERO,
            terms: Terms {
                threshold: i64::try_from(threshold).expect("a small threshold"),
                limit: 5_000_000_000,
                rate: 800,
                epoch_length: 90 * DAY,
                cap: 1_000_000_000_000,
                borrower_limit: 10_000_000_000,
            },
            nonce: 0,
            issued_at: NOW,
            expires_at: NOW + 30 * DAY,
            expiry: NOW + 3_600,
            input_commitment: B256::ZERO,
            signature: Bytes::new(),
        };
        loan.policy_id = loan.policy_id(model_id, schema_id);
        let context = loan.context(model_id).instance();
        let witness = Witness::new(program, &credit.applicant("alice"), field(context), Some(salt()), Some(threshold))
            .expect("Alice passes");
        let commitment = witness.statement.input_commitments[0];
        loan.input_commitment = U256::from_le_bytes(commitment.to_repr()).into();
        let attestation = loan.attestation(schema_id);
        let signed = SignedAttestation::sign(&attestor, CHAIN_ID, loan.attestations, &attestation).expect("a signature");
        loan.signature = signed.signature;
        (loan, witness)
    }

    /// `LendingThreshold.addPolicy`'s id of these terms.
    fn policy_id(&self, model_id: B256, schema_id: B256) -> B256 {
        let terms = &self.terms;
        let tier = Tier { threshold: terms.threshold.into(), limit: U256::from(terms.limit), rate: terms.rate };
        let terms = PolicyTerms {
            cap: U256::from(terms.cap),
            borrower_limit: U256::from(terms.borrower_limit),
            ..PolicyTerms::of_one_tier(model_id, schema_id, terms.epoch_length, tier)
        };
        policy_id(self.consumer, &terms)
    }

    fn context(&self, model_id: B256) -> Context {
        Context {
            chain_id: self.chain_id,
            consumer: self.consumer,
            subject: self.subject,
            model_id,
            policy_id: self.policy_id,
            nonce: U256::from(self.nonce),
            expiry: self.expiry,
        }
    }

    fn attestation(&self, schema_id: B256) -> Attestation {
        Attestation {
            subject: self.subject,
            inputCommitment: self.input_commitment,
            schemaId: schema_id,
            issuedAt: self.issued_at,
            expiresAt: self.expires_at,
        }
    }
}
