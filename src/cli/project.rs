//! Where the project's own sources are: the contracts, and the compiler wrapper beside them.

use super::failure::CliError;
use std::path::{Path, PathBuf};

/// What marks the project's root.
const MARK: &str = "contracts/InferenceRouter.sol";

/// The root: the given folder, else the working folder or one above it, else one above the program, else where it was built.
///
/// # Errors
/// [`CliError::NoProject`].
pub fn find(explicit: Option<&Path>) -> Result<PathBuf, CliError> {
    let looked = |places: &[PathBuf]| CliError::NoProject {
        looked: places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "),
    };
    let starts: Vec<PathBuf> = match explicit {
        Some(path) => return if path.join(MARK).is_file() { Ok(path.into()) } else { Err(looked(&[path.into()])) },
        None => [std::env::current_dir().ok(), std::env::current_exe().ok(), Some(env!("CARGO_MANIFEST_DIR").into())]
            .into_iter()
            .flatten()
            .collect(),
    };
    let found = starts.iter().flat_map(|start| start.ancestors()).find(|folder| folder.join(MARK).is_file());
    found.map(Path::to_path_buf).ok_or_else(|| looked(&starts))
}

/// The root where there is one, else the working folder: enough to look for a compiler.
pub fn find_or_here(explicit: Option<&Path>) -> PathBuf {
    find(explicit).unwrap_or_else(|_| PathBuf::from("."))
}

/// A program that `npm ci` put into the project, such as anvil.
pub fn bundled(root: &Path, program: &str) -> Option<PathBuf> {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let packages = std::fs::read_dir(root.join("node_modules/@foundry-rs")).into_iter().flatten().flatten();
    packages.map(|package| package.path().join("bin").join(&file)).find(|path| path.is_file())
}
