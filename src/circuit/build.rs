//! The halo2 circuit: a trace poured into columns, phase by phase.

use crate::gates::{Columns, Shape, Stack, Trace, fold, lookup};
use halo2_proofs::{
    circuit::{Cell as HaloCell, Layouter, Region, SimpleFloorPlanner, Value},
    halo2curves::bn256::Fr,
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error},
};

/// A laid-out program. The same type serves key generation, where the advice cells of the trace are zero.
#[derive(Clone)]
pub struct InferenceCircuit {
    /// The rows.
    pub trace: Trace,
    /// What fills the second phase: [`assign_phase2`]; the attack suite puts forgers here.
    pub completion: Completion,
}

/// Fills the second phase of a trace for the challenges γ, β, θ.
pub type Completion = fn(&mut Trace, Fr, Fr, Fr);

/// The shape as halo2's circuit parameters.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShapeParams(pub Shape);

impl Circuit<Fr> for InferenceCircuit {
    type Config = Stack;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ShapeParams;

    fn params(&self) -> Self::Params {
        ShapeParams(self.trace.shape)
    }

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Self::Params) -> Stack {
        Stack::configure(cs, &params.0)
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> Stack {
        Self::configure_with_params(cs, ShapeParams::default())
    }

    fn synthesize(&self, stack: Stack, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "trace",
            |mut region| {
                self.assign_fixed(&stack, &mut region);
                for column in phase1_columns(&stack.columns) {
                    assign_column(&mut region, &stack, column, &self.trace);
                }
                for (from, to) in &self.trace.copies {
                    region.constrain_equal(cell(&stack, from.row), cell(&stack, to.row));
                }
                region.next_phase();
                let [gamma, beta, theta] = [0, 1, 2].map(|index| match stack.challenges.get(index) {
                    Some(&challenge) => region.get_challenge(challenge),
                    None => Value::known(Fr::zero()),
                });
                let trace = self.with_phase2(gamma, beta, theta);
                for column in phase2_columns(&stack.columns) {
                    assign_column(&mut region, &stack, column, trace.as_ref().unwrap_or(&self.trace));
                }
                Ok(())
            },
        )?;
        for (exposed, index) in &self.trace.exposed {
            layouter.constrain_instance(cell(&stack, exposed.row), stack.instance, *index);
        }
        Ok(())
    }
}

impl InferenceCircuit {
    /// The circuit of a trace.
    pub fn new(trace: Trace) -> Self {
        Self { trace, completion: assign_phase2 }
    }

    fn assign_fixed(&self, stack: &Stack, region: &mut Region<'_, Fr>) {
        for (place, values) in stack.fixed.iter().zip(&self.trace.fixed) {
            for (row, value) in values[..=self.trace.end].iter().enumerate() {
                region.assign_fixed(place.column, stack.row(place, row), *value);
            }
        }
    }

    /// The trace with its phase-2 columns, or `None` while the challenges are unknown (key generation).
    fn with_phase2(&self, gamma: Value<Fr>, beta: Value<Fr>, theta: Value<Fr>) -> Option<Trace> {
        let mut filled = None;
        gamma.zip(beta).zip(theta).map(|((gamma, beta), theta)| {
            let mut trace = self.trace.clone();
            (self.completion)(&mut trace, gamma, beta, theta);
            filled = Some(trace);
        });
        filled
    }
}

/// Computes every phase-2 column for the given challenges, from the fixed and phase-1 cells alone.
///
/// θ matters only to circuits with a function table.
pub fn assign_phase2(trace: &mut Trace, gamma: Fr, beta: Fr, theta: Fr) {
    fold::assign_phase2(trace, gamma);
    lookup::assign_phase2(trace, beta, theta);
}

/// The advice columns that are committed before the challenges.
pub fn phase1_columns(columns: &Columns) -> Vec<Column<Advice>> {
    let lanes = columns.limbs.iter().copied();
    [columns.a, columns.b].into_iter().chain(columns.c).chain(lanes).chain([columns.multiplicity]).collect()
}

/// The advice columns that are committed after them.
pub fn phase2_columns(columns: &Columns) -> Vec<Column<Advice>> {
    [columns.folded, columns.fold]
        .into_iter()
        .chain(columns.powers.into_iter().flatten().flatten().skip(1))
        .chain(columns.helpers.iter().copied())
        .chain([columns.sum])
        .collect()
}

fn assign_column(region: &mut Region<'_, Fr>, stack: &Stack, column: Column<Advice>, trace: &Trace) {
    let place = &stack.advice[column.index()];
    for (row, value) in trace.advice[column.index()][..=trace.end].iter().enumerate() {
        region.assign_advice(place.column, stack.row(place, row), Value::known(*value));
    }
}

fn cell(stack: &Stack, row: usize) -> HaloCell {
    let place = &stack.advice[stack.columns.a.index()];
    HaloCell { row_offset: stack.row(place, row), column: place.column.into() }
}
