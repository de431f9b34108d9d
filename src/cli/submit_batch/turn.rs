//! Behind a loan that is missing the pool takes none of its borrower's: what is not sent, because it would be refused.

use crate::chain::settle::LoanRequest;
use alloy::primitives::{Address, U256};
use std::collections::BTreeMap;

/// Which of a transaction's loans go, in their order, and which are held back: those whose nonce is above the borrower's next one in the pool,
/// as far as that was asked.
pub fn held_back<'a>(
    loans: impl Iterator<Item = (usize, &'a LoanRequest)>,
    mut next: BTreeMap<Address, U256>,
) -> (Vec<usize>, Vec<usize>) {
    let (mut go, mut held) = (Vec::new(), Vec::new());
    for (at, request) in loans {
        match next.get_mut(&request.attestation.subject) {
            Some(next) if *next < request.nonce => held.push(at),
            next => {
                // The next one may go behind it in the same transaction.
                if let Some(next) = next.filter(|next| **next == request.nonce) {
                    *next = next.saturating_add(U256::ONE);
                }
                go.push(at);
            }
        }
    }
    (go, held)
}

#[cfg(test)]
mod tests {
    use super::held_back;
    use crate::chain::{attest::SignedAttestation, settle::LoanRequest};
    use alloy::primitives::{Address, B256, Bytes, U256};

    fn loan(borrower: u8, nonce: u64) -> LoanRequest {
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
        let (lending, policy_id, amount) = (Address::ZERO, B256::ZERO, U256::ONE);
        let (proof, permit) = (Bytes::new(), None);
        LoanRequest { lending, policy_id, tier: 0, amount, attestation, nonce: U256::from(nonce), expiry: 0, proof, permit }
    }

    /// Which go of loans of borrowers with these nonces, where the pool expects these.
    fn go(loans: &[(u8, u64)], next: &[(u8, u64)]) -> Vec<usize> {
        let requests: Vec<LoanRequest> = loans.iter().map(|&(borrower, nonce)| loan(borrower, nonce)).collect();
        let next = next.iter().map(|&(borrower, nonce)| (Address::repeat_byte(borrower), U256::from(nonce))).collect();
        let (go, held) = held_back(requests.iter().enumerate(), next);
        assert_eq!(go.len() + held.len(), loans.len());
        go
    }

    #[test]
    fn behind_a_gap_nothing_goes() {
        let loans = [(1, 7), (2, 3), (1, 8), (2, 4)];
        assert_eq!(go(&loans, &[]), [0, 1, 2, 3], "nothing is known against them");
        assert_eq!(go(&loans, &[(1, 7)]), [0, 1, 2, 3]);
        assert_eq!(go(&loans, &[(1, 6)]), [1, 3], "the one of nonce 6 was refused or left out");
        assert_eq!(go(&[(1, 7), (1, 9), (1, 8)], &[(1, 7)]), [0, 2], "9 has no 8 before it");
        assert_eq!(go(&[(1, 0), (1, 1)], &[(1, 1)]), [0, 1], "one whose nonce is used holds back no good one");
        assert!(go(&[(1, u64::MAX)], &[(1, 5)]).is_empty());
    }
}
