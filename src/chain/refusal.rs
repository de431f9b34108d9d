//! What a pool would say of a loan of a batch, without sending it.

use super::bindings::ILendingThreshold;
use super::error::ChainError;
use super::provider::Chain;
use super::revert::Revert;
use super::settle::{LoanRequest, next_nonce, now};
use crate::error::Explain;
use alloy::primitives::{Address, Bytes, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;

/// Why a pool would refuse a loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In words.
    pub why: String,
    /// Whether it may be opened later without anything being signed anew.
    pub passes: bool,
}

/// Gas that a call takes before the pool's code runs, and its calldata: what a loan of a batch gets does not pay for that.
const GAS_OF_ASKING: u64 = 100_000;

/// Whether what is refused now may be taken later by the same papers: the pool gets money, debts are paid, an earlier loan is opened, an
/// attestation's time comes. Up to the permit's expiry.
pub(super) fn passes(revert: &Revert, nonce: U256, expiry: u64) -> bool {
    match revert.name.as_str() {
        "InsufficientLiquidity" | "BorrowerLimitExceeded" | "PolicyCapExceeded" | "AttestationNotYetValid" => now() <= expiry,
        "NonceMismatch" => {
            let expected = revert.args.first().and_then(|(_, expected)| expected.parse::<U256>().ok());
            expected.is_some_and(|expected| expected < nonce) && now() <= expiry
        }
        _ => false,
    }
}

/// Why the pool would refuse a loan of a batch now, its score aside; nothing where it would open it. The pool is asked as it asks itself.
///
/// # Errors
/// A node that does not answer.
pub async fn refusal(chain: &Chain, sender: Address, request: &LoanRequest, gas: u64) -> Result<Option<Refusal>, ChainError> {
    let call = ILendingThreshold::openLoanOfBatchCall {
        request: ILendingThreshold::BorrowRequest { proof: Bytes::new(), ..request.encoded() },
        permit: request.permit.clone().unwrap_or_default(),
        sender,
        proven: true,
    };
    let asked = TransactionRequest {
        from: Some(request.lending),
        to: Some(TxKind::Call(request.lending)),
        gas: Some(gas.saturating_add(GAS_OF_ASKING)),
        input: call.abi_encode().into(),
        ..TransactionRequest::default()
    };
    match chain.provider().call(asked).await.map_err(|e| chain.explain("asking the pool about a loan", e)) {
        Ok(_) => Ok(None),
        Err(error) if error.revert().is_some() => {
            let passes = error.revert().is_some_and(|revert| passes(revert.root(), request.nonce, request.expiry));
            Ok(Some(Refusal { why: error.to_string(), passes }))
        }
        Err(error) if error.retryable() => Err(error),
        // A node that takes no call from a contract's address: then the block tells, but for whose turn it is.
        Err(_) => Ok(out_of_turn(next_nonce(chain, request.lending, request.attestation.subject).await?, request)),
    }
}

/// What the borrower's next nonce says of a loan: one whose nonce is used is refused, a later one waits. Nothing where it is its turn.
fn out_of_turn(next: U256, request: &LoanRequest) -> Option<Refusal> {
    let why = || format!("the borrower's next nonce in the pool is {next}, the loan's is {}", request.nonce);
    (next != request.nonce).then(|| Refusal { why: why(), passes: next < request.nonce && now() <= request.expiry })
}

#[cfg(test)]
mod tests {
    use super::out_of_turn;
    use crate::chain::bindings::{IInputAttestation as Attestations, ILendingThreshold as Pool, IZkmlConsumer as Consumer};
    use crate::chain::parts::tests::loan;
    use crate::chain::revert::Revert;
    use crate::chain::settle::LoanRequest;
    use crate::chain::settle::now;
    use alloy::primitives::{B256, U256};
    use alloy::sol_types::SolError;

    fn of(error: &impl SolError) -> Revert {
        Revert::decode(&error.abi_encode().into())
    }

    fn passes(revert: &Revert, request: &LoanRequest) -> bool {
        super::passes(revert, request.nonce, request.expiry)
    }

    /// Also where the node does not let the pool be asked as it asks itself.
    #[test]
    fn a_nonce_has_its_turn() {
        let mut request = loan(1, 7);
        request.expiry = now() + 1_000;
        let of = |next: u64, request: &_| out_of_turn(U256::from(next), request).map(|refusal| refusal.passes);
        assert_eq!([7, 6, 0, 8].map(|next| of(next, &request)), [None, Some(true), Some(true), Some(false)]);
        request.expiry = now() - 1_000;
        assert_eq!([7, 6].map(|next| of(next, &request)), [None, Some(false)], "the permit has expired");
    }

    #[test]
    fn what_time_heals_waits_until_the_permit_has_expired() {
        let mut request = loan(1, 7);
        let nonce = |expected: u64| of(&Consumer::NonceMismatch { expected: U256::from(expected), got: U256::from(7) });
        let poor = of(&Pool::InsufficientLiquidity { available: U256::ZERO, needed: U256::ONE });
        let early = of(&Attestations::AttestationNotYetValid { issuedAt: 2, timestamp: U256::ONE });
        let late = of(&Attestations::AttestationExpired { expiresAt: 1, timestamp: U256::from(2) });
        request.expiry = now() + 1_000;
        assert!(passes(&early, &request) && !passes(&late, &request));
        assert!(passes(&nonce(6), &request) && passes(&nonce(0), &request) && passes(&poor, &request));
        assert!(!passes(&nonce(8), &request), "its nonce is used");
        assert!(!passes(&of(&Consumer::NullifierSpent { nullifier: B256::ZERO }), &request));
        request.expiry = now() - 1_000;
        assert!(!passes(&nonce(6), &request) && !passes(&poor, &request), "the permit has expired");
    }
}
