//! What a run of many transactions has signed and what became of it, on disk before anything is sent.
//!
//! A line is `<sum> <entry>`: the entry is JSON, the sum keccak256 of the line before's sum and the entry's bytes, so that no line can be
//! changed, left out or moved unnoticed. The first line says whose journal it is. A line is written and synced before the transaction
//! that it names leaves this process; a process that was killed leaves at most a last line without its end, whose transaction was then
//! never sent, and that line is taken away.

use super::error::ChainError;
use super::lanes::Lanes;
use super::opening::lanes_of;
use super::send::Signed;
use alloy::primitives::{Address, B256, Bytes, TxHash, hex, keccak256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const FORMAT: &str = "zkml-evm/journal";
const VERSION: u32 = 1;
/// A loan's transaction takes some 13 kB here: this is room for twenty thousand. What is longer is neither written nor read.
const MAX_BYTES: u64 = 256 << 20;
/// Bytes of them that no loan's transaction takes, so that what becomes of those that are there can be written down.
const RESERVE: u64 = 1 << 20;

/// How many nonces of a batch are given up before it counts as failed: each costs the gas of a transfer.
const MOST_GIVEN_UP: usize = 3;

/// Whose journal it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    chain_id: u64,
    /// The chain's first block: a local chain that was started anew is another chain of the same id.
    genesis: B256,
    sender: Address,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", deny_unknown_fields)]
pub enum Entry {
    /// A transaction is signed and may be sent from now on; another one with the same nonce replaces it: the same with higher fees, or a
    /// transfer of nothing to the sender, which gives the nonce up.
    Signed {
        /// The item's name, for people.
        item: String,
        /// keccak256 of the proof file, for people.
        proof: B256,
        /// What the item is: keccak256 of contract and calldata of its transaction that opens the loan.
        digest: B256,
        nonce: u64,
        tx: TxHash,
        raw: Bytes,
    },
    /// One of the nonce's transactions is in a block that is deep enough.
    Mined { digest: B256, nonce: u64, tx: TxHash, block: u64, succeeded: bool },
    /// A transaction that is not in this journal has used the nonce: none of ours with it can be mined any more.
    Dropped { digest: B256, nonce: u64 },
}

/// An item's transactions of one nonce.
#[derive(Clone, Debug)]
pub struct Flight {
    /// The item's name.
    pub item: String,
    /// keccak256 of the proof file.
    pub proof: B256,
    /// What the item is.
    pub digest: B256,
    /// Pool and borrower of each of its loans.
    pub(super) lanes: Lanes,
    /// The transaction and its replacements, in the order in which they were signed.
    pub attempts: Vec<Signed>,
    /// Which of them is in a block that is deep enough, and whether it did not revert: none of the others can be mined any more.
    pub(super) mined: Option<(TxHash, bool)>,
}

/// What became of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The item's transaction did not revert.
    Succeeded,
    /// It did.
    Reverted,
    /// The nonce went to nothing.
    Void,
}

impl Flight {
    /// A nonce's first transaction.
    pub(super) fn new(item: String, proof: B256, digest: B256, lanes: Lanes, signed: Signed) -> Self {
        Self { item, proof, digest, lanes, attempts: vec![signed], mined: None }
    }

    /// Whether its nonce is given up.
    pub fn is_void(&self) -> bool {
        self.attempts.iter().any(Signed::is_void)
    }

    /// What became of its nonce, where that is known.
    pub(super) fn end(&self) -> Option<End> {
        let (tx, succeeded) = self.mined?;
        let void = self.attempts.iter().any(|signed| signed.is_void() && signed.hash() == tx);
        Some(match succeeded {
            _ if void => End::Void,
            true => End::Succeeded,
            false => End::Reverted,
        })
    }
}

/// What an item is, whatever its name: keccak256 of contract and calldata.
pub(super) fn digest(to: Address, data: &[u8]) -> B256 {
    keccak256([to.as_slice(), data].concat())
}

/// A journal, open for writing and locked against other processes.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    sum: B256,
    /// Bytes that are written, of how many.
    length: u64,
    limit: u64,
    /// A line was not written as a whole: nothing may follow it.
    torn: bool,
    /// By nonce. A mined transaction stays: the chain may be reorganised.
    flights: BTreeMap<u64, Flight>,
}

impl Journal {
    /// Opens a journal, or begins it where there is none.
    ///
    /// # Errors
    /// [`ChainError::JournalForeign`] for what is no journal, or that of another chain or account; [`ChainError::JournalDamaged`],
    /// [`ChainError::JournalBusy`], [`ChainError::File`]. The file is not touched then.
    pub fn open(path: &Path, chain_id: u64, genesis: B256, sender: Address) -> Result<Self, ChainError> {
        Self::open_within(MAX_BYTES, path, chain_id, genesis, sender)
    }

    fn open_within(limit: u64, path: &Path, chain_id: u64, genesis: B256, sender: Address) -> Result<Self, ChainError> {
        let failed = |error: std::io::Error| ChainError::File { path: path.to_owned(), reason: error.to_string() };
        let options = OpenOptions::new().read(true).append(true).create(true).clone();
        let mut file = options.open(path).map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => ChainError::JournalBusy { path: path.to_owned() },
            TryLockError::Error(error) => failed(error),
        })?;
        let mut bytes = Vec::new();
        (&mut file).take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > limit {
            let reason = format!("it is larger than {limit} bytes");
            return Err(ChainError::JournalForeign { path: path.to_owned(), reason });
        }
        let head = Head { format: FORMAT.to_owned(), version: VERSION, chain_id, genesis, sender };
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let (path_of, flights) = (path.to_owned(), BTreeMap::new());
        let mut journal = Self { file, path: path_of, sum: B256::ZERO, length: whole as u64, limit, torn: false, flights };
        if whole == 0 && !bytes.is_empty() && !is_begun(&bytes) {
            return Err(journal.foreign("its first line is not a journal's"));
        }
        journal.read(&bytes[..whole], &head)?;
        if whole < bytes.len() {
            // Its transaction was never sent.
            journal.file.set_len(whole as u64).and_then(|()| journal.file.sync_all()).map_err(failed)?;
            journal.file.seek(SeekFrom::End(0)).map_err(failed)?;
        }
        if whole == 0 {
            journal.write(&head, 0)?;
            sync_folder(path).map_err(failed)?;
        }
        Ok(journal)
    }

    fn foreign(&self, reason: impl Into<String>) -> ChainError {
        ChainError::JournalForeign { path: self.path.clone(), reason: reason.into() }
    }

    fn read(&mut self, bytes: &[u8], head: &Head) -> Result<(), ChainError> {
        for (i, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let damaged = |reason: String| ChainError::JournalDamaged { path: self.path.clone(), line: i + 1, reason };
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let entry = match parts(line) {
                Some((sum, entry)) if sum == keccak256([self.sum.as_slice(), entry].concat()) => {
                    self.sum = sum;
                    entry
                }
                _ if i == 0 => return Err(self.foreign("its first line is not a journal's")),
                _ => return Err(damaged("its checksum is not that of its text and the lines before".to_owned())),
            };
            if i == 0 {
                self.check_head(entry, head)?;
                continue;
            }
            let entry: Entry = serde_json::from_slice(entry).map_err(|e| damaged(e.to_string()))?;
            self.apply(&entry, head).map_err(|reason| ChainError::JournalDamaged {
                path: self.path.clone(),
                line: i + 1,
                reason,
            })?;
        }
        Ok(())
    }

    fn check_head(&self, entry: &[u8], expected: &Head) -> Result<(), ChainError> {
        let got: Head = serde_json::from_slice(entry).map_err(|e| self.foreign(e.to_string()))?;
        let of = |head: &Head| {
            let Head { format, version, chain_id, genesis, sender } = head;
            format!("{format} version {version} of {sender} on chain {chain_id} with first block {genesis}")
        };
        match got == *expected {
            true => Ok(()),
            false => Err(self.foreign(format!("it is {}, expected {}", of(&got), of(expected)))),
        }
    }

    fn apply(&mut self, entry: &Entry, head: &Head) -> Result<(), String> {
        match entry {
            Entry::Signed { item, proof, digest, nonce, tx, raw } => {
                let signed = Signed::decode(&opening_of(item), raw, head.sender, head.chain_id)?;
                if (signed.hash(), signed.nonce()) != (*tx, *nonce) {
                    return Err(format!("its transaction is {} with nonce {}", signed.hash(), signed.nonce()));
                }
                self.add(item, *proof, *digest, signed)
            }
            Entry::Mined { nonce, .. } | Entry::Dropped { nonce, .. } if !self.flights.contains_key(nonce) => {
                Err(format!("nothing with nonce {nonce} was signed"))
            }
            ended => {
                self.end_flight(ended);
                Ok(())
            }
        }
    }

    fn end_flight(&mut self, entry: &Entry) {
        match entry {
            Entry::Mined { nonce, tx, succeeded, .. } => {
                if let Some(flight) = self.flights.get_mut(nonce) {
                    flight.mined = Some((*tx, *succeeded));
                }
            }
            Entry::Dropped { nonce, .. } => drop(self.flights.remove(nonce)),
            Entry::Signed { .. } => {}
        }
    }

    /// A nonce whose transaction a reorganisation threw out, and which another item got meanwhile, belongs to the later one.
    ///
    /// The checksums have no key: what an item is, and whose, is taken from what the account has signed.
    fn add(&mut self, item: &str, proof: B256, expected: B256, signed: Signed) -> Result<(), String> {
        let known = self.flights.get_mut(&signed.nonce()).filter(|flight| flight.digest == expected);
        let (to, data) = signed.target();
        let got = digest(to, data);
        match known {
            Some(flight) if got == expected || signed.is_void() => {
                // Nothing is signed for a nonce that is in a block, unless a reorganisation threw it out.
                flight.mined = None;
                flight.attempts.push(signed);
            }
            None if got == expected => {
                let lanes = lanes_of(to, data).ok_or("its transaction opens no loan")?;
                let nonce = signed.nonce();
                self.flights.insert(nonce, Flight::new(item.to_owned(), proof, got, lanes, signed));
            }
            _ => return Err(format!("its transaction is that of the item {got}, expected {expected}")),
        }
        Ok(())
    }

    /// Every nonce that is not dropped, with its transactions.
    pub fn flights(&self) -> &BTreeMap<u64, Flight> {
        &self.flights
    }

    /// Whether something was signed for an item that may have opened its loan, now or later, or that is not to be tried again: what reverted
    /// with a nonce from `retry_below` on. The nonce of what reverted is used for good: whatever is signed instead, nothing is paid twice.
    pub fn binds(&self, digest: &B256, retry_below: u64) -> bool {
        let over = |nonce: u64, flight: &Flight| match flight.end() {
            Some(End::Void) => true,
            Some(End::Reverted) => nonce < retry_below,
            Some(End::Succeeded) | None => false,
        };
        self.flights.iter().any(|(&nonce, flight)| flight.digest == *digest && !over(nonce, flight))
    }

    /// What became of a nonce, where that is known.
    pub(super) fn end_of(&self, nonce: u64) -> Option<End> {
        self.flights.get(&nonce).and_then(Flight::end)
    }

    /// Whether what a nonce went to leaves its item to be sent again by another one: where it failed, by `retry_below`. A batch whose nonce was
    /// given up has lost nothing but that transfer's gas: that is not failing, a few times.
    pub(super) fn goes_again(&self, nonce: u64, is_batch: bool, retry_below: u64) -> bool {
        let Some(digest) = self.flights.get(&nonce).map(|flight| flight.digest) else { return true };
        let void = |flight: &Flight| flight.digest == digest && flight.end() == Some(End::Void);
        match self.end_of(nonce) {
            Some(End::Void) if is_batch => {
                self.flights.range(retry_below..).filter(|(_, flight)| void(flight)).count() < MOST_GIVEN_UP
            }
            Some(End::Void | End::Reverted) => nonce < retry_below,
            Some(End::Succeeded) | None => false,
        }
    }

    /// The nonce after all that it knows of.
    pub fn end(&self) -> u64 {
        self.flights.last_key_value().map_or(0, |(nonce, _)| nonce.saturating_add(1))
    }

    /// Writes down a transaction. Only afterwards may it be sent.
    ///
    /// # Errors
    /// [`ChainError::JournalFull`]; [`ChainError::File`].
    pub fn signed(&mut self, item: &str, proof: B256, digest: B256, signed: &Signed) -> Result<(), ChainError> {
        let (nonce, tx, raw) = (signed.nonce(), signed.hash(), signed.encoded().into());
        // Giving a nonce up is short, and must be possible.
        let free = if signed.is_void() { 0 } else { RESERVE.min(self.limit / 4) };
        self.write(&Entry::Signed { item: item.to_owned(), proof, digest, nonce, tx, raw }, free)?;
        self.add(item, proof, digest, signed.clone()).map_err(|reason| self.foreign(reason))
    }

    /// Writes down what became of a nonce.
    pub fn ended(&mut self, entry: &Entry) -> Result<(), ChainError> {
        self.write(entry, 0)?;
        self.end_flight(entry);
        Ok(())
    }

    /// Writes a line that leaves so many bytes free.
    fn write(&mut self, entry: &impl Serialize, free: u64) -> Result<(), ChainError> {
        let path = self.path.clone();
        let failed = |error: std::io::Error| ChainError::File { path, reason: error.to_string() };
        if self.torn {
            return Err(failed(std::io::Error::other("an earlier line was not written as a whole; the next run takes it away")));
        }
        let text = match serde_json::to_vec(entry) {
            Ok(text) => text,
            Err(error) => return Err(failed(error.into())),
        };
        let sum = keccak256([self.sum.as_slice(), &text].concat());
        let line = [hex::encode(sum).as_bytes(), b" ", &text, b"\n"].concat();
        let length = self.length.saturating_add(line.len() as u64);
        if length.saturating_add(free) > self.limit {
            return Err(ChainError::JournalFull { path: self.path.clone(), length: self.length, limit: self.limit });
        }
        self.torn = true;
        self.file.write_all(&line).and_then(|()| self.file.sync_data()).map_err(failed)?;
        (self.sum, self.length, self.torn) = (sum, length, false);
        Ok(())
    }
}

/// What a transaction is called in errors.
pub(super) fn opening_of(item: &str) -> String {
    format!("opening the loan of {item}")
}

fn parts(line: &[u8]) -> Option<(B256, &[u8])> {
    let (sum, entry) = (line.get(..64)?, line.get(65..)?);
    let sum = hex::decode(sum).ok()?;
    (line[64] == b' ').then(|| (B256::from_slice(&sum), entry))
}

/// Whether a lone line without its end may be the beginning of a first line of ours.
fn is_begun(bytes: &[u8]) -> bool {
    bytes.iter().take(64).all(u8::is_ascii_hexdigit) && bytes.get(64).is_none_or(|&byte| byte == b' ') && bytes.len() < 1_024
}

/// A new file's name is kept by its folder.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Journal, digest};
    use crate::chain::ChainError;
    use crate::chain::bindings::ILendingThreshold;
    use crate::chain::send::Signed;
    use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
    use alloy::eips::eip2718::Encodable2718;
    use alloy::primitives::{Address, B256, TxKind};
    use alloy::signers::{SignerSync, local::PrivateKeySigner};
    use alloy::sol_types::SolCall;
    use std::path::Path;

    const CHAIN: u64 = 31_337;
    const POOL: Address = Address::repeat_byte(7);

    fn signer() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap()
    }

    fn loan(nonce: u64) -> Signed {
        let call = ILendingThreshold::openLoanCall { request: Default::default() };
        let (to, input) = (TxKind::Call(POOL), call.abi_encode().into());
        let tx = TxEip1559 { chain_id: CHAIN, nonce, gas_limit: 1, to, input, ..TxEip1559::default() };
        let signature = signer().sign_hash_sync(&tx.signature_hash()).unwrap();
        let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
        Signed::decode("opening", &raw, signer().address(), CHAIN).unwrap()
    }

    /// A transfer of nothing to the sender.
    fn void(nonce: u64) -> Signed {
        let to = TxKind::Call(signer().address());
        let tx = TxEip1559 { chain_id: CHAIN, nonce, gas_limit: 1, to, ..TxEip1559::default() };
        let signature = signer().sign_hash_sync(&tx.signature_hash()).unwrap();
        let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
        Signed::decode("giving up", &raw, signer().address(), CHAIN).unwrap()
    }

    fn open(limit: u64, path: &Path) -> Result<Journal, ChainError> {
        Journal::open_within(limit, path, CHAIN, B256::ZERO, signer().address())
    }

    fn add(journal: &mut Journal, nonce: u64) -> Result<(), ChainError> {
        let signed = loan(nonce);
        let (to, data) = signed.target();
        let item = digest(to, data);
        journal.signed("a loan", B256::ZERO, item, &signed)
    }

    /// What was signed may be in a block until its nonce went to something else, also for a run that opens the journal later.
    #[test]
    fn what_may_be_in_a_block_binds() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("journal");
        let bound = |of: &dyn Fn(B256) -> Option<Entry>| {
            let (mut journal, loan, void) = (open(1 << 20, &path).unwrap(), loan(0), void(0));
            let (to, data) = loan.target();
            let digest = digest(to, data);
            assert!(!journal.binds(&digest, 0));
            journal.signed("a loan", B256::ZERO, digest, &loan).unwrap();
            journal.signed("a loan", B256::ZERO, digest, &void).unwrap();
            of(digest).into_iter().for_each(|entry| journal.ended(&entry).unwrap());
            let bound = [0, 1].map(|retry_below| journal.binds(&digest, retry_below));
            drop(journal);
            assert_eq!([0, 1].map(|below| open(1 << 20, &path).unwrap().binds(&digest, below)), bound, "and again");
            std::fs::remove_file(&path).unwrap();
            bound
        };
        let mined = |tx, succeeded, digest| Some(Entry::Mined { digest, nonce: 0, tx, block: 1, succeeded });
        assert_eq!(bound(&|_| None), [true; 2], "either may be mined");
        assert_eq!(bound(&|digest| mined(loan(0).hash(), true, digest)), [true; 2]);
        assert_eq!(
            bound(&|digest| mined(loan(0).hash(), false, digest)),
            [true, false],
            "it reverted, and is tried again or not"
        );
        assert_eq!(bound(&|digest| mined(void(0).hash(), true, digest)), [false; 2], "the nonce went to nothing");
        assert_eq!(bound(&|digest| Some(Entry::Dropped { digest, nonce: 0 })), [false; 2], "the nonce went to a stranger");
    }

    /// One of its transactions that reverted is to be tried again; another may be mined.
    #[test]
    fn one_that_may_be_mined_binds_beside_one_that_reverted() {
        let work = tempfile::tempdir().unwrap();
        let mut journal = open(1 << 20, &work.path().join("journal")).unwrap();
        add(&mut journal, 0).unwrap();
        add(&mut journal, 1).unwrap();
        let digest = journal.flights()[&0].digest;
        let reverted = |nonce| Entry::Mined { digest, nonce, tx: loan(nonce).hash(), block: 1, succeeded: false };
        journal.ended(&reverted(0)).unwrap();
        assert!(journal.binds(&digest, 2));
        journal.ended(&reverted(1)).unwrap();
        assert_eq!([0, 1, 2].map(|retry_below| journal.binds(&digest, retry_below)), [true, true, false]);
        add(&mut journal, 1).unwrap();
        assert!(journal.binds(&digest, 2), "a reorganisation threw it out, and it was signed anew");
    }

    #[test]
    fn a_batch_whose_nonces_are_given_up_goes_again_a_few_times() {
        let work = tempfile::tempdir().unwrap();
        let mut journal = open(1 << 20, &work.path().join("journal")).unwrap();
        let again = |journal: &Journal, nonce, below| [true, false].map(|batch| journal.goes_again(nonce, batch, below));
        for nonce in 0..4 {
            add(&mut journal, nonce).unwrap();
            let digest = journal.flights()[&nonce].digest;
            journal.signed("a loan", B256::ZERO, digest, &void(nonce)).unwrap();
            assert_eq!(again(&journal, nonce, 9), [false; 2], "it may be mined");
            let (tx, block, succeeded) = (void(nonce).hash(), 1, true);
            journal.ended(&Entry::Mined { digest, nonce, tx, block, succeeded }).unwrap();
            assert_eq!(again(&journal, nonce, 0), [nonce < 2, false], "{nonce}");
        }
        assert_eq!(again(&journal, 0, 2), [true, true], "those before do not count");
        assert_eq!(again(&journal, 3, 2), [true, false]);
        add(&mut journal, 4).unwrap();
        let (digest, tx) = (journal.flights()[&4].digest, loan(4).hash());
        journal.ended(&Entry::Mined { digest, nonce: 4, tx, block: 1, succeeded: false }).unwrap();
        assert_eq!([4, 5].map(|below| again(&journal, 4, below)), [[false; 2], [true; 2]], "what reverted has cost its gas");
    }

    /// As many transactions as fit, and what became of each of them; all of it is read again.
    #[test]
    fn no_more_is_written_than_is_read() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("journal");
        let limit = 20_000;
        let mut journal = open(limit, &path).unwrap();
        let full = (0..).find_map(|nonce| add(&mut journal, nonce).err().map(|error| (nonce, error))).unwrap();
        let (count, ChainError::JournalFull { length, limit: 20_000, .. }) = full else { panic!("{full:?}") };
        assert!(count > 2 && length <= limit && length == path.metadata().unwrap().len(), "{count} {length}");
        assert!(matches!(add(&mut journal, count), Err(ChainError::JournalFull { .. })), "and again");
        let digest = journal.flights()[&0].digest;
        for nonce in 0..count {
            let (tx, block, succeeded) = (journal.flights()[&nonce].attempts[0].hash(), 1, true);
            journal.ended(&Entry::Mined { digest, nonce, tx, block, succeeded }).unwrap();
        }
        drop(journal);
        assert!(path.metadata().unwrap().len() <= limit);
        let mut again = open(limit, &path).unwrap();
        assert_eq!((again.flights().len() as u64, again.end()), (count, count));
        assert!(matches!(add(&mut again, count), Err(ChainError::JournalFull { .. })), "a run that opens it finds it full too");
        drop(again);
        let length = path.metadata().unwrap().len();
        assert!(matches!(open(length - 1, &path), Err(ChainError::JournalForeign { .. })));
        assert_eq!(path.metadata().unwrap().len(), length);
        add(&mut open(2 * limit, &path).unwrap(), count).unwrap();
    }
}
