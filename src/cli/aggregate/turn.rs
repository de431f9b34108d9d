//! Whose turn it is: of each borrower one loan goes at a time.
//!
//! The pool takes a borrower's loans in the order of their nonces only. So a loan goes when the pool says that it would open it now, or at least
//! that its nonce is the next one, and a borrower's next one is asked about when that is in a block. Whatever the order of groups and slots is,
//! the nonces' order comes out, and no loan depends on another of the same transaction.

use crate::chain::settle::LoanRequest;
use alloy::primitives::{Address, U256};
use std::collections::BTreeMap;

/// A loan in its slot.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its file in the group's folder.
    pub name: String,
    /// The loan.
    pub request: LoanRequest,
    /// The slot.
    pub slot: usize,
}

/// Borrowers of whom a loan goes now, and which.
pub type Turns = BTreeMap<Address, String>;

/// Of loans that the pool would open, each borrower's of the least nonce, where none of the borrower's goes already; and the others, all in
/// their order.
pub fn in_turn(loans: Vec<Placed>, turns: &Turns) -> (Vec<Placed>, Vec<Placed>) {
    let mut first: BTreeMap<Address, (U256, usize)> = BTreeMap::new();
    let of = |loan: &Placed| (loan.request.attestation.subject, (loan.request.nonce, loan.slot));
    for (borrower, place) in loans.iter().map(of) {
        let first = first.entry(borrower).or_insert(place);
        *first = place.min(*first);
    }
    loans.into_iter().partition(|loan| {
        let (borrower, place) = of(loan);
        !turns.contains_key(&borrower) && first.get(&borrower) == Some(&place)
    })
}

#[cfg(test)]
mod tests {
    use super::{Placed, Turns, in_turn};
    use crate::chain::{attest::SignedAttestation, settle::LoanRequest};
    use alloy::primitives::{Address, B256, Bytes, U256};

    fn loan(borrower: u8, nonce: u64, slot: usize) -> Placed {
        let attestation = SignedAttestation {
            chain_id: 1,
            verifying_contract: Address::ZERO,
            attestor: Address::ZERO,
            subject: Address::repeat_byte(borrower),
            input_commitment: B256::ZERO,
            schema_id: B256::ZERO,
            issued_at: 0,
            expires_at: 0,
            signature: Bytes::new(),
        };
        let (lending, policy_id, amount, nonce) = (Address::ZERO, B256::ZERO, U256::ONE, U256::from(nonce));
        let (proof, permit) = (Bytes::new(), None);
        let request = LoanRequest { lending, policy_id, tier: 0, amount, attestation, nonce, expiry: 0, proof, permit };
        Placed { name: format!("loan {slot}"), request, slot }
    }

    fn slots(loans: &[Placed]) -> Vec<usize> {
        loans.iter().map(|loan| loan.slot).collect()
    }

    fn of_nonces(loans: &[(u8, u64)], going: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let loans = loans.iter().enumerate().map(|(slot, &(borrower, nonce))| loan(borrower, nonce, slot)).collect();
        let turns: Turns = going.iter().map(|&borrower| (Address::repeat_byte(borrower), "another".to_owned())).collect();
        let (go, later) = in_turn(loans, &turns);
        (slots(&go), slots(&later))
    }

    fn of(borrowers: &[u8], going: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let loans: Vec<(u8, u64)> = borrowers.iter().map(|&borrower| (borrower, 7)).collect();
        of_nonces(&loans, going)
    }

    #[test]
    fn of_each_borrower_one_loan_goes() {
        assert_eq!(of(&[1, 2, 1, 3, 2, 1], &[]), (vec![0, 1, 3], vec![2, 4, 5]));
        assert_eq!(of(&[1, 2, 1, 3], &[1]), (vec![1, 3], vec![0, 2]), "one of another group goes already");
        assert_eq!(of(&[1, 1], &[1]), (vec![], vec![0, 1]));
        assert_eq!(of(&[], &[1]), (vec![], vec![]));
    }

    /// Where the pool could not be asked, slots say nothing about whose turn it is.
    #[test]
    fn of_a_borrower_the_least_nonce_goes_whatever_its_slot() {
        assert_eq!(of_nonces(&[(1, 9), (2, 3), (1, 8), (1, 10), (2, 2)], &[]), (vec![2, 4], vec![0, 1, 3]));
        assert_eq!(of_nonces(&[(1, 9), (2, 3), (1, 8), (2, 2)], &[1]), (vec![3], vec![0, 1, 2]));
    }

    /// Round after round all of them go, each borrower's in their order, and no round is empty.
    #[test]
    fn all_have_their_turn() {
        let loans = [(1, 7), (1, 6), (2, 7), (1, 8), (3, 7), (3, 7)].into_iter().enumerate();
        let mut left: Vec<Placed> = loans.map(|(slot, (borrower, nonce))| loan(borrower, nonce, slot)).collect();
        let mut rounds = Vec::new();
        while !left.is_empty() {
            let (go, later) = in_turn(left, &Turns::new());
            rounds.push(slots(&go));
            left = later;
        }
        assert_eq!(rounds, [vec![1, 2, 4], vec![0, 5], vec![3]]);
    }
}
