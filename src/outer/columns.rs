//! The columns of an aggregation circuit. Three units work side by side on the same rows: points of the curve, the transcripts' permutations,
//! and scalar arithmetic. Copies connect them.
//!
//! | column | phase | holds |
//! |---|---|---|
//! | `lanes` | 1 | limbs of an element or a quotient, its top lane again, limbs of a carry; all looked up in the range table |
//! | `element` (copyable) | 1 | the four limbs that the lanes make |
//! | `carry` | 1 | the carry that the lanes make |
//! | `operand` | 1 | limbs of the point that is added, looked up among the multiples |
//! | `digit` (copyable) | 1 | which multiple |
//! | `apart` | 1 | witnesses that two points have different x |
//! | `multiplicity` | 1 | lookups of each range table row |
//! | `plus`, `minus` | 1 | lookups of each multiple, and of its negative |
//! | `scalars` (copyable) | 1 | `a, b, d` and the result of a scalar row |
//! | `state` (second cell copyable), `square` and `boxed` (copyable) | 1 | Poseidon |
//! | `helpers`, `found`, `sum` | 2 | the lookups |

use super::{
    lookup, modular, points, scalars,
    shape::{LANES, LIMBS},
    sponge,
};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{Advice, Challenge, Column, ColumnType, ConstraintSystem, FirstPhase, Fixed, SecondPhase},
};
use std::collections::BTreeMap;

/// The identities, as a contract names them.
const IDENTITY_NAMES: [&str; IDENTITIES] = ["SLOPE", "THIRD", "ORDINATE", "TANGENT", "DOUBLE", "SQUARE_OF_X", "CURVE"];

/// Poseidon's width.
pub const STATE: usize = 3;
/// Identities modulo q.
pub const IDENTITIES: usize = 7;

/// All columns and challenges of the layout.
#[derive(Clone, Debug)]
pub struct Columns {
    /// See the module.
    pub lanes: Vec<Column<Advice>>,
    /// See the module.
    pub element: [Column<Advice>; LIMBS],
    /// See the module.
    pub carry: Column<Advice>,
    /// See the module.
    pub operand: [Column<Advice>; LIMBS],
    /// See the module.
    pub digit: Column<Advice>,
    /// See the module.
    pub apart: Column<Advice>,
    /// See the module.
    pub multiplicity: Column<Advice>,
    /// See the module.
    pub plus: Column<Advice>,
    /// See the module.
    pub minus: Column<Advice>,
    /// `a`, `b`, `d`.
    pub scalars: [Column<Advice>; 3],
    /// What a scalar row yields.
    pub result: Column<Advice>,
    /// Poseidon's state.
    pub state: [Column<Advice>; STATE],
    /// The square of the S-box's input; on an absorbing row, what is absorbed first.
    pub square: Column<Advice>,
    /// The S-box's output; on an absorbing row, what is absorbed second.
    pub boxed: Column<Advice>,
    /// Terms of three lanes each.
    pub helpers: Vec<Column<Advice>>,
    /// The terms of the multiples.
    pub found: Column<Advice>,
    /// The running sum of all lookups.
    pub sum: Column<Advice>,
    /// 1 on every row from the first to the one before the end pin.
    pub active: Column<Fixed>,
    /// The range table.
    pub table: Column<Fixed>,
    /// 1 on rows whose lanes are an element.
    pub is_element: Column<Fixed>,
    /// 1 on rows where the identity holds, one column for each.
    pub identities: [Column<Fixed>; IDENTITIES],
    /// Whose multiple is looked up, counted from 1; 0 on rows that look up none.
    pub wanted: Column<Fixed>,
    /// Whose multiple stands here, counted from 1; 0 where none does.
    pub offered: Column<Fixed>,
    /// Which multiple it is.
    pub offered_digit: Column<Fixed>,
    /// Factors of `a b`, `a`, `b`, `d`, and the constant.
    pub factors: [Column<Fixed>; 5],
    /// 1 on rows where a transcript starts.
    pub starts: Column<Fixed>,
    /// 1 on rows that absorb.
    pub absorbs: Column<Fixed>,
    /// 1 on the first two rows of a full round.
    pub turns: Column<Fixed>,
    /// 1 on the third.
    pub full: Column<Fixed>,
    /// 1 on rows of a partial round.
    pub partial: Column<Fixed>,
    /// The constant of the S-box's input.
    pub constant: Column<Fixed>,
    /// Draws the lookups' point.
    pub beta: Challenge,
    /// Compresses the lookups' tuples.
    pub theta: Challenge,
}

impl Columns {
    /// Creates the columns and every gate.
    pub fn configure(cs: &mut ConstraintSystem<Fr>) -> Self {
        let lanes: Vec<_> = (0..LANES).map(|_| cs.advice_column()).collect();
        let mut advice = || cs.advice_column();
        let element = std::array::from_fn(|_| advice());
        let carry = advice();
        let operand = std::array::from_fn(|_| advice());
        let [digit, apart, multiplicity, plus, minus, result] = std::array::from_fn(|_| advice());
        let (scalars, state) = (std::array::from_fn(|_| advice()), std::array::from_fn(|_| advice()));
        let [square, boxed] = std::array::from_fn(|_| advice());
        let [beta, theta] = std::array::from_fn(|_| cs.challenge_usable_after(FirstPhase));
        let helpers = (0..lookup::helped_lanes().len()).map(|_| cs.advice_column_in(SecondPhase)).collect();
        let [found, sum] = std::array::from_fn(|_| cs.advice_column_in(SecondPhase));
        let mut fixed = || cs.fixed_column();
        let [active, table, is_element, wanted, offered, offered_digit] = std::array::from_fn(|_| fixed());
        let (identities, factors) = (std::array::from_fn(|_| fixed()), std::array::from_fn(|_| fixed()));
        let [starts, absorbs, turns, full, partial, constant] = std::array::from_fn(|_| fixed());
        let columns = Self {
            lanes,
            element,
            carry,
            operand,
            digit,
            apart,
            multiplicity,
            plus,
            minus,
            scalars,
            result,
            state,
            square,
            boxed,
            helpers,
            found,
            sum,
            active,
            table,
            is_element,
            identities,
            wanted,
            offered,
            offered_digit,
            factors,
            starts,
            absorbs,
            turns,
            full,
            partial,
            constant,
            beta,
            theta,
        };
        modular::configure(cs, &columns);
        points::configure(cs, &columns);
        scalars::configure(cs, &columns);
        sponge::configure(cs, &columns);
        lookup::configure(cs, &columns);
        columns
    }

    /// The columns whose cells can be copied.
    pub fn copied(&self) -> Vec<Column<Advice>> {
        let sponge = [self.state[1], self.square, self.boxed];
        self.element.into_iter().chain([self.digit, self.result]).chain(self.scalars).chain(sponge).collect()
    }

    /// Columns of the first phase, by index.
    pub fn early(&self) -> Vec<Column<Advice>> {
        let single =
            [self.square, self.boxed, self.carry, self.digit, self.apart, self.multiplicity, self.plus, self.minus, self.result];
        let units = self.element.into_iter().chain(self.operand).chain(self.scalars);
        let mut all: Vec<_> = self.lanes.iter().copied().chain(single).chain(units).chain(self.state).collect();
        all.sort_by_key(Column::index);
        all
    }

    /// What the committed columns' places are called in a contract: advice columns, fixed columns, each by index.
    pub fn names(&self) -> [Vec<String>; 2] {
        let numbered = |name: &str, count: usize| (0..count).map(|i| format!("{name}_{i}")).collect::<Vec<_>>();
        let given = |name: &str| vec![name.to_owned()];
        let advice = [
            (indices(&self.lanes), numbered("LANE", self.lanes.len())),
            (indices(&self.element), numbered("ELEMENT", LIMBS)),
            (indices(&self.operand), numbered("OPERAND", LIMBS)),
            (indices(&self.scalars), ["SCALAR_A", "SCALAR_B", "SCALAR_D"].map(str::to_owned).to_vec()),
            (indices(&self.state), numbered("STATE", STATE)),
            (indices(&[self.square]), given("SQUARE")),
            (indices(&[self.boxed]), given("BOXED")),
            (indices(&self.helpers), numbered("HELPER", self.helpers.len())),
            (indices(&[self.carry]), given("CARRY")),
            (indices(&[self.digit]), given("DIGIT")),
            (indices(&[self.apart]), given("APART")),
            (indices(&[self.multiplicity]), given("MULTIPLICITY")),
            (indices(&[self.plus]), given("PLUS")),
            (indices(&[self.minus]), given("MINUS")),
            (indices(&[self.result]), given("RESULT")),
            (indices(&[self.found]), given("FOUND")),
            (indices(&[self.sum]), given("SUM")),
        ];
        let fixed = [
            (indices(&self.identities), IDENTITY_NAMES.map(str::to_owned).to_vec()),
            (indices(&self.factors), ["FACTOR_AB", "FACTOR_A", "FACTOR_B", "FACTOR_D", "ADDEND"].map(str::to_owned).to_vec()),
            (indices(&[self.constant]), given("CONSTANT")),
            (indices(&[self.turns]), given("TURNS")),
            (indices(&[self.active]), given("ACTIVE")),
            (indices(&[self.table]), given("TABLE")),
            (indices(&[self.is_element]), given("IS_ELEMENT")),
            (indices(&[self.wanted]), given("WANTED")),
            (indices(&[self.offered]), given("OFFERED")),
            (indices(&[self.offered_digit]), given("OFFERED_DIGIT")),
            (indices(&[self.starts]), given("STARTS")),
            (indices(&[self.absorbs]), given("ABSORBS")),
            (indices(&[self.full]), given("FULL")),
            (indices(&[self.partial]), given("PARTIAL")),
        ];
        [by_index(&advice), by_index(&fixed)]
    }

    /// Columns of the second phase, by index.
    pub fn late(&self) -> Vec<Column<Advice>> {
        self.helpers.iter().copied().chain([self.found, self.sum]).collect()
    }
}

fn indices<C: ColumnType>(columns: &[Column<C>]) -> Vec<usize> {
    columns.iter().map(Column::index).collect()
}

fn by_index(groups: &[(Vec<usize>, Vec<String>)]) -> Vec<String> {
    let named = groups.iter().flat_map(|(indices, names)| indices.iter().copied().zip(names.iter().cloned()));
    named.collect::<BTreeMap<usize, String>>().into_values().collect()
}
