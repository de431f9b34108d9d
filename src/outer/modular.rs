//! Identities modulo q, the order of the field that coordinates live in, between elements of four limbs.
//!
//! An identity says that an integer polynomial N in some elements is a multiple of q. With the quotient Q and `B = 2^w`, and `(.)_i` for the
//! coefficient of `B^i`, three equations of the native field, of order r:
//!
//! ```text
//! (1)  N - Q q = 0                                                            mod r, with elements composed of their limbs
//! (2)  (N - Q q)_0 + B (N - Q q)_1 = B^2 c
//! (3)  (N - Q q)_2 + B (N - Q q)_3 + c = B^2 c'
//! ```
//!
//! The limbs are below 2^w in size and the carries c and c' below 2^(6 b - 1), so neither side of (2) and (3) reaches r / 2: they hold over
//! the integers, and with them `N - Q q = 0 mod 2^4w`. Every element is below 2^254 and Q below 2^(4 w), so `|N - Q q| < r 2^4w` for all N of
//! [`IDENTITIES`] (a test computes it); with (1), the integer `N - Q q` is 0.
//!
//! Relies on: lanes in range (lookup); on rows of elements the repeated top lane, which makes the element smaller than 2^254 (here);
//! operands, which are limbs of such elements or of their negatives (lookup of multiples). Elements are not reduced: one and the same number
//! modulo q can have a second representative. `docs/soundness.md` says why that is harmless.

use super::{
    columns::{Columns, IDENTITIES as COUNT},
    shape::{CARRY_LANES, CARRY_OFFSET, ELEMENT_LANES, LANE_BITS, LIMB_BITS, LIMB_LANES, LIMBS, QUOTIENT_OFFSET, TOP_SHIFT},
    sheet::Sheet,
};
use crate::gates::{TraceError, field::power_of_two};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fq, Fr},
        ff::PrimeField,
    },
    plonk::{ConstraintSystem, Expression, VirtualCells},
    poly::Rotation,
};
use num_bigint::{BigInt, BigUint, Sign};

/// Rows of one element with its quotient: the element's, then the quotient's.
pub const ELEMENT_ROWS: usize = 2;

/// Where an element stands, seen from the identity's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the column of elements.
    Element(i32),
    /// In the column of operands.
    Operand(i32),
}

type Linear = &'static [(i64, Place)];

/// `Σ factor * left * right + Σ factor * element + constant`
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    products: &'static [(i64, Linear, Linear)],
    linear: Linear,
    constant: i64,
}

/// The place of an identity in [`IDENTITIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// λ of an addition.
    Slope,
    /// x of a sum.
    Third,
    /// y of a sum or double.
    Ordinate,
    /// λ of a doubling.
    Tangent,
    /// x of a double.
    Double,
    /// The square of x.
    Square,
    /// The curve's equation.
    Curve,
}

use Place::{Element as E, Operand as T};

/// The identities. A sum stands on the rows behind its first operand `(x1, y1)`: λ, x3, y3; the second operand's y beside λ, its x beside x3.
///
/// ```text
/// slope:     λ (x2 - x1) - (y2 - y1)             on λ's row
/// third:     λ^2 - x1 - x2 - x3                  on x3's
/// ordinate:  λ (x1 - x3) - y1 - y3               on y3's
/// tangent:   2 λ y1 - 3 x1^2                     on λ's
/// double:    λ^2 - 2 x1 - x3                     on x3's
/// square:    x^2 - u                             on x's, u before it
/// curve:     y^2 - u x - 3                       on y's
/// ```
pub const IDENTITIES: [Identity; COUNT] = [
    Identity { products: &[(1, &[(1, E(0))], &[(1, T(2)), (-1, E(-4))])], linear: &[(-1, T(0)), (1, E(-2))], constant: 0 },
    Identity { products: &[(1, &[(1, E(-2))], &[(1, E(-2))])], linear: &[(-1, E(-6)), (-1, T(0)), (-1, E(0))], constant: 0 },
    Identity { products: &[(1, &[(1, E(-4))], &[(1, E(-8)), (-1, E(-2))])], linear: &[(-1, E(-6)), (-1, E(0))], constant: 0 },
    Identity { products: &[(2, &[(1, E(0))], &[(1, E(-2))]), (-3, &[(1, E(-4))], &[(1, E(-4))])], linear: &[], constant: 0 },
    Identity { products: &[(1, &[(1, E(-2))], &[(1, E(-2))])], linear: &[(-2, E(-6)), (-1, E(0))], constant: 0 },
    Identity { products: &[(1, &[(1, E(0))], &[(1, E(0))])], linear: &[(-1, E(-2))], constant: 0 },
    Identity { products: &[(1, &[(1, E(0))], &[(1, E(0))]), (-1, &[(1, E(-4))], &[(1, E(-2))])], linear: &[], constant: -3 },
];

type Limbs = [Expression<Fr>; LIMBS];

/// On every active row the columns `element` and `carry` are what the lanes make:
///
/// ```text
/// element_j = Σ 2^(b i) lane_(5 j + i),      carry = Σ 2^(b i) lane_(i-th of the carry)
/// is_element * (repeated - 2^s lane_top) = 0,      s such that the element has 254 bits
/// ```
///
/// and the equations (1) to (3) of the module, for the identity whose selector is on.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns) {
    cs.create_gate("limbs", |cells| {
        let lanes: Vec<_> = columns.lanes.iter().map(|&lane| cells.query_advice(lane, Rotation::cur())).collect();
        let is_element = cells.query_fixed(columns.is_element, Rotation::cur());
        let (top, first_of_carry) = (ELEMENT_LANES - 1, ELEMENT_LANES + 1);
        let packed = |range: std::ops::Range<usize>| {
            let terms = lanes[range].iter().zip(0..).map(|(lane, i)| lane.clone() * power_of_two(LANE_BITS * i));
            terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
        };
        let element = columns.element.map(|e| cells.query_advice(e, Rotation::cur()));
        let carry = cells.query_advice(columns.carry, Rotation::cur());
        let mut constraints = vec![
            ("carry", carry - packed(first_of_carry..first_of_carry + CARRY_LANES)),
            ("top lane", is_element * (lanes[top + 1].clone() - lanes[top].clone() * power_of_two(TOP_SHIFT))),
        ];
        for (limb, element) in element.into_iter().enumerate() {
            constraints.push(("limb", element - packed(lanes_of_limb(limb))));
        }
        constraints
    });
    cs.create_gate("modulo q", |cells| {
        let selectors = columns.identities.map(|c| cells.query_fixed(c, Rotation::cur()));
        let sum = IDENTITIES.iter().zip(&selectors).map(|(identity, selector)| {
            let terms = identity.coefficients(&mut |place| limbs_at(cells, columns, place));
            terms.map(|term| selector.clone() * term)
        });
        let sum = sum.reduce(|[a, b, c], [x, y, z]| [a + x, b + y, c + z]);
        let any = selectors.iter().cloned().reduce(|sum, s| sum + s);
        let (Some([native, low, high]), Some(any)) = (sum, any) else { return Vec::new() };
        let quotient = quotient_at(cells, columns);
        let [from_native, from_low, from_high] = product(&quotient, &modulus_limbs());
        let offset = power_of_two(CARRY_OFFSET);
        let [carry, next] = [0, 1].map(|r| cells.query_advice(columns.carry, Rotation(r)) - Expression::Constant(offset));
        let square = power_of_two(2 * LIMB_BITS);
        vec![
            ("modulo q, native", native - any.clone() * from_native),
            ("modulo q, low limbs", low - any.clone() * (from_low + carry.clone() * square)),
            ("modulo q, high limbs", high - any * (from_high - carry + next * square)),
        ]
    });
}

fn limbs_at(cells: &mut VirtualCells<'_, Fr>, columns: &Columns, place: Place) -> Limbs {
    let (limbs, rotation) = match place {
        E(rotation) => (columns.element, rotation),
        T(rotation) => (columns.operand, rotation),
    };
    limbs.map(|limb| cells.query_advice(limb, Rotation(rotation)))
}

/// The quotient of the row, on the row below, without its offset.
fn quotient_at(cells: &mut VirtualCells<'_, Fr>, columns: &Columns) -> Limbs {
    let mut limbs = limbs_at(cells, columns, E(1));
    let offset = power_of_two(QUOTIENT_OFFSET - (LIMBS as u32 - 1) * LIMB_BITS);
    limbs[LIMBS - 1] = limbs[LIMBS - 1].clone() - Expression::Constant(offset);
    limbs
}

fn modulus_limbs() -> Limbs {
    let limbs = split(&modulus());
    limbs.map(Expression::Constant)
}

/// `(left * right)` in the native field, its two low coefficients, its next two: `[n, p_0 + B p_1, p_2 + B p_3]`.
fn product(left: &Limbs, right: &Limbs) -> [Expression<Fr>; 3] {
    let coefficient = |at: usize| {
        let terms = (0..=at).map(|i| left[i].clone() * right[at - i].clone());
        terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
    };
    let pair = |at: usize| coefficient(at) + coefficient(at + 1) * power_of_two(LIMB_BITS);
    [native(left) * native(right), pair(0), pair(2)]
}

/// `Σ B^i limb_i`
pub(super) fn native(limbs: &Limbs) -> Expression<Fr> {
    let terms = limbs.iter().zip(0..).map(|(limb, i)| limb.clone() * power_of_two(LIMB_BITS * i));
    terms.reduce(|sum, term| sum + term).unwrap_or(Expression::Constant(Fr::ZERO))
}

/// The lanes of a limb, as places among the element's.
fn lanes_of_limb(limb: usize) -> std::ops::Range<usize> {
    limb * LIMB_LANES..(limb + 1) * LIMB_LANES
}

fn small(value: i64) -> Fr {
    let size = Fr::from(value.unsigned_abs());
    if value < 0 { -size } else { size }
}

impl Identity {
    /// N as [`product`] gives a product.
    fn coefficients(&self, limbs_at: &mut dyn FnMut(Place) -> Limbs) -> [Expression<Fr>; 3] {
        let mut combined = |linear: Linear| -> Limbs {
            let mut terms = linear.iter().map(|&(factor, place)| limbs_at(place).map(|limb| limb * small(factor)));
            let first = terms.next().unwrap_or_else(|| std::array::from_fn(|_| Expression::Constant(Fr::ZERO)));
            terms.fold(first, |sum, term| std::array::from_fn(|i| sum[i].clone() + term[i].clone()))
        };
        let mut sum: Option<[Expression<Fr>; 3]> = None;
        let mut add = |term: [Expression<Fr>; 3]| {
            sum = Some(match sum.take() {
                None => term,
                Some([a, b, c]) => {
                    let [x, y, z] = term;
                    [a + x, b + y, c + z]
                }
            });
        };
        for (factor, left, right) in self.products {
            let (left, right) = (combined(left), combined(right));
            add(product(&left, &right).map(|term| term * small(*factor)));
        }
        if !self.linear.is_empty() {
            let linear = combined(self.linear);
            let pair = |at: usize| linear[at].clone() + linear[at + 1].clone() * power_of_two(LIMB_BITS);
            add([native(&linear), pair(0), pair(2)]);
        }
        if self.constant != 0 {
            let constant = Expression::Constant(small(self.constant));
            add([constant.clone(), constant, Expression::Constant(Fr::ZERO)]);
        }
        sum.unwrap_or_else(|| std::array::from_fn(|_| Expression::Constant(Fr::ZERO)))
    }

    /// `N_0 + B N_1`, `N_2 + B N_3` and N, of the limbs on a sheet.
    fn values(&self, sheet: &Sheet, row: usize) -> ([BigInt; 2], BigInt) {
        let combined = |linear: Linear| -> [BigInt; LIMBS] {
            let zero: [BigInt; LIMBS] = Default::default();
            linear.iter().fold(zero, |sum, &(factor, place)| {
                let limbs = integer_limbs(sheet, row, place);
                std::array::from_fn(|i| &sum[i] + &limbs[i] * factor)
            })
        };
        let mut total: [BigInt; 2 * LIMBS - 1] = Default::default();
        for (factor, left, right) in self.products {
            let (left, right) = (combined(left), combined(right));
            for (i, l) in left.iter().enumerate() {
                for (j, r) in right.iter().enumerate() {
                    total[i + j] += l * r * *factor;
                }
            }
        }
        for (total, limb) in total.iter_mut().zip(combined(self.linear)) {
            *total += limb;
        }
        total[0] += self.constant;
        let whole = total.iter().rev().fold(BigInt::ZERO, |sum, term| (sum << LIMB_BITS) + term);
        let pair = |at: usize| &total[at] + (&total[at + 1] << LIMB_BITS);
        ([pair(0), pair(2)], whole)
    }
}

/// The limbs at a place as integers; those of an operand can be negative.
fn integer_limbs(sheet: &Sheet, row: usize, place: Place) -> [BigInt; LIMBS] {
    let (columns, rotation) = match place {
        E(rotation) => (sheet.columns.element, rotation),
        T(rotation) => (sheet.columns.operand, rotation),
    };
    let at = row.saturating_add_signed(rotation as isize);
    columns.map(|column| integer(&sheet.advice[column.index()][at]))
}

/// The representative of least size.
fn integer(value: &Fr) -> BigInt {
    let (plain, negated) = (BigUint::from_bytes_le(&value.to_bytes()), BigUint::from_bytes_le(&(-value).to_bytes()));
    if plain <= negated { plain.into() } else { BigInt::from_biguint(Sign::Minus, negated) }
}

/// q
pub fn modulus() -> BigUint {
    BigUint::from_bytes_le(&(-Fq::ONE).to_repr()) + 1u32
}

/// The four limbs of an integer; what lies above them is cut off.
pub(super) fn split(value: &BigUint) -> [Fr; LIMBS] {
    std::array::from_fn(|i| field(&low_bits(&(value >> (LIMB_BITS * i as u32)), LIMB_BITS)))
}

fn low_bits(value: &BigUint, bits: u32) -> BigUint {
    value & ((BigUint::from(1u32) << bits) - 1u32)
}

/// An integer below r as an element of the native field.
fn field(value: &BigUint) -> Fr {
    let mut repr = [0u8; 32];
    for (byte, from) in repr.iter_mut().zip(value.to_bytes_le()) {
        *byte = from;
    }
    Option::from(Fr::from_repr(repr)).unwrap_or(Fr::ZERO)
}

impl Sheet {
    /// Assigns an element modulo q on a row.
    pub fn assign_element(&mut self, row: usize, value: &Fq) -> Result<(), TraceError> {
        let integer = BigUint::from_bytes_le(&value.to_repr());
        self.fix(self.columns.is_element, row, Fr::ONE)?;
        let lanes = self.assign_limbs(row, &integer)?;
        if let Some(top) = lanes.last() {
            let repeated = self.columns.lanes[ELEMENT_LANES];
            self.assign(repeated, row, *top * power_of_two(TOP_SHIFT))?;
        }
        Ok(())
    }

    /// States an identity on `row`, where its elements stand by now, and assigns quotient and carries. Where it does not hold, no assignment
    /// would do, and what is assigned is arbitrary.
    pub fn assign_identity(&mut self, kind: Kind, row: usize) -> Result<(), TraceError> {
        self.fix(self.columns.identities[kind as usize], row, Fr::ONE)?;
        let ([low, high], whole) = IDENTITIES[kind as usize].values(self, row);
        let q = modulus();
        let quotient = whole / BigInt::from(q.clone());
        let offset = BigInt::from(1) << QUOTIENT_OFFSET;
        let stored = (&quotient + &offset).to_biguint().unwrap_or_default();
        self.assign_limbs(row + 1, &stored)?;
        let mut limbs: [BigInt; LIMBS] = split(&stored).map(|limb| integer(&limb));
        limbs[LIMBS - 1] -= BigInt::from(1) << (QUOTIENT_OFFSET - (LIMBS as u32 - 1) * LIMB_BITS);
        let q: [BigInt; LIMBS] = split(&q).map(|limb| integer(&limb));
        let coefficient = |at: usize| -> BigInt { (0..=at).map(|i| &limbs[i] * &q[at - i]).sum() };
        let pair = |at: usize| coefficient(at) + (coefficient(at + 1) << LIMB_BITS);
        let carry: BigInt = (low - pair(0)) >> (2 * LIMB_BITS);
        let next: BigInt = (high - pair(2) + &carry) >> (2 * LIMB_BITS);
        self.assign_carry(row, &carry)?;
        self.assign_carry(row + 1, &next)
    }

    fn assign_limbs(&mut self, row: usize, value: &BigUint) -> Result<Vec<Fr>, TraceError> {
        let lanes = self.assign_lanes(row, 0..ELEMENT_LANES, value)?;
        for (limb, column) in self.columns.element.into_iter().enumerate() {
            let lanes = &lanes[lanes_of_limb(limb)];
            self.assign(column, row, packed(lanes))?;
        }
        Ok(lanes)
    }

    fn assign_carry(&mut self, row: usize, value: &BigInt) -> Result<(), TraceError> {
        let offset = BigInt::from(1) << CARRY_OFFSET;
        let first = ELEMENT_LANES + 1;
        let stored = (value + offset).to_biguint().unwrap_or_default();
        let lanes = self.assign_lanes(row, first..first + CARRY_LANES, &stored)?;
        self.assign(self.columns.carry, row, packed(&lanes)).map(drop)
    }

    fn assign_lanes(&mut self, row: usize, at: std::ops::Range<usize>, value: &BigUint) -> Result<Vec<Fr>, TraceError> {
        let lanes = self.columns.lanes[at].to_vec();
        let values: Vec<Fr> = (0..lanes.len() as u32).map(|i| field(&low_bits(&(value >> (LANE_BITS * i)), LANE_BITS))).collect();
        for (column, value) in lanes.into_iter().zip(&values) {
            self.assign(column, row, *value)?;
        }
        Ok(values)
    }
}

fn packed(lanes: &[Fr]) -> Fr {
    lanes.iter().rev().fold(Fr::ZERO, |sum, lane| sum * power_of_two(LANE_BITS) + lane)
}

#[cfg(test)]
#[path = "modular_tests.rs"]
mod tests;
