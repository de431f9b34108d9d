//! What changes on disk, one change at a time. What is planned is never written down: after a kill it is planned anew.

use super::{
    ServiceError, Work,
    group::Entry,
    places::{self, AGGREGATE, ENTRY, gone, io},
    plan::Service,
    report::Reason,
    waiting::{self, Waiting},
};
use crate::{
    artifact::{ArtifactError, aggregate::Part},
    chain::journal::sync_folder,
    proof::artifact::write_bytes,
};
use alloy::primitives::B256;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// One change.
#[derive(Debug)]
pub enum Act {
    /// Writes what was checked to `waiting/`: whoever handed it in may still hold the original open.
    Keep { waiting: Waiting, text: String },
    /// Takes away what was handed in and is kept.
    Forget { path: PathBuf },
    /// Says why something is refused, before it is.
    Explain { target: String, reason: Reason },
    /// Moves it to `refused/`.
    Refuse { from: PathBuf, target: String, reason: Reason },
    /// Leaves something unreadable where it is.
    Leave { path: PathBuf, error: ServiceError },
    /// Makes a group's folder.
    Begin { entry: Entry },
    /// Writes which proofs it is of: from here on they are this group's.
    Enter { entry: Entry },
    /// Proves it.
    Prove { entry: Entry },
    /// Moves one of its proofs from one folder to another.
    Move { from: PathBuf, to: PathBuf },
    /// The group is done: its folder goes to `done/` as a whole.
    Close { entry: Entry },
    /// Removes one of our own files of a group that cannot be.
    Remove { path: PathBuf },
    /// The group's folder is empty: its proofs wait again.
    Dissolve { entry: Entry },
}

impl<W: Work> Service<W> {
    /// Makes one change, on disk first and then in what is remembered of it.
    pub(super) fn perform(&mut self, act: Act, tell: &dyn Fn(String)) -> Result<(), ServiceError> {
        match act {
            Act::Keep { waiting, text } => {
                let path = self.places.waiting().join(&waiting.file);
                write_bytes(&path, text.as_bytes(), false)?;
                sync_folder(&path).map_err(io("write", &path))?;
                tell(format!("{:?}: accepted", waiting.name));
                self.book.totals.accepted += 1;
                self.waiting.insert(waiting.statement, waiting);
            }
            Act::Forget { path } => {
                if let Err(source) = gone(fs::remove_file(&path), "remove", &path) {
                    self.leave(&path, &source, tell);
                }
            }
            Act::Remove { path } => gone(fs::remove_file(&path), "remove", &path)?,
            Act::Explain { target, reason } => {
                places::write_json(&self.places.refused().join(format!("{target}.reason.json")), &reason)?;
            }
            Act::Refuse { from, target, reason } => match fs::rename(&from, self.places.refused().join(&target)) {
                Ok(()) => self.refused(&from, &target, &reason, tell),
                Err(source) if from.parent() == Some(&self.places.incoming()) => {
                    self.leave(&from, &io("move", &from)(source), tell);
                }
                Err(source) => return Err(io("move", &from)(source)),
            },
            Act::Leave { path, error } => self.leave(&path, &error, tell),
            Act::Begin { entry } => {
                let path = self.group(&entry);
                fs::create_dir_all(&path).map_err(io("create", &path))?;
            }
            Act::Enter { entry } => {
                places::write_json(&self.group(&entry).join(ENTRY), &entry)?;
                for member in &entry.proofs {
                    self.waiting.remove(&member.statement);
                    self.settled.insert(member.statement, entry.id());
                }
                self.held.clear();
                self.open.push(entry);
            }
            Act::Prove { entry } => self.prove(&entry, tell)?,
            Act::Move { from, to } => fs::rename(&from, &to).map_err(io("move", &from))?,
            Act::Close { entry } => {
                let (from, to) = (self.group(&entry), self.places.done().join(entry.id()));
                fs::rename(&from, &to).map_err(io("move", &from))?;
                tell(format!("group {}: done", entry.id()));
                self.book.done(&entry);
                self.open.retain(|open| *open != entry);
            }
            Act::Dissolve { entry } => {
                let path = self.group(&entry);
                gone(fs::remove_dir(&path), "remove", &path)?;
                self.open.retain(|open| *open != entry);
                entry.proofs.iter().for_each(|member| drop(self.settled.remove(&member.statement)));
                self.waiting = waiting::scan(&self.places.waiting(), self.longest)?;
            }
        }
        self.changed = true;
        self.acts += 1;
        Ok(())
    }

    fn refused(&mut self, from: &Path, target: &str, reason: &Reason, tell: &dyn Fn(String)) {
        tell(format!("{target:?}: refused [{}]: {}", reason.code, reason.message));
        self.book.refused(target, &reason.code);
        // It may have waited.
        let file = from.file_name().and_then(|name| name.to_str()).and_then(waiting::parts);
        if let Some((statement, _)) = file.filter(|_| from.parent() == Some(&self.places.waiting())) {
            self.waiting.remove(&statement);
        }
    }

    /// Something that was handed in cannot be read or taken away, such as a folder of somebody else's: it must not keep the others waiting.
    fn leave(&mut self, path: &Path, error: &ServiceError, tell: &dyn Fn(String)) {
        tell(format!("left where it is: {error}"));
        self.book.failed(error);
        self.stuck.extend(path.file_name().map(|name| (name.to_owned(), Instant::now())));
    }

    /// Proves a group. Should that fail, its proofs are checked again one by one, and proven one by one where all hold. Those that do not
    /// stand alone are refused: the group is dissolved then, for a member is missing.
    fn prove(&mut self, entry: &Entry, tell: &dyn Fn(String)) -> Result<(), ServiceError> {
        tell(format!("group {}: proving {} proofs", entry.id(), entry.proofs.len()));
        self.write_status().ok();
        let mut proofs = Vec::new();
        let mut bad = Vec::new();
        for member in &entry.proofs {
            let path = self.places.waiting().join(&member.file);
            match waiting::load(&path, member.statement, self.longest) {
                Ok(proof) => proofs.push(proof),
                Err(error) => bad.push((member.file.clone(), error)),
            }
        }
        if bad.is_empty() {
            let error = match self.work.aggregate(&proofs, &self.group(entry).join(AGGREGATE)) {
                Ok(cost) => {
                    self.book.proven(&cost);
                    tell(format!("group {}: proven in {:.1} s, {:.1} CPU s", entry.id(), cost.wall_seconds, cost.cpu_seconds));
                    return Ok(());
                }
                Err(error) => ServiceError::from(error),
            };
            for (member, proof) in entry.proofs.iter().zip(&proofs) {
                if let Err(error) = self.work.check(proof) {
                    bad.push((member.file.clone(), error.into()));
                }
            }
            if bad.is_empty() && !error.is_of_the_machine() {
                bad = self.unprovable(entry, &proofs);
            }
            if bad.is_empty() {
                return Err(error);
            }
        }
        // What the machine cannot do says nothing of the proofs.
        if let Some(at) = bad.iter().position(|(_, error)| error.is_of_the_machine()) {
            return Err(bad.swap_remove(at).1);
        }
        self.todo.clear();
        for (file, error) in bad {
            let name = waiting::parts(&file).map_or(file.clone(), |(_, name)| name.to_owned());
            self.plan_refusal(self.places.waiting().join(file), &name, &error)?;
        }
        Ok(())
    }

    /// Those of a group's proofs that hold and cannot be aggregated even alone (docs/soundness.md, "What is not claimed"): they must not keep
    /// the others waiting for ever. An error that is about slots says nothing of a proof: some places cannot stay empty.
    fn unprovable(&self, entry: &Entry, proofs: &[Part]) -> Vec<(String, ServiceError)> {
        let out = self.group(entry).join("alone.tmp");
        let mut bad = Vec::new();
        for (member, proof) in entry.proofs.iter().zip(proofs) {
            match self.work.aggregate(std::slice::from_ref(proof), &out) {
                Ok(_) | Err(ArtifactError::Slots { .. }) => {}
                Err(error) => bad.push((member.file.clone(), ServiceError::from(error))),
            }
        }
        if let Err(error) = gone(fs::remove_file(&out), "remove", &out) {
            bad.push((String::new(), error));
        }
        bad
    }

    pub(super) fn group(&self, entry: &Entry) -> PathBuf {
        self.places.groups().join(entry.id())
    }

    /// Where a statement's proof is kept, waiting, in a group or done.
    pub(super) fn kept(&self, statement: &B256, file: &str) -> Option<PathBuf> {
        if let Some(waiting) = self.waiting.get(statement) {
            return Some(self.places.waiting().join(&waiting.file));
        }
        let group = self.settled.get(statement)?;
        let places = [self.places.done().join(group), self.places.groups().join(group), self.places.waiting()];
        places.into_iter().map(|folder| folder.join(file)).find(|path| path.is_file()).or(Some(self.places.done().join(group)))
    }
}
