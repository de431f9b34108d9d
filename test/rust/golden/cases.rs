//! The calls that the forge tests of the worked consumers make with real proofs.

use super::credit_support::loan::{DAY, NOW, account, salt};
use alloy::primitives::{Address, B256, U256, keccak256};
use halo2_proofs::halo2curves::bn256::Fr;
use zkml_evm::{
    artifact::Prover,
    chain::settle::{PolicyTerms, Tier, policy_id},
    circuit::Objective,
    op::InputMode,
    quant::{OutputChoice, ThresholdScale},
};

/// A consumer, its model, and what is proven to it.
pub struct Case {
    pub name: &'static str,
    /// Where the model lies.
    pub folder: &'static str,
    pub input: InputMode,
    pub output: OutputChoice,
    /// What the verifier is made for: one of them has its columns stacked.
    pub objective: Objective,
    /// The policy that the consumer at this address puts into its contexts.
    pub policy: fn(Address, &Prover) -> B256,
    /// The development account that the contexts name.
    pub subject: usize,
    pub calls: &'static [CaseCall],
}

/// One proof.
pub struct CaseCall {
    pub nonce: u64,
    pub expiry: u64,
    pub items: &'static [CaseItem],
}

/// One input of a proof.
pub struct CaseItem {
    /// The example's own `input.json` where there is none.
    pub input: Option<&'static str>,
    /// In the model's own unit.
    pub threshold: Option<&'static str>,
}

impl Case {
    pub fn items(&self) -> usize {
        self.calls[0].items.len()
    }

    pub fn subject(&self) -> Address {
        account(self.subject).address()
    }

    pub fn salt(&self) -> Option<Fr> {
        (self.input == InputMode::Committed).then(salt)
    }
}

const ALICE: usize = 2;
const RELAYER: usize = 5;
const HOUR: u64 = 3_600;

/// Threshold in points, limit and rate of the batch policy.
const TIERS: [(&str, u64, u32); 2] = [("40", 1_000_000_000, 1_000), ("80", 3_000_000_000, 500)];

const fn once(items: &'static [CaseItem]) -> [CaseCall; 1] {
    [CaseCall { nonce: 0, expiry: NOW + HOUR, items }]
}

const fn own(threshold: Option<&'static str>) -> CaseItem {
    CaseItem { input: None, threshold }
}

const UNTHRESHOLDED: [CaseItem; 1] = [own(None)];

pub const CASES: [Case; 7] = [
    Case {
        name: "age",
        folder: "examples/consumers/age",
        input: InputMode::Committed,
        output: OutputChoice::Threshold,
        objective: Objective::Balanced,
        policy: |_, _| keccak256("AgeGate.v1"),
        subject: ALICE,
        // 18 years; and one day more of the same document, with which the circuit breaker is shown.
        calls: &[
            CaseCall { nonce: 0, expiry: NOW + HOUR, items: &[own(Some("6575"))] },
            CaseCall { nonce: 0, expiry: NOW + HOUR, items: &[own(Some("6576"))] },
        ],
    },
    Case {
        name: "diagnosis",
        folder: "examples/consumers/diagnosis",
        input: InputMode::Committed,
        output: OutputChoice::Argmax,
        objective: Objective::Balanced,
        policy: |_, _| keccak256("PrivateDiagnosis.v1"),
        subject: ALICE,
        calls: &once(&UNTHRESHOLDED),
    },
    Case {
        name: "opponent",
        folder: "examples/consumers/opponent",
        input: InputMode::Public,
        output: OutputChoice::Argmax,
        objective: Objective::Balanced,
        policy: |_, _| U256::from(1).into(),
        subject: ALICE,
        // Two turns of one game: the player opens in a corner, then takes the opposite one.
        calls: &[
            CaseCall {
                nonce: 1,
                expiry: u64::MAX,
                items: &[CaseItem { input: Some(r#"{"input_data": [[1, 0, 0, 0, 0, 0, 0, 0, 0]]}"#), threshold: None }],
            },
            CaseCall { nonce: 3, expiry: u64::MAX, items: &UNTHRESHOLDED },
        ],
    },
    Case {
        name: "biometric",
        folder: "examples/consumers/biometric",
        input: InputMode::Committed,
        output: OutputChoice::Threshold,
        objective: Objective::Balanced,
        policy: |_, _| keccak256("BiometricAccess.v1"),
        subject: ALICE,
        calls: &once(&[own(Some("-0.02"))]),
    },
    Case {
        name: "provenance",
        folder: "examples/consumers/provenance",
        input: InputMode::Committed,
        output: OutputChoice::Reveal,
        objective: Objective::Gas,
        policy: |_, _| keccak256("ContentProvenance.v1"),
        subject: ALICE,
        calls: &once(&UNTHRESHOLDED),
    },
    // Of the project that `init` writes.
    Case {
        name: "membership",
        folder: "templates/consumer/model",
        input: InputMode::Committed,
        output: OutputChoice::Threshold,
        objective: Objective::Balanced,
        policy: |_, _| keccak256("Membership.v1"),
        subject: ALICE,
        calls: &once(&[own(Some("40"))]),
    },
    Case {
        name: "batch",
        folder: "templates/consumer/model",
        input: InputMode::Committed,
        output: OutputChoice::Threshold,
        objective: Objective::Balanced,
        policy: lending_policy,
        subject: RELAYER,
        calls: &once(&[
            own(Some("40")),
            CaseItem { input: Some(r#"{"input_data": [[250, 90, 60, 0]]}"#), threshold: Some("80") },
        ]),
    },
];

/// The policy of `LendingThreshold.realBatch.t.sol`.
fn lending_policy(consumer: Address, prover: &Prover) -> B256 {
    let scale = ThresholdScale::of(&prover.program).expect("a threshold");
    let tier = |(threshold, limit, rate): (&str, u64, u32)| {
        let threshold = scale.from_value(threshold).expect("a threshold that some input reaches");
        Tier { threshold, limit: U256::from(limit), rate }
    };
    let most = U256::from(10_000_000_000_u64);
    let terms = PolicyTerms {
        model_id: prover.facts.model_id,
        schema_id: prover.facts.schema_id,
        epoch_length: 90 * DAY,
        cap: most,
        borrower_limit: most,
        tiers: TIERS.map(tier).to_vec(),
    };
    policy_id(consumer, &terms)
}
