//! `inspect DIR`.

use super::{
    aggregate,
    candidates::{self, Candidate},
    failure::{CliError, Failure},
    output::{Console, table},
    project::find_or_here,
};
use crate::{
    artifact::{Folder, aggregate::AggregateFolder},
    circuit::{drawing, lay_out, plan},
    op::Interval,
    proof::artifact::write_bytes,
    quant::range,
    verifier::Compiler,
};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What an artifact folder holds.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder, of a model or of an aggregate
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Show every shape that the planner could have chosen, best first
    #[arg(long)]
    candidates: bool,
    /// With --candidates, measure the execution gas of the best N and of the chosen one; each verifier is rendered, compiled and run
    #[arg(long, value_name = "N", requires = "candidates")]
    gas: Option<usize>,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE", requires = "gas")]
    solc: Option<PathBuf>,
    /// Draw the circuit, columns by rows, and write the picture here
    #[arg(long, value_name = "FILE.svg")]
    layout: Option<PathBuf>,
    /// Read the keys too, and check that they are those of the model id
    #[arg(long)]
    keys: bool,
    /// Make an aggregate's keys anew out of these folders, of its models and of the aggregates below it, and compare
    #[arg(long, value_name = "DIR", num_args = 1..)]
    remake_from: Vec<PathBuf>,
}

/// Opens the folder with all its checks, and shows it.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    if aggregate::is_aggregate(&arguments.folder) {
        return of_aggregate(arguments, console);
    }
    if !arguments.remake_from.is_empty() {
        return Err(CliError::Conflict("--remake-from is for an aggregate, and this is a model".into()).into());
    }
    let folder = Folder::open(&arguments.folder)?;
    if arguments.keys {
        folder.prover()?;
    }
    let report = folder.report()?;
    if let Some(path) = &arguments.layout {
        let trace = lay_out(&folder.program, folder.manifest.facts.plan.shape, None)?;
        write_bytes(path, drawing::svg(&trace).as_bytes(), false)?;
    }
    let shapes = match arguments.candidates {
        true => Some(all_candidates(arguments, &folder, console)?),
        false => None,
    };
    let mut sections = vec![facts(&folder), statement(&folder), nodes(&folder)?, accuracy(&report)];
    sections.extend(shapes.as_deref().map(candidates::show));
    let value = json!({
        "folder": arguments.folder, "manifest": folder.manifest, "report": report,
        "candidates": shapes, "layout": arguments.layout,
    });
    console.result("inspect", &value, &sections.join("\n\n"))
}

/// An aggregate has no choice of shapes, and its circuit is not drawn.
fn of_aggregate(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    if arguments.candidates || arguments.layout.is_some() {
        return Err(CliError::Conflict("--candidates and --layout are for a model, and this is an aggregate".into()).into());
    }
    let folder = AggregateFolder::open(&arguments.folder)?;
    if arguments.keys {
        folder.aggregator()?;
    }
    aggregate::remake(&folder, &arguments.remake_from, console)?;
    let value = json!({ "folder": arguments.folder, "manifest": folder.manifest, "remade": !arguments.remake_from.is_empty() });
    console.result("inspect", &value, &aggregate::summary(&arguments.folder, &folder.manifest))
}

/// Every shape with its costs, as the planner predicts them.
fn all_candidates(arguments: &Arguments, folder: &Folder, console: &Console) -> Result<Vec<Candidate>, Failure> {
    let facts = &folder.manifest.facts;
    let plans = plan::candidates(&folder.program, facts.objective)?;
    let compiler = match arguments.gas {
        Some(_) => Some(Compiler::find(arguments.solc.as_deref(), &find_or_here(None))?),
        None => None,
    };
    candidates::all(&folder.program, &plans, &facts.plan, arguments.gas.unwrap_or(0), compiler.as_ref(), console)
}

fn facts(folder: &Folder) -> String {
    let (facts, plan) = (&folder.manifest.facts, &folder.manifest.facts.plan);
    let contract = folder.manifest.contract.as_ref();
    let contract = contract.map_or("not compiled".into(), |c| format!("{} bytes on chain, solc {}", c.runtime_size, c.solc));
    let lines = [
        ("model", facts.model_sha256.map_or(facts.model_file.clone(), |hash| format!("{} (sha256 {hash})", facts.model_file))),
        ("model id", facts.model_id.to_string()),
        ("schema id", facts.schema_id.to_string()),
        ("SRS", facts.srs.clone()),
        ("statement", format!("{} input, {} output, {}", name(&facts.input), facts.output.name(), inputs(facts.items))),
        ("weights", facts.model_commitment.map_or("fixed".into(), |c| format!("private, commitment {c}"))),
        ("rows", format!("{} of 2^{} = {}", plan.rows, plan.shape.k, 1u64 << plan.shape.k)),
        ("columns", format!("{} advice, {} fixed ({} of weights)", plan.advice, plan.fixed, plan.shape.weights)),
        ("proof", format!("{} bytes", facts.proof_bytes)),
        ("verifier", contract),
        ("made by", format!("zkml-evm {}", folder.manifest.tool)),
    ];
    lines.map(|(name, value)| format!("{name:<10} {value}")).join("\n")
}

fn inputs(items: usize) -> String {
    if items == 1 { "one input".into() } else { format!("batches of {items} inputs") }
}

/// The name of a unit variant as files spell it.
fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn statement(folder: &Folder) -> String {
    let mut table = table(["public value", "real = integer / 2^", "smallest", "largest"]);
    for value in &folder.manifest.facts.statement {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        table.add_row([
            value.name.clone(),
            value.scale_log2.map(|s| s.to_string()).unwrap_or_default(),
            text(&value.lo),
            text(&value.hi),
        ]);
    }
    table.to_string()
}

fn nodes(folder: &Folder) -> Result<String, Failure> {
    let mut table = table(["node", "op", "elements", "worst case"]);
    for (node, intervals) in folder.program.nodes.iter().zip(range::check(&folder.program)?) {
        let widest = intervals.iter().copied().reduce(|a, b| Interval::new(a.lo.min(b.lo), a.hi.max(b.hi)));
        let widest = widest.map_or(String::new(), |i| format!("{}..={}", i.lo, i.hi));
        table.add_row([node.name.clone(), node.op.name().into(), intervals.len().to_string(), widest]);
    }
    Ok(table.to_string())
}

fn accuracy(report: &Value) -> String {
    let number = |at: &str| report.pointer(at).map_or("-".into(), Value::to_string);
    format!(
        "accuracy   max error {}, mean {} on {} calibration rows; decisions changed: {}",
        number("/score_error/max"),
        number("/score_error/mean"),
        number("/rows"),
        number("/decisions/changed")
    )
}
