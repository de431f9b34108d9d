//! A folder of imported SRS files. A ceremony's file is converted once for each size: the name says what it is of.

use super::{ProofError, Provenance, Srs};
use std::path::{Path, PathBuf};

/// The ending of its files.
const ENDING: &str = "srs";

/// The folder.
#[derive(Clone, Debug)]
pub struct SrsStore {
    folder: PathBuf,
}

/// One file of the folder.
#[derive(Debug)]
pub struct Stored {
    /// What [`SrsStore::find`] takes.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// Its content, or why it cannot be used.
    pub srs: Result<Srs, ProofError>,
}

impl SrsStore {
    /// The store in a folder, which need not exist yet.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where an SRS of 2^k points with this label is kept. The hash's first digits are enough for a name: the label is compared.
    pub fn path(&self, provenance: &Provenance, k: u32) -> PathBuf {
        let label = provenance.to_string();
        let plain = label.rsplit(' ').next().unwrap_or_default();
        let name = match plain.rsplit_once('.') {
            Some((rest, hash)) => format!("{rest}.{}", hash.get(..8).unwrap_or(hash)),
            None => plain.to_owned(),
        };
        self.folder.join(format!("{name}-{k}.{ENDING}"))
    }

    /// The SRS with this label and size, if it is kept and whole. A damaged file is as good as none: it is made again.
    pub fn get(&self, provenance: &Provenance, k: u32) -> Option<Srs> {
        let srs = Srs::load(&self.path(provenance, k)).ok()?;
        (srs.provenance == *provenance && srs.k() == k && srs.check().is_ok()).then_some(srs)
    }

    /// Keeps an SRS.
    ///
    /// # Errors
    /// [`ProofError::Io`].
    pub fn put(&self, srs: &Srs) -> Result<PathBuf, ProofError> {
        std::fs::create_dir_all(&self.folder).map_err(self.failed("create"))?;
        let path = self.path(&srs.provenance, srs.k());
        srs.save(&path)?;
        Ok(path)
    }

    /// All files, by name. What verification uses is checked of each; [`Srs::check`] does the rest.
    ///
    /// # Errors
    /// [`ProofError::Io`] where the folder is there and cannot be read.
    pub fn list(&self) -> Result<Vec<Stored>, ProofError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(self.failed("read"))?,
        };
        let paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(self.failed("read"))?;
        let mut paths: Vec<_> = paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == ENDING)).collect();
        paths.sort();
        let stored = |path: PathBuf| {
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Stored { name, srs: Srs::load(&path), path }
        };
        Ok(paths.into_iter().map(stored).collect())
    }

    /// The file of a name that [`SrsStore::list`] gives, if there is one.
    pub fn find(&self, name: &Path) -> Option<PathBuf> {
        let plain = name.components().count() == 1;
        let path = self.folder.join(format!("{}.{ENDING}", name.display()));
        (plain && path.is_file()).then_some(path)
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> ProofError + '_ {
        move |source| ProofError::Io { doing, path: self.folder.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = SrsStore::at(folder.path().join("srs"));
        assert!(store.list().unwrap().is_empty());
        let ceremony = Provenance::ceremony(&format!("test.4.{}", "ab".repeat(64))).unwrap();
        let srs = Srs::development(3);
        let path = store.put(&srs).unwrap();
        assert_eq!(path, store.path(&Provenance::InsecureDev, 3));
        assert_eq!(store.find(Path::new("insecure-dev-3")), Some(path.clone()));
        assert_eq!(store.find(Path::new("../srs/insecure-dev-3")), None);
        assert_eq!(store.get(&Provenance::InsecureDev, 3).unwrap().digest(), srs.digest());
        assert!(store.get(&Provenance::InsecureDev, 2).is_none() && store.get(&ceremony, 3).is_none());
        assert!(store.path(&ceremony, 3).ends_with("test.4.abababab-3.srs"));

        // Under another's name, and with one bit changed.
        std::fs::copy(&path, store.path(&ceremony, 3)).unwrap();
        assert!(store.get(&ceremony, 3).is_none());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[200] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(store.get(&Provenance::InsecureDev, 3).is_none());
        let listed: Vec<_> = store.list().unwrap().into_iter().map(|s| (s.name, s.srs.is_ok())).collect();
        assert_eq!(listed, [("insecure-dev-3".to_owned(), false), ("test.4.abababab-3".to_owned(), true)]);
    }
}
