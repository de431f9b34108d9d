//! The advice columns of a proof: what a circuit's synthesis fills in, phase by phase, blinded and committed to.

use super::{
    commit::Committer,
    transcript::{Challenge as Drawn, Transcript},
};
use halo2_proofs::{
    circuit::Value,
    halo2curves::{bn256::Fr, ff::Field, group::Curve},
    plonk::{Advice, Any, Assigned, Assignment, Challenge, Column, ConstraintSystem, Error, Fixed, Instance, Selector},
    poly::commitment::Params,
    transcript::{EncodedChallenge, Transcript as _, TranscriptWrite},
};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use std::io;

/// Columns that are being filled. Fixed cells and copies are the key's.
pub(super) struct Assigning<'a> {
    pub committer: &'a Committer<'a>,
    pub cs: &'a ConstraintSystem<Fr>,
    pub transcript: &'a mut Transcript<Vec<u8>>,
    pub rng: &'a mut ChaCha20Rng,
    pub instances: &'a [Fr],
    /// By number; every row of the domain.
    pub advice: Vec<Vec<Fr>>,
    /// The circuit's challenges that are known, by number.
    pub challenges: Vec<Option<Fr>>,
    /// The phase whose columns are being filled.
    pub phase: u8,
    /// What went wrong where nothing can be returned.
    pub failed: io::Result<()>,
}

impl Assigning<'_> {
    /// Ends the phases that the circuit has not ended itself; the challenges of all.
    pub fn finish(mut self) -> io::Result<(Vec<Vec<Fr>>, Vec<Fr>)> {
        let phases = self.cs.advice_column_phase().into_iter().chain(self.cs.challenge_phase()).max().unwrap_or(0);
        while self.phase <= phases {
            self.next_phase();
        }
        self.failed?;
        let drawn: Option<Vec<Fr>> = self.challenges.into_iter().collect();
        Ok((self.advice, drawn.ok_or_else(|| io::Error::other("a challenge was not drawn"))?))
    }

    /// The rows that a circuit may fill; [`create`](super::prove) has checked that there are some.
    fn usable(&self) -> usize {
        (1usize << self.committer.k()).saturating_sub(self.cs.blinding_factors() + 1)
    }

    fn end_phase(&mut self) -> io::Result<()> {
        let columns: Vec<usize> =
            (0..self.advice.len()).filter(|column| self.cs.advice_column_phase()[*column] == self.phase).collect();
        for column in &columns {
            let usable = self.usable();
            self.advice[*column][usable..].fill_with(|| Fr::random(&mut *self.rng));
        }
        let (committer, advice) = (self.committer, &self.advice);
        let points: Vec<_> = columns.par_iter().map(|column| committer.commit_values(&advice[*column]).to_affine()).collect();
        points.into_iter().try_for_each(|point| self.transcript.write_point(point))?;
        for (challenge, phase) in self.challenges.iter_mut().zip(self.cs.challenge_phase()) {
            if phase == self.phase {
                let drawn: Drawn = self.transcript.squeeze_challenge();
                *challenge = Some(drawn.get_scalar());
            }
        }
        Ok(())
    }
}

impl Assignment<Fr> for Assigning<'_> {
    fn assign_advice<'v>(&mut self, column: Column<Advice>, row: usize, to: Value<Assigned<Fr>>) -> Value<&'v Assigned<Fr>> {
        // Behind the usable rows is what hides a column, and a column that was committed to stays as it is.
        let usable = self.usable();
        let open = self.cs.advice_column_phase().get(column.index()).is_some_and(|phase| *phase >= self.phase);
        let cell = self.advice.get_mut(column.index()).and_then(|cells| cells[..usable].get_mut(row));
        let mut known = false;
        to.map(|value| {
            known = true;
            if let Some(cell) = cell {
                *cell = value.evaluate();
            }
        });
        if row >= usable || !open || !known {
            self.failed = Err(io::Error::other("a cell is unknown, comes too late, or lies outside of the circuit's rows"));
        }
        // No circuit of ours reads back what it assigned.
        Value::unknown()
    }

    fn get_challenge(&self, challenge: Challenge) -> Value<Fr> {
        self.challenges.get(challenge.index()).copied().flatten().map_or_else(Value::unknown, Value::known)
    }

    fn next_phase(&mut self) {
        if self.failed.is_ok() {
            self.failed = self.end_phase();
        }
        self.phase += 1;
    }

    fn query_instance(&self, _: Column<Instance>, row: usize) -> Result<Value<Fr>, Error> {
        self.instances.get(row).map(|value| Value::known(*value)).ok_or(Error::BoundsFailure)
    }

    fn enter_region<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn exit_region(&mut self) {}

    fn annotate_column<A: FnOnce() -> AR, AR: Into<String>>(&mut self, _: A, _: Column<Any>) {}

    fn enable_selector<A: FnOnce() -> AR, AR: Into<String>>(&mut self, _: A, _: &Selector, _: usize) -> Result<(), Error> {
        Ok(())
    }

    fn assign_fixed(&mut self, _: Column<Fixed>, _: usize, _: Assigned<Fr>) {}

    fn copy(&mut self, _: Column<Any>, _: usize, _: Column<Any>, _: usize) {}

    fn fill_from_row(&mut self, _: Column<Fixed>, _: usize, _: Value<Assigned<Fr>>) -> Result<(), Error> {
        Ok(())
    }

    fn push_namespace<NR: Into<String>, N: FnOnce() -> NR>(&mut self, _: N) {}

    fn pop_namespace(&mut self, _: Option<String>) {}
}
