//! `srs import FILE --name NAME --k K`, `srs list` and `srs verify FILE|NAME`.

use super::{
    blocking,
    failure::{CliError, Failure},
    output::{self, Console},
};
use crate::{
    circuit::plan::MAX_K,
    error::Explain,
    proof::{
        Srs,
        ptau::Ceremony,
        srs_store::{SrsStore, Stored},
    },
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Structured reference strings.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an SRS of a public ceremony's powers-of-tau file (.ptau), with every check that there is, and keep it
    Import(ImportArguments),
    /// The imported SRS files that are kept
    List,
    /// Check an SRS, all of its points
    Verify {
        /// A file, or a name that `srs list` shows
        #[arg(value_name = "FILE|NAME")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ImportArguments {
    /// The ceremony's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The ceremony's name; with the file's power and hash it labels everything that is made with this SRS
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The file's blake2b-512 as the ceremony published it
    #[arg(long, value_name = "HEX")]
    blake2b: Option<String>,
    /// log2 of the rows that it should serve; circuits of fewer rows use the same file
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_K)))]
    k: u32,
    /// The SRS file to write, instead of the one that is kept for all projects
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    match arguments.what {
        What::Import(import) => {
            if import.blake2b.is_none() {
                console.warn("no --blake2b: compare the hash in the label with the one that the ceremony published");
            }
            let progress = console.progress_of(Ceremony::STAGES + 1);
            let stages = progress.stages();
            let (file, srs) = blocking(move || convert(&import, &|stage| stages.begin(stage))).await?;
            drop(progress);
            show("srs import", &file, &srs, console)
        }
        What::List => list(console),
        What::Verify { file } => {
            let progress = console.progress("checking all points");
            let (file, srs) = blocking(move || {
                let file = locate(&file);
                let srs = Srs::load(&file)?;
                srs.check().map_err(|e| e.at(&file))?;
                Ok((file, srs))
            })
            .await?;
            drop(progress);
            show("srs verify", &file, &srs, console)
        }
    }
}

/// The SRS of a ceremony's file, and where it is. One that is kept already is not made again.
fn convert(import: &ImportArguments, tell: &dyn Fn(&'static str)) -> Result<(PathBuf, Srs), Failure> {
    let ceremony = Ceremony { path: &import.file, name: &import.name, blake2b: import.blake2b.as_deref() };
    let Some(out) = &import.out else {
        let store = store()?;
        let identified = ceremony.identify(tell)?;
        if let Some(srs) = store.get(&identified.provenance, import.k) {
            return Ok((store.path(&srs.provenance, import.k), srs));
        }
        let srs = identified.read(import.k, tell)?;
        tell("writing it");
        return Ok((store.put(&srs)?, srs));
    };
    let srs = ceremony.read(import.k, tell)?;
    tell("writing it");
    srs.save(out)?;
    Ok((out.clone(), srs))
}

fn list(console: &Console) -> Result<(), Failure> {
    let stored = store()?.list()?;
    let value: Vec<Value> = stored.iter().map(entry).collect();
    let mut table = output::table(["name", "rows", "SRS"]);
    for Stored { name, srs, .. } in &stored {
        let (rows, what) = match srs {
            Ok(srs) => (format!("up to 2^{}", srs.k()), srs.provenance.to_string()),
            Err(error) => (String::new(), format!("unusable: {error}")),
        };
        table.add_row([name, &rows, &what]);
    }
    let human = if stored.is_empty() { "none; `zkml-evm srs import` makes one".to_owned() } else { table.to_string() };
    console.result("srs list", &value, &human)
}

fn entry(Stored { name, path, srs }: &Stored) -> Value {
    match srs {
        Ok(srs) => {
            let label = srs.provenance.to_string();
            json!({ "name": name, "file": path, "k": srs.k(), "srs": label, "srsDigest": srs.digest() })
        }
        Err(error) => json!({ "name": name, "file": path, "error": { "code": error.code(), "message": error.to_string() } }),
    }
}

fn show(verb: &str, file: &Path, srs: &Srs, console: &Console) -> Result<(), Failure> {
    let value = json!({ "file": file, "k": srs.k(), "srs": srs.provenance.to_string(), "srsDigest": srs.digest() });
    let human =
        format!("file    {}\nrows    up to 2^{}\nSRS     {}\ndigest  {}", file.display(), srs.k(), srs.provenance, srs.digest());
    console.result(verb, &value, &human)
}

/// A file as it is named, or a kept one by its name.
pub fn locate(named: &Path) -> PathBuf {
    let kept = || store().ok().and_then(|store| store.find(named));
    if named.exists() { named.into() } else { kept().unwrap_or_else(|| named.into()) }
}

/// The user's own folder of SRS files, after the XDG rules.
fn store() -> Result<SrsStore, CliError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    let missing =
        CliError::Missing { what: "a folder for imported SRS files", how: "set HOME or XDG_DATA_HOME, or give `--out FILE`" };
    data.map(|data| SrsStore::at(data.join("zkml-evm/srs"))).ok_or(missing)
}
