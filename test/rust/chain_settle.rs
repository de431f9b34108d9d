//! The whole settlement, from deployed contracts to an open loan, with a stand-in only for the proof system's mathematics.

mod chain_support;

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider;
use alloy::sol_types::{SolCall, SolStruct};
use chain_support::{compiled, dev, router_item, tiny_verifier};
use std::collections::BTreeMap;
use std::path::Path;
use zkml_evm::chain::action::Shown;
use zkml_evm::chain::aggregates::{self, Slot};
use zkml_evm::chain::attest::{Context, SignedAttestation, domain};
use zkml_evm::chain::attestors::{self, Standing};
use zkml_evm::chain::batch::{Batch, BatchProof, ItemResult};
use zkml_evm::chain::bindings::IAggregateRouter::AggregateRegistration;
use zkml_evm::chain::bindings::IInferenceRouter::{InputMode, OutputMode, Registration, State, Statement};
use zkml_evm::chain::bindings::IInputAttestation::{self, Attestation};
use zkml_evm::chain::bindings::{ILendingThreshold, Ownable2Step};
use zkml_evm::chain::deploy::{self, DeployItem};
use zkml_evm::chain::permit::{self, Permit};
use zkml_evm::chain::settle::{self, LoanRequest, PolicyTerms, Tier};
use zkml_evm::chain::{Account, Action, Call, Chain, ChainError, ChainTarget, Patience, Registry, Revert};

on_both!(
    a_loan_is_opened_and_misuse_refused,
    registration_rules,
    a_mined_failure_says_why,
    setting_up_twice_sends_nothing_twice,
    an_attestor_that_was_ended_stays_so,
    a_permit_is_for_one_request,
    a_batch_says_what_became_of_each,
    an_aggregate_opens_loans,
    a_contradiction_stops_a_model,
    operators_act_once
);

const THRESHOLD: i128 = -42_000;

struct Stage {
    verifier: Address,
    codehash: B256,
    router: Address,
    attestations: Address,
    token: Address,
    lending: Address,
    model: B256,
    schema: B256,
}

fn owner() -> Account {
    dev(0)
}

fn attestor() -> Account {
    dev(1)
}

fn borrower() -> Account {
    dev(2)
}

async fn stage(chain: &Chain) -> Stage {
    let admin = owner().address();
    let attestation = compiled("InputAttestation", "InputAttestation");
    let token = compiled("MockERC20", "MockERC20");
    let lending = compiled("LendingThreshold", "LendingThreshold");
    let mut items = vec![
        tiny_verifier(),
        router_item(admin),
        DeployItem::new("InputAttestation", attestation.with_args(&(admin, admin)), attestation.runtime_size),
        DeployItem::new(
            "MockERC20",
            token.with_args(&("Test dollar".to_owned(), "TUSD".to_owned(), U256::from(6))),
            token.runtime_size,
        ),
    ];
    let [router, registry, token] = [items[1].address(), items[2].address(), items[3].address()];
    items.push(DeployItem::new(
        "LendingThreshold",
        lending.with_args(&(admin, admin, token, router, registry)),
        lending.runtime_size,
    ));
    let done = deploy::execute(chain, &owner(), &items, &mut Registry::in_memory(chain.id()), false, |_, _| {}).await.unwrap();
    Stage {
        verifier: done[0].address,
        codehash: done[0].codehash.unwrap(),
        router,
        attestations: registry,
        token,
        lending: done[4].address,
        model: keccak256("model"),
        schema: keccak256("schema"),
    }
}

async fn open_for_business(chain: &Chain, stage: &Stage) -> B256 {
    let registered =
        settle::register_model(chain, &owner(), stage.router, stage.model, &registration(stage, stage.codehash)).await.unwrap();
    assert!(registered.is_some());
    let by = attestor().address();
    assert!(attestors::list_attestor(chain, &owner(), stage.attestations, by, stage.schema, false).await.unwrap().is_some());
    assert!(attestors::list_attestor(chain, &owner(), stage.attestations, by, stage.schema, false).await.unwrap().is_none());
    settle::mint(chain, &owner(), stage.token, owner().address(), U256::from(1_000)).await.unwrap();
    assert_eq!(settle::fund(chain, &owner(), stage.lending, U256::from(1_000)).await.unwrap().0, U256::from(1_000));
    let terms = terms(stage, 250);
    let (policy_id, _) = settle::add_policy(chain, &owner(), stage.lending, &terms).await.unwrap();
    let kept = settle::policy(chain, stage.lending, policy_id).await.unwrap();
    assert_eq!((kept.terms, kept.active), (terms.encoded(), true));
    policy_id
}

async fn sign(chain: &Chain, stage: &Stage, by: &Account, subject: Address) -> SignedAttestation {
    let now = chain.timestamp().await.unwrap();
    let attestation = Attestation {
        subject,
        inputCommitment: B256::with_last_byte(9),
        schemaId: stage.schema,
        issuedAt: now,
        expiresAt: now + 3_600,
    };
    SignedAttestation::sign(by, chain.id(), stage.attestations, &attestation).unwrap()
}

/// The stand-in verifier takes the context as the proof, so what it accepts is bound exactly as a real proof is.
async fn request(chain: &Chain, stage: &Stage, policy_id: B256, subject: Address) -> LoanRequest {
    let attestation = sign(chain, stage, &attestor(), subject).await;
    let expiry = chain.timestamp().await.unwrap() + 600;
    let context = settle::next_context(chain, stage.lending, subject, policy_id, stage.model, expiry).await.unwrap();
    let proof = Bytes::from(context.instance().to_be_bytes::<32>());
    let (tier, amount) = (0, U256::from(250));
    let (lending, nonce) = (stage.lending, context.nonce);
    LoanRequest { lending, policy_id, tier, amount, attestation, nonce, expiry, proof, permit: None }
}

fn refusal(error: &ChainError) -> String {
    error.revert().unwrap_or_else(|| panic!("{error}")).root().name.clone()
}

async fn a_loan_is_opened_and_misuse_refused(chain: Chain) {
    let stage = stage(&chain).await;
    let policy_id = open_for_business(&chain, &stage).await;
    let honest = request(&chain, &stage, policy_id, borrower().address()).await;
    settle::check_attestation(&chain, &honest.attestation).await.unwrap();

    // Before the loan: everything that must not open it.
    let thief = dev(3);
    let error = settle::open_loan(&chain, &thief, &honest).await.unwrap_err();
    assert_eq!(refusal(&error), "SubjectMismatch");
    assert_eq!(error.revert().unwrap().args[0].1, borrower().address().to_string());
    let tampered = LoanRequest { proof: Bytes::from(vec![1; 32]), ..honest.clone() };
    assert_eq!(refusal(&settle::open_loan(&chain, &borrower(), &tampered).await.unwrap_err()), "PairingFailed");
    let later = LoanRequest { expiry: honest.expiry + 1, ..honest.clone() };
    assert_eq!(refusal(&settle::open_loan(&chain, &borrower(), &later).await.unwrap_err()), "PairingFailed");
    let forged = LoanRequest { attestation: sign(&chain, &stage, &thief, borrower().address()).await, ..honest.clone() };
    assert_eq!(refusal(&settle::open_loan(&chain, &borrower(), &forged).await.unwrap_err()), "AttestorNotAllowed");
    let mut altered = honest.clone();
    altered.attestation.input_commitment = B256::with_last_byte(10);
    assert_eq!(refusal(&settle::open_loan(&chain, &borrower(), &altered).await.unwrap_err()), "InvalidSignature");

    let simulated = settle::simulate_loan(&chain, borrower().address(), &honest).await.unwrap();
    let loan = settle::open_loan(&chain, &borrower(), &honest).await.unwrap();
    assert_eq!((loan.borrower, loan.amount), (borrower().address(), U256::from(250)));
    assert!(loan.mined.gas_used <= simulated.gas_limit);
    assert_eq!(settle::balance(&chain, stage.token, borrower().address()).await.unwrap(), U256::from(250));

    // Paid back once, whoever pays, and there is nothing to pay afterwards.
    settle::mint(&chain, &owner(), stage.token, thief.address(), U256::from(300)).await.unwrap();
    let repaid = settle::repay(&chain, &thief, stage.lending, loan.id).await.unwrap().unwrap();
    assert_eq!((repaid.principal, repaid.left), (U256::from(250), U256::ZERO));
    assert_eq!(settle::repay(&chain, &thief, stage.lending, loan.id).await.unwrap(), None);
    let unknown = settle::repay(&chain, &thief, stage.lending, U256::from(7)).await.unwrap_err();
    assert_eq!(refusal(&unknown), "LoanUnknown");

    // After it: the same again.
    assert_eq!(refusal(&settle::open_loan(&chain, &borrower(), &honest).await.unwrap_err()), "NullifierSpent");
    let again = request(&chain, &stage, policy_id, borrower().address()).await;
    assert_eq!(refusal(&settle::open_loan(&chain, &borrower(), &again).await.unwrap_err()), "NullifierSpent");
    Action::Freeze { router: stage.router, model_id: stage.model }.run(&chain, &owner()).await.unwrap().unwrap();
    let other = request(&chain, &stage, policy_id, dev(4).address()).await;
    assert_eq!(refusal(&settle::open_loan(&chain, &dev(4), &other).await.unwrap_err()), "ModelNotActive");
}

async fn registration_rules(chain: Chain) {
    let stage = stage(&chain).await;
    let register = |owner: Account, codehash: B256| {
        let (chain, stage) = (&chain, &stage);
        async move { settle::register_model(chain, &owner, stage.router, stage.model, &registration(stage, codehash)).await }
    };
    assert_eq!(refusal(&register(dev(3), stage.codehash).await.unwrap_err()), "OwnableUnauthorizedAccount");
    assert_eq!(refusal(&register(owner(), B256::ZERO).await.unwrap_err()), "CodehashMismatch");
    assert!(register(owner(), stage.codehash).await.unwrap().is_some());
    assert!(register(owner(), stage.codehash).await.unwrap().is_none(), "already so is done");
    assert_eq!(settle::model(&chain, stage.router, stage.model).await.unwrap().state, State::Active);

    // A mock is never registered.
    let mock = compiled("MockProofVerifier", "MockProofVerifier");
    let item = DeployItem::new("MockProofVerifier", mock.creation.clone(), mock.runtime_size);
    let done = deploy::execute(&chain, &owner(), &[item], &mut Registry::in_memory(chain.id()), false, |_, _| {}).await.unwrap();
    let mock = Registration { verifier: done[0].address, ..registration(&stage, done[0].codehash.unwrap()) };
    let error = settle::register_model(&chain, &owner(), stage.router, keccak256("other"), &mock).await;
    assert_eq!(refusal(&error.unwrap_err()), "VerifierKindMismatch");

    // The router verifies by itself, too.
    let instances = [U256::from(5), U256::from(6)];
    let proof = Bytes::from(U256::from(5).to_be_bytes::<32>());
    settle::verify_inference(&chain, stage.router, stage.model, &instances, &proof).await.unwrap();
    let error =
        settle::verify_inference(&chain, stage.router, stage.model, &[U256::from(4), U256::ZERO], &proof).await.unwrap_err();
    assert_eq!(refusal(&error), "PairingFailed");
    let until = chain.timestamp().await.unwrap();
    let deprecate = Action::Deprecate { router: stage.router, model_id: stage.model, until };
    assert!(deprecate.run(&chain, &owner()).await.unwrap().is_some());
    assert!(deprecate.run(&chain, &owner()).await.unwrap().is_none());
    let error = settle::verify_inference(&chain, stage.router, stage.model, &instances, &proof).await.unwrap_err();
    assert_eq!(refusal(&error), "ModelDeprecatedSince");
}

async fn sent(chain: &Chain, by: &Account) -> u64 {
    chain.provider().get_transaction_count(by.address()).await.unwrap()
}

fn terms(stage: &Stage, amount: u64) -> PolicyTerms {
    let tier = Tier { threshold: THRESHOLD, limit: U256::from(amount), rate: 500 };
    PolicyTerms::of_one_tier(stage.model, stage.schema, 86_400, tier)
}

fn registration(stage: &Stage, codehash: B256) -> Registration {
    let statement = Statement { input: InputMode::Committed, output: OutputMode::Threshold, outputs: 1 };
    Registration { familyId: keccak256("family"), verifier: stage.verifier, codehash, statement }
}

async fn setting_up_twice_sends_nothing_twice(chain: Chain) {
    let stage = stage(&chain).await;
    let policy_id = open_for_business(&chain, &stage).await;
    let before = sent(&chain, &owner()).await;
    let again = settle::add_policy(&chain, &owner(), stage.lending, &terms(&stage, 250)).await.unwrap();
    assert_eq!(again, (policy_id, None), "the same terms are the same policy");
    assert_eq!(settle::fill(&chain, &owner(), stage.lending, None, U256::from(1_000), true).await.unwrap(), None);
    assert_eq!(sent(&chain, &owner()).await, before);

    // Interrupted after the approval: what is minted and approved is not minted and approved again.
    let approve = zkml_evm::chain::bindings::IERC20::approveCall { spender: stage.lending, value: U256::from(500) };
    chain.send(&owner(), &Call::new("approving", stage.token, &approve)).await.unwrap();
    settle::mint(&chain, &owner(), stage.token, owner().address(), U256::from(500)).await.unwrap();
    let before = sent(&chain, &owner()).await;
    let (other, own) = (Some(Address::repeat_byte(9)), Some(stage.token));
    let error = settle::fill(&chain, &owner(), stage.lending, other, U256::from(1_500), true).await.unwrap_err();
    assert!(matches!(error, ChainError::OtherToken { got, .. } if got == stage.token), "{error}");
    assert_eq!(sent(&chain, &owner()).await, before, "nothing is approved or paid");
    let filled = settle::fill(&chain, &owner(), stage.lending, own, U256::from(1_500), true).await.unwrap();
    assert_eq!((filled, sent(&chain, &owner()).await), (Some(U256::from(500)), before + 1));

    // Terms that were retired stay retired: the contract says so.
    Action::RetirePolicy { lending: stage.lending, policy_id }.run(&chain, &owner()).await.unwrap().unwrap();
    let error = settle::add_policy(&chain, &owner(), stage.lending, &terms(&stage, 250)).await.unwrap_err();
    assert_eq!(refusal(&error), "PolicyExists");
}

/// Listing is for who is new: whoever was removed or retired was so for a reason, and a source is no signer.
async fn an_attestor_that_was_ended_stays_so(chain: Chain) {
    let stage = stage(&chain).await;
    let (by, schema) = (attestor().address(), stage.schema);
    let lister = owner();
    let list = |relist| attestors::list_attestor(&chain, &lister, stage.attestations, by, schema, relist);
    let standing = || attestors::standing(&chain, stage.attestations, by, schema);
    assert_eq!(standing().await.unwrap(), Standing::New);
    list(false).await.unwrap().unwrap();
    let retire = IInputAttestation::retireAttestorCall { attestor: by, schemaId: schema, acceptedUntil: u64::MAX };
    let retire = Call::new("retiring", stage.attestations, &retire);
    let remove = IInputAttestation::removeAttestorCall { attestor: by, schemaId: schema };
    let remove = Call::new("removing", stage.attestations, &remove);
    for (end, ended) in [(retire, Standing::Retired), (remove, Standing::Removed)] {
        assert_eq!(standing().await.unwrap(), Standing::Listed);
        chain.send(&owner(), &end).await.unwrap();
        assert_eq!(standing().await.unwrap(), ended);
        let before = sent(&chain, &owner()).await;
        let error = list(false).await.unwrap_err();
        assert!(matches!(error, ChainError::AttestorWas { attestor, relistable: true, .. } if attestor == by), "{error}");
        assert_eq!(sent(&chain, &owner()).await, before);
        list(true).await.unwrap().unwrap();
    }
    // The registry itself, as some contract.
    let source = stage.attestations;
    let nobody = attestors::list_source(&chain, &owner(), stage.attestations, Address::repeat_byte(9), schema, false).await;
    assert!(matches!(nobody.unwrap_err(), ChainError::NoContract { .. }));
    assert!(attestors::list_source(&chain, &owner(), stage.attestations, source, schema, false).await.unwrap().is_some());
    assert!(attestors::list_source(&chain, &owner(), stage.attestations, source, schema, false).await.unwrap().is_none());
    let error = attestors::list_attestor(&chain, &owner(), stage.attestations, source, schema, true).await.unwrap_err();
    assert!(matches!(error, ChainError::AttestorWas { relistable: false, .. }), "{error}");
    assert_eq!(attestors::standing(&chain, stage.attestations, source, schema).await.unwrap(), Standing::Source);
}

async fn operators_act_once(chain: Chain) {
    let stage = stage(&chain).await;
    let policy_id = open_for_business(&chain, &stage).await;
    let (lending, router, attestations) = (stage.lending, stage.router, stage.attestations);
    let struct_hash = B256::repeat_byte(3);
    let revoke = |by_owner| Action::Revoke { attestations, attestor: attestor().address(), struct_hash, by_owner };
    let freeze = Action::Freeze { router, model_id: stage.model };
    let (by, schema_id) = (attestor().address(), stage.schema);
    let retire = |accepted_until| Action::RetireAttestor { attestations, attestor: by, schema_id, accepted_until };
    let remove = Action::RemoveAttestor { attestations, attestor: by, schema_id };
    let actions = [
        (Action::Pause { lending }, owner(), "NotOwnerOrGuardian"),
        (Action::Unpause { lending }, owner(), "OwnableUnauthorizedAccount"),
        (Action::RetirePolicy { lending, policy_id }, owner(), "OwnableUnauthorizedAccount"),
        (revoke(false), attestor(), "AttestorUnknown"),
        (retire(u64::MAX), owner(), "NotOwnerOrGuardian"),
        (retire(5_000_000_000), owner(), "NotOwnerOrGuardian"),
        (remove, owner(), "NotOwnerOrGuardian"),
        (freeze, owner(), "NotOwnerOrGuardian"),
    ];
    for (action, by, refused) in actions {
        assert!(!action.is_done(&chain).await.unwrap(), "{action:?}");
        assert_eq!(refusal(&action.run(&chain, &borrower()).await.unwrap_err()), refused, "{action:?}");
        assert!(action.run(&chain, &by).await.unwrap().is_some(), "{action:?}");
        let before = sent(&chain, &by).await;
        assert!(action.run(&chain, &by).await.unwrap().is_none(), "{action:?}");
        assert_eq!(sent(&chain, &by).await, before, "{action:?}: nothing is sent twice");
    }
    // The owner's word on the same signature is the same revocation; on another it is a transaction of the owner's.
    assert!(revoke(true).is_done(&chain).await.unwrap());
    let other = Action::Revoke { attestations, attestor: borrower().address(), struct_hash, by_owner: true };
    assert!(other.run(&chain, &owner()).await.unwrap().is_some());
    // A nonce is used up once, and never another than the one that is meant.
    let cancel = |nonce: u64| Action::CancelNonce { lending, borrower: borrower().address(), nonce: U256::from(nonce) };
    assert!(cancel(0).run(&chain, &borrower()).await.unwrap().is_some());
    assert!(cancel(0).run(&chain, &borrower()).await.unwrap().is_none());
    let error = cancel(2).run(&chain, &borrower()).await.unwrap_err();
    assert!(matches!(error, ChainError::NonceAhead { got, .. } if got == U256::ONE), "{error}");
    let late = Action::Deprecate { router, model_id: stage.model, until: 1 };
    assert_eq!(refusal(&late.run(&chain, &owner()).await.unwrap_err()), "ModelNotActive");
}

/// Anybody may send it, nobody can turn it to another use.
async fn a_permit_is_for_one_request(chain: Chain) {
    let stage = stage(&chain).await;
    let policy_id = open_for_business(&chain, &stage).await;
    let honest = request(&chain, &stage, policy_id, borrower().address()).await;
    let theirs = ILendingThreshold::permitDigestCall { request: honest.encoded() };
    let theirs = chain.read("reading the digest", stage.lending, &theirs).await.unwrap();
    assert_eq!(theirs, permit::digest(chain.id(), &honest), "ours is the contract's");
    let permit = Permit::sign(&borrower(), chain.id(), &honest).unwrap();
    let text = serde_json::to_string(&permit).unwrap();
    assert_eq!(Permit::parse(&text, Path::new("permit.json")).unwrap(), permit);
    for broken in ["{}", "[]", "", &text.replace("zkml-evm/permit", "permit"), &text.replace("tier", "teir")] {
        let error = Permit::parse(broken, Path::new("permit.json")).unwrap_err();
        assert!(matches!(error, ChainError::PermitForeign { .. }), "{broken}: {error}");
    }
    let other = sign(&chain, &stage, &attestor(), dev(4).address()).await;
    assert!(permit.request(other, honest.proof.clone()).is_err(), "another's attestation");

    let permitted = permit.request(honest.attestation.clone(), honest.proof.clone()).unwrap();
    let relayer = dev(3);
    let less = LoanRequest { amount: U256::from(249), ..permitted.clone() };
    assert_eq!(refusal(&settle::open_loan(&chain, &relayer, &less).await.unwrap_err()), "InvalidPermit");
    assert!(!permitted.is_open(&chain).await.unwrap());
    let loan = settle::open_loan(&chain, &relayer, &permitted).await.unwrap();
    assert_eq!((loan.borrower, loan.amount), (borrower().address(), U256::from(250)));
    assert_eq!(settle::balance(&chain, stage.token, borrower().address()).await.unwrap(), U256::from(250));
    assert!(permitted.is_open(&chain).await.unwrap());
    // Another attestation of the same subject and epoch is not the one that has the loan.
    let again = request(&chain, &stage, policy_id, borrower().address()).await;
    let mut another = again.clone();
    another.attestation.expires_at += 1;
    assert!(!another.is_open(&chain).await.unwrap());
}

/// One by one and by one proof for all, with a bad item in the middle.
async fn a_batch_says_what_became_of_each(chain: Chain) {
    let stage = stage(&chain).await;
    let policy_id = open_for_business(&chain, &stage).await;
    let sender = dev(3);
    let mut requests = Vec::new();
    for by in [dev(2), dev(4), dev(5)] {
        let mut request = request(&chain, &stage, policy_id, by.address()).await;
        request.permit = Some(Permit::sign(&by, chain.id(), &request).unwrap().signature);
        requests.push(request);
    }
    let (lending, gas_per_item, all_or_nothing) = (stage.lending, 400_000, false);
    requests[1].proof = Bytes::from(vec![1; 32]);
    let batch = Batch { lending, requests: requests[..2].to_vec(), proof: BatchProof::Each, gas_per_item, all_or_nothing };
    let strict = Batch { all_or_nothing: true, ..batch.clone() };
    assert_eq!(strict.open(&chain, &sender).await.unwrap_err().revert().unwrap().name, "BatchItemFailed");
    let (results, _) = batch.open(&chain, &sender).await.unwrap();
    let opened = |result: &ItemResult| matches!(result, ItemResult::Opened { amount, .. } if *amount == U256::from(250));
    assert!(opened(&results[0]), "{results:?}");
    assert!(matches!(&results[1], ItemResult::Refused(revert) if revert.root().name == "PairingFailed"), "{results:?}");

    // By one proof: the first has its loan already, the others get theirs.
    let expiry = chain.timestamp().await.unwrap() + 600;
    let context = settle::next_context(&chain, lending, sender.address(), policy_id, stage.model, expiry).await.unwrap();
    let word = Bytes::from(context.instance().to_be_bytes::<32>());
    let proof = BatchProof::Together { expiry, proof: word.clone() };
    let fund = settle::fund(&chain, &owner(), lending, U256::from(0)).await;
    assert_eq!(refusal(&fund.unwrap_err()), "InvalidAmount");
    let together = Batch { lending, requests, proof, gas_per_item, all_or_nothing };
    let (results, _) = together.open(&chain, &sender).await.unwrap();
    assert!(matches!(&results[0], ItemResult::Refused(revert) if revert.root().name == "NullifierSpent"), "{results:?}");
    assert!(opened(&results[1]) && opened(&results[2]), "{results:?}");
    let forged = Batch { proof: BatchProof::Together { expiry: expiry + 1, proof: word }, ..together };
    assert_eq!(refusal(&forged.open(&chain, &sender).await.unwrap_err()), "PairingFailed");
}

/// Sixteen slots, of which two are loans': the stand-in for the aggregate's verifier takes any proof.
async fn an_aggregate_opens_loans(chain: Chain) {
    let stage = stage(&chain).await;
    let policy_id = open_for_business(&chain, &stage).await;
    let verifier = compiled("StubVerifiers", "SixteenSlots");
    let item = DeployItem::new("SixteenSlots", verifier.creation.clone(), verifier.runtime_size);
    let mut record = Registry::in_memory(chain.id());
    let done = deploy::execute(&chain, &owner(), &[item], &mut record, false, |_, _| {}).await.unwrap();
    let id = keccak256("aggregate");
    let (verifier, codehash) = (done[0].address, done[0].codehash.unwrap());
    let registration = AggregateRegistration { familyId: keccak256("aggregates"), verifier, codehash };
    let foreign = AggregateRegistration { familyId: keccak256("family"), ..registration.clone() };
    let register = async |registration| aggregates::register(&chain, &owner(), stage.router, id, registration).await;
    assert_eq!(refusal(&register(&foreign).await.unwrap_err()), "FamilyOfAnotherKind");
    assert!(register(&registration).await.unwrap().is_some());
    assert!(register(&registration).await.unwrap().is_none(), "the same again is done already");
    assert_eq!(refusal(&register(&foreign).await.unwrap_err()), "ModelAlreadyRegistered");
    let slots = aggregates::slots(&chain, stage.router, id).await.unwrap();
    assert_eq!(slots, vec![Slot { model_id: stage.model, size: 3 }; 16]);
    let none = aggregates::slots(&chain, stage.router, stage.model).await.unwrap_err();
    assert_eq!(refusal(&none), "NotAnAggregate");

    let mut requests = Vec::new();
    for by in [dev(2), dev(4)] {
        let mut request = request(&chain, &stage, policy_id, by.address()).await;
        request.permit = Some(Permit::sign(&by, chain.id(), &request).unwrap().signature);
        requests.push(request);
    }
    let statements = vec![vec![U256::ZERO; 3]; 16];
    let proof = BatchProof::Aggregate { id, statements, slots: vec![0, 9], proof: Bytes::new() };
    let (lending, gas_per_item, all_or_nothing) = (stage.lending, 400_000, false);
    let batch = Batch { lending, requests, proof, gas_per_item, all_or_nothing };
    let one = Batch { requests: batch.requests[..1].to_vec(), ..batch.clone() };
    assert_eq!(refusal(&one.open(&chain, &dev(3)).await.unwrap_err()), "BatchSlotsMismatch");
    let (results, _) = batch.open(&chain, &dev(3)).await.unwrap();
    assert!(results.iter().all(|result| matches!(result, ItemResult::Opened { .. })), "{results:?}");
    let freeze = Action::Freeze { router: stage.router, model_id: stage.model };
    freeze.run(&chain, &owner()).await.unwrap();
    assert_eq!(refusal(&batch.open(&chain, &dev(3)).await.unwrap_err()), "ModelNotActive");
}

/// The stand-in verifier takes any outputs, which is exactly what the circuit breaker is for.
async fn a_contradiction_stops_a_model(chain: Chain) {
    let stage = stage(&chain).await;
    let statement = Statement { input: InputMode::Committed, output: OutputMode::Reveal, outputs: 1 };
    let registration = Registration { statement, ..registration(&stage, stage.codehash) };
    settle::register_model(&chain, &owner(), stage.router, stage.model, &registration).await.unwrap();
    let shown = |context: u64, commitment: u64, output: u64| Shown {
        inputs: [context, commitment, output].map(U256::from).to_vec(),
        proof: U256::from(context).to_be_bytes::<32>().into(),
    };
    let pair =
        |first, second| Action::Contradict { router: stage.router, model_id: stage.model, proofs: Box::new([first, second]) };
    let anybody = dev(6);
    for (action, refused) in [
        (pair(shown(1, 5, 9), shown(2, 5, 9)), "SameAnswer"),
        (pair(shown(1, 5, 9), shown(2, 6, 8)), "DifferentQuestion"),
        (pair(shown(1, 5, 9), Shown { proof: Bytes::from(vec![7; 32]), ..shown(2, 5, 8) }), "PairingFailed"),
    ] {
        assert_eq!(refusal(&action.run(&chain, &anybody).await.unwrap_err()), refused);
    }
    let action = pair(shown(1, 5, 9), shown(2, 5, 8));
    assert!(action.run(&chain, &anybody).await.unwrap().is_some());
    assert_eq!(settle::model(&chain, stage.router, stage.model).await.unwrap().state, State::Frozen);
    assert!(action.run(&chain, &anybody).await.unwrap().is_none());
}

/// What an interrupted run sent is waited for before anything is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn transactions_under_way_are_waited_for() {
    let impatient = Patience { confirm: std::time::Duration::from_millis(300), ..Patience::default() };
    let chain = ChainTarget::anvil().connect(None, impatient).await.unwrap();
    let stage = stage(&chain).await;
    let pause = Action::Pause { lending: stage.lending };
    let _: serde_json::Value = chain.provider().raw_request("evm_setAutomine".into(), [false]).await.unwrap();
    let error = pause.run(&chain, &owner()).await.unwrap_err();
    assert!(matches!(error, ChainError::NotMined { .. }), "{error}");
    let error = pause.run(&chain, &owner()).await.unwrap_err();
    assert!(matches!(error, ChainError::UnderWay { count: 1, .. }), "{error}");
    let _: serde_json::Value = chain.provider().raw_request("evm_mine".into(), ()).await.unwrap();
    assert!(pause.run(&chain, &owner()).await.unwrap().is_none(), "the first one did it");
}

/// A transaction passes its simulation and fails when it is mined, because another came between. Its error is named all the same.
async fn a_mined_failure_says_why(chain: Chain) {
    let stage = stage(&chain).await;
    let offer =
        |to: &Account| Call::new("offering", stage.router, &Ownable2Step::transferOwnershipCall { newOwner: to.address() });
    chain.send(&owner(), &offer(&dev(1))).await.unwrap();
    let accept = Call::new("accepting", stage.router, &Ownable2Step::acceptOwnershipCall {});
    let signed = chain.prepare(&dev(1), &accept).await.unwrap();
    chain.send(&owner(), &offer(&dev(2))).await.unwrap();
    let error = chain.broadcast(&signed).await.unwrap_err();
    assert!(matches!(&error, ChainError::Reverted { tx: Some(tx), .. } if *tx == signed.hash()), "{error}");
    assert_eq!(error.revert().unwrap().to_string(), format!("OwnableUnauthorizedAccount(account={})", dev(1).address()));
}

#[test]
fn context_is_what_the_design_says() {
    let context = Context {
        chain_id: 31_337,
        consumer: Address::repeat_byte(1),
        subject: Address::repeat_byte(2),
        model_id: B256::repeat_byte(3),
        policy_id: B256::repeat_byte(4),
        nonce: U256::from(5),
        expiry: 6,
    };
    let word = |value: u64| B256::from(U256::from(value));
    let words = [
        keccak256("zkml-evm.context.v1"),
        word(31_337),
        Address::repeat_byte(1).into_word(),
        Address::repeat_byte(2).into_word(),
        B256::repeat_byte(3),
        B256::repeat_byte(4),
        word(5),
        word(6),
    ];
    assert_eq!(context.instance(), U256::from_be_bytes(keccak256(words.concat()).0) >> 8);
}

#[test]
fn attestation_type_is_the_contracts() {
    assert_eq!(
        Attestation::eip712_encode_type(),
        "Attestation(address subject,bytes32 inputCommitment,bytes32 schemaId,uint64 issuedAt,uint64 expiresAt)"
    );
    assert_ne!(domain(1, Address::ZERO).separator(), domain(2, Address::ZERO).separator());
    assert_eq!(IInputAttestation::checkAttestationCall::SELECTOR.len(), 4);
}

/// Every error that a compiled contract declares is known here by name: none is ever printed as a bare selector.
#[test]
fn every_error_of_the_contracts_is_known() {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("out");
    let mut seen = BTreeMap::new();
    for name in [
        "InferenceRouter",
        "InputAttestation",
        "EasAttestationSource",
        "LendingThreshold",
        "MockERC20",
        "MockProofVerifier",
        "GuardedTimelock",
    ] {
        let text = std::fs::read_to_string(out.join(format!("{name}.sol/{name}.json"))).expect("run `forge build` first");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let abi: alloy::json_abi::JsonAbi = serde_json::from_value(json["abi"].clone()).unwrap();
        for error in abi.errors() {
            // Arguments of zeros are valid for every static type; the errors of libraries below are never raised by these paths.
            let data = [error.selector().as_slice(), &vec![0; 32 * error.inputs.len()]].concat();
            seen.insert(error.signature(), Revert::decode(&data.into()).name == error.name);
        }
    }
    let unknown: Vec<_> = seen.iter().filter(|(_, known)| !**known).map(|(signature, _)| signature).collect();
    assert!(seen.len() > 30, "{seen:?}");
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(ILendingThreshold::openLoanCall::SIGNATURE.matches("(address,bytes32,bytes32,uint64,uint64)").count(), 1);
}
