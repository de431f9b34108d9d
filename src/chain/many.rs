//! Many loans by one account, several transactions in flight: each is in the journal before it is sent, so that a run that was killed at
//! any point goes on where it was, and nothing is lost or sent twice.
//!
//! Why nothing is sent twice. An item's next transaction is signed only while none of its earlier ones can be mined any more: their nonce
//! has been used by a transaction that is not ours ([`Entry::Dropped`]), or one of them was mined and failed. And whatever goes wrong
//! here, the pool opens no second loan for one nullifier.

use super::error::ChainError;
use super::fees::Fees;
use super::journal::{Entry, Flight, Journal, opening};
use super::provider::Chain;
use super::send::{Call, Signed};
use super::settle::{LoanRequest, OpenLoan};
use super::signer::Account;
use super::wait::REPEAT;
use crate::error::Explain;
use alloy::primitives::{Address, B256, TxHash, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// A loan to open.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name, for people.
    pub name: String,
    /// keccak256 of its proof file.
    pub proof: B256,
    /// What to send.
    pub request: LoanRequest,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// Its loan is open.
    Settled { loan_id: String, borrower: Address, amount: String, tx: TxHash, block: Option<u64>, gas_used: u64 },
    /// Its attestation has its loan already, by a transaction that is not in the journal.
    AlreadyOpen,
    /// Another item is the same to the last byte.
    Duplicate { of: String },
    /// Nothing was sent: it would fail.
    Refused { code: String, reason: String },
    /// It was sent and is in a block, and failed.
    Failed { tx: TxHash, reason: String },
}

impl Outcome {
    /// Nothing was sent because of this.
    pub fn refused(error: &dyn Explain) -> Self {
        Self::Refused { code: error.code().to_owned(), reason: error.to_string() }
    }

    /// Whether the item has its loan.
    pub fn is_good(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Failed { .. })
    }
}

impl Item {
    fn call(&self) -> Call {
        Call { what: opening(&self.name), ..self.request.call() }
    }

    /// What the item is, whatever its name.
    pub fn digest(&self) -> B256 {
        let call = self.request.call();
        keccak256([call.to.as_slice(), &call.data].concat())
    }

    /// Items of one borrower in one pool wait for each other: the contract counts their nonces.
    fn lane(&self) -> (Address, Address) {
        (self.request.lending, self.request.attestation.subject)
    }
}

/// Whether an error is an item's own: its call fails, or its pool is none. Every other one concerns all items.
pub fn is_of_the_item(error: &ChainError) -> bool {
    use ChainError as E;
    matches!(error, E::Reverted { .. } | E::NoContract { .. } | E::GasLimit { .. } | E::MalformedAnswer { .. })
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
}

impl Flying {
    fn new(flight: Flight) -> Self {
        Self { flight, since: Instant::now(), published: None, gone: None }
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
    tell: &'a mut (dyn FnMut(&str, &Outcome) + Send + Sync),
    items: BTreeMap<B256, Item>,
    queue: VecDeque<B256>,
    flying: BTreeMap<u64, Flying>,
    outcomes: BTreeMap<String, Outcome>,
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
        Self { chain, account, journal, window: window.max(1), tell, items, queue, flying, outcomes, progress }
    }

    /// Finds out first what became of all that an earlier run signed, then sends the rest; what became of each item, by name.
    ///
    /// # Errors
    /// What concerns all items: an unreachable node, fees above the ceilings, an account without means, a full disk,
    /// [`ChainError::NotMined`] where nothing moves any more. The journal knows what is under way: run again.
    pub async fn run(mut self, items: Vec<Item>) -> Result<BTreeMap<String, Outcome>, ChainError> {
        self.load(items);
        self.reconcile().await?;
        let mut failure = None;
        loop {
            self.land().await?;
            if failure.is_none() {
                failure = self.launch().await.err();
            }
            // After a failure only what the node has taken is waited for.
            let waiting = self.flying.values().any(|flying| failure.is_none() || flying.published.is_some());
            if !waiting && (failure.is_some() || self.queue.is_empty()) {
                return failure.map_or(Ok(self.outcomes), Err);
            }
            if failure.is_none() {
                failure = self.hurry().await.err();
            }
            if self.progress.elapsed() >= self.chain.patience().confirm {
                let stuck = self.flying.values().next().map(Flying::hashes).unwrap_or_default();
                return Err(failure.unwrap_or_else(|| self.chain.not_mined("opening the loans", &stuck)));
            }
            tokio::time::sleep(self.chain.longest_pause() / 4).await;
        }
    }

    /// By the borrowers' nonces, then by name.
    fn load(&mut self, mut items: Vec<Item>) {
        items.sort_by(|a, b| (a.request.nonce, &a.name).cmp(&(b.request.nonce, &b.name)));
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
                // It failed in an earlier run: it is free to be tried again.
                Some(receipt) if !receipt.status() => {}
                Some(receipt) => self.conclude(&flying, &receipt).await?,
                None => {
                    self.unqueue(flying.flight.digest);
                    self.flying.insert(nonce, flying);
                }
            }
        }
        Ok(())
    }

    fn unqueue(&mut self, digest: B256) {
        self.queue.retain(|queued| *queued != digest);
    }

    async fn latest(&self) -> Result<u64, ChainError> {
        let what = "asking for the last block";
        self.chain.provider().get_block_number().await.map_err(|e| self.chain.explain(what, e))
    }

    fn is_deep(&self, receipt: &TransactionReceipt, latest: u64) -> bool {
        receipt.block_number.is_some_and(|at| (latest + 1).saturating_sub(at) >= self.chain.confirmations())
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
                    let (digest, tx) = (flying.flight.digest, receipt.transaction_hash);
                    let (block, succeeded) = (receipt.block_number.unwrap_or_default(), receipt.status());
                    self.journal.ended(&Entry::Mined { digest, nonce, tx, block, succeeded })?;
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
                        self.queue.extend(self.items.contains_key(&digest).then_some(digest));
                        continue;
                    }
                }
            }
            self.flying.insert(nonce, flying);
        }
        Ok(())
    }

    /// How long a used nonce may be without a receipt of ours, and a transaction without being handed to the node again.
    fn grace(&self) -> Duration {
        self.chain.longest_pause() * REPEAT
    }

    async fn conclude(&mut self, flying: &Flying, receipt: &TransactionReceipt) -> Result<(), ChainError> {
        let tx = receipt.transaction_hash;
        let Some(signed) = flying.flight.attempts.iter().find(|signed| signed.hash() == tx) else { return Ok(()) };
        let outcome = match receipt.status() {
            true => match OpenLoan::of(receipt.to.unwrap_or_default(), receipt) {
                Ok(loan) => Outcome::Settled {
                    loan_id: loan.id.to_string(),
                    borrower: loan.borrower,
                    amount: loan.amount.to_string(),
                    tx,
                    block: loan.mined.block,
                    gas_used: loan.mined.gas_used,
                },
                Err(error) => Outcome::Failed { tx, reason: error.to_string() },
            },
            false => Outcome::Failed { tx, reason: self.chain.failed(signed, receipt).await.to_string() },
        };
        self.unqueue(flying.flight.digest);
        let name = self.items.get(&flying.flight.digest).map_or(&flying.flight.item, |item| &item.name).clone();
        self.end(&name, outcome);
        Ok(())
    }

    /// Simulates, signs, writes down and sends, until the window is full.
    async fn launch(&mut self) -> Result<(), ChainError> {
        while self.flying.len() < self.window {
            let busy: BTreeSet<_> =
                self.flying.values().filter_map(|f| self.items.get(&f.flight.digest)).map(Item::lane).collect();
            let free = |digest: &B256| self.items.get(digest).is_some_and(|item| !busy.contains(&item.lane()));
            let Some(at) = self.queue.iter().position(free) else { return Ok(()) };
            let Some(item) = self.queue.get(at).and_then(|digest| self.items.get(digest)).cloned() else { return Ok(()) };
            let outcome = match self.launch_one(&item).await {
                Ok(sent) => sent,
                Err(error) if is_of_the_item(&error) => Some(Outcome::refused(&error)),
                Err(error) => return Err(error),
            };
            self.queue.remove(at);
            if let Some(outcome) = outcome {
                self.end(&item.name, outcome);
            }
        }
        Ok(())
    }

    /// An outcome where there is nothing to send.
    async fn launch_one(&mut self, item: &Item) -> Result<Option<Outcome>, ChainError> {
        if item.request.is_open(self.chain).await? {
            return Ok(Some(Outcome::AlreadyOpen));
        }
        let mut nonce = self.chain.pending_nonce("asking for the next nonce", self.account.address()).await?;
        while self.journal.flights().contains_key(&nonce) {
            nonce += 1;
        }
        let signed = self.chain.prepare_at(self.account, &item.call(), nonce).await?;
        let digest = item.digest();
        self.journal.signed(&item.name, item.proof, digest, &signed)?;
        if self.flying.is_empty() {
            self.progress = Instant::now();
        }
        let flight = Flight { item: item.name.clone(), proof: item.proof, digest, attempts: vec![signed] };
        self.flying.insert(nonce, Flying::new(flight));
        self.publish(nonce).await.map(|()| None)
    }

    /// Hands a nonce's newest transaction to the node.
    async fn publish(&mut self, nonce: u64) -> Result<(), ChainError> {
        let Some(flying) = self.flying.get_mut(&nonce) else { return Ok(()) };
        let Some(signed) = flying.flight.attempts.last() else { return Ok(()) };
        match self.chain.publish(signed).await {
            Ok(()) => flying.published = Some(Instant::now()),
            // Another transaction has the nonce, or stands in its way: which one is mined shows what to do.
            Err(ChainError::NonceTooLow { .. } | ChainError::Underpriced { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What no block takes is handed over again, since nodes forget, and replaced where it is stuck.
    async fn hurry(&mut self) -> Result<(), ChainError> {
        let used = self.chain.nonce("looking for what was sent", self.account.address()).await?;
        let waiting: Vec<u64> = self.flying.range(used..).map(|(&nonce, _)| nonce).collect();
        for &nonce in &waiting {
            let forgotten = |flying: &Flying| flying.published.is_none_or(|at| at.elapsed() >= self.grace());
            if self.flying.get(&nonce).is_some_and(forgotten) {
                self.publish(nonce).await?;
            }
        }
        let (Some(turn), Some(first)) = (self.chain.replace_after(), waiting.first()) else { return Ok(()) };
        if self.flying.get(first).is_none_or(|flying| flying.since.elapsed() < turn) {
            return Ok(());
        }
        let market = self.chain.fees("replacing what is stuck").await?;
        for nonce in &waiting {
            self.replace(*nonce, nonce == first, market).await?;
        }
        Ok(())
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
        self.journal.signed(&flying.flight.item, flying.flight.proof, flying.flight.digest, &raised)?;
        self.chain.publish_over(&raised).await?;
        flying.published = Some(Instant::now());
        flying.flight.attempts.push(raised);
        Ok(())
    }
}
