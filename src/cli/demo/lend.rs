//! Step 5: attestation, proof, loan.

use super::{
    Places,
    stage::{ATTESTOR, Stage},
};
use crate::{
    artifact::{Binding, Package, ProofFile},
    chain::settle::{self, LoanRequest, OpenLoan},
    cli::{
        attest::{self, Attested, Terms},
        blocking,
        failure::Failure,
        output::Console,
    },
    quant::input,
};

/// How long attestations and proofs of the demo hold, in seconds.
const HOUR: u64 = 3_600;

/// An applicant with what the attestor gave them.
#[derive(Clone, Debug)]
pub(super) struct Applicant {
    pub name: &'static str,
    /// Their development account.
    pub index: usize,
    pub attested: Attested,
}

/// The attestor signs the commitment to an applicant's features; the applicant keeps what opens it.
pub(super) async fn attest(
    stage: &Stage,
    package: &Package,
    places: &Places,
    name: &'static str,
    index: usize,
) -> Result<Applicant, Failure> {
    let schema = &package.prover.schema;
    let row = input::one(schema, &input::read(&places.example(&format!("applicants/{name}.json")))?)?;
    let issued_at = stage.chain.timestamp().await?;
    let terms = Terms {
        subject: stage.account(index)?.address(),
        registry: stage.addresses.attestations,
        chain_id: stage.chain.id(),
        issued_at,
        expires_at: issued_at + HOUR,
    };
    let attested = attest::attest(schema, &row, &stage.account(ATTESTOR)?, &terms)?;
    settle::check_attestation(&stage.chain, &attested.attestation).await?;
    attested.save(&places.out.join(name))?;
    Ok(Applicant { name, index, attested })
}

/// Proves that the applicant's score reaches the policy's threshold, bound to their next call of the pool.
pub(super) async fn prove(stage: &Stage, package: &Package, applicant: &Applicant) -> Result<ProofFile, Failure> {
    let subject = stage.account(applicant.index)?.address();
    let expiry = stage.chain.timestamp().await? + HOUR;
    let model_id = package.prover.facts.model_id;
    let context = settle::next_context(&stage.chain, stage.addresses.lending, subject, stage.policy_id, model_id, expiry).await?;
    let (prover, threshold) = (package.prover.clone(), stage.threshold);
    let (row, salt) = (applicant.attested.opening.row(), applicant.attested.opening.salt()?);
    blocking(move || Ok(prover.prove(&row, Binding::Call(context), Some(salt), Some(threshold))?)).await
}

/// The call that a proof is bound to.
pub(super) fn request(stage: &Stage, applicant: &Applicant, proof: &ProofFile) -> Option<LoanRequest> {
    let context = proof.context?;
    Some(LoanRequest {
        lending: stage.addresses.lending,
        policy_id: stage.policy_id,
        tier: 0,
        amount: stage.amount,
        attestation: applicant.attested.attestation.clone(),
        nonce: context.nonce,
        expiry: context.expiry,
        proof: proof.proof.clone(),
        permit: None,
    })
}

/// One transaction opens the loan.
pub(super) async fn open(
    stage: &Stage,
    applicant: &Applicant,
    proof: ProofFile,
    places: &Places,
    console: &Console,
) -> Result<(ProofFile, OpenLoan), Failure> {
    proof.save(&places.out.join(applicant.name).join("proof.json"))?;
    let request = request(stage, applicant, &proof).ok_or(crate::cli::CliError::Crashed("the proof has no context".into()))?;
    let loan = settle::open_loan(&stage.chain, &stage.account(applicant.index)?, &request).await?;
    let dollars = loan.amount.to::<u128>() / 1_000_000;
    console.note(format!("   loan {} of {dollars} demo dollars to {} in one transaction", loan.id, loan.borrower));
    console.note(format!("   public: context, input commitment, threshold {}; hidden: score and features", stage.threshold));
    Ok((proof, loan))
}
