//! The names of an inference circuit's columns (`gates/shape.rs`).

use super::Labels;
use crate::gates::{Columns, Selector, Shape, Stack};
use halo2_proofs::plonk::{ConstraintSystem, Fixed};

/// The names of the layout of `shape`.
pub fn labels(shape: &Shape) -> Labels {
    let stack = Stack::configure(&mut ConstraintSystem::default(), shape);
    let (fixed, advice) = (fixed(&stack.columns, stack.fixed.len()), advice(&stack.columns, stack.advice.len()));
    Labels::of_stack(&stack, fixed, advice, challenges(shape), shape.stack)
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
