//! The assignment layer: a grid of values that knows which cells were given one.
//!
//! halo2 drops or overwrites cells silently (a second assignment, an unusable row, a phase that is over). Here each of these is
//! an error, and the same grid serves key generation (no witness), proving, and the attack suite.

use super::{
    Columns, Selector, Shape,
    field::{from_u128, power_of_two},
    fold, lookup, range, stack,
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{Advice, Column, ConstraintSystem, Fixed},
};
use std::ops::Range;

/// A rule of the assignment layer that a placement broke: always a bug of a gate or a shape that does not fit, never bad input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// The rows do not suffice.
    #[error("the circuit needs more than the {available} rows of k = {k}")]
    NotEnoughRows {
        /// log2 of the rows.
        k: u32,
        /// Rows between the pins.
        available: usize,
    },
    /// A cell was given two values.
    #[error("cell {kind} {column}, row {row} was assigned twice")]
    AssignedTwice {
        /// `advice` or `fixed`.
        kind: &'static str,
        /// Column index.
        column: usize,
        /// Row.
        row: usize,
    },
    /// A value does not fit the limbs that the shape gives it.
    #[error("{what} {value} does not fit {bits} bits")]
    DoesNotFit {
        /// Which value.
        what: &'static str,
        /// The value.
        value: i128,
        /// The bits available.
        bits: u32,
    },
    /// A gate that the shape does not have.
    #[error("the shape has no `{0}` gate")]
    NoSuchGate(&'static str),
}

/// A cell of the copyable column `a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its row.
    pub row: usize,
}

/// All values of one circuit, with the copies between them.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The shape it was made for.
    pub shape: Shape,
    /// The columns of that shape.
    pub columns: Columns,
    /// Fixed values, by column index and row.
    pub fixed: Vec<Vec<Fr>>,
    /// Advice values, by column index and row; phase-2 columns hold only Poseidon's powers.
    pub advice: Vec<Vec<Fr>>,
    /// Which advice cells were assigned.
    pub assigned: Vec<Vec<bool>>,
    /// Pairs of equal cells of column `a`.
    pub copies: Vec<(Cell, Cell)>,
    /// Cells of column `a` that equal an instance row.
    pub exposed: Vec<(Cell, usize)>,
    /// The function table: value and slope of each segment.
    pub function_table: Vec<(i128, i128)>,
    /// The row of the end pin; rows before it are active.
    pub end: usize,
    /// The next free row.
    pub row: usize,
    fixed_assigned: Vec<Vec<bool>>,
    deferred: Vec<Deferred>,
}

/// An input that waits for the row on which its layer reads it.
#[derive(Clone, Copy, Debug)]
struct Deferred {
    lo: i128,
    value: Option<i128>,
    landed: Option<Cell>,
}

impl Trace {
    /// An empty trace.
    pub fn new(shape: Shape) -> Result<Self, TraceError> {
        let mut cs = ConstraintSystem::default();
        let columns = Columns::configure(&mut cs, &shape);
        let rows = shape.rows();
        let end = stack::end_row(&stack::constraint_system(&shape), &shape)?;
        if end < shape.table_rows() {
            return Err(TraceError::NotEnoughRows { k: shape.k, available: end });
        }
        Ok(Self {
            shape,
            columns,
            fixed: vec![vec![Fr::ZERO; rows]; cs.num_fixed_columns()],
            advice: vec![vec![Fr::ZERO; rows]; cs.num_advice_columns()],
            assigned: vec![vec![false; rows]; cs.num_advice_columns()],
            copies: Vec::new(),
            exposed: Vec::new(),
            function_table: Vec::new(),
            end,
            row: 0,
            fixed_assigned: vec![vec![false; rows]; cs.num_fixed_columns()],
            deferred: Vec::new(),
        })
    }

    /// Reserves `rows` rows and returns the first; gates may read one row further.
    pub fn take_rows(&mut self, rows: usize) -> Result<usize, TraceError> {
        let first = self.row;
        let next = first.saturating_add(rows);
        if next > self.end {
            return Err(TraceError::NotEnoughRows { k: self.shape.k, available: self.end });
        }
        self.row = next;
        Ok(first)
    }

    /// Assigns a fixed cell, once.
    pub fn fix(&mut self, column: Column<Fixed>, row: usize, value: Fr) -> Result<(), TraceError> {
        let (column, taken) = (column.index(), "fixed");
        self.check_row(row)?;
        if std::mem::replace(&mut self.fixed_assigned[column][row], true) {
            return Err(TraceError::AssignedTwice { kind: taken, column, row });
        }
        self.fixed[column][row] = value;
        Ok(())
    }

    /// Enables a selector on a row.
    pub fn enable(&mut self, selector: Selector, row: usize) -> Result<(), TraceError> {
        self.fix(selector.column(), row, selector.value())
    }

    /// Whether a selector is enabled on a row.
    pub fn is_enabled(&self, selector: Option<Selector>, row: usize) -> bool {
        selector.is_some_and(|s| self.fixed[s.column().index()][row] == s.value())
    }

    /// Assigns an advice cell, once; `None` in key generation.
    pub fn assign(&mut self, column: Column<Advice>, row: usize, value: Option<Fr>) -> Result<(), TraceError> {
        let column = column.index();
        self.check_row(row)?;
        if std::mem::replace(&mut self.assigned[column][row], true) {
            return Err(TraceError::AssignedTwice { kind: "advice", column, row });
        }
        self.advice[column][row] = value.unwrap_or(Fr::ZERO);
        Ok(())
    }

    /// Assigns the little-endian limbs of `value` at `indices`, counted from the limb that stands in the first lane of `row`.
    pub fn assign_limbs(
        &mut self,
        row: usize,
        indices: Range<u32>,
        value: Option<i128>,
        what: &'static str,
    ) -> Result<(), TraceError> {
        let (bits, count) = (self.shape.limb_bits, indices.len() as u32);
        if let Some(value) = value.filter(|&v| v < 0 || v >> (bits * count) != 0) {
            return Err(TraceError::DoesNotFit { what, value, bits: bits * count });
        }
        for (i, index) in (0..count).zip(indices) {
            let limb = value.map(|v| from_u128((v >> (bits * i)) as u128 & ((1 << bits) - 1)));
            let (column, row) = self.columns.limb_at(row, index);
            self.assign(column, row, limb)?;
        }
        Ok(())
    }

    /// What the limbs at `indices` stand for, counted from the first lane of `row`.
    pub fn limbs(&self, row: usize, indices: Range<u32>) -> Fr {
        indices.clone().fold(Fr::ZERO, |sum, index| {
            let (column, row) = self.columns.limb_at(row, index);
            sum + self.advice[column.index()][row] * power_of_two(self.shape.limb_bits * (index - indices.start))
        })
    }

    /// An input whose range starts at `lo`, to be placed where it is first copied to; a cell beyond all rows stands for it until then.
    pub fn defer(&mut self, lo: i128, value: Option<i128>) -> Cell {
        self.deferred.push(Deferred { lo, value, landed: None });
        Cell { row: self.shape.rows() + self.deferred.len() - 1 }
    }

    /// Assigns a cell of column `a` as a copy of `source`. A deferred input lands on the first such row: there is one cell for it, and
    /// further copies are copies of that.
    pub fn copy(&mut self, source: Cell, row: usize) -> Result<Cell, TraceError> {
        let waiting = source.row.checked_sub(self.shape.rows());
        if let Some(Deferred { lo, value, landed: None }) = waiting.and_then(|i| self.deferred.get(i).copied()) {
            let cell = range::place_in_place(self, row, lo, value)?;
            self.deferred[source.row - self.shape.rows()].landed = Some(cell);
            return Ok(cell);
        }
        let source = self.landed(source)?;
        let value = self.advice[self.columns.a.index()][source.row];
        self.assign(self.columns.a, row, Some(value))?;
        self.copies.push((source, Cell { row }));
        Ok(Cell { row })
    }

    /// States that a cell of column `a` equals instance `index`.
    pub fn expose(&mut self, cell: Cell, index: usize) {
        self.exposed.push((cell, index));
    }

    /// The row on which a cell stands, deferred or not.
    fn landed(&self, cell: Cell) -> Result<Cell, TraceError> {
        match cell.row.checked_sub(self.shape.rows()) {
            None => Ok(cell),
            Some(i) => self.deferred.get(i).and_then(|d| d.landed).ok_or(TraceError::NoSuchGate("row of a deferred input")),
        }
    }

    /// Fills what belongs to no placement: the table, the active rows, the multiplicities. Every deferred input must have landed.
    pub fn finish(&mut self) -> Result<(), TraceError> {
        if self.deferred.iter().any(|d| d.landed.is_none()) {
            return Err(TraceError::NoSuchGate("row of a deferred input"));
        }
        for at in 0..self.exposed.len() {
            self.exposed[at].0 = self.landed(self.exposed[at].0)?;
        }
        for row in 0..self.end {
            self.fix(self.columns.active, row, Fr::ONE)?;
        }
        fold::place_continues(self)?;
        lookup::place_table(self)
    }

    /// The value of a cell of column `a`.
    pub fn value(&self, cell: Cell) -> Fr {
        self.advice[self.columns.a.index()][cell.row]
    }

    fn check_row(&self, row: usize) -> Result<(), TraceError> {
        if row <= self.end { Ok(()) } else { Err(TraceError::NotEnoughRows { k: self.shape.k, available: self.end }) }
    }
}
