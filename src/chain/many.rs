//! Many loans by one account, several transactions in flight: each is in the journal before it is sent, so that a run that was killed at
//! any point goes on where it was, and nothing is lost or sent twice.
//!
//! Why nothing is sent twice. An item's next transaction is signed only while none of its earlier ones can be mined any more: their nonce
//! has been used by a transaction that is not ours ([`Entry::Dropped`]), or one of them was mined and opened nothing. An item whose papers
//! changed is another item, and waits for what is under way for its borrower. And whatever goes wrong here, the pool opens no second loan
//! for one nullifier.
//!
//! Why nothing gets stuck. A transaction that is written down has its nonce for good, and those behind it wait for it. Where the node does
//! not take it for a reason that does not pass, a transfer of nothing to the sender gets its nonce.

use super::error::ChainError;
use super::fees::Fees;
use super::item::{Item, Outcome, is_of_the_item};
use super::journal::{End, Entry, Flight, Journal};
use super::lanes::{Lanes, held_back};
use super::opening::{self, Opening};
use super::provider::Chain;
use super::send::{Call, Signed, most_of};
use super::signer::Account;
use super::wait::REPEAT;
use crate::error::Explain;
use alloy::primitives::utils::format_ether;
use alloy::primitives::{B256, TxHash, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Whether the node will never take a transaction because of this. It may be another node's mistake: what was signed stays valid.
fn is_final(error: &ChainError) -> bool {
    matches!(error, ChainError::GasLimit { .. } | ChainError::Reverted { .. } | ChainError::Rpc { .. }) && !error.retryable()
}

/// An item's transactions of one nonce, on their way.
struct Flying {
    flight: Flight,
    /// When the newest of them was signed.
    since: Instant,
    /// When the node was last handed one of them, where it took it.
    published: Option<Instant>,
    /// Since when the nonce is used, and by none of them.
    gone: Option<Instant>,
    /// Why the nonce is given up.
    refusal: Option<Outcome>,
}

impl Flying {
    fn new(flight: Flight) -> Self {
        Self { flight, since: Instant::now(), published: None, gone: None, refusal: None }
    }

    fn hashes(&self) -> Vec<TxHash> {
        self.flight.attempts.iter().map(Signed::hash).collect()
    }
}

/// A run.
pub struct Campaign<'a> {
    chain: &'a Chain,
    account: &'a Account,
    journal: Journal,
    window: usize,
    /// What was sent with a lower nonce and opened nothing is tried again.
    retry_below: u64,
    tell: &'a mut (dyn FnMut(&str, &Outcome) + Send + Sync),
    items: BTreeMap<B256, Item>,
    queue: VecDeque<B256>,
    flying: BTreeMap<u64, Flying>,
    outcomes: BTreeMap<String, Outcome>,
    /// Most wei that the run may cost.
    limit: U256,
    /// Wei by nonce: what it may cost at most, and has cost once it is in a block.
    costs: BTreeMap<u64, U256>,
    /// When something last came down.
    progress: Instant,
}

impl<'a> Campaign<'a> {
    /// A run over items, at most `window` of them in flight; `tell` hears of each item's end.
    pub fn new(
        chain: &'a Chain,
        account: &'a Account,
        journal: Journal,
        window: usize,
        tell: &'a mut (dyn FnMut(&str, &Outcome) + Send + Sync),
    ) -> Self {
        let (items, queue, flying) = (BTreeMap::new(), VecDeque::new(), BTreeMap::new());
        let (outcomes, progress) = (BTreeMap::new(), Instant::now());
        let (window, retry_below, limit, costs) = (window.max(1), 0, U256::MAX, BTreeMap::new());
        Self { chain, account, journal, window, retry_below, tell, items, queue, flying, outcomes, limit, costs, progress }
    }

    /// The same run under a limit on what all of it may cost, in wei.
    pub fn limited(self, limit: Option<U256>) -> Self {
        Self { limit: limit.unwrap_or(self.limit), ..self }
    }

    /// The same run; it tries again what was sent with a nonce below this one and opened nothing. Of what has failed since, it does not: whoever
    /// runs again and again would pay again and again.
    pub fn retrying(self, below: u64) -> Self {
        Self { retry_below: below, ..self }
    }

    /// Finds out first what became of all that an earlier run signed, then sends the rest; what became of each item, by name.
    ///
    /// # Errors
    /// What concerns all items: an unreachable node, fees above the ceilings, [`ChainError::RunTooDear`], an account without means, a full disk,
    /// [`ChainError::NotMined`] where nothing moves any more. The journal knows what is under way: run again.
    pub async fn run(self, items: Vec<Item>) -> Result<BTreeMap<String, Outcome>, ChainError> {
        let (outcomes, failure) = self.run_as_far(items).await;
        failure.map_or(Ok(outcomes), Err)
    }

    /// As [`Campaign::run`], with what is known of the items also where an error ends it.
    pub async fn run_as_far(mut self, items: Vec<Item>) -> (BTreeMap<String, Outcome>, Option<ChainError>) {
        let failure = self.go(items).await.err();
        (self.outcomes, failure)
    }

    async fn go(&mut self, items: Vec<Item>) -> Result<(), ChainError> {
        self.load(items);
        self.reconcile().await?;
        self.hold_back();
        self.progress = Instant::now();
        let mut failure = None;
        loop {
            self.land().await?;
            // Only after having looked: a person may have taken longer to agree to what was signed meanwhile.
            if !self.flying.is_empty() && self.progress.elapsed() >= self.chain.patience().confirm {
                let stuck = self.flying.values().next().map(Flying::hashes).unwrap_or_default();
                return Err(failure.unwrap_or_else(|| self.chain.not_mined("opening the loans", &stuck)));
            }
            if failure.is_none() {
                failure = self.launch().await.err();
            }
            // After a failure only what the node has taken is waited for.
            let waiting = self.flying.values().any(|flying| failure.is_none() || flying.published.is_some());
            if !waiting && (failure.is_some() || self.queue.is_empty()) {
                return failure.map_or(Ok(()), Err);
            }
            if failure.is_none() {
                failure = self.hurry().await.err();
            }
            tokio::time::sleep(self.chain.longest_pause() / 4).await;
        }
    }

    /// By the borrowers' nonces, then by name.
    fn load(&mut self, mut items: Vec<Item>) {
        items.sort_by(|a, b| (a.opening.nonce(), &a.name).cmp(&(b.opening.nonce(), &b.name)));
        for item in items {
            let digest = item.digest();
            match self.items.get(&digest) {
                Some(first) => {
                    let of = first.name.clone();
                    self.end(&item.name, Outcome::Duplicate { of });
                }
                None => {
                    self.queue.push_back(digest);
                    self.items.insert(digest, item);
                }
            }
        }
    }

    fn end(&mut self, name: &str, outcome: Outcome) {
        (self.tell)(name, &outcome);
        self.outcomes.insert(name.to_owned(), outcome);
    }

    /// Everything that was ever signed is asked for, what is in a block too: a reorganisation may have thrown it out meanwhile. What is in
    /// no block is handed to the node again, the very same bytes.
    async fn reconcile(&mut self) -> Result<(), ChainError> {
        let latest = self.latest().await?;
        for (nonce, flight) in self.journal.flights().clone() {
            let flying = Flying::new(flight);
            let found = self.chain.receipt_of_any("looking for what was sent", &flying.hashes()).await?;
            match found.filter(|receipt| self.is_deep(receipt, latest)) {
                Some(receipt) => {
                    // A run that was killed may not have come to write it down.
                    if flying.flight.mined != Some((receipt.transaction_hash, receipt.status())) {
                        self.mined(nonce, &flying.flight, &receipt)?;
                    }
                    if !self.goes_again(nonce, flying.flight.digest) {
                        self.conclude(&flying, &receipt).await?;
                    }
                }
                None => {
                    self.unqueue(flying.flight.digest);
                    self.flying.insert(nonce, flying);
                }
            }
        }
        Ok(())
    }

    /// Writes down which of a nonce's transactions is in a block.
    fn mined(&mut self, nonce: u64, flight: &Flight, receipt: &TransactionReceipt) -> Result<(), ChainError> {
        let (digest, tx, succeeded) = (flight.digest, receipt.transaction_hash, receipt.status());
        self.journal.ended(&Entry::Mined { digest, nonce, tx, block: receipt.block_number.unwrap_or_default(), succeeded })
    }

    /// Whether what a nonce went to leaves its item to be sent again, or opened nothing for another run.
    fn goes_again(&self, nonce: u64, digest: B256) -> bool {
        match self.items.get(&digest) {
            Some(item) => self.journal.goes_again(nonce, matches!(item.opening, Opening::Batch(_)), self.retry_below),
            None => self.journal.end_of(nonce) != Some(End::Succeeded),
        }
    }

    fn unqueue(&mut self, digest: B256) {
        self.queue.retain(|queued| *queued != digest);
    }

    async fn latest(&self) -> Result<u64, ChainError> {
        let what = "asking for the last block";
        self.chain.provider().get_block_number().await.map_err(|e| self.chain.explain(what, e))
    }

    fn is_deep(&self, receipt: &TransactionReceipt, latest: u64) -> bool {
        receipt.block_number.is_some_and(|at| latest.saturating_add(1).saturating_sub(at) >= self.chain.confirmations())
    }

    /// What is in a block and deep enough has come down; what can no longer be mined is queued again.
    async fn land(&mut self) -> Result<(), ChainError> {
        let what = "looking for what was sent";
        let latest = self.latest().await?;
        let used = self.chain.nonce(what, self.account.address()).await?;
        let below: Vec<u64> = self.flying.range(..used).map(|(&nonce, _)| nonce).collect();
        for flying in self.flying.range_mut(used..).map(|(_, flying)| flying) {
            flying.gone = None;
        }
        for nonce in below {
            let Some(mut flying) = self.flying.remove(&nonce) else { continue };
            match self.chain.receipt_of_any(what, &flying.hashes()).await? {
                Some(receipt) if self.is_deep(&receipt, latest) => {
                    self.costs
                        .insert(nonce, U256::from(receipt.gas_used).saturating_mul(U256::from(receipt.effective_gas_price)));
                    self.mined(nonce, &flying.flight, &receipt)?;
                    self.progress = Instant::now();
                    self.conclude(&flying, &receipt).await?;
                    continue;
                }
                Some(_) => flying.gone = None,
                None => {
                    // One node of several may know the nonce before another knows the receipt.
                    if flying.gone.get_or_insert_with(Instant::now).elapsed() >= self.grace() {
                        let digest = flying.flight.digest;
                        self.journal.ended(&Entry::Dropped { digest, nonce })?;
                        self.progress = Instant::now();
                        match flying.refusal {
                            Some(refusal) => self.end_flight(&flying.flight, refusal),
                            None => self.again(&flying.flight),
                        }
                        continue;
                    }
                }
            }
            self.flying.insert(nonce, flying);
        }
        Ok(())
    }

    /// What lost its nonce goes again with another one. A batch was put together for a pool that has gone on since: it ends, and whoever asks
    /// the pool about each loan may put it together anew.
    fn again(&mut self, flight: &Flight) {
        match self.items.get(&flight.digest).map(|item| &item.opening) {
            Some(Opening::Batch(_)) => {
                let error = ChainError::LostNonce { item: flight.item.clone(), account: self.account.address() };
                self.end_flight(flight, Outcome::refused(&error));
            }
            Some(Opening::Loan(_)) => self.queue.push_back(flight.digest),
            None => {}
        }
    }

    /// How long a used nonce may be without a receipt of ours, and a transaction without being handed to the node again.
    fn grace(&self) -> Duration {
        self.chain.longest_pause() * REPEAT
    }

    async fn conclude(&mut self, flying: &Flying, receipt: &TransactionReceipt) -> Result<(), ChainError> {
        let tx = receipt.transaction_hash;
        let Some(signed) = flying.flight.attempts.iter().find(|signed| signed.hash() == tx) else { return Ok(()) };
        let flight = &flying.flight;
        let failed = |reason: String| Outcome::Failed { tx, reason };
        let outcome = match receipt.status() {
            true if signed.is_void() => {
                let given_up = || failed("the node did not take its transaction, and its nonce was given up".to_owned());
                flying.refusal.clone().unwrap_or_else(given_up)
            }
            true => {
                let (pool, data) = signed.target();
                opening::outcome(pool, data, receipt).unwrap_or_else(failed)
            }
            false => match self.items.get(&flight.digest) {
                // An earlier one of its transactions was mined after all.
                Some(item) if item.opening.is_open(self.chain).await? => Outcome::AlreadyOpen,
                _ => failed(self.chain.failed(signed, receipt).await.to_string()),
            },
        };
        self.unqueue(flight.digest);
        self.end_flight(flight, outcome);
        Ok(())
    }

    fn end_flight(&mut self, flight: &Flight, outcome: Outcome) {
        let name = match self.items.get(&flight.digest) {
            Some(item) => item.name.clone(),
            None if self.items.values().any(|item| item.name == flight.item) => format!("{} (with earlier papers)", flight.item),
            None => flight.item.clone(),
        };
        self.end(&name, outcome);
    }

    /// Batches that may not go now end before they are sent, and may be put together anew.
    fn hold_back(&mut self) {
        let under_way = self.flying.values().map(|flying| (flying.flight.item.clone(), flying.flight.lanes.clone()));
        let queued = self.queue.iter().filter_map(|digest| self.items.get(digest).map(|item| (*digest, item)));
        let batches = queued.filter(|(_, item)| matches!(item.opening, Opening::Batch(_)));
        let batches = batches.map(|(digest, item)| (digest, item.name.clone(), item.lanes()));
        for (digest, item, first) in held_back(under_way, batches) {
            self.unqueue(digest);
            let outcome = Outcome::refused(&ChainError::HeldBack { item: item.clone(), first });
            self.end(&item, outcome);
        }
    }

    /// Simulates, signs, writes down and sends, until the window is full.
    async fn launch(&mut self) -> Result<(), ChainError> {
        while self.flying.len() < self.window {
            let busy: Lanes = self.flying.values().flat_map(|flying| flying.flight.lanes.iter().copied()).collect();
            let free = |digest: &B256| self.items.get(digest).is_some_and(|item| item.lanes().is_disjoint(&busy));
            let Some(at) = self.queue.iter().position(free) else { return Ok(()) };
            let Some(item) = self.queue.get(at).and_then(|digest| self.items.get(digest)).cloned() else { return Ok(()) };
            let outcome = match self.sign(&item).await {
                Ok(Some(signed)) => {
                    self.queue.remove(at);
                    self.send(&item, signed).await?;
                    continue;
                }
                Ok(None) => Outcome::AlreadyOpen,
                Err(error) if is_of_the_item(&error) => Outcome::refused(&error),
                // What is in flight may cost less than it may at most.
                Err(ChainError::RunTooDear { .. }) if !self.flying.is_empty() => return Ok(()),
                Err(error) => return Err(error),
            };
            self.queue.remove(at);
            self.end(&item.name, outcome);
        }
        Ok(())
    }

    /// Simulates and signs; nothing where the loan is open. Nothing is written down yet: an error may be the item's own.
    async fn sign(&self, item: &Item) -> Result<Option<Signed>, ChainError> {
        if item.opening.is_open(self.chain).await? {
            return Ok(None);
        }
        let nonce = self.next_nonce().await?;
        let call = item.call();
        let request = self.chain.request_at(self.account.address(), &call, nonce).await?;
        self.afford(nonce, most_of(&request))?;
        self.chain.rehearse(&call.what, &request).await?;
        self.chain.sign(self.account, &call.what, request).await.map(Some)
    }

    /// The next nonce that nothing has. The node's word is taken only as far as blocks and the journal bear it out: nothing behind a gap is
    /// ever mined.
    async fn next_nonce(&self) -> Result<u64, ChainError> {
        let (what, account) = ("asking for the next nonce", self.account.address());
        let pending = self.chain.pending_nonce(what, account).await?;
        // Asked afterwards: what is mined between the two is no stranger's.
        let expected = self.chain.nonce(what, account).await?.max(self.journal.end());
        let elsewhere = || ChainError::UsedElsewhere { account, expected, pending };
        if pending > expected {
            return Err(elsewhere());
        }
        let mut nonce = pending;
        while self.journal.flights().contains_key(&nonce) {
            nonce = nonce.checked_add(1).ok_or_else(elsewhere)?;
        }
        Ok(nonce)
    }

    /// Whether a nonce's transaction may cost this besides what the run's others cost.
    fn afford(&self, nonce: u64, cost: U256) -> Result<(), ChainError> {
        let others = self.costs.iter().filter(|(other, _)| **other != nonce).map(|(_, cost)| *cost);
        let cost = others.fold(cost, U256::saturating_add);
        match cost <= self.limit {
            true => Ok(()),
            false => Err(ChainError::RunTooDear { cost: format_ether(cost), limit: format_ether(self.limit) }),
        }
    }

    /// Writes down and sends. From the first on the transaction has its nonce, whatever is said of it.
    async fn send(&mut self, item: &Item, signed: Signed) -> Result<(), ChainError> {
        let (nonce, digest) = (signed.nonce(), item.digest());
        self.journal.signed(&item.name, item.proof, digest, &signed)?;
        self.progress = Instant::now();
        self.costs.insert(nonce, signed.max_cost());
        let (name, proof, lanes) = (item.name.clone(), item.proof, item.lanes());
        self.flying.insert(nonce, Flying::new(Flight::new(name, proof, digest, lanes, signed)));
        self.publish(nonce).await
    }

    /// Hands a nonce's newest transaction to the node, and gives the nonce up where the node will never take it.
    async fn publish(&mut self, nonce: u64) -> Result<(), ChainError> {
        let Err(error) = self.hand_over(nonce).await else { return Ok(()) };
        if !is_final(&error) || self.flying.get(&nonce).is_none_or(|flying| flying.flight.is_void()) {
            return Err(error);
        }
        self.give_up(nonce, &error).await?;
        self.hand_over(nonce).await
    }

    async fn hand_over(&mut self, nonce: u64) -> Result<(), ChainError> {
        let Some(flying) = self.flying.get_mut(&nonce) else { return Ok(()) };
        let Some(signed) = flying.flight.attempts.last() else { return Ok(()) };
        match self.chain.publish(signed).await {
            Ok(()) => flying.published = Some(Instant::now()),
            // Another transaction has the nonce, or stands in its way or before it: which one is mined shows what to do.
            Err(ChainError::NonceTooLow { .. } | ChainError::NonceTooHigh { .. } | ChainError::Underpriced { .. }) => {}
            // The node took one of them: that one may be mined, whatever is said of the newest.
            Err(_) if flying.published.is_some() => flying.published = Some(Instant::now()),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Signs and writes down a transfer of nothing in the place of a transaction that nobody takes.
    async fn give_up(&mut self, nonce: u64, error: &ChainError) -> Result<(), ChainError> {
        let Some(flying) = self.flying.get_mut(&nonce) else { return Ok(()) };
        let (flight, sender) = (&mut flying.flight, self.account.address());
        let call = Call::transfer(format!("giving up the nonce of {}", flight.item), sender, U256::ZERO);
        let request = self.chain.request_at(sender, &call, nonce).await?;
        let void = self.chain.sign(self.account, &call.what, request).await?;
        self.journal.signed(&flight.item, flight.proof, flight.digest, &void)?;
        flight.attempts.push(void);
        (flying.refusal, flying.since) = (Some(Outcome::refused(error)), Instant::now());
        Ok(())
    }

    /// What no block takes is handed over again, since nodes forget, and replaced where it is stuck.
    async fn hurry(&mut self) -> Result<(), ChainError> {
        let used = self.chain.nonce("looking for what was sent", self.account.address()).await?;
        let waiting: Vec<u64> = self.flying.range(used..).map(|(&nonce, _)| nonce).collect();
        let mut failure = None;
        for &nonce in &waiting {
            let forgotten = |flying: &Flying| flying.published.is_none_or(|at| at.elapsed() >= self.grace());
            if self.flying.get(&nonce).is_some_and(forgotten) {
                failure = failure.or(self.publish(nonce).await.err());
            }
        }
        let turn = self.chain.replace_after();
        let stuck = |nonce: &u64| self.flying.get(nonce).is_some_and(|f| turn.is_some_and(|turn| f.since.elapsed() >= turn));
        // What a higher fee helps is not left because something else went wrong.
        if waiting.first().is_some_and(stuck) {
            let market = self.chain.fees("replacing what is stuck").await?;
            for (i, &nonce) in waiting.iter().enumerate() {
                self.replace(nonce, i == 0, market).await?;
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Replaces a nonce's transaction: the first one in the line in any case, those behind it where the market has left them behind, too.
    async fn replace(&mut self, nonce: u64, first: bool, market: Fees) -> Result<(), ChainError> {
        let Some(flying) = self.flying.get_mut(&nonce) else { return Ok(()) };
        let Some(last) = flying.flight.attempts.last() else { return Ok(()) };
        if !first && last.max_fee_per_gas() >= market.most() {
            return Ok(());
        }
        flying.since = Instant::now();
        let Some(raised) = self.chain.replacement(self.account, last).await? else { return Ok(()) };
        if self.afford(nonce, raised.max_cost()).is_err() {
            return Ok(());
        }
        self.costs.insert(nonce, raised.max_cost());
        let Some(flying) = self.flying.get_mut(&nonce) else { return Ok(()) };
        self.journal.signed(&flying.flight.item, flying.flight.proof, flying.flight.digest, &raised)?;
        flying.flight.attempts.push(raised);
        self.publish(nonce).await
    }
}
