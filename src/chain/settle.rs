//! Settlement: the transactions between a deployed set of contracts and an open loan, and what their events say.

use super::attest::{Context, SignedAttestation};
use super::bindings::IInferenceRouter::Registration;
use super::bindings::{
    IERC20, IInferenceRouter, IInferenceVerifier, IInputAttestation, ILendingThreshold, IZkmlConsumer, MockERC20,
};
use super::error::ChainError;
use super::event::Emitted;
use super::provider::Chain;
use super::send::{Call, Simulation, find_event};
use super::signer::Account;
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, Bytes, I256, TxHash, U256, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolCall, SolValue};
use std::time::{SystemTime, UNIX_EPOCH};

/// What a mined transaction cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mined {
    pub tx: TxHash,
    pub block: Option<u64>,
    pub gas_used: u64,
}

impl From<&TransactionReceipt> for Mined {
    fn from(receipt: &TransactionReceipt) -> Self {
        Self { tx: receipt.transaction_hash, block: receipt.block_number, gas_used: receipt.gas_used }
    }
}

/// The terms of a lending policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTerms {
    pub model_id: B256,
    pub schema_id: B256,
    /// Seconds; one loan per subject, schema and epoch.
    pub epoch_length: u64,
    /// Most principal that may be owed under the policy.
    pub cap: U256,
    /// Most principal that one borrower may owe in the pool.
    pub borrower_limit: U256,
    /// By rising threshold.
    pub tiers: Vec<Tier>,
}

/// One of a policy's offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Least score, in the statement's integer scale.
    pub threshold: i128,
    /// Most that a loan pays out, in the token's smallest unit.
    pub limit: U256,
    /// Interest per year, in hundredths of a percent.
    pub rate: u32,
}

impl PolicyTerms {
    /// A policy of one tier, with no bound on what is owed in all.
    pub fn of_one_tier(model_id: B256, schema_id: B256, epoch_length: u64, tier: Tier) -> Self {
        let most = U256::from(u128::MAX);
        Self { model_id, schema_id, epoch_length, cap: most, borrower_limit: most, tiers: vec![tier] }
    }

    /// As the contract takes them.
    pub fn encoded(&self) -> ILendingThreshold::PolicyTerms {
        let tier = |tier: &Tier| ILendingThreshold::Tier {
            // Every i128 is an int256: the conversion cannot fail.
            threshold: I256::try_from(tier.threshold).unwrap_or_default(),
            limit: tier.limit,
            rate: tier.rate,
        };
        ILendingThreshold::PolicyTerms {
            modelId: self.model_id,
            schemaId: self.schema_id,
            epochLength: self.epoch_length,
            cap: self.cap,
            borrowerLimit: self.borrower_limit,
            tiers: self.tiers.iter().map(tier).collect(),
        }
    }
}

/// A borrower's evidence, ready to send.
#[derive(Clone, Debug)]
pub struct LoanRequest {
    pub lending: Address,
    pub policy_id: B256,
    /// Which of the policy's tiers, from 0.
    pub tier: u8,
    /// In the token's smallest unit, at most the tier's limit.
    pub amount: U256,
    pub attestation: SignedAttestation,
    pub nonce: U256,
    /// Unix seconds.
    pub expiry: u64,
    pub proof: Bytes,
    /// The borrower's signature on the request, where somebody else sends it.
    pub permit: Option<Bytes>,
}

/// An open loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLoan {
    pub id: U256,
    pub borrower: Address,
    pub amount: U256,
    pub nullifier: B256,
    pub mined: Mined,
    /// Everything that the transaction's contracts told.
    pub events: Vec<Emitted>,
}

impl LoanRequest {
    /// As the contract takes it.
    pub fn encoded(&self) -> ILendingThreshold::BorrowRequest {
        ILendingThreshold::BorrowRequest {
            policyId: self.policy_id,
            tier: self.tier,
            amount: self.amount,
            attestor: self.attestation.attestor,
            attestation: self.attestation.attestation(),
            signature: self.attestation.signature.clone(),
            nonce: self.nonce,
            expiry: self.expiry,
            proof: self.proof.clone(),
        }
    }

    /// The call that opens the loan: the borrower's own, or by the borrower's permit anybody's.
    pub fn call(&self) -> Call {
        let request = self.encoded();
        match &self.permit {
            None => Call::new(OPENING, self.lending, &ILendingThreshold::openLoanCall { request }),
            Some(permit) => {
                let call = ILendingThreshold::openLoanForCall { request, permit: permit.clone() };
                Call::new(OPENING, self.lending, &call)
            }
        }
    }

    /// Whose loan a transaction's calldata opens; nothing where it opens none.
    pub fn borrower_of(data: &[u8]) -> Option<Address> {
        let own = ILendingThreshold::openLoanCall::abi_decode(data).map(|call| call.request);
        let request = own.or_else(|_| ILendingThreshold::openLoanForCall::abi_decode(data).map(|call| call.request));
        request.ok().map(|request| request.attestation.subject)
    }

    /// Whether this very attestation has its loan under the policy already.
    pub async fn is_open(&self, chain: &Chain) -> Result<bool, ChainError> {
        self.is_open_at(BlockId::latest(), chain).await
    }

    /// Whether it had so in a block that is as deep as a transaction's must be: a reorganisation may undo what the last ones say.
    pub async fn is_open_for_good(&self, chain: &Chain) -> Result<bool, ChainError> {
        let what = "asking for the last block";
        let latest = chain.provider().get_block_number().await.map_err(|e| chain.explain(what, e))?;
        match latest.saturating_add(1).checked_sub(chain.confirmations()) {
            Some(deep) => self.is_open_at(BlockId::number(deep), chain).await,
            None => Ok(false),
        }
    }

    async fn is_open_at(&self, at: BlockId, chain: &Chain) -> Result<bool, ChainError> {
        let epoch_length = policy(chain, self.lending, self.policy_id).await?.terms.epochLength;
        let Some(epoch) = self.attestation.issued_at.checked_div(epoch_length) else { return Ok(false) };
        let call = IZkmlConsumer::spentByCall {
            subject: self.attestation.subject,
            schemaId: self.attestation.schema_id,
            policyId: self.policy_id,
            epoch,
        };
        let spent = chain.read_at(at, "reading the nullifier", self.lending, &call).await?;
        Ok(spent == keccak256((self.attestation.struct_hash(), self.policy_id, epoch).abi_encode_params()))
    }
}

impl OpenLoan {
    /// The loan that a transaction opened.
    ///
    /// # Errors
    /// [`ChainError::MissingEvent`].
    pub fn of(lending: Address, receipt: &TransactionReceipt) -> Result<Self, ChainError> {
        let event: ILendingThreshold::LoanOpened = find_event(OPENING, lending, receipt)?;
        Ok(Self {
            id: event.loanId,
            borrower: event.borrower,
            amount: event.amount,
            nullifier: event.nullifier,
            mined: Mined::from(receipt),
            events: Emitted::all(receipt),
        })
    }
}

/// What the transaction is called in errors.
const OPENING: &str = "opening the loan";

/// The router's record of a model; its state is `Unset` where it knows none.
pub async fn model(chain: &Chain, router: Address, model_id: B256) -> Result<IInferenceRouter::Model, ChainError> {
    chain.read("reading the model's state", router, &IInferenceRouter::modelCall { modelId: model_id }).await
}

/// The time, in Unix seconds.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// What a router does with proofs of a model now; in words, where it refuses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It takes them.
    Verifies,
    /// It will, when the activation delay has passed.
    NotYet(String),
    /// It has no such model, or has ended it.
    Never(String),
}

/// How a model stands with the pool's router.
///
/// # Errors
/// Those of asking.
pub async fn standing(chain: &Chain, lending: Address, model_id: B256) -> Result<Standing, ChainError> {
    let router = chain.read("reading the pool's router", lending, &IZkmlConsumer::routerCall {}).await?;
    let known = model(chain, router, model_id).await?;
    let words = format!("model {model_id} is {:?} at the router {router}: its proofs open no loan now", known.state);
    Ok(match known.state {
        IInferenceRouter::State::Active => Standing::Verifies,
        IInferenceRouter::State::Deprecated if now() < known.deprecatedUntil => Standing::Verifies,
        IInferenceRouter::State::Scheduled => Standing::NotYet(words),
        _ => Standing::Never(words),
    })
}

/// Registers a model with what its owner approves. Already registered in the same way is done, active or only scheduled.
///
/// # Errors
/// [`ChainError::Reverted`] with `ModelAlreadyRegistered`, `VerifierKindMismatch`, `OwnableUnauthorizedAccount`, ...
pub async fn register_model(
    chain: &Chain,
    owner: &Account,
    router: Address,
    model_id: B256,
    registration: &IInferenceRouter::Registration,
) -> Result<Option<Mined>, ChainError> {
    let known = model(chain, router, model_id).await?;
    let open = matches!(known.state, IInferenceRouter::State::Active | IInferenceRouter::State::Scheduled);
    let found = (known.familyId, known.verifier, known.codehash, known.statement);
    let Registration { familyId, verifier, codehash, statement } = registration.clone();
    if open && found == (familyId, verifier, codehash, statement) {
        return Ok(None);
    }
    let call = IInferenceRouter::registerModelCall { modelId: model_id, registration: registration.clone() };
    let call = Call::new("registering the model", router, &call);
    let receipt = chain.send(owner, &call).await?;
    let event: IInferenceRouter::ModelRegistered = find_event(&call.what, router, &receipt)?;
    match event.modelId == model_id && event.verifier == verifier {
        true => Ok(Some(Mined::from(&receipt))),
        false => Err(chain.malformed(&call.what, "the event names another model or verifier")),
    }
}

/// The id of a policy: a function of its terms and of the contract.
pub fn policy_id(lending: Address, terms: &PolicyTerms) -> B256 {
    keccak256((lending, terms.encoded()).abi_encode_params())
}

/// Adds a lending policy, unless it is there; returns its id.
///
/// # Errors
/// [`ChainError::Reverted`] with `PolicyExists` where these very terms were retired, `InvalidAmount`, ...
pub async fn add_policy(
    chain: &Chain,
    owner: &Account,
    lending: Address,
    terms: &PolicyTerms,
) -> Result<(B256, Option<Mined>), ChainError> {
    let id = policy_id(lending, terms);
    if policy(chain, lending, id).await?.active {
        return Ok((id, None));
    }
    let call = ILendingThreshold::addPolicyCall { terms: terms.encoded() };
    let call = Call::new("adding the policy", lending, &call);
    let receipt = chain.send(owner, &call).await?;
    let event: ILendingThreshold::PolicyAdded = find_event(&call.what, lending, &receipt)?;
    match event.policyId == id {
        true => Ok((id, Some(Mined::from(&receipt)))),
        false => Err(chain.malformed(&call.what, format!("the contract calls the policy {}, expected {id}", event.policyId))),
    }
}

/// A policy as it stands; all zero where there is none.
pub async fn policy(chain: &Chain, lending: Address, policy_id: B256) -> Result<ILendingThreshold::Policy, ChainError> {
    chain.read("reading the policy", lending, &ILendingThreshold::policyCall { policyId: policy_id }).await
}

/// Mints test tokens; only the mock token has this function.
pub async fn mint(chain: &Chain, account: &Account, token: Address, to: Address, amount: U256) -> Result<Mined, ChainError> {
    let call = Call::new("minting test tokens", token, &MockERC20::mintCall { account: to, amount });
    chain.send(account, &call).await.map(|receipt| Mined::from(&receipt))
}

/// A token balance, in its smallest unit.
pub async fn balance(chain: &Chain, token: Address, account: Address) -> Result<U256, ChainError> {
    chain.read("reading the token balance", token, &IERC20::balanceOfCall { account }).await
}

/// Pays into the pool what it lacks to hold `target`; returns what arrived, `None` where it lacks nothing. With `mint` the token is
/// the mock one, and what the lender lacks is minted. An interrupted run goes on where it was: neither tokens nor an approval come twice.
///
/// # Errors
/// [`ChainError::OtherToken`] where the pool lends another token than the `expected` one; those of sending.
pub async fn fill(
    chain: &Chain,
    lender: &Account,
    lending: Address,
    expected: Option<Address>,
    target: U256,
    mint: bool,
) -> Result<Option<U256>, ChainError> {
    let held = chain.read("reading the pool's liquidity", lending, &ILendingThreshold::liquidityCall {}).await?;
    let Some(lacking) = target.checked_sub(held).filter(|lacking| !lacking.is_zero()) else { return Ok(None) };
    let token = chain.read("reading the pool's token", lending, &ILendingThreshold::tokenCall {}).await?;
    if let Some(expected) = expected.filter(|expected| *expected != token) {
        return Err(ChainError::OtherToken { pool: lending, expected, got: token });
    }
    let own = balance(chain, token, lender.address()).await?;
    if mint && own < lacking {
        self::mint(chain, lender, token, lender.address(), lacking - own).await?;
    }
    pay(chain, lender, lending, token, lacking).await.map(|(received, _)| Some(received))
}

/// Approves, where that is not done yet, and pays tokens into the pool; returns what arrived.
pub async fn fund(chain: &Chain, lender: &Account, lending: Address, amount: U256) -> Result<(U256, Mined), ChainError> {
    let token = chain.read("reading the pool's token", lending, &ILendingThreshold::tokenCall {}).await?;
    pay(chain, lender, lending, token, amount).await
}

async fn pay(
    chain: &Chain,
    lender: &Account,
    lending: Address,
    token: Address,
    amount: U256,
) -> Result<(U256, Mined), ChainError> {
    approve(chain, lender, token, lending, amount).await?;
    let call = Call::new("funding the pool", lending, &ILendingThreshold::fundCall { amount });
    let receipt = chain.send(lender, &call).await?;
    let event: ILendingThreshold::Funded = find_event(&call.what, lending, &receipt)?;
    Ok((event.received, Mined::from(&receipt)))
}

/// Asks the registry contract whether it takes an attestation now; returns its struct hash.
///
/// # Errors
/// [`ChainError::Reverted`] with `AttestorNotAllowed`, `AttestationExpired`, `InvalidSignature`, ...
pub async fn check_attestation(chain: &Chain, signed: &SignedAttestation) -> Result<B256, ChainError> {
    let call = IInputAttestation::checkAttestationCall {
        attestor: signed.attestor,
        attestation: signed.attestation(),
        signature: signed.signature.clone(),
    };
    chain.read("checking the attestation", signed.verifying_contract, &call).await
}

/// The nonce that the subject's next call of the pool has to have.
pub async fn next_nonce(chain: &Chain, lending: Address, subject: Address) -> Result<U256, ChainError> {
    chain.read("reading the nonce", lending, &IZkmlConsumer::nonceOfCall { subject }).await
}

/// What the subject's next proof for a policy has to be bound to.
pub async fn next_context(
    chain: &Chain,
    lending: Address,
    subject: Address,
    policy_id: B256,
    model_id: B256,
    expiry: u64,
) -> Result<Context, ChainError> {
    let nonce = next_nonce(chain, lending, subject).await?;
    let context = Context { chain_id: chain.id(), consumer: lending, subject, model_id, policy_id, nonce, expiry };
    let call = IZkmlConsumer::contextOfCall { subject, modelId: model_id, policyId: policy_id, nonce, expiry };
    let theirs = chain.read("reading the context", lending, &call).await?;
    match theirs == context.instance() {
        true => Ok(context),
        false => {
            Err(chain.malformed("reading the context", format!("the contract's is {theirs:#x}, ours {:#x}", context.instance())))
        }
    }
}

/// Asks the router, in a call, whether a proof is accepted.
///
/// # Errors
/// [`ChainError::Reverted`] with the verifier's own error.
pub async fn verify_inference(
    chain: &Chain,
    router: Address,
    model_id: B256,
    instances: &[U256],
    proof: &Bytes,
) -> Result<(), ChainError> {
    let call =
        IInferenceVerifier::verifyInferenceCall { modelId: model_id, publicInputs: instances.to_vec(), proof: proof.clone() };
    chain.require_code("verifying the proof", router).await?;
    chain.read("verifying the proof", router, &call).await.map(|_| ())
}

/// The dry run of a loan: gas and cost, or the reason why it is refused.
pub async fn simulate_loan(chain: &Chain, borrower: Address, request: &LoanRequest) -> Result<Simulation, ChainError> {
    chain.simulate(borrower, &request.call()).await
}

/// Opens the loan.
///
/// # Errors
/// [`ChainError::Reverted`] with `SubjectMismatch`, `NullifierSpent`, `PairingFailed`, ...; found out before anything is sent.
pub async fn open_loan(chain: &Chain, borrower: &Account, request: &LoanRequest) -> Result<OpenLoan, ChainError> {
    let call = request.call();
    let receipt = chain.send(borrower, &call).await?;
    OpenLoan::of(request.lending, &receipt)
}

/// A loan as it stands; the zero borrower where there is none.
pub async fn loan(chain: &Chain, lending: Address, id: U256) -> Result<ILendingThreshold::Loan, ChainError> {
    chain.read("reading the loan", lending, &ILendingThreshold::loanCall { loanId: id }).await
}

/// What was paid back on a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaid {
    /// Of the amount lent.
    pub principal: U256,
    /// Besides.
    pub interest: U256,
    /// What is still owed of the amount lent.
    pub left: U256,
    pub mined: Mined,
}

/// What paying a loan back takes: nothing where nothing is owed. The allowance has room for a day's interest; the pool pulls what is owed.
///
/// # Errors
/// [`ChainError::Reverted`] with `LoanUnknown`, found out by asking the contract.
pub async fn repayment(chain: &Chain, lending: Address, id: U256) -> Result<Option<(Call, U256)>, ChainError> {
    let loan = self::loan(chain, lending, id).await?;
    let repay = ILendingThreshold::repayCall { loanId: id, amount: U256::MAX };
    let owed = loan.principal.saturating_add(loan.interest);
    if loan.borrower.is_zero() {
        // The contract's own word for it, before anything is approved.
        chain.read("paying the loan back", lending, &repay).await?;
    }
    if owed.is_zero() {
        return Ok(None);
    }
    let tiers = policy(chain, lending, loan.policyId).await?.terms.tiers;
    let rate = tiers.get(usize::from(loan.tier)).map_or(0, |tier| tier.rate);
    // Hundredths of a percent in a year of 365 days.
    let of_a_day = loan.principal.saturating_mul(U256::from(rate)) / U256::from(10_000 * 365);
    Ok(Some((Call::new("paying the loan back", lending, &repay), owed.saturating_add(of_a_day).saturating_add(U256::ONE))))
}

/// Pays all that is owed on a loan, after approving it where that is not done yet; nothing where nothing is owed. An interrupted run is made
/// again: neither comes twice.
pub async fn repay(chain: &Chain, payer: &Account, lending: Address, id: U256) -> Result<Option<Repaid>, ChainError> {
    let Some((call, most)) = repayment(chain, lending, id).await? else { return Ok(None) };
    let token = chain.read("reading the pool's token", lending, &ILendingThreshold::tokenCall {}).await?;
    approve(chain, payer, token, lending, most).await?;
    let receipt = chain.send(payer, &call).await?;
    let event: ILendingThreshold::LoanRepaid = find_event(&call.what, lending, &receipt)?;
    let (principal, interest, left) = (event.principal, event.interest, event.principalLeft);
    Ok(Some(Repaid { principal, interest, left, mined: Mined::from(&receipt) }))
}

/// Lets the pool pull tokens, unless it may already.
async fn approve(chain: &Chain, owner: &Account, token: Address, lending: Address, amount: U256) -> Result<(), ChainError> {
    let allowance = IERC20::allowanceCall { owner: owner.address(), spender: lending };
    if chain.read("reading the allowance", token, &allowance).await? < amount {
        let approve = IERC20::approveCall { spender: lending, value: amount };
        chain.send(owner, &Call::new("approving the pool", token, &approve)).await?;
    }
    Ok(())
}
