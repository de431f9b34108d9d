//! What a pool would say of a loan of a batch, without sending it.

use super::bindings::ILendingThreshold;
use super::error::ChainError;
use super::provider::Chain;
use super::revert::Revert;
use super::settle::{LoanRequest, now};
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

/// Whether what is refused now may be taken later by the same papers: the pool gets money, debts are paid, an earlier loan is opened.
fn passes(revert: &Revert, request: &LoanRequest) -> bool {
    match revert.name.as_str() {
        "InsufficientLiquidity" | "BorrowerLimitExceeded" | "PolicyCapExceeded" => now() <= request.expiry,
        "NonceMismatch" => {
            let expected = revert.args.first().and_then(|(_, expected)| expected.parse::<U256>().ok());
            expected.is_some_and(|expected| expected < request.nonce) && now() <= request.expiry
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
        gas: Some(gas),
        input: call.abi_encode().into(),
        ..TransactionRequest::default()
    };
    match chain.provider().call(asked).await.map_err(|e| chain.explain("asking the pool about a loan", e)) {
        Ok(_) => Ok(None),
        Err(error) if error.revert().is_some() => {
            let passes = error.revert().is_some_and(|revert| passes(revert.root(), request));
            Ok(Some(Refusal { why: error.to_string(), passes }))
        }
        Err(error) if error.retryable() => Err(error),
        // A node that takes no call from a contract's address: then the block tells.
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::passes;
    use crate::chain::bindings::{ILendingThreshold as Pool, IZkmlConsumer as Consumer};
    use crate::chain::parts::tests::loan;
    use crate::chain::revert::Revert;
    use crate::chain::settle::now;
    use alloy::primitives::{B256, U256};
    use alloy::sol_types::SolError;

    fn of(error: &impl SolError) -> Revert {
        Revert::decode(&error.abi_encode().into())
    }

    #[test]
    fn what_time_heals_waits_until_the_permit_has_expired() {
        let mut request = loan(1, 7);
        let nonce = |expected: u64| of(&Consumer::NonceMismatch { expected: U256::from(expected), got: U256::from(7) });
        let poor = of(&Pool::InsufficientLiquidity { available: U256::ZERO, needed: U256::ONE });
        request.expiry = now() + 1_000;
        assert!(passes(&nonce(6), &request) && passes(&nonce(0), &request) && passes(&poor, &request));
        assert!(!passes(&nonce(8), &request), "its nonce is used");
        assert!(!passes(&of(&Consumer::NullifierSpent { nullifier: B256::ZERO }), &request));
        request.expiry = now() - 1_000;
        assert!(!passes(&nonce(6), &request) && !passes(&poor, &request), "the permit has expired");
    }
}
