//! Renders `InferenceVerifier.sol`: snark-verifier's contract as a core that only the strict adapter in front of it calls.
//!
//! The core reduces instances and evaluations modulo r, ignores trailing calldata and explains nothing. The adapter
//! (`InferenceVerifier.sol.in`) refuses non-canonical values and wrong lengths with typed errors, and deploys its core itself, so
//! nobody chooses it.

use super::VerifierError;
use crate::{
    circuit::statement::{self, PublicValue},
    proof::{Keys, ModelId, Srs, verify::ProofLayout},
    quant::Program,
};
use halo2_proofs::halo2curves::bn256::{Bn256, Fq, Fr};
use snark_verifier::{
    loader::evm::EvmLoader,
    pcs::kzg::{Bdfg21, KzgAs},
    system::halo2::{Config, compile, transcript::evm::EvmTranscript},
    verifier::{SnarkVerifier, plonk::PlonkVerifier},
};
use std::rc::Rc;

const TEMPLATE: &str = include_str!("InferenceVerifier.sol.in");

/// The Solidity source of the verifier of `keys`: one self-contained file, contract `InferenceVerifier`, no constructor arguments.
pub fn render(program: &Program, keys: &Keys, srs: &Srs, model_id: ModelId) -> Result<String, VerifierError> {
    let layout = statement::layout(program)?;
    let core = core(keys, srs, layout.len())?;
    let proof = ProofLayout::of(&keys.shape);
    let table: Vec<String> = layout.iter().enumerate().map(|(i, value)| describe(i, value)).collect();
    let fields = [
        ("{tool}", env!("CARGO_PKG_VERSION").to_string()),
        ("{model_id}", model_id.to_string()),
        ("{srs}", srs.provenance.to_string()),
        ("{k}", keys.shape.k.to_string()),
        ("{instances}", layout.len().to_string()),
        ("{points}", proof.points.to_string()),
        ("{evaluations_at}", (64 * proof.points).to_string()),
        ("{proof_length}", proof.length().to_string()),
        ("{evaluations}", proof.evaluations.to_string()),
        ("{layout}", table.join("\n")),
        ("{core}", core),
    ];
    Ok(fields.into_iter().fold(TEMPLATE.to_string(), |text, (name, value)| text.replace(name, &value)))
}

/// snark-verifier's contract under the name `Halo2Core`, with the pragma of the rest of the file.
fn core(keys: &Keys, srs: &Srs, instances: usize) -> Result<String, VerifierError> {
    use halo2_proofs::poly::commitment::ParamsProver;
    type Verifier = PlonkVerifier<KzgAs<Bn256, Bdfg21>>;
    let failed = |e| VerifierError::Render(format!("{e:?}"));
    let srs = crate::proof::keys::fit(srs, keys.shape.k).map_err(|e| VerifierError::Render(e.to_string()))?;
    let protocol = compile(&srs.params, keys.vk(), Config::kzg().with_num_instance(vec![instances]));
    let key = (srs.params.get_g()[0], srs.params.g2(), srs.params.s_g2()).into();
    let loader = EvmLoader::new::<Fq, Fr>();
    let protocol = protocol.loaded(&loader);
    let mut transcript = EvmTranscript::<_, Rc<EvmLoader>, _, _>::new(&loader);
    let instances = transcript.load_instances(vec![instances]);
    let proof = Verifier::read_proof(&key, &protocol, &instances, &mut transcript).map_err(failed)?;
    Verifier::verify(&key, &protocol, &instances, &proof).map_err(failed)?;
    let code = loader.solidity_code();
    let (_, contract) = code
        .split_once("contract Halo2Verifier {")
        .ok_or_else(|| VerifierError::Render("its contract is not where this version expects it".into()))?;
    Ok(format!("contract Halo2Core {{{}", contract.trim_end()))
}

fn describe(index: usize, value: &PublicValue) -> String {
    let scale = value.scale_log2.map(|s| format!(", real value = integer / 2^{s}")).unwrap_or_default();
    let range = match (&value.lo, &value.hi) {
        (Some(lo), Some(hi)) => format!(", integer in [{lo}, {hi}], negative v as r - |v|"),
        _ => String::new(),
    };
    format!("///   {index}: {}{scale}{range}", value.name)
}
