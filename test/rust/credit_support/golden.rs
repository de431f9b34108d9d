//! The two golden files: what the example's keys must be, and a stored proof with everything that forge needs to use it.

use super::{Credit, in_project, loan::Loan};
use alloy::primitives::{B256, Bytes, U256, keccak256};
use halo2_proofs::{
    SerdeFormat,
    halo2curves::{bn256::Fr, ff::PrimeField},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zkml_evm::{
    circuit::Witness,
    op::InputMode,
    proof::{Keys, Srs, artifact, model_id::model_id, prove, verify, verify::ProofLayout},
    quant::OutputChoice,
    verifier::{Compiler, render, solc::Compiled},
};

/// What the keys must be, with a proof that must go on verifying under them.
pub const KEYS: &str = "test/fixtures/golden/credit.json";
/// The same proof for forge, with the contract's code and the loan.
pub const FORGE: &str = "test/fixtures/credit_proof.json";

/// What fixes the meaning of the example's proofs, in the order in which one follows from the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// keccak256 of the feature schema's canonical encoding.
    pub schema_id: B256,
    /// SHA-256 of the integer program's postcard encoding.
    pub program_sha256: B256,
    /// The circuit's widths; untyped, so that a file from before a new field is still read and compared.
    pub shape: Value,
    /// keccak256 of the development SRS's generators and s·g2.
    pub srs_digest: B256,
    /// SHA-256 of the verifying key in halo2's `Processed` form.
    pub vk_sha256: B256,
    /// The identity on chain.
    pub model_id: B256,
    /// keccak256 of the rendered `InferenceVerifier.sol`.
    pub source_keccak: B256,
}

/// `golden/credit.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoldenKeys {
    pub version: u32,
    #[serde(flatten)]
    pub identity: Identity,
    /// The instances, in the statement's order.
    pub public_inputs: Vec<B256>,
    pub proof: Bytes,
}

/// `credit_proof.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForgeProof {
    pub version: u32,
    pub model_id: B256,
    pub schema_id: B256,
    /// Points of the proof before its evaluations; the opening's two follow those.
    pub points: usize,
    pub evaluations: usize,
    pub public_inputs: Vec<B256>,
    pub proof: Bytes,
    pub loan: Loan,
    /// The compiler of `creation_code`.
    pub solc: String,
    /// keccak256 of the source that `creation_code` was compiled from.
    pub source_keccak: B256,
    /// Creation code of `InferenceVerifier`; its constructor takes no arguments.
    pub creation_code: Bytes,
}

/// The example as this checkout makes it.
pub struct Made {
    pub srs: Srs,
    pub keys: Keys,
    pub identity: Identity,
    pub loan: Loan,
    pub witness: Witness,
    credit: Credit,
    source: String,
}

impl Made {
    /// Compiles, generates keys, renders.
    pub fn here() -> Self {
        let credit = Credit::compile(InputMode::Committed, OutputChoice::Threshold);
        let srs = Srs::development(credit.shape.k);
        let keys = Keys::generate(credit.program(), credit.shape, &srs).expect("keys");
        let id = model_id(credit.program(), &keys, &srs).expect("a model id");
        let source = render(credit.program(), &keys, &srs, id, None).expect("a verifier");
        let sha256 = |bytes: &[u8]| B256::from_slice(&Sha256::digest(bytes));
        let identity = Identity {
            schema_id: credit.program().schema_id.into(),
            program_sha256: sha256(&postcard::to_stdvec(credit.program()).expect("an encoding")),
            shape: serde_json::to_value(credit.shape).expect("JSON"),
            srs_digest: srs.digest(),
            vk_sha256: sha256(&keys.vk().to_bytes(SerdeFormat::Processed)),
            model_id: id,
            source_keccak: keccak256(&source),
        };
        let (loan, witness) = Loan::to_alice(&credit, id);
        Self { srs, keys, identity, loan, witness, credit, source }
    }

    /// The public inputs of the loan's proof.
    pub fn public_inputs(&self) -> Vec<B256> {
        self.witness.statement.instances().iter().map(|v| U256::from_le_bytes(v.to_repr()).into()).collect()
    }

    /// Whether a proof holds for the loan's statement under these keys.
    pub fn verifies(&self, proof: &[u8]) -> bool {
        verify(&self.keys, &self.srs, &self.witness.statement.instances(), proof).is_ok()
    }

    /// The verifier's code, and who compiled it.
    pub fn compile(&self) -> (Compiled, String) {
        let compiler = Compiler::find(None, &in_project("")).expect("solc: run `npm ci`");
        (compiler.compile_verifier(&self.source).expect("a contract"), compiler.version())
    }

    /// Writes both files. A stored proof that still verifies stays, so that an update changes no more than it must.
    pub fn update(&self) {
        let stored = try_read::<GoldenKeys>(KEYS).map(|golden| golden.proof).filter(|proof| self.verifies(proof));
        let made = || prove(self.credit.program(), &self.keys, &self.srs, &self.witness).expect("a proof").into();
        let proof: Bytes = stored.unwrap_or_else(made);
        let (compiled, solc) = self.compile();
        let layout = ProofLayout::of(&self.keys.shape);
        let forge = ForgeProof {
            version: 1,
            model_id: self.identity.model_id,
            schema_id: self.identity.schema_id,
            points: layout.points,
            evaluations: layout.evaluations,
            public_inputs: self.public_inputs(),
            proof: proof.clone(),
            loan: self.loan.clone(),
            solc,
            source_keccak: self.identity.source_keccak,
            creation_code: compiled.creation.into(),
        };
        let identity = self.identity.clone();
        write(KEYS, &GoldenKeys { version: 1, identity, public_inputs: self.public_inputs(), proof });
        write(FORGE, &forge);
    }
}

/// Reads a golden file of this checkout.
pub fn read<T: DeserializeOwned>(path: &str) -> T {
    try_read(path).unwrap_or_else(|| panic!("{path} is missing or of another format; UPDATE_GOLDEN=1 writes it"))
}

/// The same, where it may be missing or older.
pub fn try_read<T: DeserializeOwned>(path: &str) -> Option<T> {
    serde_json::from_str(&std::fs::read_to_string(in_project(path)).ok()?).ok()
}

/// Writes a golden file of this checkout.
pub fn write(path: &str, value: &impl Serialize) {
    let text = serde_json::to_string_pretty(value).expect("JSON") + "\n";
    artifact::write_bytes(&in_project(path), text.as_bytes(), false).expect("the fixture is writable");
}

/// Instances as halo2 takes them.
pub fn field_elements(public_inputs: &[B256]) -> Vec<Fr> {
    let element = |word: &B256| {
        let mut bytes = word.0;
        bytes.reverse();
        Option::from(Fr::from_repr(bytes)).expect("below r")
    };
    public_inputs.iter().map(element).collect()
}
