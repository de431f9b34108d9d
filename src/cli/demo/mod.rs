//! `demo`: the whole road on the credit example, in seven steps. Every step calls what the verbs call.

mod lend;
mod model;
mod refuse;
mod stage;
mod table;

use super::{
    chains::{ChainArguments, Local},
    failure::Failure,
    output::Console,
    project,
};
use clap::Args;
use std::path::PathBuf;
use table::Table;

/// The policy of examples/credit: lend at this probability of repayment.
const PROBABILITY: &str = "0.75";

/// Credit model in, settled loan out.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    chain: ChainArguments,
    /// The folder for artifacts, attestation and proof
    #[arg(long, value_name = "DIR", default_value = "zkml-demo")]
    out: PathBuf,
    /// The Solidity compiler
    #[arg(long, value_name = "FILE")]
    solc: Option<PathBuf>,
    /// The checkout with examples/, contracts/ and tools/
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
}

/// Where things are.
#[derive(Clone, Debug)]
struct Places {
    root: PathBuf,
    out: PathBuf,
    solc: Option<PathBuf>,
}

/// Tells the story. Any refusal that does not come is an error: the demo is a check as well.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let places = Places { root: project::find(arguments.project.as_deref())?, out: arguments.out, solc: arguments.solc };
    let mut table = Table::default();

    console.note("1. The model: examples/credit/credit_mlp.onnx, a neural network that scores loan applicants (synthetic data)");
    let compiler = places.compiler()?;
    let staging = places.staging()?;
    let (source, quantised) = table.step("load and quantise", model::quantise(&places, console)).await?;
    console.note("2. The fixed-point program");
    model::report(console, &quantised);

    console.note("3. Keys and the Solidity verifier");
    let package = table.step("keys, Solidity, solc", model::package(source, quantised, compiler.clone(), console)).await?;
    let manifest = package.save(staging)?;
    model::summary(console, &manifest);

    console.note("4. The chain");
    let contracts = table.step("compile the contracts", stage::compile(&places, compiler)).await?;
    let chain = arguments.chain.connect(Some(Local::Embedded), Some(&places.root)).await?;
    let stage = table.step("deploy and set up", stage::build(chain, &contracts, &package, &places, console)).await?;

    console.note("5. Alice borrows: her score and her features stay with her");
    let alice = lend::attest(&stage, &package, &places, "alice", stage::ALICE).await?;
    let proof = table.step("prove", lend::prove(&stage, &package, &alice)).await?;
    let (proof, loan) = table.step("open the loan", lend::open(&stage, &alice, proof, &places, console)).await?;

    console.note("6. What is refused");
    let refusals = table.step("refusals", refuse::all(&stage, &package, &places, &alice, &proof, console)).await?;

    console.note("7. What it took");
    let costs = stage::Costs::of(&stage, &proof, &loan).await?;
    let value = table.value(&manifest, &proof, &costs, &refusals, &places);
    console.result("demo", &value, &table.show(&manifest, &proof, &costs, &places))
}
