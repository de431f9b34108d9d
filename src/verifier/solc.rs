//! Finding solc and compiling with it.
//!
//! Order: an explicit path (`--solc`), the environment variable `SOLC`, `foundry.toml`'s `solc`, `PATH`, svm's folder, and last the
//! project's wrapper around the wasm compiler from npm (`tools/solc`).

use super::VerifierError;
use foundry_compilers::solc::Solc;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// EIP-170's limit of a contract's code, in bytes.
pub const MAX_RUNTIME: usize = 24_576;

/// What is asked for of a contract.
const OUTPUT: [&str; 4] = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.functionDebugData"];

/// The oldest compiler that takes the contracts' pragma.
const OLDEST: semver::Version = semver::Version::new(0, 8, 24);

/// A compiled contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The contract's name.
    pub name: String,
    /// Creation code, without constructor arguments.
    pub creation: Vec<u8>,
    /// Size of the runtime code, in bytes.
    pub runtime_size: usize,
    /// The code on chain, where no immutable is written into it.
    pub runtime: Vec<u8>,
    /// The ABI.
    pub abi: Value,
    /// The contract's own functions with their positions in the runtime code, by position.
    pub functions: Vec<(String, usize)>,
    /// The file that it is in, by its name in `input`.
    pub file: String,
    /// solc's standard JSON that it comes from: sources and settings.
    pub input: Value,
}

/// How to compile. The default is for the project's contracts: every codehash of them rests on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The optimizer's expected number of runs; `None` leaves it off.
    pub runs: Option<u32>,
    /// The via-IR pipeline instead of the legacy one.
    pub via_ir: bool,
    /// The EVM version to compile for.
    pub evm_version: &'static str,
}

impl Settings {
    /// For a rendered verifier, whose size counts: more runs put its constants and its few functions into the code again and again, and
    /// save less than a thousandth of its gas.
    pub const VERIFIER: Self = Self { runs: Some(200), via_ir: false, evm_version: "cancun" };
}

impl Default for Settings {
    fn default() -> Self {
        Self { runs: Some(10_000), via_ir: false, evm_version: "cancun" }
    }
}

/// A Solidity compiler that answered.
#[derive(Clone, Debug)]
pub struct Compiler {
    solc: Solc,
}

impl Compiler {
    /// Finds a compiler; `root` is the project whose `foundry.toml` and `tools/solc` count.
    pub fn find(explicit: Option<&Path>, root: &Path) -> Result<Self, VerifierError> {
        let candidates = candidates(explicit, root);
        for (name, path) in candidates.iter().filter(|(_, path)| path.is_file()) {
            let solc = Solc::new(path)
                .map_err(|e| VerifierError::BrokenSolc { path: path.display().to_string(), problem: e.to_string() })?;
            // An old compiler that merely lies around is no reason to fail; one that was named is.
            if solc.version >= OLDEST || matches!(*name, "--solc" | "SOLC") {
                return Ok(Self { solc });
            }
        }
        let looked_at: Vec<_> = candidates.iter().map(|(name, path)| format!("{name} ({})", path.display())).collect();
        Err(VerifierError::NoSolc { looked_at: looked_at.join(", ") })
    }

    /// Where it lies and which version it is, for reports.
    pub fn describe(&self) -> String {
        format!("solc {} at {}", self.solc.version, self.solc.solc.display())
    }

    /// The compiler's version.
    pub fn version(&self) -> String {
        self.solc.version.to_string()
    }

    /// Compiles a rendered verifier (`render`) and checks its size.
    pub fn compile_verifier(&self, source: &str) -> Result<Compiled, VerifierError> {
        self.compile_verifier_with(source, Settings::VERIFIER)
    }

    /// The same with other settings: for checking that the contract does not depend on them.
    pub fn compile_verifier_with(&self, source: &str, settings: Settings) -> Result<Compiled, VerifierError> {
        self.compile_generated("InferenceVerifier", source, settings)
    }

    /// Compiles a rendered family's code (`split::family`) and checks its size.
    pub fn compile_family(&self, source: &str) -> Result<Compiled, VerifierError> {
        self.compile_family_with(source, Settings::VERIFIER)
    }

    /// As [`Compiler::compile_verifier_with`].
    pub fn compile_family_with(&self, source: &str, settings: Settings) -> Result<Compiled, VerifierError> {
        self.compile_generated("FamilyVerifier", source, settings)
    }

    /// Compiles a rendered verifier of aggregates (`aggregate::render`) and checks its size.
    pub fn compile_aggregate(&self, source: &str) -> Result<Compiled, VerifierError> {
        self.compile_generated("AggregateVerifier", source, Settings::VERIFIER)
    }

    fn compile_generated(&self, name: &str, source: &str, settings: Settings) -> Result<Compiled, VerifierError> {
        let file = format!("{name}.sol");
        let sources = [(file.clone(), source.to_string())];
        let output = self.compile(&sources, settings)?;
        let verifier = contract(&output, &file, name)?;
        match verifier.runtime_size > MAX_RUNTIME {
            true => Err(VerifierError::TooLarge { name: verifier.name, size: verifier.runtime_size, limit: MAX_RUNTIME }),
            false => Ok(verifier),
        }
    }

    /// Compiles contracts of the project in one run, each by its file, a path below `root`, and its name; imports resolve through
    /// the project's remappings.
    pub fn compile_contracts<const N: usize>(
        &self,
        root: &Path,
        wanted: [(&str, &str); N],
    ) -> Result<[Compiled; N], VerifierError> {
        let mut sources = Vec::new();
        wanted.iter().try_for_each(|(file, _)| collect_sources(root, file, &mut sources))?;
        // Code for these only, not for all that they import: solc takes most of its time for that.
        let mut selection = serde_json::Map::new();
        for (file, name) in wanted {
            selection.entry(file).or_insert_with(|| json!({}))[name] = json!(OUTPUT);
        }
        let output = self.compile_selected(&sources, Settings::default(), selection.into())?;
        let compiled = wanted.iter().map(|(file, name)| contract(&output, file, name)).collect::<Result<Vec<_>, _>>()?;
        compiled
            .try_into()
            .map_err(|_| VerifierError::Compile { name: "the contracts".into(), problem: "some are missing".into() })
    }

    fn compile(&self, sources: &[(String, String)], settings: Settings) -> Result<Value, VerifierError> {
        self.compile_selected(sources, settings, json!({ "*": { "*": OUTPUT } }))
    }

    fn compile_selected(
        &self,
        sources: &[(String, String)],
        settings: Settings,
        selection: Value,
    ) -> Result<Value, VerifierError> {
        let entries = sources.iter().map(|(name, text)| (name.clone(), json!({ "content": text })));
        let input = json!({
            "language": "Solidity",
            "sources": serde_json::Map::from_iter(entries),
            "settings": {
                "optimizer": { "enabled": settings.runs.is_some(), "runs": settings.runs.unwrap_or(200) },
                "viaIR": settings.via_ir,
                "evmVersion": settings.evm_version,
                "metadata": { "bytecodeHash": "none", "appendCBOR": false },
                "outputSelection": selection,
            },
        });
        let name = || sources.first().map(|(name, _)| name.clone()).unwrap_or_default();
        let failed = |problem: String| VerifierError::Compile { name: name(), problem };
        let output: Value = self.solc.compile_as(&input).map_err(|e| failed(e.to_string()))?;
        let errors = output["errors"].as_array().map(Vec::as_slice).unwrap_or(&[]);
        match errors.iter().find(|e| e["severity"] == "error") {
            Some(error) => Err(failed(error["formattedMessage"].as_str().unwrap_or("an error without a message").into())),
            None => Ok(json!({ "contracts": output["contracts"], "input": input })),
        }
    }
}

/// One contract of what was compiled, with the input of it all.
fn contract(output: &Value, file: &str, name: &str) -> Result<Compiled, VerifierError> {
    let found = &output["contracts"][file][name];
    let code = |part: &str| found["evm"][part]["object"].as_str().and_then(|hex| alloy::hex::decode(hex).ok());
    let (creation, runtime) = code("bytecode")
        .zip(code("deployedBytecode"))
        .filter(|(c, _)| !c.is_empty())
        .ok_or_else(|| VerifierError::Compile { name: name.into(), problem: format!("{file} gave no bytecode for it") })?;
    let functions = functions(&found["evm"]["deployedBytecode"]["functionDebugData"]);
    let (abi, input) = (found["abi"].clone(), output["input"].clone());
    let runtime_size = runtime.len();
    Ok(Compiled { name: name.into(), creation, runtime_size, runtime, abi, functions, file: file.into(), input })
}

/// The functions that solc knows the entry of, by entry: `"@_invert_123": { "entryPoint": 456, .. }`. One that it put into its caller
/// has none.
fn functions(debug: &Value) -> Vec<(String, usize)> {
    let entries = debug.as_object().into_iter().flatten().filter_map(|(name, data)| {
        let (name, _id) = name.strip_prefix('@')?.rsplit_once('_')?;
        Some((name.to_owned(), usize::try_from(data["entryPoint"].as_u64()?).ok()?))
    });
    let mut all: Vec<(String, usize)> = entries.collect();
    all.sort_by_key(|(_, entry)| *entry);
    all
}

/// The sources of `file` and of everything it imports, by their names in the import statements' own terms.
fn collect_sources(root: &Path, file: &str, sources: &mut Vec<(String, String)>) -> Result<(), VerifierError> {
    if sources.iter().any(|(name, _)| name == file) {
        return Ok(());
    }
    let path = if file.starts_with('@') { package_file(root, file) } else { root.join(file) };
    let text = std::fs::read_to_string(&path).map_err(|source| VerifierError::Io { path, source })?;
    let imports: Vec<String> = text.lines().filter_map(import_of).map(|import| resolve(file, import)).collect();
    sources.push((file.to_string(), text));
    imports.iter().try_for_each(|import| collect_sources(root, import, sources))
}

/// A file of an npm package, in the nearest folder that has it.
fn package_file(root: &Path, file: &str) -> PathBuf {
    let of = |folder: &Path| folder.join("node_modules").join(file);
    root.ancestors().map(of).find(|path| path.is_file()).unwrap_or_else(|| of(root))
}

fn import_of(line: &str) -> Option<&str> {
    let statement = line.trim_start().strip_prefix("import")?;
    let path = statement.trim_end().strip_suffix(';')?.trim_end().strip_suffix('"')?;
    path.rsplit_once('"').map(|(_, path)| path)
}

fn resolve(file: &str, import: &str) -> String {
    if !import.starts_with('.') {
        return import.to_string();
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn candidates(explicit: Option<&Path>, root: &Path) -> Vec<(&'static str, PathBuf)> {
    if let Some(path) = explicit {
        return vec![("--solc", path.into())];
    }
    let mut all = Vec::new();
    all.extend(std::env::var_os("SOLC").map(|path| ("SOLC", PathBuf::from(path))));
    all.extend(foundry_solc(root).map(|path| ("foundry.toml", path)));
    let folders = std::env::var_os("PATH").map(|p| std::env::split_paths(&p).collect::<Vec<_>>()).unwrap_or_default();
    all.extend(folders.into_iter().map(|folder| folder.join("solc")).find(|p| p.is_file()).map(|path| ("PATH", path)));
    all.extend(svm_newest().map(|path| ("svm", path)));
    all.push(("npm wrapper", root.join("tools/solc")));
    all
}

fn foundry_solc(root: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(root.join("foundry.toml")).ok()?;
    let config: toml::Value = toml::from_str(&text).ok()?;
    let path = config.get("profile")?.get("default")?.get("solc")?.as_str()?;
    path.contains('/').then(|| root.join(path))
}

/// The newest compiler of svm's folder that is new enough for the pragma.
fn svm_newest() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from)?;
    let folder = [home.join(".svm"), home.join(".local/share/svm")].into_iter().find(|f| f.is_dir())?;
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let patch: u32 = name.strip_prefix("0.8.")?.parse().ok()?;
            Some((patch, entry.path().join(format!("solc-{name}")))).filter(|(patch, _)| *patch >= 24)
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, path)| path)
}
