//! `gas DIR`.

use super::{
    failure::Failure,
    output::{Console, table},
    project::find_or_here,
};
use crate::{
    artifact::{Folder, aggregate::AggregateFolder},
    chain::{
        embedded::Hardfork,
        gas::{Form, GasReport, measure, measure_split},
    },
    proof::artifact::write_bytes,
    verifier::Compiler,
};
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What a verification costs on chain, by part.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The EVM's rules
    #[arg(long, default_value = "osaka")]
    rules: Rules,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE")]
    solc: Option<PathBuf>,
    /// Draw the parts as bars into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// The rules that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rules {
    Prague,
    Osaka,
}

/// Renders and compiles the verifier from the folder's keys, and measures it in revm.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let compiler = Compiler::find(arguments.solc.as_deref(), &find_or_here(None))?;
    let hardfork = match arguments.rules {
        Rules::Prague => Hardfork::Prague,
        Rules::Osaka => Hardfork::Osaka,
    };
    let report = match AggregateFolder::is_one(&arguments.folder) {
        true => of_aggregate(&arguments.folder, &compiler, hardfork)?,
        false => of_model(&arguments.folder, &compiler, hardfork)?,
    };
    if let Some(path) = &arguments.svg {
        write_bytes(path, svg(&report).as_bytes(), false)?;
    }
    let value = json!({ "folder": arguments.folder, "rules": format!("{hardfork:?}").to_lowercase(), "solc": compiler.version(), "gas": report });
    console.result("gas", &value, &human(&report))
}

fn of_model(folder: &Path, compiler: &Compiler, hardfork: Hardfork) -> Result<GasReport, Failure> {
    let folder = Folder::open_to_prove(folder)?;
    let prover = folder.prover()?;
    let made = prover.compile(compiler, folder.is_split())?;
    let form = Form::of_shape(&prover.keys.shape).with_weights(&prover.facts.statement, prover.facts.model_commitment);
    Ok(match &made.family {
        Some(family) => measure_split(&made.compiled, &family.compiled, family.place.address, &form, hardfork)?,
        None => measure(&made.compiled, &form, hardfork)?,
    })
}

fn of_aggregate(folder: &Path, compiler: &Compiler, hardfork: Hardfork) -> Result<GasReport, Failure> {
    let aggregator = AggregateFolder::open(folder)?.aggregator()?;
    let compiled = compiler.compile_aggregate(&aggregator.solidity()?)?;
    let statements = aggregator.facts.slots.iter().map(|slot| slot.statement.len()).sum();
    Ok(measure(&compiled, &Form::of_aggregate(aggregator.keys.vk().cs(), statements), hardfork)?)
}

fn human(report: &GasReport) -> String {
    let mut table = table(["part", "gas", "%"]);
    for part in &report.parts {
        table.add_row([part.name.to_owned(), part.gas.to_string(), percent(part.gas, report.total)]);
    }
    table.add_row(["total, at most".to_owned(), report.total.to_string(), percent(report.total, report.floor) + " of the floor"]);
    let shared = report.shared_code_bytes.map(|bytes| format!(" beside {bytes} that are shared")).unwrap_or_default();
    let code = format!("{} bytes of code{shared}, {} bytes of calldata", report.code_bytes, report.calldata_bytes);
    format!("{table}\nexecution {} gas, exact; floor {} gas; {code}", report.execution, report.floor)
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}", 100.0 * part as f64 / whole.max(1) as f64)
}

/// One bar for each part.
fn svg(report: &GasReport) -> String {
    let largest = report.parts.iter().map(|part| part.gas).max().unwrap_or(1).max(1);
    let rows: Vec<String> = report
        .parts
        .iter()
        .enumerate()
        .map(|(i, part)| {
            let (y, width) = (24 * i + 8, 400 * part.gas / largest);
            format!(
                "<text x=\"190\" y=\"{}\" text-anchor=\"end\">{}</text><rect x=\"200\" y=\"{y}\" width=\"{width}\" height=\"16\"/>\
                 <text x=\"{}\" y=\"{}\">{}</text>",
                y + 13,
                part.name,
                206 + width,
                y + 13,
                part.gas
            )
        })
        .collect();
    let height = 24 * report.parts.len() + 16;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"680\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\" \
         fill=\"#246\">\n{}\n</svg>\n",
        rows.join("\n")
    )
}
