//! `attest --schema FILE --input FILE --subject ADDR --registry ADDR --chain-id N --valid-for SECS --out DIR`.

use super::{
    accounts::AccountArguments,
    failure::{CliError, Failure},
    output::Console,
};
use crate::{
    artifact::{ArtifactError, Folder, Opening},
    chain::{Account, attest::SignedAttestation, bindings::IInputAttestation::Attestation, embedded::LOCAL_CHAIN_ID},
    proof::artifact::write_bytes,
    quant::{Schema, input},
};
use alloy::primitives::Address;
use clap::Args;
use std::path::{Path, PathBuf};

/// Sign a statement about an applicant's input, as an attestor. Needs no chain.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The artifact folder whose schema counts
    #[arg(long, value_name = "DIR", required_unless_present = "schema", conflicts_with = "schema")]
    artifacts: Option<PathBuf>,
    /// The feature schema
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The applicant's features
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The applicant's account
    #[arg(long, value_name = "ADDRESS")]
    subject: Address,
    /// The InputAttestation contract
    #[arg(long, value_name = "ADDRESS")]
    registry: Address,
    /// The chain that it is on
    #[arg(long, value_name = "ID")]
    chain_id: u64,
    #[command(flatten)]
    account: AccountArguments,
    /// Seconds that the attestation holds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    valid_for: u64,
    /// Unix seconds from which it holds; now, when absent
    #[arg(long, value_name = "SECONDS")]
    issued_at: Option<u64>,
    /// The folder for attestation.json (public) and opening.json (secret)
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// An attestation, and what opens its commitment.
#[derive(Clone, Debug)]
pub struct Attested {
    /// Goes to the applicant, and on chain.
    pub attestation: SignedAttestation,
    /// Goes to the applicant only.
    pub opening: Opening,
}

/// Who is attested what, where and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The applicant.
    pub subject: Address,
    /// The `InputAttestation` contract.
    pub registry: Address,
    /// Its chain.
    pub chain_id: u64,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// Commits to a row under a fresh salt, and signs.
pub fn attest(schema: &Schema, row: &[i128], attestor: &Account, terms: &Terms) -> Result<Attested, Failure> {
    let opening = Opening::fresh(schema, row)?;
    let attestation = Attestation {
        subject: terms.subject,
        inputCommitment: opening.input_commitment,
        schemaId: opening.schema_id,
        issuedAt: terms.issued_at,
        expiresAt: terms.expires_at,
    };
    let attestation = SignedAttestation::sign(attestor, terms.chain_id, terms.registry, &attestation)?;
    Ok(Attested { attestation, opening })
}

impl Attested {
    /// Writes both files.
    pub fn save(&self, folder: &Path) -> Result<[PathBuf; 2], Failure> {
        let failed = |source| ArtifactError::Io { doing: "create", path: folder.into(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let [public, secret] = [folder.join("attestation.json"), folder.join("opening.json")];
        let text = serde_json::to_string_pretty(&self.attestation).map_err(|e| CliError::Crashed(e.to_string()))?;
        // The secret first: an attestation without its opening is of no use to anybody.
        self.opening.save(&secret)?;
        write_bytes(&public, (text + "\n").as_bytes(), false)?;
        Ok([public, secret])
    }
}

/// Runs the verb.
pub fn run(arguments: &Arguments, console: &Console) -> Result<(), Failure> {
    let schema = match (&arguments.schema, &arguments.artifacts) {
        (Some(path), _) => Schema::load(path)?,
        (None, Some(folder)) => Folder::open(folder)?.schema,
        (None, None) => return Err(CliError::Missing { what: "the schema", how: "give --schema or --artifacts" }.into()),
    };
    let row = input::one(&schema, &input::read(&arguments.input)?)?;
    // Nothing is asked of the chain, so only the id that local chains use counts as one.
    let attestor = arguments.account.unlock(arguments.chain_id == LOCAL_CHAIN_ID)?;
    let issued_at = arguments.issued_at.map_or_else(now, Ok)?;
    let expires_at = issued_at.checked_add(arguments.valid_for).ok_or_else(|| CliError::Conflict("the time overflows".into()))?;
    let terms =
        Terms { subject: arguments.subject, registry: arguments.registry, chain_id: arguments.chain_id, issued_at, expires_at };
    let attested = attest(&schema, &row, &attestor, &terms)?;
    let [public, secret] = attested.save(&arguments.out)?;
    let value = serde_json::json!({ "attestation": attested.attestation, "files": { "attestation": public, "opening": secret } });
    let human = format!(
        "attestation  {}\nopening      {} (secret: whoever has it can read the features)\nattestor     {}\nsubject      {}\ncommitment   {}",
        public.display(),
        secret.display(),
        attestor.address(),
        arguments.subject,
        attested.attestation.input_commitment
    );
    console.result("attest", &value, &human)
}

fn now() -> Result<u64, Failure> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Ok(since.map(|d| d.as_secs()).map_err(|e| CliError::Conflict(format!("the clock is wrong: {e}")))?)
}
