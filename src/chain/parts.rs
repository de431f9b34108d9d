//! The loans of a batch in as few transactions as there may be: a chain limits what one takes (EIP-7825, the block), and a transaction
//! promises each of its loans gas.
//!
//! Loans are taken by their borrowers' nonces, so that nobody's second loan goes before the first, and otherwise in their order; each
//! transaction gets as many as fit, which the node is asked. One that does not fit alone is left out: it costs the others some questions.

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

    /// What one transaction of all the loans would take, or why it does not fit.
    async fn take(
        &self,
        chain: &Chain,
        from: Address,
        places: &[usize],
        names: &[String],
    ) -> Result<Result<Simulation, ChainError>, ChainError> {
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
mod tests {
    use super::Search;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    const BASE: u64 = 410;

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
