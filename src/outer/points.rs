//! Points of the curve `y^2 = x^3 + 3` over the integers modulo q: loading, adding, doubling, and the table of multiples.
//!
//! A point is two elements, x and then y, and the unit works on the point that stands on the rows before: a sum or a double follows on
//! [`POINT_ROWS`] rows (λ, x, y). Addition is the incomplete one; a witness shows that its two points have different x. No point is the point
//! at infinity: loaded points satisfy the curve's equation, and the group has odd prime order, so `y = 0` does not occur either.

use super::{
    columns::Columns,
    modular::{ELEMENT_ROWS, Kind, modulus, native, split},
    shape::LIMB_BITS,
    sheet::{Cell, Sheet},
};
use crate::gates::{TraceError, field::power_of_two};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fq, Fr, G1Affine},
        ff::PrimeField,
        group::prime::PrimeCurveAffine,
    },
    plonk::{ConstraintSystem, Expression},
    poly::Rotation,
};
use num_bigint::BigUint;
use std::collections::BTreeMap;

/// Rows of a sum or a double.
pub const POINT_ROWS: usize = 3 * ELEMENT_ROWS;
/// Odd multiples `P, 3 P, ..., 31 P` in a table.
pub const MULTIPLES: usize = 16;

/// On rows that add, with `D = x2 - x1` of the composed elements, `apart` and the cell below it `u`:
///
/// ```text
/// u = D^2,     D (u - q^2) apart = 1
/// ```
///
/// Both elements are below 2^254 (`modular.rs`), so `|D| < 2^254 < 2 q`: were x1 and x2 equal modulo q, D would be 0 or ±q, and there would be
/// no such cells. The slope's identity then has one solution modulo q.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("points apart", |cells| {
        let slope = cells.query_fixed(columns.identities[Kind::Slope as usize], Rotation::cur());
        let first = columns.element.map(|e| cells.query_advice(e, Rotation(-4)));
        let second = columns.operand.map(|t| cells.query_advice(t, Rotation(2)));
        let distance = native(&second) - native(&first);
        let [apart, square] = [0, 1].map(|r| cells.query_advice(columns.apart, Rotation(r)));
        let modulus = Expression::Constant(modulus_squared());
        vec![
            ("square of the distance", slope.clone() * (square.clone() - distance.clone() * distance.clone())),
            ("different x", slope * (distance * (square - modulus) * apart - Expression::Constant(Fr::ONE))),
        ]
    });
}

/// q² in the native field.
fn modulus_squared() -> Fr {
    let limbs = modulus().to_u64_digits();
    let q = limbs.iter().rev().fold(Fr::ZERO, |sum, &limb| sum * power_of_two(64) + Fr::from(limb));
    q.square()
}

/// A multiple of some point: whose, and which. `16 + i` is the (2 i + 1)-fold, `15 - i` its negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Multiple {
    /// Whose, counted from 1.
    pub id: usize,
    /// Which, below `2 * MULTIPLES`.
    pub digit: usize,
}

/// Where a multiple stands: the row of its y.
#[derive(Clone, Copy, Debug)]
struct Offer {
    row: usize,
    looked_up: [u64; 2],
}

/// The rows of the points' unit.
#[derive(Debug)]
pub struct Points<'a> {
    /// Where they are placed.
    pub sheet: &'a mut Sheet,
    row: usize,
    point: (Fq, Fq),
    offers: BTreeMap<(usize, usize), Offer>,
    pinned: Vec<(Cell, Fr)>,
    ids: usize,
}

impl<'a> Points<'a> {
    /// No rows yet.
    pub fn new(sheet: &'a mut Sheet) -> Self {
        Self { sheet, row: 0, point: (Fq::ZERO, Fq::ZERO), offers: BTreeMap::new(), pinned: Vec::new(), ids: 0 }
    }

    /// Rows taken.
    pub fn rows(&self) -> usize {
        self.row
    }

    /// The limbs of the point that was placed last: those of x, then those of y.
    pub fn limbs(&self) -> [[Cell; 4]; 2] {
        [2, 1].map(|before| self.sheet.columns.element.map(|column| Cell { column, row: self.row - before * ELEMENT_ROWS }))
    }

    /// Places a point that is part of the circuit. Its limbs must be bound to what they are: [`Points::finish`] returns them.
    pub fn known(&mut self, point: &G1Affine) -> Result<(), TraceError> {
        for coordinate in [point.x, point.y] {
            self.sheet.assign_element(self.row, &coordinate)?;
            let limbs = split(&BigUint::from_bytes_le(&coordinate.to_repr()));
            let cells = self.sheet.columns.element.map(|column| Cell { column, row: self.row });
            self.pinned.extend(cells.into_iter().zip(limbs));
            self.row += ELEMENT_ROWS;
        }
        self.point = (point.x, point.y);
        Ok(())
    }

    /// Places a point of a proof, behind the square of its x.
    pub fn load(&mut self, point: &G1Affine) -> Result<(), TraceError> {
        for value in [point.x.square(), point.x, point.y] {
            self.sheet.assign_element(self.row, &value)?;
            self.row += ELEMENT_ROWS;
        }
        self.sheet.assign_identity(Kind::Square, self.row - 2 * ELEMENT_ROWS)?;
        self.sheet.assign_identity(Kind::Curve, self.row - ELEMENT_ROWS)?;
        self.point = (point.x, point.y);
        Ok(())
    }

    /// The table of a point of a proof, and the limbs of the point.
    pub fn table(&mut self, point: &G1Affine) -> Result<(usize, [[Cell; 4]; 2]), TraceError> {
        let [id, double] = [self.next_id(), self.next_id()];
        self.load(point)?;
        let limbs = self.limbs();
        self.offer(Multiple { id, digit: MULTIPLES })?;
        self.double()?;
        let first = Multiple { id: double, digit: MULTIPLES };
        self.offer(first)?;
        self.add_told(Multiple { id, digit: MULTIPLES })?;
        for index in 1..MULTIPLES {
            if index > 1 {
                self.add_told(first)?;
            }
            self.offer(Multiple { id, digit: MULTIPLES + index })?;
        }
        Ok((id, limbs))
    }

    /// The table of a point that is part of the circuit.
    pub fn known_table(&mut self, point: &G1Affine) -> Result<usize, TraceError> {
        let id = self.next_id();
        let mut multiple = point.to_curve();
        for index in 0..MULTIPLES {
            self.known(&multiple.into())?;
            self.offer(Multiple { id, digit: MULTIPLES + index })?;
            multiple = multiple + point + point;
        }
        Ok(id)
    }

    /// A table of one point and its negative.
    pub fn known_single(&mut self, point: &G1Affine) -> Result<Multiple, TraceError> {
        let multiple = Multiple { id: self.next_id(), digit: MULTIPLES };
        self.known(point)?;
        self.offer(multiple)?;
        Ok(multiple)
    }

    fn next_id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    /// Offers the point that was placed last as a multiple, and its negative with it.
    fn offer(&mut self, multiple: Multiple) -> Result<(), TraceError> {
        let row = self.row - ELEMENT_ROWS;
        self.sheet.fix(self.sheet.columns.offered, row, Fr::from(multiple.id as u64))?;
        self.sheet.fix(self.sheet.columns.offered_digit, row, Fr::from(multiple.digit as u64))?;
        self.offers.insert((multiple.id, multiple.digit), Offer { row, looked_up: [0; 2] });
        Ok(())
    }

    /// Adds the point of a table itself, its multiple of digit [`MULTIPLES`]. The lookup alone would take any digit of the table, so its cell
    /// must be bound like those of scalars: [`Points::finish`] returns all of them.
    pub fn add_told(&mut self, multiple: Multiple) -> Result<(), TraceError> {
        if multiple.digit != MULTIPLES {
            return Err(TraceError::NoSuchGate("table of one point"));
        }
        let cell = self.add(multiple)?;
        self.pinned.push((cell, Fr::from(MULTIPLES as u64)));
        Ok(())
    }

    /// Adds a multiple to the point that was placed last; returns the cell of the digit, which nothing binds yet.
    #[must_use = "a digit that nothing binds lets the prover add any multiple"]
    pub fn add(&mut self, multiple: Multiple) -> Result<Cell, TraceError> {
        let (row, columns) = (self.row, self.sheet.columns.clone());
        let negated = multiple.digit < MULTIPLES;
        let digit = if negated { 2 * MULTIPLES - 1 - multiple.digit } else { multiple.digit };
        let offer = self.offers.get_mut(&(multiple.id, digit)).ok_or(TraceError::NoSuchGate("multiple of a point"))?;
        offer.looked_up[usize::from(negated)] += 1;
        let offered = offer.row;
        self.sheet.fix(columns.wanted, row, Fr::from(multiple.id as u64))?;
        let cell = self.sheet.assign(columns.digit, row, Fr::from(multiple.digit as u64))?;
        for (operand, element) in columns.operand.into_iter().zip(columns.element) {
            let [x, y] = [offered - ELEMENT_ROWS, offered].map(|row| self.sheet.advice[element.index()][row]);
            self.sheet.assign(operand, row, if negated { -y } else { y })?;
            self.sheet.assign(operand, row + ELEMENT_ROWS, x)?;
        }
        let [x2, y2] = [offered - ELEMENT_ROWS, offered].map(|row| self.element_at(row));
        let ((x1, y1), y2) = (self.point, if negated { -y2 } else { y2 });
        let slope = (y2 - y1) * (x2 - x1).invert().unwrap_or(Fq::ZERO);
        self.assign_apart(row)?;
        self.place_result(slope, slope.square() - x1 - x2)?;
        for (kind, at) in [Kind::Slope, Kind::Third, Kind::Ordinate].into_iter().zip((row..).step_by(ELEMENT_ROWS)) {
            self.sheet.assign_identity(kind, at)?;
        }
        Ok(cell)
    }

    /// Doubles the point that was placed last.
    pub fn double(&mut self) -> Result<(), TraceError> {
        let (row, (x, y)) = (self.row, self.point);
        let slope = x.square() * Fq::from(3) * y.double().invert().unwrap_or(Fq::ZERO);
        self.place_result(slope, slope.square() - x.double())?;
        for (kind, at) in [Kind::Tangent, Kind::Double, Kind::Ordinate].into_iter().zip((row..).step_by(ELEMENT_ROWS)) {
            self.sheet.assign_identity(kind, at)?;
        }
        Ok(())
    }

    fn place_result(&mut self, slope: Fq, x: Fq) -> Result<(), TraceError> {
        let y = slope * (self.point.0 - x) - self.point.1;
        for value in [slope, x, y] {
            self.sheet.assign_element(self.row, &value)?;
            self.row += ELEMENT_ROWS;
        }
        self.point = (x, y);
        Ok(())
    }

    fn assign_apart(&mut self, row: usize) -> Result<(), TraceError> {
        let columns = &self.sheet.columns;
        let native = |limbs: [usize; 4], row: usize| {
            limbs.iter().rev().fold(Fr::ZERO, |sum, &column| sum * power_of_two(LIMB_BITS) + self.sheet.advice[column][row])
        };
        let first = native(columns.element.map(|c| c.index()), row.saturating_sub(2 * ELEMENT_ROWS));
        let second = native(columns.operand.map(|c| c.index()), row + ELEMENT_ROWS);
        let (distance, apart) = (second - first, columns.apart);
        let square = distance.square();
        let inverse = (distance * (square - modulus_squared())).invert().unwrap_or(Fr::ZERO);
        self.sheet.assign(apart, row, inverse)?;
        self.sheet.assign(apart, row + 1, square).map(drop)
    }

    /// The element on a row, from its limbs.
    fn element_at(&self, row: usize) -> Fq {
        let shift = Fq::from(2).pow_vartime([u64::from(LIMB_BITS)]);
        let limbs = self.sheet.columns.element.iter().rev();
        limbs.fold(Fq::ZERO, |sum, column| {
            let limb = self.sheet.advice[column.index()][row].to_repr();
            sum * shift + Option::<Fq>::from(Fq::from_repr(limb)).unwrap_or(Fq::ZERO)
        })
    }

    /// How often each multiple was looked up; nothing can be added afterwards. Returns the cells that must hold a constant: the digits that are no
    /// scalar's, and the limbs of points that are part of the circuit.
    pub fn finish(self) -> Result<Vec<(Cell, Fr)>, TraceError> {
        let [plus, minus] = [self.sheet.columns.plus, self.sheet.columns.minus];
        for ((id, _), Offer { row, looked_up: [as_is, negated] }) in self.offers {
            // Each lookup counts as much as its id is large (`lookup.rs`).
            let weight = Fr::from(id as u64);
            self.sheet.assign(plus, row, weight * Fr::from(as_is))?;
            self.sheet.assign(minus, row, weight * Fr::from(negated))?;
        }
        Ok(self.pinned)
    }
}
