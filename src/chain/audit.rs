//! A deployment record against its chain: every statement that the record makes, and those that its contracts make of each other.

use super::aggregates::{self, Slot};
use super::bindings::{
    GuardedTimelock, IGuarded, IInferenceRouter, IInferenceRouter::State, IInferenceRouter::Statement, ILendingThreshold,
    IProofVerifier, IZkmlConsumer, Ownable2Step,
};
use super::error::ChainError;
use super::governance::{AccountKind, LEAST_DELAY};
use super::provider::Chain;
use super::registry::{Deployment, Governance, INSECURE_DEV, Registry, label};
use super::settle;
use alloy::primitives::{Address, B256, keccak256};
use serde::Serialize;
use std::collections::BTreeSet;

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The contract's label in the record.
    pub label: String,
    /// What was compared.
    pub what: &'static str,
    /// As it should be.
    pub expected: String,
    /// As it is.
    pub got: String,
    /// Whether the two agree.
    pub ok: bool,
}

/// What the owner of a router should have approved of a model or aggregate, from its artifact folder.
#[derive(Clone, Debug)]
pub struct Approved {
    /// The model, or the aggregate.
    pub id: B256,
    /// Its family.
    pub family_id: B256,
    /// What it says, or takes.
    pub content: Content,
}

/// What a router knows of a model besides its verifier, or of an aggregate.
#[derive(Clone, Debug)]
pub enum Content {
    /// The form of a model's statement.
    Statement(Statement),
    /// What an aggregate's slots take.
    Slots(Vec<Slot>),
}

/// The form of a statement in words.
pub fn form(statement: &Statement) -> String {
    format!("{:?} input, {:?} output, {} outputs", statement.input, statement.output, statement.outputs)
}

/// An aggregate's slots in words, those of one kind behind each other together.
fn listed(slots: &[Slot]) -> String {
    let run = |run: &[Slot]| format!("{} of {} ({} public inputs)", run.len(), run[0].model_id, run[0].size);
    slots.chunk_by(PartialEq::eq).map(run).collect::<Vec<_>>().join(", ")
}

/// Who should decide over the contracts, where that is known better than from the record: it says how they were deployed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected {
    /// The owner of router, registry and pool.
    pub owner: Option<Address>,
    /// Their guardian.
    pub guardian: Option<Address>,
}

/// Compares every entry of a record with the chain. `approved` is what is known of models and aggregates from elsewhere.
///
/// # Errors
/// Those of reading; what differs is a [`Finding`], no error.
pub async fn audit(
    chain: &Chain,
    registry: &Registry,
    expected: Expected,
    approved: &[Approved],
) -> Result<Vec<Finding>, ChainError> {
    let mut audit = Audit { chain, registry, expected, approved, findings: Vec::new() };
    for (label, deployment) in registry.contracts() {
        if !audit.code(label, deployment).await? {
            continue;
        }
        match audit.contract(label, deployment).await {
            // It is another contract than the record says.
            Err(error @ (ChainError::Reverted { .. } | ChainError::MalformedAnswer { .. })) => {
                audit.compare(label, "interface", "the contract's", error);
            }
            done => done?,
        }
    }
    Ok(audit.findings)
}

struct Audit<'a> {
    chain: &'a Chain,
    registry: &'a Registry,
    expected: Expected,
    approved: &'a [Approved],
    findings: Vec<Finding>,
}

impl Audit<'_> {
    fn compare(&mut self, label: &str, what: &'static str, expected: impl ToString, got: impl ToString) {
        let (expected, got) = (expected.to_string(), got.to_string());
        let ok = expected == got;
        self.findings.push(Finding { label: label.to_owned(), what, expected, got, ok });
    }

    /// Whether there is code at all, so that it can be asked.
    async fn code(&mut self, label: &str, deployment: &Deployment) -> Result<bool, ChainError> {
        let code = self.chain.code("reading the contract's code", deployment.address).await?;
        let got = if code.is_empty() { "no code".to_owned() } else { keccak256(&code).to_string() };
        let expected = deployment.codehash.map_or_else(|| "a transaction that is mined".to_owned(), |hash| hash.to_string());
        self.compare(label, "codehash", expected, got);
        Ok(!code.is_empty())
    }

    async fn contract(&mut self, label: &str, deployment: &Deployment) -> Result<(), ChainError> {
        match label {
            label::ROUTER => {
                self.owner(label, deployment).await?;
                self.activation_delay(label, deployment).await
            }
            label::ATTESTATIONS => self.owner(label, deployment).await,
            label::LENDING => {
                self.owner(label, deployment).await?;
                self.wiring(label, deployment.address).await
            }
            label::TIMELOCK => self.timelock(label, deployment).await,
            _ if deployment.model_id.is_some() => self.verifier(label, deployment).await,
            _ => Ok(()),
        }
    }

    /// Owner and guardian are those that somebody named, else those of the deployment.
    async fn owner(&mut self, label: &str, deployment: &Deployment) -> Result<(), ChainError> {
        let (at, recorded) = (deployment.address, deployment.governance);
        let got = self.chain.read("reading the owner", at, &Ownable2Step::ownerCall {}).await?;
        self.compare(label, "owner", self.expected.owner.or(recorded.map(|r| r.owner)).unwrap_or(got), got);
        let pending = self.chain.read("reading the pending owner", at, &Ownable2Step::pendingOwnerCall {}).await?;
        self.compare(label, "pending owner", Address::ZERO, pending);
        let guardian = self.chain.read("reading the guardian", at, &IGuarded::guardianCall {}).await?;
        let expected = self.expected.guardian.or(recorded.map(|r| r.guardian)).unwrap_or(guardian);
        self.guarded(label, got, expected, guardian).await
    }

    /// On a public chain no key decides alone, and somebody else can stop what is decided.
    async fn guarded(&mut self, label: &str, owner: Address, expected: Address, guardian: Address) -> Result<(), ChainError> {
        let public = !self.chain.is_local();
        let kind = AccountKind::at(self.chain, owner).await?;
        self.compare(label, "kind of owner", if public { AccountKind::Contract } else { kind }, kind);
        let missing = public && expected == guardian && (guardian.is_zero() || guardian == owner);
        let expected = if missing { "an account besides the owner".to_owned() } else { expected.to_string() };
        self.compare(label, "guardian", expected, guardian);
        Ok(())
    }

    /// The delay is the recorded one, and on a public chain nobody's approval counts at once.
    async fn activation_delay(&mut self, label: &str, deployment: &Deployment) -> Result<(), ChainError> {
        let call = IInferenceRouter::activationDelayCall {};
        let delay = self.chain.read("reading the activation delay", deployment.address, &call).await?;
        self.delay(label, "activation delay", deployment, delay.into());
        Ok(())
    }

    fn delay(&mut self, label: &str, what: &'static str, deployment: &Deployment, got: u64) {
        let recorded = deployment.governance.and_then(|recorded| recorded.delay);
        let least = u64::from(LEAST_DELAY);
        let expected = match recorded.unwrap_or(got) {
            delay if !self.chain.is_local() && delay < least => format!("{least} or more"),
            delay => delay.to_string(),
        };
        self.compare(label, what, expected, got);
    }

    /// A timelock: its delay; the decider schedules and executes and cannot cancel, the guardian cancels and cannot schedule; its own
    /// administrator is itself.
    async fn timelock(&mut self, label: &str, deployment: &Deployment) -> Result<(), ChainError> {
        let at = deployment.address;
        let delay = self.chain.read("reading the timelock's delay", at, &GuardedTimelock::getMinDelayCall {}).await?;
        self.delay(label, "delay", deployment, delay.saturating_to());
        let Some(Governance { owner, guardian, .. }) = deployment.governance else { return Ok(()) };
        let roles = [
            ("decider schedules", "PROPOSER_ROLE", owner, true),
            ("decider executes", "EXECUTOR_ROLE", owner, true),
            ("decider cancels", "CANCELLER_ROLE", owner, false),
            ("guardian cancels", "CANCELLER_ROLE", guardian, true),
            ("guardian schedules", "PROPOSER_ROLE", guardian, false),
        ];
        for (what, role, account, expected) in roles {
            let call = GuardedTimelock::hasRoleCall { role: keccak256(role), account };
            let got = self.chain.read("reading the timelock's roles", at, &call).await?;
            self.compare(label, what, expected, got);
        }
        for (what, account, expected) in [("its own administrator", at, true), ("decider administers", owner, false)] {
            let call = GuardedTimelock::hasRoleCall { role: B256::ZERO, account };
            let got = self.chain.read("reading the timelock's roles", at, &call).await?;
            self.compare(label, what, expected, got);
        }
        Ok(())
    }

    /// The pool asks the recorded router and registry, and lends the recorded token.
    async fn wiring(&mut self, label: &str, at: Address) -> Result<(), ChainError> {
        let what = "reading what the pool is built on";
        let router = self.chain.read(what, at, &IZkmlConsumer::routerCall {}).await?;
        let attestations = self.chain.read(what, at, &IZkmlConsumer::attestationsCall {}).await?;
        let token = self.chain.read(what, at, &ILendingThreshold::tokenCall {}).await?;
        let parts = [
            ("router", label::ROUTER, router),
            ("attestations", label::ATTESTATIONS, attestations),
            ("token", label::TOKEN, token),
        ];
        for (what, part, got) in parts {
            if let Some(expected) = self.registry.get(part).map(|known| known.address) {
                self.compare(label, what, expected, got);
            }
        }
        Ok(())
    }

    /// A production verifier, of an SRS that is fit for this chain, which the router knows by this very code and has not ended.
    async fn verifier(&mut self, label: &str, deployment: &Deployment) -> Result<(), ChainError> {
        let what = "reading the verifier's kind";
        let kind = self.chain.read(what, deployment.address, &IProofVerifier::verifierKindCall {}).await?;
        let aggregates = deployment.name == label::AGGREGATE_VERIFIER;
        let expected = if aggregates { "zkml-evm.aggregate.v1" } else { "zkml-evm.verifier.v1" };
        self.compare(label, "kind", keccak256(expected), kind);
        if !self.chain.is_local() {
            let srs = deployment.srs.as_deref().unwrap_or("unknown");
            let expected = if matches!(srs, INSECURE_DEV | "unknown") { "a ceremony's" } else { srs };
            self.compare(label, "SRS", expected, srs);
        }
        let router = self.registry.get(label::ROUTER).map(|known| known.address);
        let (Some(router), Some(model_id)) = (router, deployment.model_id) else { return Ok(()) };
        let model = settle::model(self.chain, router, model_id).await?;
        // Approved and not active yet is as it should be, too.
        let expected = if model.state == State::Scheduled { State::Scheduled } else { State::Active };
        self.compare(label, "state", format!("{expected:?}"), format!("{:?}", model.state));
        if model.state != State::Unset {
            self.compare(label, "registered verifier", deployment.address, model.verifier);
            let expected = deployment.codehash.unwrap_or_default();
            self.compare(label, "registered codehash", expected, model.codehash);
            let slots = if aggregates { self.slots(label, router, model_id).await? } else { Vec::new() };
            if let Some(approved) = self.approved.iter().find(|approved| approved.id == model_id) {
                self.compare(label, "registered family", approved.family_id, model.familyId);
                match &approved.content {
                    Content::Statement(statement) => {
                        self.compare(label, "registered form", form(statement), form(&model.statement))
                    }
                    Content::Slots(expected) => self.compare(label, "slots", listed(expected), listed(&slots)),
                }
            }
        }
        Ok(())
    }

    /// An aggregate's slots: those of a model that has ended take nothing.
    async fn slots(&mut self, label: &str, router: Address, aggregate_id: B256) -> Result<Vec<Slot>, ChainError> {
        let slots = aggregates::slots(self.chain, router, aggregate_id).await?;
        let models: BTreeSet<B256> = slots.iter().map(|slot| slot.model_id).collect();
        for model_id in models {
            let state = settle::model(self.chain, router, model_id).await?.state;
            let expected = if state == State::Scheduled { State::Scheduled } else { State::Active };
            self.compare(label, "state of a slot's model", format!("{expected:?}"), format!("{state:?}"));
        }
        Ok(slots)
    }
}
