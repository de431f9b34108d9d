//! The values of an aggregation circuit's layout, and which cells were given one.

use super::{
    columns::Columns,
    shape::{LANE_BITS, Widths},
};
use crate::gates::{Stack, TraceError, stack::Layout};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Fixed},
};

/// A cell of a copyable column of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its column.
    pub column: Column<Advice>,
    /// Its row in the layout.
    pub row: usize,
}

/// All values of one circuit, with the copies between them.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The widths it was made for.
    pub widths: Widths,
    /// The layout's columns.
    pub columns: Columns,
    /// Fixed values, by column index and row.
    pub fixed: Vec<Vec<Fr>>,
    /// Advice values, by column index and row.
    pub advice: Vec<Vec<Fr>>,
    /// Which advice cells were assigned.
    pub assigned: Vec<Vec<bool>>,
    /// Pairs of equal cells.
    pub copies: Vec<(Cell, Cell)>,
    /// Cells that equal an instance row.
    pub exposed: Vec<(Cell, usize)>,
    /// The row of the end pin; rows before it are active.
    pub end: usize,
    fixed_assigned: Vec<Vec<bool>>,
}

impl Sheet {
    /// An empty sheet.
    ///
    /// # Errors
    /// Fewer rows than the range table has.
    pub fn new(widths: Widths) -> Result<Self, TraceError> {
        if !widths.is_sound() {
            return Err(TraceError::NotEnoughRows { k: widths.k, available: 0 });
        }
        let mut gates = ConstraintSystem::default();
        let columns = Columns::configure(&mut gates);
        let mut cs = ConstraintSystem::default();
        stack(&mut cs, &widths);
        let rows = widths.rows();
        let usable = (1usize << widths.k).saturating_sub(cs.blinding_factors() + 1) / widths.stack as usize;
        let end = usable.saturating_sub(1);
        if end < 1 << LANE_BITS {
            return Err(TraceError::NotEnoughRows { k: widths.k, available: end });
        }
        Ok(Self {
            widths,
            columns,
            fixed: vec![vec![Fr::ZERO; rows]; gates.num_fixed_columns()],
            advice: vec![vec![Fr::ZERO; rows]; gates.num_advice_columns()],
            assigned: vec![vec![false; rows]; gates.num_advice_columns()],
            copies: Vec::new(),
            exposed: Vec::new(),
            end,
            fixed_assigned: vec![vec![false; rows]; gates.num_fixed_columns()],
        })
    }

    /// Assigns a fixed cell, once.
    pub fn fix(&mut self, column: Column<Fixed>, row: usize, value: Fr) -> Result<(), TraceError> {
        self.check_row(row)?;
        let column = column.index();
        if std::mem::replace(&mut self.fixed_assigned[column][row], true) {
            return Err(TraceError::AssignedTwice { kind: "fixed", column, row });
        }
        self.fixed[column][row] = value;
        Ok(())
    }

    /// Assigns an advice cell, once; key generation gives any value.
    pub fn assign(&mut self, column: Column<Advice>, row: usize, value: Fr) -> Result<Cell, TraceError> {
        self.check_row(row)?;
        let index = column.index();
        if std::mem::replace(&mut self.assigned[index][row], true) {
            return Err(TraceError::AssignedTwice { kind: "advice", column: index, row });
        }
        self.advice[index][row] = value;
        Ok(Cell { column, row })
    }

    /// Assigns a cell as a copy of another.
    pub fn copy(&mut self, from: Cell, column: Column<Advice>, row: usize) -> Result<Cell, TraceError> {
        let to = self.assign(column, row, self.value(from))?;
        self.equal(from, to);
        Ok(to)
    }

    /// States that two cells are equal.
    pub fn equal(&mut self, from: Cell, to: Cell) {
        self.copies.push((from, to));
    }

    /// What a cell holds.
    pub fn value(&self, cell: Cell) -> Fr {
        self.advice[cell.column.index()][cell.row]
    }

    fn check_row(&self, row: usize) -> Result<(), TraceError> {
        if row < self.end { Ok(()) } else { Err(TraceError::NotEnoughRows { k: self.widths.k, available: self.end }) }
    }
}

/// The committed columns and gates of an aggregation circuit.
pub fn stack(cs: &mut ConstraintSystem<Fr>, widths: &Widths) -> Stack<Columns> {
    let mut gates = ConstraintSystem::default();
    let columns = Columns::configure(&mut gates);
    let (active, copied, height) = (columns.active, columns.copied(), widths.stack as usize);
    let layout = Layout { gates: &gates, active, first: &copied, copied: &copied, height };
    Stack::of(cs, columns, &layout)
}

#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
