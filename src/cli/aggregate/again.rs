//! Loans that a block refused for what may pass: not decided by that, they go in a further transaction when the pool would open them.

use crate::{
    chain::item::{BatchedLoan, Outcome},
    service::{MOST_TRIES, Share},
};
use std::collections::BTreeMap;

/// Such a loan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How many transactions it was in.
    pub tries: usize,
    /// What the last of them said.
    pub why: String,
}

/// Those of a group, by their files: the last transaction of each ended so, and it may be in another one.
pub fn refused_for_now<'a>(transactions: impl Iterator<Item = (&'a Share, Option<&'a Outcome>)>) -> BTreeMap<String, Refused> {
    let (mut tries, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for (share, outcome) in transactions {
        for (at, loan) in share.loans.iter().enumerate() {
            let tries = tries.entry(&loan.file).or_insert(0);
            *tries += 1;
            // What is not known of the last one is not known of the loan.
            refused.remove(&loan.file);
            if let Some(Outcome::Batch { loans, .. }) = outcome
                && let Some(BatchedLoan::Refused { reason, may_pass: true, .. }) = loans.get(at)
                && *tries < MOST_TRIES
            {
                refused.insert(loan.file.clone(), Refused { tries: *tries, why: reason.clone() });
            }
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::{Refused, refused_for_now};
    use crate::{
        chain::item::{BatchedLoan, Outcome},
        service::{Share, SlotLoan},
    };
    use alloy::primitives::{Address, TxHash};

    const BORROWER: Address = Address::ZERO;

    fn share(files: &[&str]) -> Share {
        let loan = |(slot, file): (usize, &&str)| SlotLoan { file: (*file).to_owned(), slot };
        Share { gas_per_item: 1, loans: files.iter().enumerate().map(loan).collect() }
    }

    fn refused(may_pass: bool) -> BatchedLoan {
        BatchedLoan::Refused { borrower: BORROWER, reason: "no money".into(), may_pass }
    }

    fn opened() -> BatchedLoan {
        BatchedLoan::Settled { borrower: BORROWER, loan_id: "1".into(), amount: "2".into() }
    }

    fn mined(loans: Vec<BatchedLoan>) -> Option<Outcome> {
        Some(Outcome::Batch { loans, tx: TxHash::ZERO, block: Some(1), gas_used: 1 })
    }

    /// The files, and how many transactions each was in.
    fn of(transactions: &[(Share, Option<Outcome>)]) -> Vec<(String, usize)> {
        let found = refused_for_now(transactions.iter().map(|(share, outcome)| (share, outcome.as_ref())));
        found.into_iter().map(|(file, Refused { tries, .. })| (file, tries)).collect()
    }

    #[test]
    fn what_a_block_refused_for_now_goes_again() {
        let mut sent = vec![(share(&["a", "b", "c"]), mined(vec![opened(), refused(true), refused(false)]))];
        assert_eq!(of(&sent), [("b".to_owned(), 1)]);
        sent.push((share(&["b"]), None));
        assert_eq!(of(&sent), [], "it is under way");
        sent[1].1 = mined(vec![refused(true)]);
        assert_eq!(of(&sent), [("b".to_owned(), 2)]);
        let last = |loan| [&sent[..], &[(share(&["b"]), mined(vec![loan]))]].concat();
        assert_eq!(of(&last(refused(true))), [], "three times, and not again");
        assert_eq!(of(&[&sent[..1], &[(share(&["b"]), mined(vec![opened()]))]].concat()), []);
        let failed = Outcome::Failed { tx: TxHash::ZERO, reason: "reverted".into() };
        assert_eq!(of(&[(share(&["a"]), Some(failed)), (share(&["b"]), mined(vec![refused(false)]))]), []);
    }
}
