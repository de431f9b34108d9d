//! What is to be done next, read off the folders.

use super::{
    ServiceError, Work,
    act::Act,
    group::{Entry, form},
    handed_in::{HandedIn, PAPERS_TEXT},
    incoming,
    places::{self, AGGREGATE, ENTRY, Places, clean, exists, gone, names},
    report::{Book, Reason},
    waiting::{self, Waiting},
};
use crate::artifact::aggregate::KindSlots;
use alloy::primitives::B256;
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

/// How often the status is written at least while nothing happens, so that it shows that somebody watches.
const ALIVE: Duration = Duration::from_secs(15);
/// How often at most while much happens.
const BUSY: Duration = Duration::from_secs(1);

/// How long what cannot be read or taken away is left alone: it is told each time.
const AGAIN: Duration = Duration::from_secs(60);

/// Files that are looked at before groups are formed again: a heap of junk must not keep those waiting whose time has come.
const LOOKS: u32 = 64;

/// How a folder is watched.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a proof waits before it is aggregated with empty slots beside it.
    pub patience: Duration,
    /// Most proofs that wait; each model or aggregate may have one group's in any case.
    pub queue: usize,
}

/// The process's state: what is on disk, as far as it is needed, and what is planned.
#[derive(Debug)]
pub struct Service<W> {
    pub(super) places: Places,
    pub(super) work: W,
    pub(super) kinds: Vec<KindSlots>,
    pub(super) longest: usize,
    pub(super) settings: Settings,
    pub(super) waiting: BTreeMap<B256, Waiting>,
    /// The group of every statement that is in one, open or done.
    pub(super) settled: HashMap<B256, String>,
    /// Entered and not closed.
    pub(super) open: Vec<Entry>,
    pub(super) todo: VecDeque<Act>,
    /// What is left of the last look at `incoming/`.
    pub(super) listed: VecDeque<OsString>,
    /// Files looked at since groups were formed.
    looked: u32,
    /// Whose kind's part of the queue is full; looked at again when a group takes from it.
    pub(super) held: HashSet<OsString>,
    /// What was handed in and cannot be read or taken away, and when that was found: not looked at again for a while.
    pub(super) stuck: HashMap<OsString, Instant>,
    /// Changes made on disk.
    pub(super) acts: u64,
    pub(super) book: Book,
    pub(super) changed: bool,
    pub(super) written: Option<Instant>,
}

impl<W: Work> Service<W> {
    /// Locks the folder, and reads where a process before this one was.
    ///
    /// # Errors
    /// A folder that another process watches, or of another aggregate; a queue that holds no group; a file of our own that somebody changed.
    pub fn open(root: &Path, work: W, settings: Settings) -> Result<Self, ServiceError> {
        let kinds = work.kinds();
        let slots = kinds.iter().map(|kind| kind.count).sum();
        if settings.queue < slots {
            return Err(ServiceError::Queue { queue: settings.queue, slots });
        }
        let places = Places::open(root, work.aggregate_id())?;
        let longest = work.longest_file() + PAPERS_TEXT;
        let waiting = waiting::scan(&places.waiting(), longest)?;
        let book = Book::read(&places.status());
        let mut service = Self {
            places,
            work,
            kinds,
            longest,
            settings,
            waiting,
            settled: HashMap::new(),
            open: Vec::new(),
            todo: VecDeque::new(),
            listed: VecDeque::new(),
            looked: 0,
            held: HashSet::new(),
            stuck: HashMap::new(),
            acts: 0,
            book,
            changed: true,
            written: None,
        };
        service.read_groups()?;
        Ok(service)
    }

    fn read_groups(&mut self) -> Result<(), ServiceError> {
        for (folder, is_open) in [(self.places.done(), false), (self.places.groups(), true)] {
            for id in names(&folder)? {
                let (path, id) = (folder.join(&id), id.to_string_lossy().into_owned());
                if !path.is_dir() {
                    continue;
                }
                clean(&path)?;
                let file = path.join(ENTRY);
                let Some(entry) = places::read_json::<Entry>(&file)? else {
                    // Begun, or dissolved, but for one step: only an empty folder is taken away.
                    if is_open {
                        gone(fs::remove_dir(&path), "remove", &path)?;
                    }
                    continue;
                };
                let entry = entry.check(&file, &id, self.work.aggregate_id())?;
                for member in &entry.proofs {
                    self.waiting.remove(&member.statement);
                    self.settled.insert(member.statement, id.clone());
                }
                if is_open {
                    self.open.push(entry);
                }
            }
        }
        Ok(())
    }

    /// Does all that there is to do.
    ///
    /// # Errors
    /// What the machine refuses. What was planned is given up, and planned anew by the next run.
    pub fn run(&mut self, tell: &dyn Fn(String)) -> Result<(), ServiceError> {
        let outcome = self.run_steps(tell);
        if let Err(error) = &outcome {
            self.book.failed(error);
            self.todo.clear();
            self.changed = true;
        }
        let written = self.keep_status(ALIVE);
        outcome.and(written)
    }

    fn run_steps(&mut self, tell: &dyn Fn(String)) -> Result<(), ServiceError> {
        // What could not be read or taken away may be another file by now, or readable.
        self.stuck.retain(|_, found| found.elapsed() < AGAIN);
        loop {
            self.listed = incoming::list(&self.places.incoming())?.into();
            self.listed.retain(|name| !self.held.contains(name) && !self.stuck.contains_key(name));
            let acts = self.acts;
            while self.step(tell)? {
                // What cannot be told holds up no group: the run's end says so.
                self.keep_status(BUSY).ok();
            }
            // A group may have made room in the queue: then what was held back comes.
            if self.acts == acts {
                return Ok(());
            }
        }
    }

    fn keep_status(&mut self, at_least: Duration) -> Result<(), ServiceError> {
        let due = self.written.is_none_or(|written| written.elapsed() >= at_least);
        // At rest, the last change is told at once.
        let at_rest = self.changed && at_least == ALIVE;
        if due || at_rest { self.write_status() } else { Ok(()) }
    }

    /// Makes one change on disk, or plans the next ones. The answer is whether there was anything to do.
    pub(super) fn step(&mut self, tell: &dyn Fn(String)) -> Result<bool, ServiceError> {
        match self.todo.pop_front() {
            Some(act) => self.perform(act, tell).map(|()| true),
            None => self.plan(),
        }
    }

    fn plan(&mut self) -> Result<bool, ServiceError> {
        if let Some(entry) = self.open.first().cloned() {
            self.plan_group(entry)?;
            return Ok(true);
        }
        let none_comes = self.is_full() || self.listed.is_empty();
        if none_comes || self.looked >= LOOKS {
            self.looked = 0;
            let waiting: Vec<Waiting> = self.waiting.values().cloned().collect();
            if let Some(members) = form(&self.kinds, &waiting, self.settings.patience, SystemTime::now()) {
                let entry = Entry::new(self.work.aggregate_id(), &members);
                self.todo.extend([Act::Begin { entry: entry.clone() }, Act::Enter { entry }]);
                return Ok(true);
            }
        }
        if none_comes {
            return Ok(false);
        }
        let Some(name) = self.listed.pop_front() else { return Ok(false) };
        self.looked += 1;
        self.plan_incoming(&name)?;
        Ok(true)
    }

    fn of_kind(&self, kind: B256) -> usize {
        self.waiting.values().filter(|proof| proof.kind == kind).count()
    }

    /// Whether nothing at all is let in: the queue is full, and each model or aggregate has a group's proofs in it.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= self.settings.queue && self.kinds.iter().all(|kind| self.of_kind(kind.kind) >= kind.count)
    }

    /// Looks at what was handed in: it is kept, refused, held back, or was kept before this process was killed.
    fn plan_incoming(&mut self, name: &OsStr) -> Result<(), ServiceError> {
        let path = self.places.incoming().join(name);
        match self.look_at(name, &path) {
            Ok(Look::Keep(waiting, text)) => {
                self.todo.extend([Act::Keep { waiting, text }, Act::Forget { path }]);
            }
            Ok(Look::Kept) => self.todo.push_back(Act::Forget { path }),
            Ok(Look::Hold) => drop(self.held.insert(name.to_owned())),
            // Whoever handed it in took it back.
            Err(_) if exists(&path).is_ok_and(|there| !there) => {}
            Err(error) if error.is_of_the_file(&path) => self.todo.push_back(Act::Leave { path, error }),
            Err(error) if error.is_of_the_machine() => return Err(error),
            Err(error) => self.plan_refusal(path, &name.to_string_lossy(), &error)?,
        }
        Ok(())
    }

    fn look_at(&self, name: &OsStr, path: &Path) -> Result<Look, ServiceError> {
        let name = incoming::name(name, path)?;
        let text = incoming::read(path, self.longest)?;
        let proof = HandedIn::parse(&text, path)?.part;
        let statement = waiting::statement(&proof);
        let file = waiting::file_name(&statement, &name);
        if let Some(kept) = self.kept(&statement, &file) {
            let same = kept.file_name() == Some(OsStr::new(&file)) && fs::read(&kept).is_ok_and(|bytes| bytes == text.as_bytes());
            let other = kept.display().to_string();
            return if same { Ok(Look::Kept) } else { Err(ServiceError::Duplicate { path: path.into(), other }) };
        }
        self.work.check(&proof)?;
        let slots = self.kinds.iter().find(|kind| kind.kind == proof.id()).map_or(0, |kind| kind.count);
        if self.waiting.len() >= self.settings.queue && self.of_kind(proof.id()) >= slots {
            return Ok(Look::Hold);
        }
        let since = SystemTime::now();
        Ok(Look::Keep(Waiting { file, name, statement, kind: proof.id(), since }, text))
    }

    /// The reason first: what lies in `refused/` has one, whenever the process is killed.
    pub(super) fn plan_refusal(&mut self, from: PathBuf, name: &str, error: &ServiceError) -> Result<(), ServiceError> {
        let target = self.free_name(name)?;
        let reason = Reason::new(error);
        self.todo.extend([Act::Explain { target: target.clone(), reason: reason.clone() }, Act::Refuse { from, target, reason }]);
        Ok(())
    }

    /// A name in `refused/` that nothing has yet, and which is not that of a reason.
    fn free_name(&self, name: &str) -> Result<String, ServiceError> {
        let end = (0..=name.len().min(incoming::MAX_NAME)).rev().find(|&end| name.is_char_boundary(end)).unwrap_or_default();
        let name = match &name[..end] {
            reason if reason.ends_with(".reason.json") => format!("{reason}.file"),
            other => other.to_owned(),
        };
        let planned = |target: &str| self.todo.iter().any(|act| matches!(act, Act::Refuse { target: t, .. } if t == target));
        let folder = self.places.refused();
        let mut target = name.clone();
        for n in 2_u64.. {
            if !planned(&target) && !exists(&folder.join(&target))? {
                break;
            }
            target = format!("{name}.{n}");
        }
        Ok(target)
    }

    /// What is left to do for a group.
    fn plan_group(&mut self, entry: Entry) -> Result<(), ServiceError> {
        let (folder, waiting) = (self.group(&entry), self.places.waiting());
        let (mut moved, mut left, mut missing) = (Vec::new(), Vec::new(), false);
        for member in &entry.proofs {
            let (here, there) = (folder.join(&member.file), waiting.join(&member.file));
            match (exists(&here)?, exists(&there)?) {
                (true, _) => moved.push(Act::Move { from: here, to: there }),
                (false, true) => left.push(Act::Move { from: there, to: here }),
                (false, false) => missing = true,
            }
        }
        let aggregate = folder.join(AGGREGATE);
        if missing {
            self.todo.extend(moved);
            let files = [aggregate, folder.join(ENTRY)];
            self.todo.extend(files.into_iter().map(|path| Act::Remove { path }));
            self.todo.push_back(Act::Dissolve { entry });
            return Ok(());
        }
        match exists(&aggregate)?.then(|| self.work.verify(&aggregate)) {
            Some(Ok(())) => self.todo.extend(left),
            Some(Err(error)) => {
                let error = ServiceError::from(error);
                if error.is_of_the_machine() {
                    return Err(error);
                }
                self.todo.extend(moved);
                self.todo.push_back(Act::Remove { path: aggregate });
                return Ok(());
            }
            None => {
                // Proofs are proven from `waiting/`, and moved when that is done.
                if !moved.is_empty() {
                    self.todo.extend(moved);
                    return Ok(());
                }
                self.todo.push_back(Act::Prove { entry });
                return Ok(());
            }
        }
        self.todo.push_back(Act::Close { entry });
        Ok(())
    }

    /// Writes status and metrics.
    pub(super) fn write_status(&mut self) -> Result<(), ServiceError> {
        let incoming = incoming::list(&self.places.incoming())?.len();
        let status = self.status(incoming);
        places::write_json(&self.places.status(), &status)?;
        let metrics = super::metrics::text(&status);
        crate::proof::artifact::write_bytes(&self.places.metrics(), metrics.as_bytes(), false)?;
        (self.changed, self.written) = (false, Some(Instant::now()));
        Ok(())
    }
}

/// What becomes of a file that was handed in and is not refused.
enum Look {
    Keep(Waiting, String),
    Kept,
    Hold,
}
