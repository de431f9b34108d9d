//! Many loans in one transaction: each with its own proof, or all by one proof, over all inputs or an aggregate of their own. Each stands for itself, and the events say what became of it.

use super::bindings::ILendingThreshold;
use super::error::ChainError;
use super::provider::Chain;
use super::revert::Revert;
use super::send::Call;
use super::settle::{LoanRequest, Mined};
use super::signer::Account;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolEvent;

/// What a batch spends on telling that an item was refused, beyond the item's own gas.
const GAS_OF_A_REFUSAL: u64 = 10_000;

/// Loans of one pool, ready to send.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The pool.
    pub lending: Address,
    /// The loans; one without a permit is the sender's own.
    pub requests: Vec<LoanRequest>,
    /// What shows the scores.
    pub proof: BatchProof,
    /// Gas that each item gets.
    pub gas_per_item: u64,
    /// Whether one refusal undoes them all.
    pub all_or_nothing: bool,
}

/// What shows the scores of a batch's loans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchProof {
    /// Each loan brings its own proof.
    Each,
    /// One proof over all inputs, in the order of the loans.
    Together {
        /// Unix seconds up to which it may be used.
        expiry: u64,
        /// The proof.
        proof: Bytes,
    },
    /// One aggregate of the loans' own proofs.
    Aggregate {
        /// Which of the router's aggregates it is of.
        id: B256,
        /// The public inputs in each slot.
        statements: Vec<Vec<U256>>,
        /// The slot of each loan, rising.
        slots: Vec<usize>,
        /// The aggregate's proof.
        proof: Bytes,
    },
}

/// What became of one loan of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemResult {
    /// It is open.
    Opened {
        /// The loan.
        id: U256,
        /// What was paid out.
        amount: U256,
        /// What it spent.
        nullifier: B256,
    },
    /// It was refused, for this reason.
    Refused(Box<Revert>),
}

impl Batch {
    /// The transaction.
    ///
    /// Each item's gas is promised to it, and an item may take all of it when it is mined though it took little in the estimate: a
    /// borrower's wallet or an attestor decides. The transaction carries as much for all but the last, for which the estimate has it.
    pub fn call(&self) -> Call {
        let others = u64::try_from(self.requests.len().saturating_sub(1)).unwrap_or(u64::MAX);
        let spare_gas = others.saturating_mul(self.gas_per_item.saturating_add(GAS_OF_A_REFUSAL));
        Call { spare_gas, ..self.plain_call() }
    }

    fn plain_call(&self) -> Call {
        let requests: Vec<_> = self.requests.iter().map(LoanRequest::encoded).collect();
        let permits = self.requests.iter().map(|request| request.permit.clone().unwrap_or_default()).collect();
        let (what, all) = ("opening the loans", self.all_or_nothing);
        let gas = U256::from(self.gas_per_item);
        match self.proof.clone() {
            BatchProof::Each => {
                let call = ILendingThreshold::openLoansCall { requests, permits, gasPerItem: gas, allOrNothing: all };
                Call::new(what, self.lending, &call)
            }
            BatchProof::Together { expiry, proof } => {
                let requests = requests.into_iter().map(without_proof).collect();
                let call = ILendingThreshold::openLoansTogetherCall {
                    requests,
                    permits,
                    expiry,
                    proof,
                    gasPerItem: gas,
                    allOrNothing: all,
                };
                Call::new(what, self.lending, &call)
            }
            BatchProof::Aggregate { id, mut statements, slots, proof } => {
                let requests = requests.into_iter().map(without_proof).collect();
                // The pool puts a loan's statement together itself: nothing stands in its slot.
                slots.iter().filter_map(|slot| statements.get_mut(*slot).map(std::mem::take)).for_each(drop);
                let aggregate = ILendingThreshold::Aggregate { aggregateId: id, otherSlots: statements, proof };
                let call = ILendingThreshold::openLoansAggregatedCall {
                    requests,
                    permits,
                    aggregate,
                    gasPerItem: gas,
                    allOrNothing: all,
                };
                Call::new(what, self.lending, &call)
            }
        }
    }

    /// Some of the loans, by their rising places, for a transaction of their own; the slots of the others go along as they are. Nothing
    /// where one proof is over all of them.
    pub fn part(&self, places: &[usize]) -> Option<Self> {
        let of = |slots: &[usize]| places.iter().filter_map(|place| slots.get(*place).copied()).collect();
        let proof = match &self.proof {
            BatchProof::Each => BatchProof::Each,
            BatchProof::Aggregate { id, statements, slots, proof } => {
                BatchProof::Aggregate { id: *id, statements: statements.clone(), slots: of(slots), proof: proof.clone() }
            }
            BatchProof::Together { .. } => return None,
        };
        let requests = places.iter().filter_map(|place| self.requests.get(*place).cloned()).collect();
        Some(Self { requests, proof, ..self.clone() })
    }

    /// Sends, and reads what became of each loan, in their order.
    ///
    /// # Errors
    /// [`ChainError::Reverted`] with `BatchItemFailed`, `BatchGasTooLow`, `PairingFailed`, ...; those of sending.
    pub async fn open(&self, chain: &Chain, account: &Account) -> Result<(Vec<ItemResult>, Mined), ChainError> {
        let call = self.call();
        let receipt = chain.send(account, &call).await?;
        let borrowers: Vec<Address> = self.requests.iter().map(|request| request.attestation.subject).collect();
        let results = results(self.lending, &borrowers, &receipt).ok_or_else(|| {
            chain.malformed(&call.what, format!("the events do not say what became of {} loans", self.requests.len()))
        })?;
        Ok((results, Mined::from(&receipt)))
    }
}

/// What became of each borrower's loan. A refusal names its place; the loans that were opened come in their order, each with its borrower.
pub(super) fn results(lending: Address, borrowers: &[Address], receipt: &TransactionReceipt) -> Option<Vec<ItemResult>> {
    let logs = || receipt.logs().iter().filter(|log| log.address() == lending).map(|log| &log.inner);
    let mut results: Vec<Option<ItemResult>> = vec![None; borrowers.len()];
    for refused in logs().filter_map(|log| ILendingThreshold::BatchItemRefused::decode_log(log).ok()) {
        let reason = Box::new(Revert::decode(&refused.reason));
        *results.get_mut(usize::try_from(refused.index).ok()?)? = Some(ItemResult::Refused(reason));
    }
    let mut opened = logs().filter_map(|log| ILendingThreshold::LoanOpened::decode_log(log).ok());
    for (borrower, result) in borrowers.iter().zip(&mut results).filter(|(_, result)| result.is_none()) {
        let loan = opened.next().filter(|loan| loan.borrower == *borrower)?;
        *result = Some(ItemResult::Opened { id: loan.loanId, amount: loan.amount, nullifier: loan.nullifier });
    }
    if opened.next().is_some() { None } else { results.into_iter().collect() }
}

fn without_proof(request: ILendingThreshold::BorrowRequest) -> ILendingThreshold::BorrowRequest {
    ILendingThreshold::BorrowRequest { proof: Bytes::new(), ..request }
}
