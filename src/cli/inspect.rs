//! `inspect DIR`.

use super::{
    failure::Failure,
    output::{Console, table},
};
use crate::{
    artifact::Folder,
    circuit::{Memory, Plan, drawing, lay_out, plan::candidates},
    op::Interval,
    proof::artifact::write_bytes,
    quant::range,
};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What an artifact folder holds.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Show every shape that the planner could have chosen, best first
    #[arg(long)]
    candidates: bool,
    /// Draw the circuit, columns by rows, and write the picture here
    #[arg(long, value_name = "FILE.svg")]
    layout: Option<PathBuf>,
    /// Read the keys too, and check that they are those of the model id
    #[arg(long)]
    keys: bool,
}

/// Opens the folder with all its checks, and shows it.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let folder = Folder::open(&arguments.folder)?;
    if arguments.keys {
        folder.prover()?;
    }
    let report = folder.report()?;
    if let Some(path) = &arguments.layout {
        let trace = lay_out(&folder.program, folder.manifest.facts.plan.shape, None)?;
        write_bytes(path, drawing::svg(&trace).as_bytes(), false)?;
    }
    let all = match arguments.candidates {
        true => candidates(&folder.program, folder.manifest.facts.objective)?,
        false => Vec::new(),
    };
    let mut sections = vec![facts(&folder), statement(&folder), nodes(&folder)?, accuracy(&report)];
    if arguments.candidates {
        sections.push(candidate_table(&all, &folder.manifest.facts.plan));
    }
    let value = json!({
        "folder": arguments.folder, "manifest": folder.manifest, "report": report,
        "candidates": arguments.candidates.then(|| all.iter().map(Candidate::of).collect::<Vec<_>>()), "layout": arguments.layout,
    });
    console.result("inspect", &value, &sections.join("\n\n"))
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

/// A plan with what it needs.
#[derive(Serialize)]
struct Candidate<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    memory: Memory,
}

impl<'a> Candidate<'a> {
    fn of(plan: &'a Plan) -> Self {
        Self { plan, memory: Memory::of(plan) }
    }
}

fn candidate_table(all: &[Plan], chosen: &Plan) -> String {
    let mut table = table(["", "k", "rows", "limb bits", "lanes", "weight columns", "advice", "fixed", "memory, MB"]);
    for plan in all {
        let mark = if plan == chosen { "chosen" } else { "" };
        let (shape, memory) = (&plan.shape, Memory::of(plan).most().div_ceil(1_000_000) as usize);
        let widths = [shape.limb_bits, shape.lanes, shape.weights].map(|width| width as usize);
        let [limb_bits, lanes, weights] = widths;
        let numbers = [shape.k as usize, plan.rows, limb_bits, lanes, weights, plan.advice, plan.fixed, memory];
        table.add_row(std::iter::once(mark.to_owned()).chain(numbers.iter().map(usize::to_string)));
    }
    table.to_string()
}
