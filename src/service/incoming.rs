//! What was handed in, by whoever may write to `incoming/`: nothing about it is taken on trust.

use super::{ServiceError, places::names};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{ErrorKind, Read},
    path::Path,
};

/// Most bytes of a name: with the statement before it, it is still a file's name.
pub const MAX_NAME: usize = 128;

/// Names of files that are finished: what is hidden or ends in `.tmp` is still being written.
pub fn list(folder: &Path) -> Result<Vec<OsString>, ServiceError> {
    let mut names = names(folder)?;
    names.retain(|name| !name.as_encoded_bytes().ends_with(b".tmp"));
    Ok(names)
}

/// A name that can be kept.
pub fn name(name: &OsStr, path: &Path) -> Result<String, ServiceError> {
    let fits = name.to_str().filter(|name| name.len() <= MAX_NAME);
    fits.map(str::to_owned).ok_or_else(|| ServiceError::Name { path: path.into(), limit: MAX_NAME })
}

/// The text of a plain file of at most `longest` bytes. It neither follows a link nor waits for a pipe.
pub fn read(path: &Path, longest: usize) -> Result<String, ServiceError> {
    let unreadable = |problem: String| ServiceError::Unreadable { path: path.into(), problem };
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::PermissionDenied => unreadable(source.to_string()),
        // Anything else says something of the machine, or that the file is gone, and nothing of what is in it.
        _ => ServiceError::Io { doing: "read", path: path.into(), source },
    };
    if !fs::symlink_metadata(path).map_err(failed)?.is_file() {
        return Err(ServiceError::NotPlain { path: path.into() });
    }
    let file = open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(ServiceError::NotPlain { path: path.into() });
    }
    let too_large = |got| ServiceError::TooLarge { path: path.into(), limit: longest, got };
    if found.len() > longest as u64 {
        return Err(too_large(found.len()));
    }
    let mut bytes = Vec::new();
    file.take(longest as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > longest {
        return Err(too_large(bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".into()))
}

/// Between a look at a name and opening it, it may have become something else.
pub(super) fn open(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}
