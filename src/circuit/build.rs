//! The halo2 circuit: a trace poured into columns, phase by phase.

use crate::gates::{Columns, Shape, Trace, fold, lookup};
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
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = ShapeParams;

    fn params(&self) -> Self::Params {
        ShapeParams(self.trace.shape)
    }

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Self::Params) -> Columns {
        Columns::configure(cs, &params.0)
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> Columns {
        Self::configure_with_params(cs, ShapeParams::default())
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "trace",
            |mut region| {
                self.assign_fixed(&columns, &mut region);
                let phase1 = phase1_columns(&columns);
                for column in &phase1 {
                    assign_column(&mut region, *column, &self.trace);
                }
                for (from, to) in &self.trace.copies {
                    region.constrain_equal(cell(&columns, from.row), cell(&columns, to.row));
                }
                region.next_phase();
                let theta = columns.function.as_ref().map_or(Value::known(Fr::zero()), |f| region.get_challenge(f.theta));
                let [gamma, beta] = [columns.gamma, columns.beta].map(|challenge| region.get_challenge(challenge));
                let trace = self.with_phase2(gamma, beta, theta);
                for column in phase2_columns(&columns) {
                    assign_column(&mut region, column, trace.as_ref().unwrap_or(&self.trace));
                }
                Ok(())
            },
        )?;
        for (exposed, index) in &self.trace.exposed {
            layouter.constrain_instance(cell(&columns, exposed.row), columns.instance, *index);
        }
        Ok(())
    }
}

impl InferenceCircuit {
    /// The circuit of a trace.
    pub fn new(trace: Trace) -> Self {
        Self { trace, completion: assign_phase2 }
    }

    fn assign_fixed(&self, columns: &Columns, region: &mut Region<'_, Fr>) {
        for column in columns.fixed_columns() {
            for (row, value) in self.trace.fixed[column.index()][..=self.trace.end].iter().enumerate() {
                region.assign_fixed(column, row, *value);
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
    [columns.folded, columns.fold].into_iter().chain(columns.helpers.iter().copied()).chain([columns.sum]).collect()
}

fn assign_column(region: &mut Region<'_, Fr>, column: Column<Advice>, trace: &Trace) {
    for (row, value) in trace.advice[column.index()][..=trace.end].iter().enumerate() {
        region.assign_advice(column, row, Value::known(*value));
    }
}

fn cell(columns: &Columns, row: usize) -> HaloCell {
    HaloCell { row_offset: row, column: columns.a.into() }
}
