//! The halo2 circuit: a sheet poured into columns, phase by phase.

use super::{
    columns::Columns,
    lookup,
    shape::Widths,
    sheet::{Cell, Sheet, stack},
};
use crate::gates::Stack;
use halo2_proofs::{
    circuit::{Cell as HaloCell, Layouter, Region, SimpleFloorPlanner, Value},
    halo2curves::bn256::Fr,
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error},
};

/// A laid-out recording. The same type serves key generation, which gives any values.
#[derive(Clone, Debug)]
pub struct OuterCircuit {
    /// The rows.
    pub sheet: Sheet,
    /// What fills the second phase: [`lookup::assign_phase2`]; the attack suite puts forgers here.
    pub completion: Completion,
}

/// Fills the second phase of a sheet for the challenges β and θ.
pub type Completion = fn(&mut Sheet, Fr, Fr);

impl OuterCircuit {
    /// The circuit of a sheet.
    pub fn new(sheet: Sheet) -> Self {
        Self { sheet, completion: lookup::assign_phase2 }
    }

    /// The sheet with its second phase, or `None` while the challenges are unknown (key generation).
    fn with_phase2(&self, [beta, theta]: [Value<Fr>; 2]) -> Option<Sheet> {
        let mut filled = None;
        beta.zip(theta).map(|(beta, theta)| {
            let mut sheet = self.sheet.clone();
            (self.completion)(&mut sheet, beta, theta);
            filled = Some(sheet);
        });
        filled
    }
}

impl Circuit<Fr> for OuterCircuit {
    type Config = Stack<Columns>;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Widths;

    fn params(&self) -> Widths {
        self.sheet.widths
    }

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, widths: Widths) -> Self::Config {
        stack(cs, &widths)
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> Self::Config {
        Self::configure_with_params(cs, Widths::default())
    }

    fn synthesize(&self, stack: Self::Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "sheet",
            |mut region| {
                for (place, values) in stack.fixed.iter().zip(&self.sheet.fixed) {
                    for (row, value) in values[..=self.sheet.end].iter().enumerate() {
                        region.assign_fixed(place.column, stack.row(place, row), *value);
                    }
                }
                for column in stack.columns.early() {
                    assign_column(&mut region, &stack, column, &self.sheet);
                }
                for (from, to) in &self.sheet.copies {
                    region.constrain_equal(cell(&stack, *from), cell(&stack, *to));
                }
                region.next_phase();
                let challenges = [0, 1].map(|index| region.get_challenge(stack.challenges[index]));
                let sheet = self.with_phase2(challenges);
                for column in stack.columns.late() {
                    assign_column(&mut region, &stack, column, sheet.as_ref().unwrap_or(&self.sheet));
                }
                Ok(())
            },
        )?;
        for (exposed, index) in &self.sheet.exposed {
            layouter.constrain_instance(cell(&stack, *exposed), stack.instance, *index);
        }
        Ok(())
    }
}

fn assign_column(region: &mut Region<'_, Fr>, stack: &Stack<Columns>, column: Column<Advice>, sheet: &Sheet) {
    let place = &stack.advice[column.index()];
    for (row, value) in sheet.advice[column.index()][..=sheet.end].iter().enumerate() {
        region.assign_advice(place.column, stack.row(place, row), Value::known(*value));
    }
}

fn cell(stack: &Stack<Columns>, cell: Cell) -> HaloCell {
    let place = &stack.advice[cell.column.index()];
    HaloCell { row_offset: stack.row(place, cell.row), column: place.column.into() }
}
