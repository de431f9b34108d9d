//! Recording, keys and SRS together: what aggregates proofs and checks the result.

use super::{
    below::Below,
    file::{AggregateFile, SlotStatement},
    manifest::{AggregateFacts, Branch, SlotFacts},
    part::Part,
};
use crate::{
    aggregate::{Evaluation, Inner, InnerProof, check, record_all},
    artifact::{ArtifactError, scalar},
    gates::TraceError,
    outer::{OuterCircuit, Recording, Values, Widths, accumulator_words, place},
    proof::{OuterKeys, Purpose, Srs, keys::fit, transcript::encode_point, verify::ProofLayout},
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
use std::path::Path;

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
    /// The verification of one proof alone, by model or aggregate.
    pub alone: Vec<(B256, Recording)>,
    /// What fills empty branches, by model or aggregate.
    pub empty: Vec<Part>,
}

impl Aggregator {
    /// Makes the keys for `count` proofs of each model or aggregate, in their order, with `stack` columns under each other: more of them take
    /// less gas and more time. Without an SRS, a development one is made. `admit` hears of the widths before the long work.
    ///
    /// # Errors
    /// Models of different SRS; an SRS smaller than the outer circuit; no slots; what `admit` says.
    pub fn generate(
        below: &[Below],
        count: usize,
        stack: u32,
        srs: Option<&Srs>,
        admit: &dyn Fn(Widths) -> Result<(), ArtifactError>,
        tell: &dyn Fn(&'static str),
    ) -> Result<Self, ArtifactError> {
        let aggregator = Self::without_empty(below, count, stack, srs, admit, tell)?;
        tell("proving empty slots");
        let empty = below.iter().filter_map(|below| below.empty().transpose()).collect::<Result<_, _>>()?;
        Ok(Self { empty, ..aggregator })
    }

    /// All but what fills empty branches: the id depends on nothing more.
    pub(super) fn without_empty(
        below: &[Below],
        count: usize,
        stack: u32,
        srs: Option<&Srs>,
        admit: &dyn Fn(Widths) -> Result<(), ArtifactError>,
        tell: &dyn Fn(&'static str),
    ) -> Result<Self, ArtifactError> {
        tell("recording the inner verification");
        let inner: Vec<Inner> = below.iter().map(Below::inner).collect::<Result<_, _>>()?;
        let alone =
            below.iter().zip(&inner).map(|(below, inner)| Ok((below.branch().id(), record_all(std::slice::from_ref(inner))?)));
        let alone = alone.collect::<Result<_, ArtifactError>>()?;
        let each = |below: &'_ Below| std::iter::repeat_n((below.branch(), below.slots()), count);
        let (branches, slots): (Vec<Branch>, Vec<Vec<SlotFacts>>) = below.iter().flat_map(each).unzip();
        let inner: Vec<Inner> = inner.into_iter().flat_map(|inner| std::iter::repeat_n(inner, count)).collect();
        let recording = record_all(&inner)?;
        let (widths, rows) = widths(&recording, stack)?;
        admit(widths)?;
        tell("getting the SRS");
        let srs = match srs {
            Some(srs) => fit(srs, widths.k)?.into_owned(),
            None => Srs::development(widths.k),
        };
        for below in below {
            same_srs(below, &srs)?;
        }
        tell("making the keys");
        let keys = OuterKeys::generate(&recording, widths, &srs)?;
        let facts = AggregateFacts {
            aggregate_id: B256::ZERO,
            slots: slots.concat(),
            branches,
            widths,
            rows,
            srs: srs.provenance.to_string(),
            srs_digest: srs.digest(),
            proof_bytes: ACCUMULATOR_BYTES + ProofLayout::of_gates(keys.vk().cs()).length(),
        };
        let mut aggregator = Self { facts, recording, alone, srs, keys, empty: Vec::new() };
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

    /// Puts each proof into the first free branch of its model or aggregate, fills the others, checks all of them, and proves that they hold,
    /// for a contract or for another aggregate.
    ///
    /// # Errors
    /// [`ArtifactError::Slots`] where there is no branch for a proof, or nothing to fill one; an invalid proof, by its file; two proofs of one
    /// statement.
    pub fn aggregate(
        &self,
        purpose: Purpose,
        parts: &[Part],
        tell: &dyn Fn(&'static str),
    ) -> Result<AggregateFile, ArtifactError> {
        tell("checking the proofs");
        let placed = self.place(parts)?;
        let instances: Vec<Vec<Fr>> = placed.iter().map(|part| part.instances()).collect::<Result<_, _>>()?;
        let inner: Vec<InnerProof<'_>> =
            placed.iter().zip(&instances).map(|(part, instances)| InnerProof { instances, proof: part.proof() }).collect();
        let evaluation = check(&self.recording, &self.srs, &inner)?;
        tell("laying out the circuit");
        let values = Values { nodes: &evaluation.nodes, points: &evaluation.points };
        let (sheet, _) = place(&self.recording, self.facts.widths, &values).map_err(layout)?;
        tell("proving");
        let public = public_values(&instances, &evaluation);
        let outer = self.keys.prove_circuit(purpose, &self.srs, OuterCircuit::new(sheet), &public)?;
        tell("checking the aggregate");
        self.keys.verify(purpose, &self.srs, &public, &outer)?;
        let slots = placed.iter().flat_map(|part| part.slots()).collect();
        let mut proof = [evaluation.lhs, evaluation.rhs].map(|point| encode_point(&point)).concat();
        proof.extend(outer);
        Ok(AggregateFile::new(purpose, self.facts.aggregate_id, slots, proof))
    }

    /// The proof in each branch.
    fn place<'a>(&'a self, parts: &'a [Part]) -> Result<Vec<&'a Part>, ArtifactError> {
        let mut taken: Vec<Option<&Part>> = vec![None; self.facts.branches.len()];
        for (at, part) in parts.iter().enumerate() {
            self.check_one(part)?;
            if let Some(first) = parts[..at].iter().find(|other| (other.id(), other.words()) == (part.id(), part.words())) {
                let problem = format!("{} has the same statement as {}", part.path().display(), first.path().display());
                return Err(ArtifactError::Slots { problem });
            }
            let mut branches = self.facts.branches.iter().zip(&mut taken);
            let Some((_, free)) = branches.find(|(branch, taken)| branch.id() == part.id() && taken.is_none()) else {
                let problem = format!("no slot is left for {}, of {}", part.path().display(), of(part));
                return Err(ArtifactError::Slots { problem });
            };
            *free = Some(part);
        }
        let filled = taken.into_iter().zip(&self.facts.branches).enumerate().map(|(at, (taken, branch))| {
            let empty = || self.empty.iter().find(|part| part.id() == branch.id());
            taken.or_else(empty).ok_or_else(|| ArtifactError::Slots {
                problem: format!("place {at} takes a proof of {}, and with private weights it cannot stay empty", branch.id()),
            })
        });
        filled.collect()
    }

    /// One proof by itself, in milliseconds.
    ///
    /// # Errors
    /// [`ArtifactError::Purpose`], a model or aggregate without a slot, statements of other slots, a proof that does not hold: with its file.
    pub fn check_one(&self, part: &Part) -> Result<(), ArtifactError> {
        part.must_be_for_aggregation()?;
        let of_kind = |branch: &Branch| matches!(branch, Branch::Aggregate { .. }) == matches!(part, Part::Aggregate(_));
        let Some((_, slots)) = self.facts.parts().find(|(branch, _)| branch.id() == part.id() && of_kind(branch)) else {
            let problem = format!("{} is of {}, which has no slot here", part.path().display(), of(part));
            return Err(ArtifactError::Slots { problem });
        };
        are_of(slots, &part.slots(), part.path(), matches!(part, Part::Aggregate(_)))?;
        let instances = part.instances()?;
        let inner = [InnerProof { instances: &instances, proof: part.proof() }];
        let alone = self.alone.iter().find(|(id, _)| *id == part.id());
        let Some((_, alone)) = alone else {
            let problem = format!("the folder does not say how a proof of {} is checked", of(part));
            return Err(ArtifactError::Slots { problem });
        };
        check(alone, &self.srs, &inner)
            .map(drop)
            .map_err(|error| ArtifactError::Inner { path: part.path().into(), error: Box::new(error) })
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
        // Each at its place: where one statement ends and the next begins is nothing that the proof says.
        if self.facts.slots.iter().zip(&file.slots).any(|(facts, slot)| facts.statement.len() != slot.public_inputs.len()) {
            return Err(invalid("a slot's statement has another length").into());
        }
        // Of its weights it says no more than their commitment, which the contract asks for.
        are_of(&self.facts.slots, &file.slots, &file.path, true)?;
        let words = file.slots.iter().flat_map(|slot| &slot.public_inputs).map(scalar::from_word);
        let mut public: Vec<Fr> = words.collect::<Option<_>>().ok_or_else(|| invalid("a public input is not below r"))?;
        public.extend(accumulator_words([*lhs, *rhs]));
        self.keys.verify(file.purpose, &self.srs, &public, outer)?;
        match crate::aggregate::pairs(&self.srs, lhs, rhs) {
            true => Ok(()),
            false => Err(invalid("the accumulator's pairing check failed").into()),
        }
    }
}

/// A part's model or aggregate, in words.
fn of(part: &Part) -> String {
    match part {
        Part::Proof(file) => format!("model {}", file.model_id),
        Part::Aggregate(file) => format!("aggregate {}", file.aggregate_id),
    }
}

/// The statements in `path` are of these slots: their models, their lengths, and in each that is not empty the weights that a contract will ask for.
fn are_of(slots: &[SlotFacts], statements: &[SlotStatement], path: &Path, may_be_empty: bool) -> Result<(), ArtifactError> {
    let foreign = |what, expected: String, got: String| ArtifactError::Foreign { path: path.into(), what, expected, got };
    if slots.len() != statements.len() {
        return Err(foreign("the number of its slots", slots.len().to_string(), statements.len().to_string()));
    }
    for (facts, got) in slots.iter().zip(statements) {
        if facts.model_id != got.model_id {
            return Err(foreign("a slot's model", facts.model_id.to_string(), got.model_id.to_string()));
        }
        let (expected, length) = (facts.statement.len(), got.public_inputs.len());
        if expected != length {
            return Err(foreign("the length of a slot's statement", expected.to_string(), length.to_string()));
        }
        let at = facts.statement.iter().position(|value| value.name == crate::circuit::statement::MODEL_COMMITMENT);
        if let (Some(expected), Some(got_commitment)) = (facts.model_commitment, at.and_then(|at| got.public_inputs.get(at)))
            && expected != *got_commitment
            && !(may_be_empty && got.is_empty())
        {
            return Err(foreign("the model commitment", expected.to_string(), got_commitment.to_string()));
        }
    }
    Ok(())
}

fn public_values(instances: &[Vec<Fr>], evaluation: &Evaluation) -> Vec<Fr> {
    let mut public = instances.concat();
    public.extend(accumulator_words([evaluation.lhs, evaluation.rhs]));
    public
}

/// All proofs, the outer circuit's too, hold for one and the same secret.
fn same_srs(below: &Below, srs: &Srs) -> Result<(), ArtifactError> {
    let (expected, got) = (below.srs_digest(), srs.digest());
    match expected == got {
        true => Ok(()),
        false => {
            Err(ArtifactError::Slots { problem: format!("{} has the SRS {expected}, the aggregate {got}", below.branch().id()) })
        }
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
