//! A folder that appears whole or not at all: written beside its place, then renamed. Where there is an empty folder already, which may be
//! the one that somebody works in, it is written inside, and its entries are renamed.

use super::{ArtifactError, names};
use crate::proof::unfinished;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder in the making. Dropped before [`Staging::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    temporary: TempDir,
    // Dropped after the locals of `commit`: it takes the lock that they hold.
    _unfinished: unfinished::Entry,
    target: PathBuf,
    inside: bool,
}

impl Staging {
    /// Checks the target and makes the temporary folder beside it: what cannot be written is found out before the long work.
    ///
    /// # Errors
    /// [`ArtifactError::Occupied`] for a folder with something else in it, [`ArtifactError::Exists`] for artifacts without
    /// `force`, [`ArtifactError::Io`] where nothing can be written.
    pub fn begin(target: &Path, force: bool) -> Result<Self, ArtifactError> {
        match std::fs::symlink_metadata(target) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::make(target, false),
            Err(source) => Err(io("read", target)(source)),
            Ok(_) if is_artifacts(target) && force => Self::make(target, false),
            Ok(_) if is_artifacts(target) => Err(ArtifactError::Exists { path: target.into() }),
            Ok(found) if found.is_dir() && is_empty(target).map_err(io("read", target))? => Self::make(target, true),
            Ok(_) => Err(ArtifactError::Occupied { path: target.into() }),
        }
    }

    /// The same for a folder of any kind: there is none yet, or an empty one.
    ///
    /// # Errors
    /// [`ArtifactError::NotEmpty`] for anything else, [`ArtifactError::Io`] where nothing can be written.
    pub fn fresh(target: &Path) -> Result<Self, ArtifactError> {
        match std::fs::symlink_metadata(target) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Self::make(target, false),
            Err(source) => Err(io("read", target)(source)),
            Ok(found) if found.is_dir() && is_empty(target).map_err(io("read", target))? => Self::make(target, true),
            Ok(_) => Err(ArtifactError::NotEmpty { path: target.into() }),
        }
    }

    fn make(target: &Path, inside: bool) -> Result<Self, ArtifactError> {
        let beside = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = if inside { target } else { beside };
        std::fs::create_dir_all(parent).map_err(io("create", parent))?;
        let make = || tempfile::Builder::new().prefix(".zkml-evm-").tempdir_in(parent);
        let (temporary, unfinished) = unfinished::begin(make).map_err(io("write", parent))?;
        Ok(Self { temporary, _unfinished: unfinished, target: target.into(), inside })
    }

    /// Where to write the files.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Puts the folder in its place.
    pub fn commit(self) -> Result<PathBuf, ArtifactError> {
        let failed = |source| ArtifactError::Io { doing: "write", path: self.target.clone(), source };
        open_to_readers(self.temporary.path()).map_err(failed)?;
        // Between two renames there is no folder, or half of one: an interrupt waits.
        let _held = unfinished::hold().map_err(failed)?;
        if self.inside {
            for entry in std::fs::read_dir(self.temporary.path()).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                std::fs::rename(entry.path(), self.target.join(entry.file_name())).map_err(failed)?;
            }
            return Ok(self.target.clone());
        }
        // The old folder steps aside first: a rename over a folder with files in it is refused by the system.
        let aside = match is_artifacts(&self.target) {
            true => {
                let parent = self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
                let aside = tempfile::Builder::new().prefix(".zkml-evm-old-").tempdir_in(parent).map_err(failed)?;
                std::fs::rename(&self.target, aside.path().join("old")).map_err(failed)?;
                Some(aside)
            }
            false => None,
        };
        if let Err(source) = std::fs::rename(self.temporary.path(), &self.target) {
            if let Some(aside) = &aside {
                // Back to where it was; when even that fails, the first error is the one to tell.
                let _ = std::fs::rename(aside.path().join("old"), &self.target);
            }
            return Err(failed(source));
        }
        Ok(self.target.clone())
    }
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ArtifactError {
    let path = path.to_path_buf();
    move |source| ArtifactError::Io { doing, path, source }
}

fn is_artifacts(folder: &Path) -> bool {
    folder.join(names::MANIFEST).is_file()
}

fn is_empty(folder: &Path) -> std::io::Result<bool> {
    Ok(std::fs::read_dir(folder)?.next().is_none())
}

/// Temporary folders are born private.
fn open_to_readers(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
