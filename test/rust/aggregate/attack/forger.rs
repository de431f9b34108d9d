//! A prover that makes other choices: the points' unit is computed anew from the fixed cells, with forged digits, other representatives of
//! elements, other slopes and other points where it likes, and everything after them follows.

use super::bench::small;
use halo2_proofs::{
    arithmetic::Field,
    halo2curves::{
        bn256::{Fq, Fr, G1Affine},
        ff::PrimeField,
    },
    plonk::{Advice, Column, Fixed},
};
use num_bigint::BigUint;
use std::collections::HashMap;
use zkml_evm::{
    gates::{field::power_of_two, poseidon_params::Parameters},
    outer::{
        Sheet,
        modular::{Kind, modulus},
        points::MULTIPLES,
        shape::{ELEMENT_LANES, LANE_BITS, LIMB_BITS, LIMB_LANES, TOP_SHIFT},
    },
};

/// What a forger does otherwise.
#[derive(Debug, Default)]
pub struct Choices {
    /// The digit on a row that adds.
    pub digits: HashMap<usize, usize>,
    /// How many q are added to the element on a row.
    pub lifts: HashMap<usize, u32>,
    /// The slope on a row that adds.
    pub slopes: HashMap<usize, Fq>,
    /// The point whose x stands on a row.
    pub points: HashMap<usize, G1Affine>,
}

/// The sheet with the points' unit of its first `rows` rows computed anew; copies into the scalars' rows and what these yield follow.
pub fn forged(sheet: &Sheet, rows: usize, choices: &Choices) -> Sheet {
    let mut unit = Unit { fresh: Sheet::new(sheet.widths).unwrap(), honest: sheet, choices, point: [Fq::ZERO; 2] };
    let mut offers = HashMap::new();
    let mut row = 0;
    while row < rows {
        row = unit.next(row, &offers);
        let [id, digit] = [sheet.columns.offered, sheet.columns.offered_digit].map(|c| small(&sheet.fixed[c.index()][row - 2]));
        offers.insert((id.unwrap(), digit.unwrap() as usize), row - 2);
    }
    let mut forged = sheet.clone();
    let columns = &sheet.columns;
    let single = [columns.carry, columns.digit, columns.apart];
    let of_points = columns.lanes.iter().chain(&columns.element).chain(&columns.operand).chain(&single);
    for column in of_points.map(Column::index) {
        forged.advice[column].clone_from(&unit.fresh.advice[column]);
    }
    propagate(&mut forged);
    forged
}

struct Unit<'a> {
    fresh: Sheet,
    honest: &'a Sheet,
    choices: &'a Choices,
    point: [Fq; 2],
}

impl Unit<'_> {
    /// Places what stands on `row`; returns the row behind it.
    fn next(&mut self, row: usize, offers: &HashMap<(u64, usize), usize>) -> usize {
        let columns = &self.honest.columns;
        let is = |kind: Kind, row: usize| self.honest.fixed[columns.identities[kind as usize].index()][row] == Fr::ONE;
        if is(Kind::Slope, row) {
            self.add(row, offers);
            row + 6
        } else if is(Kind::Tangent, row) {
            let [x, y] = self.point;
            let slope = x.square() * Fq::from(3) * y.double().invert().unwrap();
            self.result(row, slope, slope.square() - x.double(), [Kind::Tangent, Kind::Double, Kind::Ordinate]);
            row + 6
        } else if is(Kind::Square, row + 2) {
            let point = self.choices.points.get(&(row + 2));
            let [x, y] = point.map_or_else(|| [row + 2, row + 4].map(|row| element(self.honest, row)), |p| [p.x, p.y]);
            [x.square(), x, y].into_iter().zip([row, row + 2, row + 4]).for_each(|(value, row)| self.write(row, &value));
            self.fresh.assign_identity(Kind::Square, row + 2).unwrap();
            self.fresh.assign_identity(Kind::Curve, row + 4).unwrap();
            self.point = [x, y];
            row + 6
        } else {
            self.point = [row, row + 2].map(|row| element(self.honest, row));
            self.point.into_iter().zip([row, row + 2]).for_each(|(value, row)| self.write(row, &value));
            row + 4
        }
    }

    fn add(&mut self, row: usize, offers: &HashMap<(u64, usize), usize>) {
        let columns = self.honest.columns.clone();
        let id = small(&self.honest.fixed[columns.wanted.index()][row]).unwrap();
        let honest = small(&self.honest.advice[columns.digit.index()][row]).unwrap() as usize;
        let digit = self.choices.digits.get(&row).copied().unwrap_or(honest);
        let negated = digit < MULTIPLES;
        let offer = offers[&(id, if negated { 2 * MULTIPLES - 1 - digit } else { digit })];
        self.fresh.assign(columns.digit, row, Fr::from(digit as u64)).unwrap();
        for (operand, limb) in columns.operand.into_iter().zip(columns.element) {
            let [x, y] = [offer - 2, offer].map(|row| self.fresh.advice[limb.index()][row]);
            self.fresh.assign(operand, row, if negated { -y } else { y }).unwrap();
            self.fresh.assign(operand, row + 2, x).unwrap();
        }
        let [x2, y2] = [offer - 2, offer].map(|row| element(&self.fresh, row));
        let ([x1, y1], y2) = (self.point, if negated { -y2 } else { y2 });
        let slope = self.choices.slopes.get(&row).copied();
        let slope = slope.unwrap_or_else(|| (y2 - y1) * (x2 - x1).invert().unwrap());
        let distance = native(&self.fresh, columns.operand, row + 2) - native(&self.fresh, columns.element, row - 4);
        let q = modulus().to_u64_digits().iter().rev().fold(Fr::ZERO, |sum, &limb| sum * power_of_two(64) + Fr::from(limb));
        let inverse = (distance * (distance.square() - q.square())).invert().unwrap_or(Fr::ZERO);
        self.fresh.assign(columns.apart, row, inverse).unwrap();
        self.fresh.assign(columns.apart, row + 1, distance.square()).unwrap();
        self.result(row, slope, slope.square() - x1 - x2, [Kind::Slope, Kind::Third, Kind::Ordinate]);
    }

    fn result(&mut self, row: usize, slope: Fq, x: Fq, kinds: [Kind; 3]) {
        let y = slope * (self.point[0] - x) - self.point[1];
        let rows = [row, row + 2, row + 4];
        [slope, x, y].into_iter().zip(rows).for_each(|(value, row)| self.write(row, &value));
        kinds.into_iter().zip(rows).for_each(|(kind, row)| self.fresh.assign_identity(kind, row).unwrap());
        self.point = [x, y];
    }

    /// An element in the representative that the forger likes.
    fn write(&mut self, row: usize, value: &Fq) {
        let lift = self.choices.lifts.get(&row).copied().unwrap_or(0);
        let integer = BigUint::from_bytes_le(&value.to_repr()) + modulus() * lift;
        let columns = self.fresh.columns.clone();
        let lanes: Vec<Fr> = digits(&integer, LANE_BITS, ELEMENT_LANES);
        for (column, lane) in columns.lanes.iter().zip(&lanes) {
            self.fresh.assign(*column, row, *lane).unwrap();
        }
        let repeated = lanes[ELEMENT_LANES - 1] * power_of_two(TOP_SHIFT);
        self.fresh.assign(columns.lanes[ELEMENT_LANES], row, repeated).unwrap();
        for (column, lanes) in columns.element.iter().zip(lanes.chunks(LIMB_LANES)) {
            self.fresh.assign(*column, row, packed(lanes)).unwrap();
        }
    }
}

/// The low `count` digits of so many bits.
pub fn digits(value: &BigUint, bits: u32, count: usize) -> Vec<Fr> {
    let mask = (BigUint::from(1u32) << bits) - 1u32;
    let digit = |i: usize| ((value >> (bits as usize * i)) & &mask).to_u64_digits().first().copied().unwrap_or(0);
    (0..count).map(|i| Fr::from(digit(i))).collect()
}

/// What lanes make.
pub fn packed(lanes: &[Fr]) -> Fr {
    lanes.iter().rev().fold(Fr::ZERO, |sum, lane| sum * power_of_two(LANE_BITS) + lane)
}

/// The integer on a row of an element or a quotient.
pub fn integer(sheet: &Sheet, row: usize) -> BigUint {
    let limbs = sheet.columns.element.iter().rev();
    limbs.fold(BigUint::ZERO, |sum, c| (sum << LIMB_BITS) + BigUint::from_bytes_le(&sheet.advice[c.index()][row].to_bytes()))
}

/// The same modulo q.
pub fn element(sheet: &Sheet, row: usize) -> Fq {
    let mut repr = [0u8; 32];
    let reduced = (integer(sheet, row) % modulus()).to_bytes_le();
    repr[..reduced.len()].copy_from_slice(&reduced);
    Fq::from_repr(repr).unwrap()
}

fn native(sheet: &Sheet, limbs: [Column<Advice>; 4], row: usize) -> Fr {
    limbs.iter().rev().fold(Fr::ZERO, |sum, c| sum * power_of_two(LIMB_BITS) + sheet.advice[c.index()][row])
}

/// Copies into operands of scalars and into sponges, and what their rows yield, until nothing changes. Inverses follow what they invert.
pub fn propagate(sheet: &mut Sheet) {
    let columns = sheet.columns.clone();
    let follow: Vec<_> = columns.scalars.into_iter().chain([columns.square, columns.boxed]).collect();
    let copies: Vec<_> = sheet.copies.iter().copied().filter(|(_, to)| follow.contains(&to.column)).collect();
    // So many rounds settle whatever can be settled; a contradiction stays one, and is for the judge.
    for _ in 0..32 {
        let mut settled = true;
        for (from, to) in &copies {
            let value = sheet.value(*from);
            let cell = &mut sheet.advice[to.column.index()][to.row];
            settled &= std::mem::replace(cell, value) == value;
        }
        yield_scalars(sheet);
        permute(sheet);
        if settled {
            return;
        }
    }
}

/// What every row of scalars yields.
pub fn yield_scalars(sheet: &mut Sheet) {
    let columns = sheet.columns.clone();
    let [a, b, d] = columns.scalars.map(|column| column.index());
    for row in 0..sheet.end {
        let [ab, of_a, of_b, of_d, constant] = columns.factors.map(|factor| sheet.fixed[factor.index()][row]);
        if ab == Fr::ONE && constant == -Fr::ONE {
            sheet.advice[b][row] = sheet.advice[a][row].invert().unwrap_or(Fr::ZERO);
        } else {
            let [x, y, z] = [a, b, d].map(|column| sheet.advice[column][row]);
            sheet.advice[columns.result.index()][row] = ab * x * y + of_a * x + of_b * y + of_d * z + constant;
        }
    }
}

/// Every state that follows from what is absorbed.
fn permute(sheet: &mut Sheet) {
    let (columns, mds) = (sheet.columns.clone(), &Parameters::get().mds);
    let mix = |state: [Fr; 3]| mds.map(|row| row.iter().zip(state).map(|(m, s)| *m * s).sum::<Fr>());
    for row in 0..sheet.end {
        let is = |column: Column<Fixed>| sheet.fixed[column.index()][row] == Fr::ONE;
        let mut state = columns.state.map(|c| sheet.advice[c.index()][row]);
        let [square, boxed] = [columns.square, columns.boxed].map(|column| column.index());
        if is(columns.absorbs) {
            state[1] += sheet.advice[square][row];
            state[2] += sheet.advice[boxed][row];
        } else if is(columns.turns) || is(columns.full) || is(columns.partial) {
            let [first, second, third] = state;
            let input = first + sheet.fixed[columns.constant.index()][row];
            let power = input.square().square() * input;
            sheet.advice[square][row] = input.square();
            sheet.advice[boxed][row] = power;
            state = match (is(columns.turns), is(columns.full)) {
                (true, _) => [second, third, power],
                (_, true) => mix([second, third, power]),
                _ => mix([power, second, third]),
            };
        } else {
            continue;
        }
        for (column, value) in columns.state.iter().zip(state) {
            sheet.advice[column.index()][row + 1] = value;
        }
    }
}
