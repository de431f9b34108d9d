//! Measures this project on the credit example, and compares with EZKL where its figures are given.
//!
//! ```text
//! cargo bench --bench credit -- [--ezkl target/bench/ezkl.json] [--out target/bench/credit.json] [--runs 5]
//! ```
//!
//! Every stage is a process of its own, several times; the kernel accounts its CPU seconds and peak memory, and the median
//! counts. Needs `npm ci` (solc). The table goes to stdout, progress to stderr.

#[path = "../test/rust/credit_support/mod.rs"]
mod credit_support;
#[path = "credit/ezkl.rs"]
mod ezkl;
#[path = "credit/gas.rs"]
mod gas;
#[path = "credit/loan.rs"]
mod loan;
#[path = "credit/measure.rs"]
mod measure;
#[path = "credit/mode.rs"]
mod mode;
#[path = "credit/report.rs"]
mod report;
#[path = "credit/stage.rs"]
mod stage;

use clap::{Parser, Subcommand};
use mode::Mode;
use stage::Stage;
use std::{error::Error, path::PathBuf};

#[derive(Parser)]
struct Arguments {
    /// EZKL's figures, as bench/ezkl_credit.py writes them; its contracts lie in the folder of the same name without `.json`.
    #[arg(long)]
    ezkl: Option<PathBuf>,
    /// Where the figures go as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Runs per stage.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    inner: Option<Inner>,
}

#[derive(Subcommand)]
enum Inner {
    /// One stage, in this process; the benchmark starts itself with it.
    #[command(hide = true)]
    Stage { stage: Stage, mode: Mode, folder: PathBuf },
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(Inner::Stage { stage, mode, folder }) = arguments.inner {
        return stage.run(mode, &folder);
    }
    let folder = tempfile::tempdir()?;
    // All processes first: a child's peak memory counts what its parent held when it was started.
    let mut costs = Vec::new();
    for mode in Mode::ALL {
        let folder = folder.path().join(mode.name());
        std::fs::create_dir(&folder)?;
        costs.push(measure::all(mode, &folder, arguments.runs)?);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let mut ours = Vec::new();
    for (mode, costs) in Mode::ALL.into_iter().zip(costs) {
        ours.push(runtime.block_on(report::Figures::of(mode, &folder.path().join(mode.name()), costs))?);
    }
    let theirs = arguments.ezkl.map(|path| runtime.block_on(ezkl::read(&path))).transpose()?;
    println!("{}", report::table(&ours, theirs.as_deref().unwrap_or(&[])));
    println!("{}", report::limits(&ours));
    if let Some(path) = arguments.out {
        std::fs::write(path, report::document(&ours, theirs.as_deref().unwrap_or(&[]), arguments.runs)?)?;
    }
    Ok(())
}
