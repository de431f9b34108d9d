//! Program, keys and SRS together: what proves and verifies.

use super::{
    ArtifactError, Binding, ProofFile, Quantised, Recipe, Source,
    manifest::{Facts, ReportSummary},
};
use crate::{
    circuit::{Item, PrivateWeights, Statement, Witness, lay_out_checked, statement, statement::MODEL_COMMITMENT},
    proof::{Keys, Purpose, Srs, keys::fit, model_id::model_id_with, prove::prove_trace_for, verify::ProofLayout, verify_for},
    quant::{Checked, OutputChoice, Program, Schema, ThresholdScale},
};
use alloy::primitives::B256;
use halo2_proofs::halo2curves::bn256::Fr;
use std::sync::Arc;

/// Everything that a proof of one model needs.
#[derive(Clone, Debug)]
pub struct Prover {
    /// What the folder's manifest says of the model.
    pub facts: Facts,
    /// The feature schema.
    pub schema: Schema,
    /// The integer program.
    pub program: Arc<Program>,
    /// Structured reference string.
    pub srs: Srs,
    /// Proving and verifying key.
    pub keys: Keys,
}

impl Prover {
    /// Makes a development SRS of the needed size, and the keys. Proofs made with it are worth nothing outside of tests.
    ///
    /// # Errors
    /// As [`Prover::generate_with`].
    pub fn generate(source: &Source, quantised: &Quantised, recipe: &Recipe) -> Result<Self, ArtifactError> {
        Self::generate_with(source, quantised, recipe, &Srs::development(quantised.plan.shape.k))
    }

    /// Makes the keys under an SRS, which is cut down to the needed size.
    ///
    /// # Errors
    /// An SRS that is too small, a program that cannot be laid out, or a refusal of halo2.
    pub fn generate_with(source: &Source, quantised: &Quantised, recipe: &Recipe, srs: &Srs) -> Result<Self, ArtifactError> {
        let program = Arc::new(quantised.program.clone());
        let model_commitment = quantised.weights.as_ref().map(|w| w.model_commitment);
        let shape = quantised.plan.shape;
        let srs = fit(srs, shape.k)?.into_owned();
        let keys = Keys::generate(&program, shape, &srs)?;
        let facts = Facts {
            model_id: model_id_with(&program, &keys, &srs, model_commitment)?,
            model_file: source.file_name.clone(),
            model_sha256: model_commitment.is_none().then(|| B256::from(source.graph.sha256)),
            model_commitment,
            items: recipe.items,
            schema_id: B256::from(program.schema_id),
            srs: srs.provenance.to_string(),
            srs_digest: srs.digest(),
            input: recipe.input,
            output: recipe.output,
            score: quantised.calibrated.score,
            objective: recipe.objective,
            plan: quantised.plan,
            statement: statement::layout(&program)?,
            proof_bytes: ProofLayout::of(&shape).length(),
            report: ReportSummary::of(&quantised.report),
        };
        Ok(Self { facts, schema: source.schema.clone(), program, srs, keys })
    }

    /// The scale of the threshold, where there is one.
    pub fn threshold_scale(&self) -> Result<ThresholdScale, ArtifactError> {
        Ok(ThresholdScale::of(&self.program)?)
    }

    /// Proves one row of schema integers to a contract, under a model for one input with fixed weights, as [`Prover::prove_items`] does.
    ///
    /// # Errors
    /// As [`Prover::prove_items`].
    pub fn prove(
        &self,
        row: &[i128],
        binding: Binding,
        salt: Option<Fr>,
        threshold: Option<i128>,
    ) -> Result<ProofFile, ArtifactError> {
        let items = [Item { values: row.to_vec(), salt, threshold }];
        self.prove_items(Purpose::Chain, &items, binding, None, &|_| ())
    }

    /// Stages of [`Prover::prove_items`].
    pub const STAGES: u64 = 3;

    /// Proves the statement about all items, and checks the proof before it is returned. `tell` hears the name of each stage as it begins.
    ///
    /// # Errors
    /// A wrong number of items, a value out of range, a score below the threshold, a missing or superfluous salt or threshold, missing
    /// or superfluous weights, or weights other than those of the model's commitment.
    pub fn prove_items(
        &self,
        purpose: Purpose,
        items: &[Item],
        binding: Binding,
        weights: Option<&PrivateWeights>,
        tell: &dyn Fn(&'static str),
    ) -> Result<ProofFile, ArtifactError> {
        let context = binding.instance()?;
        for item in items {
            if (self.facts.output == OutputChoice::Threshold) != item.threshold.is_some() {
                let problem = match item.threshold {
                    Some(_) => "has no threshold, and one is given",
                    None => "compares with a threshold, and none is given",
                };
                return Err(ArtifactError::Statement { problem: problem.into() });
            }
        }
        tell("computing the witness");
        let program = Checked::of(&self.program)?;
        let witness = Witness::of_checked(&program, items, context, weights)?;
        let trace = lay_out_checked(&program, self.keys.shape, Some(&witness))?;
        tell("proving");
        let instances = witness.statement.instances();
        let proof = prove_trace_for(purpose, &self.keys, &self.srs, trace, &instances)?;
        let file = ProofFile::new(purpose, self.facts.model_id, binding, &instances, proof);
        tell("checking the proof");
        // Catches keys and program that were exchanged together, and broken hardware, before anybody pays gas.
        self.verify(&file)?;
        Ok(file)
    }

    /// The statement's values of a proof file, for people.
    pub fn statement_of(&self, file: &ProofFile) -> Vec<(String, B256)> {
        self.facts.statement.iter().map(|v| v.name.clone()).zip(file.public_inputs.iter().copied()).collect()
    }

    /// Strict verification of a proof file of this model, with the transcript of its purpose.
    ///
    /// # Errors
    /// [`ArtifactError::Foreign`] for a proof of another model, a wrong number of public inputs; `proof/invalid` otherwise.
    pub fn verify(&self, file: &ProofFile) -> Result<(), ArtifactError> {
        if file.model_id != self.facts.model_id {
            return Err(ArtifactError::Foreign {
                path: file.path.clone(),
                what: "the model id",
                expected: self.facts.model_id.to_string(),
                got: file.model_id.to_string(),
            });
        }
        let (expected, got) = (self.facts.statement.len(), file.public_inputs.len());
        if expected != got {
            let problem = format!("has {expected} public values, the proof file has {got}");
            return Err(ArtifactError::Statement { problem });
        }
        if let Some(commitment) = self.facts.model_commitment {
            let at = self.facts.statement.iter().position(|value| value.name == MODEL_COMMITMENT);
            let got = at.and_then(|at| file.public_inputs.get(at)).copied().unwrap_or_default();
            if got != commitment {
                let (path, what) = (file.path.clone(), "the model commitment");
                return Err(ArtifactError::Foreign { path, what, expected: commitment.to_string(), got: got.to_string() });
            }
        }
        Ok(verify_for(file.purpose, &self.keys, &self.srs, &file.instances()?, &file.proof)?)
    }

    /// The statement that a row would have, without a proof.
    pub fn statement(
        &self,
        row: &[i128],
        context: Fr,
        salt: Option<Fr>,
        threshold: Option<i128>,
    ) -> Result<Statement, ArtifactError> {
        Ok(Witness::new(&self.program, row, context, salt, threshold)?.statement)
    }
}
