//! The inputs of a batch: a file with several rows, or a folder with a file for each.

use super::{
    failure::{CliError, Failure},
    prove::Secret,
};
use crate::{
    artifact::{ArtifactError, Folder, Opening},
    circuit::CircuitError,
    op::InputMode,
    quant::input,
};
use std::path::{Path, PathBuf};

/// All inputs at `path`, in order.
///
/// # Errors
/// Files that cannot be read or do not hold one input each, named with their places in the batch; rows without salts for a model
/// that commits to its inputs.
pub(super) fn read(path: &Path, folder: &Folder) -> Result<Vec<Secret>, Failure> {
    let committed = folder.manifest.facts.input == InputMode::Committed;
    if !path.is_dir() {
        if committed {
            let how = "give a folder with the opening of each input, as `attest` wrote them";
            return Err(CliError::Missing { what: "the salt of each commitment", how }.into());
        }
        return Ok(input::rows(&folder.schema, &input::read(path)?)?.into_iter().map(|row| (row, None)).collect());
    }
    let files = files(path)?;
    let (expected, got) = (folder.program.items, files.len());
    if expected != got {
        return Err(CircuitError::Items { expected, got }.into());
    }
    let named = |(item, path): (usize, &PathBuf)| {
        one(path, folder, committed).map_err(|failure| CliError::Item { item, path: path.clone(), failure }.into())
    };
    files.iter().enumerate().map(named).collect()
}

/// The files of a folder by name, byte by byte; names that begin with a dot are left out, as elsewhere, and what is no file: reading a
/// pipe would never end.
fn files(path: &Path) -> Result<Vec<PathBuf>, ArtifactError> {
    let failed = |source| ArtifactError::Io { doing: "read", path: path.into(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn one(path: &Path, folder: &Folder, committed: bool) -> Result<Secret, Failure> {
    if committed {
        let opening = Opening::load(path, &folder.schema)?;
        return Ok((opening.row(), Some(opening.salt()?)));
    }
    Ok((input::one(&folder.schema, &input::read(path)?)?, None))
}
