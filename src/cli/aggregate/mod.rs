//! `gen-verifier --aggregate K DIR...`, `aggregate PROOF... --artifacts DIR --out FILE` and `aggregate --watch DIR --artifacts DIR`.

mod again;
mod group;
mod status;
mod submit;
mod turn;
mod unanswered;
mod watch;

use super::{
    blocking,
    failure::{CliError, Failure},
    gen_verifier::INSECURE,
    output::Console,
    prove::PurposeArgument,
};
use crate::{
    artifact::{
        ArtifactError, Contract, Staging,
        aggregate::{AggregateFile, AggregateFolder, AggregateManifest, Aggregator, Below, Branch, Part, save},
    },
    circuit::memory,
    error::ExitCode,
    outer::OuterMemory,
    proof::Srs,
    verifier::Compiler,
};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Most slots of each model: an outer circuit beyond the largest k is refused anyway, this only says it sooner.
pub const MAX_SLOTS: usize = 128;

/// The family of an aggregate that is registered without another name.
pub const FAMILY: &str = "aggregate";

/// Columns that stand under each other in an outer circuit's committed ones. 16 takes half the time of 32, and some 25,000 more gas.
const STACK: u32 = 16;
/// The same where gas counts.
const STACK_FOR_GAS: u32 = 32;

/// What `gen-verifier --aggregate` was asked for.
#[derive(Debug)]
pub struct Setup {
    /// The folders of models, and of aggregates.
    pub models: Vec<PathBuf>,
    /// Slots of each.
    pub slots: usize,
    /// Whether gas counts more than time.
    pub for_gas: bool,
    /// Most bytes of memory that making the keys and an aggregate may take.
    pub max_memory: Option<u64>,
    /// The SRS, unless a development one is made.
    pub srs: Option<Srs>,
    /// The compiler, unless only the source is written.
    pub compiler: Option<Compiler>,
    /// Where the folder goes.
    pub staging: Staging,
    /// Its name, for people.
    pub out: PathBuf,
}

/// Stages of a setup.
const SETUP_STAGES: u64 = 8;

/// Makes an aggregate's folder.
pub async fn set_up(setup: Setup, console: &Console) -> Result<(), Failure> {
    if setup.srs.as_ref().is_none_or(|srs| srs.provenance.is_insecure()) {
        console.warn(INSECURE);
    }
    let out = setup.out.clone();
    let progress = console.progress_of(SETUP_STAGES);
    let stages = progress.stages();
    let manifest = blocking(move || {
        stages.begin("reading the folders");
        let below: Vec<Below> = setup.models.iter().map(|path| Below::open(path)).collect::<Result<_, _>>()?;
        let stack = if setup.for_gas { STACK_FOR_GAS } else { STACK };
        let tell = |stage| stages.begin(stage);
        let admit =
            |widths| memory::check("aggregating", OuterMemory::of(&widths).most(), setup.max_memory).map_err(ArtifactError::from);
        let aggregator = Aggregator::generate(&below, setup.slots, stack, setup.srs.as_ref(), &admit, &tell)?;
        stages.begin("writing the Solidity verifier");
        let solidity = aggregator.solidity()?;
        stages.begin("compiling it");
        let contract = match &setup.compiler {
            Some(compiler) => Some(Contract::new(compiler.compile_aggregate(&solidity)?, compiler.version())),
            None => None,
        };
        stages.begin("writing the folder");
        Ok(save(&aggregator, &solidity, contract.as_ref(), setup.staging)?)
    })
    .await?;
    drop(progress);
    let value = json!({ "folder": out, "manifest": manifest });
    console.result("gen-verifier", &value, &summary(&out, &manifest))
}

/// What a folder holds.
pub(super) fn summary(out: &Path, manifest: &AggregateManifest) -> String {
    let facts = &manifest.facts;
    let contract = match &manifest.contract {
        Some(contract) => format!("{} bytes on chain, solc {}", contract.runtime_size, contract.solc),
        None => "not compiled".into(),
    };
    let mut slots: Vec<String> =
        facts.slots.iter().enumerate().map(|(at, slot)| format!("slot {at:<9}  model {}", slot.model_id)).collect();
    let mut first = 0;
    for branch in &facts.branches {
        let end = first + branch.slots();
        if let Branch::Aggregate { id, .. } = branch {
            slots.push(format!("{:<14}  aggregate {id}", format!("slots {first}..{end}")));
        }
        first = end;
    }
    format!(
        "artifacts       {}\naggregate id    {}\n{}\ncircuit         k = {}, {} of {} rows\nSRS             {}\nproof           {} bytes\nverifier        {contract}",
        out.display(),
        facts.aggregate_id,
        slots.join("\n"),
        facts.widths.k,
        facts.rows,
        facts.widths.rows(),
        facts.srs,
        facts.proof_bytes,
    )
}

/// Make one proof of many, or watch a folder and aggregate what comes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Proofs made with `prove --for aggregation`, and aggregates made with `aggregate --for aggregation`; each takes the first free slot
    /// of its model, or the slots of its aggregate
    #[arg(value_name = "PROOF", required_unless_present = "watch", conflicts_with = "watch")]
    proofs: Vec<PathBuf>,
    /// The aggregate's folder, as `gen-verifier --aggregate` made it
    #[arg(long, value_name = "DIR")]
    artifacts: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "aggregate.json", conflicts_with = "watch")]
    out: PathBuf,
    /// Who verifies the aggregate: a contract, or an aggregation that has slots for it
    #[arg(long = "for", value_enum, default_value = "chain")]
    purpose: PurposeArgument,
    #[command(flatten)]
    watch: watch::WatchArguments,
}

/// With `--once`, exit code 1 where a proof was refused.
pub async fn run(arguments: Arguments, console: &Console) -> Result<ExitCode, Failure> {
    match &arguments.watch.watch {
        Some(folder) => watch::run(folder, &arguments.artifacts, arguments.purpose.into(), &arguments.watch, console).await,
        None => aggregate(arguments, console).await.map(|()| ExitCode::Ok),
    }
}

/// Checks every proof by itself first, so that a bad one is named before the long work.
async fn aggregate(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let progress = console.progress_of(Aggregator::STAGES + 1);
    let stages = progress.stages();
    stages.begin("reading and checking recording, keys and SRS");
    let (folder, paths, purpose) = (arguments.artifacts.clone(), arguments.proofs.clone(), arguments.purpose.into());
    let (aggregator, file) = blocking(move || {
        let parts: Vec<Part> = paths.iter().map(|path| Part::load_for_aggregation(path)).collect::<Result<_, _>>()?;
        let aggregator = AggregateFolder::open(&folder)?.aggregator()?;
        let file = aggregator.aggregate(purpose, &parts, &|stage| stages.begin(stage))?;
        Ok((aggregator, file))
    })
    .await?;
    file.save(&arguments.out)?;
    let costs = progress.costs();
    drop(progress);
    let slots = described(&file);
    let taken = file.slots.iter().filter(|slot| !slot.is_empty()).count();
    let value = json!({
        "file": arguments.out, "for": file.purpose, "aggregateId": file.aggregate_id, "proofBytes": file.proof.len(), "slots": slots, "stages": costs,
    });
    let human = format!(
        "aggregate  {} ({} bytes)\nslots      {taken} of {} taken\nid         {}",
        arguments.out.display(),
        file.proof.len(),
        aggregator.facts.slots.len(),
        file.aggregate_id
    );
    console.result("aggregate", &value, &human)
}

fn described(file: &AggregateFile) -> Vec<Value> {
    let slot = |slot: &crate::artifact::aggregate::SlotStatement| json!({ "modelId": slot.model_id, "empty": slot.is_empty(), "publicInputs": slot.public_inputs });
    file.slots.iter().map(slot).collect()
}

/// `verify --artifacts DIR --proof FILE` for an aggregate: the outer proof and its accumulator.
pub fn verify(artifacts: &Path, proof: &Path, console: &Console) -> Result<(), Failure> {
    let file = AggregateFile::load(proof)?;
    let aggregator = AggregateFolder::open(artifacts)?.aggregator()?;
    aggregator.verify(&file)?;
    if aggregator.srs.provenance.is_insecure() {
        console.warn("the keys come from a development SRS: this proof could have been forged");
    }
    let taken = file.slots.iter().filter(|slot| !slot.is_empty()).count();
    let value = json!({ "valid": true, "for": file.purpose, "aggregateId": file.aggregate_id, "slots": described(&file), "srs": aggregator.facts.srs });
    console.result(
        "verify",
        &value,
        &format!("valid for {taken} of {} slots\nid   {}\nfor  {}", file.slots.len(), file.aggregate_id, file.purpose),
    )
}

/// Makes the keys anew out of the folders of what is below, where there are any, and compares.
///
/// # Errors
/// As [`AggregateFolder::remade`].
pub fn remake(folder: &AggregateFolder, from: &[PathBuf], console: &Console) -> Result<(), Failure> {
    if from.is_empty() {
        return Ok(());
    }
    let _progress = console.progress("making the keys anew");
    Ok(folder.remade(from, &|_| ())?)
}

/// Whether a folder is an aggregate's: what its manifest says it is.
pub fn is_aggregate(folder: &Path) -> bool {
    AggregateFolder::is_one(folder)
}

/// How many slots of each model.
pub fn slots(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(slots) if (1..=MAX_SLOTS).contains(&slots) => Ok(slots),
        _ => Err(format!("expected a number from 1 to {MAX_SLOTS}")),
    }
}

/// The one model of a `gen-verifier` without `--aggregate`.
pub fn one_model(models: &[PathBuf]) -> Result<PathBuf, Failure> {
    match models {
        [one] => Ok(one.clone()),
        _ => Err(CliError::Conflict("several models are for --aggregate; name one".into()).into()),
    }
}
