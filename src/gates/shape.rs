//! The columns of a circuit and the widths that its gates share.
//!
//! | column | phase | in range rows | in rescale rows | in linear rows | in Poseidon rows |
//! |---|---|---|---|---|---|
//! | `a` (copyable) | 1 | the value | the result, or a window's maximum | `x_j`, or a border output | state 0 |
//! | `b` | 1 | packed sum | sign bit, or a product of distances | a border output | state 1 |
//! | `c` | 1 | | | | state 2 |
//! | `limbs` (lanes) | 1 | limbs of `v - lo`, `hi - v` | limbs of remainder, magnitude | | |
//! | `multiplicity` | 1 | lookup multiplicities on table rows | | | |
//! | `folded` | 2 | | | folded weights `u_j` | square of the S-box input |
//! | `powers` | 2 | | | | all squares and their squares, where columns are stacked |
//! | `fold` | 2 | running fold of all linear layers, on every row | | | |
//! | `helpers` | 2 | parts of the lookup that a step of `sum` has no degree for, on every row | | | |
//! | `sum` | 2 | running sum of the lookup, on every row | | | |

use super::{Selector, Steps, argmax, fold, function, lookup, maximum, pool, poseidon, range, rescale, walk};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{Advice, Challenge, Column, ConstraintSystem, Fixed, Instance, SecondPhase},
};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// More lanes than the limbs of any value that is placed at once.
pub const MAX_LANES: u32 = 8;
/// More columns than a layout has of one kind, for most shapes; any number is sound.
pub const MAX_STACK: u32 = 64;

/// Which gates a circuit has and how wide they are. Together with the fixed columns this determines the verifying key. The order of
/// the fields is that of stored shapes and of the model's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The circuit has `2^k` rows.
    pub k: u32,
    /// Public values of one statement. halo2 pads a shorter instance column with zeros, so the verifier must know the number.
    pub instances: u32,
    /// Fixed weight columns, at least 2.
    pub weights: u32,
    /// Bits of one range-checked limb; the table has `2^limb_bits` rows.
    pub limb_bits: u32,
    /// Limbs of a rescale's remainder: the shift is `remainder_limbs * limb_bits`.
    pub remainder_limbs: u32,
    /// Limbs of a rescale's magnitude.
    pub magnitude_limbs: u32,
    /// Limbs on each side of a range check.
    pub range_limbs: u32,
    /// Bits given to each packed value, where inputs and weights differ the larger; 0 when nothing is committed to.
    pub pack_bits: u32,
    /// Some rescale has a ReLU.
    pub relu: bool,
    /// Some rescale keeps the sign.
    pub signed: bool,
    /// The output is a threshold.
    pub threshold: bool,
    /// The output is an argmax.
    pub argmax: bool,
    /// There is a function table.
    pub function: bool,
    /// How far one row can move folded weights; none where nothing walks.
    pub steps: Steps,
    /// Some convolution has outputs beyond its windows, which stand in cells of their own.
    pub border: bool,
    /// Some window's maximum is taken.
    pub maximum: bool,
    /// Limb columns: so many limbs of one value stand side by side in a row.
    pub lanes: u32,
    /// `hi - lo` of every input, where the inputs stand on the rows of the layer that reads them; 0 where they have range rows of their own.
    pub span: u64,
    /// Some layer's accumulators are compared before they are rescaled.
    pub pooled: bool,
    /// Rows of the circuit that one row of the layout takes: so many columns of a kind stand under each other in a committed one (`stack.rs`).
    pub stack: u32,
}

/// What a function table adds.
#[derive(Clone, Debug)]
pub struct FunctionColumns {
    /// On the first row of an evaluation; a column of its own, since the lookup multiplies by it.
    pub selector: Selector,
    /// The table's value at the start of a segment.
    pub table_value: Column<Fixed>,
    /// The table's difference across a segment.
    pub table_slope: Column<Fixed>,
    /// 1 on the function table's rows, 0 on the range table's.
    pub table_tag: Column<Fixed>,
    /// θ, compresses the tuples of the lookup.
    pub theta: Challenge,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            k: 10,
            instances: 1,
            weights: 2,
            limb_bits: 8,
            remainder_limbs: 3,
            magnitude_limbs: 2,
            range_limbs: 3,
            pack_bits: 0,
            relu: false,
            signed: false,
            threshold: false,
            argmax: false,
            function: false,
            steps: Steps::default(),
            border: false,
            maximum: false,
            lanes: 1,
            span: 0,
            pooled: false,
            stack: 1,
        }
    }
}

impl Shape {
    /// Whether the circuit hashes its input.
    pub fn commits(&self) -> bool {
        self.pack_bits > 0
    }

    /// The shift of every rescale, in bits.
    pub fn shift_bits(&self) -> u32 {
        self.remainder_limbs * self.limb_bits
    }

    /// The bits of every magnitude.
    pub fn magnitude_bits(&self) -> u32 {
        self.magnitude_limbs * self.limb_bits
    }

    /// Rows that `count` limbs take: the lanes of one row first.
    pub fn limb_rows(&self, count: u32) -> usize {
        count.div_ceil(self.lanes) as usize
    }

    /// Rows of the layout.
    pub fn rows(&self) -> usize {
        (1usize << self.k) / self.stack.max(1) as usize
    }

    /// Whether columns are stacked. A column is then a cell to evaluate and no commitment, so more of them keep the degree at 4: no two
    /// selectors share one, the lookup has more helpers, and Poseidon cells for its powers.
    pub fn is_stacked(&self) -> bool {
        self.stack > 1
    }

    /// Lanes that a step of the running sum holds; the others go through helpers. The step has degree 5 with two of them, 4 with one;
    /// a lane that can be a function's tuple counts for two.
    pub fn step_lanes(&self) -> usize {
        let most = 2 - u32::from(self.function) - u32::from(self.is_stacked());
        self.lanes.min(most) as usize
    }

    /// The lanes that each helper column of the lookup holds. Its constraint has degree 5 with three, and 4 with two or a function's tuple.
    pub fn helped_lanes(&self) -> Vec<Range<usize>> {
        let (mut from, lanes) = (self.step_lanes(), self.lanes as usize);
        let mut all = Vec::new();
        while from < lanes {
            let most = match (self.is_stacked(), from) {
                (true, 0) => 1,
                (true, _) => 2,
                (false, _) => 3,
            };
            let to = lanes.min(from + most);
            all.push(from..to);
            from = to;
        }
        all
    }

    /// Rows of one rescale.
    pub fn rescale_rows(&self) -> usize {
        self.limb_rows(self.remainder_limbs + self.magnitude_limbs)
    }

    /// Rows of one range check.
    pub fn range_rows(&self) -> usize {
        self.limb_rows(2 * self.range_limbs)
    }

    /// Rows of one class of an argmax: its limbs, and at least the three cells of column `a`.
    pub fn argmax_rows(&self) -> usize {
        self.limb_rows(self.magnitude_limbs).max(3)
    }

    /// Rows of one element of a maximum: its limbs, and at least the two cells of column `a`.
    pub fn maximum_rows(&self) -> usize {
        self.limb_rows(self.magnitude_limbs).max(2)
    }

    /// Limbs of the distance of two accumulators that fit a rescale: they may lie on both sides of zero, which takes a bit more.
    pub fn pool_limbs(&self) -> u32 {
        self.remainder_limbs + self.magnitude_limbs + 1
    }

    /// Rows of one accumulator of a pooled window.
    pub fn pool_rows(&self) -> usize {
        self.limb_rows(self.pool_limbs())
    }

    /// Rows of one function evaluation: its limbs, and at least the two cells of columns `a` and `b`.
    pub fn function_rows(&self) -> usize {
        self.limb_rows(2 * self.magnitude_limbs - 1).max(2)
    }

    /// Rows of all tables.
    pub fn table_rows(&self) -> usize {
        (1 << self.limb_bits) * if self.function { 2 } else { 1 }
    }

    /// Whether the widths are ones that the gates are sound for; checked on every shape that comes from a file.
    pub fn is_sound(&self) -> bool {
        (4..=24).contains(&self.k)
            && (1..1u32 << self.k).contains(&self.instances)
            && (2..=256).contains(&self.weights)
            && (1..=16).contains(&self.limb_bits)
            && (1..=MAX_LANES).contains(&self.lanes)
            && (1..=MAX_STACK).contains(&self.stack)
            && (1..=8).contains(&self.remainder_limbs)
            && (1..=8).contains(&self.magnitude_limbs)
            && (1..=8).contains(&self.range_limbs)
            && self.shift_bits() <= 64
            && self.magnitude_bits() <= 48
            && self.range_limbs * self.limb_bits <= 64
            && (!self.function || self.magnitude_limbs >= 2)
            && (!self.pooled || self.pool_limbs() * self.limb_bits <= 120)
            && (self.span == 0
                || (2 * self.range_limbs <= self.lanes && self.span >> (self.range_limbs * self.limb_bits).min(63) == 0))
            && self.steps.is_sound()
            && (self.steps.is_empty() || self.weights >= Steps::COLUMNS)
            && (!self.border || !self.steps.is_empty())
            && self.pack_bits <= 64
            && self.pack_bits.is_multiple_of(8)
    }
}

/// All columns and challenges of a circuit.
#[derive(Clone, Debug)]
pub struct Columns {
    /// General column, the only copyable one.
    pub a: Column<Advice>,
    /// General column.
    pub b: Column<Advice>,
    /// Third Poseidon state column; present when the circuit hashes.
    pub c: Option<Column<Advice>>,
    /// The lanes: every cell of them between the pins is looked up in the range table.
    pub limbs: Vec<Column<Advice>>,
    /// How often each table row is looked up.
    pub multiplicity: Column<Advice>,
    /// Phase 2: folded weights, or Poseidon's square.
    pub folded: Column<Advice>,
    /// Phase 2: squares and fourth powers of Poseidon's state, the first square in `folded`; present when the circuit hashes and is stacked.
    pub powers: Option<[[Column<Advice>; 2]; 3]>,
    /// Phase 2: the fold of all linear layers.
    pub fold: Column<Advice>,
    /// Phase 2: the lookup's terms of some lanes each.
    pub helpers: Vec<Column<Advice>>,
    /// Phase 2: the lookup's running sum.
    pub sum: Column<Advice>,
    /// Weights in linear rows; lower bound, packing factor, round constants elsewhere.
    pub weights: Vec<Column<Fixed>>,
    /// Bias, upper bound, round constant, domain tag.
    pub constant: Column<Fixed>,
    /// The range table.
    pub table: Column<Fixed>,
    /// 1 on every row from the first to the one before the end pin.
    pub active: Column<Fixed>,
    /// 1 on linear rows.
    pub linear: Column<Fixed>,
    /// 1 on the last linear row of each input.
    pub last: Column<Fixed>,
    /// On the first row of a range check.
    pub range: Option<Selector>,
    /// On the first row of a rescale with ReLU.
    pub relu: Option<Selector>,
    /// On the first row of a rescale without.
    pub signed: Option<Selector>,
    /// On the first row of a threshold.
    pub threshold: Option<Selector>,
    /// On the first row of each class of an argmax.
    pub argmax: Option<Selector>,
    /// The function table, when there is one.
    pub function: Option<FunctionColumns>,
    /// On a row whose cell of column `a` is an accumulator of its own.
    pub border: Option<Selector>,
    /// On the first row of each element of a maximum.
    pub maximum: Option<Selector>,
    /// On the first row of each accumulator of a pooled window.
    pub distance: Option<Selector>,
    /// On the first row of the rescale of a pooled window.
    pub pooled: Option<Selector>,
    /// 1 on rows whose `folded` goes on from the row before; present where columns are stacked, elsewhere the row before tells.
    pub continues: Option<Column<Fixed>>,
    /// 1 on rows that move or load `folded`; present when something walks.
    pub shift: Option<Column<Fixed>>,
    /// On a row where an input stands and takes part in its layer at once.
    pub in_place: Option<Selector>,
    /// On a Poseidon absorb row.
    pub absorb: Option<Selector>,
    /// On the first row of a full Poseidon round; a column of its own, since its gate has degree 3 without selector.
    pub full: Option<Selector>,
    /// On a partial Poseidon round; likewise.
    pub partial: Option<Selector>,
    /// The public values.
    pub instance: Column<Instance>,
    /// γ, folds linear layers.
    pub gamma: Challenge,
    /// β, serves the lookup.
    pub beta: Challenge,
}

impl Columns {
    /// Creates the columns and every gate of `shape`.
    pub fn configure(cs: &mut ConstraintSystem<Fr>, shape: &Shape) -> Self {
        let a = cs.advice_column();
        let b = cs.advice_column();
        let c = shape.commits().then(|| cs.advice_column());
        let limbs = (0..shape.lanes).map(|_| cs.advice_column()).collect();
        let multiplicity = cs.advice_column();
        let gamma = cs.challenge_usable_after(halo2_proofs::plonk::FirstPhase);
        let beta = cs.challenge_usable_after(halo2_proofs::plonk::FirstPhase);
        let function = shape.function.then(|| FunctionColumns {
            selector: Selector::single(cs),
            table_value: cs.fixed_column(),
            table_slope: cs.fixed_column(),
            table_tag: cs.fixed_column(),
            theta: cs.challenge_usable_after(halo2_proofs::plonk::FirstPhase),
        });
        let wanted = [
            true,
            shape.relu,
            shape.signed,
            shape.threshold,
            shape.argmax,
            shape.commits(),
            shape.border,
            shape.maximum,
            shape.span > 0,
            shape.pooled,
            shape.pooled,
        ];
        let [range, relu, signed, threshold, argmax, absorb, border, maximum, in_place, distance, pooled] =
            if shape.is_stacked() { Selector::apart(cs, wanted) } else { Selector::shared(cs, wanted) };
        let folded = cs.advice_column_in(SecondPhase);
        let mut power = || cs.advice_column_in(SecondPhase);
        let powers = (shape.commits() && shape.is_stacked()).then(|| [[folded, power()], [power(), power()], [power(), power()]]);
        let columns = Self {
            a,
            b,
            c,
            limbs,
            multiplicity,
            folded,
            powers,
            fold: cs.advice_column_in(SecondPhase),
            helpers: (0..shape.helped_lanes().len()).map(|_| cs.advice_column_in(SecondPhase)).collect(),
            sum: cs.advice_column_in(SecondPhase),
            weights: (0..shape.weights).map(|_| cs.fixed_column()).collect(),
            constant: cs.fixed_column(),
            table: cs.fixed_column(),
            active: cs.fixed_column(),
            linear: cs.fixed_column(),
            last: cs.fixed_column(),
            range,
            relu,
            signed,
            threshold,
            argmax,
            function,
            border,
            maximum,
            distance,
            pooled,
            shift: (!shape.steps.is_empty()).then(|| cs.fixed_column()),
            in_place,
            continues: shape.is_stacked().then(|| cs.fixed_column()),
            absorb,
            full: shape.commits().then(|| Selector::single(cs)),
            partial: shape.commits().then(|| Selector::single(cs)),
            instance: cs.instance_column(),
            gamma,
            beta,
        };
        cs.enable_equality(columns.a);
        cs.enable_equality(columns.instance);
        range::configure(cs, &columns, shape);
        rescale::configure(cs, &columns, shape);
        fold::configure(cs, &columns, shape);
        walk::configure(cs, &columns, shape);
        argmax::configure(cs, &columns, shape);
        maximum::configure(cs, &columns, shape);
        pool::configure(cs, &columns, shape);
        function::configure(cs, &columns, shape);
        poseidon::configure(cs, &columns);
        lookup::configure(cs, &columns, shape);
        columns
    }

    /// Where limb `index` of a value stands whose limbs start at `row`: column and row.
    pub fn limb_at(&self, row: usize, index: u32) -> (Column<Advice>, usize) {
        let lanes = self.limbs.len();
        (self.limbs[index as usize % lanes], row + index as usize / lanes)
    }

    /// Every advice column, by index.
    pub fn advice_columns(&self) -> Vec<Column<Advice>> {
        let early = [self.a, self.b, self.multiplicity].into_iter().chain(self.c).chain(self.limbs.iter().copied());
        let late = [self.folded, self.fold, self.sum].into_iter().chain(self.helpers.iter().copied());
        let mut all: Vec<_> = early.chain(late).chain(self.powers.into_iter().flatten().flatten()).collect();
        all.sort_by_key(Column::index);
        all.dedup();
        all
    }

    /// Every challenge, by index.
    pub fn challenges(&self) -> Vec<Challenge> {
        [self.gamma, self.beta].into_iter().chain(self.function.as_ref().map(|f| f.theta)).collect()
    }

    /// Every fixed column, by index.
    pub fn fixed_columns(&self) -> Vec<Column<Fixed>> {
        let gates = [self.range, self.relu, self.signed, self.threshold, self.argmax, self.border, self.maximum, self.in_place];
        let others = [self.distance, self.pooled, self.absorb, self.full, self.partial];
        let single = [self.constant, self.table, self.active, self.linear, self.last];
        let function = self.function.iter().flat_map(|f| [f.selector.column(), f.table_value, f.table_slope, f.table_tag]);
        let selectors = gates.iter().chain(&others).flatten().map(Selector::column);
        let shared = selectors.chain(function).chain(self.shift).chain(self.continues);
        let mut all: Vec<_> = self.weights.iter().copied().chain(single).chain(shared).collect();
        all.sort_by_key(Column::index);
        all.dedup();
        all
    }
}
