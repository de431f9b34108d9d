//! How the groups of a folder stand: what `submission.json` and `submission.prom` say.

use crate::{
    cli::{
        failure::{CliError, Failure},
        output::Console,
    },
    service::{Destination, Settled, write_text},
};
use alloy::primitives::Address;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const FORMAT: &str = "zkml-evm/submission";
const VERSION: u32 = 1;

/// A group that is not settled.
#[derive(Debug)]
struct Pending {
    /// Why, as far as it is known.
    state: Value,
    /// When it is tried again; not by this process where there is no such time.
    again: Option<Instant>,
    rest: Duration,
}

/// What was opened and refused.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    groups: u64,
    open: u64,
    refused: u64,
}

/// Whose submission it is.
#[derive(Clone, Copy, Debug)]
pub struct Of {
    pub to: Destination,
    pub sender: Address,
    pub broadcast: bool,
}

/// How the groups stand.
#[derive(Debug)]
pub struct Status {
    root: PathBuf,
    of: Of,
    settled: BTreeSet<String>,
    totals: Totals,
    pending: BTreeMap<String, Pending>,
    last_error: Option<Value>,
    /// Whether it differs from what is written.
    changed: bool,
    /// Why it could not be written, where it was told.
    unwritten: Option<String>,
}

impl Status {
    /// Nothing is known of any group.
    pub fn new(root: &Path, of: Of) -> Self {
        let (settled, totals, pending) = (BTreeSet::new(), Totals::default(), BTreeMap::new());
        Self { root: root.into(), of, settled, totals, pending, last_error: None, changed: false, unwritten: None }
    }

    /// Whether a group is to be looked at: it is not settled, and its time has come.
    pub fn is_due(&self, id: &str) -> bool {
        let of_pending = |pending: &Pending| pending.again.is_some_and(|again| Instant::now() >= again);
        !self.settled.contains(id) && self.pending.get(id).is_none_or(of_pending)
    }

    /// A group is settled.
    pub fn count(&mut self, id: &str, settled: &Settled) {
        let (open, refused) = settled.opened_and_refused();
        self.totals.groups += 1;
        self.totals.open += open;
        self.totals.refused += refused;
        self.pending.remove(id);
        self.settled.insert(id.to_owned());
        self.changed = true;
    }

    /// A group is not settled, and rests: twice as long as the last time, between these two; for good where there are none.
    pub fn keep(&mut self, id: &str, state: Value, rest: Option<[Duration; 2]>) {
        let before = self.pending.get(id).map(|pending| pending.rest).unwrap_or_default();
        let wait = rest.map(|[first, most]| (2 * before).clamp(first, most));
        let again = wait.map(|wait| Instant::now() + wait);
        self.put(id, Pending { state, again, rest: wait.unwrap_or(before) });
    }

    /// A group is under way.
    pub fn sending(&mut self, id: &str) {
        let rest = self.pending.get(id).map(|pending| pending.rest).unwrap_or_default();
        self.put(id, Pending { state: json!({ "state": "sending" }), again: Some(Instant::now()), rest });
    }

    fn put(&mut self, id: &str, pending: Pending) {
        self.changed |= self.pending.get(id).is_none_or(|before| before.state != pending.state);
        self.pending.insert(id.to_owned(), pending);
    }

    /// What is tried again at all is tried now; whether there is any.
    pub fn wake(&mut self) -> bool {
        let now = Instant::now();
        let resting = self.pending.values_mut().filter(|pending| pending.again.is_some());
        resting.map(|pending| pending.again = Some(now)).count() > 0
    }

    /// Something stopped them all.
    pub fn failed(&mut self, failure: &Failure) {
        self.last_error = Some(json!({ "code": failure.code(), "message": failure.to_string(), "at": now() }));
        self.changed = true;
    }

    /// Whether nothing is left to do, or was refused: groups without papers are somebody else's.
    pub fn is_all_settled(&self) -> bool {
        self.totals.refused == 0 && self.pending.values().all(|pending| pending.state["state"] == "noPapers")
    }

    /// Writes `submission.json` and `submission.prom` where they differ from what there is. Where that fails it is told once, and tried again
    /// the next time: it stops nobody's loans.
    pub fn write(&mut self, console: &Console) {
        if !self.changed && self.unwritten.is_none() {
            return;
        }
        let problem = self.try_to_write().err().map(|failure| format!("[{}] {failure}", failure.code()));
        if let Some(problem) = problem.as_ref().filter(|problem| self.unwritten.as_ref() != Some(*problem)) {
            console.warn(format!("how the groups stand is not written: {problem}"));
        }
        (self.changed, self.unwritten) = (false, problem);
    }

    fn try_to_write(&self) -> Result<(), Failure> {
        let (Totals { groups, open, refused }, Of { to, sender, broadcast }) = (self.totals, self.of);
        let pending: BTreeMap<&String, &Value> = self.pending.iter().map(|(id, pending)| (id, &pending.state)).collect();
        let value = json!({
            "format": FORMAT, "version": VERSION, "at": now(), "chainId": to.chain_id, "genesis": to.genesis, "sender": sender,
            "pool": to.pool, "broadcast": broadcast,
            "settled": { "groups": groups, "loansOpen": open, "loansRefused": refused }, "pending": pending, "lastError": self.last_error,
        });
        let text = serde_json::to_string_pretty(&value).map_err(|e| CliError::Crashed(e.to_string()))?;
        write_text(&self.root.join("submission.json"), &(text + "\n"))?;
        let sample = |name: &str, kind: &str, help: &str, value: u64| {
            let name = format!("zkml_evm_submission_{name}");
            format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
        };
        let text = [
            sample("groups_settled_total", "counter", "Groups whose transaction is in a block.", groups),
            sample("loans_open_total", "counter", "Loans that they opened.", open),
            sample("loans_refused_total", "counter", "Loans that the pool refused, the others of their groups aside.", refused),
            sample("groups_pending", "gauge", "Groups that are done and not settled.", self.pending.len() as u64),
        ];
        Ok(write_text(&self.root.join("submission.prom"), &text.concat())?)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::{Of, Status};
    use crate::{cli::output::Console, service::Destination};
    use alloy::primitives::{Address, B256};
    use serde_json::{Value, json};
    use std::{fs, path::Path, time::Duration};

    const RESTS: [Duration; 2] = [Duration::from_secs(1_000), Duration::from_secs(3_000)];

    fn status(root: &Path) -> Status {
        let to = Destination { chain_id: 1, genesis: B256::ZERO, pool: Address::ZERO };
        Status::new(root, Of { to, sender: Address::ZERO, broadcast: true })
    }

    #[test]
    fn what_rests_is_looked_at_when_its_time_comes_or_something_moved() {
        let mut status = status(Path::new(""));
        assert!(status.is_due("a"), "nothing is known of it");
        status.keep("a", json!({ "state": "waits" }), Some(RESTS));
        status.keep("b", json!({ "state": "failed" }), None);
        status.sending("c");
        assert!(!status.is_due("a") && !status.is_due("b") && status.is_due("c"));
        assert!(status.wake());
        assert!(status.is_due("a") && !status.is_due("b"), "what failed is not tried again");
        for seconds in [2_000, 3_000, 3_000] {
            status.keep("a", json!({ "state": "waits" }), Some(RESTS));
            assert_eq!(status.pending["a"].rest, Duration::from_secs(seconds));
        }
        assert!(!status.is_all_settled());
    }

    /// What cannot be written is written when it can be, also where nothing happens meanwhile.
    #[test]
    fn a_status_that_cannot_be_written_is_written_later() {
        let work = tempfile::tempdir().unwrap();
        let console = Console::new(false, true);
        let mut status = status(&work.path().join("gone"));
        status.keep("a", json!({ "state": "waits" }), Some(RESTS));
        status.write(&console);
        assert!(status.unwritten.as_ref().is_some_and(|problem| problem.starts_with('[')), "{:?}", status.unwritten);
        fs::create_dir(work.path().join("gone")).unwrap();
        status.write(&console);
        assert_eq!(status.unwritten, None);
        let path = work.path().join("gone/submission.json");
        let value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(value["pending"], json!({ "a": { "state": "waits" } }), "{value}");
        fs::remove_file(&path).unwrap();
        status.write(&console);
        assert!(!path.exists(), "nothing changed");
    }
}
