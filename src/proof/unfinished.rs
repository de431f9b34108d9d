//! Files and folders in the making. A process that is told to end in the middle of a write cannot wait for it: it takes away what is
//! not in its place yet, and nothing new is begun.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Those of this process.
static UNFINISHED: Unfinished = Unfinished::new();

/// A set of temporary files and folders.
#[derive(Debug)]
struct Unfinished(Mutex<State>);

#[derive(Debug)]
struct State {
    paths: BTreeSet<PathBuf>,
    closed: bool,
}

/// A temporary file or folder that is taken away when the process is interrupted; not any more once this is dropped.
#[derive(Debug)]
pub struct Entry {
    of: &'static Unfinished,
    path: PathBuf,
}

/// Keeps [`remove`] waiting.
#[derive(Debug)]
#[must_use]
pub struct Held {
    _state: MutexGuard<'static, State>,
}

/// Makes a temporary file or folder that an interrupt takes away.
///
/// # Errors
/// Those of `make`, and [`io::ErrorKind::Interrupted`] after [`remove`].
pub fn begin<T: AsRef<Path>>(make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Entry)> {
    UNFINISHED.begin(make)
}

/// While the answer is kept, [`remove`] waits: for steps of which the first may not be the last.
///
/// # Errors
/// [`io::ErrorKind::Interrupted`] after [`remove`].
pub fn hold() -> io::Result<Held> {
    let state = UNFINISHED.state();
    if state.closed { Err(io::ErrorKind::Interrupted.into()) } else { Ok(Held { _state: state }) }
}

/// Takes away all that is unfinished, for good: nothing can be begun afterwards.
pub fn remove() {
    UNFINISHED.remove();
}

impl Unfinished {
    const fn new() -> Self {
        Self(Mutex::new(State { paths: BTreeSet::new(), closed: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the set as good as it was.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin<T: AsRef<Path>>(&'static self, make: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Entry)> {
        let mut state = self.state();
        if state.closed {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let made = make()?;
        let path = made.as_ref().to_path_buf();
        state.paths.insert(path.clone());
        Ok((made, Entry { of: self, path }))
    }

    fn remove(&self) {
        let mut state = self.state();
        state.closed = true;
        for path in std::mem::take(&mut state.paths) {
            // A thread may be writing into the folder; once it is gone, that fails.
            let gone = |_: &u32| std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path)).is_ok();
            let _ = (0..10).find(gone);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.of.state().paths.remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_goes_and_what_is_finished_stays() {
        static OWN: Unfinished = Unfinished::new();
        let folder = tempfile::tempdir().unwrap();
        let (file, file_entry) = OWN.begin(|| tempfile::NamedTempFile::new_in(folder.path())).unwrap();
        let (inner, _inner_entry) = OWN.begin(|| tempfile::tempdir_in(folder.path())).unwrap();
        std::fs::write(inner.path().join("part"), "x").unwrap();
        let (kept, kept_entry) = OWN.begin(|| tempfile::NamedTempFile::new_in(folder.path())).unwrap();
        kept.persist(folder.path().join("kept")).unwrap();
        drop(kept_entry);
        OWN.remove();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["kept"]);
        drop((file, file_entry));
        let refused = OWN.begin(|| tempfile::NamedTempFile::new_in(folder.path())).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Interrupted);
    }
}
