//! `srs import FILE --name NAME --k K --out srs.bin` and `srs verify srs.bin`.

use super::{blocking, failure::Failure, output::Console};
use crate::{
    circuit::plan::MAX_K,
    proof::{Srs, ptau::Ceremony},
};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// Structured reference strings.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an SRS of a public ceremony's powers-of-tau file (.ptau), with every check that there is
    Import(ImportArguments),
    /// Check an SRS file, all of its points
    Verify {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct ImportArguments {
    /// The ceremony's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The ceremony's name; with the file's hash it labels everything that is made with this SRS
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The file's blake2b-512 as the ceremony published it
    #[arg(long, value_name = "HEX")]
    blake2b: Option<String>,
    /// log2 of the rows that it should serve; circuits of fewer rows use the same file
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_K)))]
    k: u32,
    /// The SRS file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the verb.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let (name, file, srs) = match arguments.what {
        What::Import(import) => {
            if import.blake2b.is_none() {
                console.warn("no --blake2b: compare the hash in the label with the one that the ceremony published");
            }
            let progress = console.progress_of(Ceremony::STAGES + 1);
            let stages = progress.stages();
            let (out, srs) = blocking(move || {
                let ceremony = Ceremony { path: &import.file, name: &import.name, blake2b: import.blake2b.as_deref() };
                let srs = ceremony.read(import.k, &|stage| stages.begin(stage))?;
                stages.begin("writing it");
                srs.save(&import.out)?;
                Ok((import.out, srs))
            })
            .await?;
            drop(progress);
            ("srs import", out, srs)
        }
        What::Verify { file } => {
            let progress = console.progress("checking all points");
            let (file, srs) = blocking(move || {
                let srs = Srs::load(&file)?;
                srs.check().map_err(|e| e.at(&file))?;
                Ok((file, srs))
            })
            .await?;
            drop(progress);
            ("srs verify", file, srs)
        }
    };
    let value = json!({ "file": file, "k": srs.k(), "srs": srs.provenance.to_string(), "srsDigest": srs.digest() });
    let human =
        format!("file    {}\nrows    up to 2^{}\nSRS     {}\ndigest  {}", file.display(), srs.k(), srs.provenance, srs.digest());
    console.result(name, &value, &human)
}
