//! Names for the contract's reader: what each polynomial is, and what each constraint says.

use super::{
    labels::Labels,
    protocol::{Phase, Query},
};
use halo2_proofs::{halo2curves::bn256::Fr, plonk::ConstraintSystem};

/// What a reader calls the polynomials.
#[derive(Clone, Debug)]
pub struct Names {
    /// The polynomials, in the protocol's order: fixed columns, permutation, instance column, the prover's by phase, the quotient.
    pub polynomials: Vec<String>,
    /// The columns of the layout that stand under each other in each of them, by offset; none where it is no column of the layout.
    stacked: Vec<Vec<String>>,
    /// Rows of one row of the layout.
    stack: i32,
}

impl Names {
    /// The names of a circuit's polynomials.
    pub fn new(labels: &Labels, cs: &ConstraintSystem<Fr>, phases: &[Phase]) -> Self {
        let mut names = Self { polynomials: Vec::new(), stacked: Vec::new(), stack: labels.stack as i32 };
        names.push_columns("KEY", &labels.fixed);
        for i in 0..cs.permutation().get_columns().len() {
            names.push(format!("COPY_{i}"));
        }
        names.push("INSTANCES".into());
        for (phase, name) in (0..).zip(["WITNESS", "RUNNING", "LATE"]) {
            names.push_columns(name, &of_phase(phase, cs.advice_column_phase(), &labels.advice));
        }
        // After the advice columns: the permutation's products, and one polynomial that only blinds.
        let products = phases.iter().map(|p| p.points).sum::<usize>().saturating_sub(labels.advice.len() + 1);
        for i in 0..products {
            names.push(format!("PRODUCT_{i}"));
        }
        names.push("BLIND".into());
        names.push("QUOTIENT".into());
        names
    }

    fn push(&mut self, name: String) {
        self.polynomials.push(name);
        self.stacked.push(Vec::new());
    }

    /// Committed columns: of one column of the layout, or of several.
    fn push_columns(&mut self, name: &str, columns: &[Vec<String>]) {
        for (i, column) in columns.iter().enumerate() {
            self.polynomials.push(match column.as_slice() {
                [only] => only.clone(),
                _ => format!("{name}_{i}"),
            });
            self.stacked.push(column.clone());
        }
    }

    /// The name of an evaluation: the column, and how many of the layout's rows from the current one.
    pub fn evaluation(&self, query: Query) -> String {
        let offset = query.rotation.rem_euclid(self.stack) as usize;
        let (name, rotation) = match self.stacked[query.poly].get(offset) {
            Some(name) => (name, query.rotation.div_euclid(self.stack)),
            None => (&self.polynomials[query.poly], query.rotation),
        };
        match rotation {
            0 => format!("AT_{name}"),
            1 => format!("AT_{name}_NEXT"),
            -1 => format!("AT_{name}_PREV"),
            r if r > 0 => format!("AT_{name}_NEXT_{r}"),
            r => format!("AT_{name}_PREV_{}", -r),
        }
    }
}

/// What belongs to one phase, in its order.
fn of_phase<T: Clone>(wanted: u8, phases: Vec<u8>, all: &[T]) -> Vec<T> {
    phases.into_iter().zip(all).filter(|(phase, _)| *phase == wanted).map(|(_, one)| one.clone()).collect()
}

/// The challenges in the protocol's order: the circuit's own by phase, then halo2's θ, β, γ and y.
pub fn challenges(labels: &Labels, cs: &ConstraintSystem<Fr>) -> Vec<String> {
    let own = (0..3).flat_map(|phase| of_phase(phase, cs.challenge_phase(), &labels.challenges));
    own.chain(["HALO2_THETA", "COPY_BETA", "COPY_GAMMA", "COMBINER"].map(String::from)).collect()
}

/// The function of the contract that a constraint of this meaning belongs to.
pub fn kind(meaning: &str) -> &'static str {
    match meaning.split(':').next() {
        Some("lookup") => "_evaluateLookups",
        Some("copies") => "_evaluateCopies",
        _ => "_evaluateGates",
    }
}

/// What each constraint says, in the protocol's order: the gates', then the permutation's.
pub fn constraints(cs: &ConstraintSystem<Fr>, count: usize) -> Vec<String> {
    let gates = cs
        .gates()
        .iter()
        .flat_map(|gate| (0..gate.polynomials().len()).map(|i| format!("{}: {}", gate.name(), gate.constraint_name(i))));
    let mut all: Vec<String> = gates.collect();
    let products = cs.permutation().get_columns().len().div_ceil(cs.degree().saturating_sub(2).max(1));
    if products > 0 {
        all.push("copies: the product starts at one".into());
        all.push("copies: the product ends at zero or one".into());
        all.extend((1..products).map(|i| format!("copies: product {i} goes on where the one before ends")));
        all.extend((0..products).map(|i| format!("copies: step of product {i}")));
    }
    all.resize(count, "lookup: an argument of halo2".into());
    all
}
