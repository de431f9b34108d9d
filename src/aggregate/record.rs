//! Runs snark-verifier's verifier over a recorder, once for each slot, and combines what is left of all of them into one pairing.

use super::{
    error::AggregateError,
    factor::factored,
    form::Form,
    loader::{Scalar, add_multiple},
    opening::Shplonk,
    prune::prune,
    reader::{Reader, Sponge},
    recorder::Recorder,
    recording::{Base, Node, Recording, SlotLayout},
};
use halo2_proofs::halo2curves::bn256::{Fr, G1Affine};
use snark_verifier::{
    loader::{LoadedScalar, ScalarLoader},
    verifier::{
        SnarkVerifier,
        plonk::{PlonkProof, PlonkProtocol, PlonkSuccinctVerifier},
    },
};

type Succinct = PlonkSuccinctVerifier<Shplonk>;
type Protocol = PlonkProtocol<G1Affine, Recorder>;

/// A proof that was read, and what belongs to it.
struct Slot {
    layout: SlotLayout,
    protocol: Protocol,
    instances: Vec<Vec<Scalar>>,
    proof: PlonkProof<G1Affine, Recorder, Shplonk>,
    /// Drawn of the whole proof, its last point included.
    binding: Form,
}

/// The verification of one proof for each protocol, in their order.
///
/// With several, each slot's two sides are scaled by a power of a challenge ρ, drawn of all proofs to their last points:
/// `lhs = Σ ρ^i lhs_i`, `rhs = Σ ρ^i rhs_i` (`docs/soundness.md`).
///
/// # Errors
/// No slot at all; a protocol that uses what a recording has no words for.
pub fn record(slots: &[PlonkProtocol<G1Affine>]) -> Result<Recording, AggregateError> {
    if slots.is_empty() {
        return Err(AggregateError::Empty);
    }
    let recorder = Recorder::default();
    let slots: Vec<Slot> =
        slots.iter().enumerate().map(|(slot, protocol)| read(&recorder, slot, protocol)).collect::<Result<_, _>>()?;
    let powers = powers(&recorder, &slots);
    let (mut lhs, mut rhs) = (Vec::new(), Vec::new());
    for (i, (slot, power)) in slots.iter().zip(&powers).enumerate() {
        let accumulators = Succinct::verify(power, &slot.protocol, &slot.instances, &slot.proof);
        let [accumulator] = &accumulators.map_err(|e| AggregateError::unsupported(i, &e))?[..] else {
            return Err(AggregateError::Protocol { slot: i, problem: "it has accumulators of its own".into() });
        };
        let one = Form::constant(Fr::one());
        add_multiple(&recorder, &mut lhs, &one, &accumulator.lhs.terms);
        add_multiple(&recorder, &mut rhs, &one, &accumulator.rhs.terms);
        if let Some(problem) = recorder.fault() {
            return Err(AggregateError::Protocol { slot: i, problem: problem.into() });
        }
    }
    let [lhs, rhs] = [lhs, rhs].map(|sum: Vec<(Form, Base)>| {
        let terms = sum.into_iter().filter(|(scalar, _)| scalar.as_constant() != Some(Fr::zero()));
        terms.map(|(scalar, base)| (recorder.id(&scalar), base)).collect()
    });
    let (nodes, permutations) = recorder.take();
    let layouts = slots.iter().map(|slot| slot.layout).collect();
    Ok(prune(factored(prune(Recording { slots: layouts, nodes, permutations, lhs, rhs }))))
}

fn read(recorder: &Recorder, slot: usize, protocol: &PlonkProtocol<G1Affine>) -> Result<Slot, AggregateError> {
    let refused = |problem: &str| AggregateError::Protocol { slot, problem: problem.into() };
    if !protocol.accumulator_indices.is_empty() || protocol.instance_committing_key.is_some() {
        return Err(refused("it has accumulators or committed instances"));
    }
    let &[instances] = &protocol.num_instance[..] else { return Err(refused("it has more than one column of public values")) };
    let instance = |index| Scalar { recorder: recorder.clone(), form: recorder.leaf(Node::Instance { slot, index }) };
    let (protocol, loaded) = (protocol.loaded(recorder), vec![(0..instances).map(instance).collect()]);
    let mut reader = Reader::new(recorder, slot);
    let proof = Succinct::read_proof(&recorder.load_one(), &protocol, &loaded, &mut reader)
        .map_err(|e| AggregateError::unsupported(slot, &e))?;
    let layout = reader.layout(instances).ok_or_else(|| refused("its proofs are not points, scalars and two points"))?;
    Ok(Slot { layout, protocol, instances: loaded, proof, binding: reader.last_challenge() })
}

/// `1, ρ, ρ^2, ...`, as many as there are slots.
fn powers(recorder: &Recorder, slots: &[Slot]) -> Vec<Scalar> {
    let mut sponge = Sponge::new(recorder);
    slots.iter().for_each(|slot| sponge.absorb(slot.binding.clone()));
    Scalar { recorder: recorder.clone(), form: sponge.squeeze() }.powers(slots.len())
}
