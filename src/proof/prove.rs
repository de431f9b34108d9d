//! Proof creation: halo2's protocol with its transcript, for circuits of advice, fixed columns, copies and gates. (halo2's own lookups, of which
//! no circuit has any, would stand between the copies and the quotient.) What halo2 computes in another way is computed here: [`quotient`],
//! [`opening`], commitments. Its keys, its verification and its circuits stay.

use super::{
    Keys, ProofError, Srs,
    assignment::Assigning,
    commit::Committer,
    domain::Domain,
    either::{EitherCircuit, EitherColumns},
    key::ProvingKey,
    keys::{check_degree, check_shape, fit},
    opening::{self, Made, draw, product_rotations},
    polynomials::evaluate,
    products,
    quotient::{self, Challenges, Committed},
    threads::on_threads,
    transcript::{Purpose, Transcript},
};
use crate::{
    circuit::{InferenceCircuit, Witness, lay_out},
    gates::Trace,
    quant::Program,
};
use halo2_proofs::{
    circuit::SimpleFloorPlanner,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::Field,
        group::Curve,
    },
    plonk::{Any, Circuit, ConstraintSystem, FloorPlanner, VerifyingKey},
    poly::{Rotation, commitment::Params},
    transcript::{Transcript as _, TranscriptWrite},
};
use rand::{SeedableRng, rngs::OsRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use std::{borrow::Cow, io};

/// Proves `witness` for `program`, to a contract. The blinding comes from a ChaCha20 generator with a seed of the operating system's.
/// The proof is not checked: [`verify`](super::verify()) does that.
///
/// An SRS larger than the circuit is cut down at each call, which costs more than the proof: [`fit`] it once.
///
/// The bytes are the EVM encoding: uncompressed points and scalars, 32 bytes big-endian each.
pub fn prove(program: &Program, keys: &Keys, srs: &Srs, witness: &Witness) -> Result<Vec<u8>, ProofError> {
    prove_for(Purpose::Chain, program, keys, srs, witness)
}

/// Proves `witness` for `program` with the transcript of `purpose`.
pub fn prove_for(purpose: Purpose, program: &Program, keys: &Keys, srs: &Srs, witness: &Witness) -> Result<Vec<u8>, ProofError> {
    check_shape(&keys.shape)?;
    let trace = lay_out(program, keys.shape, Some(witness))?;
    prove_trace_for(purpose, keys, srs, trace, &witness.statement.instances())
}

/// Proves a trace as it stands with the transcript of `purpose`.
pub fn prove_trace_for(purpose: Purpose, keys: &Keys, srs: &Srs, trace: Trace, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    prove_circuit_for(purpose, keys, srs, InferenceCircuit::new(trace), instances)
}

/// Proves a trace as it stands to a contract, honest or not: the attack suite uses it with forged ones.
pub fn prove_trace(keys: &Keys, srs: &Srs, trace: Trace, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    prove_trace_for(Purpose::Chain, keys, srs, trace, instances)
}

/// Proves a trace with its own way to fill the second phase.
pub fn prove_circuit(keys: &Keys, srs: &Srs, circuit: InferenceCircuit, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    prove_circuit_for(Purpose::Chain, keys, srs, circuit, instances)
}

fn prove_circuit_for(
    purpose: Purpose,
    keys: &Keys,
    srs: &Srs,
    circuit: InferenceCircuit,
    instances: &[Fr],
) -> Result<Vec<u8>, ProofError> {
    prove_either(purpose, &keys.pk, srs, EitherCircuit::Inference(Box::new(circuit)), instances)
}

/// Proves any circuit of ours.
pub(super) fn prove_either(
    purpose: Purpose,
    pk: &ProvingKey,
    srs: &Srs,
    circuit: EitherCircuit,
    instances: &[Fr],
) -> Result<Vec<u8>, ProofError> {
    check_degree(pk.vk.cs())?;
    let k = circuit.params().k();
    let srs = fit(srs, k)?;
    on_threads(k, || create(purpose, pk, &srs, circuit, instances))?
}

fn create(purpose: Purpose, pk: &ProvingKey, srs: &Srs, circuit: EitherCircuit, instances: &[Fr]) -> Result<Vec<u8>, ProofError> {
    let (cs, halo2) = (pk.vk.cs(), pk.vk.get_domain());
    let refuse = |problem: String| Err(ProofError::Halo2 { doing: "proving", problem });
    if halo2.k() != srs.k() {
        return refuse(format!("the circuit has 2^{} rows, its keys are for 2^{}", srs.k(), halo2.k()));
    }
    let usable = (1usize << srs.k()).saturating_sub(cs.blinding_factors() + 1);
    if !cs.lookups().is_empty() || cs.num_instance_columns() != 1 || !gates_read_columns_of_theirs(cs) || instances.len() > usable
    {
        return refuse(format!("{} public values do not fit, or the circuit is not one of ours", instances.len()));
    }
    let committer = Committer::of(srs)?;
    let domain = Domain::new(halo2.k(), halo2.get_omega());
    written(purpose, pk, &committer, &domain, circuit, instances)
        .map_err(|e| ProofError::Halo2 { doing: "proving", problem: e.to_string() })
}

/// Whether no gate reads an instance, and halo2 has put fixed columns in the place of all selectors: a gate's formula has nothing else.
fn gates_read_columns_of_theirs(cs: &ConstraintSystem<Fr>) -> bool {
    let mut gates = cs.gates().iter().flat_map(|gate| gate.polynomials());
    gates.all(|gate| {
        gate.evaluate(
            &|_| true,
            &|_| false,
            &|_| true,
            &|_| true,
            &|_| false,
            &|_| true,
            &|a| a,
            &|a, b| a && b,
            &|a, b| a && b,
            &|a, _| a,
        )
    })
}

fn written(
    purpose: Purpose,
    pk: &ProvingKey,
    committer: &Committer<'_>,
    domain: &Domain,
    circuit: EitherCircuit,
    instances: &[Fr],
) -> io::Result<Vec<u8>> {
    let cs = pk.vk.cs();
    let n = 1usize << committer.k();
    // All blinding, from one generator with a seed of the system's.
    let mut rng = ChaCha20Rng::from_rng(OsRng).map_err(io::Error::other)?;
    let mut transcript = Transcript::new(purpose, Vec::new());
    pk.vk.hash_into(&mut transcript)?;
    instances.iter().try_for_each(|value| transcript.common_scalar(*value))?;
    let (advice, circuit) = assign(&mut transcript, cs, committer, &mut rng, circuit, instances, n)?;

    let _theta = draw(&mut transcript);
    let [beta, gamma] = [(); 2].map(|()| draw(&mut transcript));
    let mut instance = instances.to_vec();
    instance.resize(n, Fr::ZERO);
    let values = |column: &halo2_proofs::plonk::Column<Any>| match column.column_type() {
        Any::Advice(_) => Cow::Borrowed(&advice[column.index()][..]),
        Any::Fixed => pk.fixed[column.index()].values(),
        Any::Instance => Cow::Borrowed(&instance[..]),
    };
    let commit = |product: &[Fr]| transcript.write_point(committer.commit_values(product).to_affine());
    let products = products::make(pk, [beta, gamma], values, &mut rng, commit)?;
    let random = random_polynomial(n, &mut rng);
    transcript.write_point(committer.commit_coefficients(&random).to_affine())?;

    let challenges = Challenges { circuit, beta, gamma, y: draw(&mut transcript) };
    let coefficients = |columns: Vec<Vec<Fr>>| domain.coefficients(&columns.iter().map(|column| &column[..]).collect::<Vec<_>>());
    let [advice, products, instance] = [advice, products, vec![instance]].map(coefficients);
    let committed = Committed { advice, instance, products };
    let key = pk.polynomials(domain);
    let pieces = quotient::pieces(domain, pk, &key, &committed, &challenges);
    let points: Vec<G1Affine> = pieces.par_iter().map(|piece| committer.commit_coefficients(piece).to_affine()).collect();
    points.into_iter().try_for_each(|point| transcript.write_point(point))?;

    let x = draw(&mut transcript);
    let made = Made { key, committed, pieces, random };
    evaluations(domain, &pk.vk, &made, x).into_iter().try_for_each(|value| transcript.write_scalar(value))?;
    opening::open(domain.width, committer, &pk.vk, &made, x, &mut transcript)?;
    Ok(transcript.into_stream())
}

/// What hides the quotient's combination that is opened: n coefficients.
fn random_polynomial(n: usize, rng: &mut ChaCha20Rng) -> Vec<Fr> {
    (0..n).map(|_| Fr::random(&mut *rng)).collect()
}

/// The advice columns, and the circuit's challenges.
fn assign(
    transcript: &mut Transcript<Vec<u8>>,
    cs: &ConstraintSystem<Fr>,
    committer: &Committer<'_>,
    rng: &mut ChaCha20Rng,
    circuit: EitherCircuit,
    instances: &[Fr],
    n: usize,
) -> io::Result<(Vec<Vec<Fr>>, Vec<Fr>)> {
    let mut assigning = Assigning {
        committer,
        cs,
        transcript,
        rng,
        instances,
        advice: vec![vec![Fr::ZERO; n]; cs.num_advice_columns()],
        challenges: vec![None; cs.num_challenges()],
        phase: 0,
        failed: Ok(()),
    };
    let columns: EitherColumns = EitherCircuit::configure_with_params(&mut ConstraintSystem::default(), circuit.params());
    SimpleFloorPlanner::synthesize(&mut assigning, &circuit, columns, cs.constants().clone())
        .map_err(|e| io::Error::other(format!("{e:?}")))?;
    assigning.finish()
}

/// All evaluations in the proof's order: advice, fixed columns, the random polynomial, the permutation, its products.
fn evaluations(domain: &Domain, vk: &VerifyingKey<G1Affine>, made: &Made, x: Fr) -> Vec<Fr> {
    let (cs, halo2) = (vk.cs(), vk.get_domain());
    let advice = cs.advice_queries().iter().map(|(column, at)| (&made.committed.advice[column.index()][..], *at));
    let fixed = cs.fixed_queries().iter().map(|(column, at)| (&made.key.fixed[column.index()][..], *at));
    let permutation = made.key.permutation.iter().map(|polynomial| (&polynomial[..], Rotation::cur()));
    let products = made.committed.products.iter().enumerate().flat_map(|(i, product)| {
        let rotations = product_rotations(cs, i, made.committed.products.len());
        rotations.into_iter().map(|by| (&product[..], Rotation(by)))
    });
    let random = [(&made.random[..], Rotation::cur())];
    let all: Vec<(&[Fr], Rotation)> = advice.chain(fixed).chain(random).chain(permutation).chain(products).collect();
    all.par_iter().map(|(polynomial, at)| evaluate(domain.width, polynomial, halo2.rotate_omega(x, *at))).collect()
}

#[cfg(test)]
#[path = "prove_tests.rs"]
mod tests;
