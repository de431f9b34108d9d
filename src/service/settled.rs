//! Groups that are done, as whoever sends their loans sees them: `settled.json` beside an aggregate says what became of it on the chain, and its
//! absence that something is left to do.

use super::{
    Destination, ServiceError,
    group::Entry,
    handed_in::{HandedIn, Papers},
    incoming,
    places::{self, AGGREGATE, ENTRY, io, names},
};
use crate::{
    artifact::aggregate::AggregateFile,
    chain::{
        item::{BatchedLoan, Outcome},
        journal::sync_folder,
    },
    proof::Purpose,
};
use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// What became of a group.
const SETTLED: &str = "settled.json";
const FORMAT: &str = "zkml-evm/settled";
const VERSION: u32 = 1;

/// `settled.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settled {
    format: String,
    version: u32,
    chain_id: u64,
    genesis: B256,
    pool: Address,
    /// What became of each transaction.
    pub transactions: Vec<Sent>,
    /// Files whose loans were open already.
    pub already_open: BTreeSet<String>,
    /// Files whose loans are in none of the transactions, with why.
    pub left_out: BTreeMap<String, String>,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The files of its loans, in their order.
    pub files: Vec<String>,
}

impl Settled {
    /// What became of a group there.
    pub fn new(
        to: Destination,
        transactions: Vec<Sent>,
        already_open: BTreeSet<String>,
        left_out: BTreeMap<String, String>,
    ) -> Self {
        let Destination { chain_id, genesis, pool } = to;
        Self { format: FORMAT.into(), version: VERSION, chain_id, genesis, pool, transactions, already_open, left_out }
    }

    fn destination(&self) -> Destination {
        Destination { chain_id: self.chain_id, genesis: self.genesis, pool: self.pool }
    }

    /// What is wrong with what was read, in words.
    fn problem(&self) -> Option<String> {
        if (self.format.as_str(), self.version) != (FORMAT, VERSION) {
            return Some(format!("it is {} version {}, expected {FORMAT} version {VERSION}", self.format, self.version));
        }
        let torn = |sent: &Sent| matches!(&sent.outcome, Outcome::Batch { loans, .. } if loans.len() != sent.files.len());
        self.transactions.iter().any(torn).then(|| "a transaction has not as many files as loans".into())
    }

    /// How many loans were opened, and how many refused; one that was refused at first counts by what became of it.
    pub fn opened_and_refused(&self) -> (u64, u64) {
        let mut opened: BTreeMap<&String, bool> = self.left_out.keys().map(|file| (file, false)).collect();
        for sent in &self.transactions {
            let Outcome::Batch { loans, .. } = &sent.outcome else { continue };
            for (file, loan) in sent.files.iter().zip(loans) {
                *opened.entry(file).or_default() |= matches!(loan, BatchedLoan::Settled { .. });
            }
        }
        let counted = || opened.iter().filter(|(file, _)| !self.already_open.contains(**file)).map(|(_, opened)| opened);
        let of = |what: bool| counted().filter(|opened| **opened == what).count() as u64;
        (of(true), of(false))
    }
}

/// A group that is done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its name.
    pub id: String,
    folder: PathBuf,
}

/// Groups in `done/` of a folder that is watched, by name.
///
/// # Errors
/// A folder that cannot be read.
pub fn done(root: &Path) -> Result<Vec<Done>, ServiceError> {
    let folder = root.join("done");
    if !places::exists(&folder)? {
        return Ok(Vec::new());
    }
    let names = names(&folder)?.into_iter().filter_map(|name| name.into_string().ok());
    let known = names.map(|id| Done { folder: folder.join(&id), id });
    Ok(known.filter(|done| done.folder.join(AGGREGATE).is_file()).collect())
}

impl Done {
    /// Its aggregate, made for a contract.
    ///
    /// # Errors
    /// One that is not.
    pub fn aggregate(&self) -> Result<AggregateFile, ServiceError> {
        Ok(AggregateFile::load_for(Purpose::Chain, &self.folder.join(AGGREGATE))?)
    }

    /// A file in its folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The papers of its proofs that came with some, by their files in its folder, in the order of their slots. `aggregate_id` and `longest`
    /// are those that the folder is watched with.
    ///
    /// # Errors
    /// A file of our own that somebody changed.
    pub fn papers(&self, aggregate_id: B256, longest: usize) -> Result<Vec<(String, Papers)>, ServiceError> {
        let path = self.folder.join(ENTRY);
        let missing = || ServiceError::Damaged { path: path.clone(), problem: "it is gone".into() };
        let entry = places::read_json::<Entry>(&path)?.ok_or_else(missing)?.check(&path, &self.id, aggregate_id)?;
        let mut found = Vec::new();
        for member in entry.proofs {
            let path = self.folder.join(&member.file);
            let papers = HandedIn::parse(&incoming::read(&path, longest)?, &path)?.papers;
            found.extend(papers.map(|papers| (member.file, papers)));
        }
        Ok(found)
    }

    /// What became of it there, where that is known.
    ///
    /// # Errors
    /// A file that somebody changed.
    pub fn settled(&self, to: Destination) -> Result<Option<Settled>, ServiceError> {
        let path = self.folder.join(SETTLED);
        let Some(settled) = places::read_json::<Settled>(&path)? else { return Ok(None) };
        match settled.problem() {
            None => Ok(Some(settled).filter(|settled| settled.destination() == to)),
            Some(problem) => Err(ServiceError::Damaged { path, problem }),
        }
    }

    /// Writes down what became of it, for good.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn settle(&self, outcome: &Settled) -> Result<(), ServiceError> {
        let path = self.folder.join(SETTLED);
        places::write_json(&path, outcome)?;
        sync_folder(&path).map_err(io("write", &path))
    }
}

#[cfg(test)]
mod tests {
    use super::{Destination, Done, SETTLED, Sent, Settled};
    use crate::{
        chain::item::{BatchedLoan, Outcome},
        service::{Sending, ServiceError, Share, SlotLoan},
    };
    use alloy::primitives::{Address, B256};
    use serde_json::{Value, json};
    use std::{collections::BTreeMap, fs, path::Path};

    const HERE: Destination = Destination { chain_id: 5, genesis: B256::repeat_byte(1), pool: Address::repeat_byte(2) };
    const ELSEWHERE: [Destination; 3] = [
        Destination { chain_id: 6, ..HERE },
        Destination { genesis: B256::ZERO, ..HERE },
        Destination { pool: Address::ZERO, ..HERE },
    ];

    fn group(folder: &Path) -> Done {
        Done { id: "group".into(), folder: folder.into() }
    }

    fn settled() -> Settled {
        let (borrower, tx) = (Address::repeat_byte(3), B256::repeat_byte(4));
        let opened = BatchedLoan::Settled { borrower, loan_id: "7".into(), amount: "250".into() };
        let refused = BatchedLoan::Refused { borrower, reason: "no".into(), may_pass: false };
        let outcome = Outcome::Batch { loans: vec![opened, refused], tx, block: Some(8), gas_used: 9 };
        let sent = Sent { outcome, files: vec!["a".into(), "b".into()] };
        let open = Sent { outcome: Outcome::AlreadyOpen, files: vec!["c".into()] };
        let left_out = BTreeMap::from([("d".to_owned(), "it is spent".to_owned())]);
        Settled::new(HERE, vec![sent, open], ["e".to_owned()].into(), left_out)
    }

    #[test]
    fn what_became_of_a_group_is_read_as_it_was_written_and_counts_where_it_happened() {
        let work = tempfile::tempdir().unwrap();
        let group = group(work.path());
        assert_eq!(group.settled(HERE).unwrap(), None);
        group.settle(&settled()).unwrap();
        assert_eq!(group.settled(HERE).unwrap(), Some(settled()));
        assert_eq!(settled().opened_and_refused(), (1, 2));
        for elsewhere in ELSEWHERE {
            assert_eq!(group.settled(elsewhere).unwrap(), None);
        }
    }

    #[test]
    fn a_loan_counts_once() {
        let mut settled = settled();
        let (borrower, tx) = (Address::repeat_byte(3), B256::repeat_byte(5));
        let mut sent = |file: &str, loan| {
            let outcome = Outcome::Batch { loans: vec![loan], tx, block: Some(9), gas_used: 9 };
            settled.transactions.push(Sent { outcome, files: vec![file.to_owned()] });
            settled.opened_and_refused()
        };
        let refused = || BatchedLoan::Refused { borrower, reason: "no".into(), may_pass: true };
        let opened = BatchedLoan::Settled { borrower, loan_id: "8".into(), amount: "250".into() };
        assert_eq!(sent("b", refused()), (1, 2), "refused again");
        assert_eq!(sent("b", opened), (2, 1), "and opened");
        assert_eq!(sent("d", refused()), (2, 1), "refused in a block, and left out then");
        assert_eq!(sent("e", refused()), (2, 1), "somebody else has opened it since");
    }

    #[test]
    fn a_damaged_one_is_refused() {
        let work = tempfile::tempdir().unwrap();
        let (group, path) = (group(work.path()), work.path().join(SETTLED));
        group.settle(&settled()).unwrap();
        let honest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let mut cases = vec![String::new(), "{".into(), "null".into(), honest.to_string().replace("batch", "bath")];
        for (field, value) in [
            ("format", json!("zkml-evm/sending")),
            ("version", json!(2)),
            ("chainId", json!("5")),
            ("genesis", Value::Null),
            ("leftOut", json!([])),
            ("more", json!(1)),
        ] {
            let mut changed = honest.clone();
            changed[field] = value;
            cases.push(changed.to_string());
        }
        let mut fewer = honest.clone();
        fewer["transactions"][0]["files"] = json!(["a"]);
        cases.push(fewer.to_string());
        for text in cases {
            fs::write(&path, &text).unwrap();
            let read = group.settled(HERE);
            assert!(matches!(&read, Err(ServiceError::Damaged { path: named, .. }) if *named == path), "{text}: {read:?}");
        }
        fs::write(&path, honest.to_string()).unwrap();
        assert!(group.settled(HERE).unwrap().is_some());
    }

    #[test]
    fn a_decision_counts_on_its_chain_and_is_checked() {
        let work = tempfile::tempdir().unwrap();
        let group = group(work.path());
        assert_eq!(group.sending(HERE).unwrap(), Sending::new(HERE));
        let loan = |file: &str, slot| SlotLoan { file: file.into(), slot };
        let mut sending = Sending::new(HERE);
        sending.transactions.push(Share { gas_per_item: 1, loans: vec![loan("a", 0), loan("b", 3)] });
        group.decide(&sending).unwrap();
        assert_eq!(group.sending(HERE).unwrap(), sending);
        assert_eq!((sending.tries("b"), sending.tries("c")), (1, 0));
        for elsewhere in ELSEWHERE {
            assert_eq!(group.sending(elsewhere).unwrap(), Sending::new(elsewhere));
        }
        // What a block refused goes again, in a transaction of its own, and not for ever.
        let (mut again, mut tries) = (sending.clone(), sending.clone());
        again.add(1, vec![loan("b", 3)]);
        again.add(1, vec![loan("b", 3)]);
        assert_eq!(again.transactions.iter().map(|share| share.gas_per_item).collect::<Vec<_>>(), [1, 1, 2]);
        group.decide(&again).unwrap();
        assert_eq!((again.tries("a"), again.tries("b"), group.sending(HERE).unwrap()), (1, 3, again.clone()));
        again.add(1, vec![loan("b", 3)]);
        tries.transactions.push(sending.transactions[0].clone());
        for (wrong, why) in [(again, "more than"), (tries, "transaction 2 comes twice")] {
            group.decide(&wrong).unwrap();
            assert!(group.sending(HERE).unwrap_err().to_string().contains(why), "{wrong:?}");
        }
        for wrong in [vec![], vec![loan("b", 3), loan("a", 0)], vec![loan("c", 3)], vec![loan("a", 5)]] {
            let mut changed = sending.clone();
            changed.transactions.push(Share { gas_per_item: 1, loans: wrong });
            group.decide(&changed).unwrap();
            assert!(matches!(group.sending(HERE), Err(ServiceError::Damaged { .. })), "{changed:?}");
        }
    }
}
