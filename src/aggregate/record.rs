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
    recording::{Axis, Base, Node, Recording, SlotLayout},
};
use crate::outer::ACCUMULATOR_WORDS;
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

/// What a slot takes.
#[derive(Clone, Debug)]
pub struct Inner {
    /// How its proofs are verified.
    pub protocol: PlonkProtocol<G1Affine>,
    /// Whether they are aggregates', whose public values end with the words of an accumulator.
    pub accumulates: bool,
}

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
    let slots: Vec<Inner> = slots.iter().map(|protocol| Inner { protocol: protocol.clone(), accumulates: false }).collect();
    record_all(&slots)
}

/// The same where some slots take aggregates: each has an accumulator, whose two sides have powers of ρ of their own.
///
/// # Errors
/// As [`record`].
pub fn record_all(slots: &[Inner]) -> Result<Recording, AggregateError> {
    if slots.is_empty() {
        return Err(AggregateError::Empty);
    }
    let recorder = Recorder::default();
    let slots: Vec<Slot> =
        slots.iter().enumerate().map(|(slot, protocol)| read(&recorder, slot, protocol)).collect::<Result<_, _>>()?;
    let accumulating = slots.iter().filter(|slot| slot.layout.accumulates).count();
    let powers = powers(&recorder, &slots, slots.len() + accumulating);
    let mut of_accumulators = powers[slots.len()..].iter();
    let (mut lhs, mut rhs) = (Vec::new(), Vec::new());
    for (i, (slot, power)) in slots.iter().zip(&powers).enumerate() {
        let accumulators = Succinct::verify(power, &slot.protocol, &slot.instances, &slot.proof);
        let [accumulator] = &accumulators.map_err(|e| AggregateError::unsupported(i, &e))?[..] else {
            return Err(AggregateError::Protocol { slot: i, problem: "it has accumulators of its own".into() });
        };
        let one = Form::constant(Fr::one());
        add_multiple(&recorder, &mut lhs, &one, &accumulator.lhs.terms);
        add_multiple(&recorder, &mut rhs, &one, &accumulator.rhs.terms);
        if slot.layout.accumulates {
            // Its words are absorbed by the transcript that ρ is drawn of.
            let points = [0, 1].map(|side| (one.clone(), Base::Proof { slot: i, index: slot.layout.points + side }));
            if let Some(power) = of_accumulators.next() {
                add_multiple(&recorder, &mut lhs, &power.form, &points[..1]);
                add_multiple(&recorder, &mut rhs, &power.form, &points[1..]);
            }
        }
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

/// Points of a proof: of all phases, of the quotient, of the opening.
fn points_of(protocol: &PlonkProtocol<G1Affine>) -> usize {
    protocol.num_witness.iter().sum::<usize>() + protocol.quotient.num_chunk() + 2
}

/// The words of an accumulator whose points have the places `first` and the next, as public values end with them.
fn halves(slot: usize, first: usize) -> impl Iterator<Item = Node> {
    let axes = (first..first + 2).flat_map(|index| [Axis::X, Axis::Y].map(|axis| (index, axis)));
    axes.flat_map(move |(index, axis)| [false, true].map(|upper| Node::Half { slot, index, axis, upper }))
}

fn read(recorder: &Recorder, slot: usize, inner: &Inner) -> Result<Slot, AggregateError> {
    let Inner { protocol, accumulates } = inner;
    let accumulates = *accumulates;
    let refused = |problem: &str| AggregateError::Protocol { slot, problem: problem.into() };
    if !protocol.accumulator_indices.is_empty() || protocol.instance_committing_key.is_some() {
        return Err(refused("it has accumulators or committed instances"));
    }
    let &[instances] = &protocol.num_instance[..] else { return Err(refused("it has more than one column of public values")) };
    let instances = match accumulates {
        true => instances.checked_sub(ACCUMULATOR_WORDS).ok_or_else(|| refused("it has no words of an accumulator"))?,
        false => instances,
    };
    let leaf = |node| Scalar { recorder: recorder.clone(), form: recorder.leaf(node) };
    let statement = (0..instances).map(|index| leaf(Node::Instance { slot, index }));
    let first = points_of(protocol);
    let words = halves(slot, first).filter(|_| accumulates).map(leaf);
    let loaded = vec![statement.chain(words).collect()];
    let protocol = protocol.loaded(recorder);
    let mut reader = Reader::new(recorder, slot);
    let proof = Succinct::read_proof(&recorder.load_one(), &protocol, &loaded, &mut reader)
        .map_err(|e| AggregateError::unsupported(slot, &e))?;
    let layout = reader
        .layout(instances, accumulates)
        .filter(|layout| !accumulates || layout.points == first)
        .ok_or_else(|| refused("its proofs are not points, scalars and two points"))?;
    Ok(Slot { layout, protocol, instances: loaded, proof, binding: reader.last_challenge() })
}

/// `1, ρ, ρ^2, ...`, `count` of them.
fn powers(recorder: &Recorder, slots: &[Slot], count: usize) -> Vec<Scalar> {
    let mut sponge = Sponge::new(recorder);
    slots.iter().for_each(|slot| sponge.absorb(slot.binding.clone()));
    Scalar { recorder: recorder.clone(), form: sponge.squeeze() }.powers(count)
}
