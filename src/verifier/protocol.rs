//! What there is to verify: snark-verifier's protocol of a verifying key, with its expressions as a graph.

use super::{
    VerifierError,
    accumulator::WORDS,
    expression::{Graph, Leaf, Node},
    labels::Labels,
    names::Names,
};
use crate::proof::{Srs, keys::fit, protocol::compiled, verify::ProofLayout};
use halo2_proofs::{
    halo2curves::bn256::{Fr, G1Affine, G2Affine},
    plonk::VerifyingKey,
    poly::commitment::ParamsProver,
};
use snark_verifier::verifier::plonk::PlonkProtocol;
use std::cell::RefCell;

/// A circuit as the renderer takes it.
#[derive(Clone, Debug)]
pub struct Circuit<'a> {
    /// The verifying key.
    pub vk: &'a VerifyingKey<G1Affine>,
    /// The SRS, of the key's size or larger.
    pub srs: &'a Srs,
    /// What the columns and challenges are called.
    pub labels: Labels,
    /// Public inputs that the contract's caller gives.
    pub public_inputs: usize,
    /// Whether a pairing equation of two more points is left to check (`accumulator.rs`): their words stand behind the public inputs in the
    /// instance column, the points before the proof.
    pub accumulates: bool,
    /// Whether the contract is given the verifying key's digest and commitments in every call (`split.rs`); otherwise they are its constants.
    pub split: bool,
}

/// A polynomial at `ω^rotation` times the evaluation point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its place in [`Protocol::names`].
    pub poly: usize,
    /// How many rows further.
    pub rotation: i32,
}

/// Points that the prover sends in one go, and the challenges drawn after them.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// Commitments.
    pub points: usize,
    /// Challenges.
    pub challenges: usize,
}

/// A circuit's verification, ready to be written down.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// The circuit has `2^k` rows.
    pub k: u32,
    /// Generates the rows' domain.
    pub omega: Fr,
    /// The instance column's values: the caller's public inputs, then the accumulator's words.
    pub instances: usize,
    /// How many of them the caller gives.
    pub public_inputs: usize,
    /// The state that the transcript starts with: the verifying key's digest.
    pub digest: Fr,
    /// Commitments of fixed and permutation polynomials.
    pub preprocessed: Vec<G1Affine>,
    /// Whether these and the digest come with every call.
    pub split: bool,
    /// The polynomials: preprocessed, the instance column, those of the phases in order, the quotient.
    pub names: Names,
    /// The prover's messages up to the quotient.
    pub phases: Vec<Phase>,
    /// Chunks of the quotient polynomial.
    pub quotients: usize,
    /// What the proof's scalars are, in their order.
    pub evaluations: Vec<Query>,
    /// What the opening proves, in the order that fixes the rotation sets.
    pub queries: Vec<Query>,
    /// The constraints' nodes, in order; all of them vanish on every row. The first ones stand without the factor that they share.
    pub constraints: Vec<Node>,
    /// How many share a factor, and the factor.
    pub shared: Option<(usize, Node)>,
    /// Their expressions.
    pub graph: Graph,
    /// The generator of G1.
    pub g1: G1Affine,
    /// The generator of G2.
    pub g2: G2Affine,
    /// `s` times the generator of G2.
    pub s_g2: G2Affine,
}

impl Protocol {
    /// The protocol of a circuit.
    ///
    /// # Errors
    /// A circuit that uses what the contract has no section for: several proofs, committed instances, instances at other rotations or none, lookups of
    /// halo2's own.
    pub fn new(circuit: &Circuit<'_>) -> Result<Self, VerifierError> {
        let Circuit { vk, labels, .. } = circuit;
        labels.check(vk.cs())?;
        let unsupported = |what: &str| VerifierError::Render(format!("the protocol has {what}"));
        if vk.cs().permutation().get_columns().is_empty() || !vk.cs().lookups().is_empty() {
            return Err(unsupported("no copies, or lookups of halo2's own"));
        }
        let k = vk.get_domain().k();
        let srs = fit(circuit.srs, k).map_err(|e| VerifierError::Proof(Box::new(e)))?;
        let instances = circuit.public_inputs + if circuit.accumulates { WORDS } else { 0 };
        let inner = compiled(vk, &srs, instances);
        let (mut graph, constraints) = constraints(&inner)?;
        let (shared, constraints) = without_shared_factor(&mut graph, constraints);
        if inner.linearization.is_some() || inner.instance_committing_key.is_some() || !inner.accumulator_indices.is_empty() {
            return Err(unsupported("a linearization, committed instances or accumulators"));
        }
        if inner.domain_as_witness.is_some() || inner.quotient.chunk_degree != 1 {
            return Err(unsupported("a domain or a quotient of another form"));
        }
        if inner.num_instance.len() != 1 || circuit.public_inputs == 0 || inner.evaluations.is_empty() {
            return Err(unsupported("another number of instance columns than one, no public inputs or no evaluations"));
        }
        let phases: Vec<Phase> = inner
            .num_witness
            .iter()
            .zip(&inner.num_challenge)
            .map(|(&points, &challenges)| Phase { points, challenges })
            .collect();
        let protocol = Self {
            k,
            omega: inner.domain.r#gen,
            instances,
            public_inputs: circuit.public_inputs,
            digest: inner.transcript_initial_state.ok_or_else(|| unsupported("no initial state"))?,
            preprocessed: inner.preprocessed.clone(),
            split: circuit.split,
            names: Names::new(labels, vk.cs(), &phases),
            quotients: inner.quotient.num_chunk(),
            evaluations: inner.evaluations.iter().map(|q| Query { poly: q.poly, rotation: q.rotation.0 }).collect(),
            queries: inner.queries.iter().map(|q| Query { poly: q.poly, rotation: q.rotation.0 }).collect(),
            phases,
            constraints,
            shared,
            graph,
            g1: srs.params.get_g()[0],
            g2: srs.params.g2(),
            s_g2: srs.params.s_g2(),
        };
        protocol.check(&ProofLayout::of_gates(vk.cs()))?;
        Ok(protocol)
    }

    /// What the sections rely on, for whatever circuit: nothing that the prover sends goes unopened, nothing is opened that it does not
    /// send, every query is of a known polynomial and at a row of its own, and the proof has the layout that native verification reads.
    fn check(&self, layout: &ProofLayout) -> Result<(), VerifierError> {
        let refuse = |what: String| Err(VerifierError::Render(what));
        let (quotient, rows) = (self.names.polynomials.len() - 1, 1i64 << self.k);
        let sent: usize = self.phases.iter().map(|phase| phase.points).sum();
        if self.names.polynomials.len() != self.first_witness() + sent + 1 {
            return refuse(format!(
                "{} polynomials have names, the protocol has {}",
                self.names.polynomials.len(),
                self.first_witness() + sent + 1
            ));
        }
        let opened = |query: &Query| self.queries.contains(query);
        if let Some(query) = self.evaluations.iter().find(|query| !opened(query)) {
            return refuse(format!(
                "the evaluation of {} at rotation {} is not opened",
                self.names.polynomials[query.poly], query.rotation
            ));
        }
        let sent_or_known = |query: &Query| self.evaluations.contains(query) || (query.poly == quotient && query.rotation == 0);
        let commits = |query: &Query| query.poly <= quotient && query.poly != self.preprocessed.len();
        if let Some(query) = self.queries.iter().find(|query| !sent_or_known(query) || !commits(query)) {
            return refuse(format!(
                "polynomial {} is opened at rotation {}, and the proof has no value of it",
                query.poly, query.rotation
            ));
        }
        let mut seen: Vec<(usize, i64)> = self.queries.iter().map(|q| (q.poly, i64::from(q.rotation).rem_euclid(rows))).collect();
        seen.sort_unstable();
        if seen.windows(2).any(|pair| pair[0] == pair[1]) {
            return refuse(format!("a polynomial is opened at one of the {rows} rows twice"));
        }
        let got = ProofLayout { points: sent + self.quotients, evaluations: self.evaluations.len() };
        if got != *layout {
            return refuse(format!("a proof has {layout:?}, the protocol {got:?}"));
        }
        Ok(())
    }

    /// The place of the first polynomial that the prover commits to.
    pub fn first_witness(&self) -> usize {
        self.preprocessed.len() + 1
    }

    /// Whether a pairing equation of two more points is left to check.
    pub fn accumulates(&self) -> bool {
        self.instances > self.public_inputs
    }
}

/// What snark-verifier's expression evaluator carries: values, and the list of constraints as a polynomial in the last challenge.
#[derive(Clone)]
enum Part {
    Value(Node),
    /// The challenge that combines the constraints.
    Combiner,
    /// `Σ c_i y^(n-1-i)`
    Combined(Vec<Node>),
    /// `y Σ c_i y^(n-1-i)`
    Shifted(Vec<Node>),
    /// A use of the combiner that is no combination of constraints, or a query that the proof does not answer.
    Unexpected,
}

/// The constraints, the longest run of first ones that share a factor without it.
fn without_shared_factor(graph: &mut Graph, mut constraints: Vec<Node>) -> (Option<(usize, Node)>, Vec<Node>) {
    let candidates = constraints.first().map(|&first| graph.factors(first)).unwrap_or_default();
    let divided = candidates.into_iter().map(|factor| {
        let quotients: Vec<Node> = constraints.iter().map_while(|&node| graph.divided(node, factor)).collect();
        (factor, quotients)
    });
    match divided.max_by_key(|(_, quotients)| quotients.len()) {
        Some((factor, quotients)) if quotients.len() > 1 => {
            constraints[..quotients.len()].copy_from_slice(&quotients);
            (Some((quotients.len(), factor)), constraints)
        }
        _ => (None, constraints),
    }
}

/// The constraints of the quotient's numerator, one by one.
fn constraints(protocol: &PlonkProtocol<G1Affine>) -> Result<(Graph, Vec<Node>), VerifierError> {
    let graph = RefCell::new(Graph::default());
    let combiner = protocol.num_challenge.iter().sum::<usize>() - 1;
    let instance = protocol.preprocessed.len();
    let value = |node: Node| Part::Value(node);
    let combined = protocol.quotient.numerator.evaluate(
        &|constant| value(graph.borrow_mut().constant(constant)),
        // The type cannot be named outside its crate; its serialised form is `"Identity"` or `{"Lagrange": row}`.
        &|common| match serde_json::to_value(common) {
            Ok(serde_json::Value::String(_)) => value(graph.borrow_mut().leaf(Leaf::Point)),
            Ok(common) => match common["Lagrange"].as_i64().and_then(|row| i32::try_from(row).ok()) {
                Some(row) => value(graph.borrow_mut().leaf(Leaf::Lagrange(row, row))),
                None => Part::Unexpected,
            },
            Err(_) => Part::Unexpected,
        },
        &|query| {
            let answer = protocol.evaluations.iter().position(|e| *e == query);
            match answer {
                Some(index) => value(graph.borrow_mut().leaf(Leaf::Evaluation(index))),
                None if query.poly == instance && query.rotation.0 == 0 => value(graph.borrow_mut().leaf(Leaf::Instances)),
                None => Part::Unexpected,
            }
        },
        &|index| if index == combiner { Part::Combiner } else { value(graph.borrow_mut().leaf(Leaf::Challenge(index))) },
        &|a| match a {
            Part::Value(a) => value(graph.borrow_mut().neg(a)),
            _ => Part::Unexpected,
        },
        &|a, b| match (a, b) {
            (Part::Value(a), Part::Value(b)) => value(graph.borrow_mut().add(a, b)),
            (Part::Shifted(mut list), Part::Value(b)) => {
                list.push(b);
                Part::Combined(list)
            }
            _ => Part::Unexpected,
        },
        &|a, b| match (a, b) {
            (Part::Value(a), Part::Value(b)) => value(graph.borrow_mut().mul(a, b)),
            (Part::Value(a), Part::Combiner) => Part::Shifted(vec![a]),
            (Part::Combined(list), Part::Combiner) => Part::Shifted(list),
            _ => Part::Unexpected,
        },
        &|a, scalar| match a {
            Part::Value(a) => {
                let scalar = graph.borrow_mut().constant(scalar);
                value(graph.borrow_mut().mul(a, scalar))
            }
            _ => Part::Unexpected,
        },
    );
    match combined {
        Part::Combined(list) => Ok((graph.into_inner(), list)),
        Part::Value(only) => Ok((graph.into_inner(), vec![only])),
        _ => Err(VerifierError::Render("the constraints are not combined by powers of one challenge".into())),
    }
}
