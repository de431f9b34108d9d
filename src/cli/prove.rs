//! `prove --artifacts DIR --input FILE --out proof.json`, or `--inputs DIR|FILE` for a batch.

use super::{
    batch, blocking,
    failure::{CliError, Failure},
    gen_verifier::ThresholdArguments,
    machine,
    output::Console,
    progress::StageCost,
    size,
};
use crate::{
    artifact::{Binding, Folder, Opening, ProofFile, Prover, WeightsFile, proof_file::read_small, scalar},
    chain::attest::{Context, SignedAttestation},
    circuit::{CircuitError, Item, Memory, PrivateWeights, memory},
    op::InputMode,
    proof::Purpose,
    quant::input,
};
use alloy::primitives::{Address, B256, U256};
use clap::{Args, ValueEnum};
use halo2_proofs::halo2curves::bn256::Fr;
use std::path::{Path, PathBuf};

/// Prove the model's statement about one input, or about each of a batch.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder
    #[arg(long, value_name = "DIR")]
    artifacts: PathBuf,
    /// The input, `{"features": {...}}` or `{"input_data": [[...]]}`; not needed with --opening
    #[arg(long, value_name = "FILE", required_unless_present_any = ["opening", "inputs"])]
    input: Option<PathBuf>,
    /// The inputs of a batch, as many as the model takes: a file with several rows, or a folder with a file for each (inputs, or
    /// openings where the model commits to them), in the order of the files' names
    #[arg(long, value_name = "PATH", conflicts_with_all = ["input", "opening", "salt_file", "attestation"])]
    inputs: Option<PathBuf>,
    /// The model's private weights, as `gen-verifier` wrote them
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// The opening of the attested commitment (features and salt), as `attest` wrote it
    #[arg(long, value_name = "FILE")]
    opening: Option<PathBuf>,
    /// The salt of the commitment, 32 bytes of hex
    #[arg(long, value_name = "FILE", conflicts_with = "opening")]
    salt_file: Option<PathBuf>,
    /// The attestation; gives subject and chain, and is compared with the commitment
    #[arg(long, value_name = "FILE")]
    attestation: Option<PathBuf>,
    #[command(flatten)]
    threshold: ThresholdArguments,
    #[command(flatten)]
    call: CallArguments,
    /// Who verifies the proof: the model's contract, or an aggregation
    #[arg(long = "for", value_enum, default_value = "chain")]
    purpose: PurposeArgument,
    /// Most memory that proving may take, such as 512MB; refused beforehand when it would take more
    #[arg(long, value_name = "SIZE", value_parser = size::bytes)]
    max_memory: Option<u64>,
    /// The proof file to write
    #[arg(long, value_name = "FILE", default_value = "proof.json")]
    out: PathBuf,
}

/// Who verifies a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PurposeArgument {
    /// A contract
    Chain,
    /// An aggregation; no contract takes the proof by itself
    Aggregation,
}

impl From<PurposeArgument> for Purpose {
    fn from(argument: PurposeArgument) -> Self {
        match argument {
            PurposeArgument::Chain => Self::Chain,
            PurposeArgument::Aggregation => Self::Aggregation,
        }
    }
}

/// The call that the proof is bound to.
#[derive(Clone, Debug, Args)]
struct CallArguments {
    /// The chain
    #[arg(long, value_name = "ID", conflicts_with = "context")]
    chain_id: Option<u64>,
    /// The contract that acts on the result
    #[arg(long, value_name = "ADDRESS", conflicts_with = "context")]
    consumer: Option<Address>,
    /// The account that will send the transaction
    #[arg(long, value_name = "ADDRESS", conflicts_with = "context")]
    subject: Option<Address>,
    /// The policy's id
    #[arg(long, value_name = "HEX", conflicts_with = "context")]
    policy: Option<B256>,
    /// The subject's nonce in the consumer
    #[arg(long, value_name = "N", conflicts_with = "context")]
    nonce: Option<U256>,
    /// Unix seconds after which the proof is worth nothing
    #[arg(long, value_name = "SECONDS", conflicts_with = "context")]
    expiry: Option<u64>,
    /// The context itself, computed elsewhere
    #[arg(long, value_name = "HEX")]
    context: Option<B256>,
}

impl CallArguments {
    fn binding(&self, model_id: B256, attestation: Option<&SignedAttestation>) -> Result<Binding, CliError> {
        if let Some(context) = self.context {
            return Ok(Binding::Context(U256::from_be_bytes(context.0)));
        }
        let how = "name the call by --chain-id --consumer --subject --policy --nonce --expiry, or give --context";
        let missing = |what| CliError::Missing { what, how };
        Ok(Binding::Call(Context {
            chain_id: self.chain_id.or(attestation.map(|a| a.chain_id)).ok_or(missing("--chain-id"))?,
            consumer: self.consumer.ok_or(missing("--consumer"))?,
            subject: self.subject.or(attestation.map(|a| a.subject)).ok_or(missing("--subject"))?,
            model_id,
            policy_id: self.policy.ok_or(missing("--policy"))?,
            nonce: self.nonce.ok_or(missing("--nonce"))?,
            expiry: self.expiry.ok_or(missing("--expiry"))?,
        }))
    }
}

/// Reads everything, proves on a thread of its own, checks the proof, writes it.
pub async fn run(arguments: Arguments, console: &Console) -> Result<(), Failure> {
    let progress = console.progress_of(Prover::STAGES + 3);
    let stages = progress.stages();
    stages.begin(READING[0]);
    let folder = Folder::open_to_prove(&arguments.artifacts)?;
    memory::check("proving", Memory::of(&folder.manifest.facts.plan).proof, arguments.max_memory)?;
    let attestation = arguments.attestation.as_deref().map(read_attestation).transpose()?;
    let secrets = match &arguments.inputs {
        Some(path) => batch::read(path, &folder)?,
        None => vec![secret(&arguments, &folder)?],
    };
    let expected = folder.manifest.facts.items;
    if secrets.len() != expected {
        return Err(CircuitError::Items { expected, got: secrets.len() }.into());
    }
    let weights = private_weights(&arguments, &folder)?;
    let binding = arguments.call.binding(folder.manifest.facts.model_id, attestation.as_ref())?;
    machine::forget_pages();
    stages.begin(READING[1]);
    let prover = folder.prover()?;
    let threshold = match arguments.threshold.text() {
        Some(text) => Some(text.integer(&prover.threshold_scale()?).map_err(Failure::from)?),
        None => None,
    };
    if let (Some(attestation), [(row, Some(salt))]) = (&attestation, secrets.as_slice()) {
        check_attestation(&folder, attestation, &binding, row, *salt)?;
    }
    let items: Vec<Item> = secrets.into_iter().map(|(values, salt)| Item { values, salt, threshold }).collect();
    let purpose = arguments.purpose.into();
    let (prover, proof) = blocking(move || {
        let tell = |stage| {
            machine::forget_pages();
            stages.begin(stage);
        };
        let proof = prover.prove_items(purpose, &items, binding, weights.as_ref(), &tell)?;
        Ok((prover, proof))
    })
    .await?;
    machine::forget_pages();
    progress.stages().begin("writing the proof");
    proof.save(&arguments.out)?;
    let costs = progress.costs();
    drop(progress);
    let statement = prover.statement_of(&proof);
    let width = statement.iter().map(|(name, _)| name.len()).fold(16, usize::max);
    let lines: Vec<String> = statement.iter().map(|(name, value)| format!("{name:<width$} {value}")).collect();
    let human = format!(
        "proof            {} ({} bytes, for {})\n{}",
        arguments.out.display(),
        proof.proof.len(),
        proof.purpose,
        lines.join("\n")
    );
    console.result("prove", &result(&arguments.out, &proof, &statement, &costs), &human)
}

/// The first stages; the others are those of [`Prover::prove_items`].
const READING: [&str; 2] = ["reading program and input", "reading and checking keys and SRS"];

fn result(out: &Path, proof: &ProofFile, statement: &[(String, B256)], costs: &[StageCost]) -> serde_json::Value {
    let inputs: Vec<_> = statement.iter().map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect();
    let (model_id, bytes) = (proof.model_id, proof.proof.len());
    serde_json::json!({ "file": out, "for": proof.purpose, "modelId": model_id, "proofBytes": bytes, "publicInputs": inputs, "stages": costs })
}

/// The weights that the model's commitment is to.
fn private_weights(arguments: &Arguments, folder: &Folder) -> Result<Option<PrivateWeights>, Failure> {
    match (folder.manifest.facts.model_commitment, &arguments.weights) {
        (Some(commitment), Some(path)) => Ok(Some(WeightsFile::load(path, &folder.program, commitment)?.witness()?)),
        (Some(_), None) => {
            let how = "give the file that `gen-verifier --weights private` wrote (--weights)";
            Err(CliError::Missing { what: "the file of the model's private weights", how }.into())
        }
        (None, Some(_)) => Err(CliError::Conflict("this model's weights are fixed: it takes no --weights".into()).into()),
        (None, None) => Ok(None),
    }
}

/// Schema integers, and the salt where the input is committed.
pub(super) type Secret = (Vec<i128>, Option<Fr>);

/// The one input.
fn secret(arguments: &Arguments, folder: &Folder) -> Result<Secret, Failure> {
    let schema = &folder.schema;
    let given = match &arguments.input {
        Some(path) => Some(input::one(schema, &input::read(path)?)?),
        None => None,
    };
    let committed = folder.manifest.facts.input == InputMode::Committed;
    if let Some(path) = &arguments.opening {
        let opening = Opening::load(path, schema)?;
        if given.is_some_and(|given| given != opening.row()) {
            return Err(CliError::Conflict(format!("{} does not open to the values of --input", path.display())).into());
        }
        return Ok((opening.row(), if committed { Some(opening.salt()?) } else { None }));
    }
    let row = given.ok_or(CliError::Missing { what: "the input", how: "give --input or --opening" })?;
    match (&arguments.salt_file, committed) {
        (Some(path), true) => Ok((row, Some(read_salt(path)?))),
        (None, true) => {
            let how = "give the opening that `attest` wrote (--opening), or the salt (--salt-file)";
            Err(CliError::Missing { what: "the commitment's salt", how }.into())
        }
        (Some(_), false) => Err(CliError::Conflict("this model does not commit to its input and takes no salt".into()).into()),
        (None, false) => Ok((row, None)),
    }
}

fn read_salt(path: &Path) -> Result<Fr, Failure> {
    let text = read_small(path)?;
    let salt = text.trim().parse::<B256>().ok().and_then(|word| scalar::from_word(&word));
    Ok(salt.ok_or_else(|| CliError::Conflict(format!("{} does not hold 32 bytes of hex below r", path.display())))?)
}

/// Reads an attestation file.
pub fn read_attestation(path: &Path) -> Result<SignedAttestation, Failure> {
    let text = read_small(path)?;
    Ok(serde_json::from_str(&text).map_err(|e| CliError::Conflict(format!("{} is not an attestation: {e}", path.display())))?)
}

/// What would be refused on chain is refused before the proof is made.
fn check_attestation(
    folder: &Folder,
    attestation: &SignedAttestation,
    binding: &Binding,
    row: &[i128],
    salt: Fr,
) -> Result<(), Failure> {
    let commitment = crate::circuit::commitment::commit(folder.program.input().map_err(Failure::from)?, row, salt);
    let ours = scalar::to_word(&commitment);
    let schema = B256::from(folder.schema.id());
    let conflict = |text: String| Err(CliError::Conflict(text).into());
    if attestation.schema_id != schema {
        return conflict(format!("the attestation is for schema {}, the model's is {schema}", attestation.schema_id));
    }
    if attestation.input_commitment != ours {
        return conflict(format!("the attestation is for commitment {}, the input's is {ours}", attestation.input_commitment));
    }
    match binding {
        Binding::Call(context) if context.subject != attestation.subject => {
            conflict(format!("the attestation is for {}, the proof for {}", attestation.subject, context.subject))
        }
        Binding::Call(context) if context.chain_id != attestation.chain_id => {
            conflict(format!("the attestation is for chain {}, the proof for chain {}", attestation.chain_id, context.chain_id))
        }
        _ => Ok(()),
    }
}
