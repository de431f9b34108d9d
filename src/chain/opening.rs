//! What one transaction of a run opens: a loan, or the loans of a batch. Whose they are is read off what the account has signed, so that it is
//! known without the papers too.

use super::batch::{Batch, ItemResult, results};
use super::bindings::ILendingThreshold;
use super::error::ChainError;
use super::item::{BatchedLoan, Outcome};
use super::lanes::Lanes;
use super::provider::Chain;
use super::refusal::passes;
use super::send::Call;
use super::settle::{LoanRequest, OpenLoan};
use alloy::primitives::{Address, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolCall;

/// A transaction's loans.
#[derive(Clone, Debug)]
pub enum Opening {
    /// One, with its own proof.
    Loan(Box<LoanRequest>),
    /// Those of a batch; each stands for itself.
    Batch(Batch),
}

impl Opening {
    /// The transaction.
    pub fn call(&self) -> Call {
        match self {
            Self::Loan(request) => request.call(),
            Self::Batch(batch) => batch.call(),
        }
    }

    /// The pool.
    pub fn pool(&self) -> Address {
        match self {
            Self::Loan(request) => request.lending,
            Self::Batch(batch) => batch.lending,
        }
    }

    fn requests(&self) -> &[LoanRequest] {
        match self {
            Self::Loan(request) => std::slice::from_ref(request.as_ref()),
            Self::Batch(batch) => &batch.requests,
        }
    }

    pub(super) fn lanes(&self) -> Lanes {
        self.requests().iter().map(|request| (request.lending, request.attestation.subject)).collect()
    }

    /// The least of the borrowers' nonces: what it has to wait for comes before it.
    pub(super) fn nonce(&self) -> U256 {
        self.requests().iter().map(|request| request.nonce).min().unwrap_or_default()
    }

    /// Whether every attestation has its loan.
    ///
    /// # Errors
    /// Those of asking.
    pub async fn is_open(&self, chain: &Chain) -> Result<bool, ChainError> {
        for request in self.requests() {
            if !request.is_open(chain).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same in a block that is so deep that it counts.
    ///
    /// # Errors
    /// Those of asking.
    pub async fn is_open_for_good(&self, chain: &Chain) -> Result<bool, ChainError> {
        for request in self.requests() {
            if !request.is_open_for_good(chain).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whose loans a transaction's calldata opens; nothing where it opens none.
pub(super) fn lanes_of(pool: Address, data: &[u8]) -> Option<Lanes> {
    let borrowers = match LoanRequest::borrower_of(data) {
        Some(borrower) => vec![borrower],
        None => batch_of(data)?.iter().map(|request| request.attestation.subject).collect(),
    };
    Some(borrowers.into_iter().map(|borrower| (pool, borrower)).collect())
}

/// A batch's loans, in their order.
fn batch_of(data: &[u8]) -> Option<Vec<ILendingThreshold::BorrowRequest>> {
    let call = ILendingThreshold::openLoansAggregatedCall::abi_decode(data).ok()?;
    (!call.requests.is_empty()).then_some(call.requests)
}

/// What a transaction that was mined and did not revert has opened.
///
/// # Errors
/// What its events do not say, in words.
pub(super) fn outcome(pool: Address, data: &[u8], receipt: &TransactionReceipt) -> Result<Outcome, String> {
    let (tx, block, gas_used) = (receipt.transaction_hash, receipt.block_number, receipt.gas_used);
    let Some(requests) = batch_of(data) else {
        let expected = LoanRequest::borrower_of(data).ok_or("its transaction opens no loan")?;
        let loan = OpenLoan::of(pool, receipt).map_err(|error| error.to_string())?;
        let (loan_id, borrower, amount) = (loan.id.to_string(), loan.borrower, loan.amount.to_string());
        return match borrower == expected {
            true => Ok(Outcome::Settled { loan_id, borrower, amount, tx, block, gas_used }),
            false => Err(format!("the loan is {borrower}'s, expected {expected}'s")),
        };
    };
    // Whose loans they are says what the account has signed, not the receipt.
    let borrowers: Vec<Address> = requests.iter().map(|request| request.attestation.subject).collect();
    let results = results(pool, &borrowers, receipt).ok_or("its events do not say what became of each loan")?;
    let loans = requests.iter().zip(borrowers).zip(results).map(|((request, borrower), result)| match result {
        ItemResult::Opened { id, amount, .. } => {
            BatchedLoan::Settled { borrower, loan_id: id.to_string(), amount: amount.to_string() }
        }
        ItemResult::Refused(revert) => {
            let may_pass = passes(revert.root(), request.nonce, request.expiry);
            BatchedLoan::Refused { borrower, reason: revert.to_string(), may_pass }
        }
    });
    Ok(Outcome::Batch { loans: loans.collect(), tx, block, gas_used })
}
