//! Arithmetic of the native field: a recording's sums, products and inverses.

use super::{
    columns::Columns,
    sheet::{Cell, Sheet},
};
use crate::{
    gates::TraceError,
    outer::{Id, Node},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};

/// On every active row, with the factors `f`:
///
/// ```text
/// result = f_0 a b + f_1 a + f_2 b + f_3 d + f_4
/// ```
///
/// A row without factors has the result 0.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("scalars", |cells| {
        let [a, b, d] = columns.scalars.map(|c| cells.query_advice(c, Rotation::cur()));
        let result = cells.query_advice(columns.result, Rotation::cur());
        let [product, of_a, of_b, of_d, constant] = columns.factors.map(|c| cells.query_fixed(c, Rotation::cur()));
        let sum: Expression<Fr> = product * a.clone() * b.clone() + of_a * a + of_b * b + of_d * d + constant;
        vec![("scalar row", result - sum)]
    });
}

/// A row to be placed: `product a b + of_a a + of_b b + of_d d + constant`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row {
    /// Factor of `a b`.
    pub product: Fr,
    /// Factor and source of `a`.
    pub a: Option<(Fr, Source)>,
    /// Factor and source of `b`.
    pub b: Option<(Fr, Source)>,
    /// Factor and source of `d`.
    pub d: Option<(Fr, Source)>,
    /// The constant.
    pub constant: Fr,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A cell.
    Cell(Cell),
    /// A node of the recording.
    Node(Id),
}

/// The rows of the scalars' unit, and where each node's value stands.
#[derive(Debug)]
pub struct Scalars<'a> {
    nodes: &'a [Node],
    values: &'a [Fr],
    homes: Vec<Option<Cell>>,
    uses: Vec<usize>,
    zero: Option<Cell>,
    row: usize,
}

impl<'a> Scalars<'a> {
    /// No rows yet; `uses` counts what reads each node besides nodes.
    pub fn new(nodes: &'a [Node], values: &'a [Fr], mut uses: Vec<usize>) -> Self {
        for node in nodes {
            match node {
                Node::Sum { terms, .. } => terms.iter().for_each(|(_, id)| uses[*id] += 1),
                // Two more: a product or inverse of a product is no sum to fold it into.
                Node::Product(left, right) => [left, right].into_iter().for_each(|id| uses[*id] += 2),
                Node::Inverse(id) => uses[*id] += 2,
                _ => {}
            }
        }
        Self { nodes, values, homes: vec![None; nodes.len()], uses, zero: None, row: 0 }
    }

    /// Rows taken.
    pub fn rows(&self) -> usize {
        self.row
    }

    /// Where the value of a node stands.
    pub fn home(&self, id: Id) -> Option<Cell> {
        self.homes[id]
    }

    /// States that a node's value stands in a cell that another unit placed.
    pub fn settle(&mut self, id: Id, cell: Cell) {
        self.homes[id] = Some(cell);
    }

    /// Puts a node's value into a cell: a copy, or, for what comes from outside, the first cell it has.
    pub fn put(&mut self, sheet: &mut Sheet, id: Id, cell: Cell) -> Result<(), TraceError> {
        match (self.homes[id], &self.nodes[id]) {
            (Some(home), _) => sheet.copy(home, cell.column, cell.row).map(drop),
            (None, Node::Instance { .. } | Node::Evaluation { .. }) => {
                self.homes[id] = Some(sheet.assign(cell.column, cell.row, self.values[id])?);
                Ok(())
            }
            (None, Node::Constant(value)) => {
                let home = self.row(sheet, &Row { constant: *value, ..Row::default() })?;
                self.homes[id] = Some(home);
                sheet.copy(home, cell.column, cell.row).map(drop)
            }
            (None, _) => Err(TraceError::NoSuchGate("node of the recording that stands before its use")),
        }
    }

    /// Places a row; returns the cell of its result.
    pub fn row(&mut self, sheet: &mut Sheet, row: &Row) -> Result<Cell, TraceError> {
        // A constant among the operands takes a row of its own before this one.
        for (_, source) in [row.a, row.b, row.d].into_iter().flatten() {
            if let Source::Node(id) = source
                && self.homes[id].is_none()
                && let Node::Constant(value) = self.nodes[id]
            {
                self.homes[id] = Some(self.row(sheet, &Row { constant: value, ..Row::default() })?);
            }
        }
        let at = self.row;
        self.row += 1;
        let [a, b, d] = sheet.columns.scalars;
        let mut values = [Fr::ZERO; 3];
        for ((operand, column), value) in [row.a, row.b, row.d].into_iter().zip([a, b, d]).zip(&mut values) {
            match operand {
                None => continue,
                Some((_, Source::Cell(cell))) => sheet.copy(cell, column, at).map(drop)?,
                Some((_, Source::Node(id))) => self.put(sheet, id, Cell { column, row: at })?,
            }
            *value = sheet.value(Cell { column, row: at });
        }
        let factor = |operand: Option<(Fr, Source)>| operand.map_or(Fr::ZERO, |(factor, _)| factor);
        let factors = [row.product, factor(row.a), factor(row.b), factor(row.d), row.constant];
        for (column, factor) in sheet.columns.factors.into_iter().zip(factors) {
            if factor != Fr::ZERO {
                sheet.fix(column, at, factor)?;
            }
        }
        let [x, y, z] = values;
        let result = factors[0] * x * y + factors[1] * x + factors[2] * y + factors[3] * z + factors[4];
        sheet.assign(sheet.columns.result, at, result)
    }

    /// Places a node that is computed here.
    pub fn node(&mut self, sheet: &mut Sheet, id: Id) -> Result<(), TraceError> {
        let nodes = self.nodes;
        let home = match &nodes[id] {
            Node::Sum { terms, constant } => self.sum(sheet, terms, *constant)?,
            Node::Product(..) if self.is_folded(id) => return Ok(()),
            Node::Product(left, right) => {
                let [a, b] = [left, right].map(|id| Some((Fr::ZERO, Source::Node(*id))));
                self.row(sheet, &Row { product: Fr::ONE, a, b, ..Row::default() })?
            }
            Node::Inverse(of) => self.inverse(sheet, id, *of)?,
            Node::Constant(_) | Node::Instance { .. } | Node::Evaluation { .. } => return Ok(()),
            Node::Coordinate { .. } | Node::Half { .. } | Node::Squeezed(_) => return Ok(()),
        };
        self.homes[id] = Some(home);
        Ok(())
    }

    /// Whether a product stands only in one sum, where it takes no row of its own.
    fn is_folded(&self, id: Id) -> bool {
        self.uses[id] == 1 && matches!(self.nodes[id], Node::Product(..))
    }

    /// `a b - 1 = 0` for `a` and its inverse `b`.
    fn inverse(&mut self, sheet: &mut Sheet, id: Id, of: Id) -> Result<Cell, TraceError> {
        self.inverse_row(sheet, self.values[id], |this, sheet, a| this.put(sheet, of, a))
    }

    /// The row of an inverse; `put` assigns the cell of what is inverted.
    fn inverse_row(
        &mut self,
        sheet: &mut Sheet,
        inverse: Fr,
        put: impl FnOnce(&mut Self, &mut Sheet, Cell) -> Result<(), TraceError>,
    ) -> Result<Cell, TraceError> {
        let zero = match self.zero {
            Some(zero) => zero,
            None => *self.zero.insert(Self::zero_row(&mut self.row, sheet)?),
        };
        let at = self.row;
        self.row += 1;
        let [a, b, _] = sheet.columns.scalars;
        put(self, sheet, Cell { column: a, row: at })?;
        let inverse = sheet.assign(b, at, inverse)?;
        sheet.fix(sheet.columns.factors[0], at, Fr::ONE)?;
        sheet.fix(sheet.columns.factors[4], at, -Fr::ONE)?;
        sheet.copy(zero, sheet.columns.result, at)?;
        Ok(inverse)
    }

    /// States that a cell differs from a value: the difference has an inverse.
    pub fn differs(&mut self, sheet: &mut Sheet, cell: Cell, value: Fr) -> Result<(), TraceError> {
        let row = Row { a: Some((Fr::ONE, Source::Cell(cell))), constant: -value, ..Row::default() };
        let difference = self.row(sheet, &row)?;
        let inverse = sheet.value(difference).invert().unwrap_or(Fr::ZERO);
        self.inverse_row(sheet, inverse, |_, sheet, a| sheet.copy(difference, a.column, a.row).map(drop)).map(drop)
    }

    fn zero_row(row: &mut usize, sheet: &mut Sheet) -> Result<Cell, TraceError> {
        *row += 1;
        sheet.assign(sheet.columns.result, *row - 1, Fr::ZERO)
    }

    /// Products that stand only here take `a` and `b` of a row, other terms one or two of them; `d` brings what was added so far.
    fn sum(&mut self, sheet: &mut Sheet, terms: &[(Fr, Id)], constant: Fr) -> Result<Cell, TraceError> {
        let (products, mut linear): (Vec<_>, Vec<_>) = terms.iter().copied().partition(|(_, id)| self.is_folded(*id));
        let mut so_far: Option<Cell> = None;
        let mut constant = Some(constant);
        for (factor, id) in products {
            let Node::Product(left, right) = self.nodes[id] else { continue };
            let [a, b] = [left, right].map(|id| Some((Fr::ZERO, Source::Node(id))));
            let d = match so_far {
                Some(cell) => Some((Fr::ONE, Source::Cell(cell))),
                None => linear.pop().map(|(factor, id)| (factor, Source::Node(id))),
            };
            let constant = constant.take().unwrap_or(Fr::ZERO);
            so_far = Some(self.row(sheet, &Row { product: factor, a, b, d, constant })?);
        }
        while !linear.is_empty() || so_far.is_none() {
            let mut next = || linear.pop().map(|(factor, id)| (factor, Source::Node(id)));
            let d = so_far.map_or_else(&mut next, |cell| Some((Fr::ONE, Source::Cell(cell))));
            let (a, b) = (next(), next());
            let constant = constant.take().unwrap_or(Fr::ZERO);
            so_far = Some(self.row(sheet, &Row { product: Fr::ZERO, a, b, d, constant })?);
        }
        so_far.ok_or(TraceError::NoSuchGate("sum"))
    }
}
