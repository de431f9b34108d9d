//! Keys and proofs of an aggregation's outer circuit.

use super::{
    ProofError, Purpose, Srs,
    artifact::Kind,
    either::{EitherCircuit, EitherParams},
    key::ProvingKey,
    keys::{fit, generate},
    protocol::compiled,
    prove::prove_either,
    srs::Provenance,
    verify::verify_key,
};
use crate::outer::{OuterCircuit, Recording, Sheet, Values, Widths, place};
use halo2_proofs::{
    halo2curves::bn256::{Fr, G1Affine},
    plonk::VerifyingKey,
};
use snark_verifier::verifier::plonk::PlonkProtocol;

/// The keys of an outer circuit.
#[derive(Clone, Debug)]
pub struct OuterKeys {
    /// The circuit's widths.
    pub widths: Widths,
    /// Public values: all statements, and the accumulator's words. halo2 pads a shorter list with zeros and leaves what follows free.
    pub instances: usize,
    /// Where the SRS that they were made with comes from.
    pub provenance: Provenance,
    /// Proving key, with the verifying key inside.
    pub pk: ProvingKey,
}

impl OuterKeys {
    /// Generates the keys of the circuit that repeats `recording`.
    ///
    /// # Errors
    /// Too few rows; an SRS smaller than the circuit.
    pub fn generate(recording: &Recording, widths: Widths, srs: &Srs) -> Result<Self, ProofError> {
        // Any values do: fixed cells and copies are the same for all.
        let nodes = vec![Fr::zero(); recording.nodes.len()];
        let points: Vec<_> = recording.slots.iter().map(|slot| vec![G1Affine::generator(); slot.all_points()]).collect();
        let (sheet, _) = place(recording, widths, &Values { nodes: &nodes, points: &points }).map_err(layout)?;
        let circuit = EitherCircuit::Outer(Box::new(OuterCircuit::new(sheet)));
        let (instances, provenance) = (recording.public_values(), srs.provenance.clone());
        Ok(Self { widths, instances, provenance, pk: generate(&circuit, srs)? })
    }

    /// The verifying key.
    pub fn vk(&self) -> &VerifyingKey<G1Affine> {
        &self.pk.vk
    }

    /// The protocol of proofs under these keys, for an aggregation of aggregates.
    ///
    /// # Errors
    /// A smaller SRS than the circuit's.
    pub fn protocol(&self, srs: &Srs) -> Result<PlonkProtocol<G1Affine>, ProofError> {
        Ok(compiled(self.vk(), fit(srs, self.widths.k)?.as_ref(), self.instances))
    }

    /// The content of the proving key's file: the SRS's label, and the key.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.pk.to_bytes(&self.provenance)
    }

    /// Parses a proving key.
    ///
    /// # Errors
    /// Unsound widths; bytes of another circuit.
    pub fn parse(widths: Widths, instances: usize, payload: &[u8]) -> Result<Self, ProofError> {
        if !widths.is_sound() {
            return Err(ProofError::malformed(Kind::ProvingKey.name(), format!("{widths:?} are no widths of an aggregation")));
        }
        let (provenance, pk) = ProvingKey::parse(EitherParams::Outer(widths), payload)?;
        Ok(Self { widths, instances, provenance, pk })
    }

    /// Proves a sheet as it stands, honest or not: the attack suite uses it with forged ones.
    ///
    /// # Errors
    /// An SRS smaller than the circuit.
    pub fn prove_circuit(
        &self,
        purpose: Purpose,
        srs: &Srs,
        circuit: OuterCircuit,
        instances: &[Fr],
    ) -> Result<Vec<u8>, ProofError> {
        prove_either(purpose, &self.pk, srs, EitherCircuit::Outer(Box::new(circuit)), instances)
    }

    /// Proves a recording with its values; `instances` are all statements and the accumulator's words.
    ///
    /// # Errors
    /// As [`OuterKeys::prove_circuit`].
    pub fn prove(
        &self,
        purpose: Purpose,
        srs: &Srs,
        recording: &Recording,
        values: &Values<'_>,
        instances: &[Fr],
    ) -> Result<Vec<u8>, ProofError> {
        let (sheet, _): (Sheet, _) = place(recording, self.widths, values).map_err(layout)?;
        self.prove_circuit(purpose, srs, OuterCircuit::new(sheet), instances)
    }

    /// Checks the outer proof alone: the accumulator among `instances` is the caller's to check.
    ///
    /// # Errors
    /// [`ProofError::Invalid`] with the reason.
    pub fn verify(&self, purpose: Purpose, srs: &Srs, instances: &[Fr], proof: &[u8]) -> Result<(), ProofError> {
        let (expected, got) = (self.instances, instances.len());
        if expected != got {
            return Err(ProofError::Invalid(format!("this circuit has {expected} public values, got {got}")));
        }
        verify_key(purpose, self.vk(), srs, instances, proof)
    }
}

fn layout(error: crate::gates::TraceError) -> ProofError {
    crate::circuit::CircuitError::from(error).into()
}
