//! Recording, keys and SRS together: what aggregates proofs and checks the result.

use super::{
    file::{AggregateFile, SlotStatement},
    manifest::{AggregateFacts, SlotFacts},
    slots::empty_proof,
};
use crate::{
    aggregate::{Evaluation, InnerProof, check, record},
    artifact::{ArtifactError, ProofFile, Prover, scalar},
    gates::TraceError,
    outer::{OuterCircuit, Recording, Values, Widths, accumulator_words, place},
    proof::{OuterKeys, Purpose, Srs, keys::fit, protocol::protocol, transcript::encode_point, verify::ProofLayout},
    verifier::{
        Labels,
        aggregate::{Aggregate, Slot},
    },
};
use alloy::primitives::B256;
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::{Fr, G1Affine},
};

/// Bytes of the accumulator before the outer proof: two points.
const ACCUMULATOR_BYTES: usize = 128;

/// Everything that aggregating takes.
#[derive(Clone, Debug)]
pub struct Aggregator {
    /// What the folder's manifest says.
    pub facts: AggregateFacts,
    /// What the outer circuit repeats.
    pub recording: Recording,
    /// Structured reference string of the outer circuit's size.
    pub srs: Srs,
    /// The outer circuit's keys.
    pub keys: OuterKeys,
    /// The verification of one proof alone, by model.
    pub alone: Vec<(B256, Recording)>,
    /// What fills empty slots, by model.
    pub empty: Vec<ProofFile>,
}

impl Aggregator {
    /// Makes the keys for `count` slots of each model, in their order, with `stack` columns under each other: more of them take less gas and more
    /// time. Without an SRS, a development one is made.
    ///
    /// # Errors
    /// Models of different SRS; an SRS smaller than the outer circuit; no slots.
    pub fn generate(
        models: &[Prover],
        count: usize,
        stack: u32,
        srs: Option<&Srs>,
        tell: &dyn Fn(&'static str),
    ) -> Result<Self, ArtifactError> {
        tell("recording the inner verification");
        let (mut protocols, mut slots, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for prover in models {
            let compiled = protocol(&prover.keys, &prover.srs)?;
            alone.push((prover.facts.model_id, record(std::slice::from_ref(&compiled))?));
            protocols.extend(std::iter::repeat_n(compiled, count));
            let (model_id, model_commitment) = (prover.facts.model_id, prover.facts.model_commitment);
            let facts = SlotFacts { model_id, statement: prover.facts.statement.clone(), model_commitment };
            slots.extend(std::iter::repeat_n(facts, count));
        }
        let recording = record(&protocols)?;
        let (widths, rows) = widths(&recording, stack)?;
        tell("getting the SRS");
        let srs = match srs {
            Some(srs) => fit(srs, widths.k)?.into_owned(),
            None => Srs::development(widths.k),
        };
        for prover in models {
            same_srs(prover, &srs)?;
        }
        tell("making the keys");
        let keys = OuterKeys::generate(&recording, widths, &srs)?;
        tell("proving empty slots");
        let empty = models.iter().filter_map(|prover| empty_proof(prover).transpose()).collect::<Result<_, _>>()?;
        let facts = AggregateFacts {
            aggregate_id: B256::ZERO,
            slots,
            widths,
            rows,
            srs: srs.provenance.to_string(),
            srs_digest: srs.digest(),
            proof_bytes: ACCUMULATOR_BYTES + ProofLayout::of_gates(keys.vk().cs()).length(),
        };
        let mut aggregator = Self { facts, recording, alone, srs, keys, empty };
        aggregator.facts.aggregate_id = aggregator.id();
        Ok(aggregator)
    }

    /// The identity on chain, computed of keys, SRS and slots.
    pub fn id(&self) -> B256 {
        self.with_contract(|aggregate| aggregate.id())
    }

    /// The contract's source.
    ///
    /// # Errors
    /// A protocol that the contract has no section for.
    pub fn solidity(&self) -> Result<String, ArtifactError> {
        Ok(self.with_contract(crate::verifier::aggregate::render)?)
    }

    fn with_contract<T>(&self, then: impl FnOnce(&Aggregate<'_>) -> T) -> T {
        let slots: Vec<Slot> = self.facts.slots.iter().map(SlotFacts::slot).collect();
        let labels = Labels::of_outer(&self.facts.widths);
        then(&Aggregate { vk: self.keys.vk(), srs: &self.srs, labels, slots: &slots })
    }

    /// Stages of [`Aggregator::aggregate`].
    pub const STAGES: u64 = 4;

    /// Puts each proof into the first free slot of its model, fills the others, checks all of them, and proves that they hold.
    ///
    /// # Errors
    /// [`ArtifactError::Slots`] where there is no slot for a proof, or nothing to fill one; an invalid proof, by its file; two proofs of one
    /// statement.
    pub fn aggregate(&self, proofs: &[ProofFile], tell: &dyn Fn(&'static str)) -> Result<AggregateFile, ArtifactError> {
        tell("checking the proofs");
        let placed = self.place(proofs)?;
        let instances: Vec<Vec<Fr>> = placed.iter().map(|file| file.instances()).collect::<Result<_, _>>()?;
        let inner: Vec<InnerProof<'_>> =
            placed.iter().zip(&instances).map(|(file, instances)| InnerProof { instances, proof: &file.proof }).collect();
        let evaluation = check(&self.recording, &self.srs, &inner)?;
        tell("laying out the circuit");
        let values = Values { nodes: &evaluation.nodes, points: &evaluation.points };
        let (sheet, _) = place(&self.recording, self.facts.widths, &values).map_err(layout)?;
        tell("proving");
        let public = public_values(&instances, &evaluation);
        let outer = self.keys.prove_circuit(Purpose::Chain, &self.srs, OuterCircuit::new(sheet), &public)?;
        tell("checking the aggregate");
        self.keys.verify(Purpose::Chain, &self.srs, &public, &outer)?;
        let slots = placed.iter().map(|file| SlotStatement {
            model_id: file.model_id,
            context: file.context,
            public_inputs: file.public_inputs.clone(),
        });
        let mut proof = [evaluation.lhs, evaluation.rhs].map(|point| encode_point(&point)).concat();
        proof.extend(outer);
        Ok(AggregateFile::new(self.facts.aggregate_id, slots.collect(), proof))
    }

    /// The proof in each slot.
    fn place<'a>(&'a self, proofs: &'a [ProofFile]) -> Result<Vec<&'a ProofFile>, ArtifactError> {
        let mut slots: Vec<Option<&ProofFile>> = vec![None; self.facts.slots.len()];
        for (at, proof) in proofs.iter().enumerate() {
            self.check_one(proof)?;
            if let Some(first) = proofs[..at].iter().find(|other| other.public_inputs == proof.public_inputs) {
                let problem = format!("{} has the same statement as {}", proof.path.display(), first.path.display());
                return Err(ArtifactError::Slots { problem });
            }
            let free =
                self.facts.slots.iter().zip(&mut slots).find(|(facts, slot)| facts.model_id == proof.model_id && slot.is_none());
            let Some((_, slot)) = free else {
                let problem = format!("no slot is left for {}, of model {}", proof.path.display(), proof.model_id);
                return Err(ArtifactError::Slots { problem });
            };
            *slot = Some(proof);
        }
        let filled = slots.into_iter().zip(&self.facts.slots).enumerate().map(|(at, (slot, facts))| {
            let empty = || self.empty.iter().find(|file| file.model_id == facts.model_id);
            slot.or_else(empty).ok_or_else(|| ArtifactError::Slots {
                problem: format!(
                    "slot {at} takes a proof of model {}, and with private weights it cannot stay empty",
                    facts.model_id
                ),
            })
        });
        filled.collect()
    }

    /// One proof by itself, in milliseconds.
    ///
    /// # Errors
    /// [`ArtifactError::Purpose`], a model without a slot, a proof that does not hold: with its file.
    pub fn check_one(&self, proof: &ProofFile) -> Result<(), ArtifactError> {
        if proof.purpose != Purpose::Aggregation {
            let (path, expected, got) = (proof.path.clone(), Purpose::Aggregation, proof.purpose);
            return Err(ArtifactError::Purpose { path, expected, got });
        }
        let slot = self.facts.slots.iter().position(|facts| facts.model_id == proof.model_id);
        let Some(slot) = slot else {
            let problem = format!("{} is of model {}, which has no slot here", proof.path.display(), proof.model_id);
            return Err(ArtifactError::Slots { problem });
        };
        let commitment = self.facts.slots[slot].model_commitment;
        let statement = &self.facts.slots[slot].statement;
        let at = statement.iter().position(|value| value.name == crate::circuit::statement::MODEL_COMMITMENT);
        if let (Some(expected), Some(got)) = (commitment, at.and_then(|at| proof.public_inputs.get(at)))
            && expected != *got
        {
            let (path, what) = (proof.path.clone(), "the model commitment");
            return Err(ArtifactError::Foreign { path, what, expected: expected.to_string(), got: got.to_string() });
        }
        let instances = proof.instances()?;
        let inner = [InnerProof { instances: &instances, proof: &proof.proof }];
        let alone = self.alone.iter().find(|(model, _)| *model == proof.model_id);
        let Some((_, alone)) = alone else {
            let problem = format!("the folder does not say how a proof of model {} is checked", proof.model_id);
            return Err(ArtifactError::Slots { problem });
        };
        check(alone, &self.srs, &inner)
            .map(drop)
            .map_err(|error| ArtifactError::Inner { path: proof.path.clone(), error: Box::new(error) })
    }

    /// Checks an aggregate's proof, its accumulator included.
    ///
    /// # Errors
    /// [`ArtifactError::Foreign`] for another aggregate's; `proof/invalid` otherwise.
    pub fn verify(&self, file: &AggregateFile) -> Result<(), ArtifactError> {
        let expected: Vec<B256> = self.facts.slots.iter().map(|slot| slot.model_id).collect();
        let got: Vec<B256> = file.slots.iter().map(|slot| slot.model_id).collect();
        if file.aggregate_id != self.facts.aggregate_id || expected != got {
            let (path, what) = (file.path.clone(), "the aggregate id");
            let (expected, got) = (self.facts.aggregate_id.to_string(), file.aggregate_id.to_string());
            return Err(ArtifactError::Foreign { path, what, expected, got });
        }
        let invalid = |problem: &str| crate::proof::ProofError::Invalid(problem.into());
        let (accumulator, outer) = file.proof.split_at_checked(ACCUMULATOR_BYTES).ok_or_else(|| invalid("it is too short"))?;
        let (points, _) = accumulator.as_chunks::<64>();
        let points: Option<Vec<G1Affine>> = points.iter().map(crate::proof::transcript::decode_point).collect();
        let Some([lhs, rhs]) = points.as_deref() else { return Err(invalid("its accumulator is no pair of points").into()) };
        let words = file.slots.iter().flat_map(|slot| &slot.public_inputs).map(scalar::from_word);
        let mut public: Vec<Fr> = words.collect::<Option<_>>().ok_or_else(|| invalid("a public input is not below r"))?;
        public.extend(accumulator_words([*lhs, *rhs]));
        if public.len() != self.recording.public_values() {
            return Err(invalid("a slot's statement has another length").into());
        }
        self.keys.verify(Purpose::Chain, &self.srs, &public, outer)?;
        match crate::aggregate::pairs(&self.srs, lhs, rhs) {
            true => Ok(()),
            false => Err(invalid("the accumulator's pairing check failed").into()),
        }
    }
}

fn public_values(instances: &[Vec<Fr>], evaluation: &Evaluation) -> Vec<Fr> {
    let mut public = instances.concat();
    public.extend(accumulator_words([evaluation.lhs, evaluation.rhs]));
    public
}

/// Proofs of all models and of the outer circuit hold for one and the same secret.
fn same_srs(prover: &Prover, srs: &Srs) -> Result<(), ArtifactError> {
    let (expected, got) = (prover.facts.srs_digest, srs.digest());
    match expected == got {
        true => Ok(()),
        false => Err(ArtifactError::Slots {
            problem: format!("model {} has the SRS {expected}, the aggregate {got}", prover.facts.model_id),
        }),
    }
}

/// The smallest circuit that the recording fits in, `stack` columns under each other, and the rows that it takes.
fn widths(recording: &Recording, stack: u32) -> Result<(Widths, usize), ArtifactError> {
    let nodes = vec![Fr::ZERO; recording.nodes.len()];
    let points: Vec<_> = recording.slots.iter().map(|slot| vec![G1Affine::generator(); slot.all_points()]).collect();
    let values = Values { nodes: &nodes, points: &points };
    // The range table alone takes so many rows.
    let first = crate::outer::shape::LANE_BITS + stack.ilog2() + 1;
    for k in first..=Widths::MAX_K {
        match place(recording, Widths { k, stack }, &values) {
            Ok((_, rows)) => return Ok((Widths { k, stack }, rows.most())),
            Err(TraceError::NotEnoughRows { .. }) => {}
            Err(other) => return Err(layout(other)),
        }
    }
    let (k, available) = (Widths::MAX_K, Widths { k: Widths::MAX_K, stack }.rows());
    Err(layout(TraceError::NotEnoughRows { k, available }))
}

fn layout(error: TraceError) -> ArtifactError {
    crate::aggregate::AggregateError::from(error).into()
}
