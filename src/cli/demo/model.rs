//! Steps 1 to 3: from the ONNX file to an artifact folder.

use super::{PROBABILITY, Places};
use crate::{
    artifact::{Manifest, Package, Quantised, Recipe, Source, Staging, compile::ThresholdText},
    cli::{blocking, failure::Failure, gen_verifier, output::Console},
    verifier::Compiler,
};

impl Places {
    /// The compiler, found before anything long is done.
    pub(super) fn compiler(&self) -> Result<Compiler, Failure> {
        Ok(Compiler::find(self.solc.as_deref(), &self.root)?)
    }

    /// The artifact folder in the making; an older one is replaced.
    pub(super) fn staging(&self) -> Result<Staging, Failure> {
        Ok(Staging::begin(&self.artifacts(), true)?)
    }

    /// Where the artifact folder will be.
    pub(super) fn artifacts(&self) -> std::path::PathBuf {
        self.out.join("artifacts")
    }

    /// A file of the credit example.
    pub(super) fn example(&self, name: &str) -> std::path::PathBuf {
        self.root.join("examples/credit").join(name)
    }
}

/// Reads the model, calibrates, plans and measures.
pub(super) async fn quantise(places: &Places, console: &Console) -> Result<(Source, Quantised), Failure> {
    let _progress = console.progress("quantising");
    let [model, data, schema] = ["credit_mlp.onnx", "calibration.json", "credit_schema.json"].map(|name| places.example(name));
    blocking(move || {
        let source = Source::read(&model, &data, Some(&schema))?;
        let threshold = ThresholdText::Probability(PROBABILITY.into());
        let quantised = Quantised::new(&source, &Recipe::default(), Some(&threshold))?;
        Ok((source, quantised))
    })
    .await
}

/// Says what the integers cost.
pub(super) fn report(console: &Console, quantised: &Quantised) {
    console.note(quantised.report.to_string());
    console.note(gen_verifier::plan_line(quantised));
}

/// Keys, Solidity, bytecode.
pub(super) async fn package(
    source: Source,
    quantised: Quantised,
    compiler: Compiler,
    console: &Console,
) -> Result<Package, Failure> {
    console.note(format!("   warning: {}", gen_verifier::INSECURE));
    let progress = console.progress_of(gen_verifier::PACKAGE_STAGES);
    let stages = progress.stages();
    blocking(move || gen_verifier::package(&source, &quantised, &Recipe::default(), None, Some(&compiler), false, &stages)).await
}

/// The artifact folder's headline.
pub(super) fn summary(console: &Console, manifest: &Manifest) {
    let bytes = manifest.contract.as_ref().map_or(0, |c| c.runtime_size);
    console.note(format!("   model id {}", manifest.facts.model_id));
    console.note(format!("   InferenceVerifier: {bytes} bytes on chain, proofs of {} bytes", manifest.facts.proof_bytes));
}
