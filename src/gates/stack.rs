//! Columns of the layout stacked into few committed ones: a commitment costs the verifier about 8k gas, a cell read at another rotation
//! 0.8k, and rows nothing.
//!
//! With a stack of `h`, row `i` of the layout is the rows `h i .. h i + h` of the circuit, its *base row* the first of them. A column of the
//! layout is an offset in a committed column of its kind (phase 1, phase 2, fixed):
//!
//! ```text
//! column(i + r)  =  committed(h i + offset + h r)        so rotation r is rotation h r + offset, seen from a base row
//! ```
//!
//! A gate means something on base rows only. The fixed column `active` therefore stands alone, at offset 0: it is 0 on all other rows. A
//! constraint that is no multiple of `active` and `active_prev` already is multiplied by `active`, and holds on every other row whatever
//! stands there. On base rows it is the layout's constraint, where `active` is 1; where it is 0, the layout has no gate enabled.

use super::{Columns, Shape, TraceError};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{Advice, Challenge, Column, ConstraintSystem, Expression, FirstPhase, Fixed, Instance, SecondPhase, VirtualCells},
    poly::Rotation,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Where a column of the layout is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<C> {
    /// The committed column.
    pub column: C,
    /// Its first cell's row in it.
    pub offset: usize,
}

/// The committed columns of a circuit, and where those of its layout stand in them.
#[derive(Clone, Debug)]
pub struct Stack<L = Columns> {
    /// The layout's columns.
    pub columns: L,
    /// Places of the layout's advice columns, by index.
    pub advice: Vec<Place<Column<Advice>>>,
    /// Places of the layout's fixed columns, by index.
    pub fixed: Vec<Place<Column<Fixed>>>,
    /// The public values.
    pub instance: Column<Instance>,
    /// The layout's challenges, by index.
    pub challenges: Vec<Challenge>,
    height: usize,
    active: usize,
}

/// What is to be stacked.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// The layout's columns and gates.
    pub gates: &'a ConstraintSystem<Fr>,
    /// 1 on the rows of the layout that are in use.
    pub active: Column<Fixed>,
    /// The columns of the first phase that come first in the committed ones, in this order.
    pub first: &'a [Column<Advice>],
    /// The columns whose cells can be copied.
    pub copied: &'a [Column<Advice>],
    /// Columns that stand under each other in a committed one.
    pub height: usize,
}

impl Stack {
    /// Creates the committed columns and every gate of `shape`.
    pub fn configure(cs: &mut ConstraintSystem<Fr>, shape: &Shape) -> Self {
        if !shape.is_stacked() {
            return Self::flat(cs, shape);
        }
        let mut gates = ConstraintSystem::default();
        let columns = Columns::configure(&mut gates, shape);
        let (active, copied) = (columns.active, [columns.a]);
        let layout = Layout { gates: &gates, active, first: &[], copied: &copied, height: shape.stack as usize };
        Self::of(cs, columns, &layout)
    }

    /// A stack of one: the layout's columns are committed as they are.
    fn flat(cs: &mut ConstraintSystem<Fr>, shape: &Shape) -> Self {
        let columns = Columns::configure(cs, shape);
        let advice = columns.advice_columns().into_iter().map(|column| Place { column, offset: 0 }).collect();
        let fixed = columns.fixed_columns().into_iter().map(|column| Place { column, offset: 0 }).collect();
        let challenges = columns.challenges();
        let active = columns.active.index();
        Self { advice, fixed, instance: columns.instance, challenges, height: 1, active, columns }
    }
}

impl<L> Stack<L> {
    /// Creates the committed columns, and every gate of a layout on them.
    pub fn of(cs: &mut ConstraintSystem<Fr>, columns: L, layout: &Layout<'_>) -> Self {
        let (height, active, gates) = (layout.height, layout.active.index(), layout.gates);
        let phases = gates.advice_column_phase();
        // What would be lost on the way here: a bug of the layout, never of a file.
        assert!(gates.lookups().is_empty() && phases.iter().all(|&phase| phase < 2), "a layout has gates, and two phases");
        let of_phase = |wanted: u8| {
            let columns = (0..phases.len()).filter(|&index| phases[index] == wanted);
            let mut columns = most_read_first(columns, gates.advice_queries().iter().map(|(column, _)| column.index()));
            columns.sort_by_key(|&index| layout.first.iter().position(|c| c.index() == index).unwrap_or(layout.first.len()));
            columns
        };
        let data = most_read_first(
            (0..gates.num_fixed_columns()).filter(|&index| index != active),
            gates.fixed_queries().iter().map(|(column, _)| column.index()),
        );
        // Challenges are drawn after the first phase, so its columns come before them.
        let early: Vec<_> = of_phase(0).chunks(height).map(|columns| (cs.advice_column(), columns.to_vec())).collect();
        let challenges = (0..gates.num_challenges()).map(|_| cs.challenge_usable_after(FirstPhase)).collect();
        let late: Vec<_> =
            of_phase(1).chunks(height).map(|columns| (cs.advice_column_in(SecondPhase), columns.to_vec())).collect();
        let alone = vec![(cs.fixed_column(), vec![active])];
        let data: Vec<_> = data.chunks(height).map(|columns| (cs.fixed_column(), columns.to_vec())).collect();
        let stack = Self {
            advice: places([early, late].concat()),
            fixed: places([alone, data].concat()),
            instance: cs.instance_column(),
            challenges,
            height,
            active,
            columns,
        };
        for column in layout.copied {
            cs.enable_equality(stack.advice[column.index()].column);
        }
        cs.enable_equality(stack.instance);
        for gate in gates.gates() {
            cs.create_gate(gate.name(), |cells| {
                let constraints = gate.polynomials().iter().enumerate();
                let stacked =
                    constraints.map(|(i, polynomial)| (gate.constraint_name(i).to_owned(), stack.on_base(polynomial, cells)));
                stacked.collect::<Vec<_>>()
            });
        }
        stack
    }

    /// The row of a cell of the layout in the column that it is committed in.
    pub fn row<C>(&self, place: &Place<C>, row: usize) -> usize {
        self.height * row + place.offset
    }

    /// A constraint of the layout where it holds: on base rows.
    fn on_base(&self, polynomial: &Expression<Fr>, cells: &mut VirtualCells<'_, Fr>) -> Expression<Fr> {
        let stacked = self.stacked(polynomial, cells);
        if self.vanishes_between(polynomial) {
            return stacked;
        }
        cells.query_fixed(self.fixed[self.active].column, Rotation::cur()) * stacked
    }

    fn stacked(&self, expression: &Expression<Fr>, cells: &mut VirtualCells<'_, Fr>) -> Expression<Fr> {
        let rotation = |rotation: Rotation, offset: usize| Rotation(self.height as i32 * rotation.0 + offset as i32);
        match expression {
            Expression::Constant(c) => Expression::Constant(*c),
            Expression::Fixed(query) => {
                let place = &self.fixed[query.column_index()];
                cells.query_fixed(place.column, rotation(query.rotation(), place.offset))
            }
            Expression::Advice(query) => {
                let place = &self.advice[query.column_index()];
                cells.query_advice(place.column, rotation(query.rotation(), place.offset))
            }
            Expression::Challenge(challenge) => cells.query_challenge(self.challenges[challenge.index()]),
            Expression::Negated(e) => -self.stacked(e, cells),
            Expression::Scaled(e, factor) => self.stacked(e, cells) * *factor,
            Expression::Sum(a, b) => self.stacked(a, cells) + self.stacked(b, cells),
            Expression::Product(a, b) => self.stacked(a, cells) * self.stacked(b, cells),
            // No gate uses halo2's selectors or queries an instance. With zeros such a constraint could vanish; with ones it would hold on
            // every row, and no honest proof would verify.
            Expression::Selector(_) | Expression::Instance(_) => Expression::Constant(Fr::one()),
        }
    }

    /// Whether a constraint is 0 wherever `active` and `active_prev` are, whatever the other cells hold. (Seen from the last rows, a row
    /// further on may be the first one, which is active.)
    fn vanishes_between(&self, expression: &Expression<Fr>) -> bool {
        match expression {
            Expression::Constant(c) => *c == Fr::zero(),
            Expression::Fixed(query) => query.column_index() == self.active && matches!(query.rotation().0, -1 | 0),
            Expression::Negated(e) | Expression::Scaled(e, _) => self.vanishes_between(e),
            Expression::Sum(a, b) => self.vanishes_between(a) && self.vanishes_between(b),
            Expression::Product(a, b) => self.vanishes_between(a) || self.vanishes_between(b),
            Expression::Advice(_) | Expression::Challenge(_) | Expression::Selector(_) | Expression::Instance(_) => false,
        }
    }
}

/// Columns that are read at most rows come first: offsets and rotations then coincide in all committed columns, and a proof is opened at
/// fewer rows.
fn most_read_first(columns: impl Iterator<Item = usize>, reads: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut count = BTreeMap::new();
    reads.for_each(|column| *count.entry(column).or_insert(0) += 1);
    let mut columns: Vec<usize> = columns.collect();
    columns.sort_by_key(|column| Reverse(count.get(column).copied().unwrap_or(0)));
    columns
}

/// The place of each column of the layout, by index; each committed column comes with those that stand in it, by offset.
fn places<C: Copy>(committed: Vec<(C, Vec<usize>)>) -> Vec<Place<C>> {
    let stacked = committed.into_iter().flat_map(|(column, columns)| {
        columns.into_iter().enumerate().map(move |(offset, index)| (index, Place { column, offset }))
    });
    let by_index: BTreeMap<usize, Place<C>> = stacked.collect();
    by_index.into_values().collect()
}

/// The committed columns and gates of a shape; they do not depend on its k.
pub fn constraint_system(shape: &Shape) -> ConstraintSystem<Fr> {
    let mut cs = ConstraintSystem::default();
    Stack::configure(&mut cs, shape);
    cs
}

/// The layout's row of the end pin in a circuit of `2^k` rows: the last one that lies before the blinding rows as a whole.
///
/// # Errors
/// [`TraceError::NotEnoughRows`] where there is no such row.
pub fn end_row(cs: &ConstraintSystem<Fr>, shape: &Shape) -> Result<usize, TraceError> {
    let usable = (1usize << shape.k).checked_sub(cs.blinding_factors() + 1);
    let end = usable.and_then(|usable| (usable / shape.stack.max(1) as usize).checked_sub(1));
    end.ok_or(TraceError::NotEnoughRows { k: shape.k, available: shape.rows() })
}
