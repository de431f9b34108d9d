//! Where the sources are: the contracts, and the compiler wrapper beside them. In a checkout they lie at its root, in a project that
//! `init` wrote below [`LIBRARY`].

use super::failure::CliError;
use std::path::{Path, PathBuf};

/// Where a project that `init` wrote keeps the sources.
pub const LIBRARY: &str = "lib/zkml-evm";

/// What marks their root.
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
        Some(path) => return sources(path).ok_or_else(|| looked(&[path.into()])),
        None => [std::env::current_dir().ok(), std::env::current_exe().ok(), Some(env!("CARGO_MANIFEST_DIR").into())]
            .into_iter()
            .flatten()
            .collect(),
    };
    starts.iter().flat_map(|start| start.ancestors()).find_map(sources).ok_or_else(|| looked(&starts))
}

/// The sources in this very folder, whether it is a checkout or a project.
fn sources(folder: &Path) -> Option<PathBuf> {
    [folder.to_path_buf(), folder.join(LIBRARY)].into_iter().find(|root| root.join(MARK).is_file())
}

/// The root where there is one, else the working folder: enough to look for a compiler.
pub fn find_or_here(explicit: Option<&Path>) -> PathBuf {
    find(explicit).unwrap_or_else(|_| PathBuf::from("."))
}

/// The npm packages that the sources see: in the nearest folder that has some, as node looks for them.
pub fn modules(root: &Path) -> Option<PathBuf> {
    root.ancestors().map(|folder| folder.join("node_modules")).find(|modules| modules.is_dir())
}

/// A program that `npm ci` put into the project, such as anvil.
pub fn bundled(root: &Path, program: &str) -> Option<PathBuf> {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    let packages = std::fs::read_dir(modules(root)?.join("@foundry-rs")).into_iter().flatten().flatten();
    packages.map(|package| package.path().join("bin").join(&file)).find(|path| path.is_file())
}
