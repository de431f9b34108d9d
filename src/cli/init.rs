//! `init DIR`: a Foundry project that a dapp begins with. It holds all that it needs of the checkout: forge, `demo` and `deploy` run in it as
//! it is, without a network.

use super::{blocking, failure::Failure, output::Console, project};
use crate::artifact::{ArtifactError, Staging};
use clap::Args;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The template's folder in the checkout.
const TEMPLATE: &str = "templates/consumer";
/// What the project begins with: the user's own from then on. Named one by one, as forge leaves its outputs beside them.
const OWN: [&str; 8] = [".gitignore", "README.md", "foundry.toml", "package.json", "model", "script", "src", "test"];
/// What contracts, compiler, `demo` and `deploy` need of the checkout; see [`project::LIBRARY`].
const KEPT: [&str; 10] = [
    "contracts",
    "foundry.toml",
    "tools/solc",
    "tools/solc-wasm.js",
    "examples/credit/applicants",
    "examples/credit/calibration.json",
    "examples/credit/credit_mlp.onnx",
    "examples/credit/credit_schema.json",
    "LICENSE-MIT",
    PROOF,
];
/// A proof of the template's model, which its test verifies.
const PROOF: &str = "test/fixtures/consumers/membership.json";

/// A new project.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder to make; it may exist, and be empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The checkout with templates/ and contracts/
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let root = project::find(arguments.project.as_deref())?;
    let progress = console.progress("copying");
    let (folder, installed) = blocking(move || {
        let staging = Staging::fresh(&arguments.folder)?;
        let installed = write(&root, staging.path())?;
        Ok((staging.commit()?, installed))
    })
    .await?;
    drop(progress);
    let install = if installed { "" } else { "\n  npm install" };
    let value =
        json!({ "folder": folder, "contract": "src/Membership.sol", "test": "test/Membership.t.sol", "installed": installed });
    let human = format!("{0}\n\nnext:\n  cd {0}{install}\n  forge test\n  zkml-evm demo", folder.display());
    console.result("init", &value, &human)
}

/// Fills the folder; whether the npm packages came with it.
fn write(root: &Path, folder: &Path) -> Result<bool, ArtifactError> {
    let (template, library) = (root.join(TEMPLATE), folder.join(project::LIBRARY));
    // Once as the user's own, and once kept, so that `init` runs in the project too.
    for into in [folder, &library.join(TEMPLATE)] {
        OWN.iter().try_for_each(|name| copy(&template.join(name), &into.join(name)))?;
    }
    KEPT.iter().try_for_each(|name| copy(&root.join(name), &library.join(name)))?;
    copy(&root.join(PROOF), &folder.join(PROOF))?;
    match project::modules(root) {
        None => Ok(false),
        Some(modules) => install(&modules, folder).map(|()| true),
    }
}

/// Copies the packages that package.json asks for, and theirs. The optional ones, which hold programs, are left to npm.
fn install(modules: &Path, folder: &Path) -> Result<(), ArtifactError> {
    let mut wanted = dependencies(&folder.join("package.json"))?;
    let mut installed = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if installed.insert(name.clone()) {
            let from = modules.join(&name);
            wanted.extend(dependencies(&from.join("package.json"))?);
            copy(&from, &folder.join("node_modules").join(&name))?;
        }
    }
    Ok(())
}

/// The names under `dependencies` of a package.json.
fn dependencies(path: &Path) -> Result<Vec<String>, ArtifactError> {
    let text = fs::read_to_string(path).map_err(io("read", path))?;
    let package: Value = serde_json::from_str(&text).map_err(|e| ArtifactError::Malformed {
        path: path.into(),
        kind: "package.json",
        problem: e.to_string(),
    })?;
    Ok(package["dependencies"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect())
}

/// Copies a file, or a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), ArtifactError> {
    if from.is_dir() {
        fs::create_dir_all(to).map_err(io("create", to))?;
        for entry in fs::read_dir(from).map_err(io("read", from))? {
            let entry = entry.map_err(io("read", from))?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(io("create", parent))?;
    }
    fs::copy(from, to).map(|_| ()).map_err(io("copy", from))
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ArtifactError {
    let path = path.to_path_buf();
    move |source| ArtifactError::Io { doing, path, source }
}
