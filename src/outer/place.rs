//! A recording with its values, poured into rows: the table of every point, scalars and permutations in their order, the two sums, and what is
//! exposed.

use super::{
    lookup, modular,
    multiply::{self, Start, Term, digit_offset},
    points::{MULTIPLES, Points},
    scalars::{Row, Scalars, Source},
    shape::{LIMB_BITS, Widths},
    sheet::{Cell, Sheet},
    sponge::Sponge,
};
use crate::{
    gates::{TraceError, field::power_of_two},
    outer::{Axis, Base, Id, Node, Recording},
};
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fq, Fr, G1Affine},
        ff::PrimeField,
        group::prime::PrimeCurveAffine,
    },
};
use num_bigint::BigUint;
use std::collections::HashMap;

/// Words of the accumulator behind the statements: x and y of both sums, each in two halves.
pub const ACCUMULATOR_WORDS: usize = 8;

/// What a circuit is made of besides its recording.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// Of every node.
    pub nodes: &'a [Fr],
    /// Of every slot's proof.
    pub points: &'a [Vec<G1Affine>],
}

/// A table's id, and the limbs of its point.
type Loaded = (usize, [[Cell; 4]; 2]);

/// Where points stand: those of proofs by slot and index.
#[derive(Debug, Default)]
struct Tables {
    proof: HashMap<(usize, usize), Loaded>,
    fixed: Vec<(G1Affine, usize)>,
}

/// Rows that each unit takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Points.
    pub points: usize,
    /// Permutations.
    pub sponge: usize,
    /// Scalars.
    pub scalars: usize,
}

impl Rows {
    /// Rows of the layout that are taken: the units stand side by side.
    pub fn most(&self) -> usize {
        self.points.max(self.sponge).max(self.scalars)
    }
}

/// Lays out `recording`. Fixed cells and copies do not depend on the values: key generation gives any.
///
/// # Errors
/// Too few rows.
pub fn place(recording: &Recording, widths: Widths, values: &Values<'_>) -> Result<(Sheet, Rows), TraceError> {
    if !recording.is_well_formed() {
        return Err(TraceError::NoSuchGate("well-formed recording"));
    }
    let mut sheet = Sheet::new(widths)?;
    let mut points = Points::new(&mut sheet);
    let tables = place_tables(&mut points, recording, values)?;
    let start = Start::place(&mut points)?;
    let mut sums = Vec::new();
    for side in [&recording.lhs, &recording.rhs] {
        let terms: Vec<(Id, usize)> = tables.terms(side)?;
        let with_digits: Vec<Term> = terms.iter().map(|&(id, table)| Term::new(table, values.nodes[id])).collect();
        let digits = multiply::place(&mut points, &start, &with_digits)?;
        sums.push((terms, digits, points.limbs()));
    }
    let of_points = points.rows();
    let pinned = points.finish()?;

    let mut uses = vec![0; recording.nodes.len()];
    sums.iter().flat_map(|(terms, ..)| terms).for_each(|(id, _)| uses[*id] += 2);
    recording.permutations.iter().flat_map(|p| p.added).for_each(|id| uses[id] += 2);
    let mut scalars = Scalars::new(&recording.nodes, values.nodes, uses);
    let of_sponge = place_nodes(&mut sheet, &mut scalars, recording, &tables)?;
    for (terms, digits, _) in &sums {
        for ((id, _), digits) in terms.iter().zip(digits) {
            bind_digits(&mut sheet, &mut scalars, *id, digits)?;
        }
    }
    pin(&mut sheet, &mut scalars, &pinned)?;
    expose_statements(&mut sheet, &scalars, recording)?;
    let statements: usize = recording.slots.iter().map(|slot| slot.instances).sum();
    for (side, (.., limbs)) in sums.iter().enumerate() {
        for (axis, limbs) in limbs.iter().enumerate() {
            for half in 0..2 {
                let cell = two_limbs(&mut sheet, &mut scalars, [limbs[2 * half], limbs[2 * half + 1]], None)?;
                sheet.exposed.push((cell, statements + 4 * side + 2 * axis + half));
            }
        }
    }
    lookup::finish(&mut sheet)?;
    let rows = Rows { points: of_points, sponge: of_sponge, scalars: scalars.rows() };
    Ok((sheet, rows))
}

impl Tables {
    /// The tables of a sum's points. A point of a key at infinity has none, and adds nothing.
    fn terms(&self, side: &[(Id, Base)]) -> Result<Vec<(Id, usize)>, TraceError> {
        let at_infinity = |base: &Base| matches!(base, Base::Fixed(point) if bool::from(point.is_identity()));
        let terms = side.iter().filter(|(_, base)| !at_infinity(base));
        terms.map(|(id, base)| Ok((*id, self.id(base).ok_or(TraceError::NoSuchGate("table of a point"))?))).collect()
    }

    fn id(&self, base: &Base) -> Option<usize> {
        match base {
            Base::Proof { slot, index } => self.proof.get(&(*slot, *index)).map(|(id, _)| *id),
            Base::Fixed(point) => self.fixed.iter().find(|(known, _)| known == point).map(|(_, id)| *id),
        }
    }
}

/// Every point of every proof, multiplied or not: its coordinates are absorbed, and it must be on the curve.
fn place_tables(points: &mut Points<'_>, recording: &Recording, values: &Values<'_>) -> Result<Tables, TraceError> {
    let mut tables = Tables::default();
    for (slot, layout) in recording.slots.iter().enumerate() {
        for index in 0..layout.all_points() {
            tables.proof.insert((slot, index), points.table(&values.points[slot][index])?);
        }
    }
    for (_, base) in recording.lhs.iter().chain(&recording.rhs) {
        if let Base::Fixed(point) = base
            && !bool::from(point.is_identity())
            && tables.id(base).is_none()
        {
            let id = points.known_table(point)?;
            tables.fixed.push((*point, id));
        }
    }
    Ok(tables)
}

/// Scalars and permutations, in the recording's order. Returns the permutations' rows.
fn place_nodes(
    sheet: &mut Sheet,
    scalars: &mut Scalars<'_>,
    recording: &Recording,
    tables: &Tables,
) -> Result<usize, TraceError> {
    let mut sponge = Sponge::default();
    let mut permuted = Vec::with_capacity(recording.permutations.len());
    for (id, node) in recording.nodes.iter().enumerate() {
        match node {
            Node::Squeezed(at) => {
                while permuted.len() <= *at {
                    permuted.push(permute(sheet, scalars, &mut sponge, recording, permuted.len())?);
                }
                scalars.settle(id, permuted[*at]);
            }
            Node::Coordinate { slot, index, axis } => {
                let missing = TraceError::NoSuchGate("point of a proof");
                let (_, [x, y]) = tables.proof.get(&(*slot, *index)).ok_or(missing)?;
                let limbs = if *axis == Axis::X { x } else { y };
                let low = two_limbs(sheet, scalars, [limbs[0], limbs[1]], None)?;
                let all = two_limbs(sheet, scalars, [limbs[2], limbs[3]], Some(low))?;
                if *axis == Axis::X {
                    scalars.differs(sheet, all, ambiguous_x())?;
                }
                scalars.settle(id, all);
            }
            Node::Half { slot, index, axis, upper } => {
                let missing = TraceError::NoSuchGate("point of an accumulator");
                let (_, [x, y]) = tables.proof.get(&(*slot, *index)).ok_or(missing)?;
                let limbs = if *axis == Axis::X { x } else { y };
                let half = if *upper { [limbs[2], limbs[3]] } else { [limbs[0], limbs[1]] };
                let whole = two_limbs(sheet, scalars, half, None)?;
                scalars.settle(id, whole);
            }
            _ => scalars.node(sheet, id)?,
        }
    }
    Ok(sponge.rows())
}

/// The only x modulo r of two points of the curve with coordinates below 2^254, `x0` and `x0 + r`, whose y agree modulo r as well: the transcript
/// would take them for one. x0 has 189 bits, and `x0 + r` is a cube root of 1 modulo q times x0 (`docs/soundness.md`). No honest point has it.
pub(crate) fn ambiguous_x() -> Fr {
    Fr::from_raw([0x934df252932dec1d, 0x46fb76a5e4491ec4, 0x1df623ef8af183e4, 0x0000000000000000])
}

fn permute(
    sheet: &mut Sheet,
    scalars: &mut Scalars<'_>,
    sponge: &mut Sponge,
    recording: &Recording,
    at: usize,
) -> Result<Cell, TraceError> {
    let permutation = &recording.permutations[at];
    match permutation.before {
        None => sponge.start(sheet)?,
        Some(before) if before + 1 == at => {}
        Some(_) => return Err(TraceError::NoSuchGate("sponge that goes on after another")),
    }
    for (cell, id) in sponge.inputs(sheet).into_iter().zip(permutation.added) {
        scalars.put(sheet, id, cell)?;
    }
    sponge.permute(sheet)
}

/// `low + 2^w high` of two limbs; behind a `below`, `below + 2^2w (low + 2^w high)`.
fn two_limbs(
    sheet: &mut Sheet,
    scalars: &mut Scalars<'_>,
    [low, high]: [Cell; 2],
    below: Option<Cell>,
) -> Result<Cell, TraceError> {
    let shift = if below.is_some() { 2 * LIMB_BITS } else { 0 };
    let operand = |exponent: u32, cell: Cell| Some((power_of_two(exponent), Source::Cell(cell)));
    let row = Row {
        a: operand(shift, low),
        b: operand(shift + LIMB_BITS, high),
        d: below.and_then(|below| operand(0, below)),
        ..Row::default()
    };
    scalars.row(sheet, &row)
}

/// `Σ 32^i digit_i = scalar / 2 + offset`, from the highest digit down.
fn bind_digits(sheet: &mut Sheet, scalars: &mut Scalars<'_>, id: Id, digits: &[Cell]) -> Result<(), TraceError> {
    let base = Fr::from(2 * MULTIPLES as u64);
    let operand = |factor: Fr, cell: &Cell| Some((factor, Source::Cell(*cell)));
    let missing = TraceError::NoSuchGate("digit of a scalar");
    let [rest @ .., third, second, first] = digits else { return Err(missing) };
    let row = Row { a: operand(base.square(), first), b: operand(base, second), d: operand(Fr::ONE, third), ..Row::default() };
    let mut so_far = scalars.row(sheet, &row)?;
    let (pairs, []) = rest.as_chunks::<2>() else { return Err(missing) };
    for [lower, higher] in pairs.iter().rev() {
        let row =
            Row { a: operand(base, higher), b: operand(Fr::ONE, lower), d: operand(base.square(), &so_far), ..Row::default() };
        so_far = scalars.row(sheet, &row)?;
    }
    let half = Row { a: Some((Fr::TWO_INV, Source::Node(id))), constant: digit_offset(), ..Row::default() };
    let whole = scalars.row(sheet, &half)?;
    sheet.equal(so_far, whole);
    Ok(())
}

/// Binds cells to constants, each of which takes one row.
fn pin(sheet: &mut Sheet, scalars: &mut Scalars<'_>, pinned: &[(Cell, Fr)]) -> Result<(), TraceError> {
    let mut rows: HashMap<[u8; 32], Cell> = HashMap::new();
    for (cell, constant) in pinned {
        let known = match rows.get(&constant.to_repr()) {
            Some(known) => *known,
            None => scalars.row(sheet, &Row { constant: *constant, ..Row::default() })?,
        };
        rows.insert(constant.to_repr(), known);
        sheet.equal(known, *cell);
    }
    Ok(())
}

fn expose_statements(sheet: &mut Sheet, scalars: &Scalars<'_>, recording: &Recording) -> Result<(), TraceError> {
    let mut before = 0;
    for (slot, layout) in recording.slots.iter().enumerate() {
        for index in 0..layout.instances {
            let wanted = Node::Instance { slot, index };
            let home = recording.nodes.iter().position(|node| *node == wanted).and_then(|id| scalars.home(id));
            sheet.exposed.push((home.ok_or(TraceError::NoSuchGate("public value of a slot"))?, before + index));
        }
        before += layout.instances;
    }
    Ok(())
}

/// The words of the accumulator among the public values: `x mod 2^2w, x >> 2w` of each coordinate, of lhs and then rhs.
pub fn accumulator_words(sums: [G1Affine; 2]) -> Vec<Fr> {
    let limbs = |coordinate: &Fq| modular::split(&BigUint::from_bytes_le(&coordinate.to_repr()));
    let halves = |coordinate: Fq| {
        let [a, b, c, d] = limbs(&coordinate);
        let shift = power_of_two(LIMB_BITS);
        [a + shift * b, c + shift * d]
    };
    sums.into_iter().flat_map(|point| [point.x, point.y]).flat_map(halves).collect()
}
