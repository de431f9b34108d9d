//! Names for the contract's reader: what each polynomial is, and what each constraint says.

use super::protocol::{Phase, Query};
use crate::gates::{Columns, Selector, Shape, Stack};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Fixed},
};
use std::collections::BTreeMap;

/// What a reader calls the polynomials.
#[derive(Clone, Debug)]
pub struct Names {
    /// The polynomials, in the protocol's order: fixed columns, permutation, instance column, the prover's by phase, the quotient.
    pub polynomials: Vec<String>,
    /// The columns of the layout that stand under each other in each of them, by offset; none where it is no column of the layout.
    stacked: Vec<Vec<String>>,
    /// Rows of one row of the layout.
    stack: i32,
}

impl Names {
    /// The names of a circuit's polynomials.
    pub fn new(shape: &Shape, cs: &ConstraintSystem<Fr>, phases: &[Phase]) -> Self {
        let stack = Stack::configure(&mut ConstraintSystem::default(), shape);
        let of_layout = fixed(&stack.columns, stack.fixed.len());
        let columns = stacked(stack.fixed.iter().map(|place| (place.column.index(), place.offset)), of_layout);
        let mut names = Self { polynomials: Vec::new(), stacked: Vec::new(), stack: shape.stack as i32 };
        names.push_columns("KEY", columns);
        for i in 0..cs.permutation().get_columns().len() {
            names.push(format!("COPY_{i}"));
        }
        names.push("INSTANCES".into());
        let of_layout = advice(&stack.columns, stack.advice.len());
        let columns = stacked(stack.advice.iter().map(|place| (place.column.index(), place.offset)), of_layout);
        let of_phase = |wanted: u8| {
            let phases = cs.advice_column_phase().into_iter().zip(&columns);
            phases.filter(|(phase, _)| *phase == wanted).map(|(_, column)| column.clone()).collect()
        };
        names.push_columns("WITNESS", of_phase(0));
        names.push_columns("RUNNING", of_phase(1));
        // After the advice columns: the permutation's products, and one polynomial that only blinds.
        let products = phases.iter().map(|p| p.points).sum::<usize>().saturating_sub(columns.len() + 1);
        for i in 0..products {
            names.push(format!("PRODUCT_{i}"));
        }
        names.push("BLIND".into());
        names.push("QUOTIENT".into());
        names
    }

    fn push(&mut self, name: String) {
        self.polynomials.push(name);
        self.stacked.push(Vec::new());
    }

    /// Committed columns: of one column of the layout, or of several.
    fn push_columns(&mut self, name: &str, columns: Vec<Vec<String>>) {
        for (i, column) in columns.into_iter().enumerate() {
            self.polynomials.push(match column.as_slice() {
                [only] => only.clone(),
                _ => format!("{name}_{i}"),
            });
            self.stacked.push(column);
        }
    }

    /// The name of an evaluation: the column, and how many of the layout's rows from the current one.
    pub fn evaluation(&self, query: Query) -> String {
        let offset = query.rotation.rem_euclid(self.stack) as usize;
        let (name, rotation) = match self.stacked[query.poly].get(offset) {
            Some(name) => (name, query.rotation.div_euclid(self.stack)),
            None => (&self.polynomials[query.poly], query.rotation),
        };
        match rotation {
            0 => format!("AT_{name}"),
            1 => format!("AT_{name}_NEXT"),
            -1 => format!("AT_{name}_PREV"),
            r if r > 0 => format!("AT_{name}_NEXT_{r}"),
            r => format!("AT_{name}_PREV_{}", -r),
        }
    }
}

/// The names of the columns that stand in each committed one, by offset.
fn stacked(places: impl Iterator<Item = (usize, usize)>, names: Vec<String>) -> Vec<Vec<String>> {
    let mut columns: BTreeMap<usize, BTreeMap<usize, String>> = BTreeMap::new();
    for ((column, offset), name) in places.zip(names) {
        columns.entry(column).or_default().insert(offset, name);
    }
    columns.into_values().map(|names| names.into_values().collect()).collect()
}

fn advice(columns: &Columns, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|i| format!("ADVICE_{i}")).collect();
    let known = [
        (Some(columns.a), "A"),
        (Some(columns.b), "B"),
        (columns.c, "C"),
        (Some(columns.multiplicity), "MULTIPLICITY"),
        (Some(columns.folded), "FOLDED"),
        (Some(columns.fold), "FOLD"),
        (Some(columns.sum), "SUM"),
    ];
    for (column, name) in known.into_iter().filter_map(|(column, name)| Some((column?, name))) {
        names[column.index()] = name.into();
    }
    for (i, [square, fourth]) in columns.powers.into_iter().flatten().enumerate() {
        names[square.index()] = if i == 0 { "FOLDED".into() } else { format!("SQUARE_{i}") };
        names[fourth.index()] = format!("FOURTH_{i}");
    }
    for (i, lane) in columns.limbs.iter().enumerate() {
        names[lane.index()] = if columns.limbs.len() > 1 { format!("LIMB_{i}") } else { "LIMB".into() };
    }
    for (i, helper) in columns.helpers.iter().enumerate() {
        names[helper.index()] = format!("HELPER_{i}");
    }
    names
}

fn fixed(columns: &Columns, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|i| format!("FIXED_{i}")).collect();
    let mut name = |column: halo2_proofs::plonk::Column<Fixed>, name: String| names[column.index()] = name;
    for (i, weight) in columns.weights.iter().enumerate() {
        name(*weight, format!("WEIGHT_{i}"));
    }
    for (column, text) in [
        (columns.constant, "CONSTANT"),
        (columns.table, "TABLE"),
        (columns.active, "ACTIVE"),
        (columns.linear, "LINEAR"),
        (columns.last, "LAST"),
    ] {
        name(column, text.into());
    }
    // Selectors may share a column, whose name is then all of theirs.
    let mut selectors: Vec<(Selector, String)> = Vec::new();
    for (selector, text) in [
        (columns.range, "RANGE"),
        (columns.relu, "RELU"),
        (columns.signed, "SIGNED"),
        (columns.threshold, "THRESHOLD"),
        (columns.argmax, "ARGMAX"),
        (columns.absorb, "ABSORB"),
        (columns.full, "FULL_ROUND"),
        (columns.partial, "PARTIAL_ROUND"),
        (columns.function.as_ref().map(|f| f.selector), "FUNCTION"),
        (columns.border, "BORDER"),
        (columns.maximum, "MAXIMUM"),
        (columns.distance, "DISTANCE"),
        (columns.pooled, "POOLED"),
        (columns.in_place, "INPUT"),
    ] {
        let Some(selector) = selector else { continue };
        match selectors.iter_mut().find(|(s, _)| s.column() == selector.column()) {
            Some((_, names)) => *names = format!("{names}_OR_{text}"),
            None => selectors.push((selector, text.into())),
        }
    }
    for (selector, text) in selectors {
        name(selector.column(), format!("IS_{text}"));
    }
    for (column, text) in [(columns.shift, "SHIFT"), (columns.continues, "CONTINUES")] {
        if let Some(column) = column {
            name(column, text.into());
        }
    }
    if let Some(function) = &columns.function {
        name(function.table_value, "TABLE_VALUE".into());
        name(function.table_slope, "TABLE_SLOPE".into());
        name(function.table_tag, "TABLE_TAG".into());
    }
    names
}

/// The challenges in the protocol's order: the circuit's own, then halo2's θ, β, γ and y.
pub fn challenges(shape: &Shape, count: usize) -> Vec<String> {
    let columns = Columns::configure(&mut ConstraintSystem::default(), shape);
    let mut names: Vec<String> = (0..count).map(|i| format!("CHALLENGE_{i}")).collect();
    let own = [
        (Some(columns.gamma), "FOLD_GAMMA"),
        (Some(columns.beta), "LOOKUP_BETA"),
        (columns.function.as_ref().map(|f| f.theta), "LOOKUP_THETA"),
    ];
    for (challenge, name) in own.into_iter().filter_map(|(challenge, name)| Some((challenge?, name))) {
        names[challenge.index()] = name.into();
    }
    for (name, text) in names.iter_mut().rev().zip(["COMBINER", "COPY_GAMMA", "COPY_BETA", "HALO2_THETA"]) {
        *name = text.into();
    }
    names
}

/// The function of the contract that a constraint of this meaning belongs to.
pub fn kind(meaning: &str) -> &'static str {
    match meaning.split(':').next() {
        Some("lookup") => "_evaluateLookups",
        Some("copies") => "_evaluateCopies",
        _ => "_evaluateGates",
    }
}

/// What each constraint says, in the protocol's order: the gates', then the permutation's.
pub fn constraints(cs: &ConstraintSystem<Fr>, count: usize) -> Vec<String> {
    let gates = cs
        .gates()
        .iter()
        .flat_map(|gate| (0..gate.polynomials().len()).map(|i| format!("{}: {}", gate.name(), gate.constraint_name(i))));
    let mut all: Vec<String> = gates.collect();
    let products = cs.permutation().get_columns().len().div_ceil(cs.degree().saturating_sub(2).max(1));
    if products > 0 {
        all.push("copies: the product starts at one".into());
        all.push("copies: the product ends at zero or one".into());
        all.extend((1..products).map(|i| format!("copies: product {i} goes on where the one before ends")));
        all.extend((0..products).map(|i| format!("copies: step of product {i}")));
    }
    all.resize(count, "lookup: an argument of halo2".into());
    all
}
