//! What a circuit calls its columns and challenges: names that the contract's reader sees.

use super::VerifierError;
use crate::{
    gates::{Columns, Selector, Shape, Stack},
    outer::{Widths, sheet},
};
use halo2_proofs::{
    halo2curves::bn256::Fr,
    plonk::{ConstraintSystem, Fixed},
};
use std::collections::BTreeMap;

/// The names of a circuit's columns and challenges. Each becomes part of constants' names in the contract, so no two are alike.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Of each committed fixed column, in the key's order, the columns of the layout that stand under each other in it, by offset: one where
    /// nothing is stacked.
    pub fixed: Vec<Vec<String>>,
    /// Likewise of each advice column, in the constraint system's order.
    pub advice: Vec<Vec<String>>,
    /// The circuit's own challenges, in the constraint system's order.
    pub challenges: Vec<String>,
    /// Rows of the circuit that one row of the layout takes.
    pub stack: u32,
}

impl Labels {
    /// The names of an inference circuit's layout.
    pub fn of_shape(shape: &Shape) -> Self {
        let stack = Stack::configure(&mut ConstraintSystem::default(), shape);
        let places = |place: &Vec<(usize, usize)>, names| stacked(place.iter().copied(), names);
        let of_fixed: Vec<_> = stack.fixed.iter().map(|place| (place.column.index(), place.offset)).collect();
        let of_advice: Vec<_> = stack.advice.iter().map(|place| (place.column.index(), place.offset)).collect();
        Self {
            fixed: places(&of_fixed, fixed(&stack.columns, stack.fixed.len())),
            advice: places(&of_advice, advice(&stack.columns, stack.advice.len())),
            challenges: challenges(shape),
            stack: shape.stack,
        }
    }

    /// The names of an outer circuit's layout.
    pub fn of_outer(widths: &Widths) -> Self {
        let stack = sheet::stack(&mut ConstraintSystem::default(), widths);
        let [advice, fixed] = stack.columns.names();
        let of_fixed = stack.fixed.iter().map(|place| (place.column.index(), place.offset));
        let of_advice = stack.advice.iter().map(|place| (place.column.index(), place.offset));
        Self {
            fixed: stacked(of_fixed, fixed),
            advice: stacked(of_advice, advice),
            challenges: ["LOOKUP_BETA", "LOOKUP_THETA"].map(str::to_owned).to_vec(),
            stack: widths.stack,
        }
    }

    /// The names of a circuit whose columns are committed as they are.
    pub fn plain(fixed: &[&str], advice: &[&str], challenges: &[&str]) -> Self {
        let columns = |names: &[&str]| names.iter().map(|name| vec![(*name).to_owned()]).collect();
        let challenges = challenges.iter().map(|name| (*name).to_owned()).collect();
        Self { fixed: columns(fixed), advice: columns(advice), challenges, stack: 1 }
    }

    /// Each column and each challenge has a name.
    ///
    /// # Errors
    /// [`VerifierError::Render`].
    pub fn check(&self, cs: &ConstraintSystem<Fr>) -> Result<(), VerifierError> {
        let named = [self.fixed.len(), self.advice.len(), self.challenges.len()];
        let there = [cs.num_fixed_columns(), cs.num_advice_columns(), cs.num_challenges()];
        if named == there && self.stack > 0 {
            return Ok(());
        }
        let what = format!("names for {named:?} fixed columns, advice columns and challenges, the circuit has {there:?}");
        Err(VerifierError::Render(what))
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

/// The challenges that the gates draw, in their order.
fn challenges(shape: &Shape) -> Vec<String> {
    let mut cs = ConstraintSystem::default();
    let columns = Columns::configure(&mut cs, shape);
    let mut names: Vec<String> = (0..cs.num_challenges()).map(|i| format!("CHALLENGE_{i}")).collect();
    let own = [
        (Some(columns.gamma), "FOLD_GAMMA"),
        (Some(columns.beta), "LOOKUP_BETA"),
        (columns.function.as_ref().map(|f| f.theta), "LOOKUP_THETA"),
    ];
    for (challenge, name) in own.into_iter().filter_map(|(challenge, name)| Some((challenge?, name))) {
        names[challenge.index()] = name.into();
    }
    names
}
