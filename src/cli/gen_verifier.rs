//! `gen-verifier MODEL --calibration DATA --out DIR`.

use super::{
    aggregate::{self, Setup},
    blocking,
    failure::{CliError, Failure},
    output::Console,
    progress::Stages,
    project, size, srs,
};
use crate::{
    artifact::{
        ArtifactError, Contract, Manifest, Package, Prover, Quantised, Recipe, Source, Staging, WeightsChoice,
        compile::ThresholdText,
    },
    circuit::Objective,
    op::InputMode,
    proof::{ProofError, Srs},
    quant::{Hidden, OutputChoice, Precision, range::MAX_ITEMS},
    verifier::{Compiler, render},
};
use clap::{Args, ValueEnum};
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

/// Compile a model.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The ONNX file; with --aggregate, the artifact folders of the models, or of aggregates that are aggregated again
    #[arg(value_name = "MODEL", required = true)]
    models: Vec<PathBuf>,
    /// Typical inputs, `{"input_data": [[...], ...]}`
    #[arg(long, value_name = "DATA", required_unless_present = "aggregate")]
    calibration: Option<PathBuf>,
    /// Make a verifier of aggregates, with so many slots for proofs of each model. Of the options, --objective, --max-memory, --srs, --out,
    /// --force, --no-compile, --solc and --project count then
    #[arg(long, value_name = "K", value_parser = aggregate::slots, conflicts_with_all = ["calibration", "schema", "weights_out", "threshold", "probability"])]
    aggregate: Option<usize>,
    /// The feature schema; derived from the calibration data and printed for review when absent
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// How the input enters the statement
    #[arg(long, value_enum, default_value = "committed")]
    input: InputArgument,
    /// What becomes public of the output
    #[arg(long, value_enum, default_value = "threshold")]
    output: OutputArgument,
    /// What to make small
    #[arg(long, value_enum, default_value = "balanced")]
    objective: ObjectiveArgument,
    /// Inputs of one proof: a batch has one context, and a commitment and public values for each input
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = items)]
    batch: usize,
    /// Where the weights are
    #[arg(long, value_enum, default_value = "fixed", requires_if("private", "weights_out"))]
    weights: WeightsArgument,
    /// Where private weights go: a secret file, needed for every proof; never inside the artifact folder
    #[arg(long, value_name = "FILE")]
    weights_out: Option<PathBuf>,
    /// Bits dropped by each rescale, and bits of each activation
    #[arg(long, value_name = "SHIFT,MAGNITUDE", default_value = "16,16", value_parser = precision)]
    precision: Precision,
    /// What keeps the values between the layers in range
    #[arg(long, value_enum, default_value = "worst-case")]
    hidden_ranges: HiddenArgument,
    /// Most memory that making keys and proving may take, such as 512MB; refused beforehand when no layout stays below
    #[arg(long, value_name = "SIZE", value_parser = size::bytes)]
    max_memory: Option<u64>,
    #[command(flatten)]
    threshold: ThresholdArguments,
    /// A ceremony's SRS, as `srs import` made it: a file, or a name that `srs list` shows; an insecure one for development is made when absent
    #[arg(long, value_name = "FILE|NAME")]
    srs: Option<PathBuf>,
    /// The artifact folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace an artifact folder that is there
    #[arg(long)]
    force: bool,
    /// Two contracts: the code, which models of the same shape share, and the model's key; for who has many models
    #[arg(long, conflicts_with_all = ["no_compile", "aggregate"])]
    split_key: bool,
    /// Write the Solidity source only
    #[arg(long)]
    no_compile: bool,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE")]
    solc: Option<PathBuf>,
    /// The checkout with contracts/ and tools/
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

/// A threshold, in either unit.
#[derive(Clone, Debug, Args)]
pub struct ThresholdArguments {
    /// The threshold, in the score's own unit
    #[arg(long, value_name = "SCORE", conflicts_with = "probability", allow_negative_numbers = true)]
    pub threshold: Option<String>,
    /// The threshold as a probability, for models that end in a Sigmoid
    #[arg(long, value_name = "P")]
    pub probability: Option<String>,
}

impl ThresholdArguments {
    /// The one that is given.
    pub fn text(&self) -> Option<ThresholdText> {
        let value = self.threshold.clone().map(ThresholdText::Value);
        value.or_else(|| self.probability.clone().map(ThresholdText::Probability))
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum InputArgument {
    /// Hidden, bound to a commitment that an attestor signs
    Committed,
    /// Every feature is public
    Public,
    /// Hidden, bound to nothing
    Private,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OutputArgument {
    /// Every element is public
    Reveal,
    /// The score stays hidden and reaches a public threshold
    Threshold,
    /// The index of the largest element is public
    Argmax,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HiddenArgument {
    /// Every input that the schema admits has a proof
    WorstCase,
    /// Scales from the calibration data, with room for twice its values: more accurate, and needed for deep networks; inputs beyond that have
    /// no proof
    Calibrated,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ObjectiveArgument {
    /// Both: 100,000 gas for each CPU second
    Balanced,
    /// Proving time
    Prover,
    /// Gas
    Gas,
    /// The work of an aggregation that verifies the proofs
    Aggregation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WeightsArgument {
    /// In the keys, for everybody to read
    Fixed,
    /// With the prover only, bound by a commitment that is a public value
    Private,
}

fn items(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(items) if (1..=MAX_ITEMS).contains(&items) => Ok(items),
        _ => Err(format!("expected a number from 1 to {MAX_ITEMS}")),
    }
}

fn precision(text: &str) -> Result<Precision, String> {
    let parts = text.split_once(',').and_then(|(s, m)| Some((s.trim().parse().ok()?, m.trim().parse().ok()?)));
    let (shift_bits, magnitude_bits) = parts.ok_or("expected two numbers such as 16,16")?;
    Ok(Precision { shift_bits, magnitude_bits })
}

impl Arguments {
    fn recipe(&self) -> Recipe {
        let input = match self.input {
            InputArgument::Committed => InputMode::Committed,
            InputArgument::Public => InputMode::Public,
            InputArgument::Private => InputMode::Private,
        };
        let output = match self.output {
            OutputArgument::Reveal => OutputChoice::Reveal,
            OutputArgument::Threshold => OutputChoice::Threshold,
            OutputArgument::Argmax => OutputChoice::Argmax,
        };
        let objective = match self.objective {
            ObjectiveArgument::Balanced => Objective::Balanced,
            ObjectiveArgument::Prover => Objective::Prover,
            ObjectiveArgument::Gas => Objective::Gas,
            ObjectiveArgument::Aggregation => Objective::Aggregation,
        };
        let weights = match self.weights {
            WeightsArgument::Fixed => WeightsChoice::Fixed,
            WeightsArgument::Private => WeightsChoice::Private,
        };
        let hidden = match self.hidden_ranges {
            HiddenArgument::WorstCase => Hidden::WorstCase,
            HiddenArgument::Calibrated => Hidden::Calibrated,
        };
        let (precision, items, max_memory) = (self.precision, self.batch, self.max_memory);
        Recipe { input, output, precision, hidden, objective, items, weights, max_memory }
    }
}

/// Runs the verb. The target and the compiler are checked before the long work.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let root = project::find_or_here(arguments.project.as_deref());
    let compiler = match arguments.no_compile {
        true => None,
        false => Some(Compiler::find(arguments.solc.as_deref(), &root)?),
    };
    let srs = arguments.srs.as_deref().map(checked_srs).transpose()?;
    if let Some(slots) = arguments.aggregate {
        let staging = Staging::begin(&arguments.out, arguments.force)?;
        let for_gas = matches!(arguments.objective, ObjectiveArgument::Gas);
        let (models, out, max_memory) = (arguments.models, arguments.out, arguments.max_memory);
        return aggregate::set_up(Setup { models, slots, for_gas, max_memory, srs, compiler, staging, out }, console).await;
    }
    let (model, calibration) = (aggregate::one_model(&arguments.models)?, calibration(&arguments)?);
    let secret = secret_file(&arguments)?;
    let staging = Staging::begin(&arguments.out, arguments.force)?;
    let (recipe, threshold, out) = (arguments.recipe(), arguments.threshold.text(), arguments.out.clone());

    let progress = console.progress("reading the model and quantising it");
    let (source, quantised) = blocking(move || {
        let source = Source::read(&model, &calibration, arguments.schema.as_deref())?;
        let quantised = Quantised::new(&source, &recipe, threshold.as_ref())?;
        Ok((source, quantised))
    })
    .await?;
    drop(progress);
    review(console, &source)?;
    console.note(quantised.report.to_string());
    console.note(plan_line(&quantised));
    if srs.as_ref().is_none_or(|srs| srs.provenance.is_insecure()) {
        console.warn(INSECURE);
    }

    let weights = quantised.weights.clone();
    let progress = console.progress_of(PACKAGE_STAGES + 1);
    let stages = progress.stages();
    let split = arguments.split_key;
    let package =
        blocking(move || package(&source, &quantised, &recipe, srs.as_ref(), compiler.as_ref(), split, &stages)).await?;
    progress.stages().begin("writing the folder");
    // The secret first: a model whose weights are lost proves nothing.
    if let (Some(weights), Some(path)) = (weights, &secret) {
        weights.save_new(path)?;
        console.note(format!("private weights: {} (secret: it is the model; every proof needs it)", path.display()));
    }
    let manifest = package.save(staging)?;
    drop(progress);
    let value = serde_json::json!({ "folder": out, "manifest": manifest });
    console.result("gen-verifier", &value, &summary(&out, &manifest))
}

fn calibration(arguments: &Arguments) -> Result<PathBuf, Failure> {
    let how = "give typical inputs by --calibration";
    Ok(arguments.calibration.clone().ok_or(CliError::Missing { what: "the calibration data", how })?)
}

/// Where the private weights go, if that is a file to be made outside of the artifact folder.
fn secret_file(arguments: &Arguments) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = &arguments.weights_out else { return Ok(None) };
    if arguments.weights == WeightsArgument::Fixed {
        return Err(CliError::Conflict("--weights-out is for private weights; fixed ones are in the keys".into()).into());
    }
    if resolved(path)?.starts_with(resolved(&arguments.out)?) {
        let problem = format!("{} is inside the artifact folder, which goes to everybody", path.display());
        return Err(CliError::Conflict(problem).into());
    }
    match path.symlink_metadata() {
        Ok(_) => Err(ArtifactError::Taken { path: path.clone() }.into()),
        Err(_) => Ok(Some(path.clone())),
    }
}

/// A path without links, of which the last parts need not exist yet.
fn resolved(path: &Path) -> Result<PathBuf, ArtifactError> {
    let failed = |source| ArtifactError::Io { doing: "find", path: path.into(), source };
    let whole = std::path::absolute(path).map_err(failed)?;
    let there = whole.ancestors().find_map(|parent| Some((parent.canonicalize().ok()?, whole.strip_prefix(parent).ok()?)));
    Ok(there.map(|(parent, rest)| parent.join(rest)).unwrap_or(whole.clone()))
}

/// An SRS file with every check that there is: what is made with it may guard value.
fn checked_srs(named: &Path) -> Result<Srs, ProofError> {
    let path = srs::locate(named);
    let srs = Srs::load(&path)?;
    srs.check().map_err(|e| e.at(&path))?;
    Ok(srs)
}

/// What everybody who makes keys without a ceremony has to read.
pub const INSECURE: &str =
    "the SRS is a development one (insecure-dev): anybody can forge proofs for these keys. Local chains only.";

fn review(console: &Console, source: &Source) -> Result<(), Failure> {
    if let Some(notes) = &source.derived {
        console.note("Schema derived from the calibration data; review it, then pass your corrected copy with --schema:");
        console.note(source.schema.to_json()?);
        notes.iter().for_each(|note| console.note(format!("note: {note}")));
    }
    Ok(())
}

/// The plan, in one line.
pub fn plan_line(quantised: &Quantised) -> String {
    let (plan, shape) = (&quantised.plan, &quantised.plan.shape);
    format!(
        "plan: k = {}, {} of {} rows, {} advice and {} fixed columns ({} of weights), {}-bit limbs in {} lanes",
        shape.k,
        plan.rows,
        1u64 << shape.k,
        plan.advice,
        plan.fixed,
        shape.weights,
        shape.limb_bits,
        shape.lanes
    )
}

/// Stages of [`package`].
pub const PACKAGE_STAGES: u64 = 3;

/// Keys, Solidity, bytecode.
pub fn package(
    source: &Source,
    quantised: &Quantised,
    recipe: &Recipe,
    srs: Option<&Srs>,
    compiler: Option<&Compiler>,
    split_key: bool,
    stages: &Stages,
) -> Result<Package, Failure> {
    stages.begin("getting the SRS");
    let k = quantised.plan.shape.k;
    let srs = srs.map_or_else(|| Cow::Owned(Srs::development(k)), Cow::Borrowed);
    stages.begin("making the keys");
    let prover = Prover::generate_with(source, quantised, recipe, &srs)?;
    stages.begin("writing the Solidity verifier, and compiling it");
    let (solidity, contract, family) = match compiler {
        Some(compiler) => {
            let made = prover.compile(compiler, split_key)?;
            let family = made.family.map(|family| family.into_code(compiler.version()));
            (made.solidity, Some(Contract::new(made.compiled, compiler.version())), family)
        }
        None => {
            let Prover { facts, program, srs, keys, .. } = &prover;
            (render(program, keys, srs, facts.model_id, facts.model_commitment)?, None, None)
        }
    };
    let report = serde_json::to_value(quantised.public_report()?).map_err(|e| CliError::Crashed(e.to_string()))?;
    Ok(Package { prover, solidity, contract, family, report })
}

fn summary(out: &Path, manifest: &Manifest) -> String {
    let facts = &manifest.facts;
    let contract = match &manifest.contract {
        Some(contract) => {
            let family = contract.family.map(|id| format!(" beside the code of family {id}")).unwrap_or_default();
            format!("{} bytes on chain, solc {}{family}", contract.runtime_size, contract.solc)
        }
        None => "not compiled".into(),
    };
    format!(
        "artifacts  {}\nmodel id   {}{}\nschema id  {}\nSRS        {}\nproof      {} bytes{}\nverifier   {contract}",
        out.display(),
        facts.model_id,
        facts.model_commitment.map(|c| format!("\nweights    private, commitment {c}")).unwrap_or_default(),
        facts.schema_id,
        facts.srs,
        facts.proof_bytes,
        if facts.items > 1 { format!(" for {} inputs", facts.items) } else { String::new() }
    )
}
