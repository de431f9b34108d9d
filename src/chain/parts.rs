//! The loans of a batch in as few transactions as there may be: a chain limits what one takes (EIP-7825, the block), and a transaction
//! promises each of its loans gas.
//!
//! Loans are taken by their borrowers' nonces, so that nobody's second loan goes before the first, and otherwise in their order; each
//! transaction gets as many as fit, which the node is asked, and whose places are in the order of each borrower's nonces. One that does not fit alone is left out: it costs the others some questions.

use super::batch::{Batch, BatchProof};
use super::error::ChainError;
use super::journal::opening_of;
use super::provider::Chain;
use super::send::{Simulation, TRANSACTION_GAS_CAP};
use alloy::primitives::Address;
use std::collections::BTreeMap;
use std::ops::Range;

/// The error by which the pool says that a transaction's gas is not enough for all loans.
const TOO_LITTLE_GAS: &str = "BatchGasTooLow";

/// A batch, divided.
#[derive(Debug)]
pub struct Parts {
    /// What goes in each transaction.
    pub parts: Vec<Part>,
    /// The loans that do not fit in one alone, with why.
    pub alone: BTreeMap<usize, ChainError>,
}

/// The loans of one transaction.
#[derive(Clone, Debug)]
pub struct Part {
    /// Their places in the batch, rising.
    pub loans: Vec<usize>,
    /// What the transaction would take now.
    pub simulation: Simulation,
}

impl Batch {
    /// Divides the loans among transactions of `from`; `names` are theirs, for errors.
    ///
    /// # Errors
    /// [`ChainError::Undivided`] where the loans must be in one transaction and do not fit; as [`Chain::simulate`].
    pub async fn split(&self, chain: &Chain, from: Address, names: &[String]) -> Result<Parts, ChainError> {
        let mut order: Vec<usize> = (0..self.requests.len()).collect();
        order.sort_by_key(|&at| self.requests[at].nonce);
        let mut search = Search::new(order.len());
        while let Some(run) = search.question() {
            let loans = sorted(&order[run]);
            // One proof over all of them goes as a whole or not at all.
            let part = self.part(&loans);
            let answer = part.as_ref().unwrap_or(self).take(chain, from, &loans, names).await?;
            if let (Err(error), Some(because), 2..) = (&answer, self.undivided(), loans.len()) {
                return Err(ChainError::Undivided { loans: loans.len(), because, message: error.to_string() });
            }
            search.answer(answer);
        }
        let part = |(run, simulation): (Range<usize>, Simulation)| Part { loans: sorted(&order[run]), simulation };
        let alone = search.alone.into_iter().map(|(at, error)| (order[at], error)).collect();
        Ok(Parts { parts: search.runs.into_iter().map(part).collect(), alone })
    }

    /// Why the loans cannot go in several transactions; nothing where they can.
    fn undivided(&self) -> Option<&'static str> {
        match self.proof {
            BatchProof::Together { .. } => Some("one proof is over all of them"),
            _ if self.all_or_nothing => Some("all or none of them are to be opened"),
            _ => None,
        }
    }

    /// The contract goes by the loans' places, and takes a borrower's nonces in their order only: a later one that comes first would be
    /// refused. In a transaction of its own it waits. Where one proof is over all of them and each stands for itself, the run after opens it.
    fn out_of_turn(&self) -> Option<ChainError> {
        if matches!(self.proof, BatchProof::Together { .. }) && !self.all_or_nothing {
            return None;
        }
        let mut last = BTreeMap::new();
        self.requests.iter().find_map(|request| {
            let (borrower, got) = (request.attestation.subject, request.nonce);
            let before = last.insert(borrower, got)?;
            (got < before).then_some(ChainError::OutOfTurn { borrower, before, got })
        })
    }

    /// What one transaction of all the loans would take, or why it does not fit.
    async fn take(
        &self,
        chain: &Chain,
        from: Address,
        places: &[usize],
        names: &[String],
    ) -> Result<Result<Simulation, ChainError>, ChainError> {
        if let Some(error) = self.out_of_turn() {
            return Ok(Err(error));
        }
        let mut call = self.call();
        let alone = match places {
            [place] => names.get(*place),
            _ => None,
        };
        if let Some(name) = alone {
            call.what = opening_of(name);
        }
        match chain.simulate(from, &call).await {
            // Nodes estimate more than they take.
            Ok(plan) if plan.gas_limit > TRANSACTION_GAS_CAP => {
                let message = format!("it may take {}, a transaction has {TRANSACTION_GAS_CAP}", plan.gas_limit);
                Ok(Err(ChainError::GasLimit { what: call.what, message }))
            }
            Ok(plan) => Ok(Ok(plan)),
            Err(error @ ChainError::GasLimit { .. }) => Ok(Err(error)),
            Err(error) if error.revert().is_some_and(|revert| revert.name == TOO_LITTLE_GAS) => {
                Ok(Err(ChainError::GasLimit { what: call.what, message: error.to_string() }))
            }
            Err(error) => Err(error),
        }
    }
}

fn sorted(places: &[usize]) -> Vec<usize> {
    let mut places = places.to_vec();
    places.sort_unstable();
    places
}

/// The search for the longest runs that fit, one question after the other. What fits alone fits with fewer, so that a run that is as long
/// as it can be is never wrong.
#[derive(Debug)]
struct Search<T, E> {
    count: usize,
    /// Where the run at hand begins.
    first: usize,
    /// The longest length known to fit, with what was answered.
    fits: (usize, Option<T>),
    /// The shortest known not to.
    fails: usize,
    /// How long the run before it was: the next one is mostly as long.
    guess: usize,
    runs: Vec<(Range<usize>, T)>,
    alone: BTreeMap<usize, E>,
}

impl<T, E> Search<T, E> {
    fn new(count: usize) -> Self {
        Self { count, first: 0, fits: (0, None), fails: count + 1, guess: count, runs: Vec::new(), alone: BTreeMap::new() }
    }

    /// Which run to ask about next; nothing where all is known.
    fn question(&self) -> Option<Range<usize>> {
        (self.first < self.count).then(|| self.first..self.first + self.length())
    }

    fn length(&self) -> usize {
        let (fits, left) = (self.fits.0, self.count - self.first);
        match self.fails - fits {
            _ if fits == 0 && self.fails > left => self.guess.min(left),
            // Equal loans: one more than before is one too many.
            _ if fits == self.guess => fits + 1,
            gap => fits + gap / 2,
        }
    }

    fn answer(&mut self, answer: Result<T, E>) {
        let length = self.length();
        match answer {
            Ok(simulation) => self.fits = (length, Some(simulation)),
            Err(error) if length == 1 => {
                self.alone.insert(self.first, error);
                self.next(1);
                return;
            }
            Err(_) => self.fails = length,
        }
        if self.fails == self.fits.0 + 1
            && let (length, Some(simulation)) = std::mem::take(&mut self.fits)
        {
            self.runs.push((self.first..self.first + length, simulation));
            self.guess = length;
            self.next(length);
        }
    }

    fn next(&mut self, length: usize) {
        self.first += length;
        (self.fits, self.fails) = ((0, None), self.count - self.first + 1);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Search;
    use crate::chain::ChainError;
    use crate::chain::attest::SignedAttestation;
    use crate::chain::batch::{Batch, BatchProof};
    use crate::chain::settle::LoanRequest;
    use alloy::primitives::{Address, B256, Bytes, U256};
    use rand::{Rng, SeedableRng, rngs::StdRng};

    const BASE: u64 = 410;

    /// A loan of a borrower.
    pub(in crate::chain) fn loan(borrower: u8, nonce: u64) -> LoanRequest {
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

    fn batch(loans: &[(u8, u64)], proof: BatchProof, all_or_nothing: bool) -> Batch {
        let requests = loans.iter().map(|&(borrower, nonce)| loan(borrower, nonce)).collect();
        Batch { lending: Address::ZERO, requests, proof, gas_per_item: 1, all_or_nothing }
    }

    #[test]
    fn a_later_nonce_in_an_earlier_place_does_not_fit() {
        let of = |loans: &[(u8, u64)]| batch(loans, BatchProof::Each, false).out_of_turn();
        assert!(of(&[(1, 8), (2, 7), (1, 9), (2, 8)]).is_none());
        assert!(of(&[(1, 8)]).is_none());
        let Some(ChainError::OutOfTurn { borrower, before, got }) = of(&[(1, 8), (2, 1), (1, 7)]) else { panic!() };
        assert_eq!((borrower, before, got), (Address::repeat_byte(1), U256::from(8), U256::from(7)));
        // What fits does so with fewer, in the order in which they are taken.
        assert!(of(&[(2, 1), (1, 7)]).is_none());
        let together = || BatchProof::Together { expiry: 0, proof: Bytes::new() };
        assert!(batch(&[(1, 8), (1, 7)], together(), false).out_of_turn().is_none());
        assert!(batch(&[(1, 8), (1, 7)], together(), true).out_of_turn().is_some());
    }

    /// What is found for loans of this gas each under a limit, and how many questions that took.
    fn found(loans: &[u64], limit: u64) -> (Vec<std::ops::Range<usize>>, Vec<usize>, usize) {
        let (mut search, mut questions) = (Search::new(loans.len()), 0);
        while let Some(run) = search.question() {
            assert!(!run.is_empty() && run.end <= loans.len(), "{run:?}");
            let needed = BASE + loans[run].iter().sum::<u64>();
            search.answer(if needed <= limit { Ok(needed) } else { Err(needed) });
            questions += 1;
        }
        let runs = search.runs.into_iter().map(|(run, needed)| {
            assert!(needed <= limit && needed == BASE + loans[run.clone()].iter().sum::<u64>());
            run
        });
        (runs.collect(), search.alone.into_keys().collect(), questions)
    }

    /// The fewest runs of the loans that fit alone, by trying all: none goes on beyond one that does not.
    fn fewest(loans: &[u64], limit: u64) -> usize {
        let mut best = vec![0; loans.len() + 1];
        for end in 1..=loans.len() {
            let fits = |&first: &usize| BASE + loans[first..end].iter().sum::<u64>() <= limit;
            best[end] = match BASE + loans[end - 1] <= limit {
                true => (0..end).filter(fits).map(|first| best[first] + 1).min().unwrap(),
                false => best[end - 1],
            };
        }
        best[loans.len()]
    }

    #[test]
    fn equal_loans_take_two_questions_a_transaction() {
        let (runs, alone, questions) = found(&[510; 32], 16_777);
        assert_eq!((runs.as_slice(), alone.len(), questions), (std::slice::from_ref(&(0..32)), 0, 1));
        assert_eq!(found(&[510; 33], 16_777).0, [0..32, 32..33]);
        let (runs, alone, questions) = found(&[510; 128], 16_777);
        assert_eq!((runs, alone), (vec![0..32, 32..64, 64..96, 96..128], vec![]));
        assert!(questions <= 7 + 2 * 3, "{questions}");
        assert_eq!(found(&[], 16_777), (vec![], vec![], 0));
        assert_eq!(found(&[17_000; 3], 16_777).1, [0, 1, 2]);
    }

    #[test]
    fn the_fewest_are_found_and_what_does_not_fit_alone_is_named() {
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..2_000 {
            let count = random.gen_range(1..40);
            let loans: Vec<u64> =
                (0..count).map(|_| random.gen_range(100..1_500) * (1 + 20 * u64::from(random.gen_bool(0.05)))).collect();
            let limit = random.gen_range(600..20_000);
            let (runs, alone, questions) = found(&loans, limit);
            let too_large: Vec<usize> = (0..count).filter(|&at| BASE + loans[at] > limit).collect();
            assert_eq!(alone, too_large);
            let mut covered: Vec<usize> = runs.iter().cloned().flatten().chain(alone).collect();
            covered.sort_unstable();
            assert_eq!(covered, (0..count).collect::<Vec<_>>());
            assert_eq!(runs.len(), fewest(&loans, limit), "{loans:?} {limit}: {runs:?}");
            assert!(questions <= (runs.len() + too_large.len()) * 8, "{questions} questions");
        }
    }
}
