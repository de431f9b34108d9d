//! What one measured process does: files in, files out, as a user's own runs do it.

use crate::{measure::cpu_seconds, mode::Mode};
use clap::ValueEnum;
use halo2_proofs::halo2curves::bn256::Fr;
use serde::{Deserialize, Serialize};
use std::{error::Error, path::Path};
use zkml_evm::{
    circuit::Witness,
    gates::Shape,
    proof::{
        Keys, Srs,
        artifact::{self, Kind},
        model_id::model_id,
        prove, verify,
    },
    quant::{Program, ThresholdScale},
    verifier::{Compiler, render},
};

/// One stage; each needs the files of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// ONNX and schema to the integer program and its plan.
    Compile,
    /// The development SRS.
    Srs,
    /// Both keys.
    Setup,
    /// Witness and proof.
    Prove,
    /// Native verification.
    Verify,
    /// Rendering the contract and compiling it, solc included.
    Contract,
}

/// What `compile` leaves: the program, its plan, and the applicant's input with its threshold.
#[derive(Serialize, Deserialize)]
pub struct Compiled {
    pub program: Program,
    pub shape: Shape,
    pub input: Vec<i128>,
    pub threshold: Option<i128>,
}

/// What `prove` leaves.
#[derive(Serialize, Deserialize)]
pub struct Proved {
    /// Big-endian.
    pub public_inputs: Vec<[u8; 32]>,
    pub proof: Vec<u8>,
}

/// What `contract` leaves.
#[derive(Serialize, Deserialize)]
pub struct Contract {
    pub creation: Vec<u8>,
    pub runtime_size: usize,
}

impl Stage {
    /// In the order in which they run.
    pub const ALL: [Self; 6] = [Self::Compile, Self::Srs, Self::Setup, Self::Prove, Self::Verify, Self::Contract];

    /// As on the command line and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Srs => "srs",
            Self::Setup => "setup",
            Self::Prove => "prove",
            Self::Verify => "verify",
            Self::Contract => "contract",
        }
    }

    /// Does it, and prints the CPU seconds that it took after its files were read.
    pub fn run(self, mode: Mode, folder: &Path) -> Result<(), Box<dyn Error>> {
        let loaded = match self {
            Self::Compile => compile(mode, folder)?,
            Self::Srs => srs(folder)?,
            Self::Setup => setup(folder)?,
            Self::Prove => prove_input(folder)?,
            Self::Verify => check(folder)?,
            Self::Contract => contract(folder)?,
        };
        println!("{}", cpu_seconds() - loaded);
        Ok(())
    }
}

/// Writes a file of the benchmark's own.
fn save<T: Serialize>(folder: &Path, name: &str, value: &T) -> Result<(), Box<dyn Error>> {
    Ok(artifact::write(Kind::Program, &folder.join(name), &postcard::to_stdvec(value)?)?)
}

/// Reads a file that a stage left.
pub fn load<T: for<'de> Deserialize<'de>>(folder: &Path, name: &str) -> Result<T, Box<dyn Error>> {
    Ok(postcard::from_bytes(&artifact::read(Kind::Program, &folder.join(name))?)?)
}

fn compile(mode: Mode, folder: &Path) -> Result<f64, Box<dyn Error>> {
    let loaded = cpu_seconds();
    let credit = mode.compile();
    let threshold = ThresholdScale::of(credit.program()).ok().map(|scale| scale.from_probability("0.75")).transpose()?;
    let input = credit.applicant("alice");
    save(folder, "program", &Compiled { shape: credit.shape, input, threshold, program: credit.calibrated.program })?;
    Ok(loaded)
}

fn srs(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let shape = load::<Compiled>(folder, "program")?.shape;
    let loaded = cpu_seconds();
    Srs::development(shape.k).save(&folder.join("srs"))?;
    Ok(loaded)
}

fn setup(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let compiled: Compiled = load(folder, "program")?;
    let srs = Srs::load(&folder.join("srs"))?;
    let loaded = cpu_seconds();
    Keys::generate(&compiled.program, compiled.shape, &srs)?.save(&folder.join("keys"))?;
    Ok(loaded)
}

fn prove_input(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let compiled: Compiled = load(folder, "program")?;
    let srs = Srs::load(&folder.join("srs"))?;
    let keys = Keys::load(compiled.shape, &folder.join("keys"))?;
    let loaded = cpu_seconds();
    let salt = compiled.threshold.map(|_| Fr::from(99));
    let witness = Witness::new(&compiled.program, &compiled.input, Fr::from(42), salt, compiled.threshold)?;
    let proof = prove(&compiled.program, &keys, &srs, &witness)?;
    let public_inputs = witness.statement.instances().iter().map(big_endian).collect();
    save(folder, "proof", &Proved { public_inputs, proof })?;
    Ok(loaded)
}

fn check(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let compiled: Compiled = load(folder, "program")?;
    let srs = Srs::load(&folder.join("srs"))?;
    let keys = Keys::load(compiled.shape, &folder.join("keys"))?;
    let proved: Proved = load(folder, "proof")?;
    let loaded = cpu_seconds();
    let instances: Option<Vec<Fr>> = proved.public_inputs.iter().map(|bytes| field(*bytes)).collect();
    verify(&keys, &srs, &instances.ok_or("an instance is not below r")?, &proved.proof)?;
    Ok(loaded)
}

/// A field element's 32 bytes.
pub fn big_endian(value: &Fr) -> [u8; 32] {
    let mut bytes = value.to_bytes();
    bytes.reverse();
    bytes
}

/// The field element of 32 big-endian bytes below r.
pub fn field(mut bytes: [u8; 32]) -> Option<Fr> {
    bytes.reverse();
    Option::from(Fr::from_bytes(&bytes))
}

fn contract(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let compiled: Compiled = load(folder, "program")?;
    let srs = Srs::load(&folder.join("srs"))?;
    let keys = Keys::load(compiled.shape, &folder.join("keys"))?;
    let loaded = cpu_seconds();
    let id = model_id(&compiled.program, &keys, &srs)?;
    let source = render(&compiled.program, &keys, &srs, id)?;
    let contract = Compiler::find(None, &crate::credit_support::in_project(""))?.compile_verifier(&source)?;
    save(folder, "contract", &Contract { creation: contract.creation, runtime_size: contract.runtime_size })?;
    Ok(loaded)
}
