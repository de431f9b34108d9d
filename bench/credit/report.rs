//! Our figures, the table of ratios, the limits that they are held to, and the JSON document.

use crate::{
    ezkl::{Difference, Peer},
    gas::{self, Gas},
    loan,
    measure::Cost,
    mode::Mode,
    stage::{self, Contract, Proved, Stage},
};
use alloy::{primitives::U256, sol_types::SolCall};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, path::Path};
use zkml_evm::{
    chain::bindings::IProofVerifier,
    model::graph::sigmoid,
    quant::{Score, run},
};

/// The rows that EZKL's own script measures its error on: the 64 after the 20 that it calibrates with.
const ERROR_ROWS: std::ops::Range<usize> = 20..84;

/// Everything measured of one mode.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    #[serde(skip)]
    mode: Mode,
    k: u32,
    stages: BTreeMap<&'static str, Cost>,
    proof_bytes: usize,
    contract_bytes: usize,
    calldata_bytes: usize,
    /// Of the probability, against the float model, as in EZKL's figures.
    error: Difference,
    gas: Gas,
    /// Of the transaction that opens a loan, in the mode that can.
    settle_gas: Option<u64>,
}

impl Figures {
    /// Adds to the costs of the stages what their files say.
    pub async fn of(mode: Mode, folder: &Path, costs: Vec<(Stage, Cost)>) -> Result<Self, Box<dyn Error>> {
        eprintln!("{}: gas and error", mode.name());
        let proved: Proved = stage::load(folder, "proof")?;
        let contract: Contract = stage::load(folder, "contract")?;
        let compiled: stage::Compiled = stage::load(folder, "program")?;
        let public_inputs = proved.public_inputs.iter().map(|bytes| U256::from_be_bytes(*bytes)).collect();
        let call = IProofVerifier::verifyProofCall { publicInputs: public_inputs, proof: proved.proof.clone().into() };
        let calldata = call.abi_encode();
        let settle_gas = if mode == Mode::CommittedThreshold { Some(loan::gas(folder).await?) } else { None };
        Ok(Self {
            settle_gas,
            mode,
            k: compiled.shape.k,
            stages: costs.into_iter().map(|(stage, cost)| (stage.name(), cost)).collect(),
            proof_bytes: proved.proof.len(),
            contract_bytes: contract.runtime_size,
            calldata_bytes: calldata.len(),
            error: error_of(mode)?,
            gas: gas::measure("InferenceVerifier", contract.creation.into(), contract.runtime_size, calldata.into()).await?,
        })
    }

    fn cpu(&self, stages: &[&str]) -> Option<f64> {
        stages.iter().map(|stage| self.stages.get(stage).map(|cost| cost.cpu_seconds)).sum()
    }

    fn peak_mb(&self, stage: &str) -> Option<f64> {
        self.stages.get(stage).map(|cost| cost.peak_rss_kib * 1024.0 / 1e6)
    }
}

/// The probability's error on the inputs that EZKL's is measured on.
fn error_of(mode: Mode) -> Result<Difference, Box<dyn Error>> {
    // The whole model is the reference, whatever part of it the mode computes.
    let (credit, float) = (mode.compile(), Mode::CommittedThreshold.compile().graph);
    let scale = f64::from(credit.program().output()?.scale_log2).exp2();
    let mut off = Vec::new();
    for row in credit.calibration().get(ERROR_ROWS).ok_or("too few calibration rows")? {
        let real: Vec<f32> = credit.schema.features().iter().zip(row).map(|(f, v)| f.real(*v) as f32).collect();
        let score = run(credit.program(), row)?.output().first().copied().ok_or("no output")? as f64 / scale;
        let probability = if credit.calibrated.score == Score::Logit { sigmoid(score) } else { score };
        let truth = float.run(&real)?.first().copied().ok_or("no output")?;
        off.push((probability - f64::from(truth)).abs());
    }
    let mean = off.iter().sum::<f64>() / off.len() as f64;
    Ok(Difference { inputs: off.len(), max: off.iter().copied().reduce(f64::max), mean: Some(mean) })
}

/// A line of the table: what, of us, of them, and digits behind the point.
type Line = (&'static str, fn(&Figures) -> Option<f64>, fn(&Peer) -> Option<f64>, Format);

#[derive(Clone, Copy)]
enum Format {
    Count,
    Decimals(usize),
    Scientific,
}

const LINES: [Line; 15] = [
    ("k", |f| Some(f.k.into()), |p| Some(p.figures.k.into()), Format::Count),
    (
        "compile and calibrate, CPU s",
        |f| f.cpu(&["compile"]),
        |p| p.figures.cpu(&["settings", "calibrate", "compile_circuit"]),
        Format::Decimals(2),
    ),
    ("keys, CPU s", |f| f.cpu(&["setup"]), |p| p.figures.cpu(&["setup"]), Format::Decimals(2)),
    ("keys, peak MB", |f| f.peak_mb("setup"), |p| p.figures.peak_mb("setup"), Format::Decimals(0)),
    ("prove (files to proof), CPU s", |f| f.cpu(&["prove"]), |p| p.figures.cpu(&["witness", "prove"]), Format::Decimals(3)),
    ("prove (keys in memory), CPU s", |f| f.stages.get("prove").map(|c| c.cpu_seconds_loaded), |_| None, Format::Decimals(3)),
    ("prove, peak MB", |f| f.peak_mb("prove"), |p| p.figures.peak_mb("prove"), Format::Decimals(0)),
    ("proof, bytes", |f| Some(f.proof_bytes as f64), |p| Some(p.figures.proof_bytes as f64), Format::Count),
    ("contract, bytes", |f| Some(f.contract_bytes as f64), |p| Some(p.figures.contract_bytes as f64), Format::Count),
    ("calldata, bytes", |f| Some(f.calldata_bytes as f64), |p| Some(p.figures.calldata_bytes as f64), Format::Count),
    ("deploy, gas", |f| Some(f.gas.deploy as f64), |p| Some(p.gas.deploy as f64), Format::Count),
    ("verify on chain, gas", |f| Some(f.gas.verify as f64), |p| Some(p.gas.verify as f64), Format::Count),
    ("open a loan, gas", |f| f.settle_gas.map(|gas| gas as f64), |_| None, Format::Count),
    ("largest error (probability)", |f| f.error.max, |p| p.figures.error.max, Format::Scientific),
    ("mean error (probability)", |f| f.error.mean, |p| p.figures.error.mean, Format::Scientific),
];

/// Ours beside theirs, mode by mode; a ratio above 1 is in our favour.
pub fn table(ours: &[Figures], theirs: &[Peer]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    let mut header = vec!["credit MLP 12-32-16-1".to_string()];
    for figures in ours {
        header.push(figures.mode.name().replace('-', " "));
        if let Some(peer) = peer_of(figures, theirs) {
            header.extend([format!("EZKL {} {}", peer.tool_version, peer.mode), "ratio".into()]);
        }
    }
    table.set_header(header);
    for (name, of_us, of_them, format) in LINES {
        let mut row = vec![name.to_string()];
        for figures in ours {
            let mine = of_us(figures);
            row.push(show(mine, format));
            if let Some(peer) = peer_of(figures, theirs) {
                let other = of_them(peer);
                row.push(show(other, format));
                row.push(mine.zip(other).filter(|_| name != "k").map_or_else(String::new, |(a, b)| format!("{:.2}x", b / a)));
            }
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn peer_of<'a>(figures: &Figures, theirs: &'a [Peer]) -> Option<&'a Peer> {
    theirs.iter().find(|peer| Some(peer.mode.as_str()) == figures.mode.peer())
}

fn show(value: Option<f64>, format: Format) -> String {
    match (value, format) {
        (None, _) => String::new(),
        (Some(v), Format::Count) => format!("{v:.0}"),
        (Some(v), Format::Decimals(digits)) => format!("{v:.digits$}"),
        (Some(v), Format::Scientific) => format!("{v:.1e}"),
    }
}

/// The limits of the loan's statement, kept or missed.
pub fn limits(ours: &[Figures]) -> String {
    let Some(loan) = ours.iter().find(|figures| figures.mode == Mode::CommittedThreshold) else { return String::new() };
    let limits = [
        ("k", Some(f64::from(loan.k)), 10.0, Format::Count),
        ("prove, CPU s", loan.cpu(&["prove"]), 0.35, Format::Decimals(3)),
        ("prove, peak MB", loan.peak_mb("prove"), 40.0, Format::Decimals(0)),
        ("contract, bytes", Some(loan.contract_bytes as f64), 18_000.0, Format::Count),
        ("verify on chain, gas", Some(loan.gas.verify as f64), 450_000.0, Format::Count),
        ("open a loan, gas", loan.settle_gas.map(|gas| gas as f64), 560_000.0, Format::Count),
    ];
    let line = |(name, value, limit, format): (&str, Option<f64>, f64, Format)| {
        let word = if value.is_some_and(|v| v <= limit) { "kept" } else { "MISSED" };
        format!("{word:>6}  {name}: {} of at most {limit}", show(value, format))
    };
    limits.map(line).join("\n")
}

/// Everything as one JSON document.
pub fn document(ours: &[Figures], theirs: &[Peer], runs: u32) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        runs: u32,
        ours: BTreeMap<&'static str, &'a Figures>,
        ezkl: BTreeMap<&'a str, &'a Peer>,
    }
    let document = Document {
        version: 1,
        runs,
        ours: ours.iter().map(|figures| (figures.mode.name(), figures)).collect(),
        ezkl: theirs.iter().map(|peer| (peer.mode.as_str(), peer)).collect(),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}
