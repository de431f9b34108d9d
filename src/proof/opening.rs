//! The opening of a proof: SHPLONK (<https://eprint.iacr.org/2020/081>), two commitments for all evaluations of all polynomials.
//!
//! halo2 hands an opener its queries and shows it no polynomial, but everything that it opens it has committed to before, has in the
//! proving key, or puts together from what it has committed to. So [`Session`] keeps the first, and the rest is in the key.
//!
//! With C_s = Σ_j y^j·P_j over the polynomials that are opened at the points S of set s, Z_S its vanishing polynomial, T all points:
//!
//! ```text
//! h = Σ_s v^s · ⌊C_s / Z_S⌋                                             first point
//! w = ⌊(Σ_s v^s·Z_(T∖S)(u) · C_s  -  Z_T(u) · h) / (X - u)⌋ / Z_(T∖S_0)(u)   second point
//! ```
//!
//! What SHPLONK subtracts from C_s before the first division, the polynomial of degree below |S| through its values on S, is the
//! division's remainder; what it subtracts before the second is a constant and changes a remainder only. So no evaluation is needed,
//! and each C_s serves both. A wrong polynomial gives a proof that verification refuses, as it does where halo2 makes the points.

use super::{
    commit::Committer,
    transcript::{Challenge, Purpose, Transcript},
};
use halo2_proofs::{
    arithmetic::kate_division,
    halo2curves::{
        bn256::{Fr, G1, G1Affine},
        ff::Field,
        group::Curve,
    },
    plonk::ProvingKey,
    poly::Rotation,
    transcript::{self, EncodedChallenge, TranscriptWrite},
};
use rayon::prelude::*;
use std::{
    collections::BTreeSet,
    fmt, io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Coefficients that a thread takes at a time.
const CHUNK: usize = 1 << 10;

/// The columns are the witness: they are shown to nobody.
impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Made({} columns, {} pieces)", self.columns.len(), self.pieces.len())
    }
}

/// A proof that is being made: its key, what it has committed to, and how far its transcript has come.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pk: &'a ProvingKey<G1Affine>,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    /// Advice columns, in each phase in any order, then the permutation's products; by their values.
    columns: Vec<(G1, Vec<Fr>)>,
    /// The random polynomial, then the pieces of the quotient; by their coefficients.
    pieces: Vec<Vec<Fr>>,
    /// The points that were written.
    points: Vec<G1Affine>,
    /// The last challenge that was drawn.
    challenge: Option<Fr>,
}

impl<'a> Session<'a> {
    pub(super) fn new(pk: &'a ProvingKey<G1Affine>) -> Self {
        Self { pk, made: Mutex::default() }
    }

    pub(super) fn keep_column(&self, commitment: G1, values: &[Fr]) {
        self.made().columns.push((commitment, values.to_vec()));
    }

    pub(super) fn keep_piece(&self, coefficients: &[Fr]) {
        self.made().pieces.push(coefficients.to_vec());
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's transcript.
#[derive(Debug)]
pub(super) struct Noted<'a> {
    transcript: Transcript<Vec<u8>>,
    session: &'a Session<'a>,
}

impl<'a> Noted<'a> {
    pub(super) fn new(purpose: Purpose, session: &'a Session<'a>) -> Self {
        Self { transcript: Transcript::new(purpose, Vec::new()), session }
    }

    /// The proof's bytes.
    pub(super) fn into_proof(self) -> Vec<u8> {
        self.transcript.into_stream()
    }
}

impl transcript::Transcript<G1Affine, Challenge> for Noted<'_> {
    fn squeeze_challenge(&mut self) -> Challenge {
        let challenge = self.transcript.squeeze_challenge();
        self.session.made().challenge = Some(challenge.get_scalar());
        challenge
    }

    fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.transcript.common_point(point)
    }

    fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.transcript.common_scalar(scalar)
    }
}

impl TranscriptWrite<G1Affine, Challenge> for Noted<'_> {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        self.session.made().points.push(point);
        self.transcript.write_point(point)
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        self.transcript.write_scalar(scalar)
    }
}

impl Made {
    /// The advice columns by their number: a proof begins with their commitments, phase by phase.
    fn advice(&self, phases: &[u8]) -> Option<Vec<&[Fr]>> {
        let columns = self.columns.get(..phases.len())?;
        let written = self.points.get(..phases.len())?;
        let mut order: Vec<usize> = (0..phases.len()).collect();
        order.sort_by_key(|column| phases[*column]);
        let mut advice = vec![&[][..]; phases.len()];
        for (column, point) in order.into_iter().zip(written) {
            let (_, values) = columns.iter().find(|(commitment, _)| commitment.to_affine() == *point)?;
            advice[column] = values;
        }
        Some(advice)
    }
}

/// A polynomial that is opened.
enum Opened<'a> {
    Values(&'a [Fr]),
    Coefficients(&'a [Fr]),
    /// Σ_i x^(n·i)·piece_i.
    Quotient(&'a [Vec<Fr>]),
}

/// Polynomials that are opened at the same points.
struct Set<'a> {
    points: BTreeSet<Fr>,
    opened: Vec<Opened<'a>>,
}

/// Makes the two points and writes them.
pub(super) fn open<E, T>(committer: &Committer<'_>, session: &Session<'_>, transcript: &mut T) -> io::Result<()>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let unknown = || io::Error::other("a proof is opened before it is complete");
    let mut made = std::mem::take(&mut *session.made());
    let x = made.challenge.take().ok_or_else(unknown)?;
    let y = *transcript.squeeze_challenge_scalar::<()>();
    let v = *transcript.squeeze_challenge_scalar::<()>();
    let sets = sets(opened(session.pk, &made, x).ok_or_else(unknown)?);
    let combined: Vec<Vec<Fr>> = sets.iter().map(|set| combine(session.pk, set, x, y)).collect();
    let sets: Vec<BTreeSet<Fr>> = sets.into_iter().map(|set| set.points).collect();
    drop(made);
    let quotients: Vec<Vec<Fr>> = sets.par_iter().zip(&combined).map(|(points, combined)| divide(combined, points)).collect();
    let n = combined.first().map_or(0, Vec::len);
    let h = sum(n, &powers(v).zip(&quotients).map(|(factor, part)| (factor, &part[..])).collect::<Vec<_>>());
    drop(quotients);
    transcript.write_point(committer.commit_coefficients(&h).to_affine())?;

    let u = *transcript.squeeze_challenge_scalar::<()>();
    let all: BTreeSet<Fr> = sets.iter().flatten().copied().collect();
    let vanishing = |left_out: &BTreeSet<Fr>| -> Fr { all.difference(left_out).map(|point| u - point).product() };
    let first = sets.first().map(vanishing).and_then(|value| Option::<Fr>::from(value.invert()));
    let scale = first.ok_or_else(unknown)?;
    let factors = powers(v).zip(&sets).map(|(power, points)| power * vanishing(points) * scale);
    let mut terms: Vec<(Fr, &[Fr])> = factors.zip(&combined).map(|(factor, part)| (factor, &part[..])).collect();
    terms.push((-vanishing(&BTreeSet::new()) * scale, &h));
    transcript.write_point(committer.commit_coefficients(&kate_division(&sum(n, &terms), u)).to_affine())
}

/// What is opened, with its points, in the order of halo2's queries: advice, the permutation's products, fixed columns, the permutation,
/// the quotient, the random polynomial. (halo2's own lookups, which would stand between, are used nowhere.)
fn opened<'a>(pk: &'a ProvingKey<G1Affine>, made: &'a Made, x: Fr) -> Option<Vec<(Opened<'a>, BTreeSet<Fr>)>> {
    let (cs, domain) = (pk.get_vk().cs(), pk.get_vk().get_domain());
    let at = |rotations: &[i32]| -> BTreeSet<Fr> { rotations.iter().map(|by| domain.rotate_omega(x, Rotation(*by))).collect() };
    let phases = cs.advice_column_phase();
    let advice = made.advice(&phases)?;
    let mut all = Vec::new();
    for (column, rotations) in by_column(cs.advice_queries().iter().map(|(column, rotation)| (column.index(), rotation.0))) {
        all.push((Opened::Values(advice[column]), at(&rotations)));
    }
    // The last product is not carried on to another.
    let end = -(i32::try_from(cs.blinding_factors()).ok()? + 1);
    let products = &made.columns[phases.len()..];
    for (i, (_, values)) in products.iter().enumerate() {
        let rotations: &[i32] = if i + 1 < products.len() { &[0, 1, end] } else { &[0, 1] };
        all.push((Opened::Values(values), at(rotations)));
    }
    for (column, rotations) in by_column(cs.fixed_queries().iter().map(|(column, rotation)| (column.index(), rotation.0))) {
        all.push((Opened::Coefficients(pk.fixed_polys()[column].values()), at(&rotations)));
    }
    all.extend(pk.permutation().polys().iter().map(|polynomial| (Opened::Coefficients(polynomial.values()), at(&[0]))));
    let (random, pieces) = made.pieces.split_first()?;
    all.extend([(Opened::Quotient(pieces), at(&[0])), (Opened::Coefficients(random), at(&[0]))]);
    Some(all)
}

/// Each column with its rotations, in the order of its first query.
fn by_column(queries: impl Iterator<Item = (usize, i32)>) -> Vec<(usize, Vec<i32>)> {
    let mut columns: Vec<(usize, Vec<i32>)> = Vec::new();
    for (column, rotation) in queries {
        match columns.iter_mut().find(|(known, _)| *known == column) {
            Some((_, rotations)) => rotations.push(rotation),
            None => columns.push((column, vec![rotation])),
        }
    }
    columns
}

/// The sets, in the order in which verifiers build them: that of their first polynomials.
fn sets(opened: Vec<(Opened<'_>, BTreeSet<Fr>)>) -> Vec<Set<'_>> {
    let mut sets: Vec<Set<'_>> = Vec::new();
    for (polynomial, points) in opened {
        match sets.iter_mut().find(|set| set.points == points) {
            Some(set) => set.opened.push(polynomial),
            None => sets.push(Set { points, opened: vec![polynomial] }),
        }
    }
    sets
}

/// C_s, by its coefficients.
fn combine(pk: &ProvingKey<G1Affine>, set: &Set<'_>, x: Fr, y: Fr) -> Vec<Fr> {
    let domain = pk.get_vk().get_domain();
    let n = 1 << domain.k();
    let (mut values, mut coefficients) = (Vec::new(), Vec::new());
    for (factor, opened) in powers(y).zip(&set.opened) {
        match opened {
            Opened::Values(of) => values.push((factor, *of)),
            Opened::Coefficients(of) => coefficients.push((factor, *of)),
            Opened::Quotient(pieces) => {
                let shifts = powers(x.pow([n as u64]));
                coefficients.extend(shifts.zip(*pieces).map(|(shift, piece)| (factor * shift, &piece[..])));
            }
        }
    }
    let mut combined = sum(n, &coefficients);
    if !values.is_empty() {
        let values = domain.lagrange_to_coeff(domain.lagrange_from_vec(sum(n, &values)));
        combined.iter_mut().zip(values.values()).for_each(|(combined, value)| *combined += value);
    }
    combined
}

/// Σ factor·polynomial; shorter ones have no high coefficients.
fn sum(n: usize, terms: &[(Fr, &[Fr])]) -> Vec<Fr> {
    let mut sum = vec![Fr::ZERO; n];
    sum.par_chunks_mut(CHUNK).enumerate().for_each(|(i, chunk)| {
        for (factor, polynomial) in terms {
            let rest = polynomial.get(i * CHUNK..).unwrap_or_default();
            chunk.iter_mut().zip(rest).for_each(|(sum, coefficient)| *sum += *factor * coefficient);
        }
    });
    sum
}

/// The quotient by the polynomial that vanishes at `points`; the remainder is dropped.
fn divide(polynomial: &[Fr], points: &BTreeSet<Fr>) -> Vec<Fr> {
    points.iter().fold(polynomial.to_vec(), |quotient, point| kate_division(&quotient, *point))
}

fn powers(of: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::ONE), move |power| Some(*power * of))
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
