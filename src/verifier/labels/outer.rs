//! The names of an aggregation circuit's columns (`outer/columns.rs`).

use super::Labels;
use crate::outer::{Widths, columns::Columns, sheet::stack};
use halo2_proofs::plonk::{Advice, Column, ConstraintSystem, Fixed};

/// The names of the layout of `widths`.
pub fn labels(widths: &Widths) -> Labels {
    let mut cs = ConstraintSystem::default();
    let stack = stack(&mut cs, widths);
    let (fixed, advice) = (fixed(&stack.columns, stack.fixed.len()), advice(&stack.columns, stack.advice.len()));
    let mut challenges: Vec<String> = (0..cs.num_challenges()).map(|i| format!("CHALLENGE_{i}")).collect();
    for (challenge, name) in [(stack.columns.beta, "LOOKUP_BETA"), (stack.columns.theta, "LOOKUP_THETA")] {
        challenges[challenge.index()] = name.into();
    }
    Labels::of_stack(&stack, fixed, advice, challenges, widths.stack)
}

fn advice(columns: &Columns, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|i| format!("ADVICE_{i}")).collect();
    let mut name = |column: Column<Advice>, text: String| names[column.index()] = text;
    for (all, text) in [
        (columns.lanes.as_slice(), "LANE"),
        (&columns.element, "ELEMENT"),
        (&columns.operand, "OPERAND"),
        (&columns.scalars, "SCALAR"),
        (&columns.state, "STATE"),
        (&columns.square, "SQUARE"),
        (&columns.boxed, "BOXED"),
        (&columns.helpers, "HELPER"),
    ] {
        all.iter().enumerate().for_each(|(i, column)| name(*column, format!("{text}_{i}")));
    }
    for (column, text) in [
        (columns.carry, "CARRY"),
        (columns.digit, "DIGIT"),
        (columns.apart, "APART"),
        (columns.multiplicity, "MULTIPLICITY"),
        (columns.plus, "PLUS"),
        (columns.minus, "MINUS"),
        (columns.result, "RESULT"),
        (columns.found, "FOUND"),
        (columns.sum, "SUM"),
    ] {
        name(column, text.into());
    }
    names
}

fn fixed(columns: &Columns, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|i| format!("FIXED_{i}")).collect();
    let mut name = |column: Column<Fixed>, text: String| names[column.index()] = text;
    for (all, text) in [
        (columns.known.as_slice(), "KNOWN"),
        (&columns.identities, "IDENTITY"),
        (&columns.factors, "FACTOR"),
        (&columns.constants, "CONSTANT"),
    ] {
        all.iter().enumerate().for_each(|(i, column)| name(*column, format!("{text}_{i}")));
    }
    for (column, text) in [
        (columns.active, "ACTIVE"),
        (columns.table, "TABLE"),
        (columns.is_element, "IS_ELEMENT"),
        (columns.is_known, "IS_KNOWN"),
        (columns.finds, "FINDS"),
        (columns.wanted, "WANTED"),
        (columns.offered, "OFFERED"),
        (columns.offered_digit, "OFFERED_DIGIT"),
        (columns.starts, "STARTS"),
        (columns.absorbs, "ABSORBS"),
        (columns.full, "FULL_ROUND"),
        (columns.partial, "PARTIAL_ROUNDS"),
    ] {
        name(column, text.into());
    }
    names
}
